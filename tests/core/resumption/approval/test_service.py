from __future__ import annotations

import pytest
from sqlalchemy import event

from core.mandates.rules import ActForbiddenError
from core.mandates.service import NoMandateError, OwnerChangedError
from core.resumption.approval.cards import (
    DecisionCard,
    DecisionNotFoundError,
    get_decision,
    list_decision_rows,
    list_decisions,
)
from core.resumption.approval.rules import DecisionState, Outcome, Verdict
from core.resumption.approval.service import (
    DecisionLapsedError,
    DigestDiffersError,
    NotAppliedError,
    UndoOverError,
    apply_decision,
    release_decision,
    undo_decision,
)
from tests.core.resumption.approval.conftest import FEVER, KEY_AREA, Office


def undo(office: Office, card: DecisionCard) -> DecisionCard:
    return undo_decision(office.session, mandate=office.owner, decision_id=card.id, now=office.now)


def named(office: Office, card: DecisionCard, *outcomes: Outcome) -> list[int]:
    page = list_decision_rows(
        office.session, mandate=office.owner, decision_id=card.id, outcomes=outcomes
    )
    return [line.registration.id for line in page.lines]


# ---- applying ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "state", "reason"),
    [
        (Verdict.APPROVE, "approved", ""),
        (Verdict.REJECT, "rejected", "材料不全"),
        (Verdict.RETURN, "returned", "材料不全"),
    ],
)
def test_decision_changes_every_row_of_its_list(
    office: Office, verdict: Verdict, state: str, reason: str
) -> None:
    ids = [office.add(), office.add(KEY_AREA)]
    left = office.add()
    card = office.decide(office.pick(*ids), verdict)
    assert (card.state, card.applied_count) == (DecisionState.APPLIED, 2)
    for one in ids:
        row = office.row(one)
        assert (row.state, row.reason, row.version) == (state, reason, 2)
        assert (row.decision_id, row.decided_at) == (card.id, office.now)
    assert office.states(left) == ["submitted"]
    assert office.told() == []


def test_rows_that_are_not_applied_are_named_with_their_reason(office: Office) -> None:
    fine, fever, corrected, ended, other = (
        office.add(),
        office.add(FEVER),
        office.add(),
        office.add(),
        office.add(),
    )
    card = office.prepare()
    office.correct(corrected)
    office.end(ended)
    office.decide(office.pick(other), Verdict.REJECT)
    card = office.apply(card)
    assert card.applied_count == 1
    assert {outcome: named(office, card, outcome) for outcome in card.outcomes} == {
        Outcome.APPLIED: [fine],
        Outcome.BLOCKED: [fever],
        Outcome.CHANGED: [corrected],
        Outcome.ENDED: [ended],
        Outcome.DECIDED: [other],
    }
    assert office.states(fine, fever, corrected, ended, other) == [
        *("approved", "submitted", "submitted", "ended", "rejected"),
    ]


def test_who_cannot_pass_can_be_sent_back(office: Office) -> None:
    fever = office.add(FEVER)
    office.decide(office.pick(fever), Verdict.RETURN)
    assert office.states(fever) == ["returned"]


def test_second_click_gives_the_same_result_and_changes_nothing(office: Office) -> None:
    ids = [office.add(), office.add(FEVER)]
    card = office.prepare()
    first = office.apply(card)
    office.later(minutes=1)
    assert office.apply(card) == first
    assert office.row(ids[0]).version == 2
    office.later(hours=2)
    assert office.apply(card) == first
    assert [entry.action for entry in office.recorded()] == ["decision_applied"]


def test_list_that_was_not_shown_is_refused(office: Office) -> None:
    one = office.add()
    card = office.prepare()
    with pytest.raises(DigestDiffersError):
        apply_decision(
            office.session,
            mandate=office.owner,
            decision_id=card.id,
            digest=bytes(32),
            now=office.now,
        )
    assert office.states(one) == ["submitted"]


