"""Indicator values whose colours are known, and what it costs to work with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

import pytest
from sqlalchemy import Connection, Engine, event, insert
from sqlalchemy.orm import Session

from core.lookups import Lookup
from core.people.staff.model import StaffAccount
from core.risk.model import IndicatorValue
from core.risk.rulings.model import ColourOverride
from core.risk.versions import get_version

DAY = date(2020, 3, 27)
TODAY = date(2020, 3, 28)
VERSION = get_version()
HARMLESS = {one.code: 0.0 for one in VERSION.indicators}
YELLOW = HARMLESS | {"confirmed": 3.0, "recency": 14.0, "suspected": 3.0}
RED = YELLOW | {"close": 10.0, "cluster": 2.0}


def put(
    session: Session, community_id: int, values: Mapping[str, float], *, day: date = DAY
) -> None:
    session.execute(
        insert(IndicatorValue),
        [
            {"day": day, "community_id": community_id, "indicator": code, "value": value}
            for code, value in values.items()
        ],
    )


def set_by_hand(
    session: Session, colour: str, *, now: datetime, state: str = "in_force"
) -> ColourOverride:
    """Add an override of the first community by two people, until today."""
    staff = [
        StaffAccount(
            name=name,
            display_name=name,
            role="district_reviewer",
            password_hash="x",
            password_changed_at=now,
            created_at=now,
        )
        for name in ("one", "two")
    ]
    session.add_all(staff)
    session.flush()
    override = ColourOverride(
        community_id=1,
        colour=colour,
        reason="x",
        until_day=TODAY,
        state=state,
        proposed_by=staff[0].id,
        proposed_at=now,
        decided_by=staff[1].id,
    )
    session.add(override)
    session.flush()
    return override


def count_statements(engine: Engine, work: Callable[[], object]) -> int:
    """Return how many statements were run, those that a look-up gives to the driver among them."""
    seen: list[str] = []
    first = Lookup.first

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("PRAGMA"):
            seen.append(statement)

    def note_lookup(lookup: Lookup, session: Session, **values: object) -> object:
        seen.append("look-up")
        return first(lookup, session, **values)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Lookup, "first", note_lookup)
            work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)
