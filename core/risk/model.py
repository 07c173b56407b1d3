"""Tables of indicator values, scores and the people who want to hear of a change."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeAlias

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime
from core.risk.rules import Colour

# indicator, value, norm, weight, contribution, status: `rules.Part` in its order.
StoredPart: TypeAlias = "list[str | float | None]"

_COLOURS = ", ".join(f"'{colour}'" for colour in Colour)


class IndicatorValue(Base):
    """The value of an indicator for a community at the end of a local day."""

    __tablename__ = "indicator_value"
    __table_args__ = (CheckConstraint("value >= 0", name="value"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )
    indicator: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[float] = mapped_column(Float)


class RiskScore(Base):
    """The score of a community for a day by one model version, with its reasons.

    A score that is not published (too little is known, or another version speaks for the day) is
    kept for comparison; one at most is published per community and day.
    """

    __tablename__ = "risk_score"
    __table_args__ = (
        UniqueConstraint("community_id", "day", "version"),
        # The newest published score of a community is one step into this index.
        Index(
            "uq_risk_score_published",
            "community_id",
            "day",
            unique=True,
            sqlite_where=text("is_published = 1"),
            postgresql_where=text("is_published"),
        ),
        Index("ix_risk_score_day", "day"),
        CheckConstraint(f"colour IN ({_COLOURS})", name="colour"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
        CheckConstraint("NOT is_published OR colour <> 'grey'", name="published_colour"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(32))
    score: Mapped[float | None] = mapped_column(Float)
    colour: Mapped[str] = mapped_column(String(8))
    coverage: Mapped[float] = mapped_column(Float)
    lo: Mapped[float] = mapped_column(Float)
    hi: Mapped[float] = mapped_column(Float)
    parts: Mapped[list[StoredPart]] = mapped_column(JSON)
    is_published: Mapped[bool] = mapped_column()
    scored_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ColourSubscription(Base):
    """A person who wants to be told when the colour of a community changes.

    `told_colour` is the last that they know of: published when they subscribed, or told since.
    It is None as long as no colour of the community was published.
    """

    __tablename__ = "colour_subscription"
    __table_args__ = (
        UniqueConstraint("community_id", "person_id"),
        CheckConstraint(f"told_colour IN ({_COLOURS})", name="told_colour"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_colour: Mapped[str | None] = mapped_column(String(8))
