"""The community paper: mine, another street's, the newest."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from core.db import Database
from core.papers.model import Paper
from core.places.model import Street
from tests.handlers.chat.conftest import Talk


@pytest.fixture(autouse=True)
def _papers(database: Database, talk: Talk) -> None:
    with database.transaction() as session:
        streets = {street.name: street.id for street in session.scalars(select(Street))}
        for number, (street, title, day) in enumerate(
            [
                ("田林街道", "田林三月", date(2020, 3, 20)),
                ("田林街道", "田林四月", date(2020, 4, 20)),
                ("华泾镇", "华泾三月", date(2020, 3, 25)),
            ]
        ):
            session.add(
                Paper(
                    street_id=streets[street],
                    title=title,
                    published_on=day,
                    url=f"https://example.com/{number}",
                    changed_at=talk.now,
                )
            )


def test_without_a_community_the_newest_are_shown(talk: Talk) -> None:
    answer = talk.say("社区报")

    assert talk.route == "papers"
    assert answer.startswith("最新的社区报")
    assert answer.index("华泾三月") < answer.index("田林三月")


def test_a_paper_of_next_month_is_not_out_yet(talk: Talk) -> None:
    assert "田林四月" not in talk.say("社区报")


def test_one_s_own_paper(talk: Talk) -> None:
    talk.say("绑定田林十二村")

    answer = talk.say("社区报")

    assert answer.startswith("田林街道社区报")
    assert "华泾三月" not in answer
    assert talk.say("最新社区报").startswith("最新的社区报")


@pytest.mark.parametrize("said", ["华泾社区报", "华泾镇的社区报", "看看华泾绿苑的社区报"])
def test_another_street_s_paper(talk: Talk, said: str) -> None:
    talk.say("绑定田林十二村")

    assert talk.say(said).startswith("华泾镇社区报")


def test_a_name_that_fits_several_is_asked_back(talk: Talk) -> None:
    assert talk.say("阳光公寓的社区报").startswith("您要查的是")
    assert "社区报" in talk.say("2")


def test_a_name_that_was_asked_for_shows_its_paper(talk: Talk) -> None:
    assert talk.say("幸福里九十九号的社区报").startswith("没有找到")

    assert talk.say("田林十二村").startswith("田林街道社区报")
    assert talk.route in {"name_papers", "papers"}


def test_a_street_without_a_paper_says_so(talk: Talk) -> None:
    assert talk.say("凌云路社区报").startswith("凌云路街道还没有发布社区报")
