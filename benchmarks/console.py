"""`python -m benchmarks.console`: the staff pages of community risk at the size of the district.

957 communities with 60 days of scores and values, 1.1 million residents and 2 million events, asked
for by every role that may: the whole request, from the cookie to the page.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks import processor
from benchmarks.report import machine
from bot.app import create_app
from bot.console import COOKIE
from bot.demo.places import make_communities
from bot.services import services_of
from bot.settings import Settings
from core import migrations
from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Role
from core.places.importing import import_communities
from core.places.model import Community, CommunityNear, Street
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import Colour, Reading, Score, score_of
from core.risk.versions import get_version
from tests.console import token_for
from tests.servers import PostgresServer

DAYS: Final = 60
RESIDENTS: Final = 1_100_000
EVENTS: Final = 2_000_000
UNPLACED: Final = 3000
STREET: Final = "天平路街道"
OWN: Final = 8
VERSION: Final = get_version()
LIMIT_MS: Final = 300

AREAS: Final[dict[Role, dict[str, Any]]] = {
    Role.ADMINISTRATOR: {},
    Role.DISTRICT_REVIEWER: {},
    Role.AUDITOR: {},
    Role.STREET_OFFICER: {"street": STREET},
    Role.NEIGHBOURHOOD_OFFICER: {"community_codes": []},
}
PAGES: Final = {
    "first page": "/console/",
    "district: map, trend, streets, table": "/console/risk",
    "district: 28 days, one street": "/console/risk?days=28&street={street}",
    "district: a search": "/console/risk?q=%E6%96%B0%E6%9D%91",
    "points of the map": "/console/risk/points",
    "my communities": "/console/risk/mine",
    "one community": "/console/risk/community/{community}",
    "addresses to place": "/console/risk/unplaced",
    "events entered by hand": "/console/risk/events",
    "events of all sources": "/console/risk/events?source=all&kind=fever",
    "events of one community": "/console/risk/events?community={community}",
}

# The same rows in both kinds of database; what differs is how a hash and a day are written.
_NUMBERS: Final = """
    WITH RECURSIVE numbers(i) AS (
        SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}
    )
"""
_HASH: Final = {"sqlite": "randomblob(32)", "postgresql": "sha256(i::text::bytea)"}
_DAY: Final = {
    "sqlite": "date(:day, '-' || (i % 28) || ' days')",
    "postgresql": "CAST(:day AS date) - i % 28",
}
_KIND: Final = (
    "CASE i % 9 WHEN 0 THEN 'confirmed' WHEN 1 THEN 'asymptomatic' WHEN 2 THEN 'suspected' "
    "WHEN 3 THEN 'close' WHEN 4 THEN 'second' WHEN 5 THEN 'fever' WHEN 6 THEN 'keyarea' "
    "WHEN 7 THEN 'overseas' ELSE 'homeq' END"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a page took, in milliseconds: every time from request to page, and the processor's."""

    walls: tuple[float, ...]
    processor: float


