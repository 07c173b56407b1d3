"""The staff pages through the whole application: marks, roles, areas, cookies, forged requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bot import pages
from bot.app import create_app
from bot.console import COOKIE
from bot.services import services_of
from bot.settings import Settings
from bot.store import StoreUnavailableError
from core.audit.model import AuditEntry
from core.clock import day_of
from core.db import Database
from core.people.staff.model import StaffSession
from core.people.staff.rules import Role
from core.people.staff.secrets import hash_password
from core.people.staff.service import NewStaff, add_account, disable_account, get_account
from core.places.model import Community, Street
from core.risk.model import RiskScore
from handlers.console.audit import AUDITED_BY
from handlers.console.risk import SEEN_BY
from handlers.console.routes import ROUTES

PASSWORD = "kites over the river"
ONCE = "once-only-pass-word"
HASHES = {one: hash_password(one) for one in (PASSWORD, ONCE)}
PLACES = {"A1": "田林街道", "A2": "田林街道", "B1": "凌云路街道"}
AREAS: dict[Role, dict[str, Any]] = {
    Role.STREET_OFFICER: {"street": "田林街道"},
    Role.NEIGHBOURHOOD_OFFICER: {"community_codes": ["A2"]},
}
SEEN = {
    Role.ADMINISTRATOR: {"A1", "A2", "B1"},
    Role.DISTRICT_REVIEWER: {"A1", "A2", "B1"},
    Role.AUDITOR: {"A1", "A2", "B1"},
    Role.STREET_OFFICER: {"A1", "A2"},
    Role.NEIGHBOURHOOD_OFFICER: {"A2"},
}
Enter = Callable[..., FlaskClient]


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind will do: the use cases of signing in are tried on both where they are tested."""
    return sqlite_database


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(
        Settings.from_env(
            database_url=database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            log_level="error",
        )
    )
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


@pytest.fixture
def places(database: Database) -> None:
    now = datetime.now(UTC)
    with database.transaction() as session:
        for number, name in enumerate(dict.fromkeys(PLACES.values()), start=1):
            session.add(Street(id=number, code=f"31010400{number}", name=name))
        session.flush()
        for number, (code, street) in enumerate(PLACES.items(), start=1):
            street_id = list(dict.fromkeys(PLACES.values())).index(street) + 1
            session.add(
                Community(
                    id=number, code=code, name=f"名{code}", street_id=street_id, changed_at=now
                )
            )
        session.flush()
        session.add(
            RiskScore(
                community_id=3,
                day=day_of(now),
                version="xh-2020.1",
                score=70.0,
                colour="red",
                coverage=1.0,
                lo=70.0,
                hi=70.0,
                parts=[],
                is_published=True,
                scored_at=now,
            )
        )


def add(database: Database, role: Role, *, must_change: bool = False, name: str = "wang") -> int:
    with database.transaction() as session:
        staff = NewStaff(name=name, role=role, display_name="王静", **AREAS.get(role, {}))
        password = HASHES[ONCE if must_change else PASSWORD]
        account = add_account(session, staff=staff, password_hash=password, now=datetime.now(UTC))
        account.must_change = must_change
        session.flush()
        return account.id


def csrf_of(client: FlaskClient, path: str = "/console/sign-in") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)
    assert found is not None
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    page = "/console/sign-in" if path == "/console/sign-in" else path
    if path == "/console/sign-out":
        page = "/console/"
    return client.post(path, data={"csrf": csrf_of(client, page), **fields})


def sign_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    return post(client, "/console/sign-in", **{"name": "wang", "password": password, **fields})


def cookie_of(response: TestResponse) -> str:
    return next(one for one in response.headers.getlist("Set-Cookie") if one.startswith(COOKIE))


