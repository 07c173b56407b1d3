"""The ground: declarative base, column types, engines and transactions.

SQLite is the embedded default, PostgreSQL the server. Both give aware UTC datetimes, enforce
foreign keys and run the same migrations.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    Insert,
    LargeBinary,
    MetaData,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4
BUSY_TIMEOUT_MS = 5000
# Whoever reads is waited for: a locked table must not hold them for longer.
READ_TIMEOUT_MS = 2000
# Seconds, but for the milliseconds of `tcp_user_timeout`: a server that vanished is noticed.
_PATIENCE: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "tcp_user_timeout": 4000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}


class Base(DeclarativeBase):
    """The base of every table; constraints have predictable names, so errors can be told apart."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused before it is stored."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, without its zone where the database keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an aware datetime is needed")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the instant, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DataKeyError(RuntimeError):
    """A stored value cannot be read: its key is not configured, or it was altered."""


@dataclass(frozen=True, slots=True)
class _DataKey:
    key_id: bytes
    cipher: AESGCM
    hash_key: bytes


class Keyring:
    """The keys of personal data: the first one encrypts, every one of them decrypts.

    Rotation: put a new key first, re-encrypt, then drop the old one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Build the ring.

        Args:
            keys: at least one key of 32 bytes; the newest first.

        Raises:
            ValueError: no key, or one of another length.
        """
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError("data keys must be 32 bytes each, at least one")
        self._keys = [
            _DataKey(
                hashlib.sha256(key).digest()[:KEY_ID_BYTES],
                AESGCM(key),
                hmac.digest(key, b"huizhili look-up", "sha256"),
            )
            for key in keys
        ]

    def encrypt(self, text: str, *, column: str) -> bytes:
        """Return key id, nonce and cipher text; bound to `column` so rows cannot be swapped."""
        return self.seal(text.encode(), purpose=column)

    def decrypt(self, sealed: bytes, *, column: str) -> str:
        """Return the text that was encrypted for `column`.

        Raises:
            DataKeyError: unknown key, altered bytes, or bytes of another column.
        """
        try:
            return self.open(sealed, purpose=column).decode()
        except UnicodeDecodeError as error:
            raise DataKeyError(f"{column} is no text") from error

    def seal(self, content: bytes, *, purpose: str) -> bytes:
        """Return key id, nonce and cipher text.

        Args:
            content: of any length up to 2 GiB.
            purpose: what the content belongs to; it opens for nothing else, so that one cannot
                be put in another's place.
        """
        key, nonce = self._keys[0], os.urandom(NONCE_BYTES)
        return key.key_id + nonce + key.cipher.encrypt(nonce, content, purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> bytes:
        """Return the content that was sealed for a purpose.

        Raises:
            DataKeyError: unknown key, altered bytes, or bytes of another purpose.
        """
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        for key in self._keys:
            if key.key_id == key_id:
                try:
                    nonce, body = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
                    return key.cipher.decrypt(nonce, body, purpose.encode())
                except (InvalidTag, ValueError) as error:
                    raise DataKeyError(f"{purpose} was altered") from error
        raise DataKeyError(f"no configured key reads {purpose}")

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the newest key encrypted these bytes."""
        return sealed[:KEY_ID_BYTES] == self._keys[0].key_id

    def lookup_hashes(self, text: str, *, column: str) -> list[bytes]:
        """Return the keyed hashes of a value, the one to store first.

        While a key is being rotated a row may still carry an older hash: search with `IN`.

        Args:
            text: the normalised value.
            column: `table.column`; the same value has another hash in another column.
        """
        message = column.encode() + b"\0" + text.encode()
        return [hmac.digest(key.hash_key, message, "sha256") for key in self._keys]


_keyrings: list[Keyring] = []


def install_keyring(keyring: Keyring) -> None:
    """Make `keyring` the one that encrypted columns of this process use."""
    _keyrings[:] = [keyring]


def keyring() -> Keyring:
    """Return the installed ring.

    Raises:
        RuntimeError: none was installed, a bug in the start-up.
    """
    if not _keyrings:
        raise RuntimeError("install_keyring was not called")
    return _keyrings[0]


def lookup_hash(text: str, *, column: str) -> bytes:
    """Return the hash to store beside an encrypted value."""
    return keyring().lookup_hashes(text, column=column)[0]


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted at rest with AES-GCM and the installed keyring."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        """Bind the type to its place.

        Args:
            column: `table.column`, authenticated with every value.
        """
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Return the encrypted bytes."""
        return None if value is None else keyring().encrypt(value, column=self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the text."""
        return None if value is None else keyring().decrypt(value, column=self.column)


class Database:
    """Two engines on one database: one that writes in transactions, one that only reads.

    The reading engine runs in autocommit: a hot look-up costs one round trip, and on SQLite it
    never waits for a writer. On PostgreSQL a statement that reads is given up after two seconds;
    what may take longer reads in portions, as an export does, or in a transaction.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """Prepare the engines; nothing connects yet.

        Args:
            url: SQLAlchemy address of a SQLite file or a PostgreSQL database.
            pool_size: connections kept per engine and process.
        """
        self.url = _driver_url(url)
        self.engine = _make_engine(self.url, pool_size=pool_size)
        self.read_engine = _make_engine(self.url, pool_size=pool_size, isolation_level="AUTOCOMMIT")
        self._readers = _Readers(self.read_engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session whose work is committed on leaving, or rolled back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def reading(self) -> AbstractContextManager[Session]:
        """Lend a session that may only read; an attempt to flush a change is a bug and raises."""
        return _Reading(self._readers)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._readers.clear()
        self.engine.dispose()
        self.read_engine.dispose()


class _Readers:
    """Sessions that only read, kept ready between messages with their connections.

    Making a session and checking a connection out and in cost more than the look-up they are
    for. There are never more of them than were in use at once.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._idle: deque[ReadingSession] = deque()

    def take(self) -> ReadingSession:
        try:
            return self._idle.pop()
        except IndexError:
            return ReadingSession(self.engine)

    def give_back(self, session: ReadingSession) -> None:
        session.tidy()
        if session.is_broken():
            # The server is gone or was: those that idle broke as well.
            session.close()
            self.clear()
        else:
            self._idle.append(session)

    def clear(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


class _Reading:
    """Lends a session for a block; `contextmanager` would double the cost of a quick look."""

    __slots__ = ("_readers", "_session")

    def __init__(self, readers: _Readers) -> None:
        self._readers = readers

    def __enter__(self) -> Session:
        self._session = self._readers.take()
        return self._session

    def __exit__(self, *error: object) -> None:
        self._readers.give_back(self._session)


class ReadingSession(Session):
    """A session without a transaction, for use cases that change nothing.

    `connection()` skips the bookkeeping of transactions; the mapper works on that connection too.
    """

    def __init__(self, engine: Engine) -> None:
        """Read by one connection of `engine`; the first use takes it."""
        super().__init__(engine)
        self._engine = engine
        self._direct: Connection | None = None

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection of this session."""
        if self._direct is None:
            if self.in_transaction() or arguments or options:
                return super().connection(*arguments, **options)
            self._direct = self.bind = self._engine.connect()
        return self._direct

    def tidy(self) -> None:
        """Forget what was read, keep the connection."""
        # Where the mapper was not used there is nothing to tidy, and tidying takes its time.
        if self.in_transaction() or self.identity_map or self.new:
            super().close()

    def is_broken(self) -> bool:
        """Return whether the connection cannot be used again."""
        return self._direct is not None and (self._direct.closed or self._direct.invalidated)

    def close(self) -> None:
        """Forget what was read and give the connection back to the engine."""
        super().close()
        if self._direct is not None:
            self.bind, connection, self._direct = self._engine, self._direct, None
            connection.close()

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Refuse to write.

        Raises:
            RuntimeError: something was added or changed on a session that only reads.
        """
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("a reading session was asked to write")
        super().flush(objects)


def _driver_url(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _make_engine(url: URL, *, pool_size: int, **options: Any) -> Engine:
    # A statement's values may be personal data, and errors end up in logs.
    options["hide_parameters"] = True
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=pool_size, pool_reset_on_return=None, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        if "isolation_level" not in options:
            event.listen(engine, "begin", _begin_immediate)
        return engine
    is_writing = "isolation_level" not in options
    settings = "-c timezone=UTC" + (
        "" if is_writing else f" -c statement_timeout={READ_TIMEOUT_MS}"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=3,
        # A restarted database must not cost the next writer their message; a reader asks again.
        pool_pre_ping=is_writing,
        connect_args=_PATIENCE | {"options": settings},
        **options,
    )


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ARG001
    # The driver must not open transactions of its own: `_begin_immediate` does.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # A transaction that starts as a reader and then writes fails with SQLITE_BUSY at once,
    # without waiting; taking the write lock at the start makes the busy timeout work.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def take_turn(session: Session, *, number: int) -> None:
    """Wait until nobody else has the turn of this number; it ends with the transaction.

    What is read afterwards is what the others have left.

    Args:
        session: of the change.
        number: of the queue; no other one of the application has it.
    """
    connection = session.connection()
    # SQLite lets one transaction write at a time.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def share_turn(session: Session, *, number: int) -> None:
    """Wait until nobody has taken the turn of this number, and keep them off until the end.

    Those who share it do not wait for each other.

    Args:
        session: of a change that rests on what whoever takes the turn would change.
        number: of the queue.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(number)))


def upsert(
    session: Session,
    table: type[Base],
    *,
    keys: Sequence[str],
    update: Sequence[str],
    over: ColumnElement[bool] | None = None,
) -> Insert:
    """Return `INSERT … ON CONFLICT (keys) DO UPDATE` for either database.

    Args:
        session: tells the dialect.
        table: the mapped class.
        keys: the columns of the unique constraint.
        update: the columns that the new row overwrites; empty leaves the old row alone.
        over: which old rows may be overwritten; None: any.
    """
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table)
    if not update:
        return cast("Insert", statement.on_conflict_do_nothing(index_elements=list(keys)))
    return cast(
        "Insert",
        statement.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: statement.excluded[name] for name in update},
            where=over,
        ),
    )


def key_from_base64(text: str) -> bytes:
    """Return the key written in base64.

    Raises:
        ValueError: not base64, or not 32 bytes.
    """
    key = base64.b64decode(text.strip(), validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a data key must be 32 bytes")
    return key
