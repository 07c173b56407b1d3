from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Event
from time import sleep

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import Database
from core.importing import ImportRow
from core.places.model import Community, Street
from core.residents.model import Residence, Resident
from core.risk.events.model import EpidemicEvent
from core.risk.importing import import_indicators
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import Colour, Status
from core.risk.scoring import score_day, score_days
from core.risk.service import find_card
from core.risk.suspicion import count_open_fevers
from core.risk.turns import stand_in_line
from tests.core.risk.values import DAY, HARMLESS, RED, TODAY, VERSION, YELLOW, count_statements, put


def stored(session: Session) -> list[tuple[object, ...]]:
    table = RiskScore.__table__
    return [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]


def test_score_day_stores_score_colour_and_parts(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS)
    put(session, 2, YELLOW)
    put(session, 3, RED)
    result = score_day(session, day=DAY, now=now)
    assert result.colours == {Colour.RED: 1, Colour.YELLOW: 1, Colour.BLUE: 1, Colour.GREY: 0}
    assert (result.changed_count, result.version) == (3, "xh-2020.1")
    row = session.scalars(select(RiskScore).where(RiskScore.community_id == 3)).one()
    assert (row.score, row.colour, row.is_published) == (61.0, "red", True)
    assert row.scored_at == now
    assert len(row.parts) == 13
    assert sum(part[4] for part in row.parts if isinstance(part[4], float)) == row.score
    assert row.parts[0] == ["confirmed", 3.0, 100.0, 20.0, 20.0, "fresh"]


def test_score_day_again_leaves_every_row_as_it_was(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, dict.fromkeys(HARMLESS, 1 / 3))
    put(session, 2, {"fever": 0.1})
    score_day(session, day=DAY, now=now)
    before = stored(session)
    result = score_day(session, day=DAY, now=now + timedelta(hours=1))
    assert result.changed_count == 0
    assert stored(session) == before


def test_score_day_rewrites_only_what_changed(
    session: Session, places: list[int], now: datetime
) -> None:
    for place in places:
        put(session, place, HARMLESS)
    score_day(session, day=DAY, now=now)
    session.execute(
        IndicatorValue.__table__.update()
        .where(IndicatorValue.community_id == 2, IndicatorValue.indicator == "confirmed")
        .values(value=1.0)
    )
    later = now + timedelta(hours=1)
    assert score_day(session, day=DAY, now=later).changed_count == 1
    times = session.execute(
        select(RiskScore.community_id, RiskScore.scored_at).order_by(RiskScore.community_id)
    )
    assert [(place, at) for place, at in times] == [(1, now), (2, later), (3, now)]


def test_score_day_carries_a_value_for_three_days_and_takes_the_newest(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"confirmed": 3.0}, day=DAY - timedelta(days=3))
    put(session, 1, {"confirmed": 1.0}, day=DAY - timedelta(days=2))
    put(session, 2, HARMLESS, day=DAY - timedelta(days=4))
    # Without any value of the day itself its feed would not have come.
    put(session, 3, HARMLESS)
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.reasons[0].indicator == "confirmed"
    assert (card.reasons[0].value, card.reasons[0].status) == (1.0, Status.STALE)
    assert find_card(session, community_id=2, today=TODAY) is None


def test_score_day_ignores_values_of_later_days(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS)
    put(session, 1, RED, day=DAY + timedelta(days=1))
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.colour is Colour.BLUE


def test_score_day_without_the_confirmed_feed_publishes_nothing(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, {code: 99.0 for code in HARMLESS if code != "confirmed"})
    result = score_day(session, day=DAY, now=now)
    assert result.colours[Colour.GREY] == 3
    assert find_card(session, community_id=1, today=TODAY) is None
    rows = session.scalars(select(RiskScore).order_by(RiskScore.community_id)).all()
    assert [(row.colour, row.is_published, row.score is None) for row in rows] == [
        ("grey", False, False),
        ("grey", False, True),
        ("grey", False, True),
    ]


