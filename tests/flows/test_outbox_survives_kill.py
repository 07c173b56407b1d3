"""`kill -9` of workers at any point: every notice arrives, exactly once."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.client import WeChatClient
from bot.store import open_store
from core.db import Database
from core.notices.model import Notice
from core.notices.rules import NoticeState
from core.notices.service import NoticeDraft, queue_notices
from tests.wechat import APPID, COLOUR_TEMPLATE, SECRET, Platform, running_platform
from tests.workers import Nursery, Workers

NOTICES = 40
KILLS = 16
PATIENCE_SECONDS = 40.0


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running_platform(tmp_path) as platform:
        yield platform


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path_factory.mktemp("nursery") / "workers.log")
    yield nursery
    nursery.stop()


def _open_count(database: Database) -> int:
    with database.reading() as session:
        count = session.scalar(
            select(func.count()).select_from(Notice).where(Notice.state != NoticeState.SENT)
        )
    return int(count or 0)


def test_every_notice_arrives_once_although_workers_are_killed(
    database: Database, platform: Platform, nursery: Nursery, tmp_path: Path
) -> None:
    people = [f"oKILL{number:023d}" for number in range(NOTICES)]
    for openid in people:
        platform.follow(openid)
    values = {"community": "甲", "previous": "blue", "colour": "red", "day": "2020-03-28"}
    with database.transaction() as session:
        queue_notices(
            session,
            now=datetime.now(UTC),
            drafts=[
                NoticeDraft(kind="colour_changed", openid=openid, key=openid, values=values)
                for openid in people
            ],
        )
    # Answers that come late or never widen the moment between the sending and the record.
    platform.fault("/cgi-bin/message/template/send", "hang", 0.03, times=30, moment="after")
    platform.fault("/cgi-bin/message/template/send", "drop", times=5, moment="after")
    # A worker that is killed with the lock of the token would keep the others waiting for it.
    store = open_store("", database)
    WeChatClient(platform.settings(), store).tokens.current()
    workers = Workers(
        nursery,
        {
            "DATABASE_URL": database.url.render_as_string(hide_password=False),
            "INSTANCE_DIR": str(tmp_path / "instance"),
            "WECHAT_API_URL": platform.url,
            "WECHAT_APPID": APPID,
            "WECHAT_SECRET": SECRET,
            "WECHAT_TEMPLATES": json.dumps({"colour_changed": COLOUR_TEMPLATE}),
        },
    )
    try:
        for number in range(KILLS):
            time.sleep(random.uniform(0.05, 0.35))
            workers.kill_one(number % 2)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _open_count(database) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        workers.stop()
    assert _open_count(database) == 0
    assert platform.counts() == dict.fromkeys(people, 1)
