"""The demo's key areas: some that count for the last two weeks, some that are over."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from bot.demo.key_areas import make_key_areas
from core.keyareas.importing import import_key_areas
from core.keyareas.service import list_areas

TODAY = date(2020, 3, 28)


def test_key_areas_can_be_imported_and_some_are_over(session: Session, now: datetime) -> None:
    outcome = import_key_areas(session, make_key_areas(today=TODAY), now=now)
    assert (outcome.created_count, outcome.rejections) == (5, [])
    session.flush()
    areas = list_areas(session)
    assert any(area.until is None for area in areas)
    assert any(area.until is not None and area.until < now for area in areas)


def test_another_day_moves_the_list_along() -> None:
    first, later = (
        [row.cells["since"] for row in make_key_areas(today=day)]
        for day in (TODAY, date(2020, 3, 29))
    )
    assert [date.fromisoformat(one).toordinal() + 1 for one in first] == [
        date.fromisoformat(one).toordinal() for one in later
    ]
