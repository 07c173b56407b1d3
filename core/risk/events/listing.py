"""Events as staff see them, without a person: a list, one with its steps, those of somebody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.audit.service import record
from core.people.staff.rules import Area, AreaKind
from core.places.model import Community
from core.places.service import Place, current_book
from core.residents.model import Residence, Resident
from core.residents.service import id_hashes
from core.risk.events.entering import ENTERED, WITHDRAWN, EventNotFoundError
from core.risk.events.homes import find_place, home_id_of, is_in
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import Ending, EventKind, Feed
from core.risk.listing import in_area
from core.risk.rulings.desk import names_of

PAGE_SIZE: Final = 25
# Who looks further back narrows the list: a page costs as much as all before it.
MAX_PAGES: Final = 40
# Of the district, for a list of a street; enough for its pages, and for all entered by hand.
MAX_LOOKED_THROUGH: Final = 10_000

_EVENT: Final = EpidemicEvent.__table__.c
_HOME: Final = Residence.__table__.c
_SUBJECT: Final = "event:"


class EventState(StrEnum):
    """What counts an event today: it is open, over, or nothing counts it any more."""

    OPEN = "open"
    OVER = "over"
    WITHDRAWN = "withdrawn"


class EventSource(StrEnum):
    """Whose events to list."""

    HAND = "hand"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """What events to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        source: those that somebody entered here, or all.
        kind: None: any.
        state: as of today; None: any.
        community_id: whose residents; None: any.
    """

    area: Area
    source: EventSource = EventSource.HAND
    kind: EventKind | None = None
    state: EventState | None = None
    community_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    """An event as pages show it; whose it is, nobody can tell.

    Attributes:
        id: of the row.
        place: where it counts; None: the person is on the work-list.
        kind: what was reported.
        reported_on: local day.
        ended_on: local day on which it was over; None: it is not.
        ending: why.
        cluster: shared by linked infections; may be empty.
        route: how it was found; may be empty.
        feed: whose business it is.
        state: as of today.
        entered_by: the name of who entered it here; empty for what a file brought.
        changed_at: when it last changed, aware.
        withdrawn_at: when it was taken back.
        withdrawn_reason: why.
    """

    id: int
    place: Place | None
    kind: EventKind
    reported_on: date
    ended_on: date | None
    ending: Ending | None
    cluster: str
    route: str
    feed: Feed
    state: EventState
    entered_by: str
    changed_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of events, those that came last first; `number` is from 1."""

    rows: list[EventCard]
    number: int = 1
    has_next: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStep:
    """What somebody did with an event: `action` as in the audit log, their name, when."""

    action: str
    name: str
    at: datetime


