"""The registrations of a query as rows of a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from core.bulk import table_of
from core.exports.portions import clock_cell, rows_in_portions
from core.exports.rules import Masking
from core.exports.writing import Cell
from core.people.documents import mask_number
from core.people.names import mask_name
from core.people.phones import HOME_CODE, mask_phone
from core.places.model import Community, Street
from core.registration.listing import StaffQuery, conditions_of
from core.registration.model import Registration
from core.registry.model import Company
from core.workplaces.model import Workplace
from core.workplaces.service import answering_id

COLUMNS: Final = (
    *("number", "company", "uscc", "street", "department"),
    *("name", "document_kind", "document", "phone", "community"),
    *("state", "flag_group", "flags", "submitted_at", "decided_at"),
)


def iterate_registration_rows(
    session: Session, *, query: StaffQuery, masking: Masking, words: Mapping[str, str]
) -> Iterator[Sequence[Cell]]:
    """Yield the registrations of a query by age, with the cells of `COLUMNS`.

    What people reported of their health and ways is not among them: the flags say what matters.
    They are read in portions, each from where the last one ended, as `iterate_filing_rows`.

    Args:
        session: may be a reading one.
        query: what to export.
        masking: whether names and numbers are whole.
        words: what states, groups, flags and kinds are called, by `flag.<value>` and the like.
    """
    for row in rows_in_portions(session, partial(_rows_after, query)):
        yield _cells_of(row, masking=masking, words=words)


def _rows_after(query: StaffQuery, last_id: int) -> Select[*tuple[Any, ...]]:
    company = table_of(Company)
    return (
        select(
            Registration.id,
            Registration.number,
            Registration.department,
            Registration.name,
            Registration.document_kind,
            Registration.document,
            Registration.phone,
            Registration.state,
            Registration.flag_group,
            Registration.flags,
            Registration.submitted_at,
            Registration.decided_at,
            Workplace.name.label("workplace"),
            company.c.uscc,
            Street.name.label("street"),
            Community.name.label("community"),
        )
        .join(Workplace, Workplace.id == Registration.workplace_id)
        .outerjoin(company, company.c.id == answering_id())
        .join(Street, Street.id == Workplace.street_id)
        .outerjoin(Community, Community.id == Registration.community_id)
        .where(Registration.id > last_id, *conditions_of(query))
        .order_by(Registration.id)
    )


def _cells_of(
    row: Row[*tuple[Any, ...]], *, masking: Masking, words: Mapping[str, str]
) -> Sequence[Cell]:
    is_masked = masking is Masking.MASKED
    return (
        row.number,
        row.workplace,
        row.uscc or "",
        row.street,
        row.department,
        mask_name(row.name) if is_masked else row.name,
        words[f"kind.{row.document_kind}"],
        mask_number(row.document) if is_masked else row.document,
        # Without the country's code, which a spreadsheet would take for a formula.
        mask_phone(row.phone) if is_masked else row.phone.removeprefix(HOME_CODE),
        row.community,
        words[f"state.{row.state}"],
        words[f"group.{row.flag_group}"],
        words["and"].join(words[f"flag.{flag}"] for flag in row.flags),
        clock_cell(row.submitted_at),
        clock_cell(row.decided_at),
    )