def test_list_lapses_after_half_an_hour(office: Office) -> None:
    one = office.add()
    first, second = office.prepare(key="1"), office.prepare(key="2")
    office.later(minutes=29, seconds=59)
    office.apply(first)
    office.later(seconds=1)
    with pytest.raises(DecisionLapsedError):
        office.apply(second)
    assert office.row(one).version == 2


def test_new_owner_in_the_register_stops_a_prepared_decision(office: Office) -> None:
    one = office.add()
    card = office.prepare()
    applied = office.decide(office.pick(office.add()))
    office.change_owner()
    for act in (
        lambda: office.apply(card),
        lambda: undo(office, applied),
        lambda: release_decision(
            office.session, mandate=office.owner, decision_id=applied.id, now=office.now
        ),
    ):
        with pytest.raises(OwnerChangedError):
            act()
    assert office.states(one) == ["submitted"]


def test_mandate_that_ended_meanwhile_decides_nothing(office: Office) -> None:
    from core.mandates.service import end_mandate

    one = office.add(department="生产部")
    card = office.prepare(mandate=office.manager)
    end_mandate(office.session, by=office.owner, mandate_id=office.manager.id, now=office.now)
    with pytest.raises(NoMandateError):
        office.apply(card, mandate=office.manager)
    assert office.states(one) == ["submitted"]
    # The owner sees what their manager began, and may go on with it.
    office.apply(card)
    assert office.states(one) == ["approved"]


def test_manager_finds_the_decisions_of_their_department_alone(office: Office) -> None:
    own, sales = office.add(department="生产部"), office.add(department="销售部")
    office.add_mandate("manager", department="销售部", openid="o-sales")
    of_owner = office.decide(office.pick(sales))
    of_manager = office.decide(office.pick(own), mandate=office.manager)
    assert [card.id for card in list_decisions(office.session, mandate=office.owner)] == [
        of_manager.id,
        of_owner.id,
    ]
    (seen,) = list_decisions(office.session, mandate=office.manager)
    assert seen.id == of_manager.id
    with pytest.raises(DecisionNotFoundError):
        get_decision(office.session, mandate=office.manager, decision_id=of_owner.id)
    with pytest.raises(DecisionNotFoundError):
        list_decision_rows(office.session, mandate=office.manager, decision_id=of_owner.id)
    with pytest.raises(DecisionNotFoundError):
        undo_decision(
            office.session, mandate=office.manager, decision_id=of_owner.id, now=office.now
        )


def test_another_company_finds_no_decision(office: Office) -> None:
    office.add()
    card = office.prepare()
    stranger = Office(session=office.session, now=office.now)
    with pytest.raises(DecisionNotFoundError):
        office.apply(card, mandate=stranger.owner)


def test_filler_sees_a_decision_and_touches_none(office: Office) -> None:
    office.add()
    card = office.prepare()
    assert get_decision(office.session, mandate=office.filler, decision_id=card.id) == card
    with pytest.raises(ActForbiddenError):
        office.apply(card, mandate=office.filler)
    with pytest.raises(ActForbiddenError):
        undo_decision(office.session, mandate=office.filler, decision_id=card.id, now=office.now)


def test_one_audit_row_tells_of_a_decision(office: Office) -> None:
    for _ in range(3):
        office.add()
    office.add(FEVER)
    card = office.decide()
    undo(office, card)
    applied, undone = office.recorded()
    assert applied.actor == f"person:{office.owner.person_id}"
    assert applied.subject == f"decision:{card.id}"
    assert applied.facts == {
        "company_id": office.company_id,
        "verdict": "approve",
        "digest": card.digest.hex(),
        "count": 3,
        "listed": 4,
    }
    assert (undone.action, undone.facts["undone"]) == ("decision_undone", 3)


