"""The indicators of a district and of many: `python -m benchmarks.indicators [--quick | --large]`.

Every engine answers the compiled definition and a query by hand in turn, each in a process of its
own, and both must agree. Then comes the night: indicators and scores as the worker runs them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg
from psycopg import sql

from benchmarks.people import COMMUNITIES, DAY, EVENTS, RESIDENTS, rows_for, write_people
from benchmarks.report import machine
from core import migrations
from core.db import Database, Keyring, install_keyring
from core.risk.indicators.computing import counts_of
from core.risk.indicators.definition import TABLES
from core.risk.indicators.statements import sql_of
from tests.servers import PostgresServer

NOW: Final = datetime(2020, 3, 28, tzinfo=UTC)
ROUNDS: Final = 3
MIB: Final = 2**20
BY_HAND: Final = Path(__file__).with_name("by_hand.sql")
DIALECTS: Final = {"sqlite": "sqlite", "postgresql": "postgres", "duckdb": "duckdb"}
# As a server of this size would be set up; the rest is as it comes.
POSTGRES: Final = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
}
HEAD: Final = (
    "| districts | engine | what | seconds | processor s | peak memory MiB | × by hand |\n"
    "|---:|---|---|---:|---:|---:|---:|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Medians of the rounds; processor time and memory are the engine's own."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    digest: str


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    if options.one:
        print(json.dumps(_measure_one(*options.one)))
        return
    # Whatever ends this ends the server and removes what it left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with _folder(options.folder) as folder:
        print(HEAD, flush=True)
        if options.quick:
            _measure_at(folder, 0.02, ("duckdb", "sqlite", "postgresql"))
        elif options.large:
            _measure_at(folder, 10, ("duckdb", "postgresql"))
            if not options.skip_hundred:
                _measure_at(folder, 100, ("duckdb",))
        else:
            _measure_at(folder, 1, ("duckdb", "sqlite", "postgresql"))
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: medians of {ROUNDS} rounds, after one to"
        f" warm up. A district has {COMMUNITIES} communities, {RESIDENTS:,} residents and"
        f" {EVENTS:,} events in 28 days. {machine()}. Load average at the end"
        f" {os.getloadavg()[0]:.1f}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.indicators", description=__doc__)
    parser.add_argument("--large", action="store_true", help="ten and a hundred districts")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of a district")
    parser.add_argument("--skip-hundred", action="store_true", help="only ten of them")
    parser.add_argument("--folder", type=Path, help="where the people are kept for the next time")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


@contextmanager
def _folder(kept: Path | None) -> Any:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder:
        yield Path(folder)


def _measure_at(folder: Path, times: float, engines: Sequence[str]) -> None:
    people = folder / f"x{times}"
    write_people(people, times=times)
    digests = set()
    for engine in engines:
        with _loaded(engine, people) as target:
            hand = _in_process(engine, "hand", target)
            definition = _in_process(engine, "definition", target)
            digests |= {hand.digest, definition.digest}
            _tell(times, engine, "query by hand", hand)
            _tell(times, engine, "the definition", definition, of=hand)
            if engine != "duckdb":
                _tell(times, engine, "the night", _in_process(engine, "night", target))
    if len(digests) != 1:
        raise RuntimeError("the engines do not agree")


def _tell(
    times: float, engine: str, what: str, measured: Measured, of: Measured | None = None
) -> None:
    ratio = "" if of is None else f"{measured.cpu_seconds / of.cpu_seconds:.2f}"
    print(
        f"| {times} | {engine} | {what} | {measured.seconds:.2f} | {measured.cpu_seconds:.2f}"
        f" | {measured.peak_mib:,.0f} | {ratio} |",
        flush=True,
    )


def _in_process(engine: str, what: str, target: str) -> Measured:
    command = [sys.executable, "-m", "benchmarks.indicators", "--one", engine, what, target]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(**json.loads(found.stdout.splitlines()[-1]))


# --- loading ------------------------------------------------------------------------------------


@contextmanager
def _loaded(engine: str, people: Path) -> Any:
    if engine == "duckdb":
        yield str(people)
    elif engine == "sqlite":
        path = people / "district.db"
        if not path.exists():
            _load_sqlite(path, people)
        yield f"sqlite:///{path}"
    else:
        server = PostgresServer(**POSTGRES)
        try:
            _load_postgres(server.url, people)
            yield server.url
        finally:
            server.stop()


def _prepare(url: str) -> None:
    database = Database(url)
    migrations.upgrade(database.engine)
    database.dispose()


def _load_sqlite(path: Path, people: Path) -> None:
    _prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-500000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("INSERT INTO street VALUES (1, '310104011', '田林街道')")
        for name in TABLES:
            columns, portions = rows_for(people, name)
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
            for portion in portions:
                connection.executemany(statement, portion)
    connection.close()


def _load_postgres(url: str, people: Path) -> None:
    _prepare(url)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO street VALUES (1, '310104011', '田林街道')")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname ~ '^(ix|uq_residence_standing)'",
            [list(TABLES)],
        ).fetchall()
        for index, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
        for name in TABLES:
            columns, portions = rows_for(people, name)
            command = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with connection.cursor().copy(command) as copy:
                for portion in portions:
                    for row in portion:
                        copy.write_row(row)
        for _, definition in indexes:
            connection.execute(definition)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


# --- one measurement, in a process of its own ---------------------------------------------------


def _measure_one(engine: str, what: str, target: str) -> Mapping[str, Any]:
    if what == "night":
        return _night(target)
    text = BY_HAND.read_text(encoding="utf-8")
    if what == "definition":
        text = sql_of(DAY, dialect=DIALECTS[engine])
    elif engine == "sqlite":
        text = text.replace("DATE '", "'")
    run, processes = _QUERIES[engine](target, text)
    return _measured(run, processes)


def _measured(
    run: Callable[[], Any],
    processes: Callable[[], list[int]],
    prepare: Callable[[], None] = lambda: None,
) -> Mapping[str, Any]:
    seconds, cpu = [], []
    prepare()
    run()
    for _ in range(ROUNDS):
        prepare()
        began, used = time.perf_counter(), _processor_of(processes())
        result = run()
        seconds.append(time.perf_counter() - began)
        cpu.append(_processor_of(processes()) - used)
    return {
        "seconds": sorted(seconds)[ROUNDS // 2],
        "cpu_seconds": sorted(cpu)[ROUNDS // 2],
        "peak_mib": _peak_of(processes()),
        "digest": sha256(repr(result).encode()).hexdigest(),
    }


def _processor_of(pids: list[int]) -> float:
    """Return processor seconds of this process, or of those of a server."""
    if pids == [os.getpid()]:
        return time.process_time()
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _peak_of(pids: list[int]) -> float:
    if pids == [os.getpid()]:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = [
        int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
        for pid in pids
    ]
    return max(found) / 1024


def _own() -> list[int]:
    return [os.getpid()]


def _in_sqlite(target: str, text: str) -> Any:
    database = Database(target)
    connection = database.read_engine.connect()

    def run() -> Any:
        rows = connection.exec_driver_sql(text).mappings()
        return counts_of({**row, "last_infected_on": _day(row["last_infected_on"])} for row in rows)

    return run, _own


def _day(told: str | None) -> Any:
    return told and type(DAY).fromisoformat(told)


def _in_duckdb(target: str, text: str) -> Any:
    engine = duckdb.connect(config={"memory_limit": "12GB", "temp_directory": f"{target}/spill"})
    for name in TABLES:
        engine.execute(f"CREATE VIEW {name} AS SELECT * FROM '{target}/{name}.parquet'")

    def run() -> Any:
        found = engine.execute(text)
        names = [column[0] for column in found.description or ()]
        return counts_of(dict(zip(names, row, strict=True)) for row in found.fetchall())

    return run, _own


def _in_postgres(target: str, text: str) -> Any:
    connection = psycopg.connect(target, autocommit=True, row_factory=psycopg.rows.dict_row)
    # Helpers of a query come and go: the server's postmaster counts what they used, by its sum.
    backend = connection.info.backend_pid
    server = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])

    def run() -> Any:
        return counts_of(connection.execute(text))

    return run, lambda: [server, backend]


_QUERIES: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "sqlite": _in_sqlite,
    "duckdb": _in_duckdb,
    "postgresql": _in_postgres,
}


def _night(target: str) -> Mapping[str, Any]:
    from sqlalchemy import delete, insert

    from core.nightly import JobRun, run_night
    from core.risk.events.model import FeedDelivery
    from core.risk.events.rules import Feed
    from core.risk.model import IndicatorValue, Publication, RiskScore

    install_keyring(Keyring([bytes(32)]))
    database = Database(target)
    row = {"watermark": DAY, "row_count": 1, "received_at": NOW}
    with database.transaction() as session:
        session.execute(insert(FeedDelivery), [row | {"feed": feed.value} for feed in Feed])

    def forget() -> None:
        with database.transaction() as session:
            for table in (IndicatorValue, RiskScore, Publication, JobRun):
                session.execute(delete(table))

    def run() -> None:
        report = run_night(database.transaction, day=DAY, now=NOW)
        if report.is_failed:
            raise RuntimeError(report.error)

    return _measured(run, _own, forget)


if __name__ == "__main__":
    main()
