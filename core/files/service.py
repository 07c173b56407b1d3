"""Use cases of files: keep one, read one, give one up; sweep what nothing names.

Bytes are put before the row is written, and deleted after it is gone: whatever fails in between
leaves bytes without a row, which the sweep removes, and never a row without bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import LargeBinary, select, type_coerce, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring
from core.errors import ConflictError, NotFoundError
from core.files.model import StoredFile
from core.files.rules import ORPHAN_AGE, FilePurpose, MediaType, clean_name, media_type_of
from core.files.store import FileStore

KEY_BYTES: Final = 16

Reading: TypeAlias = Callable[[], AbstractContextManager[Session]]


class FileNotKeptError(NotFoundError):
    """There is no such file, or it was given up."""

    code = "file_not_kept"


class FileUnavailableError(ConflictError):
    """The store of files does not answer, or has lost what the row names."""

    code = "file_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file as it was handed in; its name is safe to show and to save under."""

    name: str = field(repr=False)
    media_type: MediaType
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCard:
    """What is shown of a file without opening it."""

    id: int
    name: str = field(repr=False)
    media_type: MediaType
    size_bytes: int
    created_at: datetime


def keep_file(
    session: Session,
    *,
    files: FileStore,
    content: bytes,
    name: str,
    purpose: FilePurpose,
    actor: str,
    now: datetime,
) -> int:
    """Keep a file, encrypted, and return its id.

    Args:
        session: the session of the request.
        files: where its bytes go; they are there before this returns.
        content: the whole file.
        name: as the browser sent it.
        purpose: what it is handed in for.
        actor: who hands it in.
        now: aware instant.

    Raises:
        FileEmptyError, FileTooLargeError, FileTypeError, FileBrokenError, PictureTooLargeError:
            as `media_type_of`.
        FileUnavailableError: the store does not answer.
    """
    media_type = media_type_of(content)
    key = secrets.token_hex(KEY_BYTES)
    files.put(key, keyring().seal(content, purpose=_purpose_of(key)))
    row = StoredFile(
        key=key,
        purpose=purpose.value,
        media_type=media_type.value,
        size_bytes=len(content),
        name=clean_name(name, media_type=media_type),
        created_by=actor,
        created_at=now,
    )
    session.add(row)
    session.flush()
    record(
        session,
        now=now,
        actor=actor,
        action="file_kept",
        subject=f"file:{row.id}",
        purpose=purpose.value,
        media_type=media_type.value,
        size_bytes=len(content),
    )
    return row.id


def get_file(session: Session, *, file_id: int) -> FileCard:
    """Return what is known about a file.

    Raises:
        FileNotKeptError: there is none, or it was given up.
    """
    row = _kept(session, file_id)
    return FileCard(
        id=row.id,
        name=row.name,
        media_type=MediaType(row.media_type),
        size_bytes=row.size_bytes,
        created_at=row.created_at,
    )


def read_file(
    session: Session, *, files: FileStore, file_id: int, actor: str, now: datetime
) -> FileContent:
    """Return a file, and record who looked. Whether they may is for the caller to know.

    Raises:
        FileNotKeptError: there is none, or it was given up.
        FileUnavailableError: the store does not answer, or has lost it.
        DataKeyError: its key is not configured, or it was altered.
    """
    row = _kept(session, file_id)
    content = keyring().open(files.get(row.key), purpose=_purpose_of(row.key))
    record(session, now=now, actor=actor, action="file_read", subject=f"file:{row.id}")
    return FileContent(name=row.name, media_type=MediaType(row.media_type), content=content)


def remove_file(session: Session, *, file_id: int, actor: str, now: datetime) -> None:
    """Give up a file that nothing refers to any more; the sweep deletes its bytes.

    They stay until this has been committed, and its name goes at once. One that was given up
    before, or never was, is left alone.
    """
    row = session.get(StoredFile, file_id)
    if row is None or row.removed_at is not None:
        return
    row.name, row.removed_at = "", now
    record(session, now=now, actor=actor, action="file_removed", subject=f"file:{row.id}")


def sweep_files(reading: Reading, *, files: FileStore, now: datetime) -> int:
    """Delete the bytes that no row names any more, and return of how many files.

    What is younger than a day may belong to a request that has not committed yet.

    Args:
        reading: lends a session for a look; none is held while the store is asked.
        files: the store.
        now: aware instant.

    Raises:
        FileUnavailableError: the store does not answer.
    """
    count = 0
    for keys in files.list_keys(before=now - ORPHAN_AGE):
        with reading() as session:
            kept = set(
                session.scalars(
                    select(StoredFile.key).where(
                        StoredFile.key.in_(keys), StoredFile.removed_at.is_(None)
                    )
                )
            )
        for key in keys:
            if key not in kept:
                files.delete(key)
                count += 1
    return count


def reseal_names(session: Session) -> int:
    """Encrypt the names anew that an older key of the ring sealed; return how many."""
    ring = keyring()
    sealed = session.execute(select(StoredFile.id, type_coerce(StoredFile.name, LargeBinary)))
    old = [file_id for file_id, name in sealed if not ring.is_current(name)]
    for file_id in old:
        # The same text is no change to the mapper; the column's type encrypts what it is given.
        name = session.scalars(select(StoredFile.name).where(StoredFile.id == file_id)).one()
        session.execute(update(StoredFile).where(StoredFile.id == file_id).values(name=name))
    return len(old)


def reseal_contents(reading: Reading, *, files: FileStore) -> int:
    """Encrypt the contents anew that an older key of the ring sealed; return how many.

    A run that is interrupted leaves contents of either key, which both open; run it again.

    Args:
        reading: lends a session for a look; none is held while the store works.
        files: the store.

    Raises:
        FileUnavailableError: the store does not answer, or has lost one.
        DataKeyError: a key is not configured, or a file was altered.
    """
    with reading() as session:
        keys = list(
            session.scalars(
                select(StoredFile.key)
                .where(StoredFile.removed_at.is_(None))
                .order_by(StoredFile.id)
            )
        )
    return sum(_reseal(files, key) for key in keys)


def _reseal(files: FileStore, key: str) -> bool:
    ring, purpose = keyring(), _purpose_of(key)
    sealed = files.get(key)
    if ring.is_current(sealed):
        return False
    files.put(key, ring.seal(ring.open(sealed, purpose=purpose), purpose=purpose))
    return True


def _kept(session: Session, file_id: int) -> StoredFile:
    row = session.get(StoredFile, file_id)
    if row is None or row.removed_at is not None:
        raise FileNotKeptError
    return row


def _purpose_of(key: str) -> str:
    return f"stored_file:{key}"
