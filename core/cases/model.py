"""Tables of cases, of their steps and of the evidence for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.cases.rules import DEADLINE, STANDING, CaseState, Cause, Finding
from core.db import Base, EncryptedText, UtcDateTime


def _one_of(column: str, values: type[Cause | CaseState | Finding]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Case(Base):
    """That a registration came up in a screening; one per registration and cause, reopened.

    Attributes:
        areas: codes of the key areas that matched; empty for another cause.
        screened_at: the instant as of which the list was read that it came up with.
        version: counts every step, so that two officers do not decide unawares.
        told_at: when those who look after it were told that it is open.
        escalated_at: when the street was told that the deadline is over.
        opened_count: how often it was opened.
    """

    __tablename__ = "screening_case"
    __table_args__ = (
        UniqueConstraint("registration_id", "cause"),
        CheckConstraint(_one_of("cause", Cause), name="cause"),
        CheckConstraint(_one_of("state", CaseState), name="state"),
        CheckConstraint(f"finding IS NULL OR {_one_of('finding', Finding)}", name="finding"),
        CheckConstraint("(state = 'closed') = (finding IS NOT NULL)", name="closed"),
        Index("ix_screening_case_state_deadline_at", "state", "deadline_at"),
        Index("ix_screening_case_workplace_id_state", "workplace_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    workplace_id: Mapped[int] = mapped_column(ForeignKey("workplace.id"))
    cause: Mapped[str] = mapped_column(String(16))
    areas: Mapped[list[str]] = mapped_column(JSON, default=list)
    screened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer, default=1)
    opened_count: Mapped[int] = mapped_column(Integer, default=1)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contacted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(String(80))
    finding: Mapped[str | None] = mapped_column(String(16))

    @property
    def is_standing(self) -> bool:
        """Whether somebody still has to look after it."""
        return CaseState(self.state) in STANDING

    def contact(self, *, now: datetime) -> None:
        """Note that the person or the workplace was spoken to."""
        self.state, self.contacted_at = CaseState.CONTACTED.value, now
        self.version += 1

    def close(self, finding: Finding, *, actor: str, now: datetime) -> None:
        """Close it.

        Raises:
            ValueError: it is closed, a bug in the caller.
        """
        if not self.is_standing:
            raise ValueError("a case is closed once")
        self.state, self.finding = CaseState.CLOSED.value, finding.value
        self.closed_at, self.closed_by = now, actor
        self.version += 1

    def reopen(self, *, now: datetime) -> None:
        """Begin anew: with a new deadline, and nobody contacted or told.

        Raises:
            ValueError: it is open, a bug in the caller.
        """
        if self.is_standing:
            raise ValueError("an open case is not opened again")
        self.state, self.finding = CaseState.OPEN.value, None
        self.opened_at, self.deadline_at = now, now + DEADLINE
        self.contacted_at = self.told_at = self.escalated_at = None
        self.closed_at = self.closed_by = None
        self.opened_count += 1
        self.version += 1


class CaseStep(Base):
    """One step of a case, with what was written down; never changed."""

    __tablename__ = "case_step"
    __table_args__ = (Index("ix_case_step_case_id_at", "case_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("screening_case.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    # What somebody was told on the phone may name people.
    note: Mapped[str | None] = mapped_column(EncryptedText("case_step.note"))


class CaseEvidence(Base):
    """A certificate that isolation is over, as somebody read it off the paper or its picture."""

    __tablename__ = "case_evidence"
    __table_args__ = (
        CheckConstraint("isolated_until >= isolated_from", name="isolated_until"),
        CheckConstraint("issued_on >= isolated_until", name="issued_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(
        ForeignKey("screening_case.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[str] = mapped_column(EncryptedText("case_evidence.number"))
    issuer: Mapped[str] = mapped_column(String(100))
    isolated_from: Mapped[date] = mapped_column(Date)
    isolated_until: Mapped[date] = mapped_column(Date)
    issued_on: Mapped[date] = mapped_column(Date)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    added_by: Mapped[str] = mapped_column(String(80))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
