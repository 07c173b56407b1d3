"""PostgreSQL is restarted under a running application: people notice at most a short refusal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from bot.app import create_app
from bot.imports import run_import
from bot.services import services_of
from bot.settings import Settings
from core.clock import day_of
from core.db import Database
from core.people.model import Person
from core.places.model import Community
from core.risk.versions import get_version
from tests.callback import ACCOUNT, AES_KEY, APPID, TOKEN, call, seal, sealed_query, text_push
from tests.callback import unseal as opened
from tests.schema import prepare_schema
from tests.servers import PostgresServer

COMMUNITIES = """code,name,street,longitude,latitude
T12,田林十二村,田林街道,121.4200,31.1700
T13,田林十三村,田林街道,121.4220,31.1720
"""
BLUE, BOUND, BUSY = "田林十二村：一般风险（蓝色）", "已绑定：田林十二村", "系统正忙"
PEOPLE, AT_ONCE, BEFORE = 240, 8, 60

_message_ids = count(1)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, which it may restart."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def app(server: PostgresServer, tmp_path: Path) -> Iterator[Flask]:
    """The application on that server alone, without Redis, with one blue community."""
    prepare_schema(server.url)
    app = create_app(
        Settings.from_env(
            database_url=server.url,
            redis_url="",
            instance_dir=tmp_path / "instance",
            wechat_token=TOKEN,
            wechat_aes_key=(AES_KEY,),
            wechat_appid=APPID,
            wechat_account=ACCOUNT,
        )
    )
    services = services_of(app)
    _fill(services.database, tmp_path)
    yield app
    services.dispatcher.close()
    services.database.dispose()


def _fill(database: Database, folder: Path) -> None:
    now = datetime.now(UTC)
    yesterday = day_of(now) - timedelta(days=1)
    codes = [indicator.code for indicator in get_version().indicators]
    values = "".join(
        f"{yesterday},{place},{code},0\n" for place in ("T12", "T13") for code in codes
    )
    for kind, text in (
        ("communities", COMMUNITIES),
        ("indicators", "day,community_code,indicator,value\n" + values),
    ):
        path = folder / f"{kind}.csv"
        path.write_text(text, "utf-8")
        report = run_import(database, kind, path, all_or_nothing=True, now=now)
        assert report.is_applied


def say(app: Flask, openid: str, text: str) -> str:
    """Send a sealed message and return the text of the sealed answer."""
    sealed = seal(text_push(text, next(_message_ids), FromUserName=openid).xml())
    body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
    answered = call(app.wsgi_app, sealed_query(sealed), body)
    assert answered.status == 200
    _, _, content = opened(answered.text).partition("<Content><![CDATA[")
    return content.partition("]]>")[0]


def bound_people(app: Flask) -> dict[str, str]:
    """Return the code of everybody's own community, as the database has it."""
    with services_of(app).database.transaction() as session:
        rows = session.execute(
            select(Person.openid, Community.code).join(
                Community, Community.id == Person.community_id
            )
        )
        return {row.openid: row.code for row in rows}


def test_the_next_message_after_a_restart_is_answered_as_if_there_had_been_none(
    server: PostgresServer, app: Flask
) -> None:
    assert say(app, "o-asks", "田林十二村什么颜色").startswith(BLUE)
    assert say(app, "o-before", "绑定田林十三村").startswith("已绑定：田林十三村")
    server.restart()
    assert say(app, "o-asks", "田林十二村什么颜色").startswith(BLUE)
    server.restart()
    assert say(app, "o-after", "绑定田林十二村").startswith(BOUND)
    assert bound_people(app) == {"o-before": "T13", "o-after": "T12"}


def test_every_binding_that_was_answered_during_a_restart_is_in_the_database(
    server: PostgresServer, app: Flask
) -> None:
    people = [f"o-{number}" for number in range(PEOPLE)]
    answers: dict[str, str] = {}
    is_under_way = threading.Event()

    def bind(openid: str) -> None:
        answers[openid] = say(app, openid, "绑定田林十二村")
        if len(answers) >= BEFORE:
            is_under_way.set()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = [pool.submit(bind, openid) for openid in people]
        assert is_under_way.wait(30)
        server.restart()
        answered_count = len(answers)
        for one in done:
            one.result()
    assert answered_count < PEOPLE  # the burst went on when the server was back
    told = {openid for openid, answer in answers.items() if answer.startswith(BOUND)}
    assert told <= bound_people(app).keys()
    # Nobody was left without a word, and whoever was refused can do it now.
    refused = {openid for openid, answer in answers.items() if answer.startswith(BUSY)}
    assert told | refused == set(people)
    for openid in sorted(refused):
        assert say(app, openid, "绑定田林十二村").startswith(BOUND)
    assert bound_people(app) == dict.fromkeys(people, "T12")
