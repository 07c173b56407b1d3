"""Importing the register of construction sites: new ones, changed ones, other contractors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.codes.rules import subject_of
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    code_in,
    day_in,
    shown,
    text_in,
    whole_in,
)
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Role, login_name_of
from core.places.cells import Streets, point_in
from core.registry.cells import uscc_in
from core.sites.members import end_members_of
from core.sites.model import Site, SiteContract
from core.sites.rules import MAX_HEADS, site_state_of
from core.workplaces.rules import Admission, Face, WorkplaceState

SITE_COLUMNS: Final = ("number", "name", "project", "street", "address", "contractor")
SITE_OPTIONAL_COLUMNS: Final = (
    *("longitude", "latitude", "uscc", "supervisor", "head_count", "state", "since"),
)

ACTOR: Final = "operator:import"
CONTRACTOR_CHANGED: Final = "contractor_changed"
REGISTER: Final = "sites:0"
# A contract may be signed some weeks before it begins.
_AHEAD: Final = timedelta(days=60)
_FIELDS: Final = (
    *("name", "project", "street_id", "address", "state", "head_count"),
    *("longitude", "latitude", "supervisor_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contractor:
    """Who builds, as a row tells of it.

    Attributes:
        name: empty: nobody builds at present.
        uscc: empty: not told.
        since: the first local day; None: not told.
    """

    name: str
    uscc: str
    since: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A site as a row tells of it; `values` has what the file has columns for."""

    number: str
    values: Mapping[str, Any]
    contractor: _Contractor


