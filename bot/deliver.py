"""The outbox on its way to WeChat: claim, send, record, each step in its own transaction.

A crash between two steps leaves a row that says how far it got, and a lease that runs out. What
may then be repeated, and how, is the rule of `core/notices/rules.py`.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Final, Protocol

import structlog
from jinja2 import TemplateError

from bot import telemetry
from bot.closed_channels import CLOSING, ClosedChannels
from bot.error_codes import Action
from bot.notice_text import fields_of, text_of
from bot.settings import Settings
from bot.store import Store, StoreUnavailableError
from bot.texts import Texts
from bot.transport import DeliveryError
from core.db import Database, DataKeyError
from core.notices import delivery, feedback
from core.notices.delivery import Attempt, ClaimedNotice, NoAttempt, Offer
from core.notices.rules import Channel

log = structlog.get_logger()

LEASE_SECONDS: Final = 120.0  # far below the ten minutes in which the platform drops a double
BATCH: Final = 20
# A call may take this long with its timeouts, retries and a renewed token.
LONGEST_CALL_SECONDS: Final = 40.0
SILENCES_TO_HALT: Final = 3
UNREADABLE_PAUSE: Final = timedelta(hours=1)


class Sender(Protocol):
    """The calls of the client that carry notices."""

    def send_template(
        self,
        *,
        openid: str,
        template_id: str,
        data: Mapping[str, Mapping[str, str]],
        client_msg_id: str,
        link: str = "",
        page_path: str = "",
    ) -> str:
        """Send a template message and return its id."""

    def send_subscribe(
        self,
        *,
        openid: str,
        template_id: str,
        data: Mapping[str, Mapping[str, str]],
        link: str = "",
        page_path: str = "",
    ) -> str:
        """Send a subscription message and return its id."""

    def send_custom_text(self, *, openid: str, text: str) -> None:
        """Send a text in the chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast and how much one call of `deliver_once` sends.

    Attributes:
        limit: notices at most.
        per_second: messages a second at most; 0 sets no limit.
        lease_seconds: how long a claim lasts; below the platform's guard against doubles.
    """

    limit: int = 500
    per_second: float = 0.0
    lease_seconds: float = LEASE_SECONDS


@dataclass(slots=True, kw_only=True)
class DeliveryReport:
    """What one call of `deliver_once` did; the counts are of notices, by outcome."""

    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def sent_count(self) -> int:
        """How many the platform accepted."""
        return self.outcomes["sent"]

    @property
    def claimed_count(self) -> int:
        """How many were looked at."""
        return self.outcomes.total()


def worker_name() -> str:
    """Return a name that no other worker has, on this machine or another."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{token_hex(4)}"


