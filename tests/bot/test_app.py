from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask, abort
from flask.testing import FlaskClient
from structlog.testing import LogCapture

from bot import app as app_module
from bot import wechat
from bot.app import SECURITY_HEADERS, STATUS_OF, create_app, status_of
from bot.services import services_of
from bot.settings import DEVELOPMENT, Settings
from core.arrivals.model import IssuedForecast
from core.db import Database
from core.errors import ConflictError, DomainError, ForbiddenError, InvalidInputError, NotFoundError
from core.notices.service import queue_notice
from core.places.service import CommunityNotFoundError
from handlers.access import Access, access
from tests.callback import (
    ACCOUNT,
    AES_KEY,
    APPID,
    TOKEN,
    call,
    seal,
    sealed_query,
    signed,
    text_push,
    unseal,
)
from tests.servers import ROOT, RedisServer

PERSON = "oTESTabcdefghijklmnopqrstuvw"
PRODUCTION: dict[str, Any] = {
    "app_env": "production",
    "public_url": "https://hzl.example.gov.cn",
    "secret_key": "kR7vN2xQ9pL4mT8wB3yH6jD1sF5gC0zA",
    "data_keys": (base64.b64encode(bytes(range(32))).decode(),),
    "wechat_token": TOKEN,
    "wechat_aes_key": (AES_KEY,),
    "wechat_appid": APPID,
    "wechat_secret": "0123456789abcdef0123456789abcdef",
    "wechat_account": ACCOUNT,
}

Make = Callable[..., Flask]


@pytest.fixture
def make(sqlite_database: Database, tmp_path: Path) -> Iterator[Make]:
    """A function that makes an application on this test's database."""
    logging = structlog.get_config()
    made: list[Flask] = []

    def create(**options: Any) -> Flask:
        values = {
            "database_url": sqlite_database.url.render_as_string(hide_password=False),
            "instance_dir": tmp_path / "instance",
            **options,
        }
        made.append(create_app(Settings.from_env(**values)))
        return made[-1]

    yield create
    for app in made:
        services = services_of(app)
        services.dispatcher.close()
        services.database.dispose()
    structlog.configure(**logging)


@pytest.fixture
def client(make: Make) -> FlaskClient:
    return make().test_client()


# --- operators ----------------------------------------------------------------------------------


def test_health_says_that_the_process_is_up_whatever_is_behind_it(
    make: Make, tmp_path: Path
) -> None:
    app = make(database_url=f"sqlite:///{tmp_path}/missing/x.db", redis_url="redis://127.0.0.1:9/0")
    answered = app.test_client().get("/healthz")
    assert (answered.status_code, answered.json) == (200, {"status": "ok"})


def test_ready_when_database_and_store_answer(make: Make, redis_url: str) -> None:
    for options in ({}, {"redis_url": redis_url}):
        answered = make(**options).test_client().get("/readyz")
        assert answered.status_code == 200
        assert answered.json == {"status": "ok", "checks": {"database": True, "store": True}}


def test_not_ready_without_redis_and_ready_again_with_it(
    make: Make, redis_server: RedisServer
) -> None:
    client = make(redis_url=redis_server.url).test_client()
    assert client.get("/readyz").status_code == 200
    redis_server.process.kill()
    answered = client.get("/readyz")
    assert answered.status_code == 503
    assert answered.json["checks"] == {"database": True, "store": False}  # type: ignore[index]


def test_not_ready_without_the_database_or_its_tables(
    make: Make, tmp_path: Path, redis_url: str
) -> None:
    for url in (f"sqlite:///{tmp_path}/missing/x.db", f"sqlite:///{tmp_path}/empty.db"):
        client = make(database_url=url, redis_url=redis_url).test_client()
        answered = client.get("/readyz")
        assert answered.status_code == 503
        assert answered.json["checks"] == {"database": False, "store": True}  # type: ignore[index]


