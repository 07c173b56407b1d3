from __future__ import annotations

import pytest

from core.people.staff.rules import Area
from core.risk.rulings.appeal_cards import (
    AppealQuery,
    count_appeals,
    get_appeal,
    list_appeals,
)
from core.risk.rulings.appeals import AppealNotFoundError, recommend_appeal, withdraw_appeal
from core.risk.rulings.rules import AppealState, Verdict
from tests.core.risk.rulings.conftest import EVIDENCE, OTHER, REASON, Desk
from tests.core.risk.values import count_statements


def test_list_begins_with_what_waits_longest_and_keeps_to_the_area(desk: Desk) -> None:
    gone, first = desk.object_to(), desk.object_to(indicator="suspected", file=EVIDENCE)
    elsewhere = desk.object_to(2.0, community_id=OTHER, by="wu")
    withdraw_appeal(desk.session, appeal_id=gone, staff_id=desk.staff["zhou"], now=desk.now)
    recommend_appeal(
        desk.session,
        appeal_id=first,
        verdict=Verdict.REFUSE,
        reason=REASON,
        staff_id=desk.staff["li"],
        now=desk.now,
    )
    page = list_appeals(desk.session, query=AppealQuery(area=Area()))
    assert [one.id for one in page.rows] == [first, elsewhere, gone]
    card = page.rows[0]
    assert (card.label, card.unit_label) == ("疑似病例", "例")
    assert (card.computed_value, card.claimed_value) == (3.0, 0.0)
    assert (card.raised_by, card.recommended_by, card.decided_by) == ("zhou", "li", "")
    assert (card.recommended, card.file_id is not None) == (Verdict.REFUSE, True)
    counts = count_appeals(desk.session, area=Area())
    assert {state.value: count for state, count in counts.items() if count} == {
        "open": 1,
        "recommended": 1,
        "withdrawn": 1,
    }
    own = AppealQuery(area=desk.area("wu"))
    assert [one.id for one in list_appeals(desk.session, query=own).rows] == [elsewhere]
    waiting = AppealQuery(area=Area(), state=AppealState.OPEN, text="T3")
    assert [one.id for one in list_appeals(desk.session, query=waiting).rows] == [elsewhere]
    with pytest.raises(AppealNotFoundError):
        get_appeal(desk.session, appeal_id=first, area=desk.area("wu"))


def test_a_page_takes_two_statements_however_many_rows_it_has(desk: Desk) -> None:
    counts = []
    for code in ("confirmed", "suspected"):
        desk.object_to(indicator=code)
        desk.session.flush()
        engine = desk.session.get_bind().engine
        counts.append(
            count_statements(
                engine,
                lambda: list_appeals(desk.session, query=AppealQuery(area=Area())),
            )
        )
    assert counts == [2, 2]
