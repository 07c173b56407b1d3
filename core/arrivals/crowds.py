"""How crowded an hour is, in the four words that everyone may hear."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

BUSIEST_COUNT: Final = 2
# Of what an ordinary day's busiest hour brings.
BUSY_SHARE: Final = 0.6
STEADY_SHARE: Final = 0.25


class Crowd(StrEnum):
    """How crowded an hour is."""

    BUSIEST = "busiest"
    BUSY = "busy"
    STEADY = "steady"
    QUIET = "quiet"


def crowds_of(hours: Sequence[float], *, usual_peak: float) -> tuple[Crowd, ...]:
    """Return the word for every hour.

    Words measure an hour by what is usual, so that a day on which hardly anybody comes has no
    busy hour; the busiest two of a day have their own word where they are busy at all.

    Args:
        hours: persons expected, of one day or 24 hours.
        usual_peak: persons in the busiest hour of an ordinary day; 0: not known, then the
            busiest hour of these stands for it.

    Source: docs/sources.md#arrivals-crowd-words
    """
    scale = max(usual_peak, max(hours, default=0.0))
    ranked = sorted(range(len(hours)), key=lambda place: -hours[place])
    busiest = {
        place for place in ranked[:BUSIEST_COUNT] if _crowd_of(hours[place], scale) is Crowd.BUSY
    }
    return tuple(
        Crowd.BUSIEST if place in busiest else _crowd_of(persons, scale)
        for place, persons in enumerate(hours)
    )


def _crowd_of(persons: float, scale: float) -> Crowd:
    if not persons or persons < STEADY_SHARE * scale:
        return Crowd.QUIET
    return Crowd.BUSY if persons >= BUSY_SHARE * scale else Crowd.STEADY