def test_score_day_stores_the_colour_of_the_score_beside_the_final_one(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"confirmed": 1.0, "recency": 14.0})
    put(session, 2, HARMLESS)
    score_day(session, day=DAY, now=now)
    rows = session.scalars(
        select(RiskScore).where(RiskScore.community_id < 3).order_by(RiskScore.community_id)
    )
    assert [(row.score_colour, row.computed_colour, row.colour, row.floors) for row in rows] == [
        ("blue", "yellow", "yellow", ["R1"]),
        ("blue", "blue", "blue", []),
    ]


def test_a_colour_falls_by_a_step_a_day_and_a_day_done_again_stays_as_it_was(
    session: Session, places: list[int], now: datetime
) -> None:
    days = [DAY + timedelta(days=ahead) for ahead in range(4)]
    for day, values in zip(days, (RED, HARMLESS, HARMLESS, HARMLESS), strict=True):
        put(session, 1, values, day=day)
        score_day(session, day=day, now=now)
    before = stored(session)
    rows = session.execute(
        select(RiskScore.colour, RiskScore.floors)
        .where(RiskScore.community_id == 1)
        .order_by(RiskScore.day)
    )
    assert [tuple(row) for row in rows] == [
        ("red", []),
        ("yellow", ["R4"]),
        ("blue", []),
        ("blue", []),
    ]
    for day in days:
        assert score_day(session, day=day, now=now + timedelta(days=9)).changed_count == 0
    assert stored(session) == before


def test_a_fever_that_is_looked_into_keeps_the_colour_until_it_is_excluded(
    session: Session, places: list[int], now: datetime
) -> None:
    days = [DAY + timedelta(days=ahead) for ahead in range(3)]
    session.add(Resident(id=1, id_hash=bytes(32), changed_at=now))
    session.flush()
    fever = EpidemicEvent(
        resident_id=1,
        community_id=1,
        kind="fever",
        reported_on=DAY,
        ended_on=days[2],
        ending="excluded",
        feed="fever",
        entered_by="operator:import",
        changed_at=now,
    )
    session.add(fever)
    for day, values in zip(days, (YELLOW, HARMLESS, HARMLESS), strict=True):
        put(session, 1, values, day=day)
        score_day(session, day=day, now=now)
    rows = session.execute(
        select(RiskScore.colour, RiskScore.floors)
        .where(RiskScore.community_id == 1)
        .order_by(RiskScore.day)
    )
    assert [tuple(row) for row in rows] == [("yellow", []), ("yellow", ["R3"]), ("blue", [])]
    # The register knows better where people live, and who withdrew a report meant it.
    session.add(Residence(resident_id=1, community_id=2, from_day=DAY))
    session.flush()
    assert count_open_fevers(session, day=DAY) == {2: 1}
    fever.withdrawn_at = now
    session.flush()
    assert count_open_fevers(session, day=DAY) == {}


def test_correcting_a_day_scores_those_after_it_as_long_as_a_colour_changes(
    session: Session, places: list[int], now: datetime
) -> None:
    days = [DAY + timedelta(days=ahead) for ahead in range(6)]
    for day in days:
        put(session, 1, HARMLESS, day=day)
        score_day(session, day=day, now=now)
    session.execute(
        IndicatorValue.__table__.update()
        .where(IndicatorValue.day == DAY, IndicatorValue.community_id == 1)
        .values(value=99.0)
    )
    results = score_days(session, days=[DAY], now=now)
    # Red; down to yellow; down to blue, as it was. That one is looked at, and what may go by the
    # colours of the three days before it, and nothing beyond.
    assert [one.day for one in results] == days[:5]
    assert [one.is_shown_changed for one in results] == [True, True, False, False, False]


