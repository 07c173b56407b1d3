"""The demo district on SQLite and on PostgreSQL: loaded, its night run, compared row by row.

Run by `python -m benchmarks.twins [--size small|district]`; needs the development packages. Both
databases are started by this itself, as in the tests. Ends with status 1 where a row differs.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import func, select

from bot.demo import Size, load
from core.clock import day_of
from core.db import Database, Keyring, install_keyring
from core.nightly import run_night
from core.residents.model import Resident
from core.risk.events.model import EpidemicEvent
from core.risk.model import RiskScore
from tests.core.mandates.conftest import MemoryFiles
from tests.schema import prepare_schema
from tests.servers import PostgresServer
from tests.twins import first_difference

KEY: Final = bytes(range(32))
KIB_PER_MIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one database took; seconds on the wall and of the processor, peak memory in MiB.

    The processor's time is this process's: PostgreSQL works in its own.
    """

    name: str
    load_seconds: float
    load_processor_seconds: float
    night_seconds: float
    night_processor_seconds: float
    peak_mib: int
    counts: tuple[int, int, int]


def main() -> None:
    """Load both, print a table, and say whether they are equal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.twins", description=__doc__)
    parser.add_argument("--size", choices=[*Size], default=Size.SMALL.value)
    size = Size(parser.parse_args().size)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    install_keyring(Keyring([KEY]))
    now = datetime.now(UTC)
    server = PostgresServer()
    try:
        with tempfile.TemporaryDirectory(prefix="hzl-twins-") as folder:
            urls = {"SQLite": f"sqlite:///{Path(folder)}/twin.db", "PostgreSQL": server.url}
            databases = {name: _migrated(url) for name, url in urls.items()}
            records = [
                _measure(name, database, size=size, now=now) for name, database in databases.items()
            ]
            difference = first_difference(*databases.values())
            for database in databases.values():
                database.dispose()
    finally:
        server.stop()
    _print(records, size=size)
    if difference is not None:
        print(f"\ndifferent: {difference}")
        sys.exit(1)
    print("\nEvery value, score, contribution and publication is the same in both.")


def _migrated(url: str) -> Database:
    prepare_schema(url)
    return Database(url)


def _measure(name: str, database: Database, *, size: Size, now: datetime) -> Record:
    yesterday = day_of(now) - timedelta(days=1)

    def tell(done: int, total: int) -> None:
        print(f"\r{name}: {done} of {total}", end="", file=sys.stderr, flush=True)

    load_seconds, load_processor = _timed(
        lambda: load(database, files=MemoryFiles(), size=size, now=now, progress=tell)
    )
    print(file=sys.stderr)
    night_seconds, night_processor = _timed(lambda: _night(database, day=yesterday, now=now))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB
    return Record(
        name=name,
        load_seconds=load_seconds,
        load_processor_seconds=load_processor,
        night_seconds=night_seconds,
        night_processor_seconds=night_processor,
        peak_mib=peak,
        counts=_counts(database, day=yesterday),
    )


def _night(database: Database, *, day: date, now: datetime) -> None:
    report = run_night(database.transaction, day=day, now=now)
    if report.is_failed:
        raise RuntimeError("\n".join(report.lines()))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _counts(database: Database, *, day: date) -> tuple[int, int, int]:
    """Return how many residents and events there are, and communities with a colour."""
    with database.engine.connect() as connection:
        return (
            connection.scalar(select(func.count()).select_from(Resident)) or 0,
            connection.scalar(select(func.count()).select_from(EpidemicEvent)) or 0,
            connection.scalar(
                select(func.count())
                .select_from(RiskScore)
                .where(RiskScore.day == day, RiskScore.is_published)
            )
            or 0,
        )


def _print(records: list[Record], *, size: Size) -> None:
    print(f"`{size}`, seconds on the wall (of this process's processor time):\n")
    print("| database | residents | events | load | night | peak MiB | communities coloured |")
    print("|---|---|---|---|---|---|---|")
    for one in records:
        residents, events, coloured = one.counts
        print(
            f"| {one.name} | {residents:,} | {events:,} "
            f"| {one.load_seconds:.1f} ({one.load_processor_seconds:.1f}) "
            f"| {one.night_seconds:.2f} ({one.night_processor_seconds:.2f}) "
            f"| {one.peak_mib:,} | {coloured:,} |"
        )


if __name__ == "__main__":
    main()
