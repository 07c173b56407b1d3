"""`python -m benchmarks.rush`: people scan one code and register, on two web processes.

PostgreSQL writes to disk as it does in production. Each phone is signed in beforehand, by a
cookie made with the keys of the application; it opens the page of the code, its style sheet, the
form, sends it without a pause, and opens the receipt.
"""

from __future__ import annotations

import argparse
import base64
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Final

from sqlalchemy import func, select, text

from benchmarks import processor
from benchmarks.account import AES_KEY, APPID
from benchmarks.contenders import DATA_KEY
from benchmarks.district import fill
from benchmarks.report import machine
from benchmarks.rush.crowd import Tally, rush
from core.db import Database, Keyring, install_keyring
from core.registration.model import Registration
from tests.guests import Place, faults_of, invite, open_company
from tests.servers import GranianServer, PostgresServer, RedisServer

PROCESSES: Final = 2
THREADS: Final = 16  # as in the image
WARM_UP: Final = 60
SETTLE_SECONDS: Final = 2.0
_HEAD: Final = (
    "| arrivals | registered in s | page of the code, p50 / p99 ms | form, p50 / p99 ms "
    "| **submission, p50 / p99 ms** | `/healthz` meanwhile, p50 / p99 ms "
    "| submission ÷ `/healthz`, p50 | server CPU ms a person | PostgreSQL + Redis "
    "| load average before | errors |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One kind of rush.

    Attributes:
        seconds: in which everybody comes.
        sends: how often each sends the form at once.
    """

    seconds: float
    sends: int

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"within {self.seconds:.0f} s" + (", each sent twice at once" * (self.sends - 1))


LOADS: Final = (
    Load(seconds=60, sends=1),
    Load(seconds=60, sends=2),
    Load(seconds=10, sends=1),
    Load(seconds=10, sends=2),
)


class Stage:
    """The installation: databases, two web processes, an invented district."""

    def __init__(self, *, postgres: PostgresServer, redis: RedisServer, web: GranianServer) -> None:
        """Take what runs."""
        self.database = Database(postgres.url)
        self._web = web
        self._stores = (postgres.process.pid, redis.process.pid)
        self._port = int(web.url.rpartition(":")[2])

    def play(self, load: Load, *, count: int, tag: str) -> tuple[Tally, list[str], str]:
        """Let a rush happen at a company of its own; return it, its faults and its table row."""
        now = datetime.now(UTC)
        with self.database.transaction() as session:
            place = open_company(session, name=f"上海{tag}有限公司", head_count=count, now=now)
            guests = invite(session, count=count, tag=tag, now=now)
        self._analyse()
        calm = os.getloadavg()[0]
        before = processor.seconds_of(self._web.process.pid), self._store_seconds()
        tally = rush(
            self._port,
            place,
            guests,
            within=load.seconds,
            sends=load.sends,
            random=Random(tag),
        )
        web = (processor.seconds_of(self._web.process.pid) - before[0]) / count * 1e3
        stores = (self._store_seconds() - before[1]) / count * 1e3
        self._settle(place)
        with self.database.reading() as session:
            faults = faults_of(session, place, guests, tally.receipts)
        if tally.errors:
            faults.append(f"{tally.errors.total()} were not answered: {dict(tally.errors)}")
        elif not len(tally.receipts) == tally.new_count == count:
            faults.append(f"{len(tally.receipts)} receipts, {tally.new_count} of them new")
        return tally, faults, _row(load, tally, calm=calm, web_ms=web, store_ms=stores)

    def _settle(self, place: Place) -> None:
        """Wait until what nobody waits for any more is done."""
        stored, before = self._stored(place), -1
        while stored != before:
            time.sleep(SETTLE_SECONDS)
            stored, before = self._stored(place), stored

    def _stored(self, place: Place) -> int:
        with self.database.reading() as session:
            rows = select(func.count()).where(Registration.workplace_id == place.company_id)
            return session.scalar(rows) or 0

    def _analyse(self) -> None:
        """Let the database learn how the rows are spread, as it does by itself in production."""
        with self.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))

    def _store_seconds(self) -> float:
        return sum(map(processor.seconds_of, self._stores))


def _row(load: Load, tally: Tally, *, calm: float, web_ms: float, store_ms: float) -> str:
    spread = {
        what: quantiles(seconds, n=100, method="inclusive")
        for what, seconds in tally.seconds.items()
    }

    def shown(what: str) -> str:
        return f"{spread[what][49] * 1e3:,.0f} / {spread[what][98] * 1e3:,.0f}"

    cells = (
        f"{len(tally.receipts):,} people {load.name}",
        f"{tally.took:.1f}",
        shown("code"),
        shown("form"),
        f"**{shown('submission')}**",
        shown("bare"),
        f"{spread['submission'][49] / spread['bare'][49]:.1f}",
        f"{web_ms:.0f}",
        f"{store_ms:.0f}",
        f"{calm:.1f}",
        ", ".join(f"{count} {what}" for what, count in tally.errors.items()) or "0",
    )
    return "| " + " | ".join(cells) + " |"


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Start everything; leaving stops it."""
    install_keyring(Keyring([DATA_KEY]))
    redis, postgres = RedisServer(), None
    try:
        postgres = PostgresServer(
            fsync="on", synchronous_commit="on", full_page_writes="on", autovacuum="on"
        )
        database = Database(postgres.url)
        fill(database, now=datetime.now(UTC))
        database.dispose()
        env = _environment(folder, postgres, redis)
        with GranianServer(env=env, folder=folder, workers=PROCESSES, threads=THREADS) as web:
            stage = Stage(postgres=postgres, redis=redis, web=web)
            yield stage
            stage.database.dispose()
    finally:
        redis.stop()
        if postgres is not None:
            postgres.stop()


def _environment(folder: Path, postgres: PostgresServer, redis: RedisServer) -> dict[str, str]:
    return {
        "APP_ENV": "production",
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "PUBLIC_URL": "https://benchmark.example.gov.cn",
        "SECRET_KEY": "of-the-benchmark-0123456789-abcdefghij",
        "DATA_KEYS": base64.b64encode(DATA_KEY).decode(),
        "WECHAT_TOKEN": "of-the-benchmark",
        "WECHAT_AES_KEY": AES_KEY,
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": "0123456789abcdef" * 2,
        "INSTANCE_DIR": str(folder / "instance"),
        "LOG_LEVEL": "warning",
    }


def main() -> None:
    """Measure, print the table, and say whether anything was lost or doubled."""
    options = _options()
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hzl-rush-") as folder, staged(Path(folder)) as stage:
        stage.play(Load(seconds=3, sends=1), count=WARM_UP, tag="warm")
        print(_HEAD)
        for number, load in enumerate(LOADS):
            scaled = Load(seconds=load.seconds * options.people / 1000, sends=load.sends)
            _, found, row = stage.play(scaled, count=options.people, tag=f"rush{number}")
            print(row, flush=True)
            faults += [f"{load.name}: {fault}" for fault in found]
    print(f"\n{_circumstances()}\n")
    print("\n".join(faults) or "Nothing lost, nothing twice.")
    sys.exit(bool(faults))


def _circumstances() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"`python -m benchmarks.rush{''.join(f' {one}' for one in sys.argv[1:])}`: granian with "
        f"{PROCESSES} workers of {THREADS} threads, PostgreSQL that writes to disk, Redis. Load, "
        f"servers and databases share the machine: {machine()}. Load average at the end "
        f"{os.getloadavg()[0]:.1f}. CPython {platform.python_version()}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rush", description=__doc__)
    parser.add_argument(
        "--people", type=int, default=1000, help="in each rush (1000); fewer come in less time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
