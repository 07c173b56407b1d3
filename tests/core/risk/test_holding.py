from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.notices.model import Notice
from core.people.model import Person
from core.places.model import Community, Street
from core.risk.holding import HoldReason, jump_limit
from core.risk.model import IndicatorValue, Publication, RiskScore
from core.risk.publishing import (
    PublicationNotFoundError,
    PublicationNotHeldError,
    count_held,
    list_publications,
    release_publication,
)
from core.risk.rules import Colour
from core.risk.scoring import score_day, score_days
from core.risk.service import find_card, subscribe
from tests.core.risk.values import DAY, HARMLESS, RED, TODAY, VERSION, put

DISTRICT = range(1, 31)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def district(session: Session, now: datetime) -> None:
    """Thirty communities, all blue on the day."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.flush()
    session.execute(
        insert(Community),
        [
            {"id": n, "code": f"T{n}", "name": f"新村{n}", "street_id": 1, "changed_at": now}
            for n in DISTRICT
        ],
    )
    for community_id in DISTRICT:
        put(session, community_id, HARMLESS)
    score_day(session, day=DAY, now=now)


def shown(session: Session) -> dict[Colour, int]:
    """Return how many cards have which colour on the day after `NEXT`."""
    cards = [
        find_card(session, community_id=one, today=NEXT + timedelta(days=1)) for one in DISTRICT
    ]
    colours = [card.colour if card else Colour.GREY for card in cards]
    return {colour: colours.count(colour) for colour in Colour if colour in colours}


def put_next(session: Session, *, red_count: int, codes: frozenset[str] = frozenset(RED)) -> None:
    for community_id in DISTRICT:
        values = RED if community_id <= red_count else HARMLESS
        kept = {code: value for code, value in values.items() if code in codes}
        put(session, community_id, kept, day=NEXT)


def test_a_day_goes_out_that_jumps_by_no_more_than_the_limit(
    session: Session, district: None, now: datetime
) -> None:
    put_next(session, red_count=20)
    assert score_day(session, day=NEXT, now=now).hold is None
    assert shown(session) == {Colour.RED: 20, Colour.BLUE: 10}
    (row, _) = list_publications(session)
    assert (row.day, row.state, row.reason, row.jump_count) == (NEXT, "published", "", 20)


def test_a_day_that_jumps_is_held_and_the_colours_before_it_stand(
    session: Session, district: None, now: datetime
) -> None:
    put_next(session, red_count=21)
    assert score_day(session, day=NEXT, now=now).hold is HoldReason.JUMP
    assert shown(session) == {Colour.BLUE: 30}
    row = session.get_one(Publication, NEXT)
    assert (row.state, row.reason, row.jump_count) == ("held", "jump", 21)
    # The scores are kept, for whoever looks into it.
    kept = session.scalars(select(RiskScore.colour).where(RiskScore.day == NEXT)).all()
    assert kept.count("red") == 21


def test_the_limit_is_a_share_of_the_communities_once_there_are_many() -> None:
    assert jump_limit(VERSION, community_count=30) == 20
    assert jump_limit(VERSION, community_count=957) == pytest.approx(95.7)
    assert jump_limit(replace(VERSION, jump_least=0, jump_share=0.0), community_count=9) == 0


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        pytest.param({"confirmed"}, HoldReason.FEED_MISSING, id="required feed"),
        pytest.param({"suspected", "close"}, HoldReason.COVERAGE, id="0.77 known"),
        pytest.param({"suspected", "keyarea"}, None, id="0.8 known"),
    ],
)
def test_a_day_is_held_of_which_too_little_has_come(
    session: Session,
    district: None,
    now: datetime,
    missing: set[str],
    reason: HoldReason | None,
) -> None:
    later = DAY + timedelta(days=4)  # nothing can be carried on to it
    for community_id in DISTRICT:
        values = {code: 0.0 for code in HARMLESS if code not in missing}
        put(session, community_id, values, day=later)
    assert score_day(session, day=later, now=now).hold is reason


def test_a_required_feed_that_is_late_holds_the_day_though_its_values_are_carried(
    session: Session, district: None, now: datetime
) -> None:
    put_next(session, red_count=5, codes=frozenset(RED) - {"confirmed"})
    assert score_day(session, day=NEXT, now=now).hold is HoldReason.FEED_MISSING
    assert shown(session) == {Colour.BLUE: 30}


def test_a_known_infection_raises_what_is_shown_though_too_little_has_come(
    session: Session, district: None, now: datetime
) -> None:
    session.execute(delete(IndicatorValue))  # so that nothing is carried on
    put(session, 1, {"confirmed": 1.0, "asym": 0.0, "cluster": 0.0}, day=NEXT)
    put(session, 2, {"confirmed": 0.0}, day=NEXT)
    assert score_day(session, day=NEXT, now=now).hold is HoldReason.COVERAGE
    assert shown(session) == {Colour.YELLOW: 1, Colour.BLUE: 29}
    row = session.scalars(
        select(RiskScore).where(RiskScore.day == NEXT, RiskScore.community_id == 1)
    ).one()
    assert (row.score_colour, row.floors, row.is_published) == ("grey", ["R1"], True)


def test_before_anything_came_nothing_is_held(
    session: Session, places: list[int], now: datetime
) -> None:
    score_day(session, day=DAY, now=now)
    assert list_publications(session) == []


def test_releasing_a_day_lets_it_go_tells_subscribers_and_frees_the_day_after(
    session: Session, district: None, now: datetime
) -> None:
    session.add(Person(id=1, openid="o-1", created_at=now))
    session.flush()
    subscribe(session, person_id=1, community_id=1, now=now)
    put_next(session, red_count=25)
    after = NEXT + timedelta(days=1)
    for community_id in DISTRICT:
        put(session, community_id, RED if community_id <= 26 else HARMLESS, day=after)
    evening = now + timedelta(days=2)
    held = score_days(session, days=[NEXT, after], now=evening)
    assert [one.hold for one in held] == [HoldReason.JUMP, HoldReason.JUMP]
    assert count_held(session, today=after) == 2

    results = release_publication(session, day=NEXT, reason="核对无误", staff_id=3, now=evening)

    assert [(one.day, one.hold) for one in results] == [(NEXT, None), (after, None)]
    assert count_held(session, today=after) == 0
    row = session.get_one(Publication, NEXT)
    assert (row.state, row.reason, row.released_by) == ("released", "jump", "staff:3")
    (notice,) = session.scalars(select(Notice)).all()
    assert (notice.values["colour"], notice.values["day"]) == ("red", after.isoformat())
    entries = session.scalars(select(AuditEntry.action)).all()
    assert entries == ["publication_released"]
    # Again, by the same person: nothing; and a night that is run again does not hold it again.
    assert release_publication(session, day=NEXT, reason="x", staff_id=3, now=evening) == []
    assert score_day(session, day=NEXT, now=evening).hold is None


def test_releasing_is_refused_where_there_is_nothing_to_release(
    session: Session, district: None, now: datetime
) -> None:
    with pytest.raises(PublicationNotHeldError):
        release_publication(session, day=DAY, reason="核对无误", staff_id=3, now=now)
    with pytest.raises(PublicationNotFoundError):
        release_publication(session, day=TODAY, reason="核对无误", staff_id=3, now=now)
