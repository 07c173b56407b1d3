"""Whether a workplace takes registrations at this moment, and what is declared for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.model import EntryCode
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.workplaces.model import Workplace
from core.workplaces.rules import Admission, Closed, Face, WorkplaceState, closed_by
from core.workplaces.service import WorkplaceNotFoundError

# Ids in one statement; both databases bound how many values one may have.
_IDS: Final = 5000


class RegistrationClosedError(ConflictError):
    """The workplace takes no registrations now; fact: `reason`, a `Closed`."""

    code = "registration_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A workplace as a registration meets it.

    Attributes:
        head_count: as declared; None: nothing was.
        closed: why nobody can register; None: it is open.
    """

    workplace_id: int
    workplace_name: str
    face: Face
    head_count: int | None
    closed: Closed | None


def get_door(
    session: Session, *, workplace_id: int, now: datetime, code_id: int | None = None
) -> Door:
    """Return a workplace as a registration meets it, open or closed.

    Args:
        session: may be a reading one.
        workplace_id: of which workplace.
        now: aware instant.
        code_id: the code that was scanned; None: somebody enters without one, who may.

    Raises:
        WorkplaceNotFoundError: there is none.
    """
    # One statement: a rush of people at one code asks this first.
    row = session.execute(
        select(
            Workplace.name,
            Workplace.face,
            Workplace.state,
            Workplace.admission,
            Workplace.head_count,
            EntryCode.subject,
            EntryCode.retired_at,
            EntryCode.expires_at,
        )
        .outerjoin(EntryCode, EntryCode.id == code_id)
        .where(Workplace.id == workplace_id)
    ).one_or_none()
    if row is None:
        raise WorkplaceNotFoundError
    face = Face(row.face)
    is_its_own = row.subject == subject_of(workplace_id, face=face)
    is_code_live = is_its_own and row.retired_at is None and now < row.expires_at
    closed = closed_by(WorkplaceState(row.state), Admission(row.admission))
    if closed is None and code_id is not None and not is_code_live:
        closed = Closed.CODE
    return Door(
        workplace_id=workplace_id,
        workplace_name=row.name,
        face=face,
        head_count=row.head_count,
        closed=closed,
    )


def list_doors(session: Session, *, workplace_ids: Collection[int]) -> Mapping[int, Door]:
    """Return workplaces as those meet them who enter people without a code, by id.

    Args:
        session: may be a reading one.
        workplace_ids: those that are not there are left out.
    """
    ids = sorted(workplace_ids)
    columns = (Workplace.id, Workplace.name, Workplace.face, Workplace.state)
    doors: dict[int, Door] = {}
    for start in range(0, len(ids), _IDS):
        rows = session.execute(
            select(*columns, Workplace.admission, Workplace.head_count).where(
                Workplace.id.in_(ids[start : start + _IDS])
            )
        )
        for row in rows:
            doors[row.id] = Door(
                workplace_id=row.id,
                workplace_name=row.name,
                face=Face(row.face),
                head_count=row.head_count,
                closed=closed_by(WorkplaceState(row.state), Admission(row.admission)),
            )
    return doors


def check_open(door: Door) -> None:
    """Check that a workplace takes registrations.

    Raises:
        RegistrationClosedError: it does not, and why.
    """
    if door.closed is not None:
        raise RegistrationClosedError(reason=door.closed.value)
