"""Tables of decisions and of the rows that each was over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime

_HAD_DECISION = text("decision_before_id IS NOT NULL")


class Decision(Base):
    """One decision over a frozen list of registrations; the digest is of their ids and versions.

    `department` is the slice of the company that it was made for; empty: the whole company.
    """

    __tablename__ = "decision"
    __table_args__ = (
        # The same press of a button twice is one decision.
        UniqueConstraint("company_id", "request_key"),
        CheckConstraint("verdict IN ('approve', 'reject', 'return')", name="verdict"),
        CheckConstraint(
            "state IN ('prepared', 'lapsed', 'applied', 'undone', 'released')", name="state"
        ),
        Index("ix_decision_state_undo_until", "state", "undo_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    request_key: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(300), default="")
    actor: Mapped[str] = mapped_column(String(80))
    department: Mapped[str] = mapped_column(String(50), default="")
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    listed_count: Mapped[int] = mapped_column(Integer)
    applied_count: Mapped[int] = mapped_column(Integer, default=0)
    prepared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DecisionRow(Base):
    """A registration of a frozen list, as it was when the list was shown.

    `decision_before_id` is the decision that stood until then, which an undo brings back.
    """

    __tablename__ = "decision_row"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('listed', 'applied', 'changed', 'decided', 'ended', 'blocked', 'undone',"
            " 'kept')",
            name="outcome",
        ),
        Index(
            "ix_decision_row_decision_before_id",
            "decision_before_id",
            sqlite_where=_HAD_DECISION,
            postgresql_where=_HAD_DECISION,
        ),
    )

    decision_id: Mapped[int] = mapped_column(
        ForeignKey("decision.id", ondelete="CASCADE"), primary_key=True
    )
    registration_id: Mapped[int] = mapped_column(
        ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    version: Mapped[int] = mapped_column(Integer)
    state_before: Mapped[str] = mapped_column(String(16))
    decision_before_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    outcome: Mapped[str] = mapped_column(String(16), default="listed")
