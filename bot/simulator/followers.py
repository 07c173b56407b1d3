"""People as the platform knows them: who follows, what they did last, what they agreed to."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.simulator.ledger import Desk
from bot.simulator.refusals import RefusalError

MINUTE: Final = 60.0
TWO_DAYS: Final = 48 * 3600.0


class Act(StrEnum):
    """What a person did; each opens a window for customer-service messages."""

    MESSAGE = "message"
    MENU = "menu"
    FOLLOW = "follow"
    SCAN = "scan"
    PAYMENT = "payment"


WINDOWS: Final[dict[Act, tuple[int | None, float]]] = {
    Act.MESSAGE: (5, TWO_DAYS),
    Act.MENU: (3, MINUTE),
    Act.FOLLOW: (3, MINUTE),
    Act.SCAN: (3, MINUTE),
    Act.PAYMENT: (None, TWO_DAYS),
}
"""Messages (None: any number) and seconds that an act allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A person of the platform."""

    openid: str
    name: str
    is_following: bool
    followed_at: float | None
    scene: str
    unionid: str


def new_openid() -> str:
    """Return an openid that nobody has, in the platform's form: 28 characters."""
    return "oSIM" + secrets.token_hex(12)


def put_follower(
    desk: Desk, now: float, *, openid: str, name: str = "", is_following: bool = True
) -> None:
    """Add a person, or change their name and whether they follow; they keep the rest."""
    desk.execute(
        "INSERT INTO follower (openid, name, is_following, followed_at, unionid, added_at)"
        " VALUES (:openid, :name, :is_following, :at, :unionid, :now)"
        " ON CONFLICT (openid) DO UPDATE SET is_following = excluded.is_following,"
        " name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END,"
        " followed_at = coalesce(excluded.followed_at, followed_at)",
        {
            "openid": openid,
            "name": name,
            "is_following": is_following,
            "at": now if is_following else None,
            "unionid": f"u{openid[1:]}",
            "now": now,
        },
    )


def find_follower(desk: Desk, openid: str) -> Follower | None:
    """Return a person, following or not, or None."""
    row = desk.execute("SELECT * FROM follower WHERE openid = ?", (openid,)).fetchone()
    return None if row is None else _follower(row)


def _follower(row: sqlite3.Row) -> Follower:
    return Follower(
        openid=row["openid"],
        name=row["name"],
        is_following=bool(row["is_following"]),
        followed_at=row["followed_at"],
        scene=row["scene"],
        unionid=row["unionid"],
    )


def list_followers(desk: Desk) -> list[Follower]:
    """Return everybody, first added first."""
    rows = desk.execute("SELECT * FROM follower ORDER BY added_at, openid")
    return [_follower(row) for row in rows]


def follow(desk: Desk, now: float, *, openid: str, scene: str = "") -> None:
    """Let a person follow, by a scene code or without."""
    put_follower(desk, now, openid=openid)
    desk.execute("UPDATE follower SET scene = ? WHERE openid = ?", (scene, openid))
    record_act(desk, now, openid=openid, act=Act.FOLLOW)


def unfollow(desk: Desk, *, openid: str) -> None:
    """Let a person leave: windows and consents end."""
    desk.execute("UPDATE follower SET is_following = 0 WHERE openid = ?", (openid,))
    desk.execute("DELETE FROM window WHERE openid = ?", (openid,))
    desk.execute("DELETE FROM consent WHERE openid = ?", (openid,))


def record_act(desk: Desk, now: float, *, openid: str, act: Act) -> None:
    """Open the window that an act allows; a second act of the same kind opens it anew."""
    remaining, seconds = WINDOWS[act]
    desk.execute(
        "INSERT OR REPLACE INTO window VALUES (?, ?, ?, ?)", (openid, act, now + seconds, remaining)
    )


def spend_window(desk: Desk, now: float, *, openid: str) -> None:
    """Use one customer-service message, of the window that shuts first.

    Raises:
        RefusalError: 45015 no window is open, 45047 every open one is used up.
    """
    rows = desk.execute(
        "SELECT act, remaining FROM window WHERE openid = ? AND until > ? ORDER BY until",
        (openid, now),
    ).fetchall()
    if not rows:
        raise RefusalError(45015)
    for row in rows:
        if row["remaining"] is None:
            return
        if row["remaining"] > 0:
            desk.execute(
                "UPDATE window SET remaining = remaining - 1 WHERE openid = ? AND act = ?",
                (openid, row["act"]),
            )
            return
    raise RefusalError(45047)


def allow_subscription(
    desk: Desk, *, openid: str, template_id: str, times: int = 1, is_long_term: bool = False
) -> None:
    """Record a person's yes to subscription notices; one yes is one message and yeses add up."""
    desk.execute(
        "INSERT INTO consent VALUES (?, ?, ?, ?) ON CONFLICT (openid, template_id) DO UPDATE SET"
        " remaining = remaining + excluded.remaining, is_long_term = excluded.is_long_term",
        (openid, template_id, times, is_long_term),
    )


def refuse_subscription(desk: Desk, *, openid: str, template_id: str) -> None:
    """Record a person's no: what they allowed before is gone."""
    desk.execute("DELETE FROM consent WHERE openid = ? AND template_id = ?", (openid, template_id))


def spend_consent(desk: Desk, *, openid: str, template_id: str) -> None:
    """Use one yes.

    Raises:
        RefusalError: 43101, there is none.
    """
    row = desk.execute(
        "SELECT remaining, is_long_term FROM consent WHERE openid = ? AND template_id = ?",
        (openid, template_id),
    ).fetchone()
    if row is None or not (row["is_long_term"] or row["remaining"] > 0):
        raise RefusalError(43101)
    if not row["is_long_term"]:
        desk.execute(
            "UPDATE consent SET remaining = remaining - 1 WHERE openid = ? AND template_id = ?",
            (openid, template_id),
        )
