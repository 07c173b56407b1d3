"""An export of 100,000 registrations: seconds, memory, and whether anybody who writes waits.

Run by `python -m benchmarks.exports [ROWS]`; needs the development packages. SQLite and PostgreSQL
are started by this itself, as in the tests.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, text

from core.db import Database, Keyring, install_keyring, lookup_hash
from core.exports.rules import Masking
from core.exports.writing import Layout, write_sheet
from core.people.staff.rules import Area
from core.places.model import Street
from core.registration.answers import NO_ANSWERS
from core.registration.exporting import COLUMNS, iterate_registration_rows
from core.registration.listing import StaffQuery, count_rows
from core.registration.model import Registration
from core.registry.model import OWNER_ID_COLUMN, OWNER_NAME_COLUMN, Company
from tests.databases import PostgresDatabases
from tests.schema import prepare_schema
from tests.servers import PostgresServer

ROWS = 100_000
NOW = datetime(2020, 3, 28, tzinfo=UTC)
MIB = 1024


class Words(dict[str, str]):
    """Words that are called as their code."""

    def __missing__(self, key: str) -> str:
        return key


def fill(database: Database, rows: int) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="310104011", name="田林街道"))
        session.flush()
        company = Company(
            uscc="91310104MA1FR00015",
            name="上海某某有限公司",
            kind="enterprise",
            owner_name="王伟",
            owner_name_hash=lookup_hash("王伟", column=OWNER_NAME_COLUMN),
            owner_id_kind="resident_id",
            owner_id="310104198001010010",
            owner_id_hash=lookup_hash("310104198001010010", column=OWNER_ID_COLUMN),
            address="天钥桥路1号",
            street_id=1,
            industry="贸易",
            state="active",
            changed_at=NOW,
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
        session.add(company)
        session.flush()
        for start in range(0, rows, 5000):
            values = [row_of(number, company.id) for number in range(start, start + 5000)]
            session.execute(insert(Registration), values)
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def row_of(number: int, company_id: int) -> dict[str, object]:
    key = number.to_bytes(32, "big")
    return {
        "number": f"R200328-{number:011}",
        "workplace_id": company_id,
        "entered_by": "staff:1",
        "state": "submitted",
        "flag_group": "look",
        "flags": ["key_area"],
        "version": 1,
        "department": "仓库",
        "name": f"张{number}",
        "name_hash": key,
        "document_kind": "resident_id",
        "document": f"310104198001{number:06}",
        "document_hash": key,
        "phone": f"+86138{number:08}",
        "phone_hash": key,
        "answers": NO_ANSWERS,
        "consent": "return-to-work-1",
        "reason": "",
        "submitted_at": NOW,
        "changed_at": NOW,
    }


class Writer(threading.Thread):
    """Somebody who goes on writing during the export; the longest wait is what counts."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database, self._is_over = database, threading.Event()
        self.longest_ms = 0.0
        self.count = 0

    def run(self) -> None:
        """Write, twenty times a second."""
        while not self._is_over.wait(0.05):
            started = time.perf_counter()
            with self._database.transaction() as session:
                session.execute(
                    text("UPDATE company SET industry = 'x' WHERE uscc = :uscc"),
                    {"uscc": "91310104MA1FR00015"},
                )
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - started) * 1000)
            self.count += 1

    def stop(self) -> None:
        """Write no more."""
        self._is_over.set()
        self.join()


def measure(database: Database) -> str:
    query = StaffQuery(area=Area())
    layout = Layout(title="x", watermark="编号 X200328-ABCDEF", heads=COLUMNS)
    writer = Writer(database)
    writer.start()
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    started, worked = time.perf_counter(), time.process_time()
    with database.reading() as session:
        count = count_rows(session, query=query)
        counted = time.perf_counter() - started
        rows = iterate_registration_rows(
            session, query=query, masking=Masking.MASKED, words=Words({"and": "、"})
        )
        sheet = write_sheet(layout, rows)
    size = sum(len(part) for part in sheet.parts()) / MIB / MIB
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    after_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    writer.stop()
    return (
        f"{sheet.row_count:,} of {count:,} rows in {seconds:.1f} s, {cpu_seconds:.1f} s of them "
        f"at work (counted in {counted:.2f} s), "
        f"{size:.1f} MiB; memory {before_mib:.0f} → {after_mib:.0f} MiB at most; "
        f"{writer.count} writes meanwhile, the longest {writer.longest_ms:.0f} ms"
    )


def databases(folder: Path) -> Iterator[tuple[str, Database]]:
    path = f"sqlite:///{folder}/exports.db"
    prepare_schema(path)
    yield "SQLite", Database(path)
    server = PostgresServer()
    try:
        made = PostgresDatabases(server.url, prefix="exports")
        url = made.create()
        prepare_schema(url)
        yield "PostgreSQL", Database(url)
        made.close()
    finally:
        server.stop()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    install_keyring(Keyring([bytes(range(32))]))
    with tempfile.TemporaryDirectory() as folder:
        for name, database in databases(Path(folder)):
            fill(database, rows)
            print(f"{name}: {measure(database)}", flush=True)
            database.dispose()


if __name__ == "__main__":
    main()
