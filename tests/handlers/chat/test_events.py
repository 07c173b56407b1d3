"""What the platform reports: follows, scans, leaves, consents, withdrawal."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from core.db import Database
from core.papers.model import Paper
from core.people.model import MessageConsent, Person
from core.places.model import Street
from core.registration.model import Registration
from tests.core.registration.conftest import District
from tests.handlers.chat.conftest import Talk


@pytest.fixture
def _paper(database: Database, talk: Talk) -> None:
    with database.transaction() as session:
        street = session.scalars(select(Street).where(Street.name == "田林街道")).one()
        session.add(
            Paper(
                street_id=street.id,
                title="田林春天",
                published_on=date(2020, 3, 26),
                url="https://example.com/1",
                changed_at=talk.now,
            )
        )


def _people(database: Database) -> list[Person]:
    with database.reading() as session:
        return list(session.scalars(select(Person)))


def test_a_new_follower_is_greeted_and_remembered(talk: Talk, database: Database) -> None:
    assert talk.event("subscribe").startswith("欢迎关注")
    assert talk.route == "follow"
    assert [(one.is_following, one.came_by) for one in _people(database)] == [(True, "")]


@pytest.mark.usefixtures("_paper")
def test_a_community_s_code_shows_its_colour_and_paper(talk: Talk, database: Database) -> None:
    answer = talk.event("subscribe", "community:T12")

    assert "田林十二村：一般风险（蓝色）" in answer
    assert "田林春天" in answer
    assert _people(database)[0].came_by == "community:T12"
    assert talk.say("绑定田林十二村", menu_id="bind:T12").startswith("已绑定：田林十二村")


@pytest.mark.usefixtures("_paper")
def test_a_street_s_code_shows_its_paper(talk: Talk) -> None:
    answer = talk.event("scan", "street:310104011")

    assert talk.route == "scan"
    assert "田林街道社区报" in answer


@pytest.mark.parametrize("scene", ["community:nowhere", "street:0", "last_trade_no_1", "x" * 300])
def test_a_foreign_scene_is_greeted_like_none(talk: Talk, scene: str) -> None:
    assert "您可以直接问我" in talk.event("subscribe", scene)


def test_following_again_after_leaving(talk: Talk, database: Database) -> None:
    talk.event("subscribe")
    assert talk.event("unsubscribe") == ""
    assert talk.route == "leave"
    assert not _people(database)[0].is_following

    talk.event("subscribe")

    assert [one.is_following for one in _people(database)] == [True]


@pytest.mark.parametrize("nesting", ["SubscribeMsgPopupEvent.List", "List"])
def test_consents_are_counted_wherever_the_push_nests_them(
    talk: Talk, database: Database, nesting: str
) -> None:
    fields = {
        f"{nesting}.0.TemplateId": "t1",
        f"{nesting}.0.SubscribeStatusString": "accept",
        f"{nesting}.1.TemplateId": "t2",
        f"{nesting}.1.SubscribeStatusString": "reject",
    }
    assert talk.event("subscribe_msg_popup_event", fields=fields) == ""
    assert talk.route == "consent"

    with database.reading() as session:
        found = session.scalars(select(MessageConsent)).all()
    assert [(one.template_id, one.remaining) for one in found] == [("t1", 1)]


def test_a_delivery_report_is_taken_silently(talk: Talk) -> None:
    fields = {"MsgID": "200163836", "Status": "failed:user block"}

    assert talk.event("templatesendjobfinish", fields=fields) == ""
    assert talk.route == "delivery_report"


def test_a_withdrawn_authorisation_forgets_the_person(talk: Talk, database: Database) -> None:
    talk.say("绑定田林十二村")
    talk.say("订阅田林十二村")

    assert talk.event("user_authorization_revoke", fields={"OpenID": talk.openid}) == ""
    assert talk.route == "withdrawal"
    assert _people(database) == []


def test_a_withdrawn_authorisation_ends_registrations_and_drops_their_answers(
    talk: Talk, database: Database
) -> None:
    with database.transaction() as session:
        district = District(session=session, now=datetime.now(UTC))
        district.add_company()
        district.submit(0, openid=talk.openid)

    talk.event("user_authorization_revoke", fields={"OpenID": talk.openid})

    with database.reading() as session:
        (left,) = session.scalars(select(Registration))
    assert (left.state, left.answers, left.person_id) == ("ended", "", None)
    assert _people(database) == []


def test_an_unknown_event_is_taken_silently(talk: Talk) -> None:
    assert talk.event("masssendjobfinish") == ""
    assert talk.route == "other_event"
