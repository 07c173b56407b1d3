from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.mandates.rules import ActForbiddenError, CompanyNotInBusinessError
from core.mandates.service import get_mandate
from core.registration.rules import Group, RegistrationState
from core.registry.model import Company
from core.resumption.approval.cards import get_decision, list_decision_rows
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.preparing import (
    Filtered,
    NothingSelectedError,
    Picked,
    drop_lapsed,
)
from core.resumption.approval.rules import (
    DecisionState,
    Outcome,
    Verdict,
    VerdictReasonMissingError,
    digest_of,
)
from core.resumption.approval.sheet import SheetQuery
from tests.core.resumption.approval.conftest import FEVER, KEY_AREA, Office


def frozen(office: Office, decision_id: int) -> list[tuple[int, int]]:
    rows = office.session.execute(
        select(DecisionRow.registration_id, DecisionRow.version)
        .where(DecisionRow.decision_id == decision_id)
        .order_by(DecisionRow.registration_id)
    )
    return [(registration_id, version) for registration_id, version in rows]


def test_preparing_freezes_the_list_and_changes_nobody(office: Office) -> None:
    ids = [office.add(), office.add(KEY_AREA), office.add(FEVER)]
    card = office.prepare()
    assert (card.state, card.listed_count, card.applied_count) == (DecisionState.PREPARED, 3, 0)
    assert frozen(office, card.id) == [(one, 1) for one in ids]
    assert card.digest == digest_of((one, 1) for one in ids)
    assert card.reason == ""
    assert office.states(*ids) == ["submitted"] * 3
    assert office.recorded() == []


def test_preview_says_what_would_become_of_each_row(office: Office) -> None:
    fine, fever, corrected, ended = office.add(), office.add(FEVER), office.add(), office.add()
    card = office.prepare()
    assert card.outcomes == {Outcome.APPLIED: 3, Outcome.BLOCKED: 1}
    office.correct(corrected)
    office.end(ended)
    card = get_decision(office.session, mandate=office.owner, decision_id=card.id)
    assert card.outcomes == {
        Outcome.APPLIED: 1,
        Outcome.BLOCKED: 1,
        Outcome.CHANGED: 1,
        Outcome.ENDED: 1,
    }
    assert card.refused_count == 3
    page = list_decision_rows(
        office.session,
        mandate=office.owner,
        decision_id=card.id,
        outcomes=[Outcome.BLOCKED, Outcome.CHANGED, Outcome.ENDED],
    )
    assert [(line.registration.id, line.outcome) for line in page.lines] == [
        (fever, Outcome.BLOCKED),
        (corrected, Outcome.CHANGED),
        (ended, Outcome.ENDED),
    ]
    (line,) = list_decision_rows(
        office.session, mandate=office.owner, decision_id=card.id, outcomes=[Outcome.APPLIED]
    ).lines
    assert line.registration.id == fine


def test_whole_group_is_chosen_as_it_is_at_this_moment(office: Office) -> None:
    look = [office.add(KEY_AREA, department="生产部") for _ in range(3)]
    office.add()
    office.add(KEY_AREA, state="returned")
    query = SheetQuery(group=Group.LOOK, department="生产部")
    card = office.prepare(Filtered(query=query), Verdict.RETURN)
    assert frozen(office, card.id) == [(one, 1) for one in look]
    assert card.reason == "材料不全"


def test_filter_over_all_states_leaves_out_what_the_verdict_cannot_change(office: Office) -> None:
    waiting, returned, rejected = office.add(), office.add(), office.add()
    office.decide(office.pick(returned), Verdict.RETURN)
    office.decide(office.pick(rejected), Verdict.REJECT)
    ended = office.add()
    office.end(ended)
    card = office.prepare(Filtered(query=SheetQuery(state=None)), Verdict.REJECT)
    assert [one for one, _ in frozen(office, card.id)] == [waiting, returned]


