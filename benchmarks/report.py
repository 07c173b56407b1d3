"""The table, in Markdown, with everything that is needed to measure it again."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg
import redis

from benchmarks.contenders import FLASK, Backing
from benchmarks.rounds import CONNECTIONS, Record

PACKAGES: Final = (
    *("granian", "Flask", "wechatpy", "WeRoBot", "SQLAlchemy", "psycopg", "redis", "hiredis"),
    *("lxml", "cryptography"),
)
_HEAD: Final = (
    "| application | requests/s | p50 ms | p99 ms | server CPU µs | Redis + PostgreSQL CPU µs "
    "| requests/s: × Flask | requests/s: × WeRoBot | CPU: WeRoBot ÷ this |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def table(records: list[Record]) -> str:
    """Return the table: medians of the rounds, with the least and the most in brackets."""
    return "\n".join([_HEAD, *_rows(records)])


def _rows(records: list[Record]) -> Iterator[str]:
    by_name = {record.contender.name: record for record in records}
    for record in records:
        rival = by_name.get(record.contender.rival)
        ratios = (
            (f"{record.times(rival, 'rate'):.2f}", f"{1 / record.times(rival, 'cpu_us'):.2f}")
            if rival is not None
            else ("", "")
        )
        cells = (
            record.contender.title,
            _spread(record, "rate", ",.0f"),
            _spread(record, "p50_ms", ".1f"),
            _spread(record, "p99_ms", ".1f"),
            _spread(record, "cpu_us", ".0f"),
            _spread(record, "store_us", ".0f") if record.contender.stores else "",
            f"{record.times(by_name[FLASK], 'rate'):.2f}" if FLASK in by_name else "",
            *ratios,
        )
        yield "| " + " | ".join(cells) + " |"


def _spread(record: Record, name: str, form: str) -> str:
    values = record.values(name)
    return f"{record.middle(name):{form}} ({min(values):{form}}–{max(values):{form}})"


def circumstances(backing: Backing, *, command: str, threads: int, rounds: int) -> str:
    """Return when, how, on what and with which versions the table was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`: medians of {rounds} interleaved "
        f"rounds (least–most); ratios are medians of the rounds' ratios. {CONNECTIONS} keep-alive "
        f"connections, every message different and encrypted beforehand; granian with 1 worker, "
        f"{threads} blocking thread{'s' * (threads > 1)}. Load, servers and databases share the "
        f"machine: {machine()}. Load average at the end {os.getloadavg()[0]:.1f}.\n\n"
        f"CPython {platform.python_version()}, {versions}; SQLite {sqlite3.sqlite_version}, "
        f"{_servers(backing)}."
    )


def machine() -> str:
    """Return what the figures were measured on."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    memory = re.search(r"(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    gibibytes = int(memory[1]) / 2**20 if memory else 0
    name = model[1] if model else platform.machine()
    return f"{os.cpu_count()} cores ({name}), {gibibytes:.0f} GiB, Linux {platform.release()}"


def _servers(backing: Backing) -> str:
    with psycopg.connect(backing.postgres_url) as connection:
        shown = connection.info.server_version
    with redis.Redis.from_url(backing.redis_url) as client:
        told = client.info("server")
    return f"PostgreSQL {shown // 10000}.{shown % 10000}, Redis {told['redis_version']}"
