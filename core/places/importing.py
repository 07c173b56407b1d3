"""Importing the register of communities: new ones, changed ones, and streets that appear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    code_in,
    text_in,
    whole_in,
)
from core.places.cells import point_in
from core.places.geo import distance_m
from core.places.model import Community, CommunityAlias, Street
from core.places.neighbours import refresh_near
from core.places.service import mark_changed
from core.places.streets import is_street_name, likely_street, official_codes

COMMUNITY_COLUMNS: Final = ("code", "name", "street", "longitude", "latitude")
COMMUNITY_OPTIONAL_COLUMNS: Final = ("aliases", "address", "population")

MAX_POPULATION: Final = 1_000_000
SAME_PLACE_M: Final = 300.0

_FIELDS: Final = ("name", "street_id", "longitude", "latitude", "address", "population")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A community as a row tells of it; None for what the file has no column for."""

    code: str
    name: str
    street: str
    longitude: float | None
    latitude: float | None
    aliases: frozenset[str] | None
    address: str | None
    population: int | None
    has_population: bool


@dataclass(slots=True, kw_only=True)
class _Known:
    """A community that is registered already."""

    id: int
    values: dict[str, Any]
    aliases: frozenset[str]


@dataclass(slots=True, kw_only=True)
class _Changes:
    """What is to be written once the whole file is read."""

    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    updated: list[dict[str, Any]] = field(default_factory=list)
    # By code of the community; a code that is not here keeps the aliases it has.
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)


def import_communities(
    session: Session, rows: Iterable[ImportRow], *, now: datetime
) -> ImportOutcome:
    """Register the communities of a file; known codes are changed, none is removed.

    What an optional column says replaces what was known; without the column it stays, unless the
    code is given to another place. A street that is new and no slip is created.

    Args:
        session: the session of the import.
        rows: with the columns `COMMUNITY_COLUMNS`, perhaps `COMMUNITY_OPTIONAL_COLUMNS`.
        now: aware instant.

    Returns:
        Counts and refused rows. The writes are a fixed number of statements; who is near to whom
        is worked out anew.
    """
    outcome, changes = ImportOutcome(), _Changes()
    streets = _Streets(session)
    known = _known_communities(session)
    seen: dict[str, int] = {}
    for row in rows:
        try:
            entry = _entry_of(row)
            check_first(entry.code, line=row.line, seen=seen)
            street_id = streets.id_of(entry.street)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        _plan(entry, known.get(entry.code), changes, street_id=street_id, outcome=outcome)
    if outcome.created_count or outcome.updated_count:
        _write(session, changes, now=now)
        refresh_near(session)
        mark_changed(session)
    return outcome


# ---- reading a row --------------------------------------------------------------------------


def _entry_of(row: ImportRow) -> _Entry:
    name = text_in(row, "name", max_length=100)
    longitude, latitude = point_in(row)
    population = whole_in(row, "population", minimum=0, maximum=MAX_POPULATION)
    has_address = "address" in row.cells
    return _Entry(
        code=code_in(row, "code", max_length=32),
        name=name,
        street=text_in(row, "street", max_length=50),
        longitude=longitude,
        latitude=latitude,
        aliases=_aliases_in(row, name=name),
        address=text_in(row, "address", max_length=200, is_required=False) if has_address else None,
        population=population,
        has_population="population" in row.cells,
    )


def _aliases_in(row: ImportRow, *, name: str) -> frozenset[str] | None:
    if "aliases" not in row.cells:
        return None
    cells = row.cells["aliases"].replace("｜", "|").split("|")
    names = [
        text_in(
            ImportRow(row.line, {"aliases": cell}), "aliases", max_length=100, is_required=False
        )
        for cell in cells
    ]
    return frozenset(names) - {"", name}


# ---- comparing with the register ------------------------------------------------------------


