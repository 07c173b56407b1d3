"""Tables of indicator values, scores and the people who want to hear of a change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
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
    __table_args__ = (
        CheckConstraint("value >= 0", name="value"),
        CheckConstraint("origin IN ('computed', 'imported', 'appeal')", name="origin"),
    )

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )
    indicator: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[float] = mapped_column(Float)
    # What the value was computed from; None where it was not.
    numerator: Mapped[float | None] = mapped_column(Float)
    denominator: Mapped[float | None] = mapped_column(Float)
    # A value that was imported or won in an appeal stands over a computed one.
    origin: Mapped[str] = mapped_column(String(8), default="imported", server_default="imported")


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
        CheckConstraint(f"score_colour IN ({_COLOURS})", name="score_colour"),
        CheckConstraint(f"computed_colour IN ({_COLOURS})", name="computed_colour"),
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
    # The colour of the score alone; `colour` is what the rules and people made of it.
    score_colour: Mapped[str] = mapped_column(String(8), server_default=Colour.GREY.value)
    # What the rules made of it; `colour` is another one while two people have set it by hand.
    computed_colour: Mapped[str] = mapped_column(String(8), server_default=Colour.GREY.value)
    # Codes of the rules that made `colour` another one than `score_colour`.
    floors: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    # Computed during the day from events that had come by then; the night replaces it.
    is_provisional: Mapped[bool] = mapped_column(default=False, server_default=false())
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
    # The day whose score they were told of: another colour of the same day is a correction.
    told_day: Mapped[date | None] = mapped_column(Date)


class RiskModel(Base):
    """That a model version was proposed for this district, and what became of it.

    The champion colours the district; a challenger is scored beside it in silence. A version may
    be proposed again, in another role or to come back: its document is always the same.
    """

    __tablename__ = "risk_model"
    __table_args__ = (
        CheckConstraint("role IN ('champion', 'challenger')", name="role"),
        CheckConstraint("state IN ('proposed', 'approved', 'refused', 'retired')", name="state"),
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        CheckConstraint("state <> 'approved' OR decided_by IS NOT NULL", name="approved"),
        Index(
            "uq_risk_model_proposed",
            "name",
            "role",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    role: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    # The first day that it scores: of the document, or the day of the approval if that is later.
    valid_from: Mapped[date] = mapped_column(Date)
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Publication(Base):
    """Whether the colours of a day went out, and if not, why and who let them go.

    A day that is held keeps its scores; the colours of the day before stand. What a known
    infection demands goes out all the same; see `holding`.
    """

    __tablename__ = "risk_publication"
    __table_args__ = (
        CheckConstraint("state IN ('published', 'held', 'released')", name="state"),
        CheckConstraint("(state = 'held') = (released_by IS NULL AND reason <> '')", name="held"),
    )

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    version: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(12))
    # Why it was held: `feed_missing`, `coverage`, `jump`; empty where it was not.
    reason: Mapped[str] = mapped_column(String(16), default="")
    community_count: Mapped[int] = mapped_column(Integer)
    grey_count: Mapped[int] = mapped_column(Integer)
    jump_count: Mapped[int] = mapped_column(Integer)
    scored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_by: Mapped[str | None] = mapped_column(String(80))
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    release_reason: Mapped[str] = mapped_column(Text, default="")
