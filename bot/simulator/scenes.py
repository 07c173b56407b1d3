"""Parametric QR codes of the account."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.ledger import Desk
from bot.simulator.refusals import RefusalError

DEFAULT_SECONDS: Final = 60
MOST_SECONDS: Final = 2_592_000
MOST_PERMANENT: Final = 100_000
SCENE_LENGTH: Final = 64
MOST_SCENE_ID: Final = 2**32 - 1
CODE_ADDRESS: Final = "http://weixin.qq.com/q/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCode:
    """A code that the account made.

    Attributes:
        ticket: names its picture.
        scene: what a scan reports.
        url: what the picture says.
        expires_at: seconds since the epoch; None: never.
    """

    ticket: str
    scene: str
    url: str
    expires_at: float | None


def create_scene_code(desk: Desk, now: float, call: Mapping[str, Any]) -> SceneCode:
    """Make a code.

    Raises:
        RefusalError: 40052 unknown kind of code, 40053 scene missing or out of range, 40097 life
            too long, 45029 no permanent code left.
    """
    action = str(call.get("action_name") or "")
    if action not in {"QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"}:
        raise RefusalError(40052)
    is_permanent = "LIMIT" in action
    scene = _scene(call, is_text="STR" in action, is_permanent=is_permanent)
    expires_at = None if is_permanent else now + _life(call)
    if is_permanent:
        _check_room(desk, scene)
    code = SceneCode(
        ticket=f"gQ{secrets.token_urlsafe(48)}",
        scene=scene,
        url=f"{CODE_ADDRESS}{secrets.token_urlsafe(12)}",
        expires_at=expires_at,
    )
    desk.execute(
        "INSERT INTO scene_code VALUES (?, ?, ?, ?, ?)",
        (code.ticket, scene, is_permanent, expires_at, code.url),
    )
    return code


def list_scene_codes(desk: Desk, now: float) -> list[SceneCode]:
    """Return the codes that can still be scanned, by scene."""
    rows = desk.execute(
        "SELECT ticket, scene, url, expires_at FROM scene_code"
        " WHERE expires_at IS NULL OR expires_at > ? ORDER BY scene, ticket",
        (now,),
    )
    return [SceneCode(**dict(row)) for row in rows]


def scene_of(desk: Desk, now: float, content: str) -> str:
    """Return the scene of what a picture holds; anything but the address of a code is a scene.

    A code that the platform has forgotten opens the account without a scene.
    """
    if not content.startswith(CODE_ADDRESS):
        return content
    code = next((one for one in list_scene_codes(desk, now) if one.url == content), None)
    return code.scene if code is not None else ""


def _scene(call: Mapping[str, Any], *, is_text: bool, is_permanent: bool) -> str:
    info = call.get("action_info")
    scene = info.get("scene") if isinstance(info, Mapping) else None
    if not isinstance(scene, Mapping):
        raise RefusalError(40053)
    if is_text:
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= SCENE_LENGTH:
            raise RefusalError(40053)
        return text
    number = scene.get("scene_id")
    most = MOST_PERMANENT if is_permanent else MOST_SCENE_ID
    if not isinstance(number, int) or not 1 <= number <= most:
        raise RefusalError(40053)
    return str(number)


def _life(call: Mapping[str, Any]) -> int:
    seconds = call.get("expire_seconds", DEFAULT_SECONDS)
    if not isinstance(seconds, int) or not 1 <= seconds <= MOST_SECONDS:
        raise RefusalError(40097)
    return seconds


def _check_room(desk: Desk, scene: str) -> None:
    """Count scenes, not codes: asking again for the same permanent scene costs nothing."""
    count = desk.execute(
        "SELECT count(DISTINCT scene) FROM scene_code WHERE is_permanent AND scene <> ?", (scene,)
    ).fetchone()[0]
    if count >= MOST_PERMANENT:
        raise RefusalError(45029)
