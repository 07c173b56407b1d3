from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.client import WeChatClient
from bot.deliver import DeliveryReport, Pace, deliver_once
from bot.error_codes import Action
from bot.store import Store, StoreUnavailableError, Window, open_store
from bot.texts import Texts
from bot.transport import DeliveryError
from core.db import Database, Keyring, install_keyring
from core.notices import service
from core.notices.model import Notice
from core.notices.rules import Channel, DeadReason, NoticeState
from core.people.model import MessageConsent, Person
from tests.wechat import (
    COLOUR_SUBSCRIPTION,
    COLOUR_TEMPLATE,
    CUSTOM,
    SUBSCRIBE,
    TEMPLATE,
    TOKEN,
    Platform,
)

OPENID = "oTESTabcdefghijklmnopqrstuvw"
VALUES = {"community": "田林十二村", "previous": "blue", "colour": "red"}
VALUES |= {"day": "2020-03-28"}
TEXTS = Texts(constants={})


@dataclass
class Post:
    """One installation: its database, its store, its client, and a clock that can be moved."""

    database: Database
    store: Store
    platform: Platform
    options: dict[str, Any] = field(default_factory=dict)
    shift: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.settings = self.platform.settings(**self.options)
        self.client = WeChatClient(
            self.settings, self.store, timeout=(0.5, 0.5), sleep=lambda _: None
        )

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def deliver(self, **options: Any) -> DeliveryReport:
        options = {"client": self.client, **options}
        return deliver_once(
            self.database,
            self.store,
            options.pop("client"),
            self.settings,
            TEXTS,
            now=self.now,
            **options,
        )

    def person(self, openid: str = OPENID, *, is_following: bool = True, consents: int = 0) -> None:
        with self.database.transaction() as session:
            person = Person(openid=openid, is_following=is_following, created_at=self.now())
            session.add(person)
            session.flush()
            if consents:
                session.add(
                    MessageConsent(
                        person_id=person.id,
                        template_id=COLOUR_SUBSCRIPTION,
                        remaining=consents,
                        changed_at=self.now(),
                    )
                )

    def queue(self, key: str = "k", openid: str = OPENID) -> None:
        with self.database.transaction() as session:
            service.queue_notice(
                session,
                now=self.now(),
                kind="colour_changed",
                openid=openid,
                key=key,
                values=VALUES,
            )

    def answer(self, text: str = "田林十二村：一般风险（蓝色）", key: str = "late") -> None:
        with self.database.transaction() as session:
            service.queue_notice(
                session,
                now=self.now(),
                kind="late_reply",
                openid=OPENID,
                key=key,
                values={},
                body=text,
            )

    def row(self, key: str = "k") -> Notice:
        with Session(self.database.engine) as session:
            return session.scalars(select(Notice).where(Notice.key == key)).one()

    def reader(self) -> Person:
        with Session(self.database.engine) as session:
            return session.scalars(select(Person).where(Person.openid == OPENID)).one()

    def consents(self) -> int:
        with Session(self.database.engine) as session:
            return session.scalars(select(MessageConsent.remaining)).one()


@pytest.fixture
def post(sqlite_database: Database, platform: Platform) -> Post:
    return Post(sqlite_database, open_store("", sqlite_database), platform)


@pytest.fixture
def plain_post(sqlite_database: Database, platform: Platform) -> Post:
    """An installation without any template message."""
    options = {"wechat_templates": {}}
    return Post(sqlite_database, open_store("", sqlite_database), platform, options)


def _open_window(post: Post) -> None:
    """Open the window on both sides, as a message of the person does."""
    post.platform.open_window(OPENID)
    window = Window(until=time.time() + 3600, left=5)
    post.store.claim("m", OPENID, owner="o", window=window)


# --- the channel that fits the person -----------------------------------------------------------


def test_follower_gets_a_template_message(database: Database, platform: Platform) -> None:
    post = Post(database, open_store("", database), platform)
    platform.follow(OPENID)
    post.person()
    post.queue()
    assert post.deliver().sent_count == 1
    assert platform.channels(OPENID) == ["template"]
    row = post.row()
    assert (row.state, row.channel) == (NoticeState.SENT, Channel.TEMPLATE)
    assert row.platform_msg_id == str(platform.delivered(OPENID)[0].msgid)
    assert post.deliver().claimed_count == 0


