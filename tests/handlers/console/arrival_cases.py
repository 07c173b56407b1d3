"""Boards as a station manager may come to see them, made up figure by figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core.arrivals.crowds import Crowd
from core.arrivals.grades import BaselineGrade, ComparedDay, ComparedSlot, Grade
from core.arrivals.overview import (
    Board,
    FeedState,
    HourLine,
    KeyAreaShare,
    PeakLine,
    ShiftLine,
    SlotLine,
    TrainLine,
)
from core.arrivals.rules import Band, Fallback, StationSettings, TrainClass
from core.clock import SHANGHAI, day_of

START = datetime(2020, 2, 13, 0, 0, tzinfo=SHANGHAI)
NOW = START - timedelta(hours=3)
MANY = {9, 12}


def band(mean: float) -> Band:
    """Return a band of 20 and 40 percent around a number of persons."""
    return Band(mean=mean, low80=mean * 0.8, high80=mean * 1.2, low95=mean * 0.6, high95=mean * 1.4)


def board(**changes: Any) -> Board:
    """Return a day of 24 hours with peaks at 9 and 12, and a train from a key area."""
    slots = [
        SlotLine(
            starts_at=START + timedelta(minutes=5 * place),
            band=band(80 if place // 12 in MANY else 10),
            needed=9 if place // 12 in MANY else 2,
            posts=10 if 96 <= place < 168 else 2,
        )
        for place in range(288)
    ]
    usual = Board(
        forecast_id=1,
        made_at=NOW,
        from_at=START,
        until_at=START + timedelta(days=1),
        total=band(5000),
        slots=tuple(slots),
        hours=tuple(_hour(number) for number in range(24)),
        peaks=tuple(_peak(number) for number in sorted(MANY)),
        peak_share=0.41,
        top_hours=(_hour(9), _hour(12)),
        shifts=(_shift(0, 8, 2), _shift(8, 14, 10), _shift(14, 22, 3), _shift(22, 24, 0)),
        post_hours=101.5,
        max_posts=10,
        is_limited=False,
        trains=(train("D3135", 9), train("K511", 11, key_areas=("湖北省",), origin="武汉")),
        key_areas=KeyAreaShare(mean=120, share=0.024, train_count=1),
        feed=FeedState(
            is_connected=True,
            is_stale=False,
            complete_at=NOW,
            succeeded_at=NOW,
            failed_count=0,
            last_error="",
        ),
        flags=frozenset(),
        settings=StationSettings(),
        yesterday=compared(),
        grades=(grade(),),
        alert=None,
    )
    return replace(usual, **changes)


def train(number: str, hour: int, **changes: Any) -> TrainLine:
    """Return a train that comes five minutes late."""
    usual = TrainLine(
        number=number,
        train_class=TrainClass.EMU,
        origin="杭州",
        scheduled_at=START + timedelta(hours=hour),
        expected_at=START + timedelta(hours=hour, minutes=5),
        capacity=600,
        sold=110,
        mean=120,
        low80=100,
        high80=140,
        is_cancelled=False,
        is_sold_out=False,
        fallback=None,
        key_areas=(),
    )
    return replace(usual, **changes)


def grade(**changes: Any) -> Grade:
    """Return the grade of the day before the board's."""
    usual = Grade(
        day=day_of(START) - timedelta(days=1),
        made_at=START - timedelta(days=1),
        expected=4900,
        actual=5012,
        wmape_pct=7.4,
        mae=3.1,
        rmse=4.2,
        pinball=1.2,
        coverage_80_pct=81,
        coverage_95_pct=94,
        top2_hits=2,
        over_post_hours=3.5,
        short_post_hours=0.5,
        slot_minutes=15,
        baselines={"yesterday": BaselineGrade(wmape_pct=11.9, mae=5.0)},
        flags=frozenset(),
    )
    return replace(usual, **changes)


def compared() -> ComparedDay:
    """Return that day beside what came; the last quarter of an hour was not counted."""
    slots = [
        ComparedSlot(
            starts_at=START - timedelta(days=1) + timedelta(minutes=15 * place),
            band=band(50),
            actual=None if place == 95 else 52,
        )
        for place in range(96)
    ]
    return ComparedDay(grade=grade(), slots=tuple(slots))


def poor_board() -> Board:
    """Return a board that had to do without tickets, with a train for every mark."""
    return board(
        flags=frozenset({Fallback.NO_TICKETS, Fallback.SHORT_HISTORY}),
        is_limited=True,
        settings=StationSettings(post_limit=8),
        trains=(
            train("G1", 8, is_cancelled=True, mean=0),
            train("G2", 9, is_sold_out=True),
            train("G3", 10, sold=None, fallback=Fallback.NO_TICKETS),
        ),
    )


def _hour(number: int) -> HourLine:
    is_peak = number in MANY
    return HourLine(
        starts_at=START + timedelta(hours=number),
        band=band(1000 if is_peak else 130),
        share=0.2 if is_peak else 0.03,
        top_probability=0.95 if is_peak else 0.0,
        posts=10 if is_peak else 2,
        crowd=Crowd.BUSIEST if is_peak else Crowd.QUIET,
    )


def _peak(number: int) -> PeakLine:
    return PeakLine(
        starts_at=START + timedelta(hours=number),
        ends_at=START + timedelta(hours=number + 1),
        mean=1000,
        share=0.2,
    )


def _shift(start: int, end: int, posts: int) -> ShiftLine:
    return ShiftLine(
        starts_at=START + timedelta(hours=start),
        ends_at=START + timedelta(hours=end),
        posts=posts,
        relief=1 if posts else 0,
        mean=400,
    )
