"""Decisions, corrections, undoing and telling in any order, against a model of what is meant.

In the model a registration is a pile of decisions. The uppermost one stands; undoing one takes it
out of every pile; whoever reports again has an empty pile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.registration.model import Registration
from core.registration.rules import Flag, group_of
from core.resumption.approval.cards import DecisionCard, get_decision, list_decision_rows
from core.resumption.approval.releasing import release_due
from core.resumption.approval.rules import STATE_AFTER, DecisionState, Outcome, Verdict
from core.resumption.approval.service import (
    DecisionLapsedError,
    NotAppliedError,
    UndoOverError,
    release_decision,
    undo_decision,
)
from tests.core.resumption.approval.conftest import Office

PEOPLE = 2


@dataclass
class _Person:
    version: int = 1
    flags: tuple[Flag, ...] = ()
    pile: list[int] = field(default_factory=list)
    is_over: bool = False


@dataclass
class _Plan:
    verdict: Verdict
    rows: dict[int, tuple[int, int | None]]  # version, and the decision that stood
    prepared_at: datetime
    applied_at: datetime | None = None
    state: DecisionState = DecisionState.PREPARED
    outcomes: dict[int, Outcome] = field(default_factory=dict)


class _Deciding(RuleBasedStateMachine):
    decisions = Bundle("decisions")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.session = Session(database.engine, expire_on_commit=False)
        self.people: dict[int, _Person] = {}
        self.plans: dict[int, _Plan] = {}
        self.cards: dict[int, DecisionCard] = {}
        self.told: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        self.check_decisions()
        self.check_notices()
        self.session.rollback()
        self.session.close()

    @initialize()
    def begin(self) -> None:
        now = datetime(2020, 3, 28, tzinfo=UTC)
        self.office = Office(session=self.session, now=now)
        for place in range(PEOPLE):
            flags = (Flag.FEVER,) if place == 0 else ()
            self.people[self.office.add(flags)] = _Person(flags=flags)
        self.ids = list(self.people)

    def state_of(self, person: _Person) -> str:
        if person.is_over:
            return "ended"
        if not person.pile:
            return "submitted"
        return STATE_AFTER[self.plans[person.pile[-1]].verdict].value

    @rule(
        target=decisions,
        verdict=st.sampled_from(Verdict),
        places=st.sets(st.integers(0, PEOPLE - 1), min_size=1),
    )
    def prepare(self, verdict: Verdict, places: set[int]) -> int:
        chosen = [self.ids[place] for place in sorted(places)]
        card = self.office.prepare(self.office.pick(*chosen), verdict)
        rows = {}
        for one in chosen:
            person = self.people[one]
            rows[one] = (person.version, person.pile[-1] if person.pile else None)
        self.plans[card.id] = _Plan(verdict=verdict, rows=rows, prepared_at=self.office.now)
        self.cards[card.id] = card
        return card.id

    @rule(target=decisions, verdict=st.sampled_from(Verdict))
    def decide(self, verdict: Verdict) -> int:
        decision_id = self.prepare(verdict, set(range(PEOPLE)))
        self.apply(decision_id)
        return decision_id

    def outcome_of(self, plan: _Plan, one: int) -> Outcome:
        person, (version, stood) = self.people[one], plan.rows[one]
        if person.is_over:
            return Outcome.ENDED
        if self.state_of(person) == STATE_AFTER[plan.verdict].value:
            return Outcome.DECIDED
        if person.version != version:
            is_new = bool(person.pile) and person.pile[-1] != stood
            return Outcome.DECIDED if is_new else Outcome.CHANGED
        is_blocked = plan.verdict is Verdict.APPROVE and Flag.FEVER in person.flags
        return Outcome.BLOCKED if is_blocked else Outcome.APPLIED

    @rule(decision_id=decisions)
    def apply(self, decision_id: int) -> None:
        plan = self.plans[decision_id]
        if plan.applied_at is not None:
            before = self.outcomes_in_database(decision_id)
            self.office.apply(self.cards[decision_id])
            assert self.outcomes_in_database(decision_id) == before
            return
        if self.minutes_since(plan.prepared_at) >= 30:
            self.refused(lambda: self.office.apply(self.cards[decision_id]), DecisionLapsedError)
            return
        plan.outcomes = {one: self.outcome_of(plan, one) for one in plan.rows}
        self.office.apply(self.cards[decision_id])
        plan.state, plan.applied_at = DecisionState.APPLIED, self.office.now
        for one, outcome in plan.outcomes.items():
            if outcome is Outcome.APPLIED:
                self.people[one].version += 1
                self.people[one].pile.append(decision_id)

    @rule(decision_id=decisions)
    def undo(self, decision_id: int) -> None:
        plan = self.plans[decision_id]

        def undo() -> object:
            return undo_decision(
                self.session,
                mandate=self.office.owner,
                decision_id=decision_id,
                now=self.office.now,
            )

        if plan.applied_at is None:
            self.refused(undo, NotAppliedError)
            return
        is_late = self.minutes_since(plan.applied_at) >= 30
        if plan.state is DecisionState.RELEASED or (
            is_late and plan.state is DecisionState.APPLIED
        ):
            self.refused(undo, UndoOverError)
            return
        undo()
        if plan.state is DecisionState.APPLIED:
            plan.state = DecisionState.UNDONE
            self.is_undone(decision_id)

    def is_undone(self, decision_id: int) -> None:
        plan = self.plans[decision_id]
        for one, outcome in plan.outcomes.items():
            if outcome is not Outcome.APPLIED:
                continue
            person = self.people[one]
            is_standing = person.pile[-1:] == [decision_id] and not person.is_over
            plan.outcomes[one] = Outcome.UNDONE if is_standing else Outcome.KEPT
            person.pile = [each for each in person.pile if each != decision_id]
            if is_standing:
                person.version += 1
                if person.pile:
                    self.tell(person.pile[-1], one)

    @rule(decision_id=decisions)
    def release(self, decision_id: int) -> None:
        plan = self.plans[decision_id]

        def release() -> object:
            return release_decision(
                self.session,
                mandate=self.office.owner,
                decision_id=decision_id,
                now=self.office.now,
            )

        if plan.state in {DecisionState.PREPARED, DecisionState.UNDONE}:
            self.refused(release, NotAppliedError)
            return
        release()
        self.is_released(decision_id)

    def is_released(self, decision_id: int) -> None:
        plan = self.plans[decision_id]
        if plan.state is DecisionState.RELEASED:
            return
        plan.state = DecisionState.RELEASED
        for one, person in self.people.items():
            if person.pile[-1:] == [decision_id] and not person.is_over:
                self.tell(decision_id, one)

    def tell(self, decision_id: int, one: int) -> None:
        plan = self.plans[decision_id]
        if plan.state is DecisionState.RELEASED:
            kinds = {
                Verdict.APPROVE: "registration_approved",
                Verdict.REJECT: "registration_rejected",
                Verdict.RETURN: "registration_returned",
            }
            self.told.add((kinds[plan.verdict], f"decision:{decision_id}:{one}"))

    @rule(place=st.integers(0, PEOPLE - 1), what=st.sampled_from(["report", "screen", "end"]))
    def change(self, place: int, what: str) -> None:
        one = self.ids[place]
        person = self.people[one]
        if what == "report":
            self.office.correct(one)
            person.pile, person.is_over = [], False
        elif what == "screen":
            person.flags = () if person.flags else (Flag.FEVER,)
            self.screen(one, person.flags)
        elif not person.is_over:
            self.office.end(one)
            person.is_over, person.flags = True, ()
        else:
            return
        person.version += 1

    def screen(self, one: int, flags: tuple[Flag, ...]) -> None:
        row = self.office.row(one)
        row.flags = [flag.value for flag in flags]
        row.flag_group, row.version = group_of(flags).value, row.version + 1
        self.session.flush()

    @rule(target=decisions, minutes=st.sampled_from([1, 15, 30]))
    def wait(self, minutes: int) -> object:
        self.office.later(minutes=minutes)
        release_due(self.session, now=self.office.now)
        for decision_id, plan in self.plans.items():
            since = plan.applied_at or self.office.now
            if plan.state is DecisionState.APPLIED and self.minutes_since(since) >= 30:
                self.is_released(decision_id)
        return multiple()

    def minutes_since(self, instant: datetime) -> float:
        return (self.office.now - instant).total_seconds() / 60

    def refused(self, act: Callable[[], object], error: type[Exception]) -> None:
        try:
            act()
        except error:
            return
        raise AssertionError(f"{error.__name__} was expected")

    def outcomes_in_database(self, decision_id: int) -> dict[int, Outcome]:
        page = list_decision_rows(self.session, mandate=self.office.owner, decision_id=decision_id)
        return {line.registration.id: line.outcome for line in page.lines}

    @invariant()
    def registrations_are_as_the_model_says(self) -> None:
        self.session.expire_all()
        rows = self.session.scalars(
            select(Registration).where(Registration.workplace_id == self.office.company_id)
        )
        for row in rows:
            person = self.people[row.id]
            assert (row.state, row.version) == (self.state_of(person), person.version)
            if not person.is_over:
                stands = person.pile[-1] if person.pile else None
                assert row.decision_id == stands
                assert (row.decided_at is None) == (stands is None)
                is_explained = stands is not None and self.plans[stands].verdict != "approve"
                assert row.reason == ("材料不全" if is_explained else "")

    def check_decisions(self) -> None:
        for decision_id, plan in self.plans.items():
            outcomes = plan.outcomes or {one: self.outcome_of(plan, one) for one in plan.rows}
            assert self.outcomes_in_database(decision_id) == outcomes
            card = get_decision(self.session, mandate=self.office.owner, decision_id=decision_id)
            assert (card.state, card.digest) == (plan.state, self.cards[decision_id].digest)
            assert sum(card.outcomes.values()) == len(plan.rows) == card.listed_count

    def check_notices(self) -> None:
        told = self.office.told()
        assert len(told) == len(set(told))
        assert set(told) == self.told


def test_any_order_of_acts_gives_what_the_piles_say(database: Database) -> None:
    run_state_machine_as_test(
        lambda: _Deciding(database),
        settings=settings(max_examples=30, stateful_step_count=12),
    )
