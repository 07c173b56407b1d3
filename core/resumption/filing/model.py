"""Tables of filings and of their steps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import day_of
from core.db import Base, UtcDateTime
from core.resumption.filing.rules import (
    COMMITMENT,
    HOLD,
    STATE_AFTER,
    TRANSITIONS,
    FilingDraft,
    FilingState,
    FilingVerdict,
    number_for,
)


class Filing(Base):
    """What a company declares to return to work: one row per company, its history in steps.

    The declared figures are those of the newest submission; what is typed for the next one waits
    beside them, so that they stand until it is signed. `held_by` is the reviewer who has it open,
    so that two are never on the same one unawares.
    """

    __tablename__ = "filing"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'rejected')", name="state"
        ),
        CheckConstraint("(held_by IS NULL) = (held_until IS NULL)", name="held"),
        CheckConstraint("draft_head_count > 0", name="draft_head_count"),
        CheckConstraint("draft_returning_count >= 0", name="draft_returning_count"),
        CheckConstraint("head_count > 0", name="head_count"),
        CheckConstraint("returning_count >= 0", name="returning_count"),
        CheckConstraint("returning_count <= head_count", name="returning"),
        CheckConstraint(
            "state = 'draft' OR (number IS NOT NULL AND submitted_at IS NOT NULL"
            " AND head_count IS NOT NULL AND returning_count IS NOT NULL"
            " AND plan_id IS NOT NULL AND signed_at IS NOT NULL)",
            name="complete",
        ),
        Index("ix_filing_state_submitted_at", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), unique=True)
    # What the public sees; given at the first submission.
    number: Mapped[str | None] = mapped_column(String(24), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(Integer, default=0)
    head_count: Mapped[int | None] = mapped_column(Integer)
    returning_count: Mapped[int | None] = mapped_column(Integer)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    draft_head_count: Mapped[int | None] = mapped_column(Integer)
    draft_returning_count: Mapped[int | None] = mapped_column(Integer)
    draft_plan_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    # The version of the wording that was signed.
    commitment: Mapped[str | None] = mapped_column(String(32))
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_by: Mapped[str | None] = mapped_column(String(80))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(300), default="")
    held_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def declared(self) -> FilingDraft:
        """What stands since the newest submission."""
        return FilingDraft(
            head_count=self.head_count, returning_count=self.returning_count, plan_id=self.plan_id
        )

    @property
    def draft(self) -> FilingDraft:
        """What the next submission would declare: what was typed for it, else what stands."""
        typed = (self.draft_head_count, self.draft_returning_count, self.draft_plan_id)
        stands = (self.head_count, self.returning_count, self.plan_id)
        head_count, returning_count, plan_id = (
            before if one is None else one for one, before in zip(typed, stands, strict=True)
        )
        return FilingDraft(head_count=head_count, returning_count=returning_count, plan_id=plan_id)

    def submit(self, *, now: datetime, actor: str) -> None:
        """Declare what the draft says; it must be complete.

        Raises:
            ValueError: it may not be submitted as it stands, a bug in the use case.
        """
        self._become(FilingState.SUBMITTED)
        draft = self.draft
        self.head_count, self.returning_count = draft.head_count, draft.returning_count
        self.plan_id = draft.plan_id
        self.draft_head_count = self.draft_returning_count = self.draft_plan_id = None
        self.revision += 1
        self.number = self.number or number_for(self.id, day=day_of(now))
        self.commitment = COMMITMENT
        self.signed_at, self.signed_by = now, actor
        self.submitted_at, self.changed_at = now, now
        self.decided_at, self.decided_by, self.reason = None, None, ""
        self.release()

    def decide(self, verdict: FilingVerdict, *, reason: str, now: datetime, actor: str) -> None:
        """Record what a reviewer decided.

        Raises:
            ValueError: nothing waits for a decision, a bug in the use case.
        """
        self._become(STATE_AFTER[verdict])
        self.decided_at, self.decided_by, self.reason = now, actor, reason
        self.changed_at = now
        self.release()

    def hold(self, *, staff_id: int, now: datetime) -> None:
        """Let a reviewer have it open for a while."""
        self.held_by, self.held_until = staff_id, now + HOLD

    def release(self) -> None:
        """Let anybody open it."""
        self.held_by, self.held_until = None, None

    def holder(self, *, now: datetime) -> int | None:
        """Return the reviewer who has it open at an instant."""
        is_held = self.held_until is not None and now < self.held_until
        return self.held_by if is_held else None

    def _become(self, new: FilingState) -> None:
        if new not in TRANSITIONS[FilingState(self.state)]:
            raise ValueError(f"a filing that is {self.state} cannot become {new}")
        self.state = new.value


class FilingStep(Base):
    """One step of a filing with what was declared at that time; never changed."""

    __tablename__ = "filing_step"
    __table_args__ = (Index("ix_filing_step_filing_id_at", "filing_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    filing_id: Mapped[int] = mapped_column(ForeignKey("filing.id", ondelete="CASCADE"))
    revision: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(300), default="")
    head_count: Mapped[int | None] = mapped_column(Integer)
    returning_count: Mapped[int | None] = mapped_column(Integer)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
