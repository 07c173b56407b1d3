"""Tables for one transaction, and filling them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from core import bulk
from core.bulk import Writer, opened, passing_table, refresh_statistics, write_all
from core.db import Database, EncryptedText, UtcDateTime, upsert
from core.nightly import JobRun
from core.risk.model import IndicatorValue, RiskModel

AT = datetime(2020, 3, 28, 8, 0, tzinfo=UTC)
DAY = date(2020, 3, 28)
PROPOSED = ("proposed_by", "proposed_at")
TABLE = passing_table(
    "test_passing",
    Column("number", Integer),
    Column("day", Date),
    Column("content", LargeBinary),
    Column("at", UtcDateTime),
    Column("words", EncryptedText("test.words")),
)
COLUMNS = ("number", "content", "day", "words", "at")
ROWS = [(1, b"\x00\\\n,", date(2020, 3, 28), "江南路\t1弄\n", AT), (2, None, None, None, None)]


def test_rows_come_back_as_they_were_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH_ROWS", 2)
    with database.transaction() as session, opened(session, TABLE):
        writer = Writer(session, TABLE, COLUMNS)
        for row in (*ROWS, (3, b"", date(1900, 1, 1), "", AT)):
            writer.add(*row)
        written = select(func.count()).select_from(TABLE)
        assert session.scalar(written) == 2
        writer.flush()
        writer.flush()
        assert session.scalar(written) == 3
        refresh_statistics(session, TABLE)
        found = session.execute(select(*(TABLE.c[name] for name in COLUMNS)).order_by("number"))
        assert [tuple(row) for row in found][:2] == ROWS


def test_table_is_empty_for_each_transaction_and_gone_after_one_that_failed(
    database: Database,
) -> None:
    def fill() -> int | None:
        with database.transaction() as session, opened(session, TABLE):
            Writer(session, TABLE, ("number",)).add(1)
            writer = Writer(session, TABLE, ("number",))
            writer.add(2)
            writer.flush()
            return session.scalar(select(func.count()).select_from(TABLE))

    with pytest.raises(RuntimeError), database.transaction() as session, opened(session, TABLE):
        raise RuntimeError
    assert [fill(), fill()] == [1, 1]
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(select(TABLE.c.number))


def test_rows_of_an_insert_come_back_as_they_were_and_take_the_place_of_what_was_there(
    database: Database,
) -> None:
    columns = ("name", "digest", "document", "role", "state", "valid_from", *PROPOSED)
    row = ("v1", "x", {"a": [1, "语"]}, "champion", "proposed", DAY, "staff:1", AT)
    with database.transaction() as session:
        statement = insert(RiskModel)
        write_all(session, statement, columns=columns, rows=[])
        write_all(session, statement, columns=columns, rows=[row, ("v2", *row[1:])])
        found = session.execute(select(*(RiskModel.__table__.c[name] for name in columns)))
        assert [tuple(one) for one in found] == [row, ("v2", *row[1:])]
        session.add(JobRun(day=DAY, step="a", state="done", attempts=1, started_at=AT))
        session.flush()
        statement = upsert(
            session,
            JobRun,
            keys=("day", "step"),
            update=("attempts",),
            over=JobRun.__table__.c.state == "done",
        )
        names = ("step", "day", "attempts", "state", "error")
        for state, attempts in (("done", 2), ("running", 3)):
            session.execute(update(JobRun).values(state=state))
            write_all(session, statement, columns=names, rows=[("a", DAY, attempts, "failed", "")])
        assert session.execute(select(JobRun.__table__.c.attempts)).scalars().all() == [2]


def test_insert_that_leaves_a_default_to_python_is_refused(database: Database) -> None:
    columns, rows = ("day", "community_id", "indicator", "value"), [(DAY, 1, "fever", 1.0)]
    with database.transaction() as session, pytest.raises(ValueError, match="default"):
        write_all(session, insert(IndicatorValue), columns=columns, rows=rows)
