"""`python -m benchmarks.screening`: 100,000 people against a changed list, as a table in Markdown.

Everybody was away; half of them typed a place that nobody else typed. The list becomes longer by
a city in which one of ten was, shorter by the same, and longer by one that concerns nobody. The
baseline screens as an application without a screening of its own would: it loads each row through
the mapper, reads the list for it, changes it and records that, in one transaction.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks import company, processor
from benchmarks.report import machine
from bot.demo.names import person_name, resident_number
from core import migrations
from core.audit.service import record
from core.bulk import Writer, table_of
from core.clock import day_of
from core.db import Database, Keyring, install_keyring
from core.importing import ImportRow
from core.keyareas.divisions import divisions
from core.keyareas.importing import import_key_areas
from core.keyareas.screening import find_hits
from core.people.documents import DocumentKind
from core.registration.answers import Answers, read_answers
from core.registration.model import Registration
from core.registration.rescreening import rescreen
from core.registration.rules import Flag, HealthCode, Travel, group_of, stay_window_of
from core.registration.screening import identity_of
from tests.servers import PostgresServer

PEOPLE: Final = 100_000
BASELINE_PEOPLE: Final = 1000
LISTED: Final = (("110106", "北京市丰台区"), ("220283", "舒兰市"), ("231081", "绥芬河市"))
HIT: Final = ("420100", "武汉市")
NOBODY: Final = ("653100", "喀什地区")
DATA_KEY: Final = bytes(range(100, 132))
_ROW_BY_ROW: Final = "row by row"
_COLUMNS: Final = (
    *("number", "workplace_id", "entered_by", "state", "flag_group", "flags", "version"),
    *("department", "name", "name_hash", "document_kind", "document", "document_hash"),
    *("phone", "phone_hash", "answers", "consent", "reason", "submitted_at", "changed_at"),
)

Work = Callable[[Session], Any]
# Seconds by the clock, and of this process with the database server.
Took = tuple[float, float]
Times = dict[str, list[Took]]


def main() -> None:
    """Measure both databases, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screening", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="changes of each kind (3)")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"registrations ({PEOPLE})")
    options = parser.parse_args()
    install_keyring(Keyring([DATA_KEY]))
    with tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'screening.db'}"
        sqlite = _measure(url, rounds=options.rounds, people=options.people)
    server = PostgresServer()
    try:
        postgres = _measure(server.url, rounds=options.rounds, people=options.people)
    finally:
        server.stop()
    command = shlex.join(["python", "-m", "benchmarks.screening", *sys.argv[1:]])
    print(_table(sqlite, postgres, people=options.people))
    print()
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`: seconds, medians of "
        f"{options.rounds} (least–most), each in a transaction of its own with its commit, then "
        f"the processor time of the process and the database; {machine()}. Load average at the "
        f"end {os.getloadavg()[0]:.1f}."
    )


def _measure(url: str, *, rounds: int, people: int) -> Times:
    database, times, now = Database(url), Times(), datetime.now(UTC)
    migrations.upgrade(database.engine)
    with database.transaction() as session:
        mandate = company.fill(session, count=1, now=now)
        _fill(session, workplace_id=mandate.company.id, count=people, now=now)
        _list(session, *LISTED, now=now)
    company.tidy(database)

    def change(name: str, *areas: tuple[str, str], is_over: bool = False) -> None:
        def work(session: Session) -> None:
            _list(session, *areas, now=now, is_over=is_over)
            rescreen(session, now=now)

        _timed(times, name, database, work)
        company.tidy(database)

    for _ in range(rounds):
        change("a city is listed in which one of ten was", HIT)
        change("it is taken off the list", HIT, is_over=True)
        change("a place is listed in which nobody was", NOBODY)
        change("that is taken off", NOBODY, is_over=True)
    _timed(times, _ROW_BY_ROW, database, lambda session: _row_by_row(session, now=now))
    database.dispose()
    return times


def _timed(times: Times, name: str, database: Database, work: Work) -> None:
    used, began = processor.seconds_of(os.getpid()), time.perf_counter()
    with database.transaction() as session:
        work(session)
    wall = time.perf_counter() - began
    # The database server is a descendant of this process.
    times.setdefault(name, []).append((wall, processor.seconds_of(os.getpid()) - used))


def _list(session: Session, *areas: tuple[str, str], now: datetime, is_over: bool = False) -> None:
    since = (day_of(now) - timedelta(days=30)).isoformat()
    rows = [
        ImportRow(
            line, {"code": code, "name": name, "since": since, "until": since if is_over else ""}
        )
        for line, (code, name) in enumerate(areas, start=2)
    ]
    import_key_areas(session, rows, now=now)


def _row_by_row(session: Session, *, now: datetime) -> None:
    ids = session.scalars(
        select(Registration.id).order_by(Registration.id).limit(BASELINE_PEOPLE)
    ).all()
    _list(session, HIT, now=now)
    for registration_id in ids:
        row = session.get_one(Registration, registration_id, with_for_update=True)
        answers = read_answers(row.answers)
        if answers is None:
            continue
        since, until = stay_window_of(answers.returned_on, day=answers.answered_on)
        is_hit = bool(find_hits(session, places=answers.stays, since=since, until=until))
        if is_hit is not (Flag.KEY_AREA in row.flags):
            flags = (Flag.KEY_AREA,) if is_hit else ()
            row.flags, row.flag_group = list(flags), group_of(flags).value
            row.version += 1
            record(session, now=now, actor="x", action="x", subject=f"registration:{row.id}")
            session.flush()


# ---- people ------------------------------------------------------------------------------------


def _fill(session: Session, *, workplace_id: int, count: int, now: datetime) -> None:
    random, today = Random(2020), day_of(now)
    places = _places(random)
    writer = Writer(session, table_of(Registration), _COLUMNS)
    for number in range(count):
        name = person_name(random)
        document = resident_number(
            random, born_on=date(1950, 1, 1) + timedelta(days=number % 20_000), is_female=False
        )
        phone = f"+86137{number:08}"
        # Nobody else has the document, whatever was drawn.
        identity = identity_of(name=name, number=f"{document}:{number}", phone=phone)
        writer.add(
            *(f"R{today:%y%m%d}-S{number:06}", workplace_id, "person:1", "submitted", "fine"),
            *([], 1, "", name, identity.names[0], DocumentKind.RESIDENT_ID.value, document),
            *(identity.documents[0], phone, identity.phones[0]),
            _answers(random, next(places), number=number, today=today),
            *("bench", "", now, now),
        )
    writer.flush()


def _places(random: Random) -> Iterator[str]:
    names = divisions().names
    elsewhere = [name for code, name in sorted(names.items()) if not code.startswith(("42", "65"))]
    wuhan = ["武汉", "湖北武汉", "湖北省武汉市江岸区", "武汉市洪山区", "wuhan"]
    while True:
        yield random.choice(wuhan if random.random() < 0.1 else elsewhere)


def _answers(random: Random, place: str, *, number: int, today: date) -> str:
    typed = f"{place}人民路{number}号" if number % 2 else place
    return Answers(
        home="田林十二村",
        stays=(typed,),
        returned_on=today - timedelta(days=random.randrange(14)),
        travel=Travel.TRAIN,
        health_code=HealthCode.GREEN,
        temperature=None,
        symptoms=(),
        answered_on=today,
    ).text()


# ---- the table ---------------------------------------------------------------------------------


def _table(sqlite: Times, postgres: Times, *, people: int) -> str:
    rows = {name: (_shown(sqlite[name]), _shown(postgres[name])) for name in sqlite}
    rows[f"{BASELINE_PEOPLE:,} of them row by row through the mapper"] = rows.pop(_ROW_BY_ROW)
    rows["processor time of a person: by the mapper ÷ here"] = (
        _ratio(sqlite, people=people),
        _ratio(postgres, people=people),
    )
    head = [f"| {people:,} people who were away | SQLite | PostgreSQL |", "|---|---:|---:|"]
    return "\n".join([*head, *(f"| {name} | {one} | {two} |" for name, (one, two) in rows.items())])


def _shown(taken: list[Took]) -> str:
    walls = [wall for wall, _ in taken]
    used = median(used for _, used in taken)
    spread = f" ({min(walls):.2f}–{max(walls):.2f})" if len(walls) > 1 else ""
    return f"{median(walls):.2f}{spread}, {used:.2f}"


def _ratio(times: Times, *, people: int) -> str:
    one = median(used for _, used in times[_ROW_BY_ROW]) / BASELINE_PEOPLE
    first = next(iter(times.values()))
    return f"{one / (median(used for _, used in first) / people):.0f}"


if __name__ == "__main__":
    main()