def test_metrics_show_the_outbox(make: Make, sqlite_database: Database, now: Any) -> None:
    with sqlite_database.transaction() as session:
        for number in range(3):
            queue_notice(
                session,
                now=now,
                kind="late_reply",
                openid=PERSON,
                key=str(number),
                values={},
                body="x",
            )
        made_at = datetime.now(UTC) - timedelta(hours=3)
        row = IssuedForecast(made_at=made_at, from_at=made_at, occasion="hourly", digest="d")
        row.flags, row.body, row.settings = [], b"", {}
        session.add(row)
    answered = make().test_client().get("/metrics")
    assert "\nhuizhili_arrivals_forecast_seconds 108" in answered.text
    assert answered.mimetype == "text/plain"
    assert "\nhuizhili_outbox_queued 3.0\n" in answered.text
    assert "\nhuizhili_outbox_due 3.0\n" in answered.text
    assert "\nhuizhili_risk_days_held 0.0\n" in answered.text
    assert "\nhuizhili_database_up 1.0\n" in answered.text
    assert "\nhuizhili_store_up 1.0\n" in answered.text
    assert PERSON not in answered.text


def test_metrics_are_shown_when_everything_behind_is_gone(make: Make, tmp_path: Path) -> None:
    app = make(database_url=f"sqlite:///{tmp_path}/missing/x.db", redis_url="redis://127.0.0.1:9/0")
    answered = app.test_client().get("/metrics")
    assert answered.status_code == 200
    assert "\nhuizhili_database_up 0.0\n" in answered.text
    assert "\nhuizhili_store_up 0.0\n" in answered.text


# --- pages --------------------------------------------------------------------------------------


def test_front_page_is_shown_before_there_is_any_score(client: FlaskClient) -> None:
    answered = client.get("/")
    assert answered.status_code == 200
    assert "高风险" in answered.text
    assert 'lang="zh-CN"' in answered.text


def test_sign_beside_the_title_is_there_for_browsers_that_ask_unasked(client: FlaskClient) -> None:
    with client.get("/favicon.ico") as answered:
        assert (answered.status_code, answered.mimetype) == (200, "image/svg+xml")


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/static/public/page.css"])
def test_every_page_is_hardened(client: FlaskClient, path: str) -> None:
    with client.get(path) as answered:
        headers = answered.headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "is_production", "status"),
    [
        pytest.param("simulator/phone.js", False, 200, id="development"),
        pytest.param("simulator/phone.js", True, 404, id="production"),
        pytest.param("public/../simulator/phone.js", True, 404, id="by-way-of-another-folder"),
        pytest.param("./simulator/phone.js", True, 404, id="with-a-dot"),
        pytest.param("public/page.css", True, 200, id="of-the-product"),
    ],
)
def test_files_of_the_simulator_are_for_development(
    make: Make, path: str, is_production: bool, status: int
) -> None:
    client = make(**(PRODUCTION if is_production else {})).test_client()
    with client.get(f"/static/{path}") as answered:
        assert answered.status_code == status


@pytest.mark.parametrize("is_production", [False, True])
def test_session_cookie_is_out_of_reach(make: Make, is_production: bool) -> None:
    config = make(**(PRODUCTION if is_production else {})).config
    assert config["SESSION_COOKIE_HTTPONLY"]
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert config["SESSION_COOKIE_SECURE"] is is_production


# --- errors -------------------------------------------------------------------------------------


