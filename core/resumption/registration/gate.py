"""Whether a company takes registrations at this moment, and what is declared for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.codes.model import EntryCode
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.registry.model import Company
from core.registry.rules import CompanyState, is_in_business
from core.registry.service import CompanyNotFoundError
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import FilingState


class Closed(StrEnum):
    """Why nobody can register."""

    COMPANY = "company"  # not in business any more
    NOT_FILED = "not_filed"
    REJECTED = "rejected"
    CODE = "code"  # retired, expired, or another company's


# A filing that was returned is being mended: its people need not wait for that.
_TAKING: Final = frozenset({FilingState.SUBMITTED, FilingState.RETURNED, FilingState.APPROVED})


class RegistrationClosedError(ConflictError):
    """The company takes no registrations now; fact: `reason`, a `Closed`."""

    code = "registration_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A company as a registration meets it.

    Attributes:
        head_count: as declared; None: nothing was.
        closed: why nobody can register; None: it is open.
    """

    company_id: int
    company_name: str
    head_count: int | None
    closed: Closed | None


def get_door(
    session: Session, *, company_id: int, now: datetime, code_id: int | None = None
) -> Door:
    """Return a company as a registration meets it, open or closed.

    Args:
        session: may be a reading one.
        company_id: of which company.
        now: aware instant.
        code_id: the code that was scanned; None: somebody enters without one, who may.

    Raises:
        CompanyNotFoundError: there is none.
    """
    # One statement: a rush of people at one code asks this first.
    row = session.execute(
        select(
            Company.name,
            Company.state.label("company_state"),
            Filing.state.label("filing_state"),
            Filing.head_count,
            EntryCode.id.label("code_id"),
            EntryCode.retired_at,
            EntryCode.expires_at,
        )
        .outerjoin(Filing, Filing.company_id == Company.id)
        .outerjoin(
            EntryCode,
            and_(EntryCode.id == code_id, EntryCode.subject == subject_of(company_id)),
        )
        .where(Company.id == company_id)
    ).one_or_none()
    if row is None:
        raise CompanyNotFoundError
    is_code_live = row.code_id is not None and row.retired_at is None and now < row.expires_at
    closed = _closed_by(row.company_state, row.filing_state)
    if closed is None and code_id is not None and not is_code_live:
        closed = Closed.CODE
    return Door(
        company_id=company_id, company_name=row.name, head_count=row.head_count, closed=closed
    )


def check_open(door: Door) -> None:
    """Check that a company takes registrations.

    Raises:
        RegistrationClosedError: it does not, and why.
    """
    if door.closed is not None:
        raise RegistrationClosedError(reason=door.closed.value)


def _closed_by(company_state: str, filing_state: str | None) -> Closed | None:
    if not is_in_business(CompanyState(company_state)):
        return Closed.COMPANY
    if filing_state is None or filing_state == FilingState.DRAFT.value:
        return Closed.NOT_FILED
    return None if filing_state in _TAKING else Closed.REJECTED