@pytest.fixture
def enter(app: Flask, database: Database) -> Enter:
    """A function that adds somebody with a role and returns a browser in which they are in."""

    def enter(role: Role) -> FlaskClient:
        add(database, role)
        client = app.test_client()
        assert sign_in(client).status_code == 303
        secret = re.search(
            r'class="secret">([A-Z2-7 ]+)<', client.get("/console/authenticator").text
        )
        if secret is not None:
            code = pyotp.TOTP(secret[1].replace(" ", "")).now()
            assert "恢复码" in post(client, "/console/authenticator", code=code).text
        return client

    return enter


# --- who may enter ------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_nobody_enters_without_signing_in(app: Flask, route: Any) -> None:
    client = app.test_client()
    if route.name == "sign_in":
        assert client.get(route.path).status_code == 200
        return
    path = re.sub(r"<int:\w+>", "1", route.path)
    for method in route.methods:
        answered = client.open(path, method=method)
        assert answered.status_code == 303
        assert answered.location.split("?")[0] == "/console/sign-in"


@pytest.mark.parametrize("role", Role)
def test_every_page_opens_for_its_roles_alone(places: None, enter: Enter, role: Role) -> None:
    client = enter(role)
    expected = {"home": True, "risk": role in SEEN_BY, "audit": role in AUDITED_BY}
    for name, is_open in expected.items():
        path = next(route.path for route in ROUTES if route.name == name)
        answered = client.get(path)
        assert answered.status_code == (200 if is_open else 403), name
        if not is_open:
            assert "不在您的权限范围内" in answered.text


@pytest.mark.parametrize("role", Role)
def test_nobody_sees_a_community_outside_their_area(places: None, enter: Enter, role: Role) -> None:
    client = enter(role)
    allowed = SEEN.get(role, set())
    queries = ("", "?q=名", "?colour=red", "?colour=grey", "?street=1", "?street=2", "?page=9")
    for query in queries:
        answered = client.get(f"/console/risk{query}").text
        assert set(re.findall(r"名([AB]\d)", answered)) <= allowed, query
    if allowed:
        listed = re.findall(r"名([AB]\d)", client.get("/console/risk").text)
        assert set(listed) == allowed
    home = client.get("/console/").text
    counted = [int(one) for one in re.findall(r'class="number">(\d+)<', home)]
    assert sum(counted) == len(allowed)


def test_sign_in_leads_to_the_page_that_was_asked_for(
    app: Flask, database: Database, places: None
) -> None:
    add(database, Role.AUDITOR)
    client = app.test_client()
    asked = client.get("/console/risk?q=名A1")
    page = client.get(asked.location)
    hidden = re.search(r'name="next" value="([^"]+)"', page.text)
    assert hidden is not None
    answered = sign_in(client, next=hidden[1])
    assert client.get(answered.location).text.count("名A1") >= 1


@pytest.mark.parametrize("wanted", ["https://evil.example/console/", "//evil.example", "/"])
def test_sign_in_leads_nowhere_else(app: Flask, database: Database, wanted: str) -> None:
    add(database, Role.AUDITOR)
    assert sign_in(app.test_client(), next=wanted).location == "/console/"


# --- passwords and codes ------------------------------------------------------------------------


def test_refusal_is_the_same_whether_or_not_the_name_exists(app: Flask, database: Database) -> None:
    add(database, Role.AUDITOR)
    client = app.test_client()

    def refused(name: str) -> str:
        answered = sign_in(client, "wrong password", name=name)
        assert answered.status_code == 200
        text = answered.text
        assert f'value="{name}"' in text, "what was typed is kept"
        assert "wrong password" not in text
        return re.sub(r'value="[^"]*"', "", text)

    known, unknown = refused("wang"), refused("nobody")
    with database.transaction() as session:
        disable_account(session, name="wang", now=datetime.now(UTC))
    disabled = re.sub(r'value="[^"]*"', "", sign_in(client).text)
    assert known == unknown == disabled