def test_applying_takes_as_many_statements_for_many_rows_as_for_few(office: Office) -> None:
    counts = []
    statements: list[str] = []
    bind = office.session.connection()
    event.listen(bind, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for number in (1, 25):
        for _ in range(number):
            office.add()
        card = office.prepare()
        statements.clear()
        card = office.apply(card)
        undo(office, card)
        counts.append(len(statements))
    assert counts[0] == counts[1]


# ---- undoing ----------------------------------------------------------------------------------


def test_undo_gives_everybody_back_what_they_had(office: Office) -> None:
    one = office.add()
    card = office.decide(verdict=Verdict.REJECT)
    office.later(minutes=29, seconds=59)
    card = undo(office, card)
    row = office.row(one)
    assert (row.state, row.reason, row.decision_id, row.decided_at) == ("submitted", "", None, None)
    assert row.version == 3
    assert (card.state, card.undone_at) == (DecisionState.UNDONE, office.now)
    assert card.outcomes == {Outcome.UNDONE: 1}
    assert undo(office, card) == card
    assert office.row(one).version == 3


def test_undo_brings_back_an_earlier_decision_with_its_reason(office: Office) -> None:
    one = office.add()
    first = office.decide(verdict=Verdict.RETURN)
    decided_at = office.now
    office.later(minutes=5)
    second = office.decide(office.pick(one), Verdict.APPROVE)
    assert office.row(one).reason == ""
    undo(office, second)
    row = office.row(one)
    assert (row.state, row.reason) == ("returned", "材料不全")
    assert (row.decision_id, row.decided_at) == (first.id, decided_at)


def test_undo_leaves_alone_and_names_what_changed_since(office: Office) -> None:
    same, corrected, ended, other = (office.add() for _ in range(4))
    card = office.decide()
    office.correct(corrected)
    office.end(ended)
    office.decide(office.pick(other), Verdict.REJECT)
    card = undo(office, card)
    assert named(office, card, Outcome.UNDONE) == [same]
    assert named(office, card, Outcome.KEPT) == [corrected, ended, other]
    assert card.refused_count == 3
    assert office.states(same, corrected, ended, other) == [
        *("submitted", "submitted", "ended", "rejected"),
    ]


def test_decision_that_was_undone_does_not_come_back_with_a_later_one(office: Office) -> None:
    one = office.add()
    first = office.decide()
    second = office.decide(office.pick(one), Verdict.REJECT)
    undo(office, first)
    assert office.states(one) == ["rejected"]
    undo(office, second)
    row = office.row(one)
    assert (row.state, row.decision_id) == ("submitted", None)


def test_undo_is_over_after_half_an_hour_or_once_people_are_told(office: Office) -> None:
    one, other = office.add(), office.add()
    late, told = office.decide(office.pick(one)), office.decide(office.pick(other))
    release_decision(office.session, mandate=office.owner, decision_id=told.id, now=office.now)
    with pytest.raises(UndoOverError):
        undo(office, told)
    office.later(minutes=30)
    with pytest.raises(UndoOverError):
        undo(office, late)
    assert office.states(one, other) == ["approved", "approved"]


def test_what_was_not_applied_is_neither_undone_nor_told(office: Office) -> None:
    office.add()
    card = office.prepare()
    undone = office.decide()
    undo(office, undone)
    with pytest.raises(NotAppliedError):
        undo(office, card)
    for decision_id in (card.id, undone.id):
        with pytest.raises(NotAppliedError):
            release_decision(
                office.session, mandate=office.owner, decision_id=decision_id, now=office.now
            )
    assert office.told() == []


def test_list_frozen_before_an_undo_is_not_applied_after_it(office: Office) -> None:
    one = office.add()
    first = office.decide()
    later = office.prepare(office.pick(one), Verdict.REJECT)
    undo(office, first)
    later = office.apply(later)
    assert later.outcomes == {Outcome.CHANGED: 1}
    assert office.states(one) == ["submitted"]
