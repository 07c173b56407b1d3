"""`python -m benchmarks.approval`: decisions about ten thousand people, as a table in Markdown.

The baseline decides as an application without bulk statements would: it loads each row through
the mapper, checks it, changes it and queues its notice, in one transaction.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from benchmarks import company, processor
from benchmarks.report import machine
from core import migrations
from core.audit.service import record
from core.db import Database, Keyring, install_keyring
from core.mandates.service import MandateCard
from core.registration.model import Registration
from core.registration.rules import Flag, Group
from core.resumption.approval.cards import DecisionCard, get_decision, list_decision_rows
from core.resumption.approval.preparing import Filtered, prepare_decision
from core.resumption.approval.releasing import get_delivery, release_due
from core.resumption.approval.rules import REFUSALS, UNDO_WITHIN, Verdict
from core.resumption.approval.service import apply_decision, undo_decision
from core.resumption.approval.sheet import SheetQuery, get_sheet_summary, list_sheet
from tests.servers import PostgresServer

PEOPLE: Final = 10_000
BASELINE_PEOPLE: Final = 1000
ROW_BY_ROW: Final = "row by row"
APPLY: Final = "**apply the decision**"
DATA_KEY: Final = bytes(range(100, 132))

Work = Callable[[Session], Any]
Times = dict[str, list["Took"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one step took, in seconds.

    Attributes:
        wall: from its begin to its end.
        processor: of this process and of the database server.
    """

    wall: float
    processor: float


@dataclass(kw_only=True)
class Round:
    """One database with one company, and what each step took."""

    database: Database
    owner: MandateCard
    now: datetime
    times: Times = field(default_factory=dict)
    keys: Iterator[int] = field(default_factory=count)

    def write(self, name: str, work: Work) -> Any:
        """Do something in a transaction of its own, commit included."""
        with self._timed(name), self.database.transaction() as session:
            return work(session)

    def read(self, name: str, work: Work) -> None:
        """Look at something."""
        with self._timed(name), self.database.reading() as session:
            work(session)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        used, began = self._processor(), time.perf_counter()
        yield
        took = Took(wall=time.perf_counter() - began, processor=self._processor() - used)
        self.times.setdefault(name, []).append(took)

    @staticmethod
    def _processor() -> float:
        # The database server is a descendant of this process.
        return processor.seconds_of(os.getpid())

    def prepare(self) -> DecisionCard:
        """Freeze a list of everybody who waits."""
        card: DecisionCard = self.write(
            "freeze the list",
            lambda session: prepare_decision(
                session,
                mandate=self.owner,
                verdict=Verdict.APPROVE,
                reason="",
                selection=Filtered(query=SheetQuery()),
                request_key=str(next(self.keys)),
                now=self.now,
            ),
        )
        return card

    def apply(self, card: DecisionCard) -> None:
        """Confirm the list."""
        self.write(
            APPLY,
            lambda session: apply_decision(
                session,
                mandate=self.owner,
                decision_id=card.id,
                digest=card.digest,
                now=self.now,
            ),
        )

    def undo(self, card: DecisionCard) -> None:
        """Take it back."""
        self.write(
            "undo it",
            lambda session: undo_decision(
                session, mandate=self.owner, decision_id=card.id, now=self.now
            ),
        )

    def look(self) -> None:
        """Open pages of the sheet."""
        fine, last = SheetQuery(group=Group.FINE), PEOPLE
        for name, query, number in (
            ("**sheet**: first page of a group", fine, 1),
            ("**sheet**: last page of a group", fine, last),
            ("**sheet**: one flag", SheetQuery(flag=Flag.KEY_AREA), 1),
            ("**sheet**: last page of one department", SheetQuery(department="生产部"), last),
            ("**sheet**: a name", SheetQuery(state=None, text="王伟"), 1),
        ):
            self.read(name, lambda session, q=query, n=number: self._page(session, q, n))

    def _page(self, session: Session, query: SheetQuery, number: int) -> None:
        # What the page of the browser reads: the counts of all groups, and its rows.
        get_sheet_summary(session, mandate=self.owner)
        list_sheet(session, mandate=self.owner, query=query, number=number)

    def tell(self) -> None:
        """Queue the notices."""
        due = self.now + UNDO_WITHIN
        self.write("queue all notices", lambda session: release_due(session, now=due))

    def follow(self, card: DecisionCard) -> None:
        """Open the page of the decision."""

        def page(session: Session) -> None:
            get_decision(session, mandate=self.owner, decision_id=card.id)
            list_decision_rows(session, mandate=self.owner, decision_id=card.id, outcomes=REFUSALS)
            get_delivery(session, decision_id=card.id)

        self.read("page of the decision, with delivery", page)

    def row_by_row(self) -> None:
        """Decide about some through the mapper, one after the other."""
        with self.database.transaction() as session:
            ids = session.scalars(
                select(Registration.id).order_by(Registration.id).limit(BASELINE_PEOPLE)
            ).all()

        def work(session: Session) -> None:
            for registration_id in ids:
                row = session.get_one(Registration, registration_id, with_for_update=True)
                if row.state == "submitted" and row.flag_group != Group.CANNOT.value:
                    row.state, row.version = "approved", row.version + 1
                    row.decided_at, row.reason = self.now, ""
                    record(
                        session,
                        now=self.now,
                        actor="person:1",
                        action="registration_approved",
                        subject=f"registration:{row.id}",
                    )
                    session.flush()

        self.write(ROW_BY_ROW, work)
        with self.database.transaction() as session:
            session.execute(update(Registration).values(state="submitted"))


