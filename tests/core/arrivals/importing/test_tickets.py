from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.settling import OVER_CAPACITY, SALES_FELL
from core.arrivals.importing.tickets import import_tickets
from core.arrivals.importing.trains import import_trains
from core.arrivals.model import TicketSale, TrainRun
from core.clock import local
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_tickets)


@pytest.fixture(autouse=True)
def _trains(session: Session, now: datetime) -> None:
    rows = [
        {
            "number": number,
            "origin": "杭州东",
            "scheduled_at": "2020-03-28 09:05",
            "capacity": "100",
        }
        for number in ("G7301", "G7303")
    ]
    loader_of(import_trains)(session, now, *rows)


def cells(at: str = "2020-03-28 07:00", sold: str = "40", **changes: str) -> Cells:
    return {"number": "G7301", "day": "2020-03-28", "at": at, "sold": sold} | changes


def sales(session: Session) -> list[tuple[str, str, int]]:
    rows = session.execute(
        select(TrainRun.number, TicketSale.at, TicketSale.sold)
        .join(TrainRun, TrainRun.id == TicketSale.train_run_id)
        .order_by(TrainRun.number, TicketSale.at)
    )
    return [(number, f"{local(at):%H:%M}", sold) for number, at, sold in rows]


def test_sales_are_kept_by_train_and_instant_and_corrected(session: Session, now: datetime) -> None:
    rows = [cells(), cells("2020-03-28 07:30", "50"), cells(number="g7303")]
    assert counts(load(session, now, *rows)) == (3, 0, 0, 0)
    assert counts(load(session, now, *rows)) == (0, 0, 3, 0)
    assert counts(load(session, now, cells(sold="41"), rows[1])) == (0, 1, 1, 0)
    assert sales(session) == [
        ("G7301", "07:00", 41),
        ("G7301", "07:30", 50),
        ("G7303", "07:00", 40),
    ]


def test_more_than_the_train_holds_counts_as_full(session: Session, now: datetime) -> None:
    outcome = load(session, now, cells(sold="130"), cells("2020-03-28 07:30", "140"))
    assert outcome.findings == {OVER_CAPACITY: ["2020-03-28 G7301"]}
    assert [sold for *_, sold in sales(session)] == [100, 100]


@pytest.mark.parametrize(
    ("sold", "is_named"), [("61", False), ("60", True), ("0", True)], ids=["few", "many", "all"]
)
def test_many_tickets_given_back_at_once_are_named(
    session: Session, now: datetime, sold: str, is_named: bool
) -> None:
    load(session, now, cells("2020-03-28 06:00", "80"))
    outcome = load(session, now, cells("2020-03-28 07:00", sold))
    assert outcome.created_count == 1
    assert outcome.findings == ({SALES_FELL: ["2020-03-28 G7301"]} if is_named else {})


def test_sales_that_cannot_be_are_refused_with_line_and_reason(
    session: Session, now: datetime
) -> None:
    wrong = {
        "train_unknown": cells(number="G9999"),
        "number_too_small": cells(sold="-1"),
        "cell_empty": cells(sold=""),
        "instant_to_come": cells("2020-03-28 08:06"),
        "day_too_late": cells("2020-03-29 08:00"),
        "sale_differs": cells(sold="39"),
    }

    outcome = load(session, now, cells(), *wrong.values(), cells())

    refused = {one.code: one.line for one in outcome.rejections}
    assert refused == {code: line for line, code in enumerate(wrong, start=3)}
    # The last row says the same again.
    assert counts(outcome)[:3] == (1, 0, 1)
    assert sales(session) == [("G7301", "07:00", 40)]


def test_train_of_another_day_is_another_train(session: Session, now: datetime) -> None:
    outcome = load(session, now, cells(day="2020-03-27"))
    assert [(one.code, one.facts) for one in outcome.rejections] == [
        ("train_unknown", {"value": "2020-03-27 G7301"})
    ]
