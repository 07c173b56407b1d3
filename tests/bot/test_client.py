from __future__ import annotations

import io
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
import structlog

from bot.client import DeliveryError, WeChatClient
from bot.error_codes import Action
from bot.redis_store import RedisStore
from bot.store import Store, open_store
from core.db import Database
from tests.wechat import SECRET, TEMPLATE, TOKEN, Platform

OPENID = "oTESTabcdefghijklmnopqrstuvw"
DATA = {"thing1": {"value": "田林十二村"}}


@pytest.fixture
def platform(platform: Platform) -> Platform:
    """A stand-in that one person follows."""
    platform.follow(OPENID)
    return platform


@pytest.fixture(params=["redis", "database"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "redis":
        return open_store(request.getfixturevalue("redis_url"), Database("sqlite://"))
    return open_store("", request.getfixturevalue("sqlite_database"))


@pytest.fixture
def one_store(redis_url: str) -> Store:
    return RedisStore(redis_url)


def _client(platform: Platform, store: Store, **options: Any) -> WeChatClient:
    return WeChatClient(platform.settings(), store, **options)


def _send(client: WeChatClient, client_msg_id: str = "a") -> str:
    return client.send_template(
        openid=OPENID, template_id="tmpl-colour", data=DATA, client_msg_id=client_msg_id
    )


def test_template_message_arrives_and_its_id_comes_back(
    platform: Platform, one_store: Store
) -> None:
    msg_id = _send(_client(platform, one_store))
    assert [str(entry.msgid) for entry in platform.delivered(OPENID)] == [msg_id]


def test_template_message_with_the_same_client_id_is_sent_once(
    platform: Platform, one_store: Store
) -> None:
    client = _client(platform, one_store)
    assert _send(client) == _send(client)
    assert len(platform.delivered(OPENID)) == 1


def test_link_to_one_of_our_pages_leads_to_this_installation(
    platform: Platform, one_store: Store
) -> None:
    settings = platform.settings(public_url="https://wx.example.gov.cn")
    client = WeChatClient(settings, one_store)
    for number, link in enumerate(["/h5/company/7", "https://other.example/x", ""]):
        client.send_template(
            openid=OPENID,
            template_id="tmpl-colour",
            data=DATA,
            client_msg_id=str(number),
            link=link,
        )
    assert [entry.body["url"] for entry in platform.delivered(OPENID)] == [
        "https://wx.example.gov.cn/h5/company/7",
        "https://other.example/x",
        "",
    ]


def test_many_clients_fetch_one_token_between_them(platform: Platform, store: Store) -> None:
    clients = [_client(platform, store) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda client: client.tokens.current(), clients))
    assert len(tokens) == 1
    assert platform.calls(TOKEN) == 1


@pytest.mark.parametrize("end", ["expire_tokens", "revoke_tokens"])
def test_refused_token_is_renewed_once_and_the_message_sent_once(
    platform: Platform, store: Store, end: str
) -> None:
    client = _client(platform, store)
    _send(client, "first")
    getattr(platform, end)()
    _send(client, "second")
    assert platform.calls(TOKEN) == 2
    assert len(platform.delivered(OPENID)) == 2


def test_token_renewed_by_another_process_is_taken_without_a_fetch(
    platform: Platform, one_store: Store
) -> None:
    client = _client(platform, one_store)
    old = client.tokens.current()
    platform.revoke_tokens()
    new = _client(platform, one_store).tokens.renew(old)
    assert client.tokens.renew(old) == new
    assert platform.calls(TOKEN) == 2


def test_token_refused_for_ever_is_renewed_once_and_never_in_a_loop(
    platform: Platform, one_store: Store
) -> None:
    platform.fault(TEMPLATE, "errcode", 40001, times=50)
    with pytest.raises(DeliveryError) as caught:
        _send(_client(platform, one_store))
    assert caught.value.action is Action.CONFIG_ALARM
    assert platform.calls(TEMPLATE) == 2
    # The token before, the renewal, and the forced one because the renewal gave the same.
    assert platform.calls(TOKEN) == 3


def test_token_is_renewed_early_while_the_old_one_still_works(
    platform: Platform, one_store: Store
) -> None:
    shift = [0.0]
    client = _client(platform, one_store, clock=lambda: time.time() + shift[0])
    old = client.tokens.current()
    shift[0] = 7200 - 301
    assert client.tokens.current() == old
    platform.ledger.advance(7200 - 290)
    shift[0] = 7200 - 290
    try:
        assert client.tokens.current() != old
    finally:
        platform.ledger.advance(-(7200 - 290))
    assert platform.calls(TOKEN) == 2


def test_early_renewal_that_fails_leaves_the_old_token_in_use(
    platform: Platform, one_store: Store
) -> None:
    shift = [0.0]
    client = _client(platform, one_store, clock=lambda: time.time() + shift[0])
    old = client.tokens.current()
    shift[0] = 7200 - 290
    platform.fault(TOKEN, "status", 500, times=9)
    assert [client.tokens.current() for _ in range(5)] == [old] * 5
    assert platform.calls(TOKEN) == 2  # the failure makes everybody pause


def test_wrong_secret_is_asked_for_once_and_then_paused(
    platform: Platform, one_store: Store
) -> None:
    platform.fault(TOKEN, "errcode", 40001, times=9)
    clients = [_client(platform, one_store) for _ in range(3)]
    errors = []
    for client in clients:
        with pytest.raises(DeliveryError) as caught:
            _send(client)
        errors.append(caught.value)
    assert {error.action for error in errors} == {Action.CONFIG_ALARM}
    assert all(error.retry_after or error is errors[0] for error in errors)
    assert platform.calls(TOKEN) == 1


def test_failing_token_call_waits_longer_each_time(platform: Platform, one_store: Store) -> None:
    shift = [0.0]
    client = _client(platform, one_store, clock=lambda: time.time() + shift[0])
    platform.fault(TOKEN, "status", 502, times=99)
    calls_at = []
    for second in range(60):
        shift[0] = float(second)
        before = platform.calls(TOKEN)
        with pytest.raises(DeliveryError):
            client.tokens.current()
        if platform.calls(TOKEN) > before:
            calls_at.append(second)
    gaps = [later - earlier for earlier, later in pairwise(calls_at)]
    assert len(calls_at) <= 5
    assert gaps == sorted(gaps)


def test_token_known_here_is_used_while_the_store_is_gone(
    platform: Platform, redis_server: Any
) -> None:
    client = _client(platform, RedisStore(redis_server.url))
    token = client.tokens.current()
    redis_server.stop()
    assert client.tokens.current() == token


@pytest.mark.parametrize(
    ("kind", "value", "is_unsure"),
    [
        pytest.param("html", 0, True, id="a proxy's page with status 200"),
        pytest.param("status", 502, True, id="a gateway's error"),
        pytest.param("drop", 0, True, id="connection dropped"),
        pytest.param("hang", 0.5, True, id="no answer in time"),
    ],
)
def test_answer_that_is_none_is_an_error_of_unknown_outcome(
    platform: Platform, one_store: Store, kind: str, value: float, is_unsure: bool
) -> None:
    client = _client(platform, one_store, timeout=(0.2, 0.2))
    client.tokens.current()
    platform.fault(TEMPLATE, kind, value)
    with pytest.raises(DeliveryError) as caught:
        _send(client)
    assert (caught.value.action, caught.value.is_unsure) == (Action.RETRY, is_unsure)
    assert caught.value.code is None


def test_refused_connection_is_known_not_to_have_sent(one_store: Store) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = WeChatClient(Platform(url, None).settings(), one_store)  # type: ignore[arg-type]
    with pytest.raises(DeliveryError) as caught:
        _send(client)
    assert not caught.value.is_unsure


def test_token_call_that_hangs_times_out(platform: Platform, one_store: Store) -> None:
    platform.fault(TOKEN, "hang", 1.0)
    client = _client(platform, one_store, timeout=(0.2, 0.2))
    started = time.monotonic()
    with pytest.raises(DeliveryError):
        client.tokens.current()
    assert time.monotonic() - started < 0.9


def test_busy_platform_is_asked_again_a_few_times(platform: Platform, one_store: Store) -> None:
    waits: list[float] = []
    client = _client(platform, one_store, sleep=waits.append)
    platform.fault(TEMPLATE, "errcode", -1, times=2)
    _send(client)
    assert len(platform.delivered(OPENID)) == 1
    assert waits == [0.2, 0.4]


def test_busy_platform_is_given_up_after_three_tries(platform: Platform, one_store: Store) -> None:
    platform.fault(TEMPLATE, "errcode", -1, times=9)
    with pytest.raises(DeliveryError) as caught:
        _send(_client(platform, one_store, sleep=lambda _: None))
    assert caught.value.retryable
    assert platform.calls(TEMPLATE) == 3


def test_message_sent_before_counts_as_sent(platform: Platform, one_store: Store) -> None:
    platform.fault(TEMPLATE, "errcode", 45065)
    assert _send(_client(platform, one_store)) == ""


@pytest.mark.parametrize(
    ("code", "action", "retryable"),
    [
        (40003, Action.MARK_UNFOLLOWED, False),
        (43004, Action.MARK_UNFOLLOWED, False),
        (43101, Action.CLEAR_CONSENT, False),
        (45009, Action.TOMORROW, True),
        (45011, Action.NEXT_MINUTE, True),
        (45015, Action.WINDOW_SHUT, False),
        (47003, Action.BUG, False),
        (48001, Action.CONFIG_ALARM, True),
        (99999, Action.GIVE_UP, False),
    ],
)
def test_error_code_says_what_to_do(
    platform: Platform, one_store: Store, code: int, action: Action, retryable: bool
) -> None:
    platform.fault(TEMPLATE, "errcode", code)
    with pytest.raises(DeliveryError) as caught:
        _send(_client(platform, one_store))
    assert (caught.value.code, caught.value.action) == (code, action)
    assert caught.value.retryable is retryable
    assert not caught.value.is_unsure
    assert "rid:" in caught.value.reason


def test_custom_text_arrives_in_an_open_window_only(platform: Platform, one_store: Store) -> None:
    client = _client(platform, one_store)
    with pytest.raises(DeliveryError) as caught:
        client.send_custom_text(openid=OPENID, text="答复")
    assert caught.value.action is Action.WINDOW_SHUT
    platform.open_window(OPENID)
    client.send_custom_text(openid=OPENID, text="答复：晴")
    assert [entry.body["text"] for entry in platform.delivered(OPENID)] == ["答复：晴"]


def test_subscription_message_uses_a_consent(platform: Platform, one_store: Store) -> None:
    client = _client(platform, one_store)
    platform.consent(OPENID)
    client.send_subscribe(openid=OPENID, template_id="sub-colour", data=DATA)
    with pytest.raises(DeliveryError) as caught:
        client.send_subscribe(openid=OPENID, template_id="sub-colour", data=DATA)
    assert caught.value.action is Action.CLEAR_CONSENT


def test_menu_is_published_and_read_back(platform: Platform, one_store: Store) -> None:
    client = _client(platform, one_store)
    assert client.get_menu() is None
    menu = {"button": [{"type": "click", "name": "小区风险", "key": "colour"}]}
    client.create_menu(menu)
    assert client.get_menu() == menu


@pytest.mark.parametrize("seconds", [None, 3600], ids=["permanent", "temporary"])
def test_scene_code_is_created(platform: Platform, one_store: Store, seconds: int | None) -> None:
    code = _client(platform, one_store).create_qrcode("street:310104011", expire_seconds=seconds)
    assert code.ticket
    assert code.url.startswith("http")
    assert code.expire_seconds == seconds


def test_ticket_is_fetched_once_for_everybody(platform: Platform, store: Store) -> None:
    tickets = {_client(platform, store).get_jsapi_ticket() for _ in range(3)}
    assert len(tickets) == 1
    assert platform.calls("/cgi-bin/ticket/getticket") == 1


def test_login_codes_work_once_and_need_no_token(platform: Platform, one_store: Store) -> None:
    client = _client(platform, one_store)
    code = platform.code("mini", OPENID)
    assert client.code2session(code).openid == OPENID
    with pytest.raises(DeliveryError) as caught:
        client.code2session(code)
    assert caught.value.action is Action.RESTART_LOGIN
    assert client.login_page(platform.code("page", OPENID)).openid == OPENID
    assert platform.calls(TOKEN) == 0


def test_neither_token_secret_nor_openid_reaches_a_log(
    platform: Platform, one_store: Store
) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    client = _client(platform, one_store, timeout=(0.2, 0.2))
    try:
        with structlog.testing.capture_logs() as entries:
            token = client.tokens.current()
            for kind, value in (("drop", 0), ("hang", 0.4), ("status", 500), ("errcode", 48001)):
                platform.fault(TEMPLATE, kind, value)
                with pytest.raises(DeliveryError) as caught:
                    _send(client)
                written.write(f"{caught.value} {caught.value.reason}")
                log = structlog.get_logger()
                log.warning("caught", error=str(caught.value), args=repr(caught.value.args))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = written.getvalue() + repr(entries)
    assert "caught" in text
    for secret in (token, SECRET, OPENID):
        assert secret not in text


def test_threads_do_not_mix_their_tokens(platform: Platform, one_store: Store) -> None:
    client = _client(platform, one_store)
    barrier = threading.Barrier(4)

    def send(number: int) -> str:
        barrier.wait()
        return _send(client, f"id{number}")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 4
