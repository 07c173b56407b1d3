"""Faults amid the return to work: afterwards every row and every notice is accounted for.

A worker dies while it tells of a decision, the database restarts while people register, the
platform is out of reach for an hour.
"""

from __future__ import annotations

import base64
import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, count, cycle, islice
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.client import WeChatClient
from bot.deliver import Pace
from bot.h5 import COOKIE
from bot.simulator.mailbox import claim_reports
from bot.store import open_store
from bot.worker import Worker
from core.audit.model import AuditEntry
from core.db import Database
from core.mandates.service import get_mandate
from core.notices.feedback import confirm_delivery
from core.notices.model import Notice
from core.notices.rules import OPEN_STATES, DeadReason, NoticeState
from core.people.service import register_person
from core.registration.model import Registration
from core.registration.service import submit_registration
from core.resumption.approval.model import Decision
from core.resumption.approval.preparing import Filtered, prepare_decision
from core.resumption.approval.rules import DecisionState, Verdict
from core.resumption.approval.service import apply_decision
from core.resumption.filing.rules import FilingVerdict
from core.resumption.filing.service import get_filing
from tests.conftest import DATA_KEY
from tests.core.registration.conftest import add_places, entry_of
from tests.core.resumption.approval.conftest import Office
from tests.core.resumption.filing.conftest import OWNER, Desk
from tests.guests import Guest, Place, faults_of, invite, open_company
from tests.h5 import WECHAT, csrf_of
from tests.schema import prepare_schema
from tests.servers import GranianServer, PostgresServer
from tests.wechat import APPID, SECRET, TEMPLATE, Platform, running_platform
from tests.workers import Nursery, Workers

KINDS = (
    "registration_received",
    "registration_approved",
    "registration_rejected",
    "owner_waiting",
    "filing_passed",
)
TEMPLATES = {kind: f"tmpl-{kind}" for kind in KINDS}
PATIENCE_SECONDS = 40.0


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running_platform(tmp_path) as platform:
        for template_id in TEMPLATES.values():
            platform.register(template_id)
        yield platform


def decide_all(
    session: Session, *, openid: str, company_id: int, verdict: Verdict, now: datetime
) -> None:
    """Decide about everybody who waits, as the owner does on the sheet."""
    mandate = get_mandate(session, openid=openid, company_id=company_id)
    card = prepare_decision(
        session,
        mandate=mandate,
        verdict=verdict,
        reason="材料不全",
        selection=Filtered(),
        request_key=now.isoformat(),
        now=now,
    )
    apply_decision(session, mandate=mandate, decision_id=card.id, digest=card.digest, now=now)


# ---- a worker is killed while it tells of a decision -------------------------------------------

EMPLOYEES, KILLS = 36, 10


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path_factory.mktemp("nursery") / "workers.log")
    yield nursery
    nursery.stop()


def open_count(database: Database) -> int:
    with database.reading() as session:
        is_open = Notice.state.in_(OPEN_STATES)
        return session.scalar(select(func.count()).select_from(Notice).where(is_open)) or 0


def decided_staff(database: Database) -> dict[str, str]:
    """Let employees register and their owner reject one and approve the others, 40 minutes ago.

    Returns:
        The kind of notice that each is to get, by openid.
    """
    then = datetime.now(UTC) - timedelta(minutes=40)
    with database.transaction() as session:
        office = Office(session=session, now=then)
        ids = [office.add() for _ in range(EMPLOYEES)]
        office.decide(office.pick(ids[0]), Verdict.REJECT)
        office.decide(Filtered(), Verdict.APPROVE)
        openids = [f"o-staff-{int(office.row(one).number.split('-')[1])}" for one in ids]
    return dict.fromkeys(openids, "registration_approved") | {openids[0]: "registration_rejected"}