def test_score_day_keeps_another_version_beside_the_current_one(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    challenger = replace(VERSION, name="study-1", yellow_cut=1.0, red_cut=99.0, floors=())
    score_day(session, day=DAY, now=now, version=challenger)
    rows = session.execute(
        select(RiskScore.version, RiskScore.colour, RiskScore.is_published)
        .where(RiskScore.community_id == 1)
        .order_by(RiskScore.version)
    )
    assert [tuple(row) for row in rows] == [
        ("study-1", "yellow", False),
        ("xh-2020.1", "red", True),
    ]


def test_score_day_takes_the_place_of_a_former_version(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    session.execute(RiskScore.__table__.update().values(version="xh-2019.9", colour="blue"))
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.version, card.colour) == ("xh-2020.1", Colour.RED)


def test_score_day_again_leaves_a_raise_of_real_time_that_it_cannot_replace(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    session.execute(RiskScore.__table__.update().values(is_provisional=True))
    session.execute(IndicatorValue.__table__.delete())
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.colour is Colour.RED


def test_only_one_score_of_a_day_can_be_published(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    row = session.scalars(select(RiskScore).where(RiskScore.community_id == 1)).one()
    values = {
        column.name: getattr(row, column.name)
        for column in RiskScore.__table__.c
        if column.name not in {"id", "version"}
    }
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(insert(RiskScore), [values | {"version": "other"}])


def test_number_of_statements_does_not_grow_with_the_district(
    sqlite_database: Database, now: datetime
) -> None:
    counts = []
    for size in (3, 300):
        with sqlite_database.transaction() as session:
            session.merge(Street(id=1, code="1", name="田林街道"))
            session.flush()
            session.execute(Community.__table__.delete())
            session.execute(
                insert(Community),
                [
                    {"id": n, "code": f"{n}", "name": "x", "street_id": 1, "changed_at": now}
                    for n in range(1, size + 1)
                ],
            )
            for place in range(1, size + 1):
                put(session, place, YELLOW)
            counts.append(
                count_statements(
                    sqlite_database.engine,
                    lambda session=session: score_day(session, day=DAY, now=now),
                )
            )
            session.execute(IndicatorValue.__table__.delete())
    assert counts[0] == counts[1] <= 13


def test_two_that_score_a_day_together_lose_nothing_of_either(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.flush()
        for number in (1, 2):
            session.add(
                Community(id=number, code=f"{number}", name="x", street_id=1, changed_at=now)
            )
    gate = Barrier(2)

    def bring(community_id: int) -> None:
        gate.wait()
        with database.transaction() as session:
            put(session, community_id, RED)
            score_day(session, day=DAY, now=now)
            sleep(0.1)  # the other is on its way meanwhile

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(bring, (1, 2)))
    with database.reading() as session:
        cards = [find_card(session, community_id=one, today=TODAY) for one in (1, 2)]
    assert [card and card.colour for card in cards] == [Colour.RED, Colour.RED]


def test_import_and_a_correction_of_the_same_value_take_turns(
    postgres_database: Database, now: datetime
) -> None:
    with postgres_database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.flush()
        session.add(Community(id=1, code="T1", name="x", street_id=1, changed_at=now))
        session.flush()
        put(session, 1, HARMLESS)
    has_turn = Event()

    def correct() -> None:
        with postgres_database.transaction() as session:
            stand_in_line(session)
            has_turn.set()
            sleep(0.3)  # the import is on its way meanwhile
            session.execute(IndicatorValue.__table__.update().values(value=2.0))

    def bring() -> None:
        has_turn.wait()
        cells = {
            "day": DAY.isoformat(),
            "community_code": "T1",
            "indicator": "confirmed",
            "value": "3",
        }
        with postgres_database.transaction() as session:
            outcome = import_indicators(session, [ImportRow(2, cells)], now=now)
            score_days(session, days=outcome.days, now=now)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(correct), pool.submit(bring)]:
            one.result()
    with postgres_database.reading() as session:
        confirmed = IndicatorValue.indicator == "confirmed"
        assert session.scalars(select(IndicatorValue.value).where(confirmed)).all() == [3.0]