def main() -> None:
    """Measure both databases, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="times that a page is asked for (7)")
    parser.add_argument("--share", type=float, default=1.0, help="of residents and events (1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder:
        sqlite = _measure(f"sqlite:///{folder}/console.db", Path(folder), options)
        server = PostgresServer()
        try:
            postgres = _measure(server.url, Path(folder), options)
        finally:
            server.stop()
    print(_table("SQLite", sqlite), end="\n\n")
    print(_table("PostgreSQL", postgres), end="\n\n")
    command = shlex.join(["python", "-m", "benchmarks.console", *sys.argv[1:]])
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`: milliseconds from request to page, "
        f"medians of {options.rounds} (most), then the processor time of process and database; in "
        f"one process with the database warm; {machine()}. Load average at the end "
        f"{os.getloadavg()[0]:.1f}."
    )


Times = dict[tuple[str, Role], "Took"]


def _measure(url: str, folder: Path, options: argparse.Namespace) -> Times:
    settings = Settings.from_env(database_url=url, instance_dir=folder, log_level="error")
    app = create_app(settings)
    database = services_of(app).database
    migrations.upgrade(database.engine)
    now = datetime.now(UTC)
    _tell(f"filling {database.engine.dialect.name}")
    names = _fill(database, now=now, share=options.share)
    times: Times = {}
    for role, area in AREAS.items():
        client = app.test_client()
        where = dict(area)
        if "community_codes" in where:
            where["community_codes"] = names["codes"]
        token = token_for(database, role, name=role.value[:20], area=where)
        client.set_cookie(COOKIE, token, path="/console")
        for title, path in PAGES.items():
            asked = path.format(street=names["street"], community=names["community"])
            took = _measure_page(client, asked, rounds=options.rounds)
            if took is not None:
                times[title, role] = took
    services_of(app).dispatcher.close()
    database.dispose()
    return times


def _measure_page(client: FlaskClient, path: str, *, rounds: int) -> Took | None:
    """Return what a page took; None where the role may not open it."""
    first = client.get(path)
    if first.status_code == 403:
        return None
    if first.status_code != 200:
        raise RuntimeError(f"{path} answered {first.status_code}")
    used, walls = processor.seconds_of(os.getpid()), []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(path).get_data()
        walls.append(1000 * (time.perf_counter() - began))
    # The database server is a descendant of this process.
    used = processor.seconds_of(os.getpid()) - used
    return Took(walls=tuple(walls), processor=1000 * used / rounds)


# ---- the district ----------------------------------------------------------------------------


def _fill(database: Database, *, now: datetime, share: float) -> dict[str, Any]:
    """Fill a migrated database; return the ids and codes that the addresses name."""
    with database.transaction() as session:
        rows = (one.row(line) for line, one in enumerate(make_communities(2020), start=2))
        outcome = import_communities(session, rows, now=now)
        if outcome.rejections:
            raise RuntimeError(f"the invented district was refused: {outcome.rejections[:3]}")
        found = session.execute(
            select(Community.id, Community.code, Street.name, Street.id)
            .join(Street, Street.id == Community.street_id)
            .order_by(Community.id)
        ).all()
        own = [row for row in found if row[2] == STREET]
        _add_scores(session, [row[0] for row in found], now=now)
        _add_near(session, [row[0] for row in own])
        _add_people(session, now=now, communities=len(found), share=share)
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return {
        "codes": [row[1] for row in own[:OWN]],
        "street": own[0][3],
        "community": own[0][0],
    }


def _add_scores(session: Session, communities: list[int], *, now: datetime) -> None:
    chance = Random(957)
    today = day_of(now)
    scores = [_score(chance) for _ in range(400)]
    for ago in range(DAYS, 0, -1):
        day = today - timedelta(days=ago)
        made = [(one, chance.choice(scores)) for one in communities]
        session.connection().execute(
            insert(RiskScore), [_row(one, day, score, now=now) for one, score in made]
        )
        session.connection().execute(
            insert(IndicatorValue),
            [
                {
                    "day": day,
                    "community_id": one,
                    "indicator": part.indicator,
                    "value": part.value,
                    "numerator": 1.0,
                    "denominator": 1150.0,
                    "origin": "computed",
                }
                for one, score in made
                for part in score.parts
            ],
        )


def _score(chance: Random) -> Score:
    reach = 0.15 if chance.random() < 0.95 else 0.9
    readings = {
        one.code: Reading(round(chance.random() * reach * one.points[-1][0], 2))
        for one in VERSION.indicators
    }
    return score_of(VERSION, readings)


def _row(community_id: int, day: date, score: Score, *, now: datetime) -> dict[str, Any]:
    return {
        "community_id": community_id,
        "day": day,
        "version": VERSION.name,
        "score": score.score,
        "colour": score.colour.value,
        "score_colour": score.colour.value,
        "coverage": score.coverage,
        "lo": score.lo,
        "hi": score.hi,
        "parts": [list(part) for part in score.parts],
        "is_published": score.colour is not Colour.GREY,
        "scored_at": now,
    }


def _add_near(session: Session, communities: list[int]) -> None:
    pairs = [(one, other) for one in communities for other in communities[:20] if one != other]
    known = set(session.execute(select(CommunityNear.community_id, CommunityNear.near_id)).all())
    rows = [{"community_id": one, "near_id": near} for one, near in set(pairs) - known]
    session.connection().execute(insert(CommunityNear), rows)


def _add_people(session: Session, *, now: datetime, communities: int, share: float) -> None:
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        # Millions of look-ups of rows that are known to be there.
        session.execute(text("SET LOCAL session_replication_role = replica"))
    values = {"now": now, "day": day_of(now).isoformat()}
    residents = max(int(RESIDENTS * share), UNPLACED + 1)
    people = _people_of(dialect, communities=communities, residents=residents)
    for table, (columns, chosen, every) in people.items():
        count = max(int(every * share), UNPLACED + 1)
        numbers = _NUMBERS.format(count=count)
        session.execute(
            text(f"INSERT INTO {table} ({columns}) {numbers} SELECT {chosen} FROM numbers"), values
        )
        _tell(f"{count:,} of {table}")


def _people_of(
    dialect: str, *, communities: int, residents: int
) -> dict[str, tuple[str, str, int]]:
    """Return, by table, its columns, what fills them from a number, and how many rows it gets."""
    home = f"1 + i % {communities}"
    since = "DATE '2020-01-01'" if dialect == "postgresql" else "'2020-01-01'"
    placed = f"CASE WHEN i > {UNPLACED} THEN {home} END"
    likely = f"CASE WHEN i <= {UNPLACED} THEN {home} END"
    event = f"1 + i % {residents}, {home}, {_KIND}, {_DAY[dialect]}"
    return {
        "resident": (
            "id, id_hash, birth_year, changed_at",
            f"i, {_HASH[dialect]}, 1930 + i % 90, :now",
            RESIDENTS,
        ),
        "residence": (
            "resident_id, community_id, likely_id, from_day",
            f"i, {placed}, {likely}, {since}",
            RESIDENTS,
        ),
        "epidemic_event": (
            "resident_id, community_id, kind, reported_on, route, feed, entered_by, changed_at",
            f"{event}, '', 'cases', 'register:events', :now",
            EVENTS,
        ),
    }


# ---- the table -------------------------------------------------------------------------------


def _table(name: str, times: Times) -> str:
    head = f"| {name} | " + " | ".join(role.value for role in AREAS) + " |"
    lines = [head, "|---" + "|---:" * len(AREAS) + "|"]
    for title in PAGES:
        cells = (_shown(times.get((title, role))) for role in AREAS)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    medians = [median(one.walls) for one in times.values()]
    slow = sum(one >= LIMIT_MS for one in medians)
    most = max(one.processor for one in times.values())
    lines.append("")
    lines.append(
        f"{name}: slowest median {max(medians):.0f} ms, most processor time {most:.0f} ms; "
        f"{slow} of {len(medians)} medians at {LIMIT_MS} ms or more."
    )
    return "\n".join(lines)


def _shown(took: Took | None) -> str:
    if took is None:
        return "—"
    return f"{median(took.walls):.0f} ({max(took.walls):.0f}), {took.processor:.0f}"


def _tell(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
