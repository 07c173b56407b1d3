"""A forecast as it is kept: compressed JSON, written once, read by pages without any arrays.

Instants are kept in seconds since 1970; persons with two decimals, which is far below what is
certain. What the covariances of slots need is kept with three digits.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from core.arrivals.rules import SLOT_MINUTES, Band, Fallback, TrainClass, TrainLoad
from core.clock import SHANGHAI

if TYPE_CHECKING:
    from core.arrivals.conformal import Scaling
    from core.arrivals.forecasting import Bands, Forecast
    from core.arrivals.inputs import Floats
    from core.arrivals.staffing import Roster

FORM: Final = 1
LEVEL: Final = 6
KEPT_COUNT: Final = 8
QUANTILES: Final = ("mean", "low80", "high80", "low95", "high95")

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainNote:
    """What is kept of a train beside its load.

    Attributes:
        train_class: of the number.
        capacity: seats; 0: not known.
        sold: tickets known when the forecast was made; None: not known.
        key_areas: names of those that its origin lies in, as the list was then.
    """

    train_class: TrainClass
    capacity: int
    sold: int | None
    key_areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrain(TrainLoad):
    """A train of a kept forecast."""

    note: TrainNote


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptShift:
    """A shift of a kept forecast."""

    starts_at: datetime
    ends_at: datetime
    posts: int
    relief: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptForecast:
    """A forecast as pages read it.

    Attributes:
        from_at: where the window begins, a full hour.
        until_at: its end.
        known_at: the instant up to which things were looked at.
        slots: by five minutes.
        quarters: by quarter of an hour.
        hours: by hour.
        total: of the window.
        trains: by schedule.
        peak_hours: starts of the fewest hours that hold the wanted share, in order.
        top_hours: start → probability of being one of the two busiest, the likeliest first.
        needed: posts that each five minutes need.
        planned: posts that the shifts keep open in them.
        shifts: in order, without a gap.
        post_hours: of the shifts, relief included.
        is_limited: more posts are needed at some time than there is room for.
        usual_peak: persons in the busiest hour of an ordinary day; 0: not known.
        flags: what the forecast was made without.
    """

    from_at: datetime
    until_at: datetime
    known_at: datetime
    slots: tuple[Band, ...]
    quarters: tuple[Band, ...]
    hours: tuple[Band, ...]
    total: Band
    trains: tuple[KeptTrain, ...]
    peak_hours: tuple[datetime, ...]
    top_hours: Mapping[datetime, float]
    needed: tuple[int, ...]
    planned: tuple[int, ...]
    shifts: tuple[KeptShift, ...]
    post_hours: float
    is_limited: bool
    usual_peak: float
    flags: frozenset[Fallback]


# ---- writing --------------------------------------------------------------------------------


def body_of(
    forecast: Forecast,
    roster: Roster,
    *,
    notes: Mapping[tuple[str, datetime], TrainNote],
    usual_peak: float,
) -> bytes:
    """Return a forecast and its posts as they are kept.

    Args:
        forecast: as made.
        roster: for it.
        notes: by number and scheduled arrival, one for each train of the forecast.
        usual_peak: persons in the busiest hour of an ordinary day; 0: not known.
    """
    document = {
        "form": FORM,
        "from": _seconds(forecast.from_at),
        "known": _seconds(forecast.made_at),
        "slots": _written(forecast.slots),
        "quarters": _written(forecast.quarters),
        "hours": _written(forecast.hours),
        "total": [_short(getattr(forecast.total, name)) for name in QUANTILES],
        "bulk": _numbers(forecast.bulk),
        "noise": _numbers(forecast.noise),
        "rest": _numbers(forecast.rest),
        "weights": _packed(forecast.weights),
        "spread": _packed(forecast.spread),
        "trains": [
            _train_written(one, notes[one.number, one.scheduled_at]) for one in forecast.train_loads
        ],
        "peaks": [
            [_seconds(one.start_at), _short(one.mean), float(one.share)] for one in forecast.peaks
        ],
        "top_hours": [[_seconds(at), round(float(chance), 4)] for at, chance in forecast.top_hours],
        "roster": _roster_written(roster),
        "usual_peak": _short(usual_peak),
        "flags": sorted(forecast.flags),
        "scaling": _scaling_written(forecast.scaling),
        "draws": forecast.draws,
        "seed": forecast.seed,
    }
    return packed(document)


def packed(document: Mapping[str, object]) -> bytes:
    """Return a document as compressed JSON."""
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(written.encode(), LEVEL)


def unpacked(body: bytes) -> Document:
    """Return the document of compressed JSON.

    Raises:
        ValueError: it is not one.
    """
    try:
        document: Document = json.loads(zlib.decompress(body))
    except zlib.error as error:
        raise ValueError("not a compressed document") from error
    return document


def _written(bands: Bands) -> dict[str, list[float]]:
    return {name: _numbers(getattr(bands, name)) for name in QUANTILES}


def _numbers(values: Floats) -> list[float]:
    return [_short(one) for one in values.tolist()]


def _packed(values: Floats) -> Document:
    # Float16 holds three digits, and no product of rows needs more.
    raw = values.astype("<f2").tobytes()
    return {"shape": list(values.shape), "bytes": base64.b64encode(raw).decode()}


def _train_written(load: TrainLoad, note: TrainNote) -> list[object]:
    return [
        *(load.number, load.origin, _seconds(load.scheduled_at), _seconds(load.expected_at)),
        *(_short(load.mean), _short(load.low80), _short(load.high80)),
        *(bool(load.is_cancelled), bool(load.is_sold_out), load.fallback),
        [note.train_class, note.capacity, note.sold, list(note.key_areas)],
    ]


def _roster_written(roster: Roster) -> Document:
    return {
        "needed": [int(posts) for posts in roster.slots],
        "planned": [int(posts) for posts in roster.planned],
        "shifts": [
            [_seconds(one.start_at), _seconds(one.end_at), int(one.posts), int(one.relief)]
            for one in roster.shifts
        ],
        "post_hours": _short(roster.post_hours),
        "is_limited": bool(roster.is_limited),
    }


def _scaling_written(scaling: Scaling) -> Document:
    return {
        "factors80": {window: float(one) for window, one in scaling.factors80.items()},
        "factors95": {window: float(one) for window, one in scaling.factors95.items()},
        "day_count": scaling.day_count,
    }


def _short(value: float) -> float:
    return round(float(value), 2)


def _seconds(at: datetime) -> int:
    return round(at.timestamp())


# ---- reading --------------------------------------------------------------------------------


@lru_cache(maxsize=KEPT_COUNT)
def kept_in(body: bytes) -> KeptForecast:
    """Return a kept forecast as pages read it; many ask for the newest ones.

    Raises:
        ValueError: it is not one.
    """
    found = unpacked(body)
    if found.get("form") != FORM:
        raise ValueError(f"a forecast of form {found.get('form')} cannot be read")
    from_at, roster = _instant(found["from"]), found["roster"]
    slots = _bands(found["slots"])
    return KeptForecast(
        from_at=from_at,
        until_at=from_at + timedelta(minutes=SLOT_MINUTES * len(slots)),
        known_at=_instant(found["known"]),
        slots=slots,
        quarters=_bands(found["quarters"]),
        hours=_bands(found["hours"]),
        total=_band(found["total"]),
        trains=tuple(map(_train, found["trains"])),
        peak_hours=tuple(_instant(at) for at, _, _ in found["peaks"]),
        top_hours={_instant(at): chance for at, chance in found["top_hours"]},
        needed=tuple(roster["needed"]),
        planned=tuple(roster["planned"]),
        shifts=tuple(map(_shift, roster["shifts"])),
        post_hours=roster["post_hours"],
        is_limited=roster["is_limited"],
        usual_peak=found["usual_peak"],
        flags=frozenset(map(Fallback, found["flags"])),
    )


def forecast_in(body: bytes) -> Forecast:
    """Return a kept forecast as it was made, but for decimals that were not kept.

    Raises:
        ValueError: it is not one.
    """
    import numpy as np

    from core.arrivals.forecasting import Bands, Forecast, Peak
    from core.arrivals.references import scaling_in

    def arrays(written: Mapping[str, Sequence[float]]) -> Bands:
        return Bands(**{name: np.array(written[name], float) for name in QUANTILES})

    found, kept = unpacked(body), kept_in(body)

    def precise(written: Mapping[str, Any]) -> Floats:
        raw = np.frombuffer(base64.b64decode(written["bytes"]), "<f2")
        return raw.astype(float).reshape(written["shape"])

    return Forecast(
        from_at=kept.from_at,
        made_at=kept.known_at,
        slots=arrays(found["slots"]),
        quarters=arrays(found["quarters"]),
        hours=arrays(found["hours"]),
        total=kept.total,
        bulk=np.array(found["bulk"], float),
        spread=precise(found["spread"]),
        weights=precise(found["weights"]),
        rest=np.array(found["rest"], float),
        noise=np.array(found["noise"], float),
        train_loads=tuple(map(_load_of, kept.trains)),
        peaks=tuple(
            Peak(start_at=_instant(at), mean=mean, share=share)
            for at, mean, share in found["peaks"]
        ),
        top_hours=tuple(kept.top_hours.items()),
        flags=kept.flags,
        scaling=scaling_in(found["scaling"]),
        draws=found["draws"],
        seed=found["seed"],
    )


def _load_of(train: KeptTrain) -> TrainLoad:
    """Return what was forecast of a kept train, without its note."""
    return TrainLoad(**{one.name: getattr(train, one.name) for one in fields(TrainLoad)})


def _bands(written: Mapping[str, Sequence[float]]) -> tuple[Band, ...]:
    columns = [written[name] for name in QUANTILES]
    return tuple(map(_band, zip(*columns, strict=True)))


def _band(values: Sequence[float]) -> Band:
    mean, low80, high80, low95, high95 = values
    return Band(mean=mean, low80=low80, high80=high80, low95=low95, high95=high95)


def _train(row: Sequence[Any]) -> KeptTrain:
    number, origin, scheduled, expected, mean, low80, high80, cancelled, full, without, note = row
    train_class, capacity, sold, key_areas = note
    return KeptTrain(
        number=number,
        origin=origin,
        scheduled_at=_instant(scheduled),
        expected_at=_instant(expected),
        mean=mean,
        low80=low80,
        high80=high80,
        is_cancelled=cancelled,
        is_sold_out=full,
        fallback=Fallback(without) if without else None,
        note=TrainNote(
            train_class=TrainClass(train_class),
            capacity=capacity,
            sold=sold,
            key_areas=tuple(key_areas),
        ),
    )


def _shift(row: Sequence[int]) -> KeptShift:
    start, end, posts, relief = row
    return KeptShift(starts_at=_instant(start), ends_at=_instant(end), posts=posts, relief=relief)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, SHANGHAI)
