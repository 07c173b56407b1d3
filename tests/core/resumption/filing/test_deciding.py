"""Decisions of the reviewers: singly, in batches, by two at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import select

from core.codes.rules import subject_of
from core.codes.service import find_live_code
from core.db import Database
from core.errors import DomainError
from core.mandates.rules import CompanyNotInBusinessError
from core.notices.model import Notice
from core.registry.model import Company
from core.resumption.filing.deciding import decide_filing, decide_filings
from core.resumption.filing.reviewing import (
    FilingChangedError,
    hold_filing,
)
from core.resumption.filing.rules import FilingState, FilingVerdict, ReasonMissingError
from core.resumption.filing.service import FilingCard, FilingNotFoundError, get_filing, list_steps
from tests.core.resumption.filing.conftest import FILLER, OWNER, Desk

APPROVE, RETURN, REJECT = FilingVerdict


@pytest.mark.parametrize(
    ("verdict", "state", "action", "kind"),
    [
        (APPROVE, FilingState.APPROVED, "filing_approved", "filing_passed"),
        (RETURN, FilingState.RETURNED, "filing_returned", "filing_returned"),
        (REJECT, FilingState.REJECTED, "filing_rejected", "filing_rejected"),
    ],
)
def test_a_decision_is_kept_recorded_and_told(
    desk: Desk, verdict: FilingVerdict, state: FilingState, action: str, kind: str
) -> None:
    company_id = desk.company("徐汇测试有限公司")
    desk.mandate(company_id)
    desk.mandate(company_id, FILLER, "filler", "张敏")
    filing, staff_id = desk.submit(company_id), desk.staff()
    hold_filing(desk.session, filing_id=filing.id, staff_id=staff_id, now=desk.now)
    decided = desk.decide(filing, verdict, staff_id=staff_id, reason=" 请补充 ")
    assert (decided.state, decided.reason, decided.decided_at) == (state, "请补充", desk.now)
    assert decided.decided_by == f"staff:{staff_id}"
    assert desk.row(filing).held_by is None
    assert list_steps(desk.session, filing_id=filing.id)[-1].state is state
    assert desk.actions("company")[-1 - (verdict is REJECT)] == action
    assert desk.told() == [(kind, OWNER), (kind, FILLER)]
    notice = desk.session.scalars(select(Notice)).first()
    assert notice is not None
    assert notice.values == {"company": "徐汇测试有限公司", "number": filing.number}
    assert notice.link == f"/h5/company/{company_id}"


def test_the_same_decision_again_is_harmless(desk: Desk) -> None:
    company_id = desk.company()
    desk.mandate(company_id)
    filing, staff_id = desk.submit(company_id), desk.staff()
    first = desk.decide(filing, APPROVE, staff_id=staff_id)
    recorded, told = desk.actions(), desk.told()
    desk.later(minutes=1)
    assert desk.decide(filing, APPROVE, staff_id=staff_id) == first
    assert (desk.actions(), desk.told()) == (recorded, told)


def test_a_decision_applies_to_what_was_seen(desk: Desk) -> None:
    company_id = desk.company()
    filing, one, two = desk.submit(company_id), desk.staff("one"), desk.staff("two")
    desk.decide(filing, RETURN, staff_id=one)
    for verdict in FilingVerdict:
        with pytest.raises(FilingChangedError):
            desk.decide(filing, verdict, staff_id=two)
    desk.submit(company_id, head_count=200)
    with pytest.raises(FilingChangedError):
        desk.decide(filing, APPROVE, staff_id=two)


def test_sending_back_needs_a_reason(desk: Desk) -> None:
    filing, staff_id = desk.submit(desk.company()), desk.staff()
    for verdict in (RETURN, REJECT):
        with pytest.raises(ReasonMissingError):
            desk.decide(filing, verdict, staff_id=staff_id, reason=" ")
    assert desk.decide(filing, APPROVE, staff_id=staff_id, reason="").reason == ""


def test_a_company_that_went_out_of_business_is_not_approved(desk: Desk) -> None:
    company_id = desk.company()
    filing, staff_id = desk.submit(company_id), desk.staff()
    desk.session.get_one(Company, company_id).state = "deregistered"
    desk.session.flush()
    with pytest.raises(CompanyNotInBusinessError):
        desk.decide(filing, APPROVE, staff_id=staff_id)
    assert desk.decide(filing, REJECT, staff_id=staff_id).state is FilingState.REJECTED


def test_a_rejection_before_any_approval_retires_the_code(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    subject = subject_of(company_id)
    desk.decide(desk.submit(company_id), REJECT, staff_id=staff_id)
    assert find_live_code(desk.session, subject=subject, now=desk.now) is None
    desk.submit(company_id)
    assert find_live_code(desk.session, subject=subject, now=desk.now) is not None


# ---- batches --------------------------------------------------------------------------------


def batch(
    desk: Desk,
    filings: Sequence[FilingCard],
    *,
    staff_id: int,
    verdict: FilingVerdict = APPROVE,
    reason: str = "",
) -> list[DomainError | None]:
    """Decide filings as they are given, and return the errors in their order."""
    outcomes = decide_filings(
        desk.session,
        choices=[(one.id, one.revision) for one in filings],
        verdict=verdict,
        reason=reason,
        staff_id=staff_id,
        now=desk.now,
    )
    assert [one.filing_id for one in outcomes] == [one.id for one in filings]
    return [one.error for one in outcomes]


def test_a_batch_decides_what_it_can_and_names_the_rest(desk: Desk) -> None:
    one, two = desk.staff("one"), desk.staff("two")
    fine, held, decided, anew, gone = filings = [
        desk.submit(desk.company(f"第{number}公司")) for number in range(5)
    ]
    hold_filing(desk.session, filing_id=held.id, staff_id=two, now=desk.now)
    desk.decide(decided, RETURN, staff_id=two)
    desk.decide(anew, RETURN, staff_id=two)
    desk.submit(anew.company.id)
    desk.session.get_one(Company, gone.company.id).state = "revoked"
    errors = batch(desk, filings[::-1], staff_id=one)[::-1]
    assert [None if error is None else error.code for error in errors] == [
        None,
        "filing_held",
        "filing_changed",
        "filing_changed",
        "company_not_in_business",
    ]
    states = [get_filing(desk.session, filing_id=filing.id).state.value for filing in filings]
    assert states == ["approved", "submitted", "returned", "submitted", "submitted"]
    assert get_filing(desk.session, filing_id=fine.id).decided_by == f"staff:{one}"


def test_a_batch_leaves_alone_what_is_outside_the_area(desk: Desk) -> None:
    mine = desk.submit(desk.company("甲", street="田林街道"))
    other = desk.submit(desk.company("乙", street="凌云路街道"))
    officer = desk.staff("wu", street="田林街道")
    outcomes = decide_filings(
        desk.session,
        choices=[(mine.id, 1), (other.id, 1)],
        verdict=APPROVE,
        reason="",
        staff_id=officer,
        now=desk.now,
    )
    assert [one.company_name for one in outcomes] == ["甲", ""]
    assert isinstance(outcomes[1].error, FilingNotFoundError)
    assert get_filing(desk.session, filing_id=other.id) == other


def test_a_batch_without_its_reason_decides_nothing(desk: Desk) -> None:
    filing, staff_id = desk.submit(desk.company()), desk.staff()
    with pytest.raises(ReasonMissingError):
        batch(desk, [filing], staff_id=staff_id, verdict=RETURN)
    assert get_filing(desk.session, filing_id=filing.id) == filing


def test_a_batch_names_the_companies(desk: Desk) -> None:
    staff_id, filing = desk.staff(), desk.submit(desk.company("甲公司"))
    choices = [(filing.id, 1), (filing.id, 1), (999, 1)]
    outcomes = decide_filings(
        desk.session, choices=choices, verdict=APPROVE, reason="", staff_id=staff_id, now=desk.now
    )
    assert [(one.filing_id, one.company_name) for one in outcomes] == [
        (filing.id, "甲公司"),
        (999, ""),
    ]


def test_a_batch_has_a_bound(desk: Desk) -> None:
    with pytest.raises(ValueError, match="too many"):
        decide_filings(
            desk.session,
            choices=[(number, 1) for number in range(201)],
            verdict=APPROVE,
            reason="",
            staff_id=desk.staff(),
            now=desk.now,
        )


def test_two_reviewers_with_one_filing_decide_once(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        desk = Desk(session=session, now=now)
        company_id = desk.company()
        desk.mandate(company_id)
        filing = desk.submit(company_id)
        staff_ids = [desk.staff(name) for name in ("one", "two", "three", "four")]
    results: list[str] = []
    start = threading.Barrier(len(staff_ids))

    def decide(staff_id: int, verdict: FilingVerdict) -> None:
        start.wait()
        try:
            with database.transaction() as session:
                decided = decide_filing(
                    session,
                    filing_id=filing.id,
                    revision=1,
                    verdict=verdict,
                    reason="原因",
                    staff_id=staff_id,
                    now=now,
                )
                results.append(decided.state.value)
        except FilingChangedError as error:
            results.append(error.code)

    verdicts = [APPROVE, RETURN, APPROVE, RETURN]
    threads = [
        threading.Thread(target=decide, args=pair) for pair in zip(staff_ids, verdicts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("filing_changed") == 3
    with database.reading() as session:
        assert len(list_steps(session, filing_id=filing.id)) == 2
        assert len(session.scalars(select(Notice)).all()) == 1
