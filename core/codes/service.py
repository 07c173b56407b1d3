"""Use cases of codes: issue, rotate, retire, find behind a scan, report as suspicious."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from unicodedata import normalize

from sqlalchemy import LargeBinary, Select, select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.codes.model import TOKEN_COLUMN, EntryCode
from core.codes.rules import (
    CHECK_ALPHABET,
    CHECK_LENGTH,
    RENEW_BEFORE,
    TOKEN_BYTES,
    CodeState,
    RetiredReason,
    expiry_of,
    is_token,
    last_day_of,
)
from core.db import keyring, lookup_hash
from core.errors import ConflictError, NotFoundError
from core.notices.service import NoticeDraft, queue_notices

CODE_REPORTED: Final = "code_reported"
CODE_WARNING: Final = "code_warning"


class CodeNotFoundError(NotFoundError):
    """No code has this token."""

    code = "code_not_found"


class CodeRetiredError(ConflictError):
    """The code was taken back; fact `retired_on`, a local day."""

    code = "code_retired"


class CodeExpiredError(ConflictError):
    """The time of the code is over; fact `expired_on`, its last local day."""

    code = "code_expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCard:
    """A code as its owner and whoever scanned it may see it.

    Attributes:
        id: of the row; registrations keep it.
        subject: what it registers with, `company:7`.
        token: the secret part of its address; on no other page than the code's own.
        check_code: six characters, the same on the poster and on the page.
        report_count: how often somebody called it suspicious.
        reported_at: when somebody last did.
    """

    id: int
    subject: str
    token: str = field(repr=False)
    check_code: str
    created_at: datetime
    expires_at: datetime
    retired_at: datetime | None
    retired_reason: RetiredReason | None
    report_count: int
    reported_at: datetime | None

    def state_at(self, now: datetime) -> CodeState:
        """Return how the code stands; one that ran out before it was replaced has expired."""
        if self.retired_reason is RetiredReason.EXPIRED:
            return CodeState.EXPIRED
        if self.retired_at is not None:
            return CodeState.RETIRED
        return CodeState.EXPIRED if now >= self.expires_at else CodeState.LIVE

    def is_live(self, now: datetime) -> bool:
        """Return whether people can register by it."""
        return self.state_at(now) is CodeState.LIVE

    @property
    def last_day(self) -> date:
        """The last local day on which it works."""
        return last_day_of(self.expires_at)

    def is_ending(self, now: datetime) -> bool:
        """Return whether it is live, and will not be for much longer."""
        return self.is_live(now) and now >= self.expires_at - RENEW_BEFORE


def issue_code(
    session: Session,
    *,
    subject: str,
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> CodeCard:
    """Return the live code of a subject, made if there is none; two at once give one.

    Args:
        session: the session of the change.
        subject: `company:7`.
        actor: who needs it, for example `person:7`.
        now: aware instant.
        expires_at: when a new one ends; None: as posters do, see `expiry_of`.
    """
    code = _lock_standing(session, subject)
    if code is not None and now < code.expires_at:
        return _card_of(code)
    if code is not None:
        # It ended by itself, when nobody was looking.
        code.retire(reason=RetiredReason.EXPIRED, at=code.expires_at)
        session.flush()
    ends = expires_at or expiry_of(now)
    return _card_of(_create(session, subject=subject, actor=actor, now=now, expires_at=ends))


def rotate_code(
    session: Session,
    *,
    subject: str,
    code_id: int | None = None,
    reason: RetiredReason = RetiredReason.ROTATED,
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> CodeCard:
    """Replace the live code of a subject by a new one and return that.

    Args:
        session: the session of the change.
        subject: `company:7`.
        code_id: the code to be replaced; if another one is live by now, a second tap has been
            here before, and that one is returned. None: whichever is live.
        reason: why; the page behind the old code says so.
        actor: who wants it.
        now: aware instant.
        expires_at: when the new one ends; None: as posters do.
    """
    code = _lock_standing(session, subject)
    if code is not None and code_id not in {None, code.id}:
        return _card_of(code)
    if code is not None:
        _retire(session, code, reason=reason, actor=actor, now=now)
    return issue_code(session, subject=subject, actor=actor, now=now, expires_at=expires_at)


def retire_code(
    session: Session, *, subject: str, reason: RetiredReason, actor: str, now: datetime
) -> CodeCard | None:
    """End the live code of a subject and return it; None if there was none.

    Args:
        session: the session of the change.
        subject: `company:7`.
        reason: why; the page behind the code says so.
        actor: who does it.
        now: aware instant.
    """
    code = _lock_standing(session, subject)
    if code is None:
        return None
    _retire(session, code, reason=reason, actor=actor, now=now)
    return _card_of(code)


def find_live_code(session: Session, *, subject: str, now: datetime) -> CodeCard | None:
    """Return the code that people can register by now."""
    code = session.scalars(_standing(subject)).one_or_none()
    card = None if code is None else _card_of(code)
    return card if card is not None and card.is_live(now) else None


def find_newest_code(session: Session, *, subject: str) -> CodeCard | None:
    """Return the code that was issued last, whatever became of it."""
    newest = select(EntryCode).where(EntryCode.subject == subject).order_by(EntryCode.id.desc())
    code = session.scalars(newest.limit(1)).first()
    return None if code is None else _card_of(code)


def get_code(session: Session, *, token: str) -> CodeCard:
    """Return the code with this token, whatever became of it.

    Raises:
        CodeNotFoundError: there is none.
    """
    if not is_token(token):
        raise CodeNotFoundError
    hashes = keyring().lookup_hashes(token, column=TOKEN_COLUMN)
    code = session.scalars(select(EntryCode).where(EntryCode.token_hash.in_(hashes))).first()
    if code is None:
        raise CodeNotFoundError
    return _card_of(code)


def find_code_read_out(session: Session, *, check_code: str, now: datetime) -> CodeCard | None:
    """Return the live code whose check code somebody read off a poster.

    Args:
        session: may be a reading one.
        check_code: as typed, in halves or not, in small letters or not.
        now: aware instant.

    Returns:
        None where there is none, and where several have it: it is not meant to be unique.
    """
    plain = "".join(normalize("NFKC", check_code).split()).upper()
    if len(plain) != CHECK_LENGTH or not set(plain) <= set(CHECK_ALPHABET):
        return None
    found = session.scalars(
        select(EntryCode)
        .where(
            EntryCode.check_code == plain,
            EntryCode.retired_at.is_(None),
            EntryCode.expires_at > now,
        )
        .limit(2)
    ).all()
    return _card_of(found[0]) if len(found) == 1 else None


def check_live(card: CodeCard, *, now: datetime) -> None:
    """Check that people can register by a code.

    Raises:
        CodeExpiredError: its time is over.
        CodeRetiredError: it was taken back.
    """
    state = card.state_at(now)
    if state is CodeState.EXPIRED:
        raise CodeExpiredError(expired_on=card.last_day)
    if card.retired_at is not None:
        raise CodeRetiredError(retired_on=day_of(card.retired_at))


def report_code(
    session: Session,
    *,
    card: CodeCard,
    name: str,
    told: Sequence[str],
    link: str,
    actor: str,
    now: datetime,
) -> None:
    """Note that somebody finds a code suspicious, and tell those who act for its subject.

    Args:
        session: the session of the request.
        card: the code.
        name: of the company, for the notice.
        told: openids of those who act for the subject; each hears of a code once an hour.
        link: page that the notice opens.
        actor: who reports it; `visitor:0` for somebody who is not signed in.
        now: aware instant.
    """
    code = session.get_one(EntryCode, card.id, with_for_update=True)
    code.report_count += 1
    code.reported_at = now
    _record(session, code, "code_reported", actor=actor, now=now)
    _tell(
        session,
        kind=CODE_REPORTED,
        key=f"{CODE_REPORTED}:{code.id}:{now:%Y%m%d%H}",
        values={"company": name, "check_code": code.check_code},
        told=told,
        link=link,
        now=now,
    )


def warn_users(
    session: Session, *, card: CodeCard, name: str, told: Sequence[str], link: str, now: datetime
) -> None:
    """Tell those who registered by a code that it was taken back as suspicious; each once.

    Args:
        session: the session of the change.
        card: the code, retired.
        name: of the company, for the notice.
        told: openids of those who registered by it.
        link: page that the notice opens.
        now: aware instant.
    """
    _tell(
        session,
        kind=CODE_WARNING,
        key=f"{CODE_WARNING}:{card.id}",
        values={"company": name, "check_code": card.check_code},
        told=told,
        link=link,
        now=now,
    )


def _tell(
    session: Session,
    *,
    kind: str,
    key: str,
    values: Mapping[str, str],
    told: Sequence[str],
    link: str,
    now: datetime,
) -> None:
    """Queue a notice for each of these openids, once for a key."""
    drafts = [
        NoticeDraft(kind=kind, openid=openid, key=f"{key}:{openid}", values=dict(values), link=link)
        for openid in dict.fromkeys(told)
    ]
    queue_notices(session, now=now, drafts=drafts)


def reseal_codes(session: Session) -> int:
    """Encrypt and hash anew what an older key of the ring sealed; return how many codes.

    Afterwards the older keys are not needed for codes any more.
    """
    ring = keyring()
    sealed = session.execute(select(EntryCode.id, type_coerce(EntryCode.token, LargeBinary)))
    old = [identity for identity, token in sealed if not ring.is_current(token)]
    for identity in old:
        code = session.get_one(EntryCode, identity)
        code.seal(code.token)
    return len(old)


def _standing(subject: str) -> Select[EntryCode]:
    return select(EntryCode).where(EntryCode.subject == subject, EntryCode.retired_at.is_(None))


def _lock_standing(session: Session, subject: str) -> EntryCode | None:
    """Return the code that nobody ended, and keep others from ending it meanwhile."""
    locked = _standing(subject).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).one_or_none()


def _create(
    session: Session, *, subject: str, actor: str, now: datetime, expires_at: datetime
) -> EntryCode:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    code = EntryCode(
        subject=subject,
        token=token,
        token_hash=lookup_hash(token, column=TOKEN_COLUMN),
        check_code="".join(secrets.choice(CHECK_ALPHABET) for _ in range(CHECK_LENGTH)),
        created_by=actor,
        created_at=now,
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            session.add(code)
    except IntegrityError:
        # Somebody else made one at the same moment; only one is live.
        return session.scalars(_standing(subject)).one()
    _record(session, code, "code_issued", actor=actor, now=now)
    return code


def _retire(
    session: Session, code: EntryCode, *, reason: RetiredReason, actor: str, now: datetime
) -> None:
    code.retire(reason=reason, at=now)
    # A new one may follow, and only one is live at any moment.
    session.flush()
    _record(session, code, "code_retired", actor=actor, now=now, reason=reason.value)


def _record(
    session: Session, code: EntryCode, action: str, *, actor: str, now: datetime, **facts: str
) -> None:
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=code.subject,
        code_id=code.id,
        **facts,
    )


def _card_of(code: EntryCode) -> CodeCard:
    return CodeCard(
        id=code.id,
        subject=code.subject,
        token=code.token,
        check_code=code.check_code,
        created_at=code.created_at,
        expires_at=code.expires_at,
        retired_at=code.retired_at,
        retired_reason=RetiredReason(code.retired_reason) if code.retired_reason else None,
        report_count=code.report_count,
        reported_at=code.reported_at,
    )