def list_events(session: Session, *, query: EventQuery, today: date, number: int = 1) -> EventPage:
    """Return one page of the events that a query asks for, those that came last first.

    They are not counted: of two million, that would take longer than the page. Of a street those
    are listed that are among the newest 10,000 of the district.

    Args:
        session: may be a reading one.
        query: what to list.
        today: local day.
        number: of the page, 1-40; the nearest of these.
    """
    number = min(max(number, 1), MAX_PAGES)
    found = _found(query, today).subquery()
    ids = session.scalars(
        select(found.c.id)
        .order_by(found.c.id.desc())
        .offset((number - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()
    return EventPage(
        rows=_cards(session, ids[:PAGE_SIZE], today=today),
        number=number,
        has_next=len(ids) > PAGE_SIZE and number < MAX_PAGES,
    )


def search_events(
    session: Session, *, person_id: str, area: Area, staff_id: int, today: date, now: datetime
) -> EventPage:
    """Return the newest events of somebody who lives in an area; that is recorded.

    Args:
        session: the session of the request.
        person_id: as `person_id_of` returns it; only its hashes are looked for.
        area: of duty.
        staff_id: who looks.
        today: local day.
        now: aware instant.
    """
    ids = session.scalars(
        select(_EVENT.id)
        .join(Resident, Resident.id == _EVENT.resident_id)
        .where(Resident.id_hash.in_(id_hashes(person_id)))
        .order_by(_EVENT.reported_on.desc(), _EVENT.id.desc())
        .limit(PAGE_SIZE)
    ).all()
    cards = [one for one in _cards(session, ids, today=today) if is_in(area, one.place)]
    record(
        session,
        now=now,
        actor=f"staff:{staff_id}",
        action="events_searched",
        subject="events",
        found=len(cards),
    )
    return EventPage(rows=cards)


def get_event(session: Session, *, event_id: int, area: Area, today: date) -> EventCard:
    """Return an event of an area.

    Raises:
        EventNotFoundError: there is none.
    """
    event = session.get(EpidemicEvent, event_id)
    if event is None or not is_in(area, find_place(session, home_id_of(session, event))):
        raise EventNotFoundError
    (card,) = _cards(session, [event_id], today=today)
    return card


def list_steps(session: Session, *, event_id: int) -> list[EventStep]:
    """Return who entered an event here and who took it back, in order; what files did is not."""
    rows = session.execute(
        select(AuditEntry.action, AuditEntry.actor, AuditEntry.at)
        .where(
            AuditEntry.subject == f"{_SUBJECT}{event_id}",
            AuditEntry.action.in_([ENTERED, WITHDRAWN]),
        )
        .order_by(AuditEntry.id)
    ).all()
    names = names_of(session, actors={actor for _, actor, _ in rows})
    return [
        EventStep(action=action, name=names.get(actor, ""), at=at) for action, actor, at in rows
    ]


# ---- which ones ------------------------------------------------------------------------------


def _found(query: EventQuery, today: date) -> Any:
    """Return the statement of the ids of what a query asks for.

    Few communities are gone through by who lives there, which is one index after the other; for
    those of a street the newest events of the district are gone through.
    """
    conditions = _conditions(query, today)
    if query.community_id is None and query.area == Area():
        return select(_EVENT.id).where(*conditions)
    places = select(Community.id).where(*in_area(query.area))
    if query.community_id is not None:
        places = places.where(Community.id == query.community_id)
    elif query.area.kind is AreaKind.STREET:
        return _newest_in(places, conditions)
    stands = and_(_HOME.resident_id == _EVENT.resident_id, _HOME.until_day.is_(None))
    registered = (
        select(_EVENT.id)
        .join_from(EpidemicEvent, Residence, stands)
        .where(_HOME.community_id.in_(places), *conditions)
    )
    is_placed = exists().where(stands, _HOME.community_id.is_not(None)).correlate(EpidemicEvent)
    said = select(_EVENT.id).where(_EVENT.community_id.in_(places), ~is_placed, *conditions)
    return union_all(registered, said)


def _newest_in(places: Select[int], conditions: Sequence[ColumnElement[bool]]) -> Select[int]:
    newest = (
        select(_EVENT.id, _EVENT.resident_id, _EVENT.community_id)
        .where(*conditions)
        .order_by(_EVENT.id.desc())
        .limit(MAX_LOOKED_THROUGH)
        .subquery()
    )
    stands = and_(_HOME.resident_id == newest.c.resident_id, _HOME.until_day.is_(None))
    home = func.coalesce(_HOME.community_id, newest.c.community_id)
    return select(newest.c.id).outerjoin(Residence, stands).where(home.in_(places))


def _conditions(query: EventQuery, today: date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.kind is not None:
        found.append(_EVENT.kind == query.kind.value)
    if query.source is EventSource.HAND:
        found.append(_EVENT.id.in_(_recorded(ENTERED)))
    is_over = and_(_EVENT.ended_on.is_not(None), _EVENT.ended_on <= today)
    if query.state is EventState.WITHDRAWN:
        # They are few, and by themselves no index finds them.
        found += [_EVENT.withdrawn_at.is_not(None), _EVENT.id.in_(_recorded(WITHDRAWN))]
    elif query.state is EventState.OVER:
        found += [_EVENT.withdrawn_at.is_(None), is_over]
    elif query.state is EventState.OPEN:
        is_open = or_(_EVENT.ended_on.is_(None), _EVENT.ended_on > today)
        found += [_EVENT.withdrawn_at.is_(None), is_open]
    return found


def _recorded(action: str) -> Select[int]:
    """Return the ids of the events with which somebody did something."""
    number = func.substr(AuditEntry.subject, len(_SUBJECT) + 1)
    return select(cast(number, Integer)).where(AuditEntry.action == action)


# ---- as pages show them ----------------------------------------------------------------------


def _cards(session: Session, ids: Collection[int], *, today: date) -> list[EventCard]:
    """Return the events with some ids, in the order of these."""
    stands = and_(Residence.resident_id == EpidemicEvent.resident_id, Residence.until_day.is_(None))
    rows = session.execute(
        select(EpidemicEvent, Residence.community_id)
        .outerjoin(Residence, stands)
        .where(EpidemicEvent.id.in_(ids))
    ).all()
    hands = _hands(session, [event.id for event, _ in rows])
    places = current_book(session).places
    cards = {
        event.id: _card_of(
            event,
            # By the register, else by the event, as `home_id_of` says.
            place=places.get(community_id or event.community_id or 0),
            entered_by=hands.get(event.id, ""),
            today=today,
        )
        for event, community_id in rows
    }
    return [cards[one] for one in ids]


def _card_of(
    event: EpidemicEvent, *, place: Place | None, entered_by: str, today: date
) -> EventCard:
    return EventCard(
        id=event.id,
        place=place,
        kind=EventKind(event.kind),
        reported_on=event.reported_on,
        ended_on=event.ended_on,
        ending=None if event.ending is None else Ending(event.ending),
        cluster=event.cluster or "",
        route=event.route,
        feed=Feed(event.feed),
        state=_state_of(event, today=today),
        entered_by=entered_by,
        changed_at=event.changed_at,
        withdrawn_at=event.withdrawn_at,
        withdrawn_reason=event.withdrawn_reason,
    )


def _state_of(event: EpidemicEvent, *, today: date) -> EventState:
    if event.withdrawn_at is not None:
        return EventState.WITHDRAWN
    is_over = event.ended_on is not None and event.ended_on <= today
    return EventState.OVER if is_over else EventState.OPEN


def _hands(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return who entered which of some events here, by their names."""
    rows = session.execute(
        select(AuditEntry.subject, AuditEntry.actor)
        .where(
            AuditEntry.subject.in_([f"{_SUBJECT}{one}" for one in ids]),
            AuditEntry.action == ENTERED,
        )
        .order_by(AuditEntry.id)
    ).all()
    names = names_of(session, actors={actor for _, actor in rows})
    return {int(subject[len(_SUBJECT) :]): names.get(actor, "") for subject, actor in rows}
