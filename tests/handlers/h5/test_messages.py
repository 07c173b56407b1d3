"""Hearing of one's registration: what the receipt says, the consent, the signed page, the code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode
from sqlalchemy import select

from bot.content_policy import OWN_ALONE, with_script
from bot.settings import DEVELOPMENT
from bot.simulator.faults import Fault, FaultKind, FaultMoment, order_fault
from bot.simulator.ledger import Ledger
from bot.simulator.standin import LEDGER, create_standin, serving
from core.codes.account import MadeCode, keep_account_code
from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.people.model import MessageConsent
from core.people.service import mark_following
from core.registration.service import submit_registration
from handlers.h5.messages import accepted_in
from tests.core.registration.conftest import entry_of
from tests.guests import open_company
from tests.h5 import csrf_of, text_of
from tests.handlers.h5.conftest import PUBLIC_URL, Site

TEMPLATES = set(DEVELOPMENT["wechat_subscribe_templates"].values())
TICKET = "/cgi-bin/ticket/getticket"
YES = (
    '{"SUBSCRIBED-REGISTRATION-APPROVED": "{\\"status\\": \\"accept\\"}",'
    ' "SUBSCRIBED-REGISTRATION-REJECTED": "{\\"status\\": \\"reject\\"}",'
    ' "SOMETHING-ELSE": "{\\"status\\": \\"accept\\"}"}'
)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Ledger]]:
    """WeChat's API, for as long as the module's tests run."""
    app = create_standin(
        tmp_path_factory.mktemp("standin") / "wechat.db",
        appid=DEVELOPMENT["wechat_appid"],
        secret=DEVELOPMENT["wechat_secret"],
    )
    with serving(app) as url:
        yield url, app.extensions[LEDGER]


@pytest.fixture
def api_url(standin: tuple[str, Ledger]) -> str:
    """The stand-in."""
    return standin[0]


@dataclass(kw_only=True)
class Desk:
    """Somebody who has registered."""

    site: Site
    client: FlaskClient
    path: str

    def consents(self) -> dict[str, int]:
        with self.site.database.transaction() as session:
            rows = session.execute(select(MessageConsent.template_id, MessageConsent.remaining))
            return dict(tuple(row) for row in rows)

    def answer(self, details: str) -> str:
        """Send what the tag says, and return where that leads."""
        csrf = csrf_of(self.client.get(self.path).text)
        sent = self.client.post(f"{self.path}/told", data={"csrf": csrf, "details": details})
        assert sent.status_code == 303
        return sent.headers["Location"]


@pytest.fixture
def desk(site: Site) -> Desk:
    now = datetime.now(UTC)
    with site.database.transaction() as session:
        place = open_company(session, name="上海第9有限公司", head_count=9, now=now)
        code = issue_code(session, subject=subject_of(place.company_id), actor="person:1", now=now)
        receipt = submit_registration(
            session,
            workplace_id=place.company_id,
            entry=entry_of(0),
            openid="o-zhang",
            code_id=code.id,
            now=now,
        )
    path = f"/h5/registration/{receipt.card.id}"
    return Desk(site=site, client=site.client("o-zhang"), path=path)


def test_receipt_asks_who_cannot_be_told_and_lets_the_script_in(desk: Desk) -> None:
    page = desk.client.get(desk.path)
    assert "<wx-open-subscribe" in page.text
    assert all(template in page.text for template in TEMPLATES)
    said = text_of(page)
    assert "用微信的搜索框" not in said
    assert "点“关注”" in said
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_one_yes_is_kept_once_and_the_receipt_says_so(desk: Desk) -> None:
    assert desk.answer(YES) == f"{desk.path}?told=1#told"
    assert desk.consents() == {"SUBSCRIBED-REGISTRATION-APPROVED": 1}
    page = desk.client.get(f"{desk.path}?told=1")
    assert "您已经同意接收一次通知" in text_of(page)
    assert "<wx-open-subscribe" not in page.text
    assert page.headers["Content-Security-Policy"].count("script-src 'self'") == 1


@pytest.mark.parametrize("details", ["", "no JSON", "[]", YES.replace("accept", "reject")])
def test_no_and_nonsense_keep_nothing(desk: Desk, details: str) -> None:
    assert desk.answer(details) == f"{desk.path}?told=0#told"
    assert desk.consents() == {}
    assert "没有开启通知" in text_of(desk.client.get(f"{desk.path}?told=0"))


def test_nobody_answers_for_somebody_elses_registration(desk: Desk) -> None:
    other = desk.site.client("o-other")
    csrf = csrf_of(other.get("/h5/owner").text)
    refused = other.post(f"{desk.path}/told", data={"csrf": csrf, "details": YES})
    assert refused.status_code == 404
    assert desk.consents() == {}


def test_follower_is_not_asked(desk: Desk) -> None:
    with desk.site.database.transaction() as session:
        mark_following(session, openid="o-zhang", came_by="", now=datetime.now(UTC))
    page = desk.client.get(desk.path)
    assert "您已经关注公众号" in text_of(page)
    assert "<wx-open-subscribe" not in page.text


def test_account_code_is_shown_once_it_was_made_and_says_what_the_platform_gave(
    desk: Desk,
) -> None:
    assert desk.client.get("/h5/account.png").status_code == 404
    assert "account.png" not in desk.client.get(desk.path).text
    made = MadeCode(address="http://weixin.qq.com/q/account")
    with desk.site.database.transaction() as session:
        keep_account_code(session, made=made, now=datetime.now(UTC))
    assert "/h5/account.png" in desk.client.get(desk.path).text
    picture = Image.open(BytesIO(desk.client.get("/h5/account.png").data))
    (read,) = decode(picture.convert("L"), symbols=[ZBarSymbol.QRCODE])
    assert read.data.decode() == "http://weixin.qq.com/q/account"


def test_page_is_signed_for_its_whole_address(desk: Desk) -> None:
    answer = desk.client.get("/h5/sdk", query_string={"url": f"{PUBLIC_URL}{desk.path}?sent=1"})
    config = answer.get_json()
    assert config["is_signed"]
    assert config["appId"] == DEVELOPMENT["wechat_appid"]
    assert set(config) == {"is_signed", "appId", "timestamp", "nonceStr", "signature"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://elsewhere.example/h5/registration/1",
        f"{PUBLIC_URL}.elsewhere.example/h5/",
        f"{PUBLIC_URL}/console/",
        f"{PUBLIC_URL}/h5/registration/1#told",
    ],
)
def test_no_other_address_is_signed(desk: Desk, url: str) -> None:
    assert desk.client.get("/h5/sdk", query_string={"url": url}).status_code == 404


def test_without_a_ticket_the_page_is_told_and_still_says_how_to_follow(
    desk: Desk, standin: tuple[str, Ledger]
) -> None:
    ledger = standin[1]
    with ledger.writing() as desk_of_platform:
        fault = Fault(kind=FaultKind.STATUS, value=503, moment=FaultMoment.BEFORE)
        order_fault(desk_of_platform, path=TICKET, fault=fault, times=1)
    url = f"{PUBLIC_URL}{desk.path}"
    assert desk.client.get("/h5/sdk", query_string={"url": url}).get_json() == {"is_signed": False}
    assert "点“关注”" in text_of(desk.client.get(desk.path))


def test_answers_that_are_objects_already_count_too() -> None:
    assert accepted_in('{"T": {"status": "accept"}, "U": 1}') == {"T"}


def test_public_site_needs_no_more_than_the_platforms_script(tmp_path: Path) -> None:
    policy = with_script("https://res.wx.qq.com/open/js/jweixin-1.6.0.js")
    assert "script-src 'self' https://res.wx.qq.com;" in policy
    assert policy.endswith("frame-src https://*.qq.com webcompt:")
    assert "unsafe" not in policy
    assert with_script("/simulator/static/jweixin.js") == OWN_ALONE
