"""A look-up on the driver finds what the toolkit finds, and fails as it fails."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError, StatementError

from core.db import Database
from core.lookups import Lookup
from core.people.model import Person
from core.places.model import Community, Street
from core.risk.model import RiskScore

DAY = date(2020, 3, 27)
SCORED_AT = datetime(2020, 3, 28, 4, 30, tzinfo=UTC)
_NEWEST = (
    select(RiskScore.day, RiskScore.score, RiskScore.is_published, RiskScore.scored_at)
    .where(RiskScore.community_id == bindparam("of"), RiskScore.day <= bindparam("until"))
    .order_by(RiskScore.day.desc())
    .limit(1)
)
_PERSON = select(Person.openid, Person.is_following, Person.followed_at).where(
    Person.openid == bindparam("openid")
)


@pytest.fixture
def scored(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        session.add(Street(id=1, code="310104011", name="田林街道"))
        session.add(Community(id=1, code="T1", name="云桥苑", street_id=1, changed_at=now))
        session.flush()
        session.add_all(
            RiskScore(
                community_id=1,
                day=DAY - timedelta(days=age),
                version="v",
                score=12.5 + age,
                colour="blue",
                coverage=1.0,
                lo=0.0,
                hi=100.0,
                parts=[],
                is_published=True,
                scored_at=SCORED_AT,
            )
            for age in range(3)
        )
        session.add(Person(openid="o1", is_following=None, created_at=now))
    return database


def test_a_row_is_the_one_that_the_toolkit_finds(scored: Database) -> None:
    lookup = Lookup(_NEWEST)
    for until in (DAY, DAY - timedelta(days=1), DAY):
        with scored.reading() as session:
            usual = session.execute(_NEWEST, {"of": 1, "until": until}).one()
            assert tuple(lookup.first(session, of=1, until=until) or ()) == tuple(usual)


def test_what_is_missing_is_none(scored: Database) -> None:
    lookup, person = Lookup(_NEWEST), Lookup(_PERSON)
    with scored.reading() as session:
        assert lookup.first(session, of=2, until=DAY) is None
        assert tuple(person.first(session, openid="o1") or ()) == ("o1", None, None)
        assert person.first(session, openid="o1' OR '1'='1") is None


def test_a_transaction_sees_what_it_wrote(scored: Database) -> None:
    with scored.transaction() as session:
        session.get_one(Person, 1).followed_at = SCORED_AT
        session.flush()
        found = Lookup(_PERSON).first(session, openid="o1")
        assert found is not None
        assert found[2] == SCORED_AT


def test_a_refused_statement_raises_the_usual_error(scored: Database) -> None:
    with scored.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE risk_score")
    lookup = Lookup(_NEWEST)
    with scored.reading() as session, pytest.raises(DBAPIError):
        lookup.first(session, of=1, until=DAY)
    with scored.reading() as session:
        assert Lookup(_PERSON).first(session, openid="o1") is not None


def test_a_value_that_is_not_given_is_a_bug(scored: Database) -> None:
    with scored.reading() as session, pytest.raises((KeyError, StatementError)):
        Lookup(_NEWEST).first(session, of=1)
