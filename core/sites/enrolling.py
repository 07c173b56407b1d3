"""Taking a roster: first a picture of what would be taken, then exactly that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.importing import Rejection
from core.keyareas.service import hold_list
from core.people.names import mask_name
from core.registration.entering import EntryFor, enter_many
from core.registration.leaving import Standing, end_for, find_standing
from core.registration.rules import MAX_HOME_LENGTH, Group, RegistrationInput
from core.registration.screening import identity_of
from core.sites.roster import Change, Roster, RosterRow, read_roster, text_of
from core.sites.service import SiteCard, SiteRestingError, get_site, lock_site
from core.workplaces.rules import Face


class RosterChangedError(ConflictError):
    """What would be taken is not any more what was shown."""

    code = "site_roster_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPerson:
    """Somebody of a roster as the picture shows them.

    Attributes:
        line: of the sheet that was handed in.
        region: where an ID card says that they are at home.
        stay_count: places where they stayed; 0: nowhere else.
    """

    line: int
    change: Change
    name_masked: str
    document_masked: str
    region: str
    stay_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlan:
    """What would be taken of a roster, and what not.

    Attributes:
        digest: of what would be taken; `apply_roster` takes that and nothing else.
        text: the rows that would be taken, for the page to send back; who sent them sees it alone.
        joining: newcomers, by line.
        leaving: registrations that would end, by line.
        known_count: people who are there already and of whom nothing changes.
        rejections: rows that cannot be taken, all of them, by line.
        row_count: rows that the sheet has, without its header.
    """

    site_id: int
    digest: str
    text: str = field(repr=False)
    joining: tuple[PlannedPerson, ...]
    leaving: tuple[PlannedPerson, ...]
    known_count: int
    rejections: tuple[Rejection, ...]
    row_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterResult:
    """What became of a roster.

    Attributes:
        look_count: newcomers of whom something needs a look.
        rejections: rows that could not be taken after all, by line.
    """

    joined_count: int
    left_count: int
    look_count: int
    rejections: tuple[Rejection, ...]


@dataclass(slots=True, kw_only=True)
class _Sorted:
    """The rows of a roster beside what the site has."""

    joining: list[RosterRow] = field(default_factory=list)
    leaving: list[RosterRow] = field(default_factory=list)
    known_count: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    standing: Mapping[str, Standing] = field(default_factory=dict)


def plan_roster(
    session: Session, *, site_id: int, source: bytes | str, now: datetime
) -> RosterPlan:
    """Return what would be taken of a roster; nothing is stored.

    Args:
        session: may be a reading one.
        site_id: for which the caller may report.
        source: what was pasted, or the file.
        now: aware instant.

    Raises:
        SiteNotFoundError: there is no such site.
        SiteRestingError: nobody works there.
    """
    site = get_site(session, site_id=site_id)
    if not site.is_running:
        raise SiteRestingError
    roster = read_roster(source, home=_home_of(site), now=now)
    found = _sort(session, site_id, roster)
    taken = sorted((*found.joining, *found.leaving), key=lambda row: row.line)
    rejections = sorted((*roster.rejections, *found.rejections), key=lambda one: one.line)
    return RosterPlan(
        site_id=site_id,
        digest=_digest_of(site_id, found, now),
        text=text_of(taken),
        joining=tuple(_planned(row) for row in found.joining),
        leaving=tuple(_planned(row) for row in found.leaving),
        known_count=found.known_count,
        rejections=tuple(rejections),
        row_count=roster.row_count,
    )


def apply_roster(
    session: Session, *, site_id: int, text: str, digest: str, actor: str, now: datetime
) -> RosterResult:
    """Take what a plan showed: newcomers are registered, leavers' registrations end.

    Args:
        session: the session of the request.
        site_id: for which the caller may report.
        text: of the plan.
        digest: of the plan.
        actor: who takes it, as `person:7`.
        now: aware instant.

    Raises:
        RosterChangedError: it is not what was shown: other rows, another day, or somebody came or
            left meanwhile.
        SiteNotFoundError, SiteRestingError: as for `plan_roster`.
    """
    hold_list(session)
    site = lock_site(session, site_id=site_id)
    if not site.is_running:
        raise SiteRestingError
    roster = read_roster(text, home=_home_of(site), now=now)
    found = _sort(session, site_id, roster)
    if roster.rejections or _digest_of(site_id, found, now) != digest:
        raise RosterChangedError
    ids = [found.standing[row.document.number].id for row in found.leaving]
    left = end_for(session, workplace_id=site_id, registration_ids=ids, actor=actor, now=now)
    people = [EntryFor(workplace_id=site_id, entry=_entry_of(row)) for row in found.joining]
    entered = enter_many(session, people=people, actor=actor, now=now)
    rejections = [
        Rejection(row.line, "roster_person_ended", {})
        for row, one in zip(found.joining, entered, strict=True)
        if one.fault is not None
    ]
    groups = [one.group for one in entered if one.group is not None]
    record(
        session,
        now=now,
        actor=actor,
        action="site_roster_taken",
        subject=subject_of(site_id, face=Face.SITE),
        joined_count=len(groups),
        left_count=len(left),
        rejected_count=len(rejections),
    )
    return RosterResult(
        joined_count=len(groups),
        left_count=len(left),
        look_count=sum(group is not Group.FINE for group in groups),
        rejections=tuple(rejections),
    )


def _entry_of(row: RosterRow) -> RegistrationInput:
    if row.entry is None:
        raise ValueError("nothing is told of a leaver")
    return row.entry


def _sort(session: Session, site_id: int, roster: Roster) -> _Sorted:
    """Return which rows are new, which are known, and which do not agree with what is there."""
    numbers = [row.document.number for row in roster.rows]
    found = _Sorted(standing=find_standing(session, workplace_id=site_id, numbers=numbers))
    for row in roster.rows:
        standing = found.standing.get(row.document.number)
        if row.change is Change.LEFT:
            if standing is None:
                found.rejections.append(Rejection(row.line, "roster_person_absent", {}))
            else:
                found.leaving.append(row)
        elif standing is None:
            found.joining.append(row)
        elif _is_same(standing, _entry_of(row)):
            found.known_count += 1
        else:
            found.rejections.append(Rejection(row.line, "roster_other_name", {}))
    return found


def _is_same(standing: Standing, entry: RegistrationInput) -> bool:
    identity = identity_of(name=entry.name, number=entry.document.number, phone="")
    return standing.name_hash in identity.names


def _digest_of(site_id: int, found: _Sorted, now: datetime) -> str:
    """Return what tells one set of rows that would be taken from another."""
    digest = hashlib.sha256(f"{site_id}:{day_of(now)}".encode())
    for row in (*found.joining, *found.leaving):
        digest.update(f"\n{row.change}:{text_of([row])}".encode())
    return digest.hexdigest()


def _planned(row: RosterRow) -> PlannedPerson:
    entry = row.entry
    return PlannedPerson(
        line=row.line,
        change=row.change,
        name_masked=mask_name(row.name),
        document_masked=row.document.masked,
        region="" if entry is None else entry.home_region,
        stay_count=0 if entry is None else len(entry.stays),
    )


def _home_of(site: SiteCard) -> str:
    # Workers live where they work, unless somebody says otherwise.
    return site.name[:MAX_HOME_LENGTH]
