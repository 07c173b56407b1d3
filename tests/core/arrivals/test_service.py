from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from sqlalchemy.orm import Session

from core.arrivals.importing.arrivals import import_arrivals
from core.arrivals.importing.counts import import_counts
from core.arrivals.importing.tickets import import_tickets
from core.arrivals.importing.trains import import_trains
from core.arrivals.model import TicketFeed
from core.arrivals.rules import TrainClass
from core.arrivals.service import find_feed, load_counts, load_inputs
from core.clock import SHANGHAI
from tests.core.importing_rows import Cells, loader_of
from tests.core.risk.values import count_statements

TODAY = date(2020, 3, 28)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2020-03-{text}").replace(tzinfo=SHANGHAI)


def train(number: str, arrives: str, **changes: str) -> Cells:
    return {
        "number": number,
        "origin": "杭州",
        "scheduled_at": f"2020-03-{arrives}",
        "capacity": "100",
    } | changes


def sale(number: str, day: str, told: str, sold: int) -> Cells:
    return {"number": number, "day": f"2020-03-{day}", "at": f"2020-03-{told}", "sold": str(sold)}


@pytest.fixture
def station(session: Session, now: datetime) -> Session:
    """Trains of three days, of which it is 08:00 on the second."""
    loader_of(import_trains)(
        session,
        now,
        train("D1", "27 09:00"),
        train("D1", "28 04:30"),
        train("D2", "28 05:30", capacity=""),
        train("D3", "28 09:00", cancelled="1", delay_minutes="7"),
        train("D4", "29 07:59"),
        train("D5", "29 08:00"),
    )
    loader_of(import_tickets)(
        session,
        now,
        sale("D1", "27", "26 08:00", 10),
        sale("D1", "27", "27 08:30", 50),
        sale("D4", "29", "28 07:00", 20),
        sale("D4", "29", "28 07:40", 30),
    )
    loader_of(import_arrivals)(
        session,
        now,
        {"number": "D1", "day": "2020-03-27", "actual_at": "2020-03-27 09:06", "alighted": "44"},
        {"number": "D2", "day": "2020-03-28", "actual_at": "2020-03-28 07:45"},
    )
    return session


def test_coming_trains_are_those_of_the_days_that_the_window_touches(
    station: Session, now: datetime
) -> None:
    inputs = load_inputs(station, now=now)
    assert [one.number for one in inputs.trains] == ["D1", "D2", "D3", "D4", "D5"]
    _early, late, cancelled, full, _later = inputs.trains
    assert (late.capacity, late.actual_at, late.alighted) == (0, at("28 07:45"), None)
    assert (cancelled.is_cancelled, cancelled.live_delay_minutes) == (True, 7)
    assert full.sold == ((at("28 07:00"), 20), (at("28 07:40"), 30))
    assert full.train_class is TrainClass.EMU
    assert inputs.tickets_until == at("28 07:40")


def test_history_is_of_the_days_before(station: Session, now: datetime) -> None:
    history = load_inputs(station, now=now).history
    assert list(history.days) == [date(2020, 3, 27).toordinal()]
    assert history.minutes[0] == 9 * 60
    assert (history.alighted[0], history.delays[0]) == (44, 6)
    # At leads of 0, 1, …, 24 hours.
    assert history.sold[0].tolist() == [50, *[10] * 7]


def test_nothing_later_than_the_instant_is_looked_at(station: Session) -> None:
    inputs = load_inputs(station, now=at("28 07:30"))
    by_number = {one.number: one for one in inputs.trains}
    assert by_number["D2"].actual_at is None
    assert by_number["D4"].sold == ((at("28 07:00"), 20),)
    assert inputs.tickets_until == at("28 07:00")


def test_live_feed_says_up_to_when_sales_are_known(station: Session, now: datetime) -> None:
    assert find_feed(station) is None
    station.add(TicketFeed(source="ticketing", complete_at=at("28 06:00"), polled_at=now))
    station.flush()
    assert load_inputs(station, now=now).tickets_until == at("28 06:00")
    assert load_inputs(station, now=at("28 05:00")).tickets_until == at("28 05:00")


def test_counts_are_spread_over_their_time_and_what_was_not_counted_is_no_zero(
    session: Session, now: datetime
) -> None:
    loader_of(import_counts)(
        session,
        now,
        {"starts_at": "2020-03-26 23:55", "minutes": "15", "count": "9"},
        {"starts_at": "2020-03-28 07:30", "minutes": "15", "count": "30"},
        {"starts_at": "2020-03-28 07:45", "minutes": "5", "count": "0"},
        {"starts_at": "2020-03-28 07:55", "minutes": "10", "count": "5"},
    )
    table = load_counts(session, now=now)
    assert (table.start_day, table.end_day) == (date(2020, 3, 26), date(2020, 3, 29))
    assert table.values[0, -1] == 3
    assert table.values[1, :2].tolist() == [3, 3]
    assert table.values[2, 90:94].tolist() == [10, 10, 10, 0]
    # The last one is not over.
    assert np.isfinite(table.values).sum() == 7
    assert len(load_counts(session, now=now, days=0).values) == 1


def test_without_counts_the_table_has_no_day(session: Session, now: datetime) -> None:
    assert load_counts(session, now=now).values.shape == (0, 288)


def test_inputs_take_the_same_statements_however_many_trains(
    station: Session, now: datetime
) -> None:
    engine = station.get_bind().engine
    few = count_statements(engine, lambda: load_inputs(station, now=now))
    more = [train(f"G{place}", f"28 {place % 24:02}:10") for place in range(100, 160)]
    loader_of(import_trains)(station, now, *more)
    assert few == count_statements(engine, lambda: load_inputs(station, now=now)) == 6
    assert len(load_inputs(station, now=now).trains) > 40


def test_train_of_before_midnight_may_still_be_on_its_way(station: Session) -> None:
    loader_of(import_trains)(station, at("28 08:00"), train("K9", "27 22:30"))
    by_hour = {
        hour: [one.number for one in load_inputs(station, now=at(f"28 {hour}:00"), hours=3).trains]
        for hour in ("01", "02")
    }
    today = ["D1", "D2", "D3"]
    assert by_hour == {"01": ["K9", *today], "02": today}
