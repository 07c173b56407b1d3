"""Access tokens, tickets and login codes.

Two families of access token live side by side and do not touch each other: `plain` ones from
cgi-bin/token, of which the newest counts, and the `stable` one, the same for everybody who asks.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.simulator.ledger import Desk
from bot.simulator.refusals import RefusalError

LIFE_SECONDS: Final = 7200
OVERLAP_SECONDS: Final = 300
"""How long an old token goes on beside its successor."""
CODE_SECONDS: Final = 300
FORCED_PER_DAY: Final = 20
FORCED_GAP_SECONDS: Final = 30
TOKEN_LENGTH: Final = 136


def day_of(now: float) -> str:
    """Return the day in Asia/Shanghai that quotas are counted by."""
    return (datetime.fromtimestamp(now, UTC) + timedelta(hours=8)).date().isoformat()


def plain_token(desk: Desk, now: float) -> tuple[str, int]:
    """Return a new token and its life in seconds; the one before ends five minutes later."""
    _replace(desk, "plain", now)
    return _issue(desk, "plain", now), LIFE_SECONDS


def stable_token(desk: Desk, now: float) -> tuple[str, int]:
    """Return the token that everybody shares and the seconds it has left, at least 300."""
    row = desk.execute(
        "SELECT token, expires_at FROM token"
        " WHERE family = 'stable' AND replaced_at IS NULL AND expires_at > ?",
        (now + OVERLAP_SECONDS,),
    ).fetchone()
    if row is not None:
        return str(row["token"]), int(row["expires_at"] - now)
    _replace(desk, "stable", now)
    return _issue(desk, "stable", now), LIFE_SECONDS


def forced_token(desk: Desk, now: float) -> tuple[str, int]:
    """Return a new stable token; the one before is dead at once.

    Raises:
        RefusalError: 45011 within 30 s of the last one, 45009 after 20 on one day.
    """
    times = [float(row["at"]) for row in desk.execute("SELECT at FROM forced_refresh")]
    if any(now - at < FORCED_GAP_SECONDS for at in times):
        raise RefusalError(45011)
    if sum(day_of(at) == day_of(now) for at in times) >= FORCED_PER_DAY:
        raise RefusalError(45009)
    desk.execute("INSERT INTO forced_refresh VALUES (?)", (now,))
    desk.execute(
        "UPDATE token SET replaced_at = ? WHERE family = 'stable' AND replaced_at IS NULL",
        (now - OVERLAP_SECONDS,),
    )
    return _issue(desk, "stable", now), LIFE_SECONDS


def check_token(desk: Desk, now: float, token: str) -> None:
    """Accept a token that is alive.

    Raises:
        RefusalError: 41001 none, 40014 not a token at all, 42001 expired, 40001 unknown or
            replaced.
    """
    if not token:
        raise RefusalError(41001)
    if len(token) != TOKEN_LENGTH:
        raise RefusalError(40014)
    row = desk.execute(
        "SELECT expires_at, replaced_at FROM token WHERE token = ?", (token,)
    ).fetchone()
    if row is None:
        raise RefusalError(40001)
    if row["replaced_at"] is not None and now >= row["replaced_at"] + OVERLAP_SECONDS:
        raise RefusalError(40001)
    if now >= row["expires_at"]:
        raise RefusalError(42001)


def expire_tokens(desk: Desk, now: float) -> None:
    """End the life of every token: the next call with one gets 42001."""
    desk.execute("UPDATE token SET expires_at = min(expires_at, ?)", (now,))


def revoke_tokens(desk: Desk) -> None:
    """Forget every token: the next call with one gets 40001."""
    desk.execute("DELETE FROM token")


def ticket(desk: Desk, now: float, kind: str) -> tuple[str, int]:
    """Return the JS-SDK ticket of a kind and the seconds it has left."""
    row = desk.execute(
        "SELECT ticket, expires_at FROM ticket WHERE kind = ? AND expires_at > ?", (kind, now)
    ).fetchone()
    if row is not None:
        return str(row["ticket"]), int(row["expires_at"] - now)
    value = secrets.token_urlsafe(64)
    desk.execute(
        "INSERT OR REPLACE INTO ticket VALUES (?, ?, ?)", (kind, value, now + LIFE_SECONDS)
    )
    return value, LIFE_SECONDS


def issue_code(desk: Desk, now: float, *, kind: str, openid: str) -> str:
    """Return a login code for one use within five minutes.

    Args:
        desk: the open ledger.
        now: the platform's time.
        kind: `mini` (wx.login), `page` (OAuth) or `snapshot` (OAuth on a snapshot of a page).
        openid: whose code it is.
    """
    code = secrets.token_hex(16)
    desk.execute(
        "INSERT INTO code VALUES (?, ?, ?, ?, 0)", (code, kind, openid, now + CODE_SECONDS)
    )
    return code


def use_code(desk: Desk, now: float, *, kind: str, code: str) -> str:
    """Return whose code it is, and use it up.

    Raises:
        RefusalError: 40029 unknown or too old, 40163 used before.
    """
    row = desk.execute(
        "SELECT openid, expires_at, is_used FROM code WHERE code = ? AND kind = ?", (code, kind)
    ).fetchone()
    if row is None or now >= row["expires_at"]:
        raise RefusalError(40029)
    if row["is_used"]:
        raise RefusalError(40163)
    desk.execute("UPDATE code SET is_used = 1 WHERE code = ?", (code,))
    return str(row["openid"])


def use_page_code(desk: Desk, now: float, code: str) -> tuple[str, bool]:
    """Return whose OAuth code it is and whether they look at a snapshot, and use it up.

    Raises:
        RefusalError: as `use_code`.
    """
    row = desk.execute("SELECT kind FROM code WHERE code = ?", (code,)).fetchone()
    is_snapshot = row is not None and row["kind"] == "snapshot"
    kind = "snapshot" if is_snapshot else "page"
    return use_code(desk, now, kind=kind, code=code), is_snapshot


def _issue(desk: Desk, family: str, now: float) -> str:
    token = secrets.token_hex(TOKEN_LENGTH // 2)
    desk.execute(
        "INSERT INTO token VALUES (?, ?, ?, ?, NULL)", (token, family, now, now + LIFE_SECONDS)
    )
    return token


def _replace(desk: Desk, family: str, now: float) -> None:
    desk.execute(
        "UPDATE token SET replaced_at = ? WHERE family = ? AND replaced_at IS NULL", (now, family)
    )