def import_sites(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Register the sites of a file; known numbers are changed, none is removed.

    Another contractor ends the contract before, and those who reported by it report no more. What
    an optional column says replaces what was known; without the column it stays.

    Args:
        session: the session of the import.
        rows: with the columns `SITE_COLUMNS`, perhaps `SITE_OPTIONAL_COLUMNS`.
        now: aware instant.

    Returns:
        Counts, refused rows, changed fields, and under `CONTRACTOR_CHANGED` the numbers of sites
        at which another contractor builds now.
    """
    outcome = ImportOutcome()
    reader = _Reader(session, now=now)
    known = {site.number: site for site in session.scalars(select(Site))}
    contracts = {
        one.site_id: one
        for one in session.scalars(select(SiteContract).where(SiteContract.until.is_(None)))
    }
    seen: dict[str, int] = {}
    for row in rows:
        try:
            entry = reader.entry_of(row)
            site = known.get(entry.number)
            running = None if site is None else contracts.get(site.id)
            _check_since(entry.contractor, running)
            check_first(entry.number, line=row.line, seen=seen)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        if site is None:
            _create(session, entry, outcome, now=now)
        else:
            _change(session, site, running, entry, outcome, now=now)
    _report(session, outcome, now=now)
    return outcome


# ---- reading a row --------------------------------------------------------------------------


class _Reader:
    """Reads rows, with the streets and the supervisors by name."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._streets = Streets(session)
        self._latest = day_of(now) + _AHEAD
        self._supervisors = dict(
            session.execute(
                select(StaffAccount.name, StaffAccount.id).where(
                    StaffAccount.role == Role.SITE_SUPERVISOR.value, StaffAccount.is_active
                )
            ).all()
        )

    def entry_of(self, row: ImportRow) -> _Entry:
        """Return what a row tells.

        Raises:
            RowRefusedError: a cell cannot be taken.
        """
        values: dict[str, Any] = {
            "name": text_in(row, "name", max_length=100),
            "project": text_in(row, "project", max_length=200),
            "address": text_in(row, "address", max_length=200),
            "street_id": self._streets.id_of(text_in(row, "street", max_length=50)),
        }
        if "state" in row.cells:
            values["state"] = _state_in(row).value
        if "head_count" in row.cells:
            values["head_count"] = whole_in(row, "head_count", minimum=0, maximum=MAX_HEADS)
        if "longitude" in row.cells or "latitude" in row.cells:
            values["longitude"], values["latitude"] = point_in(row)
        if "supervisor" in row.cells:
            values["supervisor_id"] = self._supervisor_in(row)
        number = code_in(row, "number", max_length=32)
        return _Entry(number=number, values=values, contractor=self._contractor_in(row))

    def _contractor_in(self, row: ImportRow) -> _Contractor:
        name = text_in(row, "contractor", max_length=100, is_required=False)
        since = day_in(row, "since", latest=self._latest) if row.cells.get("since") else None
        uscc = uscc_in(row, "uscc") if row.cells.get("uscc") else ""
        return _Contractor(name=name, uscc=uscc, since=since)

    def _supervisor_in(self, row: ImportRow) -> int | None:
        name = text_in(row, "supervisor", max_length=50, is_required=False)
        if not name:
            return None
        found = self._supervisors.get(login_name_of(name))
        if found is None:
            raise RowRefusedError("supervisor_unknown", value=shown(name))
        return found


def _state_in(row: ImportRow) -> WorkplaceState:
    text = text_in(row, "state", max_length=50, is_required=False)
    state = site_state_of(text) if text else WorkplaceState.ACTIVE
    if state is None:
        raise RowRefusedError("site_state_unknown", value=shown(text))
    return state


def _check_since(contractor: _Contractor, running: SiteContract | None) -> None:
    """Check that a contract does not begin before the one that it ends.

    Raises:
        RowRefusedError: it does.
    """
    is_other = running is not None and running.contractor != contractor.name
    if running is None or not is_other or contractor.since is None:
        return
    if contractor.since < running.since:
        raise RowRefusedError(
            "contract_backwards", since=str(contractor.since), running=str(running.since)
        )


# ---- writing --------------------------------------------------------------------------------


def _create(session: Session, entry: _Entry, outcome: ImportOutcome, *, now: datetime) -> None:
    site = Site(
        number=entry.number,
        face=Face.SITE.value,
        # Nothing is filed for a site: its register opens it.
        admission=Admission.OPEN.value,
        changed_at=now,
        first_seen_at=now,
        last_seen_at=now,
        **{"state": WorkplaceState.ACTIVE.value, **entry.values},
    )
    session.add(site)
    session.flush()
    _begin(session, site, entry.contractor, now=now)
    outcome.created_count += 1


def _change(
    session: Session,
    site: Site,
    running: SiteContract | None,
    entry: _Entry,
    outcome: ImportOutcome,
    *,
    now: datetime,
) -> None:
    changed = [
        name
        for name in _FIELDS
        if name in entry.values and entry.values[name] != getattr(site, name)
    ]
    for name in changed:
        setattr(site, name, entry.values[name])
    if _change_contractor(session, site, running, entry.contractor, now=now):
        changed.append("contractor")
        outcome.findings.setdefault(CONTRACTOR_CHANGED, []).append(site.number)
    site.last_seen_at = now
    if changed:
        site.changed_at = now
        outcome.field_counts.update(changed)
        outcome.updated_count += 1
    else:
        outcome.unchanged_count += 1


def _change_contractor(
    session: Session,
    site: Site,
    running: SiteContract | None,
    contractor: _Contractor,
    *,
    now: datetime,
) -> bool:
    """Let another contractor build at a site; return whether it is another one."""
    if (running.contractor if running is not None else "") == contractor.name:
        if running is not None and contractor.uscc:
            running.uscc = contractor.uscc
        return False
    if running is not None:
        end_members_of(session, contract=running, actor=ACTOR, now=now)
        # Unless told otherwise the one ends when the other begins.
        running.until = max(contractor.since or day_of(now), running.since)
        session.flush()
    _begin(session, site, contractor, now=now)
    record(
        session,
        now=now,
        actor=ACTOR,
        action="site_contractor_changed",
        subject=subject_of(site.id, face=Face.SITE),
    )
    return True


def _begin(session: Session, site: Site, contractor: _Contractor, *, now: datetime) -> None:
    if contractor.name:
        since = contractor.since or day_of(now)
        session.add(
            SiteContract(
                site_id=site.id, contractor=contractor.name, uscc=contractor.uscc, since=since
            )
        )
        session.flush()


def _report(session: Session, outcome: ImportOutcome, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=ACTOR,
        action="sites_imported",
        subject=REGISTER,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
    )
