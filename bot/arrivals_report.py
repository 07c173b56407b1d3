"""What `flask arrivals` prints of a forecast: lines for people, a document for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.clock import local

if TYPE_CHECKING:
    from core.arrivals.overview import Board, TrainLine
    from core.arrivals.rules import Band


def document_of(board: Board) -> dict[str, Any]:
    """Return a forecast as plain values; instants are ISO 8601 in Shanghai time."""
    return {
        "made_at": _instant(board.made_at),
        "from_at": _instant(board.from_at),
        "until_at": _instant(board.until_at),
        "flags": sorted(board.flags),
        "total": asdict(board.total),
        "peaks": [
            {
                "starts_at": _instant(one.starts_at),
                "ends_at": _instant(one.ends_at),
                "mean": round(one.mean, 2),
                "share": round(one.share, 4),
            }
            for one in board.peaks
        ],
        "peak_share": round(board.peak_share, 4),
        "top_hours": [
            {"starts_at": _instant(one.starts_at), "probability": one.top_probability}
            for one in board.top_hours
        ],
        "hours": [
            {
                "starts_at": _instant(one.starts_at),
                **asdict(one.band),
                "share": round(one.share, 4),
                "top_probability": one.top_probability,
                "posts": one.posts,
            }
            for one in board.hours
        ],
        "slots": [
            {"starts_at": _instant(one.starts_at), **asdict(one.band), "posts": one.posts}
            for one in board.slots
        ],
        "shifts": [
            {
                "starts_at": _instant(one.starts_at),
                "ends_at": _instant(one.ends_at),
                "posts": one.posts,
                "relief": one.relief,
            }
            for one in board.shifts
        ],
        "post_hours": board.post_hours,
        "key_areas": asdict(board.key_areas),
        "trains": [_train_document(one) for one in board.trains],
    }


def _train_document(train: TrainLine) -> dict[str, Any]:
    return {
        "number": train.number,
        "class": train.train_class.value,
        "origin": train.origin,
        "scheduled_at": _instant(train.scheduled_at),
        "expected_at": _instant(train.expected_at),
        "capacity": train.capacity,
        "sold": train.sold,
        "mean": train.mean,
        "low80": train.low80,
        "high80": train.high80,
        "is_cancelled": train.is_cancelled,
        "is_sold_out": train.is_sold_out,
        "fallback": train.fallback.value if train.fallback else None,
        "key_areas": list(train.key_areas),
    }


def lines_of(board: Board) -> list[str]:
    """Return a forecast for an operator: the whole, the peaks, the posts, the hours."""
    whole = f"{_clock(board.from_at)} to {_clock(board.until_at)}: {_band(board.total)} people"
    flags = [f"made without: {', '.join(sorted(board.flags))}"] if board.flags else []
    peaks = ", ".join(
        f"{local(one.starts_at):%H:%M}-{local(one.ends_at):%H:%M} {one.share:.1%}"
        for one in board.peaks
    )
    shifts = [
        f"  {local(one.starts_at):%H:%M}-{local(one.ends_at):%H:%M} {one.posts} posts"
        f" and {one.relief} to relieve them"
        for one in board.shifts
        if one.posts
    ]
    hours = [
        f"  {local(one.starts_at):%H:%M} {_band(one.band)}, {one.share:.1%},"
        f" among the two busiest {one.top_probability:.0%}"
        for one in board.hours
        if one.band.high80 >= 1
    ]
    return [
        whole,
        *flags,
        f"peaks: {peaks or 'none'}; {board.peak_share:.1%} together",
        f"posts ({board.post_hours:.1f} post-hours):",
        *shifts,
        "hours:",
        *hours,
    ]


def _band(band: Band) -> str:
    return f"{band.mean:.0f} (80 %: {band.low80:.0f}-{band.high80:.0f})"


def _clock(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"


def _instant(at: datetime) -> str:
    return local(at).isoformat()