def test_every_employee_is_told_of_the_decision_once_although_workers_are_killed(
    database: Database, platform: Platform, nursery: Nursery, tmp_path: Path
) -> None:
    told = decided_staff(database)
    for openid in told:
        platform.follow(openid)
    # Answers that come late or never widen the moment between the sending and the record.
    platform.fault(TEMPLATE, "hang", 0.03, times=30, moment="after")
    platform.fault(TEMPLATE, "drop", times=5, moment="after")
    # A worker that is killed with the lock of the token would keep the others waiting for it.
    WeChatClient(platform.settings(), open_store("", database)).tokens.current()
    environment = {
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
        "INSTANCE_DIR": str(tmp_path / "instance"),
        "WECHAT_API_URL": platform.url,
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SECRET,
        "WECHAT_TEMPLATES": json.dumps(TEMPLATES),
    }
    workers = Workers(nursery, environment)
    try:
        for number in range(KILLS):
            time.sleep(random.uniform(0.05, 0.3))
            workers.kill_one(number % 2)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(platform.counts()) < EMPLOYEES or open_count(database):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        workers.stop()
    assert {entry.openid: entry.body["template_id"] for entry in platform.delivered()} == {
        openid: TEMPLATES[kind] for openid, kind in told.items()
    }
    assert platform.counts() == dict.fromkeys(told, 1)
    with database.reading() as session:
        assert set(session.scalars(select(Decision.state))) == {DecisionState.RELEASED}
        released = select(AuditEntry.subject).where(AuditEntry.action == "decision_released")
        assert len(session.scalars(released).all()) == 2  # each on record once


# ---- the database restarts while people register -----------------------------------------------

PEOPLE, AT_ONCE, BEFORE = 60, 8, 15
HASTY = 3  # of so many who are refused, one waits until the database is back
RECEIPT = re.compile(r"/h5/registration/(\d+)(?:\?sent=[01])?")


