"""Use cases of the reviewers: decide filings, singly and in batches.

Nobody decides what another one holds, or what is not any more as they saw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.rules import RetiredReason, subject_of
from core.codes.service import retire_code
from core.errors import DomainError
from core.mandates.rules import CompanyNotInBusinessError
from core.mandates.service import list_people_to_tell
from core.notices.service import NoticeDraft, queue_notices
from core.people.staff.model import StaffAccount
from core.registry.service import get_company
from core.resumption.filing.model import Filing, FilingStep
from core.resumption.filing.reviewing import (
    FilingChangedError,
    check_not_held,
    companies_of,
    in_area,
    locked,
    note,
    reviewed,
)
from core.resumption.filing.rules import STATE_AFTER, FilingState, FilingVerdict, reason_of
from core.resumption.filing.service import FilingCard, add_step, card_of

MAX_BATCH: Final = 200

NOTICE_OF: Final[Mapping[FilingVerdict, str]] = {
    FilingVerdict.APPROVE: "filing_passed",
    FilingVerdict.RETURN: "filing_returned",
    FilingVerdict.REJECT: "filing_rejected",
}
_ACTION_OF: Final[Mapping[FilingVerdict, str]] = {
    FilingVerdict.APPROVE: "filing_approved",
    FilingVerdict.RETURN: "filing_returned",
    FilingVerdict.REJECT: "filing_rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one filing of a batch: decided, or left alone because of an error."""

    filing_id: int
    company_name: str
    error: DomainError | None = None


def decide_filing(
    session: Session,
    *,
    filing_id: int,
    revision: int,
    verdict: FilingVerdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> FilingCard:
    """Decide a filing, and tell the owner and the fillers; the same decision again is harmless.

    Args:
        session: the session of the request.
        filing_id: which one.
        revision: the one that the reviewer saw.
        verdict: what they decide.
        reason: what the owner reads; needed to return and to reject.
        staff_id: who decides.
        now: aware instant.

    Raises:
        FilingNotFoundError: there is none in the reviewer's area.
        FilingChangedError: it was decided, or submitted anew, meanwhile.
        FilingHeldError: another reviewer has it open.
        CompanyNotInBusinessError: it cannot be approved as the register has the company.
        ReasonMissingError, ReasonTooLongError: the reason.
    """
    kept = reason_of(reason, verdict=verdict)
    filing = reviewed(session, filing_id=filing_id, staff_id=staff_id)
    if _decide(
        session,
        filing,
        revision=revision,
        verdict=verdict,
        reason=kept,
        staff_id=staff_id,
        now=now,
    ):
        _tell(session, [filing], kind=NOTICE_OF[verdict], now=now)
    return card_of(session, filing=filing)


def decide_filings(
    session: Session,
    *,
    choices: Sequence[tuple[int, int]],
    verdict: FilingVerdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> list[Outcome]:
    """Decide many filings in the same way; what cannot be decided is left alone, with its error.

    Args:
        session: the session of the request.
        choices: id and the revision that the reviewer saw, each filing once, at most 200.
        verdict: what they decide.
        reason: as of `decide_filing`, the same for all.
        staff_id: who decides.
        now: aware instant.

    Returns:
        An outcome for each, in the order given.

    Raises:
        ReasonMissingError, ReasonTooLongError: nothing is decided.
        ValueError: more than 200, a bug in the page.
    """
    if len(choices) > MAX_BATCH:
        raise ValueError("too many filings for one decision")
    kept = reason_of(reason, verdict=verdict)
    account = session.get(StaffAccount, staff_id)
    # In a fixed order: two reviewers with overlapping batches must not wait for each other.
    filings = session.scalars(
        locked(filing_id for filing_id, _ in choices).order_by(Filing.id)
    ).all()
    companies = companies_of(session, filings)
    found = {filing.id: filing for filing in filings}
    outcomes: dict[int, Outcome] = {}
    decided: list[Filing] = []
    for filing_id, revision in sorted(set(choices)):
        name = ""
        try:
            filing = in_area(session, found.get(filing_id), account)
            name = companies[filing.company_id].name
            if _decide(
                session,
                filing,
                revision=revision,
                verdict=verdict,
                reason=kept,
                staff_id=staff_id,
                now=now,
            ):
                decided.append(filing)
        except DomainError as error:
            outcomes[filing_id] = Outcome(filing_id=filing_id, company_name=name, error=error)
        else:
            outcomes[filing_id] = Outcome(filing_id=filing_id, company_name=name)
    _tell(session, decided, kind=NOTICE_OF[verdict], now=now)
    return [outcomes[filing_id] for filing_id in dict.fromkeys(one for one, _ in choices)]


def _decide(
    session: Session,
    filing: Filing,
    *,
    revision: int,
    verdict: FilingVerdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> bool:
    """Apply a decision and return whether there was anything to do.

    Every check comes before the first change.
    """
    actor = f"staff:{staff_id}"
    if _is_done(filing, revision=revision, verdict=verdict, actor=actor):
        return False
    if filing.state != FilingState.SUBMITTED.value or filing.revision != revision:
        raise FilingChangedError
    check_not_held(session, filing, staff_id=staff_id, now=now)
    company = get_company(session, company_id=filing.company_id)
    if verdict is FilingVerdict.APPROVE and not company.is_in_business:
        raise CompanyNotInBusinessError(state=company.state.value)
    filing.decide(verdict, reason=reason, now=now, actor=actor)
    add_step(session, filing=filing, actor=actor, now=now)
    note(session, filing, _ACTION_OF[verdict], staff_id=staff_id, now=now)
    if verdict is FilingVerdict.REJECT and not _was_approved(session, filing):
        retire_code(
            session,
            subject=subject_of(company.id),
            reason=RetiredReason.RETIRED,
            actor=actor,
            now=now,
        )
    return True


def _is_done(filing: Filing, *, revision: int, verdict: FilingVerdict, actor: str) -> bool:
    """Return whether the same reviewer decided the same before: a second tap."""
    return (
        filing.revision == revision
        and filing.state == STATE_AFTER[verdict].value
        and filing.decided_by == actor
    )


def _was_approved(session: Session, filing: Filing) -> bool:
    approved = select(FilingStep.id).where(
        FilingStep.filing_id == filing.id, FilingStep.state == FilingState.APPROVED.value
    )
    return session.execute(approved.limit(1)).first() is not None


def _tell(session: Session, filings: Sequence[Filing], *, kind: str, now: datetime) -> None:
    session.flush()
    drafts = [
        NoticeDraft(
            kind=kind,
            openid=openid,
            key=f"{kind}:{filing.id}:{filing.revision}:{openid}",
            values={
                "company": get_company(session, company_id=filing.company_id).name,
                "number": filing.number or "",
            },
            link=f"/h5/company/{filing.company_id}",
        )
        for filing in filings
        for openid in list_people_to_tell(session, company_id=filing.company_id)
    ]
    queue_notices(session, now=now, drafts=drafts)
