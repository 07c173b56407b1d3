"""The way into the pages inside WeChat, with the platform's stand-in over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bot import h5
from bot.app import create_app
from bot.h5 import ATTEMPTS_COOKIE, COOKIE, COOKIE_PATH, SIGN_IN
from bot.h5_cookies import find_session, new_session
from bot.login import PHONE_COOKIE, LoginError
from bot.services import services_of
from bot.settings import Settings
from core.db import Database, Keyring, install_keyring
from core.state.model import StateItem
from handlers.access import Access, access
from handlers.h5.routes import ROUTES
from handlers.h5.visit import H5Route, Visit
from handlers.page import Answer, Download
from tests.h5 import CHROME, WECHAT, csrf_of, enter, submit, text_of
from tests.servers import GranianServer
from tests.wechat import Platform, running_platform

LOGIN = "/sns/oauth2/access_token"
LI, WANG = "oTESTlililililililililililil", "oTESTwangwangwangwangwangwan"
PUBLIC_URL = "https://hzl.example.gov.cn"


@access(Access.PERSON)
def _who(visit: Visit) -> Answer:
    facts = f"{visit.openid}|{visit.is_in_wechat}|{visit.public_url}|{visit.params}"
    return Download(content=facts.encode(), media_type="text/plain", filename="who.txt")


@access(Access.PUBLIC)
def _anybody(visit: Visit) -> Answer:
    return _who(visit)


@access(Access.PERSON)
def _send(visit: Visit) -> Answer:
    raise AssertionError("nobody may get here")


EXTRA = (
    H5Route(path="/h5/who/<token>", name="who", view=_who, methods=("GET", "POST")),
    H5Route(path="/h5/anybody", name="anybody", view=_anybody),
    H5Route(path="/h5/send", name="send", view=_send, methods=("POST",)),
)


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("wechat")) as platform:
        yield platform


@pytest.fixture
def platform(_served: Platform) -> Platform:
    with _served.ledger.writing() as desk:
        for table in ("code", "fault", "call"):
            desk.execute(f"DELETE FROM {table}")
    _served.follow(LI)
    _served.follow(WANG)
    return _served


@pytest.fixture
def app(
    platform: Platform,
    sqlite_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    monkeypatch.setattr(h5, "ROUTES", (*ROUTES, *EXTRA))
    app = create_app(
        platform.settings(
            database_url=sqlite_database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            public_url=PUBLIC_URL,
            log_level="error",
        )
    )
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def phone(app: Flask, user_agent: str = WECHAT) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = user_agent
    return client


def state_of(answer: TestResponse) -> str:
    """Return the state with which somebody was sent to the platform."""
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def come_back(client: FlaskClient, state: str, code: str) -> TestResponse:
    return client.get(SIGN_IN, query_string={"code": code, "state": state})


def is_in(client: FlaskClient, openid: str) -> bool:
    return client.get("/h5/who/x").text.startswith(f"{openid}|")


# --- the way in ---------------------------------------------------------------------------------


def test_somebody_who_opens_a_page_is_sent_round_and_arrives_there(
    app: Flask, platform: Platform
) -> None:
    client = phone(app)
    sent = client.get("/h5/who/abc?q=田林&page=2")
    assert sent.location.startswith(f"{platform.url}/connect/oauth2/authorize?")
    assert parse_qs(urlsplit(sent.location).query)["redirect_uri"] == [PUBLIC_URL + SIGN_IN]
    assert sent.headers["Cache-Control"] == "no-store"
    arrived = come_back(client, state_of(sent), platform.code("page", LI))
    assert (arrived.status_code, arrived.location) == (
        303,
        "/h5/who/abc?q=%E7%94%B0%E6%9E%97&page=2",
    )
    assert client.get(arrived.location).text == f"{LI}|True|{PUBLIC_URL}|{{'token': 'abc'}}"


def test_the_platform_itself_brings_somebody_back(app: Flask, platform: Platform) -> None:
    client = phone(app)
    sent = client.get("/h5/")
    asked = requests.get(
        sent.location.replace("hzl.example.gov.cn", "127.0.0.1"),
        cookies={PHONE_COOKIE: WANG},
        allow_redirects=False,
        timeout=5,
    )
    back = urlsplit(asked.headers["Location"])
    assert client.get(f"{back.path}?{back.query}").location == "/h5/"
    assert is_in(client, WANG)


def test_the_address_of_the_sign_in_leads_in_as_well(app: Flask, platform: Platform) -> None:
    client = phone(app)
    sent = client.get(SIGN_IN, query_string={"next": "/h5/who/x"})
    assert come_back(client, state_of(sent), platform.code("page", LI)).location == "/h5/who/x"
    assert client.get(SIGN_IN, query_string={"next": "/h5/who/x"}).location == "/h5/who/x"


@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil.example", "https://evil.example/h5/", "/h5/\\evil.example", "/h5/..//evil"),
        *("/console/", "/h5/?n=//evil.example", "/h5/\n//evil.example", "/h5/" + "长" * 400),
    ],
)
def test_sign_in_leads_nowhere_else(app: Flask, platform: Platform, wanted: str) -> None:
    client = phone(app)
    sent = client.get(SIGN_IN, query_string={"next": wanted})
    assert come_back(client, state_of(sent), platform.code("page", LI)).location == "/h5/"
    if "长" not in wanted:
        assert client.get(SIGN_IN, query_string={"next": wanted}).location == "/h5/"


def test_pages_opened_side_by_side_each_arrive(app: Flask, platform: Platform) -> None:
    client = phone(app)
    states = {name: state_of(client.get(f"/h5/who/{name}")) for name in "abc"}
    for name in "bca":
        back = come_back(client, states[name], platform.code("page", LI))
        assert back.location == f"/h5/who/{name}"


# --- states and codes that are not ours ---------------------------------------------------------


def test_foreign_state_begins_anew_once_and_signs_nobody_in(app: Flask, platform: Platform) -> None:
    victim, code = phone(app), platform.code("page", WANG)
    again = come_back(victim, "1" + "0" * 32, code)
    assert platform.calls(LOGIN) == 0, "the attacker's code is not even asked for"
    state = state_of(again)
    assert state.startswith("2")
    assert come_back(victim, state, platform.code("page", LI)).location == "/h5/"
    assert is_in(victim, LI)


def test_second_foreign_state_is_an_error_with_a_way_on(app: Flask, platform: Platform) -> None:
    client = phone(app)
    refused = come_back(client, "2" + "0" * 32, platform.code("page", WANG))
    assert refused.status_code == 400
    assert "没有登录成功" in text_of(refused)
    assert 'href="/h5/sign-in?next=/h5/"' in refused.text


def test_browser_without_cookies_does_not_go_round_for_ever(app: Flask, platform: Platform) -> None:
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_USER_AGENT"] = WECHAT
    answer, rounds = client.get("/h5/who/x"), 0
    while answer.status_code == 302:
        answer = come_back(client, state_of(answer), platform.code("page", LI))
        rounds += 1
    assert (rounds, answer.status_code) == (2, 400)


def test_state_of_another_browser_is_foreign(app: Flask, platform: Platform) -> None:
    stolen = state_of(phone(app).get("/h5/who/x"))
    other = come_back(phone(app), stolen, platform.code("page", WANG))
    assert state_of(other).startswith("2")


def test_state_is_too_old_after_ten_minutes(app: Flask, platform: Platform) -> None:
    client = phone(app)
    state = state_of(client.get("/h5/who/x"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
        assert state_of(come_back(client, state, "code")).startswith("2")
    assert platform.calls(LOGIN) == 0


def test_address_that_is_asked_for_twice_leads_to_the_page_twice(
    app: Flask, platform: Platform
) -> None:
    client, code = phone(app), platform.code("page", LI)
    state = state_of(client.get("/h5/who/x"))
    assert come_back(client, state, code).location == "/h5/who/x"
    assert come_back(client, state, code).location == "/h5/who/x"
    assert platform.calls(LOGIN) == 1


def test_used_state_of_somebody_who_signed_out_begins_anew_for_the_same_page(
    app: Flask, platform: Platform
) -> None:
    client, code = phone(app), platform.code("page", LI)
    state = state_of(client.get("/h5/who/x"))
    come_back(client, state, code)
    submit(client, "/h5/", to="/h5/sign-out")
    again = state_of(come_back(client, state, code))
    assert come_back(client, again, platform.code("page", LI)).location == "/h5/who/x"


def test_spent_code_begins_anew_once(app: Flask, platform: Platform) -> None:
    client = phone(app)
    sent = client.get("/h5/who/x")
    again = come_back(client, state_of(sent), "never-given-out")
    assert state_of(again).startswith("2")
    refused = come_back(client, state_of(again), "never-given-out-either")
    assert refused.status_code == 400
    assert 'href="/h5/sign-in?next=/h5/who/x"' in refused.text
    assert not is_in(client, LI)


def test_missing_code_is_a_spent_one(app: Flask, platform: Platform) -> None:
    client = phone(app)
    back = client.get(SIGN_IN, query_string={"state": state_of(client.get("/h5/"))})
    assert state_of(back).startswith("2")
    assert platform.calls(LOGIN) == 0


def test_platform_that_is_down_is_tried_again_by_a_link(app: Flask, platform: Platform) -> None:
    client = phone(app)
    state = state_of(client.get("/h5/who/x"))
    platform.fault(LOGIN, "errcode", -1, times=9)
    failed = come_back(client, state, platform.code("page", LI))
    assert failed.status_code == 503
    assert "请稍后再试" in text_of(failed)
    with platform.ledger.writing() as desk:
        desk.execute("DELETE FROM fault")
    link = re.search(r'href="(/h5/sign-in[^"]+)"', failed.text)
    assert link is not None
    sent = client.get(link[1])
    assert come_back(client, state_of(sent), platform.code("page", LI)).location == "/h5/who/x"


def test_somebody_whom_the_platform_does_not_name_is_told_so(
    app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise LoginError(is_retryable=False)

    monkeypatch.setattr(h5, "find_openid", refuse)
    client = phone(app)
    refused = come_back(client, state_of(client.get("/h5/who/x")), "of-a-snapshot")
    assert refused.status_code == 403
    assert "微信没有告诉我们您是谁" in text_of(refused)
    assert 'href="/h5/sign-in?next=/h5/who/x"' in refused.text
    assert client.get("/h5/who/x").status_code == 302


# --- the cookie ---------------------------------------------------------------------------------


def cookie_header(answer: TestResponse, name: str) -> str:
    return next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(f"{name}="))


@pytest.mark.parametrize("is_production", [False, True])
def test_cookies_are_out_of_reach(
    app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch, is_production: bool
) -> None:
    monkeypatch.setattr(Settings, "is_production", property(lambda _: is_production))
    client = phone(app)
    sent = client.get("/h5/who/x", base_url="https://localhost")
    back = client.get(
        SIGN_IN,
        query_string={"code": platform.code("page", LI), "state": state_of(sent)},
        base_url="https://localhost",
    )
    for answer, name in ((sent, ATTEMPTS_COOKIE), (back, COOKIE)):
        cookie = cookie_header(answer, name)
        for mark in ("HttpOnly", "SameSite=Lax", "Path=/h5"):
            assert mark in cookie
        assert ("Secure" in cookie) is is_production
        assert LI not in cookie


def test_sign_in_holds_on_every_process_and_is_renewed_while_it_is_used(app: Flask) -> None:
    start = datetime.now(UTC)
    client = enter(phone(app), LI, now=start)
    with time_machine.travel(start + timedelta(minutes=9), tick=False):
        assert client.get("/h5/who/x").headers.getlist("Set-Cookie") == []
    for minutes, holds in ((11, True), (130, True), (249, True), (370, False)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert is_in(client, LI) is holds


def test_cookie_that_was_altered_or_sealed_by_others_signs_nobody_in(app: Flask) -> None:
    good = new_session(openid=LI, now=datetime.now(UTC)).sealed()
    middle = len(good) // 2
    altered = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    install_keyring(Keyring([bytes(32)]))
    foreign = new_session(openid=LI, now=datetime.now(UTC)).sealed()
    install_keyring(Keyring(services_of(app).settings.data_key_bytes()))
    early = new_session(openid=LI, now=datetime.now(UTC) + timedelta(hours=1)).sealed()
    client = app.test_client(use_cookies=False)
    for value in (good, altered, foreign, early, good[:-4], "", "é", "x" * 9000):
        headers = {"User-Agent": WECHAT, "Cookie": f"{COOKIE}={value}"}
        status = client.get("/h5/who/x", headers=headers).status_code
        assert status == (200 if value == good else 302), value


def test_cookie_outlives_the_rotation_of_keys(app: Flask) -> None:
    client = enter(phone(app), LI)
    keys = services_of(app).settings.data_key_bytes()
    install_keyring(Keyring([bytes(range(1, 33)), *keys]))
    assert is_in(client, LI)


def test_signing_out_ends_it_and_does_not_sign_in_again_at_once(app: Flask) -> None:
    client = enter(phone(app), LI)
    assert client.get("/h5/sign-out").status_code == 405
    out = submit(client, "/h5/", to="/h5/sign-out")
    assert out.location == "/h5/signed-out"
    assert "您已退出登录" in text_of(client.get(out.location))
    assert client.get("/h5/who/x").status_code == 302


def test_browser_of_the_simulator_is_one_phone_after_the_other(app: Flask) -> None:
    client = enter(phone(app, CHROME), LI)
    client.set_cookie(PHONE_COOKIE, LI, path="/")
    assert is_in(client, LI)
    client.set_cookie(PHONE_COOKIE, WANG, path="/")
    assert client.get("/h5/who/x").status_code == 302


def test_cookie_of_the_simulator_means_nothing_in_production(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "is_production", property(lambda _: True))
    client = phone(app, CHROME)
    client.set_cookie(PHONE_COOKIE, LI, path="/")
    assert "请在微信里打开" in client.get("/h5/").text
    client = enter(phone(app), LI)
    client.set_cookie(PHONE_COOKIE, WANG, path="/")
    assert client.get("/h5/").status_code == 200


# --- outside of WeChat --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/h5/who/a?b=c", "/h5/", "/h5/sign-in?next=/h5/who/a"])
def test_outside_of_wechat_the_page_says_how_to_come_in(app: Flask, path: str) -> None:
    answer = phone(app, CHROME).get(path)
    assert answer.status_code == 200
    words = text_of(answer)
    assert "请在微信里打开" in words
    wanted = path.removeprefix("/h5/sign-in?next=")
    assert PUBLIC_URL + wanted in words


def test_public_page_is_shown_outside_of_wechat_and_knows_nobody(app: Flask) -> None:
    answer = phone(app, CHROME).get("/h5/anybody")
    assert answer.text == f"|False|{PUBLIC_URL}|{{}}"
    inside = enter(phone(app), LI).get("/h5/anybody")
    assert inside.text.startswith(f"{LI}|True|")


# --- forms --------------------------------------------------------------------------------------


def test_form_after_the_sign_in_has_ended_does_nothing_and_says_so(
    app: Flask, platform: Platform
) -> None:
    client = enter(phone(app), LI, now=datetime.now(UTC) - timedelta(hours=3))
    ended = client.post("/h5/who/x", headers={"Referer": "http://localhost/h5/who/x?step=2"})
    assert ended.status_code == 403
    assert "登录已经过期 刚才的内容没有提交" in text_of(ended)
    assert 'href="/h5/who/x?step=2"' in ended.text
    sent = client.get("/h5/who/x?step=2")
    back = come_back(client, state_of(sent), platform.code("page", LI))
    assert back.location == "/h5/who/x?step=2"


@pytest.mark.parametrize(
    ("path", "referer", "way_on"),
    [
        ("/h5/who/x", "", "/h5/who/x"),
        ("/h5/send", "", "/h5/"),
        ("/h5/send", "http://evil.example/h5/who/x", "/h5/"),
        ("/h5/send", "http://localhost/h5/who/y", "/h5/who/y"),
        ("/h5/send", "http://localhost//evil.example", "/h5/"),
    ],
)
def test_way_on_from_an_ended_form_is_its_page(
    app: Flask, path: str, referer: str, way_on: str
) -> None:
    ended = phone(app).post(path, headers={"Referer": referer} if referer else {})
    assert f'class="button" href="{way_on}"' in ended.text


def test_form_that_was_open_may_be_sent_after_signing_in_again(
    app: Flask, platform: Platform
) -> None:
    start = datetime.now(UTC) - timedelta(hours=3)
    client = enter(phone(app), LI, now=start)
    with time_machine.travel(start, tick=False):
        csrf = csrf_of(client.get("/h5/").text)
    again = come_back(client, state_of(client.get("/h5/")), platform.code("page", LI))
    assert again.status_code == 303
    assert client.post("/h5/who/x", data={"csrf": csrf}).text.startswith(LI)


def _send_late(app: Flask, **fields: object) -> tuple[FlaskClient, str]:
    """Send a form three hours after it was opened; return the browser and the way on."""
    start = datetime.now(UTC) - timedelta(hours=3)
    client = enter(phone(app), LI, now=start)
    with time_machine.travel(start, tick=False):
        csrf = csrf_of(client.get("/h5/").text)
    ended = client.post("/h5/who/x?step=2", data={"csrf": csrf, **fields})
    assert ended.status_code == 403
    assert "刚才填写的内容还在" in text_of(ended)
    found = re.search(r'href="(/h5/again/[0-9a-f]{32})"', ended.text)
    assert found is not None
    return client, found[1]


def test_what_was_typed_before_the_sign_in_ended_is_sent_after_it(
    app: Flask, platform: Platform
) -> None:
    client, way_on = _send_late(app, name='张"三', symptoms=["fever", "cough"], action="send")
    back = come_back(client, state_of(client.get(way_on)), platform.code("page", LI))
    assert back.location == way_on
    page = client.get(way_on)
    assert 'action="/h5/who/x?step=2"' in page.text
    held = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    assert held[1:] == [
        *(("name", "张&#34;三"), ("symptoms", "fever"), ("symptoms", "cough")),
        ("action", "send"),
    ]
    assert client.post("/h5/who/x?step=2", data=dict(held)).text.startswith(LI)


def test_nobody_else_gets_what_was_held_and_it_is_sealed(app: Flask, platform: Platform) -> None:
    client, way_on = _send_late(app, name="张三")
    come_back(client, state_of(client.get(way_on)), platform.code("page", WANG))
    other = client.get(way_on)
    assert other.status_code == 404
    assert "张三" not in other.text
    with services_of(app).database.reading() as session:
        kept = session.scalars(select(StateItem.value).where(StateItem.key.like("h5:held:%"))).one()
    assert "张三" not in kept


def test_form_that_is_not_ours_or_too_large_is_not_held(app: Flask) -> None:
    client = enter(phone(app), LI, now=datetime.now(UTC) - timedelta(hours=3))
    assert "没有保存" in text_of(client.post("/h5/who/x", data={"csrf": "0" * 64, "name": "张三"}))
    start = datetime.now(UTC) - timedelta(hours=3)
    with time_machine.travel(start, tick=False):
        csrf = csrf_of(enter(client, LI, now=start).get("/h5/").text)
    late = client.post("/h5/who/x", data={"csrf": csrf, "name": "长" * 30_000})
    assert "没有保存" in text_of(late)


def test_held_form_is_gone_after_half_an_hour(app: Flask, platform: Platform) -> None:
    client, way_on = _send_late(app, name="张三")
    come_back(client, state_of(client.get(way_on)), platform.code("page", LI))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=False):
        assert client.get(way_on).status_code == 404


def test_sign_in_that_is_used_all_day_ends_after_twelve_hours(app: Flask) -> None:
    start = datetime.now(UTC)
    client = enter(phone(app), LI, now=start)
    for minutes in range(60, 12 * 60, 60):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert is_in(client, LI), minutes
    with time_machine.travel(start + timedelta(hours=12), tick=False):
        assert not is_in(client, LI)


def test_forms_of_the_one_before_are_worthless_to_the_next_person(
    app: Flask, platform: Platform
) -> None:
    start = datetime.now(UTC) - timedelta(hours=3)
    client = enter(phone(app), LI, now=start)
    with time_machine.travel(start, tick=False):
        csrf = csrf_of(client.get("/h5/").text)
    come_back(client, state_of(client.get("/h5/")), platform.code("page", WANG))
    assert client.post("/h5/who/x", data={"csrf": csrf}).status_code == 400
    assert is_in(client, WANG)


@pytest.mark.parametrize("forged", [None, "", "0" * 64, "ü"])
def test_form_that_is_not_ours_is_refused(app: Flask, forged: str | None) -> None:
    client = enter(phone(app), LI)
    refused = client.post("/h5/who/x", data={} if forged is None else {"csrf": forged})
    assert refused.status_code == 400
    assert "页面已经过期" in text_of(refused)


def test_form_of_another_browser_is_refused(app: Flask) -> None:
    stolen = csrf_of(enter(phone(app), LI).get("/h5/").text)
    client = enter(phone(app), LI)
    assert client.post("/h5/who/x", data={"csrf": stolen}).status_code == 400


def test_sign_in_changes_what_forms_carry(app: Flask, platform: Platform) -> None:
    client = phone(app)
    sent = client.get("/h5/who/x")
    before = client.get_cookie(COOKIE, path=COOKIE_PATH)
    assert before is not None
    come_back(client, state_of(sent), platform.code("page", LI))
    after = client.get_cookie(COOKIE, path=COOKIE_PATH)
    assert after is not None
    sessions = [find_session(one.value) for one in (before, after)]
    assert sessions[0] is not None
    assert sessions[1] is not None
    assert sessions[0].token != sessions[1].token


# --- as in production ---------------------------------------------------------------------------


def test_two_processes_share_a_sign_in(
    platform: Platform,
    sqlite_database: Database,
    live_server: Callable[..., GranianServer],
) -> None:
    env = {
        "DATABASE_URL": sqlite_database.url.render_as_string(hide_password=False),
        "INSTANCE_DIR": str(Path(cast("Any", sqlite_database.url).database).parent / "instance"),
        "WECHAT_APPID": platform.settings().wechat_appid,
        "WECHAT_SECRET": platform.settings().wechat_secret.get_secret_value(),
        "WECHAT_API_URL": platform.url,
        "WECHAT_OPEN_URL": platform.url,
    }
    first, second = (live_server(env=env, threads=2) for _ in range(2))
    browser = requests.Session()
    browser.headers["User-Agent"] = WECHAT
    browser.cookies.set(PHONE_COOKIE, LI, domain="127.0.0.1")
    sent = browser.get(f"{first.url}/h5/", allow_redirects=False, timeout=5)
    state = parse_qs(urlsplit(sent.headers["Location"]).query)["state"][0]
    back = browser.get(
        f"{second.url}{SIGN_IN}",
        params={"state": state, "code": platform.code("page", LI)},
        allow_redirects=False,
        timeout=5,
    )
    assert back.headers["Location"] == "/h5/"
    home = browser.get(f"{first.url}/h5/", allow_redirects=False, timeout=5)
    assert (home.status_code, "请问要办什么" in home.text) == (200, True)