@dataclass
class Rush:
    """People who register over HTTP at real web processes, and what they were answered.

    Attributes:
        receipts: ids of the registrations whose receipt each was sent to, by openid.
        refused: those who were answered with an error, or not at all.
        wanted_count: with how many receipts they are under way.
        is_under_way: set from then on.
        is_back: set while the database is there.
    """

    url: str
    place: Place
    receipts: dict[str, set[int]] = field(default_factory=dict)
    refused: list[Guest] = field(default_factory=list)
    wanted_count: int = 0
    is_under_way: threading.Event = field(default_factory=threading.Event)
    is_back: threading.Event = field(default_factory=threading.Event)

    def register(self, guest: Guest) -> None:
        """Open the form and send it; after a refusal the next one comes a little later."""
        try:
            location = self._receipt_of(guest)
        except requests.RequestException:
            location = ""
        found = RECEIPT.fullmatch(location)
        if found is None:
            self.refused.append(guest)
            self.is_back.wait(0.1 if len(self.refused) % HASTY else 20)
            return
        self.receipts.setdefault(guest.openid, set()).add(int(found[1]))
        if len(self.receipts) >= self.wanted_count:
            self.is_under_way.set()

    def _receipt_of(self, guest: Guest) -> str:
        path = f"{self.url}/h5/c/{self.place.token}/register"
        with requests.Session() as browser:
            browser.headers["User-Agent"] = WECHAT
            browser.headers["Cookie"] = f"{COOKIE}={guest.cookie}"
            shown = browser.get(path, allow_redirects=False, timeout=20)
            if shown.status_code != 200:
                # Somebody whose first answer was lost is led to the receipt at once.
                return shown.headers.get("Location", "")
            fields = {"csrf": csrf_of(shown.text), **guest.fields}
            sent = browser.post(path, data=fields, allow_redirects=False, timeout=20)
            return sent.headers.get("Location", "")


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own that keeps what it confirmed, even when it crashes."""
    server = PostgresServer(fsync="on", synchronous_commit="on", full_page_writes="on")
    yield server
    server.stop()


@contextmanager
def web_of(server: PostgresServer, redis_url: str, folder: Path) -> Iterator[GranianServer]:
    """Serve the application as in production, by two processes."""
    env = {
        "APP_ENV": "production",
        "DATABASE_URL": server.url,
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://wx.example.gov.cn",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
        "DATA_KEYS": base64.b64encode(DATA_KEY).decode(),
        "WECHAT_TOKEN": "a-token-of-the-tests",
        "WECHAT_AES_KEY": "Z2hpcyBpcyBub3QgYSByZWFsIGtleSBhdCBhbGwgb2s",
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SECRET,
        "INSTANCE_DIR": str(folder / "instance"),
    }
    with GranianServer(env=env, folder=folder, workers=2, threads=4) as web:
        yield web


def test_every_receipt_given_around_a_database_restart_is_of_one_registration(
    server: PostgresServer, redis_url: str, tmp_path: Path
) -> None:
    prepare_schema(server.url)
    database, now = Database(server.url), datetime.now(UTC)
    with database.transaction() as session:
        add_places(session, now)
        place = open_company(session, name="上海大工厂有限公司", head_count=2 * PEOPLE, now=now)
        guests = invite(session, count=2 * PEOPLE, tag="restart", now=now)
    with web_of(server, redis_url, tmp_path) as web:
        rush = Rush(url=web.url, place=place)
        # First as an operator restarts it, then as if it had crashed.
        for by, crowd in ((signal.SIGINT, guests[:PEOPLE]), (signal.SIGQUIT, guests[PEOPLE:])):
            register_around(crowd, rush, restart=partial(server.restart, by=by))
            database.dispose()
            with database.reading() as session:
                assert faults_of(session, place, guests, rush.receipts) == []
        # Whoever was answered with an error sends it again.
        refused, rush.refused = rush.refused, []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(rush.register, refused))
    assert rush.refused == []
    assert {openid: len(ids) for openid, ids in rush.receipts.items()} == dict.fromkeys(
        (guest.openid for guest in guests), 1
    )
    with database.reading() as session:
        assert faults_of(session, place, guests, rush.receipts) == []
    database.dispose()


def register_around(crowd: Sequence[Guest], rush: Rush, *, restart: Callable[[], None]) -> None:
    """Let people register, some at once, and restart the database in the middle of it."""
    refused_before = len(rush.refused)
    rush.wanted_count = len(rush.receipts) + BEFORE
    rush.is_under_way.clear()
    rush.is_back.clear()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = [pool.submit(rush.register, guest) for guest in crowd]
        assert rush.is_under_way.wait(30)
        restart()
        rush.is_back.set()
        answered_count = len(rush.receipts)
        for one in done:
            one.result()
    assert len(rush.refused) > refused_before
    assert answered_count < len(rush.receipts)  # they went on when the server was back


# ---- the platform is out of reach for an hour --------------------------------------------------

HOW_IT_FAILS = (("status", 503), ("drop", 0), ("html", 0), ("errcode", -1))
GONE = "o-gone"
STEP_MINUTES = 2


@dataclass
class Day:
    """A company, a worker and a platform on one simulated clock."""

    database: Database
    platform: Platform
    now: datetime
    company_id: int = 0
    filing_id: int = 0
    staff_id: int = 0
    openids: list[str] = field(default_factory=list)
    serial: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        settings = self.platform.settings(wechat_templates=TEMPLATES, wechat_subscribe_templates={})
        store = open_store("", self.database)
        self.worker = Worker(
            settings=settings,
            database=self.database,
            store=store,
            client=WeChatClient(settings, store, clock=self._seconds, sleep=lambda _: None),
            clock=lambda: self.now,
        )
        self.platform.follow(OWNER)
        with self.database.transaction() as session:
            desk = Desk(session=session, now=self.now)
            self.company_id = desk.company()
            desk.mandate(self.company_id)
            self.filing_id = desk.submit(self.company_id).id
            self.staff_id = desk.staff()

    def _seconds(self) -> float:
        return self.now.timestamp()

    def register(self, *, openid: str = "") -> None:
        """Let the next person register, who follows the account."""
        person = next(self.serial)
        self.openids.append(openid or f"o-{person}")
        self.platform.follow(self.openids[-1])
        with self.database.transaction() as session:
            register_person(session, openid=self.openids[-1], now=self.now).is_following = True
            submit_registration(
                session,
                workplace_id=self.company_id,
                entry=entry_of(person),
                openid=self.openids[-1],
                code_id=None,
                now=self.now,
            )

    def decide(self, verdict: Verdict) -> None:
        """Let the owner decide about everybody who waits."""
        with self.database.transaction() as session:
            decide_all(
                session, openid=OWNER, company_id=self.company_id, verdict=verdict, now=self.now
            )

    def pass_filing(self) -> None:
        """Let a reviewer approve what the company filed."""
        with self.database.transaction() as session:
            desk = Desk(session=session, now=self.now)
            filing = get_filing(session, filing_id=self.filing_id)
            desk.decide(filing, FilingVerdict.APPROVE, staff_id=self.staff_id)

    def let_pass(self, minutes: int, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until it is over: the worker's timetable, the platform's reports."""
        for _ in range(0, minutes, STEP_MINUTES):
            if is_over():
                return
            self.now += timedelta(minutes=STEP_MINUTES)
            self.platform.ledger.advance(60 * STEP_MINUTES)
            self.worker.release()
            self.worker.remind()
            self.worker.deliver()
            self.report()

    def report(self) -> None:
        """Let the platform report what arrived: its callbacks come, whatever its API does."""
        with self.platform.ledger.writing() as desk:
            told = [claim_reports(desk, openid=openid) for openid in (*self.openids, OWNER)]
        with self.database.transaction() as session:
            for entry in chain.from_iterable(told):
                confirm_delivery(
                    session,
                    now=self.now,
                    openid=entry.openid,
                    platform_msg_id=str(entry.msgid),
                    status="success",
                )

    def break_platform(self) -> None:
        """Let every call fail; the answers to the next two are lost after they were delivered."""
        self.platform.fault(TEMPLATE, "drop", times=2, moment="after")
        for kind, value in islice(cycle(HOW_IT_FAILS), 1000):
            self.platform.fault("*", kind, value)

    def mend_platform(self) -> None:
        with self.platform.ledger.writing() as desk:
            desk.execute("DELETE FROM fault")

    def notices(self) -> list[Notice]:
        with self.database.reading() as session:
            return list(session.scalars(select(Notice).order_by(Notice.id)))


