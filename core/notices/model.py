"""Tables of the outbox; the transitions of a notice are its methods."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime
from core.notices.rules import (
    MAX_ATTEMPTS,
    REPEAT_GUARD,
    Channel,
    DeadReason,
    NoticeState,
    lifetime_of,
    may_become,
    retry_delay_for,
)

_OPEN = text("state IN ('queued', 'leased')")


def _one_of(column: str, values: type[NoticeState | Channel]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Notice(Base):
    """One thing to tell one person, once.

    Attributes:
        key: what it is about; a second notice with the same key is the same notice.
        values: what the wording names; no personal data.
        body: the text of a late chat reply, encrypted; gone once it was sent in the chat.
        next_at: when it is due, or, while leased, when the lease ends.
        attempt_at: when the attempt began whose outcome is not known yet.
        refused: the channels on which the platform refused it.
        attempts: failures so far.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(_one_of("state", NoticeState), name="state"),
        CheckConstraint(f"channel IS NULL OR {_one_of('channel', Channel)}", name="channel"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'leased') = (leased_by IS NOT NULL)", name="lease"),
        CheckConstraint(
            "state NOT IN ('sent', 'delivered') OR (sent_at IS NOT NULL AND channel IS NOT NULL)",
            name="sent",
        ),
        CheckConstraint("attempt_at IS NULL OR channel IS NOT NULL", name="attempt"),
        CheckConstraint("(state = 'dead') = (dead_reason IS NOT NULL)", name="dead"),
        # Only what is still to be done is looked for; the rest is history.
        Index(
            "ix_notice_due",
            "priority",
            "next_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    openid: Mapped[str] = mapped_column(String(64), index=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    client_msg_id: Mapped[str] = mapped_column(String(32), unique=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # Read when it is needed: a row whose key is missing must not hold up the others.
    body: Mapped[str | None] = mapped_column(EncryptedText("notice.body"), deferred=True)
    link: Mapped[str] = mapped_column(String(500), default="")
    page_path: Mapped[str] = mapped_column(String(200), default="")
    priority: Mapped[int] = mapped_column(Integer)
    state: Mapped[NoticeState] = mapped_column(String(16), default=NoticeState.QUEUED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_by: Mapped[str | None] = mapped_column(String(80))
    channel: Mapped[Channel | None] = mapped_column(String(16))
    template_id: Mapped[str] = mapped_column(String(64), default="")
    attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused: Mapped[list[str]] = mapped_column(JSON, default=list)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    platform_msg_id: Mapped[str | None] = mapped_column(String(64), index=True)
    error_code: Mapped[int | None] = mapped_column(Integer)
    error_reason: Mapped[str] = mapped_column(String(200), default="")
    dead_reason: Mapped[DeadReason | None] = mapped_column(String(16))

    def _become(self, state: NoticeState) -> None:
        if not may_become(NoticeState(self.state), state):
            raise ValueError(f"a notice that is {self.state} cannot become {state}")
        self.state = state
        if state is not NoticeState.LEASED:
            self.leased_by = None

    @property
    def unsure(self) -> Channel | None:
        """The channel of an attempt whose outcome is unknown."""
        return Channel(self.channel) if self.channel and self.attempt_at else None

    def is_held_by(self, worker: str) -> bool:
        """Return whether `worker` has the lease."""
        return self.state == NoticeState.LEASED and self.leased_by == worker

    def is_stale(self, now: datetime) -> bool:
        """Return whether it is too old to be worth sending."""
        return now - self.created_at > lifetime_of(self.kind)

    def is_past_guard(self, now: datetime) -> bool:
        """Return whether the platform may no longer recognise a repeated attempt."""
        return self.attempt_at is not None and now - self.attempt_at > REPEAT_GUARD

    def lease(self, *, worker: str, until: datetime) -> None:
        """Give it to a worker until an instant, after which anybody may take it."""
        self._become(NoticeState.LEASED)
        self.leased_by = worker
        self.next_at = until

    def release(self, *, next_at: datetime) -> None:
        """Put it back untried, or after an attempt that nobody can be blamed for."""
        self._become(NoticeState.QUEUED)
        self.next_at = next_at

    def begin(self, *, now: datetime, channel: Channel, template_id: str) -> None:
        """Note that an attempt starts, before it does: a crash then leaves a trace."""
        if self.unsure is not channel:
            # A repeated attempt keeps its first instant: the platform's guard runs from there.
            self.attempt_at = now
        self.channel = channel
        self.template_id = template_id

    def fail(
        self,
        *,
        now: datetime,
        code: int | None,
        reason: str,
        retry_at: datetime | None,
        jitter: float,
        is_unsure: bool,
    ) -> None:
        """Queue it again after a failure, or give up after the last allowed one.

        Args:
            now: instant of the failure.
            code: error code of the platform, if it answered.
            reason: short technical text, free of personal data.
            retry_at: when to try again after a failure that is not the notice's; None counts it
                and leaves the instant to the back-off.
            jitter: 0 up to 1, for the back-off.
            is_unsure: the message may have arrived all the same.
        """
        self.note_error(code=code, reason=reason)
        if not is_unsure:
            self.attempt_at = None
        if retry_at is not None:
            self.release(next_at=retry_at)
            return
        self.attempts += 1
        if self.attempts >= MAX_ATTEMPTS:
            self.die(DeadReason.GAVE_UP)
        else:
            self.release(next_at=now + retry_delay_for(self.attempts, jitter=jitter))

    def refuse(self, *, code: int | None, reason: str) -> None:
        """Note that the platform refused it on the channel of the attempt; the lease stays."""
        self.note_error(code=code, reason=reason)
        if self.channel is not None and self.channel not in self.refused:
            self.refused = [*self.refused, str(self.channel)]
        self.attempt_at = None

    def succeed(self, *, now: datetime, channel: Channel, platform_msg_id: str | None) -> None:
        """Note that the platform accepted it."""
        self._become(NoticeState.SENT)
        self.channel = channel
        self.sent_at = now
        self.attempt_at = None
        self.platform_msg_id = platform_msg_id
        self.error_code, self.error_reason = None, ""
        if channel is Channel.CUSTOM:
            self.body = None

    def arrive(self, *, now: datetime) -> None:
        """Note that it reached the person."""
        self._become(NoticeState.DELIVERED)
        self.delivered_at = now

    def bounce(self, *, now: datetime, jitter: float) -> None:
        """Send it again after the platform failed, once its guard against doubles is over."""
        self.attempts += 1
        self.note_error(code=None, reason="system failed")
        if self.attempts >= MAX_ATTEMPTS:
            self.die(DeadReason.GAVE_UP)
            return
        self._become(NoticeState.QUEUED)
        self.platform_msg_id = None
        self.sent_at = None
        delay = max(
            retry_delay_for(self.attempts, jitter=jitter), REPEAT_GUARD + timedelta(minutes=2)
        )
        self.next_at = now + delay

    def die(self, reason: DeadReason) -> None:
        """Give up for good; the reason stays, the text of an answer does not."""
        self._become(NoticeState.DEAD)
        self.dead_reason = reason
        self.attempt_at = None
        self.body = None

    def note_error(self, *, code: int | None, reason: str) -> None:
        """Keep what went wrong last."""
        self.error_code = code
        self.error_reason = reason[:200]


class NoticeReceipt(Base):
    """A delivery report whose message id nobody has recorded: too early, or after a crash."""

    __tablename__ = "notice_receipt"

    platform_msg_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    status: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
