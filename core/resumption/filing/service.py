"""Use cases of a company's filing: draft it, sign and submit it, see where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.db import upsert
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.files.service import remove_file
from core.mandates.model import Mandate
from core.mandates.rules import CompanyNotInBusinessError
from core.mandates.service import MandateCard
from core.people.names import name_key
from core.registry.service import CompanyCard, get_company
from core.resumption.filing.model import Filing, FilingStep
from core.resumption.filing.rules import (
    ADMISSION_OF,
    MAX_DECIDED,
    FilingDraft,
    FilingState,
    FilingUnchangedError,
    check_complete,
    check_counts,
    usual_wait_of,
)
from core.workplaces.service import set_admission


class FilingNotFoundError(NotFoundError):
    """The company has not begun a filing, or it is not for the one who asks."""

    code = "filing_not_found"


class FilingSubmittedError(ConflictError):
    """The filing waits for review: it cannot be changed until it is decided."""

    code = "filing_submitted"


class SignatureDiffersError(InvalidInputError):
    """The name that was signed with is not that of the person who acts."""

    code = "signature_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingCard:
    """A filing as its owner and the reviewers see it.

    Attributes:
        number: what the public knows it by; None until it was first submitted.
        revision: how often it was submitted.
        head_count: as of the newest submission, like the two below; None before the first.
        draft: what the next submission would declare; what is not typed anew is as it stands.
        signed_by: who signed the newest submission, as `person:7`.
        reason: of the newest decision; empty where there is none.
    """

    id: int
    number: str | None
    company: CompanyCard
    state: FilingState
    revision: int
    head_count: int | None
    returning_count: int | None
    plan_id: int | None
    draft: FilingDraft
    commitment: str | None
    signed_at: datetime | None
    signed_by: str | None
    submitted_at: datetime | None
    decided_at: datetime | None
    reason: str
    changed_at: datetime
    decided_by: str | None = None

    @property
    def has_change(self) -> bool:
        """Whether something else than what stands was typed and not submitted yet."""
        standing = (self.head_count, self.returning_count, self.plan_id)
        draft = (self.draft.head_count, self.draft.returning_count, self.draft.plan_id)
        return draft != standing


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """Where a filing stands in the reviewers' queue.

    Attributes:
        ahead_count: filings that are decided before it.
        usual_wait: from submission to decision, the median of the newest 50; None while fewer
            than five are known.
    """

    ahead_count: int
    usual_wait: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a filing's history, with what was declared then."""

    revision: int
    at: datetime
    actor: str
    state: FilingState
    reason: str
    head_count: int | None
    returning_count: int | None
    plan_id: int | None


def find_filing(session: Session, *, company_id: int) -> FilingCard | None:
    """Return the filing of a company, or None if it has not begun one."""
    filing = session.scalar(select(Filing).where(Filing.company_id == company_id))
    return None if filing is None else card_of(session, filing=filing)


def get_filing(session: Session, *, filing_id: int) -> FilingCard:
    """Return a filing.

    Raises:
        FilingNotFoundError: there is none.
    """
    filing = session.get(Filing, filing_id)
    if filing is None:
        raise FilingNotFoundError
    return card_of(session, filing=filing)


def save_draft(
    session: Session, *, company_id: int, draft: FilingDraft, actor: str, now: datetime
) -> FilingCard:
    """Keep what was typed for the next submission; what is None stays as it was.

    A plan that was handed in and never submitted gives way to a new one.

    Args:
        session: the session of the request.
        company_id: whose filing.
        draft: each of its figures in range; together they need not fit yet.
        actor: who types, as `person:7`.
        now: aware instant.

    Raises:
        CompanyNotFoundError: there is no such company.
        CompanyNotInBusinessError: it may not file.
        FilingSubmittedError: it waits for review.
        CountInvalidError: a figure is out of range.
    """
    check_counts(draft)
    _check_in_business(get_company(session, company_id=company_id))
    filing = _locked_or_begun(session, company_id=company_id, actor=actor, now=now)
    if filing.state == FilingState.SUBMITTED.value:
        raise FilingSubmittedError
    if draft.head_count is not None:
        filing.draft_head_count = draft.head_count
    if draft.returning_count is not None:
        filing.draft_returning_count = draft.returning_count
    if draft.plan_id not in {None, filing.draft_plan_id, filing.plan_id}:
        former, filing.draft_plan_id = filing.draft_plan_id, draft.plan_id
        if former is not None:
            remove_file(session, file_id=former, actor=actor, now=now)
    filing.changed_at = now
    session.flush()
    return card_of(session, filing=filing)


def check_signature(session: Session, *, mandate: MandateCard, name: str) -> None:
    """Check that a signature is the name of the person who acts for the company.

    Args:
        session: may be a reading one.
        mandate: by which they act.
        name: normalised, as `name_of` returns it.

    Raises:
        SignatureDiffersError: it is another name.
    """
    if name_key(name) != name_key(session.get_one(Mandate, mandate.id).name):
        raise SignatureDiffersError


