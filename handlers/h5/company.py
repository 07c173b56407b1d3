"""A company at a glance, the next step first; and what a new owner takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.codes.rules import subject_of
from core.codes.service import find_live_code
from core.mandates.elsewhere import find_asked, grant_to_elsewhere, object_to_elsewhere
from core.mandates.proving import confirm_takeover, find_takeover
from core.mandates.rules import Act, MandateKind, may
from core.mandates.service import MandateCard, get_mandate, list_deputies
from core.registration.rules import Group, RegistrationState
from core.registration.service import count_registrations
from core.registry.service import CompanyCard
from core.resumption.approval.sheet import get_sheet_summary
from core.resumption.filing.rules import FilingState
from core.resumption.filing.service import find_filing, queue_place_of
from handlers.access import Access, access
from handlers.forms import choice_field
from handlers.h5.mandates import company_id_of, company_path
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect


class NextStep(StrEnum):
    """What is to be done next for a company; `templates/h5/company/_words.html` says it."""

    NOT_IN_BUSINESS = "not_in_business"
    FILE = "file"
    WAIT_FOR_FILING = "wait_for_filing"  # somebody else must file
    CORRECT = "correct"
    FILE_AGAIN = "file_again"
    DECIDE = "decide"
    MAKE_CODE = "make_code"
    WAIT_FOR_CODE = "wait_for_code"  # the owner must make one
    PUT_UP_CODE = "put_up_code"
    WAIT_FOR_REVIEW = "wait_for_review"
    NOTHING = "nothing"


class ElsewhereAnswer(StrEnum):
    """What an owner says of another account that proved to be the owner."""

    MINE = "mine"
    NOT_MINE = "not_mine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many registrations somebody sees of a company.

    Attributes:
        waiting_count: that wait for a decision.
        look_count: of these, that are not simply fine.
        approved_count: that are approved.
        count: that nobody ended.
    """

    waiting_count: int
    look_count: int
    approved_count: int
    count: int


def counts_of(counted: Mapping[tuple[RegistrationState, Group], int]) -> Counts:
    """Return the figures of a company's page; whoever ended a registration is not among them."""
    submitted = RegistrationState.SUBMITTED
    return Counts(
        waiting_count=sum(counted.get((submitted, group), 0) for group in Group),
        look_count=counted.get((submitted, Group.LOOK), 0)
        + counted.get((submitted, Group.CANNOT), 0),
        approved_count=sum(counted.get((RegistrationState.APPROVED, one), 0) for one in Group),
        count=sum(
            count for (state, _), count in counted.items() if state is not RegistrationState.ENDED
        ),
    )


_OF_FILING: dict[FilingState | None, NextStep] = {
    None: NextStep.FILE,
    FilingState.DRAFT: NextStep.FILE,
    FilingState.RETURNED: NextStep.CORRECT,
    FilingState.REJECTED: NextStep.FILE_AGAIN,
}


def next_step_of(
    mandate: MandateCard, *, filing: FilingState | None, has_code: bool, counts: Counts
) -> NextStep:
    """Return what is to be done next, by whoever looks at the page.

    Args:
        mandate: theirs.
        filing: where the company's filing stands; None if it has not begun one.
        has_code: whether there is a code to register by.
        counts: of the registrations.
    """
    if not mandate.company.is_in_business:
        return NextStep.NOT_IN_BUSINESS
    if filing in _OF_FILING:
        return _OF_FILING[filing] if may(mandate, Act.FILE) else NextStep.WAIT_FOR_FILING
    if counts.waiting_count and may(mandate, Act.DECIDE):
        return NextStep.DECIDE
    if not has_code:
        may_make = may(mandate, Act.ROTATE_CODE)
        return NextStep.MAKE_CODE if may_make else NextStep.WAIT_FOR_CODE
    if not counts.count:
        return NextStep.PUT_UP_CODE
    return NextStep.WAIT_FOR_REVIEW if filing is FilingState.SUBMITTED else NextStep.NOTHING


@access(Access.PERSON)
def company(visit: Visit) -> Answer:
    """Show a company to somebody who acts for it; a new owner sees what there is to take over."""
    session, company_id = visit.reading(), company_id_of(visit)
    takeover = find_takeover(session, openid=visit.openid, company_id=company_id)
    if takeover is not None:
        return _takeover_page(visit, takeover)
    mandate = get_mandate(session, openid=visit.openid, company_id=company_id)
    filing = find_filing(session, company_id=company_id)
    code = find_live_code(session, subject=subject_of(company_id), now=visit.now)
    counts = counts_of(get_sheet_summary(session, mandate=mandate).counts)
    state = filing.state if filing else None
    is_waiting = state is FilingState.SUBMITTED
    step = next_step_of(mandate, filing=state, has_code=code is not None, counts=counts)
    values = {
        "mandate": mandate,
        "company": mandate.company,
        "filing": filing,
        "queue": queue_place_of(session, filing_id=filing.id) if filing and is_waiting else None,
        "code": code,
        "counts": counts,
        "step": step.value,
        "acts": {act.value for act in Act if may(mandate, act)},
        "people_count": _people_count(visit, mandate),
        "told": _told(visit),
        "asked_until": find_asked(session, by=mandate),
    }
    return Page(template="company/company", values=values)


def _people_count(visit: Visit, mandate: MandateCard) -> int:
    if mandate.kind is not MandateKind.OWNER:
        return 0
    return len(list_deputies(visit.reading(), by=mandate)) - 1


def _told(visit: Visit) -> str:
    """Return what was just done, to be said above the page."""
    return next(
        (word for word in ("confirmed", "taken_over", "objected") if visit.query.get(word)), ""
    )


def _takeover_page(visit: Visit, company: CompanyCard) -> Page:
    session = visit.reading()
    values = {
        "company": company,
        "filing": find_filing(session, company_id=company.id),
        "counts": counts_of(count_registrations(session, workplace_id=company.id)),
    }
    return Page(template="company/takeover", values=values)


@access(Access.PERSON)
def answer_elsewhere(visit: Visit) -> Answer:
    """Take the owner's word on whether another account is theirs too."""
    company_id = company_id_of(visit)
    mandate = get_mandate(visit.reading(), openid=visit.openid, company_id=company_id)
    answer = choice_field(visit.form, "answer", ElsewhereAnswer)
    if answer is None:
        return Redirect(path=company_path(company_id))
    if answer is ElsewhereAnswer.MINE:
        grant_to_elsewhere(visit.writing(), by=mandate, now=visit.now)
        return Redirect(path="/h5/owner")
    object_to_elsewhere(visit.writing(), by=mandate, now=visit.now)
    return Redirect(path=f"{company_path(company_id)}?objected=1")


@access(Access.PERSON)
def take_over(visit: Visit) -> Answer:
    """Confirm what a new owner takes over."""
    company_id = company_id_of(visit)
    confirm_takeover(visit.writing(), openid=visit.openid, company_id=company_id, now=visit.now)
    return Redirect(path=f"{company_path(company_id)}?taken_over=1")
