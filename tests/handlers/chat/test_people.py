"""One's own community: bind, change, show, forget."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.db import Database
from core.people.model import Consent, Person
from handlers.turn import TurnKind
from tests.handlers.chat.conftest import Talk


def test_binding_asks_for_the_name_and_takes_it(talk: Talk) -> None:
    assert talk.first_line("绑定小区").startswith("请发送您住的小区名称")
    assert talk.route == "bind"
    assert talk.first_line("田林十二村") == "已绑定：田林十二村（田林街道）。"
    assert talk.route == "name_and_change"


@pytest.mark.parametrize("said", ["绑定田林十二村", "我住在田林十二村", "我的小区是田林十二村"])
def test_binding_in_one_sentence(talk: Talk, said: str) -> None:
    assert talk.first_line(said) == "已绑定：田林十二村（田林街道）。"


def test_binding_is_consented_to_and_audited(talk: Talk, database: Database) -> None:
    talk.say("绑定田林十二村")

    with database.reading() as session:
        consent = session.scalars(select(Consent)).one()
        assert (consent.purpose, consent.withdrawn_at) == ("own_community", None)
        assert session.scalars(select(AuditEntry.action)).all() == ["community_bound"]


def test_a_location_can_be_bound(talk: Talk) -> None:
    talk.say("绑定小区")
    talk.send(TurnKind.LOCATION, longitude=121.4201, latitude=31.1701)

    assert talk.first_line("1") == "已绑定：田林十二村（田林街道）。"


def test_a_digression_leaves_the_binding_in_progress(talk: Talk) -> None:
    talk.say("绑定小区")
    assert talk.first_line("坐地铁要戴口罩吗").startswith("建议佩戴口罩")

    assert talk.first_line("田林十二村") == "已绑定：田林十二村（田林街道）。"


def test_binding_can_be_left(talk: Talk) -> None:
    talk.say("绑定小区")
    assert talk.first_line("取消").startswith("已取消")
    assert talk.route == "cancel"

    assert talk.first_line("田林十二村").startswith("田林十二村：")


def test_an_unknown_name_while_binding_is_asked_again(talk: Talk) -> None:
    talk.say("绑定小区")
    assert talk.first_line("幸福里九十九号").startswith("没有找到")

    assert talk.first_line("田林十一村") == "已绑定：田林十一村（田林街道）。"


def test_showing_one_s_own_community(talk: Talk) -> None:
    assert talk.first_line("我的小区").startswith("您还没有绑定小区")
    assert talk.route == "own_community"
    assert talk.first_line("田林十一村").startswith("已绑定")

    assert talk.first_line("我的小区").startswith("田林十一村：")
    assert talk.event("click", "my_community").startswith("田林十一村：")


def test_changing_the_community_replaces_it(talk: Talk, database: Database) -> None:
    talk.say("绑定田林十一村")
    talk.say("绑定锦泰苑")

    assert talk.first_line("我的小区").startswith("锦泰苑：")
    with database.reading() as session:
        assert len(session.scalars(select(Person)).all()) == 1


def test_unbinding_forgets_the_community_and_ends_the_consent(
    talk: Talk, database: Database
) -> None:
    talk.say("绑定田林十一村")

    assert talk.first_line("解绑").startswith("已解除绑定")
    assert talk.route == "unbind"
    with database.reading() as session:
        assert session.scalars(select(Person)).one().community_id is None
        assert session.scalars(select(Consent)).one().withdrawn_at is not None
    assert talk.first_line("解绑").startswith("您没有绑定小区")
