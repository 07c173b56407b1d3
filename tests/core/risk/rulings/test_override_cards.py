from __future__ import annotations

from datetime import timedelta

import pytest

from core.people.staff.rules import Area
from core.risk.rules import Colour
from core.risk.rulings.override_cards import (
    OverrideQuery,
    count_override_states,
    count_overrides,
    find_standing_override,
    get_override,
    list_overrides,
)
from core.risk.rulings.overrides import OverrideNotFoundError, decide_override
from core.risk.rulings.rules import OverrideState, Verdict
from tests.core.risk.rulings.conftest import ILL, OTHER, QUIET, Desk
from tests.core.risk.values import TODAY, count_statements

TOMORROW = TODAY + timedelta(days=1)


def approve(desk: Desk, override_id: int) -> None:
    decide_override(
        desk.session,
        override_id=override_id,
        verdict=Verdict.ACCEPT,
        reason="",
        staff_id=desk.staff["li"],
        now=desk.now,
    )


def test_states_are_as_of_the_day_that_is_asked_for(desk: Desk) -> None:
    held, waiting, lasting = (
        desk.propose(QUIET, until_day=TODAY),
        desk.propose(ILL, Colour.BLUE, until_day=TODAY),
        desk.propose(OTHER, until_day=TODAY + timedelta(days=5)),
    )
    approve(desk, held)
    approve(desk, lasting)
    area = Area()
    expected = {
        TODAY: {held: OverrideState.IN_FORCE, waiting: OverrideState.PROPOSED},
        TOMORROW: {held: OverrideState.ENDED, waiting: OverrideState.WITHDRAWN},
    }
    for today, states in expected.items():
        states |= {lasting: OverrideState.IN_FORCE}
        page = list_overrides(desk.session, query=OverrideQuery(area=area), today=today)
        assert {one.id: one.state for one in page.rows} == states
        counts = count_override_states(desk.session, area=area, today=today)
        assert counts == {state: list(states.values()).count(state) for state in OverrideState}
        for state in OverrideState:
            query = OverrideQuery(area=area, state=state)
            listed = list_overrides(desk.session, query=query, today=today)
            assert listed.total == counts[state] == len(listed.rows)
        assert count_overrides(desk.session, today=today) == counts[OverrideState.IN_FORCE]


def test_list_begins_with_what_waits_and_keeps_to_the_area(desk: Desk) -> None:
    held, waiting = desk.propose(QUIET), desk.propose(ILL, Colour.BLUE)
    approve(desk, held)
    page = list_overrides(desk.session, query=OverrideQuery(area=Area()), today=TODAY)
    assert [one.id for one in page.rows] == [waiting, held]
    first = page.rows[1]
    assert (first.proposed_by, first.decided_by, first.ended_by) == ("wang", "li", "")
    assert (first.place.name, first.place.street) == ("新村1", "田林街道")
    own = list_overrides(desk.session, query=OverrideQuery(area=desk.area("zhou")), today=TODAY)
    assert [one.id for one in own.rows] == [waiting]
    named = OverrideQuery(area=Area(), text="T1")
    assert [one.id for one in list_overrides(desk.session, query=named, today=TODAY).rows] == [held]
    for query in (
        OverrideQuery(area=desk.area("zhou"), text="T1"),
        OverrideQuery(area=desk.area("wu")),
    ):
        empty = list_overrides(desk.session, query=query, today=TODAY, number=9)
        assert (empty.total, empty.number, empty.page_count) == (0, 1, 1)
    with pytest.raises(OverrideNotFoundError):
        get_override(desk.session, override_id=held, area=desk.area("zhou"), today=TODAY)
    standing = find_standing_override(desk.session, community_id=QUIET, area=Area(), today=TODAY)
    assert standing is not None
    assert standing.id == held


def test_a_page_takes_two_statements_however_many_rows_it_has(desk: Desk) -> None:
    counts = []
    for community_id in (QUIET, ILL):
        desk.propose(community_id)
        desk.session.flush()
        engine = desk.session.get_bind()
        counts.append(
            count_statements(
                engine.engine,
                lambda: list_overrides(desk.session, query=OverrideQuery(area=Area()), today=TODAY),
            )
        )
    assert counts == [2, 2]
