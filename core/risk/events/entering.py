"""By hand: an event that no file brought yet, one that was wrong, people whom no file placed.

Each moves the colours at once; nothing else of a person is kept than of the people of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.people.documents import (
    DocumentCheckDigitError,
    DocumentKind,
    InvalidDocumentError,
    document_of,
)
from core.people.staff.rules import Area
from core.residents.model import Residence, Resident
from core.residents.rules import person_key_of
from core.residents.service import (
    PersonMissingError,
    get_or_add_residents,
    place_resident,
)
from core.risk.events.homes import (
    check_area,
    find_home,
    find_place,
    find_said,
    home_id_of,
    is_in,
    settle,
    tell_others,
)
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
from core.risk.turns import find_standing

# As the audit log calls them; what was entered here is told by it from what files brought.
ENTERED: Final = "event_entered"
WITHDRAWN: Final = "event_withdrawn"


class EventDayError(InvalidInputError):
    """Reported in the future."""

    code = "event_day"


class EventBirthError(EventDayError):
    """Reported before the person was born: another day, or another person."""

    code = "event_birth"


class EventEndError(EventDayError):
    """An end before the report, or in the future."""

    code = "event_end"


class EventHomeUnknownError(InvalidInputError):
    """Nothing says where the person lives; perhaps the identifier was mistyped."""

    code = "event_home_unknown"


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
        is_home_unknown: that nobody knows where they live is known, and no slip.
    """

    person_id: str = field(repr=False)
    kind: EventKind
    reported_on: date
    ended_on: date | None = None
    ending: Ending | None = None
    cluster: str = ""
    route: str = ""
    community_id: int | None = None
    is_home_unknown: bool = False


def person_id_of(text: str, *, today: date) -> str:
    """Return the identifier that somebody typed, as files spell it.

    A number that has the form of a resident's and no right check digit is a slip; what has no
    birth date where such a number has one is an identifier of some other kind.

    Raises:
        PersonMissingError: nothing was typed.
        DocumentCheckDigitError: a slip somewhere.
    """
    key = person_key_of(text)
    if not key:
        raise PersonMissingError
    try:
        return document_of(text, kind=DocumentKind.RESIDENT_ID, today=today).number
    except DocumentCheckDigitError:
        raise
    except InvalidDocumentError:
        return key


def enter_event(
    session: Session, *, entry: EventEntry, area: Area, staff_id: int, now: datetime
) -> int:
    """Store an event and move the colours of today; return its id, also to the same tap again.

    One that was withdrawn stands again: somebody looked once more.

    Raises:
        PersonMissingError: nothing by which the person is told apart.
        EventDayError: a day that cannot be: itself, or one of its kinds.
        EventHomeUnknownError: nothing says where the person lives, nor that nobody knows.
        EventKnownError: a file or somebody else brought it already.
        CommunityNotFoundError: the person lives in no community of the area.
    """
    _check_days(entry, today=day_of(now))
    (resident_id,) = get_or_add_residents(session, person_ids=[entry.person_id], now=now)
    _check_birth(session, entry, resident_id=resident_id)
    home = find_home(session, resident_id)
    said_id = entry.community_id or find_said(session, resident_id)
    if home is None and said_id is None and not entry.is_home_unknown:
        raise EventHomeUnknownError
    community_id = said_id if home is None else home.community_id or entry.community_id
    for place_id in {community_id, entry.community_id or community_id}:
        check_area(session, place_id, area=area)
    event = _event_of(entry, resident_id=resident_id, staff_id=staff_id, now=now)
    known = find_standing(session, _same_as(event), otherwise=lambda: session.add(event))
    if known is not None:
        if known.withdrawn_at is None:
            return _same_or_refused(known, event)
        event = _let_stand(known, event)
    settle(session, event, home=home, community_id=community_id)
    _record(session, event, action=ENTERED, staff_id=staff_id, now=now)
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
        EventWithdrawnError: somebody withdrew it meanwhile, for another reason.
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
    community_id = home_id_of(session, event)
    if not is_in(area, find_place(session, community_id)):
        raise EventNotFoundError
    if event.withdrawn_at is not None:
        if event.withdrawn_reason == reason:
            return []
        raise EventWithdrawnError
    event.withdrawn_at, event.withdrawn_reason, event.changed_at = now, reason, now
    _record(session, event, action=WITHDRAWN, staff_id=staff_id, now=now)
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
        tell_others(session, resident_id=residence.resident_id, community_id=community_id)
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


def _same_as(event: EpidemicEvent) -> Select[EpidemicEvent]:
    """Return the statement that finds, and locks, what the database takes for the same event."""
    return (
        select(EpidemicEvent)
        .where(
            *(
                getattr(EpidemicEvent, name) == getattr(event, name)
                for name in ("resident_id", "kind", "reported_on", "feed")
            )
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _same_or_refused(known: EpidemicEvent, event: EpidemicEvent) -> int:
    """Return the id of what stands, if it is what was typed: a second tap.

    Raises:
        EventKnownError: it is not.
    """
    same = ("entered_by", "ended_on", "ending", "cluster", "route")
    if all(getattr(known, name) == getattr(event, name) for name in same):
        return known.id
    raise EventKnownError


def _let_stand(known: EpidemicEvent, event: EpidemicEvent) -> EpidemicEvent:
    """Let an event that was withdrawn stand again, as it was typed now; return it."""
    for name in ("ended_on", "ending", "cluster", "route", "entered_by", "changed_at"):
        setattr(known, name, getattr(event, name))
    known.community_id = event.community_id or known.community_id
    known.withdrawn_at, known.withdrawn_reason = None, ""
    return known


def _check_days(entry: EventEntry, *, today: date) -> None:
    if entry.reported_on > today:
        raise EventDayError
    if entry.ended_on is not None and not entry.reported_on <= entry.ended_on <= today:
        raise EventEndError


def _check_birth(session: Session, entry: EventEntry, *, resident_id: int) -> None:
    year = session.scalar(select(Resident.birth_year).where(Resident.id == resident_id))
    if year is not None and entry.reported_on.year < year:
        raise EventBirthError


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