class _Streets:
    """The streets by name; one that is missing is created when its name can be trusted."""

    def __init__(self, session: Session) -> None:
        self._session = session
        rows = session.execute(select(Street.name, Street.id, Street.code)).all()
        self._ids = {name: identity for name, identity, _ in rows}
        self._codes = {code for _, _, code in rows}

    def id_of(self, name: str) -> int:
        """Return the id of a street.

        Raises:
            RowRefusedError: unknown, and either like one that is known or no street's name.
        """
        known = self._ids.get(name)
        return self._create(name) if known is None else known

    def _create(self, name: str) -> int:
        official = official_codes()
        if name not in official:
            likely = likely_street(name, [*self._ids, *official])
            if likely:
                raise RowRefusedError("street_unknown_like", value=name, likely=likely)
            if not is_street_name(name):
                raise RowRefusedError("street_unknown", value=name)
        street = Street(name=name, code=self._free_code(official.get(name)))
        self._session.add(street)
        self._session.flush()
        self._ids[name] = street.id
        self._codes.add(street.code)
        return street.id

    def _free_code(self, official: str | None) -> str:
        if official and official not in self._codes:
            return official
        number = len(self._codes) + 1
        while f"S{number:03}" in self._codes:
            number += 1
        return f"S{number:03}"


def _known_communities(session: Session) -> dict[str, _Known]:
    aliases: dict[int, set[str]] = {}
    for community_id, name in session.execute(
        select(CommunityAlias.community_id, CommunityAlias.name)
    ):
        aliases.setdefault(community_id, set()).add(name)
    table = Community.__table__.c
    rows = session.execute(select(table.code, table.id, *(table[name] for name in _FIELDS)))
    return {
        code: _Known(
            id=identity,
            values=dict(zip(_FIELDS, values, strict=True)),
            aliases=frozenset(aliases.get(identity, ())),
        )
        for code, identity, *values in rows
    }


def _plan(
    entry: _Entry,
    known: _Known | None,
    changes: _Changes,
    *,
    street_id: int,
    outcome: ImportOutcome,
) -> None:
    """Note what a row changes, and count it."""
    values = {
        "name": entry.name,
        "street_id": street_id,
        "longitude": entry.longitude,
        "latitude": entry.latitude,
        "address": entry.address or "",
        "population": entry.population,
    }
    aliases = entry.aliases or frozenset()
    if known is None:
        changes.created[entry.code] = values
        changes.aliases[entry.code] = aliases
        outcome.created_count += 1
        return
    if not _is_other_place(known.values, values):
        aliases = _keep_what_has_no_column(entry, known, values)
    if values == known.values and aliases == known.aliases:
        outcome.unchanged_count += 1
        return
    changes.updated.append({"id": known.id, **values})
    if aliases != known.aliases:
        changes.aliases[entry.code] = aliases
    outcome.updated_count += 1


def _keep_what_has_no_column(
    entry: _Entry, known: _Known, values: dict[str, Any]
) -> frozenset[str]:
    """Fill in what the file has no column for, and return the aliases."""
    if entry.address is None:
        values["address"] = known.values["address"]
    if not entry.has_population:
        values["population"] = known.values["population"]
    # The registered name is no alias of itself, also after a rename.
    return (known.aliases if entry.aliases is None else entry.aliases) - {entry.name}


def _is_other_place(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a code now stands for another community, whose old aliases would mislead."""
    if old["name"] == new["name"]:
        return False
    if old["street_id"] != new["street_id"]:
        return True
    start, end = (old["longitude"], old["latitude"]), (new["longitude"], new["latitude"])
    return None not in start + end and distance_m(start, end) > SAME_PLACE_M


# ---- writing --------------------------------------------------------------------------------


def _write(session: Session, changes: _Changes, *, now: datetime) -> None:
    if changes.created:
        session.execute(
            insert(Community),
            [
                {"code": code, "changed_at": now, **values}
                for code, values in changes.created.items()
            ],
        )
    if changes.updated:
        session.execute(
            update(Community), [{**values, "changed_at": now} for values in changes.updated]
        )
    if changes.aliases:
        _write_aliases(session, changes)


def _write_aliases(session: Session, changes: _Changes) -> None:
    rows = session.execute(select(Community.id, Community.code))
    ids = {code: identity for identity, code in rows if code in changes.aliases}
    replaced = [{"known_id": ids[code]} for code in changes.aliases if code not in changes.created]
    if replaced:
        old = delete(CommunityAlias).where(CommunityAlias.community_id == bindparam("known_id"))
        session.connection().execute(old, replaced)
    added = [
        {"community_id": ids[code], "name": name}
        for code, names in changes.aliases.items()
        for name in sorted(names)
    ]
    if added:
        session.execute(insert(CommunityAlias), added)