def test_single_rows_are_frozen_as_they_were_on_the_page(office: Office) -> None:
    seen, changed = office.add(), office.add()
    selection = office.pick(seen, changed)
    office.correct(changed)
    card = office.prepare(selection)
    assert card.outcomes == {Outcome.APPLIED: 1, Outcome.CHANGED: 1}
    assert card.digest == digest_of([(seen, 1), (changed, 1)])


def test_rows_of_others_are_left_out(office: Office) -> None:
    mine = office.add(department="生产部")
    sales = office.add(department="销售部")
    theirs = Office(session=office.session, now=office.now).add()
    selection = office.pick(mine, sales, theirs)
    assert [one for one, _ in frozen(office, office.prepare(selection).id)] == [mine, sales]
    card = office.prepare(selection, mandate=office.manager)
    assert [one for one, _ in frozen(office, card.id)] == [mine]
    assert card.department == "生产部"
    everything = office.prepare(Filtered(query=SheetQuery()), mandate=office.manager)
    assert [one for one, _ in frozen(office, everything.id)] == [mine]


@pytest.mark.parametrize(
    "selection",
    [Picked(rows=()), Picked(rows=((10**6, 1),)), Filtered(query=SheetQuery(group=Group.CANNOT))],
)
def test_empty_list_is_refused(office: Office, selection: Picked | Filtered) -> None:
    office.add()
    with pytest.raises(NothingSelectedError):
        office.prepare(selection)


def test_same_form_twice_is_one_decision(office: Office) -> None:
    ids = [office.add(), office.add()]
    selection = office.pick(*ids)
    first = office.prepare(selection, key="k")
    again = office.prepare(selection, key="k")
    assert again == first
    applied = office.apply(first)
    assert office.prepare(selection, key="k") == applied
    assert office.session.scalar(select(func.count()).select_from(Decision)) == 1


def test_old_page_with_another_choice_is_another_decision(office: Office) -> None:
    one, other = office.add(), office.add()
    first = office.prepare(office.pick(one), key="k")
    for card in (
        office.prepare(office.pick(other), key="k"),
        office.prepare(office.pick(one), Verdict.REJECT, key="k"),
    ):
        assert card.id != first.id


def test_filler_decides_nothing(office: Office) -> None:
    office.add()
    with pytest.raises(ActForbiddenError):
        office.prepare(mandate=office.filler)


def test_company_that_is_wound_up_decides_nothing(office: Office) -> None:
    office.add()
    office.session.get_one(Company, office.company_id).state = "deregistered"
    office.session.flush()
    mandate = get_mandate(
        office.session, openid=f"o-owner-{office.company_id}", company_id=office.company_id
    )
    with pytest.raises(CompanyNotInBusinessError):
        office.prepare(mandate=mandate)


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.RETURN])
def test_reason_is_needed_to_send_somebody_back(office: Office, verdict: Verdict) -> None:
    office.add()
    with pytest.raises(VerdictReasonMissingError):
        office.prepare(verdict=verdict, reason=" ")


def test_list_that_nobody_confirms_is_forgotten_after_half_an_hour(office: Office) -> None:
    office.add()
    kept = office.decide()
    approved = Filtered(query=SheetQuery(state=RegistrationState.APPROVED))
    old = office.prepare(approved, Verdict.REJECT)
    office.later(minutes=29)
    assert drop_lapsed(office.session, now=office.now) == 0
    fresh = office.prepare(office.pick(office.add()))
    office.later(minutes=1)
    assert drop_lapsed(office.session, now=office.now) == 1
    assert drop_lapsed(office.session, now=office.now) == 0
    assert frozen(office, old.id) == []
    cards = {
        card.id: get_decision(office.session, mandate=office.owner, decision_id=card.id)
        for card in (kept, old, fresh)
    }
    assert [card.state for card in cards.values()] == [
        DecisionState.APPLIED,
        DecisionState.LAPSED,
        DecisionState.PREPARED,
    ]
    assert cards[old.id].is_lapsed(office.now)
    assert not cards[fresh.id].is_lapsed(office.now)