def test_fifth_wrong_password_locks_for_a_quarter_of_an_hour(
    app: Flask, database: Database
) -> None:
    add(database, Role.AUDITOR)
    client = app.test_client()
    for _ in range(5):
        assert sign_in(client, "wrong password").status_code == 200
    assert sign_in(client).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert sign_in(client).status_code == 303
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    failures = ["sign_in_failed"] * 5
    assert actions == ["staff_added", *failures, "staff_locked", "sign_in_failed", "signed_in"]


def test_tries_are_limited_by_account_also_for_names_that_are_nobodys(app: Flask) -> None:
    client = app.test_client()
    statuses = [sign_in(client, "wrong password", name="nobody").status_code for _ in range(16)]
    assert statuses == [200] * 15 + [429]


def test_tries_are_limited_by_address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hits: list[tuple[str, int, int]] = []
    store = services_of(app).store

    def hit(name: str, *, limit: int, seconds: int) -> bool:
        hits.append((name, limit, seconds))
        return not name.startswith("console-address")

    monkeypatch.setattr(store, "hit", hit)
    answered = sign_in(app.test_client(), name="secret-typed-as-name")
    assert answered.status_code == 429
    assert "尝试次数太多" in answered.text
    assert hits[0] == ("console-address:127.0.0.1", 60, 300)
    assert not any("secret" in name for name, _, _ in hits)


