"""Use cases of an operator over staff accounts: add, list, disable, reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import LargeBinary, delete, or_, select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from core.audit.service import record
from core.db import keyring
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.people.staff.model import RecoveryCode, StaffAccount, StaffCommunity, StaffSession
from core.people.staff.rules import (
    AREAS_OF,
    Area,
    AreaKind,
    Role,
    is_login_name,
    login_name_of,
    may_have_area,
)
from core.people.staff.wechat import UnbindReason, unbind_staff
from core.places.model import Community, Street

OPERATOR: Final = "operator:staff"
MAX_DISPLAY_CHARACTERS: Final = 50


class StaffNotFoundError(NotFoundError):
    """There is no staff account of this name."""

    code = "staff_not_found"


class StaffNameTakenError(ConflictError):
    """There is a staff account of this name already."""

    code = "staff_name_taken"


class StaffInputError(InvalidInputError):
    """A staff account cannot be as it was asked for; `fault` says why."""

    code = "staff_input"


class StaffFault(StrEnum):
    """Why a staff account cannot be as it was asked for."""

    NAME = "name"  # not 2-32 letters, digits, `.`, `_`, `-`
    STREET_UNKNOWN = "street_unknown"
    COMMUNITY_UNKNOWN = "community_unknown"
    AREA_NEEDED = "area_needed"
    AREA_NOT_ALLOWED = "area_not_allowed"
    AREA_TWICE = "area_twice"  # a street and communities


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """An account as an operator asks for it.

    Attributes:
        name: login name, as typed.
        role: what the account is for.
        display_name: how pages call the person; empty: like the login name.
        street: name or code of the street of the area; empty without one.
        community_codes: codes of the communities that the area is made of.
    """

    name: str
    role: Role
    display_name: str = ""
    street: str = ""
    community_codes: Sequence[str] = ()


def add_account(
    session: Session, *, staff: NewStaff, password_hash: str, now: datetime
) -> StaffAccount:
    """Add an account whose password must be changed at the first sign-in.

    Raises:
        StaffInputError: the name or the area cannot be used.
        StaffNameTakenError: the name is somebody's.
    """
    name = login_name_of(staff.name)
    if not is_login_name(name):
        raise StaffInputError(fault=StaffFault.NAME.value)
    street_id, community_ids = _area_for(session, staff)
    account = StaffAccount(
        name=name,
        display_name=(staff.display_name.strip() or name)[:MAX_DISPLAY_CHARACTERS],
        role=staff.role.value,
        street_id=street_id,
        password_hash=password_hash,
        must_change=True,
        password_changed_at=now,
        created_at=now,
        communities=[StaffCommunity(community_id=one) for one in community_ids],
    )
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        raise StaffNameTakenError(name=name) from error
    _record(session, account, action="staff_added", now=now, role=account.role)
    return account


def _area_for(session: Session, staff: NewStaff) -> tuple[int | None, list[int]]:
    """Return the street, or the communities, of the area that is asked for."""
    if staff.street and staff.community_codes:
        raise StaffInputError(fault=StaffFault.AREA_TWICE.value)
    kind = AreaKind.DISTRICT
    if staff.street or staff.community_codes:
        kind = AreaKind.STREET if staff.street else AreaKind.COMMUNITIES
    if not may_have_area(staff.role, kind):
        is_missing = kind is AreaKind.DISTRICT
        raise StaffInputError(
            fault=(StaffFault.AREA_NEEDED if is_missing else StaffFault.AREA_NOT_ALLOWED).value,
            role=staff.role.value,
            allowed=", ".join(sorted(AREAS_OF[staff.role])),
        )
    street_id = _street_id(session, staff.street) if staff.street else None
    return street_id, [
        _community_id(session, code) for code in dict.fromkeys(staff.community_codes)
    ]


def _street_id(session: Session, text: str) -> int:
    wanted = text.strip()
    found = session.scalar(
        select(Street.id).where(or_(Street.name == wanted, Street.code == wanted))
    )
    if found is None:
        raise StaffInputError(fault=StaffFault.STREET_UNKNOWN.value, named=wanted[:50])
    return found


def _community_id(session: Session, code: str) -> int:
    found = session.scalar(select(Community.id).where(Community.code == code.strip()))
    if found is None:
        raise StaffInputError(fault=StaffFault.COMMUNITY_UNKNOWN.value, named=code[:32])
    return found


def list_accounts(session: Session) -> list[StaffAccount]:
    """Return all accounts by login name."""
    return list(session.scalars(select(StaffAccount).order_by(StaffAccount.name)))


def get_account(session: Session, *, name: str) -> StaffAccount:
    """Return the account of a login name, locked until the transaction ends.

    Raises:
        StaffNotFoundError: there is none.
    """
    statement = select(StaffAccount).where(StaffAccount.name == login_name_of(name))
    account = session.scalar(statement.with_for_update())
    if account is None:
        raise StaffNotFoundError(name=login_name_of(name)[:32])
    return account


def list_area_names(session: Session, *, area: Area) -> list[str]:
    """Return the names of what an area is made of, by code; empty for the whole district."""
    if area.kind is AreaKind.STREET:
        return list(session.scalars(select(Street.name).where(Street.id == area.street_id)))
    statement = select(Community.name).order_by(Community.code)
    if area.community_ids is None:
        return []
    return list(session.scalars(statement.where(Community.id.in_(sorted(area.community_ids)))))


def disable_account(session: Session, *, name: str, now: datetime) -> None:
    """Shut an account, end its sign-ins, and tell it nothing more; doing it twice is harmless.

    Raises:
        StaffNotFoundError: there is no such account.
    """
    account = get_account(session, name=name)
    end_sessions(session, staff_id=account.id)
    _unbind(session, account, reason=UnbindReason.DISABLED, now=now)
    if account.is_active:
        account.is_active = False
        _record(session, account, action="staff_disabled", now=now)


def reset_account(session: Session, *, name: str, password_hash: str, now: datetime) -> None:
    """Give an account a one-time password; forget its authenticator, lock, sign-ins and WeChat.

    A disabled account can be used again afterwards. It may be somebody else's by then.

    Raises:
        StaffNotFoundError: there is no such account.
    """
    account = get_account(session, name=name)
    account.password_hash, account.must_change = password_hash, True
    account.password_changed_at, account.is_active = now, True
    account.forget_totp()
    account.unlock()
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == account.id))
    end_sessions(session, staff_id=account.id)
    _unbind(session, account, reason=UnbindReason.RESET, now=now)
    _record(session, account, action="staff_reset", now=now)


def reseal_secrets(session: Session) -> int:
    """Encrypt anew the authenticators that an older key of the ring sealed; return how many.

    Recovery codes cannot be made anew, as only their keyed hashes are kept: those that were made
    under a key that is gone are worth nothing.
    """
    ring = keyring()
    sealed = session.execute(
        select(StaffAccount.id, type_coerce(StaffAccount.totp_secret, LargeBinary)).where(
            StaffAccount.totp_secret.is_not(None)
        )
    )
    old = [identity for identity, value in sealed if not ring.is_current(value)]
    for identity in old:
        account = session.get_one(StaffAccount, identity)
        # An equal value is no change to the mapper, which would then store nothing.
        flag_modified(account, "totp_secret")
    session.flush()
    return len(old)


def end_sessions(session: Session, *, staff_id: int) -> None:
    """End every sign-in of an account."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def _unbind(
    session: Session, account: StaffAccount, *, reason: UnbindReason, now: datetime
) -> None:
    unbind_staff(session, staff_id=account.id, reason=reason, actor=OPERATOR, now=now)


def _record(
    session: Session, account: StaffAccount, *, action: str, now: datetime, **facts: str
) -> None:
    subject = f"staff:{account.id}"
    record(session, now=now, actor=OPERATOR, action=action, subject=subject, **facts)
