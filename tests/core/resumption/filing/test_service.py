"""Drafting, signing and submitting a filing; its place in the queue and its history."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.codes.model import EntryCode
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import find_live_code, retire_code
from core.db import Database
from core.errors import DomainError
from core.files.model import StoredFile
from core.mandates.rules import CompanyNotInBusinessError
from core.resumption.filing.model import Filing, FilingStep
from core.resumption.filing.rules import (
    TRANSITIONS,
    CountInvalidError,
    FilingDraft,
    FilingState,
    FilingUnchangedError,
    FilingVerdict,
    PlanMissingError,
    ReturningTooManyError,
)
from core.resumption.filing.service import (
    FilingNotFoundError,
    FilingSubmittedError,
    SignatureDiffersError,
    check_signature,
    find_filing,
    get_filing,
    list_steps,
    queue_place_of,
    save_draft,
    submit_filing,
)
from tests.core.resumption.filing.conftest import Desk


def test_a_company_without_a_filing_has_none(desk: Desk) -> None:
    company_id = desk.company()
    assert find_filing(desk.session, company_id=company_id) is None
    with pytest.raises(FilingNotFoundError):
        submit_filing(desk.session, company_id=company_id, actor="person:1", now=desk.now)
    with pytest.raises(FilingNotFoundError):
        get_filing(desk.session, filing_id=1)
    with pytest.raises(FilingNotFoundError):
        queue_place_of(desk.session, filing_id=1)


def test_a_draft_keeps_what_was_typed_piece_by_piece(desk: Desk) -> None:
    company_id, plan_id = desk.company(), desk.plan()
    desk.draft(company_id, plan_id=plan_id)
    desk.draft(company_id, head_count=25)
    filing = desk.draft(company_id, returning_count=30)
    assert filing.draft == FilingDraft(head_count=25, returning_count=30, plan_id=plan_id)
    assert (filing.state, filing.number, filing.head_count) == (FilingState.DRAFT, None, None)
    assert desk.actions("company") == ["filing_begun"]


def test_a_draft_is_not_taken_out_of_range(desk: Desk) -> None:
    company_id = desk.company()
    with pytest.raises(CountInvalidError):
        desk.draft(company_id, head_count=0)
    with pytest.raises(CountInvalidError):
        desk.draft(company_id, returning_count=200_001)


def test_a_plan_that_was_never_submitted_gives_way_to_a_new_one(desk: Desk) -> None:
    company_id, first, second = desk.company(), desk.plan(), desk.plan()
    desk.draft(company_id, plan_id=first)
    desk.draft(company_id, plan_id=first)
    assert desk.session.get_one(StoredFile, first).removed_at is None
    desk.draft(company_id, plan_id=second)
    assert desk.session.get_one(StoredFile, first).removed_at == desk.now
    assert desk.session.get_one(StoredFile, second).removed_at is None


def test_a_plan_that_was_submitted_stays_with_its_step(desk: Desk) -> None:
    company_id, first, second = desk.company(), desk.plan(), desk.plan()
    filing = desk.submit(company_id, plan_id=first)
    desk.decide(filing, FilingVerdict.RETURN, staff_id=desk.staff())
    filing = desk.submit(company_id, plan_id=second)
    assert desk.session.get_one(StoredFile, first).removed_at is None
    steps = list_steps(desk.session, filing_id=filing.id)
    assert [step.plan_id for step in steps] == [first, first, second]


def test_a_submission_declares_numbers_signs_and_issues_the_code(desk: Desk) -> None:
    company_id = desk.company()
    filing = desk.submit(company_id, head_count=25, returning_count=3)
    assert (filing.state, filing.revision) == (FilingState.SUBMITTED, 1)
    assert (filing.head_count, filing.returning_count) == (25, 3)
    assert filing.number == f"FG-20200328-{filing.id:05}"
    assert (filing.signed_at, filing.signed_by) == (desk.now, "person:1")
    assert filing.commitment == "resumption-commitment-1"
    code = find_live_code(desk.session, subject=subject_of(company_id), now=desk.now)
    assert code is not None
    (step,) = list_steps(desk.session, filing_id=filing.id)
    assert (step.state, step.revision, step.at) == (FilingState.SUBMITTED, 1, desk.now)
    assert (step.head_count, step.returning_count, step.plan_id) == (25, 3, filing.plan_id)
    assert desk.actions("company")[:2] == ["filing_begun", "filing_submitted"]


def test_a_second_tap_changes_nothing(desk: Desk) -> None:
    company_id = desk.company()
    first = desk.submit(company_id)
    recorded = desk.actions()
    desk.later(seconds=1)
    second = submit_filing(desk.session, company_id=company_id, actor="person:2", now=desk.now)
    assert second == first
    assert desk.actions() == recorded


def test_what_waits_for_review_cannot_be_changed(desk: Desk) -> None:
    company_id = desk.company()
    filing = desk.submit(company_id)
    with pytest.raises(FilingSubmittedError):
        desk.draft(company_id, head_count=99)
    assert find_filing(desk.session, company_id=company_id) == filing


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"head_count": 25, "returning_count": 3}, PlanMissingError),
        ({"head_count": 2, "returning_count": 3, "plan_id": -1}, ReturningTooManyError),
    ],
)
def test_what_is_not_complete_is_not_submitted(
    desk: Desk, typed: dict[str, int], error: type[DomainError]
) -> None:
    company_id = desk.company()
    desk.draft(company_id, **{key: value for key, value in typed.items() if value >= 0})
    if "plan_id" in typed:
        desk.draft(company_id, plan_id=desk.plan())
    with pytest.raises(error):
        submit_filing(desk.session, company_id=company_id, actor="person:1", now=desk.now)
    filing = find_filing(desk.session, company_id=company_id)
    assert filing is not None
    assert filing.state is FilingState.DRAFT


@pytest.mark.parametrize("state", ["moved", "revoked", "deregistered"])
def test_a_company_that_is_not_in_business_may_not_file(desk: Desk, state: str) -> None:
    company_id = desk.company(state=state)
    with pytest.raises(CompanyNotInBusinessError):
        desk.draft(company_id, head_count=25)


def test_a_returned_filing_is_mended_from_what_was_declared(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    first = desk.submit(company_id, head_count=25, returning_count=3)
    desk.later(hours=2)
    returned = desk.decide(first, FilingVerdict.RETURN, staff_id=staff_id, reason="方案不全")
    assert returned.reason == "方案不全"
    assert returned.draft == FilingDraft(head_count=25, returning_count=3, plan_id=first.plan_id)
    desk.later(hours=1)
    desk.draft(company_id, head_count=30)
    again = submit_filing(desk.session, company_id=company_id, actor="person:1", now=desk.now)
    assert (again.head_count, again.returning_count, again.plan_id) == (30, 3, first.plan_id)
    assert (again.revision, again.number, again.reason) == (2, first.number, "")
    assert (again.submitted_at, again.decided_at) == (desk.now, None)
    history = list_steps(desk.session, filing_id=first.id)
    assert [(one.state.value, one.revision, one.head_count, one.reason) for one in history] == [
        ("submitted", 1, 25, ""),
        ("returned", 1, 25, "方案不全"),
        ("submitted", 2, 30, ""),
    ]


def test_an_approved_filing_stands_while_a_change_is_typed(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    desk.decide(desk.submit(company_id), FilingVerdict.APPROVE, staff_id=staff_id)
    changed = desk.draft(company_id, head_count=80)
    assert (changed.state, changed.head_count) == (FilingState.APPROVED, 25)
    assert changed.draft.head_count == 80
    again = submit_filing(desk.session, company_id=company_id, actor="person:1", now=desk.now)
    assert (again.state, again.head_count, again.revision) == (FilingState.SUBMITTED, 80, 2)


def test_an_approved_filing_is_not_submitted_as_it_is(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    filing = desk.decide(desk.submit(company_id), FilingVerdict.APPROVE, staff_id=staff_id)
    desk.draft(company_id, head_count=25)
    with pytest.raises(FilingUnchangedError):
        submit_filing(desk.session, company_id=company_id, actor="person:1", now=desk.now)
    assert get_filing(desk.session, filing_id=filing.id).state is FilingState.APPROVED


def test_the_code_stays_the_same_through_a_change(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()

    def token() -> str:
        code = find_live_code(desk.session, subject=subject_of(company_id), now=desk.now)
        assert code is not None
        return code.token

    filing = desk.submit(company_id)
    first = token()
    desk.decide(filing, FilingVerdict.RETURN, staff_id=staff_id)
    assert token() == first
    desk.decide(desk.submit(company_id), FilingVerdict.APPROVE, staff_id=staff_id)
    change = desk.submit(company_id, head_count=99)
    assert token() == first
    desk.decide(change, FilingVerdict.REJECT, staff_id=staff_id)
    assert token() == first


def test_a_submission_gives_a_code_where_none_lives(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    desk.decide(desk.submit(company_id), FilingVerdict.APPROVE, staff_id=staff_id)
    subject = subject_of(company_id)
    reason = RetiredReason.OWNER_CHANGED
    retire_code(desk.session, subject=subject, reason=reason, actor="operator:import", now=desk.now)
    desk.submit(company_id, head_count=99)
    assert find_live_code(desk.session, subject=subject, now=desk.now) is not None


def test_a_signature_is_the_name_of_whoever_acts(desk: Desk) -> None:
    company_id = desk.company()
    owner = desk.mandate(company_id)
    filler = desk.mandate(company_id, "o-2", "filler", name="阿依古丽·吐尔逊")
    check_signature(desk.session, mandate=owner, name="王伟")
    check_signature(desk.session, mandate=filler, name="阿依古丽吐尔逊")
    with pytest.raises(SignatureDiffersError):
        check_signature(desk.session, mandate=filler, name="王伟")


def test_the_queue_is_first_come_first_served(desk: Desk) -> None:
    staff_id = desk.staff()
    filings = []
    for number in range(3):
        filings.append(desk.submit(desk.company(f"第{number}公司")))
        desk.later(minutes=number)  # the first two at the same instant
    places = [queue_place_of(desk.session, filing_id=one.id).ahead_count for one in filings]
    assert places == [0, 1, 2]
    desk.decide(filings[0], FilingVerdict.RETURN, staff_id=staff_id)
    place = queue_place_of(desk.session, filing_id=filings[2].id)
    assert (place.ahead_count, place.usual_wait) == (1, None)
    desk.submit(filings[0].company.id)
    assert queue_place_of(desk.session, filing_id=filings[0].id).ahead_count == 2


def test_the_usual_wait_is_known_after_five_decisions(desk: Desk) -> None:
    staff_id = desk.staff()
    filings = [desk.submit(desk.company(f"第{number}公司")) for number in range(6)]
    for filing in filings[:5]:
        desk.later(hours=1)
        desk.decide(filing, FilingVerdict.APPROVE, staff_id=staff_id)
    place = queue_place_of(desk.session, filing_id=filings[5].id)
    assert (place.ahead_count, place.usual_wait) == (0, timedelta(hours=3))


# ---- several at once ------------------------------------------------------------------------


def _at_once(*works: Any) -> list[object]:
    """Run works together, and return what each gave or raised."""
    results: list[object] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_phones_that_submit_at_once_submit_once(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        desk = Desk(session=session, now=now)
        company_id, plan_id = desk.company(), desk.plan()
    draft = FilingDraft(head_count=25, returning_count=3, plan_id=plan_id)

    def tap() -> str | None:
        with database.transaction() as session:
            save_draft(session, company_id=company_id, draft=draft, actor="person:1", now=now)
            filing = submit_filing(session, company_id=company_id, actor="person:1", now=now)
            return filing.number

    results = _at_once(*[tap] * 4)
    assert sorted(type(result).__name__ for result in results) == [
        *["FilingSubmittedError"] * 3,
        "str",
    ]
    with database.reading() as session:
        for table in (Filing, FilingStep, EntryCode):
            assert session.scalar(select(func.count()).select_from(table)) == 1


def test_companies_that_submit_at_once_get_numbers_of_their_own(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        desk = Desk(session=session, now=now)
        companies = [(desk.company(f"第{number}公司"), desk.plan()) for number in range(6)]

    def submission(company_id: int, plan_id: int) -> Any:
        def submit() -> str | None:
            with database.transaction() as session:
                draft = FilingDraft(head_count=5, returning_count=0, plan_id=plan_id)
                save_draft(session, company_id=company_id, draft=draft, actor="a:1", now=now)
                return submit_filing(session, company_id=company_id, actor="a:1", now=now).number

        return submit

    numbers = _at_once(*[submission(*company) for company in companies])
    assert all(isinstance(number, str) for number in numbers)
    assert len(set(numbers)) == 6


# ---- any order of events --------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Whatever a company and its reviewers do in whichever order, the rules hold."""

    database: Database
    now: datetime

    @initialize()
    def begin(self) -> None:
        self.session = Session(self.database.engine, expire_on_commit=False)
        self.desk = Desk(session=self.session, now=self.now)
        self.company_id, self.staff_id = self.desk.company(), self.desk.staff()
        self.seen: list[str] = []
        self.submissions = 0

    @rule(
        head_count=st.one_of(st.none(), st.integers(1, 300)),
        returning_count=st.one_of(st.none(), st.integers(0, 300)),
        has_plan=st.booleans(),
    )
    def draft(self, *, head_count: int | None, returning_count: int | None, has_plan: bool) -> None:
        before = find_filing(self.session, company_id=self.company_id)
        given = {
            "head_count": head_count,
            "returning_count": returning_count,
            "plan_id": self.desk.plan() if has_plan else None,
        }
        typed = {name: value for name, value in given.items() if value is not None}
        if before is not None and before.state is FilingState.SUBMITTED:
            with pytest.raises(FilingSubmittedError):
                self.desk.draft(self.company_id, **typed)
            return
        after = self.desk.draft(self.company_id, **typed)
        assert all(getattr(after.draft, name) == value for name, value in typed.items())
        assert before is None or after.head_count == before.head_count

    @rule()
    def submit(self) -> None:
        self.desk.later(minutes=1)
        before = find_filing(self.session, company_id=self.company_id)
        if before is None:
            return
        try:
            after = submit_filing(
                self.session, company_id=self.company_id, actor="person:1", now=self.desk.now
            )
        except DomainError:
            draft = before.draft
            is_lacking = None in {draft.head_count, draft.returning_count, draft.plan_id}
            is_odd = not is_lacking and (draft.returning_count or 0) > (draft.head_count or 0)
            is_same = before.state is FilingState.APPROVED and draft.head_count == before.head_count
            assert is_lacking or is_odd or is_same
            return
        assert after.state is FilingState.SUBMITTED
        if before.state is not FilingState.SUBMITTED:
            self.submissions += 1
            assert (after.head_count, after.returning_count, after.plan_id) == (
                before.draft.head_count,
                before.draft.returning_count,
                before.draft.plan_id,
            )

    @rule(verdict=st.sampled_from(FilingVerdict))
    def decide(self, verdict: FilingVerdict) -> None:
        self.desk.later(minutes=1)
        before = find_filing(self.session, company_id=self.company_id)
        if before is not None and before.state is FilingState.SUBMITTED:
            self.desk.decide(before, verdict, staff_id=self.staff_id)

    @invariant()
    def history_leads_to_the_present(self) -> None:
        filing = find_filing(self.session, company_id=self.company_id)
        if filing is None:
            return
        steps = list_steps(self.session, filing_id=filing.id)
        states = [FilingState.DRAFT, *(step.state for step in steps)]
        assert states[-1] is filing.state
        assert all(new in TRANSITIONS[old] for old, new in pairwise(states))
        assert filing.revision == self.submissions == states.count(FilingState.SUBMITTED)
        assert (filing.number is None) is (filing.revision == 0)

    @invariant()
    def a_code_lives_unless_only_rejected(self) -> None:
        filing = find_filing(self.session, company_id=self.company_id)
        if filing is None:
            return
        states = [step.state for step in list_steps(self.session, filing_id=filing.id)]
        is_shut = (
            filing.state is FilingState.REJECTED and FilingState.APPROVED not in states
        ) or not states
        subject = subject_of(self.company_id)
        code = find_live_code(self.session, subject=subject, now=self.desk.now)
        assert (code is None) is is_shut

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()


def test_any_order_of_events_keeps_the_rules(database: Database, now: datetime) -> None:
    kind = type("OnThisDatabase", (AnyOrder,), {"database": database, "now": now})
    run_state_machine_as_test(kind, settings=settings(max_examples=25, stateful_step_count=20))
