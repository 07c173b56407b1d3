from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from structlog.testing import LogCapture

from bot import worker as worker_module
from bot.account import PlatformAccount
from bot.client import WeChatClient
from bot.feeds.ticketing import Page
from bot.store import Store, StoreUnavailableError, open_store
from bot.wakeups import Bell
from bot.worker import Worker, open_worker
from core.arrivals.feeding import Delivery
from core.arrivals.model import IssuedForecast
from core.audit.chain import SEAL_LIMIT, verify_chain
from core.audit.service import record
from core.clock import day_of, start_of
from core.codes.account import find_account_code
from core.db import Database
from core.files.service import FileUnavailableError
from core.mandates.elsewhere import WAIT, list_waiting
from core.notices import service
from core.notices.model import Notice
from core.people.staff.model import StaffSession
from core.people.staff.rules import MAX_IDLE, Role
from core.people.staff.service import NewStaff, add_account
from core.registration.drafts import save_draft
from core.registration.model import RegistrationDraft
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.rules import PREPARED_FOR, UNDO_WITHIN
from core.risk.rulings.model import ColourOverride
from tests.cases import add_key_area, add_site, arrive
from tests.core.arrivals.station import days_around, store_days
from tests.core.arrivals.worlds import DAY, planted
from tests.core.mandates.conftest import WANG
from tests.core.mandates.conftest import District as Register
from tests.core.people.staff.test_wechat import add, bind
from tests.core.registration.conftest import District, add_places
from tests.core.resumption.approval.conftest import Office
from tests.wechat import Platform

OPENID = "oTESTabcdefghijklmnopqrstuvw"
VALUES = {"community": "甲", "previous": "blue", "colour": "red", "day": "2020-03-28"}
PATIENCE_SECONDS = 45.0  # a start takes long while other tests run


@pytest.fixture
def platform(platform: Platform) -> Platform:
    """A stand-in that one person follows."""
    platform.follow(OPENID)
    return platform


def _queue(database: Database, key: str) -> None:
    with database.transaction() as session:
        service.queue_notice(
            session,
            now=datetime.now(UTC),
            kind="colour_changed",
            openid=OPENID,
            key=key,
            values=VALUES,
        )


