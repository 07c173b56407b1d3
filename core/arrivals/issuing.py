"""Issuing forecasts: what is known becomes a row that nobody changes afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from core.arrivals.bodies import TrainNote, body_of
from core.arrivals.drawing import ArrivalsWithoutBasisError
from core.arrivals.fitting import find_references
from core.arrivals.forecasting import Forecast, forecast
from core.arrivals.inputs import CountTable, Inputs, TrainInput, sold_at
from core.arrivals.issued import Due, Occasion, find_same, is_issued
from core.arrivals.model import IssuedForecast
from core.arrivals.origins import find_key_areas
from core.arrivals.references import References, document_of
from core.arrivals.rules import (
    DRAWS,
    FORECAST_HOURS,
    SLOTS_PER_HOUR,
    STALE_MINUTES,
    StationSettings,
)
from core.arrivals.service import BEFORE_HOURS, load_coming
from core.arrivals.settings import find_change, find_settings
from core.arrivals.staffing import Roster, staff
from core.clock import day_of, start_of
from core.db import take_turn

# Tomorrow as a whole is forecast from this hour on, so that tonight it can be seen.
TOMORROW_FROM: Final = timedelta(hours=16)
# New sales come with every poll; what is issued is kept, so not with every one.
DATA_PAUSE: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
USUAL_DAYS: Final = 28
# A day counts towards what is usual if at least so much of it was counted.
COUNTED_SHARE: Final = 0.5

# Any number that no other queue of the application has.
_ISSUING: Final = 0x41525249


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A forecast that may be issued.

    Attributes:
        forecast: as made.
        roster: the posts for it.
        settings: that both were made with.
        notes: by number and schedule, what is told of its trains besides.
        usual_peak: persons in the busiest hour of an ordinary day; 0: not known.
        digest: of all that it was made from; the same inputs have the same.
    """

    forecast: Forecast
    roster: Roster
    settings: StationSettings
    notes: Mapping[tuple[str, datetime], TrainNote]
    usual_peak: float
    digest: str

    @property
    def body(self) -> bytes:
        """As it is kept."""
        return body_of(self.forecast, self.roster, notes=self.notes, usual_peak=self.usual_peak)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a forecast is made from, before it is made.

    Attributes:
        inputs: trains, sales, counts.
        references: of earlier days.
        settings: of the station.
        key_areas: by number and schedule, the key areas that trains come from.
        from_at: where the window begins, a full hour.
        digest: of all of it.
    """

    inputs: Inputs
    references: References
    settings: StationSettings
    key_areas: Mapping[tuple[str, datetime], tuple[str, ...]]
    from_at: datetime
    digest: str


def hour_of(at: datetime) -> datetime:
    """Return the full hour that an instant lies in; Shanghai is whole hours from UTC."""
    return at.replace(minute=0, second=0, microsecond=0)


# ---- from what is known to a forecast --------------------------------------------------------


def load_known(session: Session, *, known_at: datetime, from_at: datetime, now: datetime) -> Known:
    """Return what a forecast is made from, in a fixed number of statements.

    Args:
        session: may be a reading one.
        known_at: aware instant; nothing later is looked at.
        from_at: aware instant in whose hour the window begins.
        now: aware instant of the look.
    """
    start = hour_of(from_at)
    inputs = load_coming(session, now=known_at, hours=FORECAST_HOURS, from_at=start)
    if known_at < now:
        inputs = _without_live(inputs)
    settings = find_settings(session, now=known_at)
    references = find_references(session, now=known_at)
    key_areas = find_key_areas(
        session,
        start=start - timedelta(hours=BEFORE_HOURS),
        end=start + timedelta(hours=FORECAST_HOURS),
    )
    digest = _digest_of(inputs, references, settings, key_areas=key_areas, from_at=start)
    return Known(
        inputs=inputs,
        references=references,
        settings=settings,
        key_areas=key_areas,
        from_at=start,
        digest=digest,
    )


def prepared_of(known: Known, *, draws: int = DRAWS) -> Prepared:
    """Return the forecast that follows from what is known; the same gives the same.

    Args:
        known: as loaded.
        draws: days that are simulated.

    Raises:
        ArrivalsWithoutBasisError: there is neither a timetable nor a day that was counted.
    """
    made = forecast(
        known.inputs,
        known.references,
        from_at=known.from_at,
        hours=FORECAST_HOURS,
        settings=known.settings,
        draws=draws,
        # Chance, but the same for the same inputs.
        seed=int(known.digest[:8], 16),
    )
    return Prepared(
        forecast=made,
        roster=staff(made, settings=known.settings),
        settings=known.settings,
        notes={(one.number, one.scheduled_at): _note_of(one, known) for one in known.inputs.trains},
        usual_peak=usual_peak_of(known.inputs.counts, day=day_of(known.inputs.now)),
        digest=known.digest,
    )


def _note_of(train: TrainInput, known: Known) -> TrainNote:
    return TrainNote(
        train_class=train.train_class,
        capacity=train.capacity,
        sold=sold_at(train, known.inputs.now),
        key_areas=known.key_areas.get((train.number, train.scheduled_at), ()),
    )


def usual_peak_of(counts: CountTable, *, day: date) -> float:
    """Return how many come in the busiest hour of an ordinary day; 0 where nobody counted.

    Args:
        counts: at the gate.
        day: the local day; what is usual is the median of the 28 before it.
    """
    values = counts.until(day).values[-USUAL_DAYS:]
    days = values[np.isfinite(values).mean(axis=1) >= COUNTED_SHARE]
    if not len(days):
        return 0.0
    hours = np.nansum(days.reshape(len(days), -1, SLOTS_PER_HOUR), axis=2)
    return float(np.median(hours.max(axis=1)))


def _digest_of(
    inputs: Inputs,
    references: References,
    settings: StationSettings,
    *,
    key_areas: Mapping[tuple[str, datetime], tuple[str, ...]],
    from_at: datetime,
) -> str:
    """Return the digest of what makes a difference to a forecast.

    The instant alone makes none, nor does today's count: else every minute had a forecast.
    """
    counts = inputs.counts.until(day_of(inputs.now))
    digest = hashlib.sha256()
    for train in inputs.trains:
        told = [getattr(train, one.name) for one in fields(TrainInput) if one.name != "sold"]
        areas = key_areas.get((train.number, train.scheduled_at), ())
        digest.update(repr((told, sold_at(train, inputs.now), areas)).encode())
    digest.update(repr((counts.start_day, counts.values.shape)).encode())
    digest.update(np.ascontiguousarray(counts.values).tobytes())
    digest.update(json.dumps(document_of(references), sort_keys=True).encode())
    digest.update(repr((from_at.timestamp(), settings, _is_stale(inputs))).encode())
    return digest.hexdigest()


def _is_stale(inputs: Inputs) -> bool:
    until = inputs.tickets_until
    return until is not None and inputs.now - until > timedelta(minutes=STALE_MINUTES)


# ---- issuing ---------------------------------------------------------------------------------


def issue_forecast(
    session: Session,
    *,
    now: datetime,
    occasion: Occasion,
    from_at: datetime | None = None,
    draws: int = DRAWS,
) -> IssuedForecast:
    """Make a forecast of 24 hours and keep it, unless the newest was made from the same.

    Args:
        session: of a transaction.
        now: aware instant. The forecast of a midnight looks at nothing later than that, however
            late it is made.
        occasion: why.
        from_at: aware instant in whose hour the window begins; None: `now`, or its midnight.
        draws: days that are simulated.

    Returns:
        The forecast; the older one where nothing has changed since.

    Raises:
        ArrivalsWithoutBasisError: there is neither a timetable nor a day that was counted.
    """
    due = Due(from_at=from_at or _known_at(occasion, now=now), occasion=occasion)
    known = load_due(session, due=due, now=now)
    same = find_same(session, from_at=known.from_at, digest=known.digest)
    if same is not None:
        return same
    prepared = prepared_of(known, draws=draws)
    return keep_forecast(session, prepared, now=now, occasion=occasion)


def issue_midnight(session: Session, *, now: datetime) -> IssuedForecast | None:
    """Issue the forecast of today that looks at nothing after its midnight, if there is none yet.

    Args:
        session: of a transaction.
        now: aware instant.

    Returns:
        The forecast; None where there was one, or nothing that it could rest on.
    """
    if all(one.occasion is not Occasion.MIDNIGHT for one in list_due(session, now=now)):
        return None
    try:
        return issue_forecast(session, now=now, occasion=Occasion.MIDNIGHT)
    except ArrivalsWithoutBasisError:
        return None


def load_due(session: Session, *, due: Due, now: datetime) -> Known:
    """Return what a forecast that is due is made from.

    Args:
        session: may be a reading one.
        due: which forecast.
        now: aware instant.
    """
    known_at = _known_at(due.occasion, now=now)
    return load_known(session, known_at=known_at, from_at=due.from_at, now=now)


def keep_forecast(
    session: Session, prepared: Prepared, *, now: datetime, occasion: Occasion
) -> IssuedForecast:
    """Keep a forecast as it is issued; where another process was quicker, return its row.

    Args:
        session: of a transaction.
        prepared: what to keep.
        now: aware instant at which it is issued.
        occasion: why.
    """
    take_turn(session, number=_ISSUING)
    same = find_same(session, from_at=prepared.forecast.from_at, digest=prepared.digest)
    if same is not None:
        return same
    row = row_of(prepared, now=now, occasion=occasion)
    session.add(row)
    session.flush()
    return row


def row_of(prepared: Prepared, *, now: datetime, occasion: Occasion) -> IssuedForecast:
    """Return a forecast as a row that no session knows yet.

    Args:
        prepared: what it holds.
        now: aware instant at which it is made.
        occasion: why.
    """
    return IssuedForecast(
        made_at=now,
        from_at=prepared.forecast.from_at,
        occasion=occasion.value,
        digest=prepared.digest,
        flags=sorted(prepared.forecast.flags),
        body=prepared.body,
        settings=asdict(prepared.settings),
    )


def _known_at(occasion: Occasion, *, now: datetime) -> datetime:
    return start_of(day_of(now)) if occasion is Occasion.MIDNIGHT else now


def _without_live(inputs: Inputs) -> Inputs:
    # What a train reports while it is under way came after the instant that is looked back to.
    trains = tuple(replace(one, live_delay_minutes=None) for one in inputs.trains)
    return replace(inputs, trains=trains)


# ---- what is due ------------------------------------------------------------------------------


def list_due(session: Session, *, now: datetime) -> list[Due]:
    """Return the forecasts to issue at an instant, unless nothing has changed since the last.

    The day's at midnight, the next 24 hours every hour and on new data, and from 16:00 on that
    of the whole of tomorrow, every hour. Who changes the station's settings waits for none of it.

    Args:
        session: may be a reading one.
        now: aware instant.
    """
    midnight, hour = start_of(day_of(now)), hour_of(now)
    changed_at = find_change(session, now=now) or midnight
    due = []
    if not is_issued(session, from_at=midnight, since=midnight):
        due.append(Due(from_at=midnight, occasion=Occasion.MIDNIGHT))
    if not is_issued(session, from_at=hour, since=hour):
        # That of the first hour is the midnight's.
        due += [Due(from_at=hour, occasion=Occasion.HOURLY)] if hour != midnight else []
    elif not is_issued(session, from_at=hour, since=max(now - DATA_PAUSE, changed_at)):
        due.append(Due(from_at=hour, occasion=Occasion.DATA))
    tomorrow = start_of(day_of(now) + timedelta(days=1))
    is_time = now - midnight >= TOMORROW_FROM
    if is_time and not is_issued(session, from_at=tomorrow, since=max(hour, changed_at)):
        due.append(Due(from_at=tomorrow, occasion=Occasion.HOURLY))
    return due
