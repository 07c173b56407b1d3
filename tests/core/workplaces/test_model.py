"""What was registered before there were workplaces is still there afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, MetaData, Table, text

from core.db import Database
from core.migrations import config_for, upgrade

NOW: Final = datetime(2020, 3, 28, tzinfo=UTC)
COMPANIES: Final = {7: "submitted", 9: "rejected", 12: None}


@pytest.fixture
def before(empty_database_url: str) -> Iterator[Engine]:
    """A database of the time before, with three companies."""
    database = Database(empty_database_url)
    upgrade(database.engine, "0006")
    with database.engine.begin() as connection:
        _fill(connection)
    yield database.engine
    database.dispose()


def _fill(connection: Connection) -> None:
    def add(table: str, **values: Any) -> None:
        known = Table(table, MetaData(), autoload_with=connection)
        connection.execute(known.insert().values(values))

    add("street", id=1, code="310104011", name="田林街道")
    add(
        "stored_file",
        id=1,
        key="k",
        purpose="prevention_plan",
        media_type="application/pdf",
        size_bytes=1,
        name=b"n",
        created_by="person:1",
        created_at=NOW,
    )
    for identity, state in COMPANIES.items():
        add(
            "company",
            id=identity,
            uscc=f"9131010400000000{identity:02}",
            name=f"第{identity}公司",
            kind="enterprise",
            owner_name=b"n",
            owner_name_hash=b"n",
            owner_id_kind="passport",
            owner_id=b"i",
            owner_id_hash=b"i",
            address="宜山路1号",
            street_id=1,
            industry="",
            state="active",
            changed_at=NOW,
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
        add("company_change", company_id=identity, at=NOW, field="name", old="旧", new="新")
        if state is not None:
            add(
                "filing",
                company_id=identity,
                state=state,
                revision=1,
                number=f"XH{identity}",
                head_count=25,
                returning_count=0,
                plan_id=1,
                signed_at=NOW,
                submitted_at=NOW,
                reason="",
                created_at=NOW,
                changed_at=NOW,
            )
    add(
        "registration",
        id=3,
        number="R1",
        company_id=7,
        entered_by="staff:1",
        state="approved",
        flag_group="fine",
        flags=[],
        version=1,
        department="",
        name=b"n",
        name_hash=b"n",
        document_kind="passport",
        document=b"d",
        document_hash=b"d",
        phone=b"p",
        phone_hash=b"p",
        answers=b"a",
        consent="c",
        reason="",
        submitted_at=NOW,
        changed_at=NOW,
    )


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement finds."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_companies_become_workplaces_and_lose_nothing(before: Engine) -> None:
    upgrade(before)
    assert rows(
        before, "SELECT id, face, name, admission, head_count FROM workplace ORDER BY id"
    ) == [
        (7, "company", "第7公司", "open", 25),
        (9, "company", "第9公司", "refused", 25),
        (12, "company", "第12公司", "pending", None),
    ]
    assert rows(before, "SELECT company_id FROM company_change ORDER BY company_id") == [
        (7,),
        (9,),
        (12,),
    ]
    assert rows(before, "SELECT id, workplace_id FROM registration") == [(3, 7)]
    with before.begin() as connection:
        place = Table("workplace", MetaData(), autoload_with=connection)
        added = connection.execute(
            place.insert()
            .values(
                face="company",
                name="新公司",
                address="",
                street_id=1,
                state="active",
                admission="pending",
            )
            .returning(place.c.id)
        ).scalar_one()
    assert added == max(COMPANIES) + 1


def test_the_way_back_loses_nothing_either(before: Engine) -> None:
    company = "SELECT id, name, address, street_id, state FROM company ORDER BY id"
    was = rows(before, company), rows(before, "SELECT id, company_id FROM registration")
    upgrade(before)
    command.downgrade(config_for(before), "0006")
    assert (rows(before, company), rows(before, "SELECT id, company_id FROM registration")) == was
