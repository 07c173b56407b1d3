"""The account behind the pages: its codes with errors told apart, and signed pages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.account import PlatformAccount, signature_of
from bot.client import WeChatClient
from bot.table_store import TableStore
from core.codes.account import AccountBusyError, AccountQuotaError, AccountRefusedError
from core.db import Database
from core.errors import DomainError
from tests.wechat import APPID, Platform

QRCODE, TICKET = "/cgi-bin/qrcode/create", "/cgi-bin/ticket/getticket"
PAGE = "https://hzl.example.gov.cn/h5/registration/1?sent=1"
NOW = datetime(2020, 3, 28, tzinfo=UTC)


@pytest.fixture
def account(platform: Platform, sqlite_database: Database, tmp_path: Path) -> PlatformAccount:
    settings = platform.settings(
        instance_dir=tmp_path, wechat_subscribe_templates={"a": "T1", "b": "T2", "c": "T1"}
    )
    client = WeChatClient(settings, TableStore(sqlite_database), sleep=lambda _: None)
    return PlatformAccount(settings, client)


def test_code_is_a_lasting_one(account: PlatformAccount) -> None:
    made = account.make("company:abc")
    assert made.address.startswith("http://weixin.qq.com/q/")
    assert made.lifetime is None


def test_without_lasting_codes_one_of_thirty_days_is_made(
    account: PlatformAccount, platform: Platform
) -> None:
    platform.fault(QRCODE, "errcode", 45029)
    made = account.make("company:abc")
    assert made.lifetime == timedelta(days=30)
    assert platform.calls(QRCODE) == 2


@pytest.mark.parametrize(
    ("kind", "value", "times", "error"),
    [
        ("errcode", -1, 3, AccountBusyError),
        ("status", 502, 1, AccountBusyError),
        ("errcode", 45011, 1, AccountBusyError),
        ("errcode", 45009, 1, AccountQuotaError),
        ("errcode", 48001, 1, AccountRefusedError),
        ("errcode", 40053, 1, AccountRefusedError),
    ],
)
def test_why_there_is_no_code_is_told_apart(
    account: PlatformAccount,
    platform: Platform,
    kind: str,
    value: int,
    times: int,
    error: type[DomainError],
) -> None:
    platform.fault(QRCODE, kind, value, times=times)
    with pytest.raises(error):
        account.make("company:abc")


def test_signature_is_the_one_that_the_platform_publishes() -> None:
    """The example of the platform's own page about its script."""
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    signature = signature_of(
        ticket=ticket,
        nonce="Wm3WZYTPz0wzccnW",
        timestamp=1414587457,
        url="http://mp.weixin.qq.com?params=value",
    )
    assert signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_page_is_signed_by_the_accounts_ticket(
    account: PlatformAccount, platform: Platform
) -> None:
    config = account.sign(PAGE, now=NOW)
    assert config is not None
    with platform.ledger.reading() as desk:
        ticket = desk.execute("SELECT ticket FROM ticket").fetchone()["ticket"]
    text = f"jsapi_ticket={ticket}&noncestr={config.nonce}&timestamp={config.timestamp}&url={PAGE}"
    assert config.signature == hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    assert (config.appid, config.timestamp) == (APPID, int(NOW.timestamp()))
    assert account.sign(PAGE, now=NOW) != config
    assert platform.calls(TICKET) == 1


def test_page_is_not_signed_while_there_is_no_ticket_and_nobody_asks_at_once_again(
    account: PlatformAccount, platform: Platform
) -> None:
    platform.fault(TICKET, "status", 503)
    assert account.sign(PAGE, now=NOW) is None
    assert account.sign(PAGE, now=NOW) is None
    assert platform.calls(TICKET) == 1


def test_templates_are_those_that_are_set_up_each_once(account: PlatformAccount) -> None:
    assert account.templates_for(["c", "nothing", "b", "a"]) == ("T1", "T2")
