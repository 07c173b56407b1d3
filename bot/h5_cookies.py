"""What the pages inside WeChat keep in the browser, sealed: who is signed in, who is on the way.

No row stands behind it, so it holds on every web process. Nobody reads or makes such a cookie
without the keys of personal data, and one that was altered is as if it were not there.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from core.db import DataKeyError, keyring
from handlers.h5.visit import safe_next

LIFE: Final = timedelta(hours=2)
RENEW_AFTER: Final = timedelta(minutes=10)
# Whoever keeps a page open all day is asked for by the platform again, which nobody notices.
FULL_LIFE: Final = timedelta(hours=12)
# A code of the platform lives five minutes; somebody may look elsewhere meanwhile.
ATTEMPT_LIFE: Final = timedelta(minutes=10)
# Of two processes one may be a little ahead.
MAX_AHEAD: Final = timedelta(minutes=1)
MAX_COOKIE: Final = 4000
# Some pages may be opened at once; a cookie has room for four kilobytes.
MAX_ATTEMPTS: Final = 3
MAX_PATH_BYTES: Final = 500
SESSION: Final = "h5.session"
ATTEMPTS: Final = "h5.sign_in"
FIRST_TRY: Final = "1"
SECOND_TRY: Final = "2"
_SESSION: Final = re.compile(r"([0-9a-f]{32})\|(\d{1,12})\|(\d{1,12})\|(.*)")
_ATTEMPT: Final = re.compile(r"([0-9a-f]{33})\|(\d{1,12})\|([01])\|(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class H5Session:
    """A browser, and who is signed in there.

    Attributes:
        token: random, of this browser; its forms are bound to it.
        openid: who is signed in; empty if nobody is.
        issued_at: when the cookie was made.
        signed_in_at: when the platform said who it is; making the cookie anew does not move it.
    """

    token: str
    openid: str
    issued_at: datetime
    signed_in_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Return whether the sign-in has ended by now."""
        is_idle = not -MAX_AHEAD <= now - self.issued_at < LIFE
        return is_idle or now - self.signed_in_at >= FULL_LIFE

    def sealed(self) -> str:
        """Return the value of the cookie."""
        instants = f"{_seconds(self.issued_at)}|{_seconds(self.signed_in_at)}"
        return _seal(f"{self.token}|{instants}|{self.openid}", purpose=SESSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody was sent to the platform and has to come back with this state.

    Attributes:
        state: random; its first character says which try it is.
        path: where they want to go.
        began_at: when they were sent.
        is_used: whether they came back.
    """

    state: str
    path: str
    began_at: datetime
    is_used: bool = False


def new_session(*, openid: str, now: datetime) -> H5Session:
    """Return a session of a browser that has none; an empty openid for nobody."""
    return H5Session(token=secrets.token_hex(16), openid=openid, issued_at=now, signed_in_at=now)


def find_session(cookie: str) -> H5Session | None:
    """Return what a cookie says, however old it is; None if it is none of ours."""
    found = _SESSION.fullmatch(_open(cookie, purpose=SESSION))
    if found is None:
        return None
    token, issued, signed_in, openid = found.groups()
    return H5Session(
        token=token, openid=openid, issued_at=_instant(issued), signed_in_at=_instant(signed_in)
    )


def new_attempt(*, path: str, attempt_try: str, now: datetime) -> Attempt:
    """Return an attempt to sign in.

    Args:
        path: where the person wants to go; home if it is long or not one of these pages.
        attempt_try: `FIRST_TRY` or `SECOND_TRY`.
        now: aware instant.
    """
    kept = path if len(path.encode()) <= MAX_PATH_BYTES else ""
    state = attempt_try + secrets.token_hex(16)
    return Attempt(state=state, path=safe_next(kept), began_at=now)


def list_attempts(cookie: str, *, now: datetime) -> list[Attempt]:
    """Return the attempts of a browser that are not too old, the first one first."""
    found = map(_ATTEMPT.fullmatch, _open(cookie, purpose=ATTEMPTS).split("\n"))
    attempts = [
        Attempt(state=one[1], began_at=_instant(one[2]), is_used=one[3] == "1", path=one[4])
        for one in found
        if one is not None
    ]
    return [one for one in attempts if -MAX_AHEAD <= now - one.began_at < ATTEMPT_LIFE]


def sealed_attempts(attempts: Sequence[Attempt]) -> str:
    """Return the value of the cookie that keeps the newest attempts."""
    lines = (
        f"{one.state}|{_seconds(one.began_at)}|{int(one.is_used)}|{one.path}"
        for one in attempts[-MAX_ATTEMPTS:]
    )
    return _seal("\n".join(lines), purpose=ATTEMPTS)


def used(attempts: Sequence[Attempt], state: str) -> list[Attempt]:
    """Return the attempts after somebody came back with a state."""
    return [replace(one, is_used=True) if one.state == state else one for one in attempts]


def _seal(text: str, *, purpose: str) -> str:
    sealed = keyring().encrypt(text, column=purpose)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _open(cookie: str, *, purpose: str) -> str:
    """Return the text of a cookie; empty if it was made for something else or by others."""
    if len(cookie) > MAX_COOKIE or not cookie.isascii():
        return ""
    try:
        sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
        return keyring().decrypt(sealed, column=purpose)
    except (binascii.Error, DataKeyError):
        return ""


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
