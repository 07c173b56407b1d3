"""What a reviewer should know about a company at a glance, before opening its filing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.registry.model import CompanyChange
from core.registry.rules import CompanyState, Field
from core.resumption.filing.model import FilingStep
from core.resumption.filing.rules import FilingState, has_jumped, is_news
from core.resumption.filing.service import FilingCard

_DECIDED = (FilingState.APPROVED, FilingState.RETURNED, FilingState.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingNotes:
    """The risk notes of a filing.

    Attributes:
        company_changed_at: when the register last changed anything about the company, if that
            was in the last 30 days.
        owner_changed_at: the same for its owner.
        company_state: as the register has it.
        returned_count: how often it was returned or rejected before.
        approved_head_count: what was approved last; None if nothing ever was.
        has_jumped: far more people are declared than were approved last.
    """

    company_changed_at: datetime | None
    owner_changed_at: datetime | None
    company_state: CompanyState
    returned_count: int
    approved_head_count: int | None
    has_jumped: bool

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to look at."""
        return not (
            self.company_changed_at
            or self.owner_changed_at
            or self.returned_count
            or self.has_jumped
            or self.company_state is not CompanyState.ACTIVE
        )


def notes_of(
    session: Session, *, filings: Sequence[FilingCard], now: datetime
) -> dict[int, FilingNotes]:
    """Return the risk notes of filings by their ids, in two statements however many they are.

    What registrations tell, how many have been in a key area or have a health code that is not
    green, is not known here: filings come before them.
    """
    changes = _changes_of(session, [filing.company.id for filing in filings])
    returned, approved = _history_of(session, [filing.id for filing in filings])
    return {
        filing.id: _note(
            filing,
            changes.get(filing.company.id, {}),
            returned_count=returned[filing.id],
            approved=approved.get(filing.id),
            now=now,
        )
        for filing in filings
    }


def _note(
    filing: FilingCard,
    changes: Mapping[Field, datetime],
    *,
    returned_count: int,
    approved: int | None,
    now: datetime,
) -> FilingNotes:
    changed_at, owner_changed_at = max(changes.values(), default=None), changes.get(Field.OWNER)
    return FilingNotes(
        company_changed_at=changed_at if is_news(changed_at, now=now) else None,
        owner_changed_at=owner_changed_at if is_news(owner_changed_at, now=now) else None,
        company_state=filing.company.state,
        returned_count=returned_count,
        approved_head_count=approved,
        has_jumped=has_jumped(filing.head_count or 0, before=approved),
    )


def _changes_of(session: Session, company_ids: Sequence[int]) -> dict[int, dict[Field, datetime]]:
    rows = session.execute(
        select(CompanyChange.company_id, CompanyChange.field, func.max(CompanyChange.at))
        .where(CompanyChange.company_id.in_(company_ids))
        .group_by(CompanyChange.company_id, CompanyChange.field)
    )
    found: dict[int, dict[Field, datetime]] = {}
    for company_id, field, at in rows:
        found.setdefault(company_id, {})[Field(field)] = at
    return found


def _history_of(
    session: Session, filing_ids: Sequence[int]
) -> tuple[Counter[int], dict[int, int | None]]:
    """Return how often filings were sent back, and what was approved last."""
    rows = session.execute(
        select(FilingStep.filing_id, FilingStep.state, FilingStep.head_count)
        .where(
            FilingStep.filing_id.in_(filing_ids),
            FilingStep.state.in_([state.value for state in _DECIDED]),
        )
        .order_by(FilingStep.id)
    )
    returned: Counter[int] = Counter()
    approved: dict[int, int | None] = {}
    for filing_id, state, head_count in rows:
        if state == FilingState.APPROVED.value:
            approved[filing_id] = head_count
        else:
            returned[filing_id] += 1
    return returned, approved
