"""Construction sites in the chat: nothing changed, figures in one line, which site is meant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.db import Database
from core.sites.model import SiteReport
from core.sites.reporting import NothingReportedError
from core.sites.rules import Figures
from handlers.chat.sites import figures_of
from tests.core.sites.conftest import Sites
from tests.handlers.chat.conftest import Talk


def bind(talk: Talk, database: Database, *, count: int = 1, reported: int = 1) -> Sites:
    """Let the person report for some sites; the first ones reported 120 people yesterday."""
    with database.transaction() as session:
        sites = Sites(session=session, now=talk.now)
        for place in range(count):
            sites.add()
            sites.bind(talk.openid, site=place)
        for place in range(reported):
            sites.report(120, site=place, day=sites.today - timedelta(days=1))
    return sites


def stored(talk: Talk, database: Database, sites: Sites) -> list[tuple[int, ...]]:
    """Return what was reported today: site from 0, and the three numbers."""
    with database.reading() as session:
        rows = session.scalars(
            select(SiteReport)
            .where(SiteReport.day == sites.today, SiteReport.state == "standing")
            .order_by(SiteReport.site_id)
        )
        return [
            (sites.ids.index(row.site_id), row.head_count, row.joined_count, row.left_count)
            for row in rows
        ]


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("今日120人 新到2人 离开0人", (120, 2, 0)),
        ("今天在场１２０人，新进2人，离场1人。", (120, 2, 1)),
        ("在场 86", (86, 0, 0)),
        ("今日88 走了3个", (88, 0, 3)),
        ("120人", None),
        ("今天几号", None),
        ("今日120人 新到两千万", None),
        ("今日1234567人", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_figures_are_read_from_one_line(text: str, figures: tuple[int, int, int] | None) -> None:
    names = ("head_count", "joined_count", "left_count")
    expected = Figures(**dict(zip(names, figures, strict=True))) if figures else None
    assert figures_of(text) == expected


@pytest.mark.parametrize(
    ("asked", "route"),
    [
        ("报工地", "sites"),
        ("无变化", "site_unchanged"),
        ("今天没有变化", "site_unchanged"),
        ("今日120人 新到2人 离开0人", "site_figures"),
        ("去工地要戴口罩吗", "masks"),
        ("南站今天多少人", "arrivals"),
        ("田林十二村颜色有变化吗", "colour"),
    ],
)
def test_words_go_where_they_are_meant_for(talk: Talk, asked: str, route: str) -> None:
    talk.say(asked)
    assert talk.route == route


def test_whoever_reports_for_no_site_is_told_how_to_be_invited(talk: Talk) -> None:
    for asked in ("报工地", "无变化", "今日120人"):
        assert talk.say(asked).startswith("您还没有绑定工地")


def test_nothing_changed_is_reported_in_one_word(talk: Talk, database: Database) -> None:
    sites = bind(talk, database)
    assert "今天还没有报" in talk.say("报工地")
    assert talk.first_line("无变化") == "第1工地已报：在场120人（无变化）。"
    assert "已经报过，没有重复" in talk.first_line("无变化")
    assert "今天已报" in talk.say("报工地")
    assert stored(talk, database, sites) == [(0, 120, 0, 0)]


def test_figures_that_do_not_add_up_are_pointed_at_and_the_next_message_stands(
    talk: Talk, database: Database
) -> None:
    sites = bind(talk, database)
    said = talk.say("今日125人 新到2人 离开0人")
    assert "请核对：与上次人数、进出对不上" in said
    assert f"/h5/site/{sites.ids[0]}/roster" in said
    talk.now += timedelta(minutes=1)
    assert "请核对" not in talk.say("今日122人 新到2人 离开0人")
    assert stored(talk, database, sites) == [(0, 122, 2, 0)]


def test_with_several_sites_it_is_asked_which_and_all_can_be_meant(
    talk: Talk, database: Database
) -> None:
    sites = bind(talk, database, count=4, reported=3)
    asked = talk.say("今日130人 新到10人")
    assert "是哪个工地" in asked
    assert "全部" not in asked
    assert talk.first_line("9").endswith("回复序号：")
    assert talk.first_line("2").startswith("第2工地已报：在场130人，新到10人")
    assert talk.route == "site_choice"
    assert "哪个工地没有变化" in talk.say("无变化")
    said = talk.say("全部")
    assert said.count("（无变化）") == 2
    assert "第4工地：还没有以前的日报" in said
    assert [one[:2] for one in stored(talk, database, sites)] == [(0, 120), (1, 130), (2, 120)]
    # All but one have reported: no need to ask.
    assert talk.first_line("今日66人").startswith("第4工地已报：在场66人")


def test_nothing_changed_needs_a_report_before(talk: Talk, database: Database) -> None:
    bind(talk, database, reported=0)
    with pytest.raises(NothingReportedError):
        talk.say("无变化")


def test_many_sites_fit_into_an_answer(talk: Talk, database: Database) -> None:
    bind(talk, database, count=12, reported=0)
    for asked in ("报工地", "今日66人"):
        said = talk.say(asked)
        assert "查看全部 12 个工地" in said
        assert len(said.encode()) < 2048