def _with_page(app: Flask, fail: Callable[[], Any]) -> FlaskClient:
    app.add_url_rule("/fails", view_func=access(Access.PUBLIC)(fail), endpoint="fails")
    return app.test_client()


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotFoundError(), 404, "没有找到"),
        (CommunityNotFoundError(community_code="x"), 404, "没有找到这个小区"),
        (ForbiddenError(), 403, "没有办理这项业务的权限"),
        (ConflictError(), 409, "情况刚刚有变化"),
        (InvalidInputError(), 422, "填写有误"),
        (DomainError(), 400, "没有办成"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_domain_error_is_a_page_with_its_text_and_status(
    make: Make, error: DomainError, status: int, words: str
) -> None:
    answered = _with_page(make(), lambda: _raise(error)).get("/fails")
    assert answered.status_code == status
    assert words in answered.text


def test_status_is_that_of_the_nearest_ancestor() -> None:
    class OddError(ConflictError):
        code = "odd"

    assert status_of(OddError()) == STATUS_OF[ConflictError] == 409


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "没有找到这个页面"),
        ("POST", "/healthz", 405, "不接受这种请求"),
        ("GET", "/wechat/", 404, "没有找到这个页面"),
    ],
)
def test_page_that_is_not_there_says_so_in_chinese(
    client: FlaskClient, method: str, path: str, status: int, words: str
) -> None:
    answered = client.open(path, method=method)
    assert answered.status_code == status
    assert words in answered.text
    if status == 405:
        assert "GET" in answered.headers["Allow"]


@pytest.mark.parametrize("status", [400, 413, 429, 503])
def test_aborted_request_keeps_its_status(make: Make, status: int) -> None:
    answered = _with_page(make(), lambda: abort(status)).get("/fails")
    assert answered.status_code == status
    assert f"错误代码 {status}" in answered.text
    assert answered.mimetype == "text/html"


def test_bug_is_a_page_that_gives_nothing_away_and_a_line_that_tells_operators(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = LogCapture()
    client = _with_page(make(), lambda: _raise(ValueError(f"secret of {PERSON}")))
    monkeypatch.setattr(app_module, "log", structlog.wrap_logger(None, processors=[capture]))
    answered = client.get("/fails?name=x")
    assert answered.status_code == 500
    assert "系统出了点问题" in answered.text
    assert PERSON not in answered.text
    assert "ValueError" not in answered.text
    (entry,) = capture.entries
    assert (entry["event"], entry["endpoint"]) == ("page failed", "fails")


# --- the callback -------------------------------------------------------------------------------


def test_sealed_question_is_answered_through_the_whole_application(make: Make) -> None:
    app = make(**PRODUCTION)
    sealed = seal(text_push("我坐地铁要戴口罩吗").xml())
    body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
    answered = call(app, sealed_query(sealed), body)
    assert answered.status == 200
    assert "<Content><![CDATA[建议佩戴口罩" in unseal(answered.text)


def test_callback_refuses_what_nobody_signed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wechat, "log", structlog.wrap_logger(None, processors=[LogCapture()]))
    client = make().test_client()
    assert client.get("/wechat").status_code == 403
    assert client.post("/wechat", data=text_push("x").xml()).status_code == 403
    assert client.put("/wechat").status_code == 405


@pytest.mark.parametrize(("mode", "status"), [("any", 200), ("safe", 403)])
def test_mode_of_the_settings_is_that_of_the_callback(make: Make, mode: str, status: int) -> None:
    app = make(**PRODUCTION, wechat_mode=mode)
    body = text_push("我坐地铁要戴口罩吗").xml().encode()
    assert call(app, signed(), body).status == status


# --- development and production -----------------------------------------------------------------


def test_simulator_is_there_in_development_alone(make: Make) -> None:
    assert make().test_client().get("/simulator/").status_code == 200
    production = make(**PRODUCTION)
    assert production.test_client().get("/simulator/").status_code == 404
    assert [rule.rule for rule in production.url_map.iter_rules() if "simulator" in rule.rule] == []


def test_process_with_the_secrets_of_development_does_not_start_in_production() -> None:
    names = ("secret_key", "data_keys", "wechat_token", "wechat_aes_key")
    secrets = (*names, "wechat_appid", "wechat_secret")
    env = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "production",
        "DATABASE_URL": "sqlite://",
        "PUBLIC_URL": "https://hzl.example.gov.cn",
        **{name.upper(): DEVELOPMENT[name] for name in secrets},
    }
    ended = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert [name for name in secrets if f"{name.upper()} is weak" not in last] == []
    assert DEVELOPMENT["secret_key"] not in ended.stderr