def test_staff_sign_in_while_the_store_is_away(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise StoreUnavailableError("redis")

    monkeypatch.setattr(services_of(app).store, "hit", fail)
    monkeypatch.setattr(pages.log, "warning", lambda *_: None, raising=False)
    add(database, Role.AUDITOR)
    assert sign_in(app.test_client()).status_code == 303


def test_empty_form_says_what_is_missing(app: Flask) -> None:
    answered = sign_in(app.test_client(), "")
    assert answered.status_code == 422
    assert "请填写登录名和密码" in answered.text
    assert 'role="alert"' in answered.text


def test_one_time_password_opens_nothing_until_it_is_changed(
    app: Flask, database: Database
) -> None:
    add(database, Role.AUDITOR, must_change=True)
    client = app.test_client()
    sign_in(client, ONCE)
    assert client.get("/console/audit?actor=staff").location == (
        "/console/password?next=%2Fconsole%2Faudit%3Factor%3Dstaff"
    )
    faults = {
        "short": "至少要 12 个字符",
        "my name is wang": "不能有登录名",
        "password123456": "太常见",
        ONCE: "不能和现在的密码一样",
    }
    for chosen, words in faults.items():
        answered = post(client, "/console/password", password=chosen, repeat=chosen)
        assert answered.status_code == 422
        assert words in answered.text
    answered = post(client, "/console/password", password=PASSWORD, repeat="other")
    assert "两次输入的新密码不一样" in answered.text
    answered = post(client, "/console/password", password=PASSWORD, repeat=PASSWORD)
    assert answered.location == "/console/"
    assert client.get("/console/").status_code == 200
    other = app.test_client()
    assert sign_in(other, ONCE).status_code == 200
    assert sign_in(other).status_code == 303


def test_changing_a_password_later_needs_the_present_one(enter: Enter) -> None:
    client = enter(Role.AUDITOR)
    chosen = {"password": "lanterns by the river", "repeat": "lanterns by the river"}
    refused = post(client, "/console/password", current="wrong", **chosen)
    assert (refused.status_code, "现在的密码不正确" in refused.text) == (422, True)
    changed = post(client, "/console/password", current=PASSWORD, **chosen)
    assert changed.location == "/console/?done=password"
    assert "密码已经修改" in client.get(changed.location).text


def test_second_factor_is_asked_for_at_every_sign_in(
    app: Flask, database: Database, enter: Enter
) -> None:
    enter(Role.DISTRICT_REVIEWER)
    client = app.test_client()
    sign_in(client)
    assert client.get("/console/").location == "/console/code"
    assert client.get("/console/authenticator").location == "/console/"
    assert client.get("/console/password").location == "/console/code"
    wrong = post(client, "/console/code", code="abc")
    assert (wrong.status_code, "验证码不正确" in wrong.text) == (200, True)
    with database.transaction() as session:
        secret = get_account(session, name="wang").totp_secret
    assert secret is not None
    later = datetime.now(UTC) + timedelta(minutes=2)
    with time_machine.travel(later, tick=False):
        before = client.get_cookie(COOKIE, path="/console")
        code = pyotp.TOTP(secret).at(later)
        assert post(client, "/console/code", code=code).location == "/console/"
        after = client.get_cookie(COOKIE, path="/console")
        assert before is not None
        assert after is not None
        assert before.value != after.value
        assert client.get("/console/").status_code == 200


def test_fifth_wrong_code_ends_the_sign_in(app: Flask, enter: Enter) -> None:
    enter(Role.ADMINISTRATOR)
    client = app.test_client()
    sign_in(client)
    for _ in range(4):
        assert post(client, "/console/code", code="x").status_code == 200
    locked = post(client, "/console/code", code="x")
    assert locked.location == "/console/sign-in?locked=1"
    assert "账号已暂时锁定" in client.get(locked.location).text
    assert sign_in(client).status_code == 200


def test_secret_is_shown_while_it_is_set_up_and_never_again(app: Flask, database: Database) -> None:
    add(database, Role.ADMINISTRATOR)
    client = app.test_client()
    sign_in(client)
    page = client.get("/console/authenticator").text
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret is not None
    assert "<svg" in page
    assert "style=" not in page
    wrong = post(client, "/console/authenticator", code="1")
    assert "验证码不正确" in wrong.text
    assert secret[1] in wrong.text, "a mistake does not change what was scanned"
    code = pyotp.TOTP(secret[1].replace(" ", "")).now()
    done = post(client, "/console/authenticator", code=code)
    assert len(re.findall(r"<li><code>[a-z2-9-]{14}</code>", done.text)) == 10
    assert client.get("/console/authenticator").location == "/console/"


# --- cookies and forged requests ----------------------------------------------------------------


@pytest.mark.parametrize("is_production", [False, True])
def test_cookie_is_out_of_reach_and_changes_with_the_sign_in(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch, is_production: bool
) -> None:
    monkeypatch.setattr(Settings, "is_production", property(lambda _: is_production))
    add(database, Role.AUDITOR)
    client = app.test_client()
    before = cookie_of(client.get("/console/sign-in", base_url="https://localhost"))
    csrf = csrf_of(client, "https://localhost/console/sign-in")
    after = client.post(
        "/console/sign-in",
        data={"csrf": csrf, "name": "wang", "password": PASSWORD},
        base_url="https://localhost",
    )
    cookie = cookie_of(after)
    for mark in ("HttpOnly", "SameSite=Lax", "Path=/console"):
        assert mark in cookie
    assert ("Secure" in cookie) is is_production
    assert cookie.split(";")[0] != before.split(";")[0]
    assert after.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("forged", [None, "", "0" * 64, "ü"])
def test_form_that_is_not_ours_is_refused(
    app: Flask, database: Database, forged: str | None
) -> None:
    add(database, Role.AUDITOR)
    client = app.test_client()
    csrf_of(client)
    data = {"name": "wang", "password": PASSWORD} | ({"csrf": forged} if forged is not None else {})
    answered = client.post("/console/sign-in", data=data)
    assert answered.status_code == 400
    assert "页面已经过期" in answered.text
    with database.reading() as session:
        assert session.scalars(select(StaffSession)).all() == []


def test_form_of_another_browser_is_refused(app: Flask) -> None:
    stolen = csrf_of(app.test_client())
    client = app.test_client()
    client.get("/console/sign-in")
    assert client.post("/console/sign-in", data={"csrf": stolen}).status_code == 400
    assert app.test_client().post("/console/sign-in", data={"csrf": stolen}).status_code == 400


def test_signing_out_ends_the_sign_in_on_the_server(enter: Enter, app: Flask) -> None:
    client = enter(Role.AUDITOR)
    cookie = client.get_cookie(COOKIE, path="/console")
    assert cookie is not None
    assert client.get("/console/sign-out").status_code == 405
    assert post(client, "/console/sign-out").location == "/console/sign-in"
    thief = app.test_client()
    thief.set_cookie(COOKIE, cookie.value, path="/console")
    assert thief.get("/console/").location == "/console/sign-in"


def test_disabled_account_is_out_at_once(enter: Enter, database: Database) -> None:
    client = enter(Role.AUDITOR)
    with database.transaction() as session:
        disable_account(session, name="wang", now=datetime.now(UTC))
    assert client.get("/console/").location == "/console/sign-in"


def test_sign_in_that_is_used_stays_and_one_that_is_not_ends(enter: Enter) -> None:
    client = enter(Role.AUDITOR)
    start = datetime.now(UTC)
    for minutes, is_in in ((20, True), (45, True), (80, False)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert (client.get("/console/").status_code == 200) is is_in


def test_second_sign_in_of_a_browser_goes_on_to_the_page(enter: Enter) -> None:
    assert enter(Role.AUDITOR).get("/console/sign-in").location == "/console/"


# --- pages --------------------------------------------------------------------------------------


def test_home_says_who_i_am(places: None, enter: Enter) -> None:
    home = enter(Role.STREET_OFFICER).get("/console/").text
    for words in ("王静", "街镇工作人员", "田林街道", "wang"):
        assert words in home
    assert "操作记录" not in home


def test_home_of_a_supervisor_leads_to_cases(enter: Enter) -> None:
    assert "/console/cases?state=open" in enter(Role.SITE_SUPERVISOR).get("/console/").text


def test_empty_register_and_empty_search_say_what_to_do(enter: Enter) -> None:
    client = enter(Role.AUDITOR)
    assert "责任区域内还没有小区" in client.get("/console/risk").text
    searched = client.get("/console/risk?q=火星<b>").text
    assert "没有符合条件的小区" in searched
    assert 'value="火星&lt;b&gt;"' in searched


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=99999999999999999999", "colour=pink", "street=-1", "q=%00%25'"],
)
def test_fields_that_make_no_sense_are_as_if_not_given(
    places: None, enter: Enter, query: str
) -> None:
    assert enter(Role.AUDITOR).get(f"/console/risk?{query}").status_code == 200


def test_audit_page_finds_what_somebody_did(enter: Enter, database: Database, app: Flask) -> None:
    client = enter(Role.AUDITOR)
    page = client.get("/console/audit?action=signed_in&actor=staff").text
    assert page.count("<tr>") == 2, "the head and one entry"
    assert "登录" in page
    today = day_of(datetime.now(UTC))
    tomorrow = today + timedelta(days=1)
    assert "没有符合条件的记录" in client.get(f"/console/audit?from={tomorrow}").text
    assert "新增账号" in client.get(f"/console/audit?from={today}&to={today}").text
    reversed_period = client.get(f"/console/audit?from={tomorrow}&to={today}").text
    assert "开始日期在结束日期之后" in reversed_period
    for odd in ("from=x", "to=9999-12-31", "from=0001-01-01", "older=x", "actor=%27"):
        assert client.get(f"/console/audit?{odd}").status_code == 200


def test_audit_pages_follow_each_other(enter: Enter, database: Database) -> None:
    client = enter(Role.AUDITOR)
    now = datetime.now(UTC)
    with database.transaction() as session:
        session.add_all(
            AuditEntry(at=now, actor="staff:1", action="looked", subject=f"x:{number}", facts={})
            for number in range(60)
        )
    first = client.get("/console/audit?action=looked").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = client.get(older[1].replace("&amp;", "&")).text
    subjects = [re.findall(r'title="x:(\d+)"', page) for page in (first, second)]
    assert [len(one) for one in subjects] == [50, 10]
    assert sorted(int(one) for page in subjects for one in page) == list(range(60))
