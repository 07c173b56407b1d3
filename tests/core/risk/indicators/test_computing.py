from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.residents.model import Residence
from core.risk.events.model import EpidemicEvent, FeedDelivery
from core.risk.events.rules import Ending, EventKind, Feed
from core.risk.indicators.computing import IndicatorRun, compute_indicators, read_values
from core.risk.indicators.rules import FEEDS_OF
from core.risk.model import IndicatorValue
from tests.core.risk.indicators.districts import DAY, NOW, District, Event, Home, ago
from tests.core.risk.values import count_statements

# The first community has a case, its contact and a traveller; next to it lives an old couple.
SMALL = District(
    community_count=3,
    birth_years={1: 1980, 2: 1990, 3: 1990, 4: 1950, 5: 1952, 6: None, 7: 1999},
    homes=[
        *(Home(resident, 1, ago(400)) for resident in (1, 2, 3)),
        *(Home(resident, 2, ago(400)) for resident in (4, 5)),
        Home(6, None, ago(400)),
    ],
    events=[
        Event(1, EventKind.SUSPECTED, ago(5), ago(3), Ending.CONVERTED),
        Event(1, EventKind.CONFIRMED, ago(3)),
        Event(2, EventKind.CLOSE_CONTACT, ago(2)),
        Event(3, EventKind.KEY_AREA_ARRIVAL, ago(13)),
        Event(6, EventKind.HOME_ISOLATION, ago(1)),
        Event(7, EventKind.FEVER, ago(1), community=3),
    ],
    near={(1, 2), (2, 1)},
)


def deliver(session: Session, *feeds: Feed) -> None:
    row = {"watermark": DAY, "row_count": 1, "received_at": NOW}
    session.execute(insert(FeedDelivery), [row | {"feed": feed.value} for feed in feeds])


def compute(session: Session, **options: Any) -> IndicatorRun:
    return compute_indicators(session, day=DAY, now=NOW, **options)


def values(session: Session, *columns: str) -> dict[tuple[int, str], Any]:
    rows = session.execute(
        select(
            IndicatorValue.community_id,
            IndicatorValue.indicator,
            *(getattr(IndicatorValue, name) for name in columns or ("value",)),
        ).where(IndicatorValue.day == DAY)
    )
    return {(row[0], row[1]): row[2] if not columns else tuple(row[2:]) for row in rows}


@pytest.fixture
def people(session: Session) -> Session:
    SMALL.store(session)
    return session


def test_thirteen_values_of_every_community_with_what_they_come_from(people: Session) -> None:
    deliver(people, *Feed)
    run = compute(people)
    found = values(people, "value", "numerator", "denominator", "origin")

    assert run == IndicatorRun(day=DAY, written_count=3 * 13 - 1, unplaced_count=1)
    assert found[1, "confirmed"] == (1.0, 1.0, None, "computed")
    assert found[1, "suspected"][0] == 0
    assert found[1, "close"][0] == 1
    assert found[1, "recency"][0] == 11
    assert found[1, "keyarea"] == (1000 / 300, 1.0, 300.0, "computed")
    assert found[1, "nearby"][0] == 0
    assert found[2, "nearby"][0] == 1
    assert found[2, "vuln"] == (1.0, 2.0, 2.0, "computed")
    assert found[3, "fever"][0] == 1000 / 300
    assert (3, "vuln") not in found


def test_what_a_late_feed_should_bring_is_not_known(people: Session) -> None:
    deliver(people, *set(Feed) - {Feed.CONTACTS})
    run = compute(people)
    codes = {code for _, code in values(people)}

    assert run.missing_feeds == (Feed.CONTACTS,)
    assert codes == FEEDS_OF.keys() - {"close", "second"}


def test_a_second_run_writes_nothing(people: Session) -> None:
    deliver(people, *Feed)
    compute(people)
    before = values(people, "value", "numerator", "denominator")

    assert compute(people).written_count == 0
    assert values(people, "value", "numerator", "denominator") == before


def test_what_changed_is_written_and_what_is_not_known_any_more_goes(people: Session) -> None:
    deliver(people, *Feed)
    compute(people)
    people.execute(update(EpidemicEvent).values(withdrawn_at=NOW).filter_by(kind="close"))
    people.execute(update(FeedDelivery).values(watermark=ago(1)).filter_by(feed="isolation"))
    people.execute(update(Residence).values(until_day=DAY).filter_by(community_id=2))

    assert compute(people).written_count == 1
    found = values(people)
    assert found[1, "close"] == 0
    assert (1, "homeq") not in found
    assert (2, "vuln") not in found


@pytest.mark.parametrize("origin", ["imported", "appeal"])
def test_a_value_that_was_imported_or_won_stands(people: Session, origin: str) -> None:
    deliver(people, *Feed)
    stands = {"day": DAY, "community_id": 1, "indicator": "confirmed", "value": 7, "origin": origin}
    people.execute(insert(IndicatorValue), [stands])
    compute(people)

    assert values(people, "value", "origin")[1, "confirmed"] == (7.0, origin)


def test_only_the_communities_that_were_asked_for_are_written(people: Session) -> None:
    deliver(people, *Feed)
    compute(people, community_ids=[2])

    assert {community for community, _ in values(people)} == {2}
    assert values(people)[2, "nearby"] == 1


def test_what_has_come_by_now_is_read_without_asking_whether_it_is_complete(
    people: Session,
) -> None:
    tomorrow = DAY + timedelta(days=1)
    found = read_values(people, day=tomorrow, community_ids=[1])

    assert found.keys() == {1}
    assert found[1]["recency"] == 10
    assert found[1]["keyarea"] == 0
    assert values(people) == {}


def test_without_people_nothing_is_computed(session: Session) -> None:
    District(community_count=2).store(session)
    deliver(session, *Feed)

    assert compute(session) == IndicatorRun(day=DAY)
    assert values(session) == {}


def _statements(database: Database, district: District, ids: Collection[int] | None) -> int:
    with Session(database.engine) as session:
        district.store(session)
        deliver(session, *Feed)
        compute(session)
        session.execute(update(EpidemicEvent).values(withdrawn_at=NOW))
        session.execute(update(FeedDelivery).values(watermark=ago(1)).filter_by(feed="isolation"))
        session.flush()
        return count_statements(database.engine, lambda: compute(session, community_ids=ids))


def test_the_number_of_statements_does_not_depend_on_the_district(
    sqlite_database: Database,
) -> None:
    large = District(
        community_count=40,
        birth_years=dict.fromkeys(range(1, 81), 1950),
        homes=[Home(one, 1 + one % 40, ago(400)) for one in range(1, 81)],
        events=[Event(one, EventKind.CONFIRMED, ago(one % 14)) for one in range(1, 81)],
    )

    # And one more that goes to the driver alone, which is not counted: it writes the values.
    assert _statements(sqlite_database, SMALL, None) == 6
    assert _statements(sqlite_database, large, None) == 6
    assert _statements(sqlite_database, large, [1, 2]) == 6
