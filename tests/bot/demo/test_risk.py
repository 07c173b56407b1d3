from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.demo.risk import Extent, RiskReport, count_steps, find_zero, load_risk
from bot.demo.rulings import are_loaded
from bot.demo.scenes import CONTESTED, HELD_BACK, OUTBREAK, OVERRIDDEN, RECOVERED
from core.db import Database, Keyring, install_keyring
from core.nightly import run_night
from core.people.staff.rules import Area
from core.places.model import Community
from core.residents.service import count_unplaced
from core.risk.events.listing import EventQuery, EventState, list_events
from core.risk.events.service import feed_states
from core.risk.model import IndicatorValue, Publication, RiskScore
from core.risk.rules import Colour
from core.risk.rulings.model import Appeal, ColourOverride
from core.risk.versions import get_version
from tests.conftest import DATA_KEY
from tests.core.mandates.conftest import MemoryFiles
from tests.databases import MigratedDatabases
from tests.story import COMMUNITIES, EXTENT, NOW, SCENES, YESTERDAY, load_places
from tests.twins import first_difference


@dataclass(frozen=True, kw_only=True)
class Told:
    """The same story in a database of each kind."""

    sqlite: Database
    postgres: Database
    report: RiskReport


def tell(
    database: Database, *, extent: Extent = EXTENT, now: datetime = NOW
) -> tuple[RiskReport, int]:
    """Tell the story, and return what was loaded in how many steps."""
    steps: list[None] = []
    load_places(database, now=now)
    with database.reading() as session:
        zero = find_zero(session, COMMUNITIES) or YESTERDAY
    report = load_risk(
        database,
        COMMUNITIES,
        extent=extent,
        zero=zero,
        files=MemoryFiles(),
        now=now,
        step=lambda: steps.append(None),
    )
    assert len(steps) == count_steps(extent)
    return report


@pytest.fixture(scope="module")
def told(
    _sqlite_template: Path,
    _migrated: MigratedDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    install_keyring(Keyring([DATA_KEY]))  # earlier than the fixture that every single test has
    path = tmp_path_factory.mktemp("demo") / "risk.db"
    shutil.copyfile(_sqlite_template, path)
    url = _migrated.lend()
    sqlite, postgres = Database(f"sqlite:///{path}"), Database(url)
    report = tell(sqlite)
    tell(postgres)
    yield Told(sqlite=sqlite, postgres=postgres, report=report)
    sqlite.dispose()
    postgres.dispose()
    _migrated.take_back(url)


def colours_of(database: Database, name: str) -> list[str]:
    """Return the colours of a scene's community by day, the oldest first."""
    with database.reading() as session:
        return list(
            session.scalars(
                select(RiskScore.colour)
                .join(Community, Community.id == RiskScore.community_id)
                .where(Community.code == SCENES[name].code)
                .order_by(RiskScore.day)
            )
        )


def test_both_databases_hold_the_same_rows(told: Told) -> None:
    assert first_difference(told.sqlite, told.postgres) is None


def test_every_community_has_a_colour_and_every_contribution(told: Told) -> None:
    with told.sqlite.reading() as session:
        scores = session.scalars(select(RiskScore).where(RiskScore.day == YESTERDAY)).all()
        values = session.scalar(
            select(func.count())
            .select_from(IndicatorValue)
            .where(IndicatorValue.day == YESTERDAY, IndicatorValue.origin == "computed")
        )
    indicators = {one.code for one in get_version().indicators}
    assert len(scores) == len(COMMUNITIES)
    assert values == len(COMMUNITIES) * len(indicators)
    for one in scores:
        assert one.colour != Colour.GREY.value
        assert {part[0] for part in one.parts} == indicators
        assert sum(float(part[4] or 0) for part in one.parts) == one.score


def test_a_night_after_the_loading_changes_nothing(told: Told) -> None:
    report = run_night(told.sqlite.transaction, day=YESTERDAY, now=NOW)
    assert not report.is_failed, report.lines()
    assert first_difference(told.sqlite, told.postgres) is None


def test_the_story_has_its_colours(told: Told) -> None:
    assert colours_of(told.sqlite, OUTBREAK)[-1] == Colour.RED
    assert colours_of(told.sqlite, "yesterday") == ["blue", "blue", "blue", "yellow"]
    # The fourteen days were over two days before the last.
    assert colours_of(told.sqlite, RECOVERED) == ["yellow", "blue", "blue", "blue"]
    # They were over the day before the last, when somebody was suspected.
    assert colours_of(told.sqlite, HELD_BACK) == ["yellow"] * 4
    assert colours_of(told.sqlite, OVERRIDDEN)[-2:] == ["blue", "yellow"]
    counts = told.report.last.colours
    assert counts[Colour.RED] >= 1
    assert counts[Colour.YELLOW] >= 8
    assert counts[Colour.BLUE] > len(COMMUNITIES) / 2


def test_two_people_set_a_colour_and_an_officer_objects(told: Told) -> None:
    with told.sqlite.reading() as session:
        assert are_loaded(session)
        override = session.scalars(select(ColourOverride)).one()
        appeal = session.scalars(select(Appeal)).one()
        contested = session.scalar(
            select(Community.id).where(Community.code == SCENES[CONTESTED].code)
        )
    assert (override.state, override.until_day) == ("in_force", NOW.date() + timedelta(days=6))
    assert override.proposed_by != override.decided_by
    assert (appeal.state, appeal.community_id, appeal.day) == ("open", contested, YESTERDAY)
    assert (appeal.indicator, appeal.claimed_value) == ("fever", 0)
    assert appeal.computed_value


def test_reviewer_entered_events_and_withdrew_a_slip(told: Told) -> None:
    with told.sqlite.reading() as session:
        page = list_events(session, query=EventQuery(area=Area()), today=NOW.date())
    assert [(one.state, bool(one.entered_by)) for one in page.rows] == [
        (EventState.WITHDRAWN, True),
        (EventState.OVER, True),
    ]


def test_every_feed_is_complete_and_no_day_is_held(told: Told) -> None:
    with told.sqlite.reading() as session:
        states = feed_states(session, day=YESTERDAY)
        publications = session.scalars(select(Publication.state)).all()
        assert count_unplaced(session, area=Area()) > 0
    assert [one.feed.value for one in states if not one.is_complete] == []
    assert set(publications) == {"published"}
    assert len(publications) == EXTENT.days


def test_a_larger_story_joins_a_smaller_one_and_goes_on(sqlite_database: Database) -> None:
    database = sqlite_database
    small = Extent(days=1, one_in=100)
    first = tell(database, extent=small)
    again = tell(database, extent=small)
    assert again.last.changed_count == 0
    assert again.residents == first.residents
    later = NOW + timedelta(days=2)
    grown = tell(database, extent=Extent(days=2, one_in=40), now=later)
    assert grown.residents > first.residents
    assert grown.last.day == later.date() - timedelta(days=1)
    with database.reading() as session:
        assert find_zero(session, COMMUNITIES) == YESTERDAY
        assert session.scalar(select(func.count()).select_from(ColourOverride)) == 1
