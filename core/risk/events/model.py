"""Tables of epidemic events and of what the feeds delivered."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime
from core.risk.events.rules import MAX_REASON


class EpidemicEvent(Base):
    """What a feed reported of a resident: one row per person, kind, day and feed.

    An event is open from `reported_on` up to before `ended_on`. One that was found to be wrong is
    withdrawn, not deleted: nothing counts it any more, and its history stays.
    """

    __tablename__ = "epidemic_event"
    __table_args__ = (
        UniqueConstraint("resident_id", "kind", "reported_on", "feed"),
        # The nights read windows of days, and nothing of an event but what this index holds.
        Index(
            "ix_epidemic_event_window",
            "kind",
            "reported_on",
            "resident_id",
            "ended_on",
            "community_id",
            "withdrawn_at",
        ),
        # The page of a community counts the events of people who are in no register.
        Index(
            "ix_epidemic_event_community_id",
            "community_id",
            sqlite_where=text("community_id IS NOT NULL"),
            postgresql_where=text("community_id IS NOT NULL"),
        ),
        # Few events are linked; an index of them alone stays small.
        Index(
            "ix_epidemic_event_linked",
            "reported_on",
            sqlite_where=text("cluster IS NOT NULL"),
            postgresql_where=text("cluster IS NOT NULL"),
        ),
        CheckConstraint(
            "kind IN ('confirmed', 'asymptomatic', 'suspected', 'close', 'second', 'fever',"
            " 'keyarea', 'overseas', 'homeq')",
            name="kind",
        ),
        CheckConstraint("ending IN ('released', 'excluded', 'converted')", name="ending"),
        CheckConstraint("(ended_on IS NULL) = (ending IS NULL)", name="ended"),
        CheckConstraint("ended_on >= reported_on", name="ended_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id", ondelete="CASCADE"))
    # Where the feed says the person lives; used only for one whom the register does not know.
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL")
    )
    kind: Mapped[str] = mapped_column(String(16))
    reported_on: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    ending: Mapped[str | None] = mapped_column(String(12))
    # Infections that are linked by a household, a building or an event share a name.
    cluster: Mapped[str | None] = mapped_column(String(64))
    # How it was found, for example by screening or in quarantine.
    route: Mapped[str] = mapped_column(String(32), default="")
    feed: Mapped[str] = mapped_column(String(16))
    entered_by: Mapped[str] = mapped_column(String(80))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_reason: Mapped[str] = mapped_column(String(MAX_REASON), default="", server_default="")


class FeedDelivery(Base):
    """What a feed delivered at once, and up to which local day it is complete since then."""

    __tablename__ = "feed_delivery"
    __table_args__ = (
        Index("ix_feed_delivery_feed_watermark", "feed", "watermark"),
        CheckConstraint("row_count >= 0 AND rejected_count >= 0", name="counts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(16))
    watermark: Mapped[date] = mapped_column(Date)
    row_count: Mapped[int] = mapped_column(Integer)
    rejected_count: Mapped[int] = mapped_column(Integer, default=0)
    digest: Mapped[str] = mapped_column(String(64), default="")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
