from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.arrivals.crowds import Crowd
from core.arrivals.public import PublicHour
from core.arrivals.spans import CrowdSpan, spans_of
from core.clock import SHANGHAI

START = datetime(2020, 2, 13, tzinfo=SHANGHAI)


@given(
    st.dictionaries(st.integers(0, 23), st.sampled_from(Crowd), max_size=24),
    st.tuples(st.integers(0, 24), st.integers(0, 24)),
)
def test_spans_say_of_every_hour_what_is_known_of_it_and_none_could_be_longer(
    known: dict[int, Crowd], within: tuple[int, int]
) -> None:
    hours = [
        PublicHour(starts_at=START + timedelta(hours=hour), crowd=known[hour])
        for hour in sorted(known)
    ]
    spans = spans_of(hours, within=within)
    told = {hour: one.crowd for one in spans for hour in range(one.start_hour, one.end_hour)}
    first, end = within
    assert told == {hour: crowd for hour, crowd in known.items() if first <= hour < end}
    assert not [
        (one, after)
        for one, after in pairwise(spans)
        if one.end_hour == after.start_hour and one.crowd is after.crowd
    ]


def test_hours_that_are_not_known_part_two_spans() -> None:
    hours = [
        PublicHour(starts_at=START + timedelta(hours=hour), crowd=Crowd.BUSY) for hour in (8, 9, 11)
    ]
    assert spans_of(hours) == (
        CrowdSpan(start_hour=8, end_hour=10, crowd=Crowd.BUSY),
        CrowdSpan(start_hour=11, end_hour=12, crowd=Crowd.BUSY),
    )