def test_values_are_fitted_to_the_fields_of_the_template(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    post.queue()
    post.deliver()
    rows = {row["name"]: row["value"] for row in platform.delivered(OPENID)[0].body["rows"]}
    assert rows["thing1"] == "田林十二村"
    assert rows["thing2"] == "由一般风险（蓝色）变为高风险（红色）"
    assert rows["time3"].count(":") == 1


def test_person_who_left_but_agreed_gets_a_subscription_message(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID, is_following=False)
    platform.consent(OPENID)
    post.person(is_following=False, consents=1)
    post.queue()
    post.deliver()
    assert platform.channels(OPENID) == ["subscribe"]
    assert post.consents() == 0


def test_follower_without_a_configured_template_is_written_to_in_the_open_chat(
    plain_post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    plain_post.person()
    _open_window(plain_post)
    plain_post.queue()
    plain_post.deliver()
    assert platform.channels(OPENID) == ["custom"]
    assert "田林十二村的风险等级有变化" in platform.delivered(OPENID)[0].body["text"]
    window = plain_post.store.window(OPENID)
    assert window is not None
    assert window.left == 4


def test_person_whom_nothing_reaches_is_given_up(post: Post, platform: Platform) -> None:
    platform.follow(OPENID, is_following=False)
    post.person(is_following=False)
    post.queue()
    report = post.deliver()
    assert report.outcomes == {"unreachable": 1}
    assert post.row().dead_reason == DeadReason.UNREACHABLE
    assert platform.delivered() == []


def test_late_answer_goes_into_the_open_chat_and_is_forgotten_here(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    _open_window(post)
    post.answer()
    post.deliver()
    assert platform.delivered(OPENID)[0].body["text"] == "田林十二村：一般风险（蓝色）"
    with post.database.reading() as session:
        assert session.scalars(select(Notice.body)).one() is None


def test_late_answer_after_the_window_shut_becomes_a_notice_that_it_is_ready(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    post.answer()
    post.deliver()
    assert platform.channels(OPENID) == ["template"]
    assert "田林" not in repr(platform.delivered(OPENID)[0].body)
    with post.database.reading() as session:
        found = service.find_waiting_answer(session, now=post.now(), openid=OPENID)
    assert found == "田林十二村：一般风险（蓝色）"


def test_late_answer_falls_back_when_the_platform_says_the_window_is_shut(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    post.store.claim("m", OPENID, owner="o", window=Window(until=time.time() + 60, left=3))
    post.answer()
    post.deliver()
    assert platform.calls(CUSTOM) == 1
    assert platform.channels(OPENID) == ["template"]
    assert post.row("late").refused == ["custom"]


def test_late_answer_is_sent_before_older_notices(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    post.person()
    _open_window(post)
    post.queue()
    post.answer()
    post.deliver()
    assert platform.channels(OPENID) == ["custom", "template"]


# --- what the platform answers ------------------------------------------------------------------


def test_person_who_does_not_follow_is_remembered_and_reached_another_way(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID, is_following=False)
    platform.consent(OPENID)
    post.person(consents=1)
    post.queue()
    post.deliver()
    assert platform.calls(TEMPLATE) == 1
    assert platform.channels(OPENID) == ["subscribe"]
    assert not post.reader().is_following


def test_consent_that_the_platform_does_not_know_is_cleared(post: Post, platform: Platform) -> None:
    platform.follow(OPENID, is_following=False)
    post.person(is_following=False, consents=3)
    post.queue()
    post.deliver()
    assert post.consents() == 0
    assert post.row().dead_reason == DeadReason.REFUSED
    assert post.row().error_code == 43101


def test_used_up_quota_stops_the_channel_for_everybody_until_midnight_in_shanghai(
    post: Post, platform: Platform
) -> None:
    for number in range(5):
        platform.follow(f"o{number}")
        post.queue(f"k{number}", openid=f"o{number}")
    platform.fault(TEMPLATE, "errcode", 45009, times=9)
    report = post.deliver()
    assert report.outcomes == {"waiting": 5}
    assert platform.calls(TEMPLATE) == 1
    row = post.row("k3")
    assert row.state == NoticeState.QUEUED
    assert row.next_at.astimezone(UTC).strftime("%H:%M") == "16:01"
    assert row.attempts == 0
    other = Post(post.database, post.store, platform)
    other.queue("k9", openid="o1")
    other.deliver()
    assert platform.calls(TEMPLATE) == 1


def test_used_up_quota_lets_another_channel_carry_the_notice(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    _open_window(post)
    post.queue()
    platform.fault(TEMPLATE, "errcode", 45009)
    assert post.deliver().sent_count == 1
    assert platform.channels(OPENID) == ["custom"]


def test_too_many_calls_in_a_minute_wait_for_the_next(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    post.queue()
    platform.fault(TEMPLATE, "errcode", 45011)
    post.deliver()
    wait = post.row().next_at - post.now()
    assert timedelta() < wait <= timedelta(seconds=62)
    post.shift = wait + timedelta(seconds=1)
    post.deliver()
    assert platform.counts() == {OPENID: 1}


def test_template_that_is_set_up_wrongly_stops_its_kind_alone_and_loses_nothing(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    post.queue()
    post.answer()
    platform.drop_template(COLOUR_TEMPLATE)
    post.queue("k2")
    post.deliver()
    platform.register(COLOUR_TEMPLATE)
    assert platform.calls(TEMPLATE) == 2  # the answer's card, and one colour notice
    assert {post.row(key).state for key in ("k", "k2")} == {NoticeState.QUEUED}
    assert post.row("late").state == NoticeState.SENT
    post.shift = timedelta(minutes=11)
    post.deliver()
    assert {post.row(key).state for key in ("k", "k2")} == {NoticeState.SENT}


def test_value_that_the_template_refuses_is_dead_with_the_reason(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.queue()
    platform.fault(TEMPLATE, "errcode", 47003)
    post.deliver()
    row = post.row()
    assert (row.state, row.error_code) == (NoticeState.DEAD, 47003)


def test_wording_that_cannot_be_made_is_dead_and_harms_no_other(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    with post.database.transaction() as session:
        for kind, key in (("no_such_kind", "a"), ("colour_changed", "b")):
            service.queue_notice(
                session, now=post.now(), kind=kind, openid=OPENID, key=key, values={}
            )
    post.settings.wechat_templates["no_such_kind"] = "tmpl-colour"
    post.queue("c")
    post.deliver()
    assert [post.row(key).state for key in "abc"] == ["dead", "dead", "sent"]


@pytest.mark.parametrize("kind", ["status", "html", "drop", "hang"])
def test_lost_answer_of_a_template_message_is_repeated_and_arrives_once(
    post: Post, platform: Platform, kind: str
) -> None:
    platform.follow(OPENID)
    post.queue()
    value = {"status": 502, "hang": 0.8}.get(kind, 0)
    platform.fault(TEMPLATE, kind, value, moment="after")
    assert post.deliver().outcomes == {"retry": 1}
    if kind == "hang":
        time.sleep(0.5)
    post.shift = timedelta(seconds=10)
    assert post.deliver().outcomes == {"sent": 1}
    assert platform.counts() == {OPENID: 1}


def test_lost_answer_of_a_subscription_message_is_known_by_the_consent_it_used(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID, is_following=False)
    platform.consent(OPENID)
    post.person(is_following=False, consents=1)
    post.queue()
    platform.fault(SUBSCRIBE, "status", 502, moment="after")
    post.deliver()
    post.shift = timedelta(seconds=10)
    post.deliver()
    assert platform.counts() == {OPENID: 1}
    assert post.row().state == NoticeState.SENT
    assert post.consents() == 0


def test_lost_answer_in_the_chat_is_followed_by_a_notice_and_not_by_the_same_text(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    _open_window(post)
    post.answer()
    platform.fault(CUSTOM, "status", 502, moment="after")
    post.deliver()
    post.shift = timedelta(seconds=10)
    post.deliver()
    assert platform.channels(OPENID) == ["custom", "template"]


def test_lost_answer_in_the_chat_is_repeated_where_no_template_is_configured(
    plain_post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    plain_post.person()
    _open_window(plain_post)
    plain_post.answer()
    platform.fault(CUSTOM, "status", 502)
    plain_post.deliver()
    plain_post.shift = timedelta(seconds=10)
    plain_post.deliver()
    assert platform.channels(OPENID) == ["custom"]


def test_silent_platform_ends_the_round_after_three_and_nothing_is_lost(
    post: Post, platform: Platform
) -> None:
    for number in range(8):
        platform.follow(f"o{number}")
        post.queue(f"k{number}", openid=f"o{number}")
    platform.fault(TEMPLATE, "status", 502, times=9)
    assert post.deliver().outcomes == {"retry": 3}
    assert platform.calls(TEMPLATE) == 3
    with platform.ledger.writing() as desk:
        desk.execute("DELETE FROM fault")
    post.shift = timedelta(seconds=10)
    post.deliver()
    assert set(platform.counts().values()) == {1}
    assert len(platform.counts()) == 8


def test_missing_token_ends_the_round_and_does_not_count_as_a_failure_of_the_notice(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.queue("a")
    post.queue("b")
    platform.fault(TOKEN, "errcode", 40125, times=9)
    post.deliver()
    for _ in range(3):
        post.deliver()
    assert platform.calls(TOKEN) == 1
    assert {post.row(key).state for key in "ab"} == {NoticeState.QUEUED}
    assert max(post.row(key).attempts for key in "ab") <= 1


# --- pace, limits, stopping, the store ----------------------------------------------------------


def test_stop_puts_the_rest_of_the_batch_back_at_once(post: Post, platform: Platform) -> None:
    for number in range(6):
        platform.follow(f"o{number}")
        post.queue(f"k{number}", openid=f"o{number}")
    report = post.deliver(is_stopping=lambda: len(platform.counts()) >= 2)
    assert report.sent_count == 2
    assert post.deliver().sent_count == 4
    assert set(platform.counts().values()) == {1}


def test_limit_is_kept(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    for number in range(5):
        post.queue(f"k{number}")
    assert post.deliver(pace=Pace(limit=3)).claimed_count == 3
    assert post.deliver(pace=Pace(limit=3)).claimed_count == 2


def test_pace_is_kept(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    for number in range(5):
        post.queue(f"k{number}")
    started = time.monotonic()
    post.deliver(pace=Pace(per_second=20))
    assert time.monotonic() - started >= 4 / 20


class _Gone(Store):
    """A store that never answers."""

    def __getattribute__(self, name: str) -> Any:
        if name in {"get", "put", "window", "spend_window"}:
            return _unavailable
        return super().__getattribute__(name)


def _unavailable(*_arguments: object, **_options: object) -> None:
    raise StoreUnavailableError("gone")


_Gone.__abstractmethods__ = frozenset()


class _Recorder:
    """A client that only remembers, or raises what it is told to."""

    def __init__(self, error: Callable[[], Exception | None] = lambda: None) -> None:
        self.sent: list[str] = []
        self._error = error

    def _call(self, channel: str) -> str:
        if error := self._error():
            raise error
        self.sent.append(channel)
        return f"m{len(self.sent)}"

    def send_template(self, **_options: Any) -> str:
        return self._call("template")

    def send_subscribe(self, **_options: Any) -> str:
        return self._call("subscribe")

    def send_custom_text(self, **_options: Any) -> None:
        self._call("custom")


def test_store_that_is_gone_stops_no_notice(post: Post) -> None:
    gone = _Gone()  # type: ignore[abstract]
    client = _Recorder()
    post.person()
    post.queue()
    post.answer()
    report = deliver_once(post.database, gone, client, post.settings, TEXTS, now=post.now)
    assert report.sent_count == 2
    assert client.sent == ["custom", "template"]


def test_quota_without_the_store_still_holds_for_the_round(post: Post) -> None:
    gone = _Gone()  # type: ignore[abstract]
    calls: list[int] = []

    def error() -> Exception:
        calls.append(1)
        return DeliveryError(45009, Action.TOMORROW)

    for number in range(5):
        post.queue(f"k{number}")
    deliver_once(post.database, gone, _Recorder(error), post.settings, TEXTS, now=post.now)
    assert len(calls) == 1


def test_notice_that_is_too_old_is_not_sent(post: Post, platform: Platform) -> None:
    platform.follow(OPENID)
    post.queue()
    post.shift = timedelta(days=3, minutes=1)
    assert post.deliver().outcomes == {"expired": 1}
    assert platform.delivered() == []


def test_a_notice_that_no_key_reads_waits_and_holds_up_nobody(
    post: Post, platform: Platform
) -> None:
    platform.follow(OPENID)
    post.person()
    _open_window(post)
    post.answer()
    install_keyring(Keyring([b"another key, thirty-two bytes ok"]))
    post.queue("k1")

    assert post.deliver().outcomes == {"waiting": 1, "sent": 1}

    install_keyring(Keyring([bytes(range(32))]))
    post.shift = timedelta(hours=1, seconds=1)
    assert post.deliver().outcomes == {"sent": 1}
    assert len(platform.delivered(OPENID)) == 2


def test_two_posts_at_once_send_every_notice_once(database: Database, platform: Platform) -> None:
    from concurrent.futures import ThreadPoolExecutor

    store = open_store("", database)
    posts = [Post(database, store, platform) for _ in range(3)]
    for number in range(30):
        platform.follow(f"o{number}")
        posts[0].queue(f"k{number}", openid=f"o{number}")
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda post: post.deliver(), posts))
    assert sum(report.sent_count for report in reports) == 30
    assert set(platform.counts().values()) == {1}
    assert platform.calls(TEMPLATE) == 30
