"""Importing the register of legal persons: new companies, changed ones, other owners.

What a report says of a refused row never quotes a person's name or number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.bulk import table_of
from core.clock import day_of
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    shown,
    text_in,
)
from core.people.cells import document_in, person_name_in
from core.places.cells import Streets
from core.registry.cells import uscc_in
from core.registry.model import Company, CompanyChange, update_by_id
from core.registry.rules import (
    CompanyState,
    Field,
    kind_of,
    may_become,
    owner_changes_of,
    state_of,
)
from core.registry.service import REGISTER, list_not_seen, owner_key_of
from core.workplaces.model import KNOWN_ID
from core.workplaces.rules import Admission, Face
from core.workplaces.service import (
    PLACE_COLUMNS,
    insert_workplaces,
    update_workplaces,
)

COMPANY_COLUMNS: Final = (
    *("uscc", "name", "legal_person_name", "legal_person_id"),
    *("address", "street", "industry", "state"),
)
COMPANY_OPTIONAL_COLUMNS: Final = ("id_kind",)

ACTOR: Final = "operator:import"
OWNER_CHANGED: Final = "owner_changed"
NOT_SEEN: Final = "not_seen"
CHUNK: Final = 5000  # ids in one statement; databases limit them

_PLAIN_FIELDS: Final = {
    "name": Field.NAME,
    "address": Field.ADDRESS,
    "street_id": Field.STREET,
    "industry": Field.INDUSTRY,
    "state": Field.STATE,
}
_NEW_PLACE: Final = {"face": Face.COMPANY.value, "admission": Admission.PENDING.value}
_OWNER_FIELDS: Final = ("owner_name", "owner_id", "owner_id_kind")
_FIELDS: Final = (*_PLAIN_FIELDS, *_OWNER_FIELDS)


@dataclass(slots=True, kw_only=True, repr=False)
class _Known:
    """A company that is registered already, its owner decrypted."""

    id: int
    values: dict[str, Any]


@dataclass(slots=True, kw_only=True, repr=False)
class _Changes:
    """What is to be written once the whole file is read."""

    created: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    owner_changed: dict[str, int] = field(default_factory=dict)


def import_companies(
    session: Session, rows: Iterable[ImportRow], *, now: datetime
) -> ImportOutcome:
    """Register the companies of a file; known codes are changed, none is removed.

    Args:
        session: the session of the import.
        rows: with the columns `COMPANY_COLUMNS`, perhaps `COMPANY_OPTIONAL_COLUMNS`.
        now: aware instant; birth dates must be plausible on its day.

    Returns:
        Counts, refused rows, changed fields, and under `OWNER_CHANGED` the codes of companies
        for which another person stands now. The writes are a few statements for any size.
    """
    outcome, changes = ImportOutcome(), _Changes()
    streets = Streets(session)
    known = _known_companies(session)
    seen: dict[str, int] = {}
    named: set[int] = set()
    for row in rows:
        try:
            uscc = uscc_in(row, "uscc")
            if uscc in known:
                named.add(known[uscc].id)  # a company whose row is refused is there all the same
            values = _values_of(row, streets, today=day_of(now))
            _check_state(values, known.get(uscc))
            check_first(uscc, line=row.line, seen=seen)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        _plan(uscc, values, known.get(uscc), changes, streets=streets, outcome=outcome, now=now)
    _write(session, changes, named=named, now=now)
    _report(session, changes, outcome, now=now)
    return outcome


def name_missing(session: Session, outcome: ImportOutcome, *, now: datetime) -> None:
    """Add to a full file's outcome, under `NOT_SEEN`, the companies that it does not name.

    They are left as they are: a file may be cut off, and a register is never complete.
    """
    outcome.findings[NOT_SEEN] = list_not_seen(session, since=now)


# ---- reading a row --------------------------------------------------------------------------


def _values_of(row: ImportRow, streets: Streets, *, today: date) -> dict[str, Any]:
    document = document_in(row, "legal_person_id", kind_column="id_kind", today=today)
    return {
        "name": text_in(row, "name", max_length=100),
        "owner_name": person_name_in(row, "legal_person_name"),
        "owner_id": document.number,
        "owner_id_kind": document.kind.value,
        "address": text_in(row, "address", max_length=200),
        "street_id": streets.id_of(text_in(row, "street", max_length=50)),
        "industry": text_in(row, "industry", max_length=50, is_required=False),
        "state": _state_in(row).value,
    }


def _state_in(row: ImportRow) -> CompanyState:
    text = text_in(row, "state", max_length=50, is_required=False)
    if not text:
        return CompanyState.ACTIVE
    state = state_of(text)
    if state is None:
        raise RowRefusedError("company_state_unknown", value=shown(text))
    return state


def _check_state(values: Mapping[str, Any], known: _Known | None) -> None:
    """Check that a company can have become what the file says.

    Raises:
        RowRefusedError: it was deregistered, say, and is to be suspended now.
    """
    if known is None:
        return
    old, new = CompanyState(known.values["state"]), CompanyState(values["state"])
    if not may_become(old, new):
        raise RowRefusedError("company_state_impossible", old=old.value, new=new.value)


# ---- comparing with the register ------------------------------------------------------------


def _known_companies(session: Session) -> dict[str, _Known]:
    columns = (Company.uscc, Company.id, *(getattr(Company, name) for name in _FIELDS))
    return {
        uscc: _Known(id=identity, values=dict(zip(_FIELDS, values, strict=True)))
        for uscc, identity, *values in session.execute(select(*columns))
    }


def _plan(
    uscc: str,
    values: dict[str, Any],
    known: _Known | None,
    changes: _Changes,
    *,
    streets: Streets,
    outcome: ImportOutcome,
    now: datetime,
) -> None:
    """Note what a row changes, and count it."""
    if known is None:
        identity = {"uscc": uscc, "kind": kind_of(uscc).value}
        changes.created.append({**identity, **values, **_hashes_of(values)})
        outcome.created_count += 1
        return
    # Compared decrypted: hashes differ from key to key, and a rotation is no change of owner.
    found = dict(_differences(known.values, values, streets))
    if found:
        changes.updated.append({KNOWN_ID: known.id, **values, **_hashes_of(values)})
        changes.history += [
            {"company_id": known.id, "at": now, "field": name.value, "old": old, "new": new}
            for name, (old, new) in found.items()
        ]
        outcome.field_counts.update(name.value for name in found)
        outcome.updated_count += 1
    else:
        outcome.unchanged_count += 1
    if Field.OWNER in found:
        changes.owner_changed[uscc] = known.id


def _hashes_of(values: Mapping[str, Any]) -> dict[str, bytes]:
    owner = owner_key_of(name=values["owner_name"], number=values["owner_id"])
    return {"owner_name_hash": owner.name_hashes[0], "owner_id_hash": owner.id_hashes[0]}


def _differences(
    old: Mapping[str, Any], new: Mapping[str, Any], streets: Streets
) -> Iterator[tuple[Field, tuple[str | None, str | None]]]:
    """Yield what changed, with old and new where they are not personal."""
    for column, name in _PLAIN_FIELDS.items():
        if old[column] != new[column]:
            pair = old[column], new[column]
            if name is Field.STREET:
                pair = streets.name_of(pair[0]), streets.name_of(pair[1])
            yield name, pair
    before, after = (
        (one["owner_name"], one["owner_id"], one["owner_id_kind"]) for one in (old, new)
    )
    for private in sorted(owner_changes_of(old=before, new=after)):
        yield private, (None, None)


# ---- writing --------------------------------------------------------------------------------


def _write(session: Session, changes: _Changes, *, named: Collection[int], now: datetime) -> None:
    # The mapper would send one statement a row.
    connection = session.connection()
    if changes.created:
        stamps = {"changed_at": now, "first_seen_at": now, "last_seen_at": now}
        places = [_of_place(values) | _NEW_PLACE for values in changes.created]
        ids = insert_workplaces(session, rows=places)
        rows = [
            {"id": identity, **_of_company(values), **stamps}
            for identity, values in zip(ids, changes.created, strict=True)
        ]
        connection.execute(insert(table_of(Company)), rows)
    if changes.updated:
        update_workplaces(session, rows=[_of_place(values) for values in changes.updated])
        changed = [{**_of_company(values), "changed_at": now} for values in changes.updated]
        connection.execute(update_by_id(changed[0]), changed)
    if changes.history:
        connection.execute(insert(CompanyChange), changes.history)
    known_ids = iter(sorted(named))
    company = table_of(Company)
    while chunk := list(islice(known_ids, CHUNK)):
        connection.execute(update(company).where(company.c.id.in_(chunk)).values(last_seen_at=now))


def _of_place(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a company's values is its workplace's."""
    return {name: values[name] for name in (KNOWN_ID, *PLACE_COLUMNS) if name in values}


def _of_company(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in PLACE_COLUMNS}


def _report(session: Session, changes: _Changes, outcome: ImportOutcome, *, now: datetime) -> None:
    if changes.owner_changed:
        outcome.findings[OWNER_CHANGED] = sorted(changes.owner_changed)
    for identity in changes.owner_changed.values():
        record(session, now=now, actor=ACTOR, action="owner_changed", subject=f"company:{identity}")
    record(
        session,
        now=now,
        actor=ACTOR,
        action="companies_imported",
        subject=REGISTER,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
    )
