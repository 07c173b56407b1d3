"""Use cases of workplaces, whatever their face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from core.bulk import table_of
from core.errors import NotFoundError
from core.workplaces.model import KNOWN_ID, Workplace
from core.workplaces.rules import Admission, Face, WorkplaceState, is_running

# What a register says of any workplace; the rest of a row is its face's.
PLACE_COLUMNS: Final = ("name", "address", "street_id", "state")


class WorkplaceNotFoundError(NotFoundError):
    """There is no such place of work."""

    code = "workplace_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkplaceCard:
    """A workplace as pages and conversations may show it.

    Attributes:
        holder_id: id of the company that answers for it, its own for a company; None: unknown.
        head_count: people, as declared; None: nothing was.
    """

    id: int
    face: Face
    name: str
    address: str
    street: str
    street_id: int
    state: WorkplaceState
    admission: Admission
    head_count: int | None
    holder_id: int | None

    @property
    def is_running(self) -> bool:
        """Whether it may take people at all."""
        return is_running(self.state)


def get_workplace(session: Session, *, workplace_id: int) -> WorkplaceCard:
    """Return the workplace with this id.

    Raises:
        WorkplaceNotFoundError: there is none.
    """
    found = session.get(Workplace, workplace_id)
    if found is None:
        raise WorkplaceNotFoundError
    face = Face(found.face)
    return WorkplaceCard(
        id=found.id,
        face=face,
        name=found.name,
        address=found.address,
        street=found.street.name,
        street_id=found.street_id,
        state=WorkplaceState(found.state),
        admission=Admission(found.admission),
        head_count=found.head_count,
        holder_id=found.id if face is Face.COMPANY else found.holder_id,
    )


def set_admission(
    session: Session, *, workplace_id: int, admission: Admission, head_count: int | None
) -> None:
    """Note whether a workplace may let people in, and how many were declared for it."""
    workplace = session.get_one(Workplace, workplace_id)
    workplace.admission, workplace.head_count = admission.value, head_count


def insert_workplaces(session: Session, *, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store many workplaces in few statements and return their ids in order.

    Args:
        session: the session of an import.
        rows: values of columns of `Workplace`, the same columns in each.
    """
    if not rows:
        return []
    ids = _next_ids(session, len(rows))
    numbered = [{"id": identity, **row} for identity, row in zip(ids, rows, strict=True)]
    session.connection().execute(insert(table_of(Workplace)), numbered)
    return ids


def update_workplaces(session: Session, *, rows: Sequence[dict[str, Any]]) -> None:
    """Change many workplaces in few statements.

    Args:
        session: the session of an import.
        rows: `KNOWN_ID`, and new values of columns of `Workplace`, the same columns in each.
    """
    if not rows:
        return
    table = table_of(Workplace)
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != KNOWN_ID}
    statement = update(table).where(table.c.id == bindparam(KNOWN_ID)).values(values)
    session.connection().execute(statement, list(rows))


def _next_ids(session: Session, count: int) -> list[int]:
    """Return ids that nobody else gets; the faces need them before their rows are written."""
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(Workplace.__tablename__, "id")
        each = func.generate_series(1, count)
        drawn = select(func.nextval(sequence)).select_from(each)
        return sorted(session.scalars(drawn))
    # The transaction holds the only lock that there is to write with.
    last = session.scalar(select(func.max(table_of(Workplace).c.id))) or 0
    return list(range(last + 1, last + 1 + count))


def answering_id() -> ColumnElement[int]:
    """Return the company that answers for a workplace, in a statement over `Workplace`."""
    return func.coalesce(Workplace.holder_id, Workplace.id)