def submit_filing(session: Session, *, company_id: int, actor: str, now: datetime) -> FilingCard:
    """Submit the draft, signed, for review; the company's code is issued with it.

    What waits for review already is left alone: twice is once.

    Args:
        session: the session of the request.
        company_id: whose filing.
        actor: who signed the commitment, as `person:7`; their name was checked.
        now: aware instant.

    Raises:
        FilingNotFoundError: nothing was drafted.
        CompanyNotInBusinessError: the company may not file.
        CountMissingError, CountInvalidError, ReturningTooManyError, PlanMissingError: the draft
            is not complete.
        FilingUnchangedError: it was approved, and nothing of it is another now.
    """
    filing = session.scalar(_of_company(company_id))
    if filing is None:
        raise FilingNotFoundError
    if filing.state == FilingState.SUBMITTED.value:
        return card_of(session, filing=filing)
    _check_in_business(get_company(session, company_id=company_id))
    check_complete(filing.draft)
    if filing.state == FilingState.APPROVED.value and filing.draft == filing.declared:
        raise FilingUnchangedError
    filing.submit(now=now, actor=actor)
    add_step(session, filing=filing, actor=actor, now=now)
    record(
        session,
        now=now,
        actor=actor,
        action="filing_submitted",
        subject=subject_of(company_id),
        filing_id=filing.id,
        revision=filing.revision,
        head_count=filing.head_count,
        returning_count=filing.returning_count,
    )
    issue_code(session, subject=subject_of(company_id), actor=actor, now=now)
    session.flush()
    return card_of(session, filing=filing)


def queue_place_of(session: Session, *, filing_id: int) -> QueuePlace:
    """Return how many filings are ahead of one, and how long a decision usually takes.

    Of a filing that does not wait, none is ahead.

    Raises:
        FilingNotFoundError: there is none.
    """
    filing = session.get(Filing, filing_id)
    if filing is None:
        raise FilingNotFoundError
    ahead_count = 0
    if filing.state == FilingState.SUBMITTED.value:
        is_earlier = or_(
            Filing.submitted_at < filing.submitted_at,
            (Filing.submitted_at == filing.submitted_at) & (Filing.id < filing.id),
        )
        waiting = select(func.count()).where(
            Filing.state == FilingState.SUBMITTED.value, is_earlier
        )
        ahead_count = session.scalar(waiting) or 0
    return QueuePlace(ahead_count=ahead_count, usual_wait=find_usual_wait(session))


def find_usual_wait(session: Session) -> timedelta | None:
    """Return how long a decision usually takes; None while too few are known."""
    newest = session.execute(
        select(Filing.submitted_at, Filing.decided_at)
        .where(Filing.decided_at.is_not(None))
        .order_by(Filing.decided_at.desc(), Filing.id)
        .limit(MAX_DECIDED)
    )
    return usual_wait_of(
        [
            decided_at - submitted_at
            for submitted_at, decided_at in newest
            if submitted_at is not None and decided_at is not None
        ]
    )


def list_steps(session: Session, *, filing_id: int) -> list[Step]:
    """Return the history of a filing, the first step first."""
    rows = session.scalars(
        select(FilingStep).where(FilingStep.filing_id == filing_id).order_by(FilingStep.id)
    )
    return [
        Step(
            revision=row.revision,
            at=row.at,
            actor=row.actor,
            state=FilingState(row.state),
            reason=row.reason,
            head_count=row.head_count,
            returning_count=row.returning_count,
            plan_id=row.plan_id,
        )
        for row in rows
    ]


# ---- what reviewing shares ------------------------------------------------------------------


def add_step(session: Session, *, filing: Filing, actor: str, now: datetime) -> None:
    """Write down where a filing stands now and what it declares, and open the door or close it."""
    set_admission(
        session,
        workplace_id=filing.company_id,
        admission=ADMISSION_OF[FilingState(filing.state)],
        head_count=filing.head_count,
    )
    session.add(
        FilingStep(
            filing_id=filing.id,
            revision=filing.revision,
            at=now,
            actor=actor,
            state=filing.state,
            reason=filing.reason,
            head_count=filing.head_count,
            returning_count=filing.returning_count,
            plan_id=filing.plan_id,
        )
    )


def card_of(session: Session, *, filing: Filing) -> FilingCard:
    """Return what others may know of a filing."""
    return FilingCard(
        id=filing.id,
        number=filing.number,
        company=get_company(session, company_id=filing.company_id),
        state=FilingState(filing.state),
        revision=filing.revision,
        head_count=filing.head_count,
        returning_count=filing.returning_count,
        plan_id=filing.plan_id,
        draft=filing.draft,
        commitment=filing.commitment,
        signed_at=filing.signed_at,
        signed_by=filing.signed_by,
        submitted_at=filing.submitted_at,
        decided_at=filing.decided_at,
        decided_by=filing.decided_by,
        reason=filing.reason,
        changed_at=filing.changed_at,
    )


def _locked_or_begun(session: Session, *, company_id: int, actor: str, now: datetime) -> Filing:
    """Return the filing of a company, begun if there is none; two at once begin one."""
    filing = session.scalar(_of_company(company_id))
    if filing is not None:
        return filing
    row = {
        "company_id": company_id,
        "state": FilingState.DRAFT.value,
        "revision": 0,
        "reason": "",
        "created_at": now,
        "changed_at": now,
    }
    begun = upsert(session, Filing, keys=["company_id"], update=[]).values(row)
    filing_id = session.scalar(begun.returning(Filing.id))
    filing = session.scalars(_of_company(company_id)).one()
    if filing_id is not None:
        record(
            session,
            now=now,
            actor=actor,
            action="filing_begun",
            subject=subject_of(company_id),
            filing_id=filing.id,
        )
    return filing


def _of_company(company_id: int) -> Select[Filing]:
    # Read anew: what the session has may be older than the lock.
    return (
        select(Filing)
        .where(Filing.company_id == company_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _check_in_business(company: CompanyCard) -> None:
    if not company.is_in_business:
        raise CompanyNotInBusinessError(state=company.state.value)
