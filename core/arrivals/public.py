"""What everyone may know of the arrivals: busy and quiet hours in words, never a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.arrivals.bodies import KeptForecast, kept_in
from core.arrivals.crowds import Crowd, crowds_of
from core.arrivals.issued import find_newest
from core.arrivals.model import IssuedForecast
from core.arrivals.rules import Fallback
from core.clock import day_of

HOUR: Final = timedelta(hours=1)
DEGRADING: Final = frozenset({Fallback.NO_TICKETS, Fallback.NO_TIMETABLE, Fallback.FEED_STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHour:
    """An hour and the word for it."""

    starts_at: datetime
    crowd: Crowd


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHours:
    """What everyone may know of a day: busy and quiet hours in words, never numbers.

    Attributes:
        day: local.
        made_at: when the forecast was made.
        hours: those of the day that are ahead and that the forecast covers, in order.
        is_degraded: made without tickets or timetable.
        is_of_before: the forecast was made on a local day before.
    """

    day: date
    made_at: datetime
    hours: tuple[PublicHour, ...]
    is_degraded: bool
    is_of_before: bool = False


def find_public_hours(session: Session, *, now: datetime, day: date) -> PublicHours | None:
    """Return busy and quiet hours of a local day, or None where no forecast covers any of it.

    Args:
        session: may be a reading one.
        now: aware instant; hours that are over are left out.
        day: today or tomorrow; until tomorrow as a whole is forecast, its first hours are known.
    """
    rows = (find_newest(session, now=now, day=day), find_newest(session, now=now))
    made = sorted((row for row in rows if row is not None), key=_made_at)
    means: dict[datetime, float] = {}
    for row in made:
        kept = kept_in(row.body)
        # Of an hour that both hold the newer one knows more.
        means |= {at: mean for at, mean in _hours_of(kept) if day_of(at) == day}
    ahead = [at for at in sorted(means) if at + HOUR > now]
    if not ahead:
        return None
    newest = kept_in(made[-1].body)
    # An hour is busy or quiet beside the whole day, those hours that are over among it.
    words = crowds_of([means[at] for at in sorted(means)], usual_peak=newest.usual_peak)
    crowds = dict(zip(sorted(means), words, strict=True))
    return PublicHours(
        day=day,
        made_at=made[-1].made_at,
        hours=tuple(PublicHour(starts_at=at, crowd=crowds[at]) for at in ahead),
        is_degraded=bool(newest.flags & DEGRADING),
        is_of_before=day_of(made[-1].made_at) < day_of(now),
    )


def _made_at(row: IssuedForecast) -> datetime:
    return row.made_at


def _hours_of(kept: KeptForecast) -> list[tuple[datetime, float]]:
    return [(kept.from_at + place * HOUR, band.mean) for place, band in enumerate(kept.hours)]
