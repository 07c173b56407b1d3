"""The cases of a query as rows of a sheet; what was noted down on the phone is not among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from core.cases.listing import CaseQuery, conditions_of
from core.cases.model import Case
from core.exports.portions import clock_cell, rows_in_portions
from core.exports.rules import Masking
from core.exports.writing import Cell
from core.keyareas.model import KeyArea
from core.people.documents import mask_number
from core.people.names import mask_name
from core.people.phones import HOME_CODE, mask_phone
from core.places.model import Street
from core.registration.model import Registration
from core.workplaces.model import Workplace

COLUMNS: Final = (
    *("number", "workplace", "face", "street", "name", "document", "phone", "areas"),
    *("state", "opened_at", "deadline_at", "contacted_at", "escalated_at"),
    *("closed_at", "finding", "opened_count"),
)


def count_case_rows(session: Session, *, query: CaseQuery, now: datetime) -> int:
    """Return how many rows `iterate_case_rows` yields."""
    statement = (
        select(func.count())
        .select_from(Case)
        .join(Registration, Registration.id == Case.registration_id)
        .join(Workplace, Workplace.id == Case.workplace_id)
    )
    return session.scalar(statement.where(*conditions_of(query, now=now))) or 0


def iterate_case_rows(
    session: Session,
    *,
    query: CaseQuery,
    masking: Masking,
    words: Mapping[str, str],
    now: datetime,
) -> Iterator[Sequence[Cell]]:
    """Yield the cases of a query by age, with the cells of `COLUMNS`, read in portions.

    Args:
        session: may be a reading one.
        query: what to export.
        masking: whether names and numbers are whole.
        words: what states, faces and findings are called, by `case.<value>` and the like.
        now: aware instant; tells who is late.
    """
    rows = session.execute(select(KeyArea.code, KeyArea.name).order_by(KeyArea.since, KeyArea.id))
    names = dict(rows.all())
    for row in rows_in_portions(session, partial(_rows_after, query, now)):
        yield _cells_of(row, names, masking=masking, words=words)


def _rows_after(query: CaseQuery, now: datetime, last_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Case.id,
            Case.areas,
            Case.state,
            Case.opened_at,
            Case.deadline_at,
            Case.contacted_at,
            Case.escalated_at,
            Case.closed_at,
            Case.finding,
            Case.opened_count,
            Registration.number,
            Registration.name,
            Registration.document,
            Registration.phone,
            Workplace.name.label("workplace"),
            Workplace.face,
            Street.name.label("street"),
        )
        .join(Registration, Registration.id == Case.registration_id)
        .join(Workplace, Workplace.id == Case.workplace_id)
        .join(Street, Street.id == Workplace.street_id)
        .where(Case.id > last_id, *conditions_of(query, now=now))
        .order_by(Case.id)
    )


def _cells_of(
    row: Row[*tuple[Any, ...]],
    names: Mapping[str, str],
    *,
    masking: Masking,
    words: Mapping[str, str],
) -> Sequence[Cell]:
    is_masked = masking is Masking.MASKED
    return (
        row.number,
        row.workplace,
        words[f"face.{row.face}"],
        row.street,
        mask_name(row.name) if is_masked else row.name,
        mask_number(row.document) if is_masked else row.document,
        # Without the country's code, which a spreadsheet would take for a formula.
        mask_phone(row.phone) if is_masked else row.phone.removeprefix(HOME_CODE),
        words["and"].join(names.get(code, code) for code in row.areas),
        words[f"case.{row.state}"],
        clock_cell(row.opened_at),
        clock_cell(row.deadline_at),
        clock_cell(row.contacted_at),
        clock_cell(row.escalated_at),
        clock_cell(row.closed_at),
        words[f"finding.{row.finding}"] if row.finding else None,
        row.opened_count,
    )
