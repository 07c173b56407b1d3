from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from pyzbar import pyzbar

from bot.client import SceneCode
from bot.scenes import Scene, scenes_of, write_codes
from core.db import Database
from core.places.model import Community, Street
from core.places.service import CommunityNotFoundError, mark_changed
from handlers.chat.events import COMMUNITY_SCENE, STREET_SCENE

COMMUNITY = Scene(COMMUNITY_SCENE + "c1", "田林十二村", "田林街道")
STREET = Scene(STREET_SCENE + "s1", "田林街道", "田林街道")


class Maker:
    """Stands for the platform; may run out of quota."""

    def __init__(self, *, quota: int = 100) -> None:
        self.made: list[str] = []
        self.quota = quota

    def create_qrcode(self, scene: str) -> SceneCode:
        if len(self.made) == self.quota:
            raise RuntimeError("quota")
        self.made.append(scene)
        return SceneCode(ticket="t", url=f"http://weixin.qq.com/q/{scene}")


@pytest.fixture
def register(sqlite_database: Database, now: datetime) -> Database:
    """A street with two communities."""
    with sqlite_database.transaction() as session:
        street = Street(code="s1", name="田林街道")
        for code, name in (("c2", "康健新村"), ("c1", "田林十二村")):
            session.add(Community(code=code, name=name, street=street, changed_at=now))
        mark_changed(session)
    return sqlite_database


def test_every_street_and_community_has_a_scene(register: Database) -> None:
    with register.reading() as session:
        scenes = scenes_of(session)
    assert scenes == [STREET, COMMUNITY, Scene(COMMUNITY_SCENE + "c2", "康健新村", "田林街道")]


def test_named_communities_alone_may_be_asked_for(register: Database) -> None:
    with register.reading() as session:
        assert scenes_of(session, codes=["c1"]) == [COMMUNITY]
        with pytest.raises(CommunityNotFoundError):
            scenes_of(session, codes=["c1", "c9"])


def test_code_is_an_image_that_a_phone_can_read(tmp_path: Path) -> None:
    maker, seen = Maker(), list[tuple[int, int]]()
    written = write_codes(
        maker,
        [STREET, COMMUNITY],
        folder=tmp_path / "codes",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (written, seen) == (2, [(1, 2), (2, 2)])
    files = sorted(path.name for path in (tmp_path / "codes").iterdir())
    assert files == ["community-c1.png", "street-s1.png"]
    with Image.open(tmp_path / "codes" / "community-c1.png") as image:
        (found,) = pyzbar.decode(image)
    assert found.data.decode() == "http://weixin.qq.com/q/community:c1"


def test_interrupted_run_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    scenes = [STREET, COMMUNITY]
    with pytest.raises(RuntimeError, match="quota"):
        write_codes(Maker(quota=1), scenes, folder=tmp_path, progress=lambda *_: None)
    assert [path.name for path in tmp_path.iterdir()] == ["street-s1.png"]
    maker = Maker()
    assert write_codes(maker, scenes, folder=tmp_path, progress=lambda *_: None) == 1
    assert maker.made == [COMMUNITY.scene]
