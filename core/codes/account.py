"""Codes of the official account: its own, and those that lead on to a company's registration.

The platform makes them, and the wire calls it, outside of every transaction: nothing is locked
while it answers. What came of it is kept here, so that a picture needs no call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from core.audit.service import record
from core.codes.model import AccountCode
from core.codes.rules import last_day_of
from core.codes.service import CodeCard, check_live
from core.db import keyring, upsert
from core.errors import ConflictError

ACCOUNT: Final = "account"
# A code that the platform forgets soon is no use on paper.
RENEW_BEFORE: Final = timedelta(days=1)


class AccountBusyError(ConflictError):
    """The platform does not answer now; asking again soon may help."""

    code = "account_busy"


class AccountQuotaError(ConflictError):
    """The account may make no more codes today."""

    code = "account_quota"


class AccountRefusedError(ConflictError):
    """The platform makes no codes for this account as it is set up; somebody must look."""

    code = "account_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCode:
    """A code that the platform has just made.

    Attributes:
        address: what its picture holds.
        lifetime: until the platform forgets it; None: never.
    """

    address: str
    lifetime: timedelta | None = None


class AccountCodes(Protocol):
    """Makes codes of the account; the wire has the one that does."""

    def make(self, scene: str) -> MadeCode:
        """Return a code whose scan reports a scene: a lasting one as long as there are any.

        Raises:
            AccountBusyError: the platform does not answer.
            AccountQuotaError: no more today.
            AccountRefusedError: never, as the account is set up.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCodeCard:
    """A code of the account.

    Attributes:
        address: what its picture holds; that of a company's code works like its token.
        expires_at: when the platform forgets it; None: never.
    """

    address: str = field(repr=False)
    expires_at: datetime | None

    def last_day_with(self, card: CodeCard) -> date:
        """Return the last local day on which it leads to the registration of an entry code."""
        ends = [card.expires_at, *([self.expires_at] if self.expires_at else [])]
        return last_day_of(min(ends))


def find_account_code(session: Session, *, now: datetime) -> AccountCodeCard | None:
    """Return the account's own code, by which people follow it; None before it was made."""
    return _find(session, ACCOUNT, now=now)


def is_account_code_due(session: Session, *, now: datetime) -> bool:
    """Return whether the account's own code must be made: there is none, or not for long."""
    return find_account_code(session, now=now + RENEW_BEFORE) is None


def keep_account_code(session: Session, *, made: MadeCode, now: datetime) -> None:
    """Keep the account's own code; its scene is `ACCOUNT`."""
    _store(session, ACCOUNT, made, now=now)


def find_follow_code(session: Session, *, card: CodeCard, now: datetime) -> AccountCodeCard | None:
    """Return the account's code that leads to an entry code; None if nobody made one."""
    return _find(session, _subject_of(card), now=now)


def is_follow_code_due(session: Session, *, card: CodeCard, now: datetime) -> bool:
    """Return whether the account's code that leads to an entry code must be made.

    Raises:
        CodeExpiredError, CodeRetiredError: the entry code is not live; there shall be none.
    """
    check_live(card, now=now)
    return _find(session, _subject_of(card), now=now + RENEW_BEFORE) is None


def keep_follow_code(
    session: Session, *, card: CodeCard, made: MadeCode, actor: str, now: datetime
) -> None:
    """Keep the account's code that leads to an entry code.

    Whoever scans it follows the account and is asked in the chat what the page would ask. It
    holds the token of one entry code and ends with that: a new entry code needs a new one.

    Args:
        session: the session of the change.
        card: a code of a company.
        made: with `scene_of(card.token)` as its scene.
        actor: who wants it, for example `person:7`.
        now: aware instant.
    """
    _store(session, _subject_of(card), made, now=now)
    record(
        session,
        now=now,
        actor=actor,
        action="follow_code_made",
        subject=card.subject,
        code_id=card.id,
    )


def reseal_account_codes(session: Session) -> int:
    """Encrypt anew what an older key of the ring sealed; return how many codes."""
    ring = keyring()
    sealed = session.execute(select(AccountCode.id, type_coerce(AccountCode.address, LargeBinary)))
    old = [identity for identity, address in sealed if not ring.is_current(address)]
    for identity in old:
        # The same text would be no change to the mapper.
        flag_modified(session.get_one(AccountCode, identity), "address")
    session.flush()
    return len(old)


def _subject_of(card: CodeCard) -> str:
    return f"code:{card.id}"


def _find(session: Session, subject: str, *, now: datetime) -> AccountCodeCard | None:
    code = session.scalar(select(AccountCode).where(AccountCode.subject == subject))
    if code is None or (code.expires_at is not None and code.expires_at <= now):
        return None
    return AccountCodeCard(address=code.address, expires_at=code.expires_at)


def _store(session: Session, subject: str, made: MadeCode, *, now: datetime) -> None:
    """Keep a code; of two that were made at once the later one stays, and both work."""
    expires_at = None if made.lifetime is None else now + made.lifetime
    kept = ("address", "made_at", "expires_at")
    statement = upsert(session, AccountCode, keys=["subject"], update=kept)
    session.execute(
        statement.values(subject=subject, address=made.address, made_at=now, expires_at=expires_at)
    )
