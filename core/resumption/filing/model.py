"""Tables of filings and of their steps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime


class Filing(Base):
    """What a company declares to return to work: one row per company, its history in steps.

    `held_by` is the reviewer who has it open, so that two are never on the same one unawares.
    """

    __tablename__ = "filing"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved', 'rejected')", name="state"
        ),
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
