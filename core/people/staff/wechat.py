"""Staff hear in WeChat: an account is bound to the person who sends its code, and unbound.

The code is shown on the console to somebody who is signed in there, and sent to the official
account from the phone that shall hear. A wrong one is no exception: its count must stay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring, lookup_hash, upsert
from core.notices.model import Notice
from core.notices.rules import NoticeState, staff_key_for
from core.people.model import Person
from core.people.service import find_person, register_writer
from core.people.staff.model import (
    StaffAccount,
    StaffWechat,
    StaffWechatCode,
    StaffWechatGuess,
)
from core.people.staff.rules import CODE_LIFETIME, GUESSES_WITHIN, Area, Role
from core.people.staff.secrets import binding_code_of, new_binding_code
from core.places.model import Community

_CODE_COLUMN: Final = "staff_wechat_code.code_hash"


class BindOutcome(StrEnum):
    """What became of a code that a person sent."""

    BOUND = "bound"
    WRONG = "wrong"
    OVER = "over"  # used, or too old
    TOO_MANY = "too_many"  # wrong ones: none is taken for a while
    TAKEN = "taken"  # the person hears for another account


class UnbindReason(StrEnum):
    """Why somebody hears no more."""

    CONSOLE = "console"
    CHAT = "chat"
    REPLACED = "replaced"
    DISABLED = "disabled"
    RESET = "reset"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedCode:
    """A code as it is shown, once.

    Attributes:
        code: six capital letters and digits.
        ends_at: until when it binds.
    """

    code: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """That a staff account is bound.

    Attributes:
        bound_at: since when.
        is_following: whether the person follows the account; None: nobody knows.
    """

    bound_at: datetime
    is_following: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResult:
    """What became of a code, and how pages call the account that is bound; empty: none is."""

    outcome: BindOutcome
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReader:
    """Somebody on the staff who hears in WeChat."""

    staff_id: int
    openid: str


def find_binding(session: Session, *, staff_id: int) -> Binding | None:
    """Return that an account is bound; None if it is not."""
    row = session.execute(
        select(StaffWechat.bound_at, Person.is_following)
        .join(Person, Person.id == StaffWechat.person_id)
        .where(StaffWechat.staff_id == staff_id)
    ).one_or_none()
    return None if row is None else Binding(bound_at=row[0], is_following=row[1])


def offer_code(session: Session, *, staff_id: int, now: datetime) -> OfferedCode:
    """Return a new code for an account; the one before it binds nobody any more.

    Args:
        session: the session of the request.
        staff_id: of somebody who is signed in.
        now: aware instant.
    """
    session.execute(delete(StaffWechatGuess).where(StaffWechatGuess.since <= now - GUESSES_WITHIN))
    code, ends_at = new_binding_code(), now + CODE_LIFETIME
    kept = ("code_hash", "ends_at", "used_at")
    session.execute(
        upsert(session, StaffWechatCode, keys=["staff_id"], update=kept).values(
            staff_id=staff_id,
            code_hash=lookup_hash(binding_code_of(code), column=_CODE_COLUMN),
            ends_at=ends_at,
            used_at=None,
        )
    )
    _record(session, staff_id, "staff_wechat_offered", actor=f"staff:{staff_id}", now=now)
    return OfferedCode(code=code, ends_at=ends_at)


def bind_staff(session: Session, *, openid: str, code: str, now: datetime) -> BindResult:
    """Bind the account whose code a person sends; the account hears by no other person then.

    Args:
        session: of a transaction that is committed in any case: wrong codes are counted.
        openid: who sends it.
        code: as typed.
        now: aware instant.
    """
    person = _locked_person(session, openid=openid, now=now)
    guess = session.get(StaffWechatGuess, person.id)
    if guess is not None and guess.is_exhausted(now):
        return BindResult(outcome=BindOutcome.TOO_MANY)
    found = _find_offered(session, code)
    if found is None:
        _count_guess(session, person, guess, now=now)
        return BindResult(outcome=BindOutcome.WRONG)
    account, offered = found
    standing = session.get(StaffWechat, account.id)
    is_theirs = standing is not None and standing.person_id == person.id
    bound = BindResult(outcome=BindOutcome.BOUND, display_name=account.display_name)
    if offered.is_over(now):
        # Whoever sends it once more has what they want.
        return bound if offered.used_at and is_theirs else BindResult(outcome=BindOutcome.OVER)
    if _hears_for_another(session, person, account):
        return BindResult(outcome=BindOutcome.TAKEN)
    offered.used_at = now
    if guess is not None:
        session.delete(guess)
    if not is_theirs:
        _replace(session, account, standing, person, now=now)
    return bound


def _locked_person(session: Session, *, openid: str, now: datetime) -> Person:
    """Return who writes, locked, so that they are bound to one account at a time."""
    person = register_writer(session, openid=openid, now=now)
    session.flush()
    return session.scalars(select(Person).where(Person.id == person.id).with_for_update()).one()


def _find_offered(session: Session, code: str) -> tuple[StaffAccount, StaffWechatCode] | None:
    """Return the account of a code, locked, and the code; None if it is nobody's."""
    hashes = keyring().lookup_hashes(binding_code_of(code), column=_CODE_COLUMN)
    is_it = StaffWechatCode.code_hash.in_(hashes)
    staff_id = session.scalar(select(StaffWechatCode.staff_id).where(is_it))
    account = session.scalar(
        select(StaffAccount)
        .where(StaffAccount.id == staff_id, StaffAccount.is_active)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    # Anew: before the account was locked another one may have been used or offered.
    offered = session.scalar(
        select(StaffWechatCode).where(is_it).execution_options(populate_existing=True)
    )
    return None if account is None or offered is None else (account, offered)


def _count_guess(
    session: Session, person: Person, guess: StaffWechatGuess | None, *, now: datetime
) -> None:
    if guess is None:
        session.add(StaffWechatGuess(person_id=person.id, failed_count=1, since=now))
    else:
        guess.count(now)
    _record(session, 0, "staff_wechat_refused", actor=f"person:{person.id}", now=now)


def _hears_for_another(session: Session, person: Person, account: StaffAccount) -> bool:
    other = select(StaffWechat.staff_id).where(
        StaffWechat.person_id == person.id, StaffWechat.staff_id != account.id
    )
    return session.scalar(other) is not None


def _replace(
    session: Session,
    account: StaffAccount,
    standing: StaffWechat | None,
    person: Person,
    *,
    now: datetime,
) -> None:
    actor = f"person:{person.id}"
    if standing is not None:
        _end(session, standing, reason=UnbindReason.REPLACED, actor=actor, now=now)
    session.add(StaffWechat(staff_id=account.id, person_id=person.id, bound_at=now))
    session.flush()
    _record(session, account.id, "staff_wechat_bound", actor=actor, now=now)


def unbind_staff(
    session: Session, *, staff_id: int, reason: UnbindReason, actor: str, now: datetime
) -> bool:
    """Let an account hear no more, take its code back, and return whether it was bound.

    Args:
        session: the session of the change.
        staff_id: of the account.
        reason: why.
        actor: who does it, for example `staff:3`.
        now: aware instant.
    """
    session.execute(delete(StaffWechatCode).where(StaffWechatCode.staff_id == staff_id))
    standing = session.get(StaffWechat, staff_id)
    if standing is None:
        return False
    _end(session, standing, reason=reason, actor=actor, now=now)
    return True


def unbind_person(session: Session, *, openid: str, reason: UnbindReason, now: datetime) -> bool:
    """Let a person hear no more for the staff, and return whether they did."""
    person = find_person(session, openid=openid)
    if person is None:
        return False
    standing = session.scalar(select(StaffWechat).where(StaffWechat.person_id == person.id))
    if standing is None:
        return False
    _end(session, standing, reason=reason, actor=f"person:{person.id}", now=now)
    return True


def _end(
    session: Session, standing: StaffWechat, *, reason: UnbindReason, actor: str, now: datetime
) -> None:
    staff_id = standing.staff_id
    # What still waits to be sent was for the staff, not for this person.
    session.execute(
        delete(Notice).where(
            Notice.openid.in_(select(Person.openid).where(Person.id == standing.person_id)),
            Notice.state == NoticeState.QUEUED,
            Notice.key.endswith(staff_key_for("", staff_id=staff_id)),
        )
    )
    session.delete(standing)
    session.flush()
    _record(session, staff_id, "staff_wechat_unbound", actor=actor, now=now, reason=reason.value)


def list_staff_openids(
    session: Session,
    *,
    roles: Collection[Role],
    street_id: int | None = None,
    community_ids: Collection[int] | None = None,
) -> list[StaffReader]:
    """Return who on the staff hears of a matter, by staff id.

    These are open accounts that are bound, have one of the roles at this moment, and whose area
    of duty covers the matter. One of the whole district is for those of the whole district.

    Args:
        session: may be a reading one.
        roles: whom it concerns.
        street_id: a street that the matter is about.
        community_ids: communities that it is about; an area that covers one of them will do.
    """
    rows = session.execute(
        select(StaffAccount, Person.openid)
        .join(StaffWechat, StaffWechat.staff_id == StaffAccount.id)
        .join(Person, Person.id == StaffWechat.person_id)
        .where(StaffAccount.is_active, StaffAccount.role.in_(sorted(roles)))
        .order_by(StaffAccount.id)
    ).all()
    homes: Mapping[int, int] = {}
    if rows and community_ids:
        inside = Community.id.in_(sorted(community_ids))
        homes = dict(session.execute(select(Community.id, Community.street_id).where(inside)).all())
    return [
        StaffReader(staff_id=account.id, openid=openid)
        for account, openid in rows
        if _is_concerned(account.area, street_id=street_id, homes=homes)
    ]


def _is_concerned(area: Area, *, street_id: int | None, homes: Mapping[int, int]) -> bool:
    """Return whether a matter is of an area; `homes` are the streets of its communities."""
    if area == Area():
        return True
    if street_id is not None and area.covers_street(street_id):
        return True
    return any(
        area.covers(community_id=community_id, street_id=of_street)
        for community_id, of_street in homes.items()
    )


def _record(
    session: Session, staff_id: int, action: str, *, actor: str, now: datetime, **facts: str
) -> None:
    subject = f"staff:{staff_id}"
    record(session, now=now, actor=actor, action=action, subject=subject, **facts)