@contextmanager
def _process(environment: dict[str, str], *, look_seconds: float = 60) -> Iterator[Any]:
    """Run a worker that looks by itself so seldom that only a wake-up explains a delivery."""
    code = (
        "from bot.settings import Settings; from bot.worker import open_worker;"
        f"worker = open_worker(Settings.from_env()); worker._look_seconds = {look_seconds};"
        "worker.run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("queue", ["file", "redis"])
def test_worker_starts_delivers_when_woken_and_stops_cleanly(
    sqlite_database: Database,
    platform: Platform,
    redis_url: str,
    tmp_path: Path,
    queue: str,
) -> None:
    path = sqlite_database.url.database
    options: dict[str, Any] = {
        "database_url": f"sqlite:///{path}",
        "instance_dir": tmp_path / "instance",
        "redis_url": redis_url if queue == "redis" else "",
    }
    settings = platform.settings(**options)
    environment = {name.upper(): str(value) for name, value in options.items()}
    environment |= {
        "WECHAT_API_URL": platform.url,
        "WECHAT_APPID": settings.wechat_appid,
        "WECHAT_SECRET": settings.wechat_secret.get_secret_value(),
        "WECHAT_TEMPLATES": '{"colour_changed": "tmpl-colour"}',
    }
    _queue(sqlite_database, "before")
    with _process(environment) as process:
        assert _wait_for(lambda: len(platform.delivered()) == 1)
        _queue(sqlite_database, "after")
        Bell(settings).ring()
        assert _wait_for(lambda: len(platform.delivered()) == 2)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "worker stopped" in output
    assert OPENID not in output


@pytest.fixture
def worker(sqlite_database: Database, platform: Platform) -> Worker:
    return _worker(sqlite_database, platform, open_store("", sqlite_database))


def _worker(database: Database, platform: Platform, store: Store, **options: Any) -> Worker:
    settings = platform.settings()
    return Worker(
        settings=settings,
        database=database,
        store=store,
        client=WeChatClient(settings, store),
        **options,
    )


def test_worker_goes_on_after_the_database_was_away(
    worker: Worker, sqlite_database: Database, platform: Platform
) -> None:
    path = Path(str(sqlite_database.url.database))
    _queue(sqlite_database, "k")
    sqlite_database.dispose()
    hidden = path.rename(path.with_suffix(".hidden"))
    with structlog.testing.capture_logs() as entries:
        assert worker.deliver() is False
    assert [entry["event"] for entry in entries] == ["delivery failed"]
    path.unlink(missing_ok=True)
    hidden.rename(path)
    sqlite_database.dispose()
    worker.deliver()
    assert len(platform.delivered()) == 1


def test_night_runs_for_the_day_in_shanghai_in_one_worker_at_a_time(
    sqlite_database: Database, platform: Platform
) -> None:
    store = open_store("", sqlite_database)
    nights: list[date] = []

    def nightly(database: Database, day: date, now: datetime) -> None:
        nights.append(day)
        other.run_night()  # while this one is at it

    def clock() -> datetime:
        return datetime(2020, 3, 28, 20, 30, tzinfo=UTC)

    other = _worker(sqlite_database, platform, store, nightly=nightly, clock=clock)
    _worker(sqlite_database, platform, store, nightly=nightly, clock=clock).run_night()
    assert nights == [date(2020, 3, 29)]


def test_night_that_fails_leaves_the_way_free_for_the_next_try(
    sqlite_database: Database, platform: Platform
) -> None:
    nights: list[date] = []

    def nightly(database: Database, day: date, now: datetime) -> None:
        nights.append(day)
        raise RuntimeError("a step failed")

    worker = _worker(sqlite_database, platform, open_store("", sqlite_database), nightly=nightly)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a step failed"):
            worker.run_night()
    assert len(nights) == 2


def test_sweep_removes_expired_state(worker: Worker, sqlite_database: Database) -> None:
    store = open_store("", sqlite_database)
    store.put("gone", "x", seconds=0.001)
    time.sleep(0.01)
    worker.sweep()
    assert store.sweep() == 0


def test_sweep_removes_sign_ins_that_are_over(worker: Worker, sqlite_database: Database) -> None:
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        staff = NewStaff(name="wang", role=Role.AUDITOR)
        account = add_account(session, staff=staff, password_hash="x", now=now)
        session.flush()
        for number, age in ((1, timedelta(0)), (2, MAX_IDLE)):
            session.add(
                StaffSession(
                    staff_id=account.id,
                    token_hash=bytes([number]) * 32,
                    created_at=now - age,
                    seen_at=now - age,
                )
            )
    worker.sweep()
    with sqlite_database.reading() as session:
        assert session.scalars(select(StaffSession.token_hash)).all() == [b"\1" * 32]


def test_sweep_ends_a_colour_by_hand_after_its_last_day(
    worker: Worker, sqlite_database: Database
) -> None:
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        add_places(session, now)
        staff = [
            add_account(
                session,
                staff=NewStaff(name=name, role=Role.DISTRICT_REVIEWER),
                password_hash="x",
                now=now,
            )
            for name in ("wang", "li")
        ]
        session.flush()
        for community_id, days in ((1, -1), (2, 0)):
            session.add(
                ColourOverride(
                    community_id=community_id,
                    colour="red",
                    reason="先按高风险管理",
                    until_day=day_of(now) + timedelta(days=days),
                    state="in_force",
                    proposed_by=staff[0].id,
                    proposed_at=now - timedelta(days=3),
                    decided_by=staff[1].id,
                    decided_at=now - timedelta(days=3),
                )
            )
    worker.sweep()
    with sqlite_database.reading() as session:
        states = session.scalars(select(ColourOverride.state).order_by(ColourOverride.id)).all()
    assert states == ["ended", "in_force"]


@pytest.fixture
def company(sqlite_database: Database) -> District:
    """A company, an hour ago, with an owner and somebody who waits."""
    with sqlite_database.transaction() as session:
        now = datetime.now(UTC) - timedelta(hours=1)
        add_places(session, now)
        district = District(session=session, now=now)
        district.add_company()
        district.add_mandate("o-owner")
        district.submit(0)
        save_draft(
            session,
            openid="o-1",
            workplace_id=district.companies[0],
            typed={"name": "x"},
            code_id=None,
            now=now - timedelta(days=7),
        )
    return district


def test_those_who_decide_are_reminded_once(
    worker: Worker, sqlite_database: Database, company: District
) -> None:
    worker.remind()
    worker.remind()
    with sqlite_database.reading() as session:
        (notice,) = session.scalars(select(Notice))
    assert (notice.kind, notice.openid, notice.values["count"]) == ("owner_waiting", "o-owner", 1)


def test_staff_hear_of_new_cases_from_the_worker(worker: Worker, sqlite_database: Database) -> None:
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        add_places(session, now)
        supervisor_id = add(session, now)
        bind(session, supervisor_id, now)
        add_key_area(session, now=now)
        site_id = add_site(session, street_id=1, now=now, supervisor_id=supervisor_id)
        arrive(session, workplace_id=site_id, now=now)
    worker.remind()
    worker.remind()
    with sqlite_database.reading() as session:
        told = select(Notice.openid).where(Notice.kind == "case_opened")
        assert session.scalars(told).all() == ["o-wang"]


def test_people_are_told_once_a_decision_cannot_be_undone(
    worker: Worker, sqlite_database: Database
) -> None:
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        office = Office(session=session, now=now - UNDO_WITHIN)
        for _ in range(2):
            office.decide(office.pick(office.add()))
        office.now = now
        later = office.add()
        office.decide(office.pick(later))
        office.now = now - PREPARED_FOR
        lapsed = office.prepare(office.pick(office.add()))
    worker.release()
    worker.release()
    with sqlite_database.reading() as session:
        kinds = session.scalars(select(Notice.kind)).all()
        states = session.scalars(select(Decision.state).order_by(Decision.id)).all()
        rows = session.scalars(
            select(DecisionRow).where(DecisionRow.decision_id == lapsed.id)
        ).all()
    assert kinds == ["registration_approved"] * 2
    assert states == ["released", "released", "applied", "lapsed"]
    assert rows == []


def test_sweep_removes_drafts_that_nobody_came_back_to(
    worker: Worker, sqlite_database: Database, company: District
) -> None:
    worker.sweep()
    with sqlite_database.reading() as session:
        assert session.scalars(select(RegistrationDraft)).all() == []


class _Leftovers:
    """A store of files with one that no row names."""

    def __init__(self, *, is_down: bool) -> None:
        self.keys, self.is_down = ["left"], is_down

    def list_keys(self, *, before: datetime) -> Iterator[list[str]]:
        if self.is_down:
            raise FileUnavailableError
        assert before < datetime.now(UTC) - timedelta(hours=23)
        yield list(self.keys)

    def delete(self, key: str) -> None:
        self.keys.remove(key)


def test_sweep_removes_files_that_no_row_names(
    sqlite_database: Database, platform: Platform
) -> None:
    files = _Leftovers(is_down=False)
    _worker(sqlite_database, platform, open_store("", sqlite_database), files=files).sweep()
    assert files.keys == []


def test_sweep_goes_on_without_the_store_of_files(
    sqlite_database: Database, platform: Platform
) -> None:
    files = _Leftovers(is_down=True)
    worker = _worker(sqlite_database, platform, open_store("", sqlite_database), files=files)
    with structlog.testing.capture_logs() as entries:
        worker.sweep()
    assert [entry["event"] for entry in entries] == ["files not swept"]


def test_sealing_goes_on_until_everything_is_in_the_chain(
    worker: Worker, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = LogCapture()
    monkeypatch.setattr(
        worker_module,
        "log",
        structlog.wrap_logger(
            None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
        ),
    )
    with sqlite_database.transaction() as session:
        for number in range(SEAL_LIMIT + 1):
            record(
                session,
                now=datetime.now(UTC),
                actor="staff:1",
                action="looked",
                subject=f"x:{number}",
            )
    worker.seal()
    worker.seal()
    with sqlite_database.reading() as session:
        report = verify_chain(session)
    assert (report.sealed_count, report.open_count, report.broken) == (SEAL_LIMIT + 1, 0, None)
    assert capture.entries == [
        {"event": "audit sealed", "head": str(report.head), "log_level": "info"}
    ]


def test_night_waits_while_the_store_is_gone(
    sqlite_database: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store("", sqlite_database)
    nights: list[date] = []

    def unavailable(*_arguments: object, **_options: object) -> bool:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(store, "put_new", unavailable)
    _worker(
        sqlite_database, platform, store, nightly=lambda _, day, __: nights.append(day)
    ).run_night()
    assert nights == []


def test_worker_of_the_settings_has_all_it_needs(
    sqlite_database: Database, platform: Platform, tmp_path: Path
) -> None:
    settings = platform.settings(
        database_url=f"sqlite:///{sqlite_database.url.database}", instance_dir=tmp_path
    )
    worker = open_worker(settings)
    _queue(sqlite_database, "k")
    assert worker.deliver() is False
    with sqlite_database.reading() as session:
        assert session.scalars(select(Notice.state)).all() == ["sent"]


# --- the account's own code, owners who wait ------------------------------------------------


def test_worker_makes_the_accounts_own_code_once(
    sqlite_database: Database, platform: Platform
) -> None:
    store = open_store("", sqlite_database)
    settings = platform.settings()
    codes = PlatformAccount(settings, WeChatClient(settings, store, sleep=lambda _: None))
    worker = _worker(sqlite_database, platform, store, codes=codes)
    platform.fault("/cgi-bin/qrcode/create", "errcode", 45009)
    for _ in range(3):
        worker.keep_code()
    # Refused, made, there already.
    assert platform.calls("/cgi-bin/qrcode/create") == 2
    with sqlite_database.reading() as session:
        found = find_account_code(session, now=datetime.now(UTC))
    assert found is not None
    assert found.address.startswith("http://weixin.qq.com/q/")


def test_worker_lets_in_who_waited_long_enough(
    sqlite_database: Database, platform: Platform
) -> None:
    start = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        district = Register(session=session, now=start)
        district.register(WANG)
        district.prove("o-wang")
        district.prove("o-new")
    store, instants = open_store("", sqlite_database), [start, start + WAIT]
    for at, waiting in zip(instants, [1, 0], strict=True):
        _worker(sqlite_database, platform, store, clock=lambda at=at: at).appoint()
        with sqlite_database.reading() as session:
            assert len(list_waiting(session, openid="o-new")) == waiting


class Tickets:
    """A feed that counts how often it is asked."""

    name = "ticketing"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, watermark: str) -> Page:
        self.asked.append(watermark)
        return Page(delivery=Delivery(watermark="7"), has_more=False)


def test_worker_reads_the_feed_on_and_leaves_it_to_the_one_who_does(
    sqlite_database: Database, platform: Platform
) -> None:
    store, tickets = open_store("", sqlite_database), Tickets()
    settings = platform.settings()
    worker = Worker(
        settings=settings,
        database=sqlite_database,
        store=store,
        client=WeChatClient(settings, store),
        tickets=tickets,
    )
    worker.poll()
    with store.lock("poll", seconds=60):
        worker.poll()
    worker.poll()
    assert tickets.asked == ["", "7"]


def test_worker_issues_forecasts_and_calls_those_on_duty_unless_the_store_is_gone(
    sqlite_database: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = start_of(DAY) + timedelta(hours=6, minutes=2)
    with sqlite_database.transaction() as session:
        days = days_around(DAY, before=2, after=1)
        store_days(session, [planted(day) for day in days], now=now)
        bind(session, add(session, now, role=Role.STATION_MANAGER), now, openid=OPENID)
    store = open_store("", sqlite_database)
    worker = _worker(sqlite_database, platform, store, clock=lambda: now)
    for _ in range(2):
        worker.forecast()
    with sqlite_database.reading() as session:
        issued = session.scalars(select(IssuedForecast.occasion).order_by(IssuedForecast.id))
        assert list(issued) == ["midnight", "hourly"]
        assert session.scalars(select(Notice.kind)).all() == ["arrivals_morning"]

    def unavailable(*_arguments: object, **_options: object) -> bool:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(store, "put_new", unavailable)
    later = now + timedelta(hours=1)
    _worker(sqlite_database, platform, store, clock=lambda: later).forecast()
    with sqlite_database.reading() as session:
        assert len(session.scalars(select(IssuedForecast.id)).all()) == 2
