"""Tables of overrides and appeals."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime


class ColourOverride(Base):
    """A colour that two people set by hand, with a reason and an end.

    Proposed by one, in force once another approves it, until the end of `until_day`.
    """

    __tablename__ = "colour_override"
    __table_args__ = (
        Index(
            "uq_colour_override_standing",
            "community_id",
            unique=True,
            sqlite_where=text("state IN ('proposed', 'in_force')"),
            postgresql_where=text("state IN ('proposed', 'in_force')"),
        ),
        CheckConstraint("colour IN ('red', 'yellow', 'blue')", name="colour"),
        CheckConstraint(
            "state IN ('proposed', 'in_force', 'refused', 'withdrawn', 'ended')", name="state"
        ),
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        CheckConstraint("state <> 'in_force' OR decided_by IS NOT NULL", name="approved"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    colour: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    until_day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Nobody, where it ended by itself.
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it was refused, or ended before its last day.
    closing_reason: Mapped[str] = mapped_column(Text, default="")


class Appeal(Base):
    """An officer's objection to one indicator of a community on a day, with evidence.

    One reviewer recommends and another decides; neither is the officer who raised it.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        Index(
            "uq_appeal_standing",
            "community_id",
            "day",
            "indicator",
            unique=True,
            sqlite_where=text("state IN ('open', 'recommended')"),
            postgresql_where=text("state IN ('open', 'recommended')"),
        ),
        Index("ix_appeal_state", "state", "raised_at"),
        CheckConstraint(
            "state IN ('open', 'recommended', 'accepted', 'refused', 'withdrawn')", name="state"
        ),
        CheckConstraint("claimed_value >= 0", name="claimed_value"),
        CheckConstraint(
            "recommended_by <> raised_by AND decided_by <> raised_by"
            " AND decided_by <> recommended_by",
            name="separate_people",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    day: Mapped[date] = mapped_column(Date)
    indicator: Mapped[str] = mapped_column(String(32))
    # None: the value was missing.
    computed_value: Mapped[float | None] = mapped_column(Float)
    claimed_value: Mapped[float] = mapped_column(Float)
    evidence: Mapped[str] = mapped_column(Text)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(String(12))
    raised_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recommended: Mapped[str | None] = mapped_column(String(12))
    recommended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    recommended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recommendation_reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str] = mapped_column(Text, default="")
