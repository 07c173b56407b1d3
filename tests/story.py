"""A part of the demo district that is quick to load: its people and events, without a night."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from bot.demo import SEED
from bot.demo.epidemic import Epidemic
from bot.demo.places import make_communities
from bot.demo.residents import count_residents, resident_rows
from bot.demo.risk import Extent, load_events
from bot.demo.scenes import OUTBREAK_STREET, QUIET, make_scenes
from core.clock import SHANGHAI
from core.db import Database
from core.places.importing import import_communities
from core.residents.importing import import_residents

NOW: Final = datetime(2020, 3, 28, 8, 0, tzinfo=SHANGHAI)
YESTERDAY: Final = date(2020, 3, 27)
# An eighth of the district, and all of the street that the story is about.
COMMUNITIES: Final = [
    one
    for place, one in enumerate(make_communities(SEED))
    if place % 8 == 0 or one.street == OUTBREAK_STREET or one.name == QUIET
]
SCENES: Final = make_scenes(COMMUNITIES, seed=SEED)
EXTENT: Final = Extent(days=4, one_in=100, flags_a_day=200)


def load_places(database: Database, *, now: datetime = NOW) -> None:
    """Load the communities alone."""
    with database.transaction() as session:
        rows = (one.row(line) for line, one in enumerate(COMMUNITIES, start=2))
        import_communities(session, rows, now=now)


def load_people(database: Database) -> tuple[date, date]:
    """Load communities, residents and all events; return the last two days, not scored yet."""
    counts = count_residents(COMMUNITIES, one_in=EXTENT.one_in)
    epidemic = Epidemic(COMMUNITIES, counts, seed=SEED, first=EXTENT.first, last=0)
    load_places(database)
    with database.transaction() as session:
        rows = resident_rows(counts, seed=SEED, year=YESTERDAY.year)
        import_residents(session, rows, now=NOW)
        load_events(session, epidemic, epidemic.days(), zero=YESTERDAY, now=NOW)
    return YESTERDAY - timedelta(days=1), YESTERDAY
