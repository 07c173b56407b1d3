"""`python -m benchmarks.arrivals_service`: the station's forecasts through a database.

A SQLite file with 90 days of the demo's station, 110 trains a day: what the five-minute look, the
night and the pages cost. How fast the model alone is, `benchmarks.arrivals` says.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import structlog

from bot.demo.arrivals import load_arrivals
from core import migrations
from core.arrivals.bodies import kept_in
from core.arrivals.fitting import fit_day, keep_references
from core.arrivals.grading import grade_day
from core.arrivals.issued import Due, Occasion
from core.arrivals.issuing import issue_forecast, keep_forecast, load_due, prepared_of
from core.arrivals.overview import find_board
from core.arrivals.public import find_public_hours
from core.arrivals.queues import find_queue
from core.clock import day_of, start_of
from core.db import Database, Keyring, install_keyring

DAYS = 90
ROUNDS = 7


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arrivals_service")
    parser.add_argument("--days", type=int, default=DAYS, help=f"of history ({DAYS})")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    install_keyring(Keyring([bytes(32)]))
    with tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder)}/station.db")
        migrations.upgrade(database.engine)
        now = datetime.now(UTC)
        with database.transaction() as session:
            load_arrivals(session, days=options.days, now=now)
        print("| what | clock ms | processor ms |")
        print("|---|---|---|")
        for name, clock, processor in _measured(database, now):
            print(f"| {name} | {clock:.0f} | {processor:.0f} |")
        database.dispose()


def _measured(database: Database, now: datetime) -> Iterator[tuple[str, float, float]]:
    today = day_of(now)
    yesterday = today - timedelta(days=1)
    with database.transaction() as session:
        yield "reference tables of a day", *_timed(lambda: fit_day(session, day=today), 3)
        keep_references(session, references=fit_day(session, day=yesterday), now=now)
        issue_forecast(session, now=start_of(yesterday), occasion=Occasion.MIDNIGHT)
    due = Due(from_at=now, occasion=Occasion.DATA)
    with database.transaction() as session:
        known = load_due(session, due=due, now=now)
        yield "look at what is known", *_timed(lambda: load_due(session, due=due, now=now))
        prepared = prepared_of(known)
        yield "forecast of 2,000 draws, posts", *_timed(lambda: prepared_of(known))
        yield "write it down", *_timed(lambda: prepared.body)
        keep_forecast(session, prepared, now=now, occasion=due.occasion)
        yield "grade a day", *_timed(lambda: grade_day(session, day=yesterday, now=now))
    with database.reading() as session:

        def board() -> object:
            kept_in.cache_clear()
            return find_board(session, now=now)

        yield "board, first look", *_timed(board)
        yield "board, next look", *_timed(lambda: find_board(session, now=now))
        yield "queue of 6 posts", *_timed(lambda: find_queue(session, now=now, posts=6))
        yield (
            "hours for everyone",
            *_timed(lambda: find_public_hours(session, now=now, day=today)),
        )


def _timed(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the medians on the clock and of the processor, milliseconds."""
    work()
    clocks, processors = [], []
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        clocks.append(1000 * (time.perf_counter() - clock))
        processors.append(1000 * (time.process_time() - processor))
    return median(clocks), median(processors)


if __name__ == "__main__":
    main()
