"""Where people with events live, once the register ends where they did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.residents.model import Residence
from core.residents.rules import ALWAYS
from core.residents.service import count_unplaced
from core.risk.events.homes import unplace_ended
from core.risk.events.importing import import_events
from tests.core.importing_rows import rows_of
from tests.core.residents.conftest import homes
from tests.core.risk.events.conftest import ANNA, BEN

TODAY, ENDED = date(2020, 3, 28), date(2020, 3, 27)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("event", "count"),
    [
        pytest.param({"reported_on": "2020-01-01"}, 1, id="open, however old"),
        pytest.param({"reported_on": "2020-03-20", "ended_on": "2020-03-21"}, 1, id="in a window"),
        pytest.param({"reported_on": "2020-01-01", "ended_on": "2020-02-01"}, 0, id="history"),
        pytest.param({"reported_on": "2020-01-01", "community_code": "T2"}, 0, id="says where"),
    ],
)
def test_who_is_ended_with_an_event_that_matters_is_looked_for_at_once(
    session: Session, now: datetime, event: dict[str, Any], count: int
) -> None:
    names = ("ended_on", "community_code")
    row = {"person_id": ANNA, "kind": "confirmed", **dict.fromkeys(names, ""), **event}
    import_events(session, rows_of([row]), now=now)
    session.execute(update(Residence).values(until_day=ENDED))
    assert unplace_ended(session, today=TODAY) == count
    assert count_unplaced(session, area=Area()) == count
    assert homes(session) == [(1, ALWAYS, ENDED), (None, ENDED, None)][: 1 + count]
    assert homes(session, BEN) == [(2, ALWAYS, ENDED)], "nothing is known of him"
    assert unplace_ended(session, today=TODAY) == 0, "once is enough"
