"""What rulings share: who acts and where, what people are called, and what follows a ruling."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.errors import ForbiddenError, NotFoundError
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.risk.listing import in_area
from core.risk.notifying import queue_colour_notices
from core.risk.overriding import apply_overrides
from core.risk.realtime import rescore_since
from core.risk.turns import stand_in_line


class RulingPlaceError(NotFoundError):
    """There is no such community, or it lies outside of one's area."""

    code = "ruling_place"


class RulingNotYoursError(ForbiddenError):
    """Only whoever began it may take it back."""

    code = "ruling_not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingPlace:
    """The community that a ruling is about; `street` is the name of its street or town."""

    id: int
    code: str
    name: str
    street: str


def area_of(session: Session, *, staff_id: int) -> Area:
    """Return the area of duty of somebody of the staff."""
    return session.get_one(StaffAccount, staff_id).area


def get_ruling_place(session: Session, *, community_id: int, area: Area) -> RulingPlace:
    """Return a community of an area of duty.

    Raises:
        RulingPlaceError: there is none.
    """
    row = session.execute(
        select(Community.id, Community.code, Community.name, Street.name)
        .join(Street, Street.id == Community.street_id)
        .where(Community.id == community_id, *in_area(area))
    ).one_or_none()
    if row is None:
        raise RulingPlaceError
    identity, code, name, street = row
    return RulingPlace(id=identity, code=code, name=name, street=street)


def name_of(session: Session, staff_id: int | None) -> str:
    """Return how pages call somebody; empty for nobody."""
    account = None if staff_id is None else session.get(StaffAccount, staff_id)
    return account.display_name if account is not None else ""


def names_of(session: Session, *, actors: Collection[str]) -> dict[str, str]:
    """Return how pages call actors of the staff, as `staff:3`; others are left out."""
    wanted = {int(one.partition(":")[2]) for one in actors if one.startswith("staff:")}
    rows = session.execute(
        select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(wanted))
    )
    return {f"staff:{identity}": name for identity, name in rows}


def correct(session: Session, *, community_id: int, since: date, now: datetime) -> None:
    """Score the days of a community again from one on, and tell those who know other colours.

    All of it belongs to the transaction of the ruling: it holds as a whole or not at all.
    """
    session.flush()
    rescore_since(session, community_ids=[community_id], since=since, now=now)


def recolour(session: Session, *, now: datetime) -> list[int]:
    """Give the cards of today the overrides that are in force, and take back what is over.

    Whoever scores meanwhile is waited for, so that neither misses the other's work.

    Returns:
        The communities whose card changed, in order.
    """
    session.flush()
    stand_in_line(session)
    return apply_overrides(session, now=now)


def recolour_and_tell(session: Session, *, now: datetime) -> None:
    """Do what `recolour` does, and tell those who know other colours, in the same transaction."""
    if recolour(session, now=now):
        queue_colour_notices(session, now=now)


def note(
    session: Session,
    action: str,
    *,
    community_id: int,
    staff_id: int | None,
    now: datetime,
    **facts: str | float | None,
) -> None:
    """Record a step of a ruling; its reasons are in its row, as they may name people."""
    record(
        session,
        now=now,
        actor="system:nightly" if staff_id is None else f"staff:{staff_id}",
        action=action,
        subject=f"community:{community_id}",
        **facts,
    )