def deliver_once(
    database: Database,
    store: Store,
    client: Sender,
    settings: Settings,
    texts: Texts,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pace: Pace | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> DeliveryReport:
    """Send what is due, until nothing is, the limit is reached, or a stop is asked for.

    Args:
        database: holds the outbox.
        store: tells the customer-service windows and shares the quotas that are used up.
        client: sends.
        settings: name the templates.
        texts: the words.
        now: the clock, aware.
        pace: how fast and how much.
        is_stopping: asked between two notices; what was claimed is put back then.
    """
    run = _Run(
        database=database,
        store=store,
        client=client,
        settings=settings,
        texts=texts,
        now=now,
        pace=pace or Pace(),
        is_stopping=is_stopping,
        closed=ClosedChannels(store),
    )
    return run.work()


@dataclass(slots=True, kw_only=True)
class _Run:
    database: Database
    store: Store
    client: Sender
    settings: Settings
    texts: Texts
    now: Callable[[], datetime]
    pace: Pace
    is_stopping: Callable[[], bool]
    closed: ClosedChannels
    worker: str = field(default_factory=worker_name)
    report: DeliveryReport = field(default_factory=DeliveryReport)
    next_send: float = 0.0
    silences: int = 0
    is_halted: bool = False

    def work(self) -> DeliveryReport:
        while not self._is_over():
            room = min(BATCH, self.pace.limit - self.report.claimed_count)
            if room <= 0:
                break
            with self.database.transaction() as session:
                claimed = delivery.claim_notices(
                    session,
                    now=self.now(),
                    worker=self.worker,
                    limit=room,
                    lease_seconds=self.pace.lease_seconds,
                )
            if not claimed:
                break
            self._deliver_batch(claimed)
        return self.report

    def _is_over(self) -> bool:
        return self.is_halted or self.is_stopping()

    def _deliver_batch(self, claimed: list[ClaimedNotice]) -> None:
        # A monotonic clock: a leap of the wall clock must not stretch a lease.
        safe_until = time.monotonic() + self.pace.lease_seconds - LONGEST_CALL_SECONDS
        self.closed.load({notice.kind for notice in claimed})
        for place, notice in enumerate(claimed):
            if self._is_over() or (place and time.monotonic() > safe_until):
                self._release([item.notice_id for item in claimed[place:]])
                return
            outcome = self._deliver(notice)
            self.report.outcomes[outcome] += 1

    def _release(self, notice_ids: list[int]) -> None:
        with self.database.transaction() as session:
            delivery.release_notices(
                session, now=self.now(), notice_ids=notice_ids, worker=self.worker
            )

    def _deliver(self, notice: ClaimedNotice) -> str:
        """Try one channel after the other until one carries the notice, or it must wait."""
        for _ in Channel:
            attempt = self._begin(notice)
            if isinstance(attempt, NoAttempt):
                if attempt is NoAttempt.UNREACHABLE:
                    log.warning("notice dead", notice=notice.notice_id, kind=notice.kind)
                return attempt.value
            outcome = self._try(attempt)
            if outcome != "refused":
                return outcome
        # Refused everywhere: the last look finds no channel and says so in the row.
        last = self._begin(notice)
        return last.value if isinstance(last, NoAttempt) else "refused"

    def _begin(self, notice: ClaimedNotice) -> Attempt | NoAttempt:
        offer = Offer(
            template_id=self.settings.wechat_templates.get(notice.kind, ""),
            subscribe_template_id=self.settings.wechat_subscribe_templates.get(notice.kind, ""),
            is_window_open=self._is_window_open(notice.openid),
            closed=self.closed.for_kind(notice.kind, now=self.now()),
        )
        try:
            with self.database.transaction() as session:
                return delivery.begin_attempt(
                    session,
                    now=self.now(),
                    notice_id=notice.notice_id,
                    worker=self.worker,
                    offer=offer,
                )
        except DataKeyError:
            return self._postpone(notice)

    def _postpone(self, notice: ClaimedNotice) -> NoAttempt:
        """Put off a notice that no configured key reads: the operator may bring the key back."""
        log.error("notice unreadable", notice=notice.notice_id, kind=notice.kind)
        with self.database.transaction() as session:
            delivery.postpone_notice(
                session,
                notice_id=notice.notice_id,
                worker=self.worker,
                next_at=self.now() + UNREADABLE_PAUSE,
            )
        return NoAttempt.WAITING

    def _try(self, attempt: Attempt) -> str:
        self._keep_pace()
        try:
            msg_id = self._send(attempt)
        except DeliveryError as error:
            outcome = self._record_failure(attempt, error)
        except (TemplateError, ValueError) as error:
            outcome = self._record_no_wording(attempt, error)
        else:
            outcome = self._record_sent(attempt, msg_id)
        telemetry.notice_attempted(attempt.channel.value, outcome)
        return outcome

    def _send(self, attempt: Attempt) -> str | None:
        if attempt.channel is Channel.CUSTOM:
            text = text_of(self.texts, attempt)
            self.client.send_custom_text(openid=attempt.openid, text=text)
            return None
        data = fields_of(self.texts, attempt)
        if attempt.channel is Channel.SUBSCRIBE:
            return self.client.send_subscribe(
                openid=attempt.openid,
                template_id=attempt.template_id,
                data=data,
                link=attempt.link,
                page_path=attempt.page_path,
            )
        return self.client.send_template(
            openid=attempt.openid,
            template_id=attempt.template_id,
            data=data,
            client_msg_id=attempt.client_msg_id,
            link=attempt.link,
            page_path=attempt.page_path,
        )

    def _record_sent(self, attempt: Attempt, msg_id: str | None) -> str:
        self.silences = 0
        with self.database.transaction() as session:
            delivery.mark_sent(
                session,
                now=self.now(),
                notice_id=attempt.notice_id,
                channel=attempt.channel,
                platform_msg_id=msg_id or None,
            )
        if attempt.channel is Channel.CUSTOM:
            self._spend_window(attempt.openid)
        log.info("notice sent", notice=attempt.notice_id, channel=attempt.channel.value)
        return "sent"

    def _record_failure(self, attempt: Attempt, error: DeliveryError) -> str:
        log.warning(
            "notice not sent",
            notice=attempt.notice_id,
            channel=attempt.channel.value,
            code=error.code,
            action=error.action.value,
            reason=error.reason,
        )
        if error.action is Action.CLEAR_CONSENT and attempt.is_repeat:
            # The attempt whose answer was lost has used the consent up: it had arrived.
            return self._record_sent(attempt, None)
        self._notice_silence(error)
        if error.action in CLOSING and error.retry_after is None:
            return self._close(attempt, error)
        if error.retryable:
            return self._retry_later(attempt, error)
        self._learn(attempt, error)
        return self._record_refusal(attempt, code=error.code, reason=error.reason)

    def _record_no_wording(self, attempt: Attempt, error: Exception) -> str:
        """Give the channel up: nothing was sent, and another try would not mend the wording."""
        reason = f"{type(error).__name__}: {error}"
        log.error("notice has no wording", notice=attempt.notice_id, kind=attempt.kind, why=reason)
        return self._record_refusal(attempt, code=None, reason=reason)

    def _record_refusal(self, attempt: Attempt, *, code: int | None, reason: str) -> str:
        with self.database.transaction() as session:
            delivery.mark_refused(
                session,
                notice_id=attempt.notice_id,
                worker=self.worker,
                code=code,
                reason=reason,
            )
        return "refused"

    def _learn(self, attempt: Attempt, error: DeliveryError) -> None:
        """Keep what the platform said about the person, so that nobody else need be told."""
        with self.database.transaction() as session:
            if error.action is Action.MARK_UNFOLLOWED:
                feedback.mark_unfollowed(session, now=self.now(), openid=attempt.openid)
            elif error.action is Action.CLEAR_CONSENT:
                feedback.clear_consent(
                    session,
                    now=self.now(),
                    openid=attempt.openid,
                    template_id=attempt.template_id,
                )

    def _notice_silence(self, error: DeliveryError) -> None:
        """Stop the run when the platform is out of reach: waiting for each notice helps nobody."""
        self.silences = self.silences + 1 if error.code is None else 0
        if error.retry_after is not None or self.silences >= SILENCES_TO_HALT:
            self.is_halted = True

    def _retry_later(self, attempt: Attempt, error: DeliveryError) -> str:
        now = self.now()
        retry_at = None
        if error.retry_after is not None:
            retry_at = now + timedelta(seconds=error.retry_after)
        with self.database.transaction() as session:
            delivery.mark_retry(
                session,
                now=now,
                notice_id=attempt.notice_id,
                worker=self.worker,
                code=error.code,
                reason=error.reason,
                jitter=random.random(),  # noqa: S311  spreads retries, guards nothing
                retry_at=retry_at,
                is_unsure=error.is_unsure,
            )
        return "retry"

    # --- quotas, windows, pace ------------------------------------------------------------------

    def _close(self, attempt: Attempt, error: DeliveryError) -> str:
        """Close the channel for every worker; another one may carry the notice."""
        self.closed.close(attempt.channel, kind=attempt.kind, error=error, now=self.now())
        with self.database.transaction() as session:
            delivery.mark_unsent(
                session,
                notice_id=attempt.notice_id,
                worker=self.worker,
                code=error.code,
                reason=error.reason,
            )
        return "refused"

    def _is_window_open(self, openid: str) -> bool | None:
        try:
            window = self.store.window(openid)
        except StoreUnavailableError:
            return None
        return window is not None and window.left > 0

    def _spend_window(self, openid: str) -> None:
        try:
            self.store.spend_window(openid)
        except StoreUnavailableError:
            log.warning("window not counted")

    def _keep_pace(self) -> None:
        if self.pace.per_second <= 0:
            return
        wait = self.next_send - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self.next_send = max(self.next_send, time.monotonic()) + 1 / self.pace.per_second
