"""The worker: delivers notices, runs the timetable. Several may run, on any number of machines.

`python -m bot.worker` runs one until SIGTERM. It may be killed at any point: what it was doing is
in the database, and whoever looks next goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

import structlog

from bot.account import PlatformAccount
from bot.client import WeChatClient
from bot.deliver import Pace, Sender, deliver_once
from bot.feeds.polling import poll, ticket_source
from bot.feeds.ticketing import TicketSource
from bot.files import ObjectFiles
from bot.forecasting import issue_due
from bot.settings import Settings
from bot.store import Store, StoreUnavailableError, open_store
from bot.texts import Texts, text_constants
from bot.wakeups import add_tasks, make_huey
from core.arrivals.duty import tell_duty
from core.audit.chain import SEAL_LIMIT, find_head, seal_entries
from core.cases.telling import tell_cases
from core.clock import day_of
from core.codes.account import (
    ACCOUNT,
    AccountCodes,
    is_account_code_due,
    keep_account_code,
)
from core.db import Database, Keyring, install_keyring
from core.errors import DomainError
from core.files.service import FileUnavailableError, sweep_files
from core.files.store import FileStore
from core.mandates.elsewhere import settle_waiting
from core.nightly import run_night as run_steps
from core.notices.feedback import sweep_notices
from core.people.staff.signing_in import sweep_sessions
from core.registration.drafts import sweep_drafts
from core.registration.waiting import tell_waiting
from core.resumption.approval.preparing import drop_lapsed
from core.resumption.approval.releasing import release_due
from core.risk.rulings.evidence import drop_evidence
from core.risk.rulings.overrides import close_lapsed
from core.sites.reminding import remind_sites
from core.sites.supervising import list_supervisors

log = structlog.get_logger()

Nightly: TypeAlias = "Callable[[Database, date, datetime], object]"

LOOK_SECONDS: Final = 5.0
STOP_SECONDS: Final = 45.0  # longer than the longest call, so that it is recorded
NIGHT_LOCK_SECONDS: Final = 3600.0
POLL_LOCK_SECONDS: Final = 240.0
FORECAST_LOCK_SECONDS: Final = 240.0
POLL_SECONDS: Final = 0.5


class Worker:
    """What one worker process does."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        store: Store,
        client: Sender,
        nightly: Nightly | None = None,
        pace: Pace | None = None,
        look_seconds: float = LOOK_SECONDS,
        files: FileStore | None = None,
        codes: AccountCodes | None = None,
        tickets: TicketSource | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare the worker; nothing runs yet.

        Args:
            settings: name the templates and the queue.
            database: holds the outbox.
            store: short-lived state.
            client: sends.
            nightly: runs the steps of the night for a day; done steps are skipped.
            pace: how fast notices are sent.
            look_seconds: how often to look without being woken.
            files: where what nothing names any more is swept; None sweeps none.
            codes: makes the account's own code; None makes none.
            tickets: the live feed of the ticketing system; None: there is none.
            clock: aware.
        """
        self._settings = settings
        self._database = database
        self._store = store
        self._client = client
        self._nightly = nightly
        self._pace = pace or Pace()
        self._look_seconds = look_seconds
        self._files = files
        self._codes = codes
        self._tickets = tickets
        self._clock = clock
        self._texts = Texts(constants=text_constants(settings))
        self._woken = threading.Event()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the notice in hand is finished and recorded."""
        huey = make_huey(self._settings)
        add_tasks(
            huey,
            look=self._woken.set,
            night=self.run_night if self._nightly else None,
            sweep=self.sweep,
            seal=self.seal,
            release=self.release,
            remind=self.remind,
            keep_code=self.keep_code,
            appoint=self.appoint,
            poll=self.poll if self._tickets else None,
            forecast=self.forecast,
        )
        consumer = huey.create_consumer(
            workers=1,
            max_delay=POLL_SECONDS,
            graceful_signal="TERM",
            shutdown_timeout=STOP_SECONDS,
        )
        delivery = threading.Thread(target=self._deliver_on, name="delivery", daemon=True)
        delivery.start()
        log.info("worker started")
        try:
            consumer.run()
        finally:
            self._stopping.set()
            self._woken.set()
            delivery.join(STOP_SECONDS)
            log.info("worker stopped")

    def _deliver_on(self) -> None:
        """Deliver whenever woken, and every few seconds besides."""
        while not self._stopping.is_set():
            self._woken.clear()
            if not self.deliver():
                self._woken.wait(self._look_seconds)

    def deliver(self) -> bool:
        """Send what is due; returns whether the limit of one round was reached."""
        try:
            report = deliver_once(
                self._database,
                self._store,
                self._client,
                self._settings,
                self._texts,
                now=self._clock,
                pace=self._pace,
                is_stopping=self._stopping.is_set,
            )
        except Exception:
            # A database that is away for a minute must not end the worker.
            log.exception("delivery failed")
            return False
        return report.claimed_count >= self._pace.limit

    def run_night(self) -> None:
        """Run the night's steps of today; one worker at a time, done steps are skipped."""
        if self._nightly is None:
            return
        now = self._clock()
        day = day_of(now)
        try:
            with self._store.lock("nightly", seconds=NIGHT_LOCK_SECONDS) as is_held:
                if is_held:
                    self._nightly(self._database, day, now)
        except StoreUnavailableError:
            log.warning("night postponed", day=day.isoformat())
            return
        self._woken.set()

    def sweep(self) -> None:
        """Delete what is over: state, sign-ins, settled notices, files that nothing names.

        Colours by hand end here as well, soon after the midnight of their last day.
        """
        with self._database.transaction() as session:
            sweep_notices(session, now=self._clock())
            sweep_sessions(session, now=self._clock())
            sweep_drafts(session, now=self._clock())
            drop_evidence(session, now=self._clock())
        self._close_overrides()
        try:
            self._store.sweep()
        except StoreUnavailableError:
            log.warning("state not swept")
        self._sweep_files()

    def _close_overrides(self) -> None:
        # Of its own: it scores, for which others may have to be waited for.
        with self._database.transaction() as session:
            count = close_lapsed(session, now=self._clock())
        if count:
            log.info("overrides ended", count=count)

    def _sweep_files(self) -> None:
        if self._files is None:
            return
        try:
            count = sweep_files(self._database.reading, files=self._files, now=self._clock())
        except FileUnavailableError:
            log.warning("files not swept")
            return
        if count:
            log.info("files swept", count=count)

    def release(self) -> None:
        """Tell the people of decisions that can no longer be undone, one decision at a time."""
        count = 0
        while not self._stopping.is_set():
            with self._database.transaction() as session:
                if not release_due(session, now=self._clock(), limit=1):
                    drop_lapsed(session, now=self._clock())
                    break
            count += 1
        if count:
            log.info("decisions released", count=count)
            self._woken.set()

    def remind(self) -> None:
        """Tell who decides that people wait, sites that their report is due, staff of cases."""
        with self._database.transaction() as session:
            count = tell_waiting(session, now=self._clock())
            count += remind_sites(session, now=self._clock())
        with self._database.transaction() as session:
            count += tell_cases(session, supervisors=list_supervisors, now=self._clock())
        if count:
            self._woken.set()

    def keep_code(self) -> None:
        """See to it that the account's own code is there; pages show its picture."""
        if self._codes is None:
            return
        with self._database.reading() as session:
            if not is_account_code_due(session, now=self._clock()):
                return
        try:
            made = self._codes.make(ACCOUNT)
        except DomainError as error:
            log.warning("account without a code", reason=error.code)
            return
        with self._database.transaction() as session:
            keep_account_code(session, made=made, now=self._clock())
        log.info("code of the account made")

    def appoint(self) -> None:
        """Let owners act from the account to whose wait nobody objected."""
        with self._database.transaction() as session:
            count = settle_waiting(session, now=self._clock())
        if count:
            log.info("owners let in", count=count)
            self._woken.set()

    def poll(self) -> None:
        """Read the live feed on from where it was left; one worker at a time."""
        if self._tickets is None:
            return
        try:
            with self._store.lock("poll", seconds=POLL_LOCK_SECONDS) as is_held:
                if is_held:
                    poll(self._database, self._tickets, now=self._clock)
        except StoreUnavailableError:
            log.warning("poll postponed")

    def forecast(self) -> None:
        """Issue the forecasts of arrivals that are due, and tell those on duty at the station."""
        try:
            with self._store.lock("forecast", seconds=FORECAST_LOCK_SECONDS) as is_held:
                if is_held:
                    issue_due(self._database, now=self._clock)
        except StoreUnavailableError:
            log.warning("forecast postponed")
            return
        with self._database.transaction() as session:
            count = tell_duty(session, now=self._clock())
        if count:
            self._woken.set()

    def seal(self) -> None:
        """Add what was committed to the chain of the audit log, in short transactions."""
        count, head = SEAL_LIMIT, None
        while count == SEAL_LIMIT and not self._stopping.is_set():
            with self._database.transaction() as session:
                count = seal_entries(session, now=self._clock())
                head = find_head(session) if count else head
        if head is not None:
            # The lines are kept elsewhere: they tell later whether the chain's end was cut off.
            log.info("audit sealed", head=str(head))


def open_worker(settings: Settings, *, nightly: Nightly | None = None) -> Worker:
    """Return a worker with everything it needs, as the settings say."""
    install_keyring(Keyring(settings.data_key_bytes()))
    database = Database(settings.resolved_database_url)
    store = open_store(settings.redis_url, database)
    client = WeChatClient(settings, store)
    return Worker(
        settings=settings,
        database=database,
        store=store,
        client=client,
        files=ObjectFiles(settings),
        codes=PlatformAccount(settings, client),
        tickets=ticket_source(settings),
        nightly=nightly,
    )


def run_night(database: Database, today: date, now: datetime) -> None:
    """Compute the day before `today`; done steps are skipped."""
    run_steps(database.transaction, day=today - timedelta(days=1), now=now)


def main() -> None:
    """Run one worker, night included, with the settings of the environment."""
    open_worker(Settings.from_env(), nightly=run_night).run()


if __name__ == "__main__":
    main()