def main() -> None:
    """Measure both databases, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.approval", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="decisions on each database (5)")
    rounds = parser.parse_args().rounds
    install_keyring(Keyring([DATA_KEY]))
    with tempfile.TemporaryDirectory(prefix="hzl-bench-") as folder:
        path = Path(folder) / "approval.db"
        sqlite = _measure(f"sqlite:///{path}", rounds=rounds)
    server = PostgresServer()
    try:
        postgres = _measure(server.url, rounds=rounds)
    finally:
        server.stop()
    command = shlex.join(["python", "-m", "benchmarks.approval", *sys.argv[1:]])
    print(_table(sqlite, postgres))
    print()
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`: milliseconds, medians of {rounds} "
        f"(least–most), each in a transaction of its own with its commit, then the processor "
        f"time of the process and the database; {machine()}. Load "
        f"average at the end {os.getloadavg()[0]:.1f}."
    )


def _measure(url: str, *, rounds: int) -> Times:
    database = Database(url)
    migrations.upgrade(database.engine)
    now = datetime.now(UTC)
    with database.transaction() as session:
        owner = company.fill(session, count=PEOPLE, now=now)
    measured = Round(database=database, owner=owner, now=now)
    for _ in range(rounds):
        measured.row_by_row()
        company.tidy(database)
        measured.look()
        card = measured.prepare()
        measured.apply(card)
        company.tidy(database)
        measured.undo(card)
        company.tidy(database)
    card = measured.prepare()
    measured.apply(card)
    measured.tell()
    for _ in range(rounds):
        measured.follow(card)
    database.dispose()
    return measured.times


def _table(sqlite: Times, postgres: Times) -> str:
    rows = {name: (_shown(sqlite[name]), _shown(postgres[name])) for name in sqlite}
    baseline = f"{BASELINE_PEOPLE:,} of them row by row through the mapper"
    rows[baseline] = rows.pop(ROW_BY_ROW)
    rows["processor time of a row: by the mapper ÷ in a decision"] = (
        _ratio(sqlite),
        _ratio(postgres),
    )
    head = [f"| {PEOPLE:,} registrations | SQLite | PostgreSQL |", "|---|---:|---:|"]
    return "\n".join([*head, *(f"| {name} | {one} | {two} |" for name, (one, two) in rows.items())])


def _shown(taken: list[Took]) -> str:
    walls = [1000 * one.wall for one in taken]
    used = 1000 * median(one.processor for one in taken)
    spread = f" ({min(walls):,.0f}–{max(walls):,.0f})" if len(walls) > 1 else ""
    return f"{median(walls):,.0f}{spread}, {used:,.0f}"


def _ratio(times: Times) -> str:
    one = median(took.processor for took in times[ROW_BY_ROW]) / BASELINE_PEOPLE
    bulk = median(took.processor for took in times[APPLY]) / PEOPLE
    return f"{one / bulk:.0f}"


if __name__ == "__main__":
    main()
