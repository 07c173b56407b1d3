"""Files in a store that may be down, with their rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Database, DataKeyError, Keyring, install_keyring
from core.files.model import StoredFile
from core.files.rules import FilePurpose, FileTypeError, MediaType
from core.files.service import (
    FileNotKeptError,
    FileUnavailableError,
    get_file,
    keep_file,
    read_file,
    remove_file,
    reseal_contents,
    reseal_names,
    sweep_files,
)
from tests.conftest import DATA_KEY

PDF = b"%PDF-1.4\nour plan\n%%EOF\n"
NEW_KEY = bytes(range(1, 33))


class MemoryStore:
    """A store of files that a test may look into, and turn off."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, datetime]] = {}
        self.is_down = False
        self.clock: datetime | None = None

    def _check(self) -> None:
        if self.is_down:
            raise FileUnavailableError

    def put(self, key: str, content: bytes) -> None:
        self._check()
        assert self.clock is not None
        self.kept[key] = (content, self.clock)

    def get(self, key: str) -> bytes:
        self._check()
        if key not in self.kept:
            raise FileUnavailableError
        return self.kept[key][0]

    def delete(self, key: str) -> None:
        self._check()
        self.kept.pop(key, None)

    def list_keys(self, *, before: datetime) -> Iterator[list[str]]:
        self._check()
        for key in [key for key, (_, at) in self.kept.items() if at < before]:
            yield [key]


@pytest.fixture
def files(now: datetime) -> MemoryStore:
    store = MemoryStore()
    store.clock = now
    return store


def keep(session: Session, files: MemoryStore, now: datetime, **changed: Any) -> int:
    given: dict[str, Any] = {
        "content": PDF,
        "name": "王伟的方案.pdf",
        "purpose": FilePurpose.PREVENTION_PLAN,
        "actor": "person:7",
    }
    return keep_file(session, files=files, now=now, **(given | changed))


def test_a_kept_file_reads_as_it_was(session: Session, files: MemoryStore, now: datetime) -> None:
    file_id = keep(session, files, now)
    card = get_file(session, file_id=file_id)
    assert (card.name, card.media_type, card.size_bytes) == (
        "王伟的方案.pdf",
        MediaType.PDF,
        len(PDF),
    )
    found = read_file(session, files=files, file_id=file_id, actor="staff:3", now=now)
    assert (found.name, found.media_type, found.content) == ("王伟的方案.pdf", MediaType.PDF, PDF)


def test_neither_content_nor_name_can_be_read_without_the_keys(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    keep(session, files, now)
    ((sealed, _),) = files.kept.values()
    assert b"plan" not in sealed
    stored = session.execute(text("SELECT name FROM stored_file")).scalar_one()
    assert "王伟".encode() not in bytes(stored)


def test_keeping_and_each_look_are_recorded_without_the_name(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    file_id = keep(session, files, now)
    read_file(session, files=files, file_id=file_id, actor="staff:3", now=now)
    session.flush()
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(one.actor, one.action, one.subject) for one in entries] == [
        ("person:7", "file_kept", f"file:{file_id}"),
        ("staff:3", "file_read", f"file:{file_id}"),
    ]
    assert "王伟" not in str([one.facts for one in entries])


def test_what_cannot_be_taken_leaves_nothing(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    with pytest.raises(FileTypeError):
        keep(session, files, now, content=b"MZ program")
    assert not files.kept
    assert session.scalars(select(StoredFile)).all() == []


def test_a_store_that_is_down_leaves_no_row(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    files.is_down = True
    with pytest.raises(FileUnavailableError):
        keep(session, files, now)
    assert session.scalars(select(StoredFile)).all() == []


def test_one_file_cannot_be_put_in_the_place_of_another(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    first, second = keep(session, files, now), keep(session, files, now, content=PDF + b"%%EOF\n")
    one, two = (session.get_one(StoredFile, file_id).key for file_id in (first, second))
    files.kept[one] = files.kept[two]
    with pytest.raises(DataKeyError):
        read_file(session, files=files, file_id=first, actor="staff:3", now=now)


def test_altered_bytes_are_not_shown(session: Session, files: MemoryStore, now: datetime) -> None:
    file_id = keep(session, files, now)
    ((key, (sealed, at)),) = files.kept.items()
    files.kept[key] = (sealed[:-1] + bytes([sealed[-1] ^ 1]), at)
    with pytest.raises(DataKeyError):
        read_file(session, files=files, file_id=file_id, actor="staff:3", now=now)


def test_lost_bytes_are_said_to_be_unavailable(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    file_id = keep(session, files, now)
    files.kept.clear()
    with pytest.raises(FileUnavailableError):
        read_file(session, files=files, file_id=file_id, actor="staff:3", now=now)


def test_a_file_that_was_given_up_is_gone_with_its_name(
    session: Session, files: MemoryStore, now: datetime
) -> None:
    file_id = keep(session, files, now)
    remove_file(session, file_id=file_id, actor="person:7", now=now)
    remove_file(session, file_id=file_id, actor="person:7", now=now)
    remove_file(session, file_id=file_id + 1, actor="person:7", now=now)
    session.flush()
    with pytest.raises(FileNotKeptError):
        get_file(session, file_id=file_id)
    with pytest.raises(FileNotKeptError):
        read_file(session, files=files, file_id=file_id, actor="person:7", now=now)
    assert session.get_one(StoredFile, file_id).name == ""
    removals = select(AuditEntry).where(AuditEntry.action == "file_removed")
    assert len(session.scalars(removals).all()) == 1


def test_the_sweep_takes_what_no_row_names_after_a_day(
    database: Database, files: MemoryStore, now: datetime
) -> None:
    with database.transaction() as session:
        standing, given_up = keep(session, files, now), keep(session, files, now)
    with Session(database.engine) as session:
        keep(session, files, now)
        session.rollback()  # the request failed after its file was put
    with database.transaction() as session:
        remove_file(session, file_id=given_up, actor="person:7", now=now)
        key = session.get_one(StoredFile, standing).key
    assert len(files.kept) == 3
    assert sweep_files(database.reading, files=files, now=now + timedelta(hours=24)) == 0
    assert sweep_files(database.reading, files=files, now=now + timedelta(hours=25)) == 2
    assert files.kept.keys() == {key}
    with database.transaction() as session:
        assert read_file(session, files=files, file_id=standing, actor="a:1", now=now).content


def test_files_of_an_older_key_are_sealed_anew_once(
    database: Database, files: MemoryStore, now: datetime
) -> None:
    with database.transaction() as session:
        file_id = keep(session, files, now)
        gone = keep(session, files, now)
        remove_file(session, file_id=gone, actor="person:7", now=now)
    install_keyring(Keyring([NEW_KEY, DATA_KEY]))
    with database.transaction() as session:
        assert reseal_names(session) == 2
        assert reseal_names(session) == 0
    assert reseal_contents(database.reading, files=files) == 1
    assert reseal_contents(database.reading, files=files) == 0
    install_keyring(Keyring([NEW_KEY]))
    with database.transaction() as session:
        found = read_file(session, files=files, file_id=file_id, actor="staff:3", now=now)
        assert (found.name, found.content) == ("王伟的方案.pdf", PDF)
