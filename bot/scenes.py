"""Follow codes: one for every street and community, so a follower is greeted with their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from sqlalchemy.orm import Session

from core.places.service import get_place, list_places, list_streets
from handlers.chat.events import COMMUNITY_SCENE, STREET_SCENE

if TYPE_CHECKING:
    from bot.client import SceneCode


@dataclass(frozen=True, slots=True)
class Scene:
    """What one follow code stands for."""

    scene: str
    name: str
    street: str


class CodeMaker(Protocol):
    """Whatever registers scenes with the platform."""

    def create_qrcode(self, scene: str) -> SceneCode:
        """Return the permanent code of `scene`."""


def scenes_of(session: Session, *, codes: Sequence[str] = ()) -> list[Scene]:
    """Return the scenes of the named communities, or of every street and community.

    Raises:
        CommunityNotFoundError: a code is not registered.
    """
    if codes:
        places = [get_place(session, code=code) for code in codes]
        return [Scene(COMMUNITY_SCENE + one.code, one.name, one.street) for one in places]
    streets = [Scene(STREET_SCENE + one.code, one.name, one.name) for one in list_streets(session)]
    places = list_places(session)
    return streets + [Scene(COMMUNITY_SCENE + one.code, one.name, one.street) for one in places]


def write_codes(
    client: CodeMaker,
    scenes: Sequence[Scene],
    *,
    folder: Path,
    progress: Callable[[int, int], None],
) -> int:
    """Write one PNG a scene and return how many were written; those that exist are left alone.

    So an interrupted run is taken up where it ended, and the platform's daily quota is spared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for done, scene in enumerate(scenes, start=1):
        path = folder / f"{scene.scene.replace(':', '-')}.png"
        if not path.exists():
            image = _image_of(client.create_qrcode(scene.scene).url)
            unfinished = path.with_suffix(".part")
            image.save(unfinished, format="PNG")
            unfinished.rename(path)
            written += 1
        progress(done, len(scenes))
    return written


def _image_of(address: str) -> qrcode.image.base.BaseImage:
    # A fixed mask pattern: the search for the prettiest takes most of the time.
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, mask_pattern=2)
    code.add_data(address)
    code.make(fit=True)
    return code.make_image()
