"""Where people with events live: by the register, else by what their events say of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    CursorResult,
    Date,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError, Place, current_book
from core.residents.model import Residence
from core.residents.rules import ALWAYS
from core.residents.service import add_unplaced
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import WINDOW_DAYS

_EVENT: Final = EpidemicEvent.__table__.c
_HOME: Final = Residence.__table__.c


def find_home(session: Session, resident_id: int) -> Residence | None:
    """Return where the register has somebody live now; None: it does not know them, or no more."""
    return session.scalar(
        select(Residence).where(Residence.resident_id == resident_id, Residence.until_day.is_(None))
    )


def find_said(session: Session, resident_id: int) -> int | None:
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


def settle(
    session: Session, event: EpidemicEvent, *, home: Residence | None, community_id: int | None
) -> None:
    """Let what an event says of where somebody lives be good for the others, as files do."""
    if home is not None and (home.community_id, home.place_hash) != (None, None):
        return
    if community_id is not None:
        tell_others(session, resident_id=event.resident_id, community_id=community_id)
        if home is not None:
            home.community_id = community_id
    elif home is None:
        # Nobody knows where: work for an officer.
        add_unplaced(session, resident_id=event.resident_id)


def tell_others(session: Session, *, resident_id: int, community_id: int) -> None:
    """Let the events of somebody that name no community name this one."""
    session.execute(
        update(EpidemicEvent)
        .where(EpidemicEvent.resident_id == resident_id, EpidemicEvent.community_id.is_(None))
        .values(community_id=community_id)
    )


def check_area(session: Session, community_id: int | None, *, area: Area) -> None:
    """Check that somebody lives in an area of duty; nowhere is the district's business.

    Raises:
        CommunityNotFoundError: they do not.
    """
    place = find_place(session, community_id)
    if (place is None and community_id is not None) or not is_in(area, place):
        raise CommunityNotFoundError


def home_id_of(session: Session, event: EpidemicEvent) -> int | None:
    """Return where an event counts: by the register, else by the event; None: nobody knows."""
    home = find_home(session, event.resident_id)
    return (home and home.community_id) or event.community_id


def find_place(session: Session, community_id: int | None) -> Place | None:
    """Return a community by its id; None for none, or if there is none."""
    return None if community_id is None else current_book(session).places.get(community_id)


def is_in(area: Area, place: Place | None) -> bool:
    """Return whether what happens in a place is of an area; nowhere is the district's business."""
    if place is None:
        return area == Area()
    return area.covers(community_id=place.id, street_id=place.street_id)


def unplace_ended(session: Session, *, today: date) -> int:
    """Put people on the work-list whose last home a register ended; return how many.

    Those alone of whom an event matters still, open or within the longest window, and none says
    where they live: they count nowhere, and the next night would find nobody to ask.

    Args:
        session: the session of the import.
        today: local day.
    """
    stands = exists().where(_HOME.resident_id == _EVENT.resident_id, _HOME.until_day.is_(None))
    ended = (
        select(func.max(_HOME.until_day))
        .where(_HOME.resident_id == _EVENT.resident_id)
        .correlate(EpidemicEvent)
        .scalar_subquery()
    )
    begun = today - timedelta(days=WINDOW_DAYS)
    homeless = (
        select(_EVENT.resident_id, func.coalesce(ended, literal(ALWAYS, Date)))
        .where(
            _EVENT.withdrawn_at.is_(None),
            _EVENT.community_id.is_(None),
            or_(_EVENT.reported_on > begun, _EVENT.ended_on.is_(None)),
            ~stands,
        )
        .distinct()
    )
    statement = insert(Residence).from_select(["resident_id", "from_day"], homeless)
    kept = statement.execution_options(preserve_rowcount=True)
    return cast("CursorResult[Any]", session.execute(kept)).rowcount
