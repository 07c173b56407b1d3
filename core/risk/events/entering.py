"""By hand: an event that no file brought yet, one that was wrong, people whom no file placed.

Each moves the colours at once; nothing else of a person is kept than of the people of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError, current_book
from core.residents.model import Residence, Resident
from core.residents.service import add_unplaced, get_or_add_residents, place_resident
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import (
    FEED_OF,
    MAX_CLUSTER,
    MAX_REASON,
    MAX_ROUTE,
    WINDOW_DAYS,
    Ending,
    EventKind,
)
from core.risk.realtime import rescore_now, rescore_since


class EventDayError(InvalidInputError):
    """In the future, before the birth of the person, or an end before the report."""

    code = "event_day"


class EventKnownError(ConflictError):
    """This kind of event was reported of the person on this day already."""

    code = "event_known"


class EventNotFoundError(NotFoundError):
    """There is no such event, or it lies outside of one's area."""

    code = "event_not_found"


class EventWithdrawnError(ConflictError):
    """Somebody withdrew it meanwhile."""

    code = "event_withdrawn"


class EventReasonError(InvalidInputError):
    """A withdrawal needs a reason that is not too long; fact: `max`."""

    code = "event_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """What is known of a person.

    Attributes:
        person_id: any stable identifier, the same as in the files; only a hash of it is kept.
        reported_on: local day.
        ended_on: local day on which it was over; None: it is not.
        ending: why; released, if nothing is said.
        community_id: where they live, for somebody whom the register does not know.
    """

    person_id: str = field(repr=False)
    kind: EventKind
    reported_on: date
    ended_on: date | None = None
    ending: Ending | None = None
    cluster: str = ""
    route: str = ""
    community_id: int | None = None


def enter_event(
    session: Session, *, entry: EventEntry, area: Area, staff_id: int, now: datetime
) -> int:
    """Store an event and move the colours of today; return its id.

    Raises:
        PersonMissingError: nothing by which the person is told apart.
        EventDayError: a day that cannot be.
        EventKnownError: a file or somebody else brought it already.
        CommunityNotFoundError: the person lives in no community of the area.
    """
    _check_days(entry, today=day_of(now))
    (resident_id,) = get_or_add_residents(session, person_ids=[entry.person_id], now=now)
    _check_birth(session, entry, resident_id=resident_id)
    home = _home_of(session, resident_id)
    said_id = entry.community_id or _find_said(session, resident_id)
    community_id = said_id if home is None else home.community_id or entry.community_id
    _check_area(session, community_id, area=area)
    event = _event_of(entry, resident_id=resident_id, staff_id=staff_id, now=now)
    try:
        with session.begin_nested():
            session.add(event)
    except IntegrityError as error:
        raise EventKnownError from error
    _settle(session, event, home=home, community_id=community_id)
    _record(session, event, action="event_entered", staff_id=staff_id, now=now)
    if community_id is not None:
        rescore_now(session, community_ids=[community_id], now=now)
    return event.id


def withdraw_event(
    session: Session, *, event_id: int, reason: str, area: Area, staff_id: int, now: datetime
) -> list[date]:
    """Take back an event that was found to be wrong; return the days that were scored again.

    No file brings it back: one that names it again changes nothing.

    Raises:
        EventReasonError: no reason, or a very long one.
        EventNotFoundError: there is none, or it is outside of the area.
        EventWithdrawnError: somebody withdrew it meanwhile.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MAX_REASON:
        raise EventReasonError(max=MAX_REASON)
    event = session.scalar(
        select(EpidemicEvent)
        .where(EpidemicEvent.id == event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if event is None:
        raise EventNotFoundError
    home = _home_of(session, event.resident_id)
    community_id = (home and home.community_id) or event.community_id
    try:
        _check_area(session, community_id, area=area)
    except CommunityNotFoundError as error:
        raise EventNotFoundError from error
    if event.withdrawn_at is not None:
        raise EventWithdrawnError
    event.withdrawn_at, event.withdrawn_reason, event.changed_at = now, reason, now
    _record(session, event, action="event_withdrawn", staff_id=staff_id, now=now)
    if community_id is None:
        return []
    return rescore_since(session, community_ids=[community_id], since=event.reported_on, now=now)


def place_people(
    session: Session,
    *,
    residence_id: int,
    community_id: int,
    area: Area,
    staff_id: int,
    now: datetime,
) -> int:
    """Place people of the work-list, and move the colours of today by what is known of them.

    Returns:
        How many were placed, as `place_resident` does.

    Raises:
        ResidenceNotFoundError: there is none, or it is outside of the area.
        ResidencePlacedError: somebody placed it meanwhile.
        CommunityNotFoundError: there is none, or it is outside of the area.
    """
    count = place_resident(
        session,
        residence_id=residence_id,
        community_id=community_id,
        area=area,
        staff_id=staff_id,
        now=now,
    )
    residence = session.get_one(Residence, residence_id)
    if residence.place_hash is None:
        # It stays good for them if a register that never knew them ends where they live.
        _tell_others(session, resident_id=residence.resident_id, community_id=community_id)
    begun = day_of(now) - timedelta(days=WINDOW_DAYS)
    matters = or_(EpidemicEvent.reported_on > begun, EpidemicEvent.ended_on.is_(None))
    known = (
        select(EpidemicEvent.id)
        .join(Residence, Residence.resident_id == EpidemicEvent.resident_id)
        .where(Residence.community_id == community_id, Residence.until_day.is_(None), matters)
        .limit(1)
    )
    if session.scalar(known) is not None:
        rescore_now(session, community_ids=[community_id], now=now)
    return count


def _event_of(
    entry: EventEntry, *, resident_id: int, staff_id: int, now: datetime
) -> EpidemicEvent:
    ending = None if entry.ended_on is None else entry.ending or Ending.RELEASED
    return EpidemicEvent(
        resident_id=resident_id,
        community_id=entry.community_id,
        kind=entry.kind.value,
        reported_on=entry.reported_on,
        ended_on=entry.ended_on,
        ending=ending and ending.value,
        cluster=entry.cluster.strip()[:MAX_CLUSTER] or None,
        route=entry.route.strip()[:MAX_ROUTE],
        feed=FEED_OF[entry.kind].value,
        entered_by=f"staff:{staff_id}",
        changed_at=now,
    )


def _check_days(entry: EventEntry, *, today: date) -> None:
    last = entry.ended_on or entry.reported_on
    if last < entry.reported_on or max(last, entry.reported_on) > today:
        raise EventDayError


def _check_birth(session: Session, entry: EventEntry, *, resident_id: int) -> None:
    year = session.scalar(select(Resident.birth_year).where(Resident.id == resident_id))
    if year is not None and entry.reported_on.year < year:
        raise EventDayError


def _home_of(session: Session, resident_id: int) -> Residence | None:
    return session.scalar(
        select(Residence).where(Residence.resident_id == resident_id, Residence.until_day.is_(None))
    )


def _find_said(session: Session, resident_id: int) -> int | None:
    """Return the community that the newest event of somebody names, if one does."""
    return session.scalar(
        select(EpidemicEvent.community_id)
        .where(
            EpidemicEvent.resident_id == resident_id,
            EpidemicEvent.community_id.is_not(None),
            EpidemicEvent.withdrawn_at.is_(None),
        )
        .order_by(EpidemicEvent.reported_on.desc(), EpidemicEvent.kind, EpidemicEvent.feed)
        .limit(1)
    )


def _settle(
    session: Session, event: EpidemicEvent, *, home: Residence | None, community_id: int | None
) -> None:
    """Let what an event says of where somebody lives be good for the others, as files do."""
    if home is not None and (home.community_id, home.place_hash) != (None, None):
        return
    if community_id is not None:
        _tell_others(session, resident_id=event.resident_id, community_id=community_id)
        if home is not None:
            home.community_id = community_id
    elif home is None:
        # Nobody knows where: work for an officer.
        add_unplaced(session, resident_id=event.resident_id)


def _tell_others(session: Session, *, resident_id: int, community_id: int) -> None:
    """Let the events of somebody that name no community name this one."""
    session.execute(
        update(EpidemicEvent)
        .where(EpidemicEvent.resident_id == resident_id, EpidemicEvent.community_id.is_(None))
        .values(community_id=community_id)
    )


def _check_area(session: Session, community_id: int | None, *, area: Area) -> None:
    """Check that somebody lives in an area of duty; nowhere is the district's business.

    Raises:
        CommunityNotFoundError: they do not.
    """
    place = None if community_id is None else current_book(session).places.get(community_id)
    if place is None:
        is_ours = community_id is None and area == Area()
    else:
        is_ours = area.covers(community_id=place.id, street_id=place.street_id)
    if not is_ours:
        raise CommunityNotFoundError


def _record(
    session: Session, event: EpidemicEvent, *, action: str, staff_id: int, now: datetime
) -> None:
    record(
        session,
        now=now,
        actor=f"staff:{staff_id}",
        action=action,
        subject=f"event:{event.id}",
        kind=event.kind,
        reported_on=event.reported_on.isoformat(),
    )