def check_notices(day: Day) -> None:
    """Check that every notice reached its person once, or says why it will not."""
    told = Counter(entry.client_msg_id for entry in day.platform.delivered())
    notices = day.notices()
    reached = [notice for notice in notices if notice.openid != GONE]
    assert {notice.state for notice in reached} == {NoticeState.DELIVERED}
    assert told == {notice.client_msg_id: 1 for notice in reached}
    # The platform says once that somebody left; after that nobody tries.
    reasons = [notice.dead_reason for notice in notices if notice.openid == GONE]
    assert sorted(map(str, reasons)) == [DeadReason.REFUSED, DeadReason.UNREACHABLE]


def test_an_hour_without_the_platform_loses_no_row_and_no_notice_and_doubles_none(
    database: Database, platform: Platform
) -> None:
    day = Day(database=database, platform=platform, now=datetime.now(UTC))
    for _ in range(8):
        day.register()
    day.worker._pace = Pace(limit=4)
    day.let_pass(STEP_MINUTES)
    assert len(platform.delivered()) == 4
    day.worker._pace = Pace()

    # Meanwhile people register, the owner decides, and a reviewer; somebody leaves, unheard.
    day.break_platform()
    day.let_pass(4)
    day.register(openid=GONE)
    day.let_pass(6)
    day.decide(Verdict.APPROVE)
    platform.follow(GONE, is_following=False)
    day.let_pass(10)
    day.register()
    day.pass_filing()
    day.let_pass(20)
    day.register()
    day.let_pass(20)
    assert len(platform.delivered()) == 6
    states = {notice.state for notice in day.notices()}
    assert states == {NoticeState.DELIVERED, NoticeState.QUEUED}

    day.mend_platform()
    day.let_pass(120, is_over=lambda: not open_count(database))
    check_notices(day)
    kinds = Counter(notice.kind for notice in day.notices())
    assert kinds["owner_waiting"] >= 1
    del kinds["owner_waiting"]
    assert kinds == {
        "registration_received": 11,
        "registration_approved": 9,
        "filing_passed": 1,
    }
    with database.reading() as session:
        rows = Counter(session.scalars(select(Registration.state)))
        assert rows == {"approved": 9, "submitted": 2}
        assert set(session.scalars(select(Decision.state))) == {DecisionState.RELEASED}
