"""Hours next to each other for which there is the same word, as people speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from core.clock import local

if TYPE_CHECKING:
    from core.arrivals.crowds import Crowd
    from core.arrivals.public import PublicHour


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdSpan:
    """Some hours of one local day.

    Attributes:
        start_hour: 0-23.
        end_hour: 1-24, after the last one.
        crowd: the word for all of them.
    """

    start_hour: int
    end_hour: int
    crowd: Crowd


def spans_of(
    hours: Sequence[PublicHour], *, within: tuple[int, int] | None = None
) -> tuple[CrowdSpan, ...]:
    """Return the hours of a day as spans, in order; an hour that is missing parts two of them.

    Args:
        hours: of one local day, in order.
        within: from which hour up to which, 0-24; None: all that there are.
    """
    first, end = within or (0, 24)
    known = [(local(one.starts_at).hour, one.crowd) for one in hours]
    chosen = [(hour, crowd) for hour, crowd in known if first <= hour < end]
    # Hours of a run that have no gap differ from their places by the same number.
    runs = groupby(enumerate(chosen), key=lambda placed: (placed[1][0] - placed[0], placed[1][1]))
    spans = []
    for (_, crowd), run in runs:
        run_hours = [hour for _, (hour, _) in run]
        spans.append(CrowdSpan(start_hour=run_hours[0], end_hour=run_hours[-1] + 1, crowd=crowd))
    return tuple(spans)
