"""Tables of arrivals: trains and their passengers, gate counts, the feed, forecasts as issued."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime


class TrainRun(Base):
    """One train on the local day of its scheduled arrival; a cancelled one stays as a row."""

    __tablename__ = "train_run"
    __table_args__ = (
        UniqueConstraint("day", "number"),
        CheckConstraint(
            "train_class IN ('high_speed', 'emu', 'intercity', 'direct', 'express', 'fast',"
            " 'other')",
            name="train_class",
        ),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("live_delay_minutes BETWEEN -60 AND 1440", name="live_delay_minutes"),
        CheckConstraint("length(origin_code) IN (0, 6)", name="origin_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    number: Mapped[str] = mapped_column(String(12))
    train_class: Mapped[str] = mapped_column(String(12))
    origin: Mapped[str] = mapped_column(String(40))
    # GB/T 2260, as the list of key areas has it; empty while it is not known.
    origin_code: Mapped[str] = mapped_column(String(6), default="")
    scheduled_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # People that may get off here at most; None: not known.
    capacity: Mapped[int | None] = mapped_column(Integer)
    # Reported while it is under way; None: nothing reported.
    live_delay_minutes: Mapped[int | None] = mapped_column(Integer)
    is_cancelled: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(32))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketSale(Base):
    """How many tickets to the station a train had sold at an instant; not how many were new."""

    __tablename__ = "ticket_sale"
    __table_args__ = (CheckConstraint("sold >= 0", name="sold"),)

    train_run_id: Mapped[int] = mapped_column(
        ForeignKey("train_run.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    sold: Mapped[int] = mapped_column(Integer)


class TrainArrival(Base):
    """When a train came, and how many left it here if anybody counted."""

    __tablename__ = "train_arrival"
    __table_args__ = (CheckConstraint("alighted >= 0", name="alighted"),)

    train_run_id: Mapped[int] = mapped_column(
        ForeignKey("train_run.id", ondelete="CASCADE"), primary_key=True
    )
    actual_at: Mapped[datetime] = mapped_column(UtcDateTime)
    alighted: Mapped[int | None] = mapped_column(Integer)


class GateCount(Base):
    """How many people passed the check point from an instant on, for some minutes."""

    __tablename__ = "gate_count"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 5 AND 60", name="minutes"),
        CheckConstraint("count >= 0", name="count"),
    )

    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    minutes: Mapped[int] = mapped_column(Integer)
    count: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(32))


class TicketFeed(Base):
    """How far a live feed has been read, and how the last attempt went."""

    __tablename__ = "ticket_feed"
    __table_args__ = (CheckConstraint("failed_count >= 0", name="failed_count"),)

    source: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Where the next poll goes on; only the source knows what it means.
    watermark: Mapped[str] = mapped_column(String(200), default="")
    # Up to when the source says that its sales are complete.
    complete_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The last attempt, and the last one that succeeded.
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    succeeded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Attempts that failed since the last success, and why the last of them did.
    failed_count: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str] = mapped_column(String(40), default="")


class FittedReference(Base):
    """The reference tables that the forecasts of a local day rest on."""

    __tablename__ = "fitted_reference"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    # Compressed JSON.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    fitted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IssuedForecast(Base):
    """A forecast as it was issued; it is never changed."""

    __tablename__ = "issued_forecast"
    __table_args__ = (
        UniqueConstraint("from_at", "made_at"),
        CheckConstraint("occasion IN ('midnight', 'hourly', 'data')", name="occasion"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    occasion: Mapped[str] = mapped_column(String(12))
    # Of the inputs: the same inputs are not issued twice.
    digest: Mapped[str] = mapped_column(String(64))
    flags: Mapped[list[str]] = mapped_column(JSON)
    # Compressed JSON.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class ForecastGrade(Base):
    """How right the forecast of a local day was, beside what is simpler."""

    __tablename__ = "forecast_grade"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    forecast_id: Mapped[int] = mapped_column(ForeignKey("issued_forecast.id", ondelete="RESTRICT"))
    measures: Mapped[dict[str, Any]] = mapped_column(JSON)
    baselines: Mapped[dict[str, Any]] = mapped_column(JSON)
    graded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StationSetting(Base):
    """A version of the station's settings, in force from an instant until the next one."""

    __tablename__ = "station_setting"

    id: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime, unique=True)
    set_by: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(200))
