"""The ground floor, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core import db
from core.db import (
    Base,
    Database,
    DataKeyError,
    EncryptedText,
    Keyring,
    UtcDateTime,
    install_keyring,
    key_from_base64,
    keyring,
    lookup_hash,
    upsert,
)

OLD_KEY = b"o" * 32
NEW_KEY = b"n" * 32
PHONE = "test_note.phone"
NOON = datetime(2020, 3, 28, 4, 0, 0, 123456, tzinfo=UTC)


class Sketch(DeclarativeBase):
    """Tables of this file alone: they must not appear in the product's metadata."""

    metadata = Base.metadata.__class__(naming_convention=Base.metadata.naming_convention)


class Folder(Sketch):
    __tablename__ = "test_folder"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    colour: Mapped[str] = mapped_column(String(20), default="blue")
    __table_args__ = (CheckConstraint("name <> ''", name="named"),)


class Note(Sketch):
    __tablename__ = "test_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int | None] = mapped_column(ForeignKey("test_folder.id"))
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone: Mapped[str | None] = mapped_column(EncryptedText(PHONE))
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    name: Mapped[str | None] = mapped_column(EncryptedText("test_note.name"))


@pytest.fixture(autouse=True)
def _tables(request: pytest.FixtureRequest) -> Iterator[None]:
    if "database" not in request.fixturenames:
        yield
        return
    database: Database = request.getfixturevalue("database")
    Sketch.metadata.create_all(database.engine)
    yield
    Sketch.metadata.drop_all(database.engine)


@pytest.fixture
def sealed_phone(database: Database) -> bytes:
    """The stored bytes of one encrypted telephone number, in row 1."""
    with database.transaction() as session:
        session.add(Note(id=1, phone="13800000000"))
    with database.reading() as session:
        sealed = session.execute(text("SELECT phone FROM test_note WHERE id = 1")).scalar_one()
    return bytes(sealed)


# --- instants -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(NOON, id="utc"),
        pytest.param(NOON.astimezone(timezone(timedelta(hours=8))), id="shanghai"),
        pytest.param(NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30))), id="marquesas"),
    ],
)
def test_an_instant_comes_back_aware_and_in_utc(database: Database, instant: datetime) -> None:
    with database.transaction() as session:
        session.add(Note(id=1, at=instant))

    with database.reading() as session:
        stored = session.scalars(select(Note.at)).one()

    assert stored == instant
    assert stored is not None
    assert stored.utcoffset() == timedelta(0)


def test_an_instant_is_compared_as_an_instant_by_the_database(database: Database) -> None:
    with database.transaction() as session:
        session.add_all([Note(id=1, at=NOON), Note(id=2, at=NOON + timedelta(minutes=1))])

    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    with database.reading() as session:
        assert session.scalars(select(Note.id).where(Note.at > shanghai)).all() == [2]


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with (
        pytest.raises(StatementError, match="aware datetime"),
        database.transaction() as session,
    ):
        session.add(Note(id=1, at=NOON.replace(tzinfo=None)))


def test_no_instant_and_no_text_stay_none(database: Database) -> None:
    with database.transaction() as session:
        session.add(Note(id=1))

    with database.reading() as session:
        note = session.get_one(Note, 1)
        assert (note.at, note.phone) == (None, None)


# --- encrypted columns --------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "13800000000", "阿卜杜热合曼·𠮷田 龘", "a" * 5000])
def test_an_encrypted_column_gives_back_what_was_stored(database: Database, value: str) -> None:
    with database.transaction() as session:
        session.add(Note(id=1, phone=value))

    with database.reading() as session:
        assert session.get_one(Note, 1).phone == value


def test_the_database_holds_no_clear_text(sealed_phone: bytes) -> None:
    assert b"138" not in sealed_phone


def test_the_same_value_is_never_stored_as_the_same_bytes(database: Database) -> None:
    with database.transaction() as session:
        session.add_all([Note(id=1, phone="13800000000"), Note(id=2, phone="13800000000")])

    with database.reading() as session:
        sealed = session.execute(text("SELECT phone FROM test_note")).scalars().all()

    assert sealed[0] != sealed[1]


def test_a_value_moved_to_another_column_is_not_read(
    database: Database, sealed_phone: bytes
) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE test_note SET name = phone, phone = NULL"))

    with database.reading() as session, pytest.raises(DataKeyError, match="altered"):
        session.get(Note, 1)


@given(position=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_any_altered_byte_is_noticed(position: int, flip: int) -> None:
    ring = Keyring([OLD_KEY])
    sealed = bytearray(ring.encrypt("13800000000", column=PHONE))
    sealed[position % len(sealed)] ^= flip

    with pytest.raises(DataKeyError):
        ring.decrypt(bytes(sealed), column=PHONE)


@given(length=st.integers(min_value=0, max_value=42))
def test_a_value_cut_short_is_noticed(length: int) -> None:
    ring = Keyring([OLD_KEY])

    with pytest.raises(DataKeyError):
        ring.decrypt(ring.encrypt("13800000000", column=PHONE)[:length], column=PHONE)


@given(value=st.text(), column=st.text())
def test_any_text_of_any_column_is_read_by_its_key(value: str, column: str) -> None:
    ring = Keyring([OLD_KEY])

    assert ring.decrypt(ring.encrypt(value, column=column), column=column) == value


@given(content=st.binary(max_size=200), purpose=st.text())
def test_any_content_of_any_purpose_is_opened_by_its_key(content: bytes, purpose: str) -> None:
    ring = Keyring([NEW_KEY, OLD_KEY])

    assert ring.open(ring.seal(content, purpose=purpose), purpose=purpose) == content
    assert ring.open(Keyring([OLD_KEY]).seal(content, purpose=purpose), purpose=purpose) == content


def test_sealed_content_opens_for_no_other_purpose() -> None:
    ring = Keyring([OLD_KEY])

    with pytest.raises(DataKeyError, match="file:2"):
        ring.open(ring.seal(b"a plan", purpose="file:1"), purpose="file:2")


def test_sealed_bytes_are_no_text_of_a_column() -> None:
    ring = Keyring([OLD_KEY])

    with pytest.raises(DataKeyError, match=PHONE):
        ring.decrypt(ring.seal(b"\xff\xfe", purpose=PHONE), column=PHONE)


# --- rotating keys ------------------------------------------------------------------------------


def test_a_value_of_an_older_key_is_read_and_written_anew_with_the_newest(
    database: Database,
) -> None:
    install_keyring(Keyring([OLD_KEY]))
    with database.transaction() as session:
        session.add(Note(id=1, phone="13800000000"))

    install_keyring(Keyring([NEW_KEY, OLD_KEY]))
    with database.transaction() as session:
        phone = session.get_one(Note, 1).phone
        session.execute(update(Note).values(phone=phone))

    install_keyring(Keyring([NEW_KEY]))
    with database.reading() as session:
        assert session.get_one(Note, 1).phone == "13800000000"


def test_a_value_of_a_dropped_key_is_an_error_that_names_the_column() -> None:
    sealed = Keyring([OLD_KEY]).encrypt("13800000000", column=PHONE)

    with pytest.raises(DataKeyError, match=PHONE):
        Keyring([NEW_KEY]).decrypt(sealed, column=PHONE)


def test_is_current_tells_what_is_left_to_encrypt_anew() -> None:
    rotating = Keyring([NEW_KEY, OLD_KEY])

    assert rotating.is_current(rotating.encrypt("x", column=PHONE))
    assert not rotating.is_current(Keyring([OLD_KEY]).encrypt("x", column=PHONE))


def test_a_row_with_an_older_hash_is_found_while_keys_rotate(database: Database) -> None:
    install_keyring(Keyring([OLD_KEY]))
    with database.transaction() as session:
        session.add(Note(id=1, phone_hash=lookup_hash("13800000000", column=PHONE)))
    install_keyring(Keyring([NEW_KEY, OLD_KEY]))
    with database.transaction() as session:
        session.add(Note(id=2, phone_hash=lookup_hash("13800000000", column=PHONE)))
        session.add(Note(id=3, phone_hash=lookup_hash("13900000000", column=PHONE)))

    hashes = keyring().lookup_hashes("13800000000", column=PHONE)
    with database.reading() as session:
        found = session.scalars(select(Note.id).where(Note.phone_hash.in_(hashes))).all()

    assert sorted(found) == [1, 2]


def test_the_hash_depends_on_value_column_and_key() -> None:
    old, new = Keyring([OLD_KEY]), Keyring([NEW_KEY])
    hashes = [
        ring.lookup_hashes(value, column=column)[0]
        for ring in (old, new)
        for value in ("1", "2")
        for column in ("a.b", "a.c")
    ]

    assert len(set(hashes)) == len(hashes)
    assert old.lookup_hashes("1", column="a.b") == Keyring([OLD_KEY]).lookup_hashes(
        "1", column="a.b"
    )


def test_the_hash_keeps_column_and_value_apart() -> None:
    ring = Keyring([OLD_KEY])

    assert ring.lookup_hashes("c1", column="a.b") != ring.lookup_hashes("1", column="a.bc")


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([], id="none"),
        pytest.param([b"x" * 31], id="short"),
        pytest.param([OLD_KEY, b"x" * 33], id="second-long"),
    ],
)
def test_a_keyring_refuses_keys_that_are_none(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(keys)


def test_asking_for_a_keyring_before_one_is_installed_is_a_bug(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "_keyrings", [])

    with pytest.raises(RuntimeError, match="install_keyring"):
        keyring()


def test_key_from_base64_reads_a_key_with_blanks_around_it() -> None:
    assert key_from_base64(" b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=\n") == OLD_KEY


@pytest.mark.parametrize("written", ["", "short", "b29v", "!" * 44, "b29v" * 20])
def test_key_from_base64_refuses_what_is_no_key(written: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|base64|padding|[Nn]on-base64"):
        key_from_base64(written)


# --- transactions -------------------------------------------------------------------------------


def test_a_transaction_is_committed_on_leaving(database: Database) -> None:
    with database.transaction() as session:
        session.add(Folder(id=1, name="a"))

    with database.reading() as session:
        assert session.get_one(Folder, 1).name == "a"


def test_a_transaction_is_rolled_back_on_any_exception(database: Database) -> None:
    def break_off() -> None:
        with database.transaction() as session:
            session.add(Folder(id=1, name="a"))
            session.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()

    with database.reading() as session:
        assert session.get(Folder, 1) is None


def test_what_was_stored_can_be_read_after_its_transaction(database: Database) -> None:
    with database.transaction() as session:
        folder = Folder(id=1, name="a")
        session.add(folder)

    assert folder.name == "a"


def _add(session: Session) -> None:
    session.add(Folder(id=2, name="b"))


def _change(session: Session) -> None:
    session.get_one(Folder, 1).name = "b"


def _delete(session: Session) -> None:
    session.delete(session.get_one(Folder, 1))


@pytest.mark.parametrize("change", [_add, _change, _delete])
def test_a_reading_session_refuses_to_write(
    database: Database, change: Callable[[Session], None]
) -> None:
    with database.transaction() as session:
        session.add(Folder(id=1, name="a"))

    with database.reading() as session:
        change(session)
        with pytest.raises(RuntimeError, match="asked to write"):
            session.flush()


def test_a_reader_does_not_wait_for_a_writer_and_sees_nothing_half_done(
    database: Database,
) -> None:
    with database.transaction() as writing:
        writing.add(Folder(id=1, name="a"))
        writing.flush()
        with database.reading() as reading:
            assert reading.get(Folder, 1) is None

    with database.reading() as reading:
        assert reading.get(Folder, 1) is not None


def test_readers_share_connections_one_after_another(database: Database) -> None:
    seen = set()
    for _ in range(3):
        with database.reading() as session:
            seen.add(id(session.connection()))
            assert session.get(Folder, 1) is None  # the mapper works on the same connection
            seen.add(id(session.connection()))

    assert len(seen) == 1


def test_readers_at_the_same_time_have_connections_of_their_own(database: Database) -> None:
    with database.reading() as one, database.reading() as other:
        assert one.connection() is not other.connection()


def test_a_broken_reader_is_not_used_again(database: Database) -> None:
    with database.reading() as one, database.reading() as other:
        broken = [one.connection(), other.connection()]
        one.connection().invalidate()

    with database.reading() as session:
        assert session.connection() not in broken[:1]
        assert session.scalar(select(1)) == 1


def test_two_transactions_that_read_and_then_write_both_succeed(database: Database) -> None:
    """On SQLite a deferred transaction would fail here at once, with "database is locked"."""
    with database.transaction() as session:
        session.add(Folder(id=1, name="0"))
    both_inside = threading.Barrier(2, timeout=5)
    failures: list[Exception] = []

    def count_up() -> None:
        try:
            both_inside.wait()
            for _ in range(20):
                with database.transaction() as session:
                    query = select(Folder).where(Folder.id == 1).with_for_update()
                    folder = session.scalars(query).one()
                    folder.name = str(int(folder.name) + 1)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test must tell
            failures.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    with database.reading() as session:
        assert session.get_one(Folder, 1).name == "40"


def test_a_second_sqlite_writer_waits_for_the_first(sqlite_database: Database) -> None:
    Sketch.metadata.create_all(sqlite_database.engine)
    first_holds_lock = threading.Event()
    times: dict[str, float] = {}

    def hold() -> None:
        with sqlite_database.transaction() as session:
            session.add(Folder(id=1, name="first"))
            session.flush()
            first_holds_lock.set()
            time.sleep(0.3)
            times["released"] = time.monotonic()

    holder = threading.Thread(target=hold)
    holder.start()
    assert first_holds_lock.wait(5)
    with sqlite_database.transaction() as session:
        assert session.get(Folder, 1) is not None
        times["entered"] = time.monotonic()
    holder.join()

    assert times["entered"] >= times["released"]


def test_a_sqlite_writer_gives_up_after_the_busy_timeout(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 50)
    impatient = Database(str(sqlite_database.url))

    with sqlite_database.transaction() as holding:
        holding.connection()
        with (
            pytest.raises(OperationalError, match="locked"),
            impatient.transaction() as session,
        ):
            session.connection()
    impatient.dispose()


# --- constraints --------------------------------------------------------------------------------


def test_a_foreign_key_that_points_nowhere_is_refused(database: Database) -> None:
    with (
        pytest.raises(IntegrityError),
        database.transaction() as session,
    ):
        session.add(Note(id=1, folder_id=99))


def test_constraints_have_the_names_that_errors_are_told_apart_by() -> None:
    folder, note = Folder.metadata.tables["test_folder"], Note.metadata.tables["test_note"]
    names = {str(rule.name) for table in (folder, note) for rule in table.constraints}

    assert names == {
        "pk_test_folder",
        "uq_test_folder_name",
        "ck_test_folder_named",
        "pk_test_note",
        "fk_test_note_folder_id_test_folder",
    }


@pytest.mark.parametrize("engine_name", ["engine", "read_engine"])
def test_sqlite_keeps_a_write_ahead_log_and_checks_foreign_keys(
    sqlite_database: Database, engine_name: str
) -> None:
    with getattr(sqlite_database, engine_name).connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }

    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000}


def test_postgres_sessions_speak_utc(postgres_database: Database) -> None:
    with postgres_database.engine.connect() as connection:
        assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_way_to_write_a_postgres_address_takes_the_same_driver(scheme: str) -> None:
    assert Database(f"{scheme}://host/name").url.drivername == "postgresql+psycopg"


# --- upsert -------------------------------------------------------------------------------------


def _upsert(session: Session, colour: str, *, update: list[str]) -> None:
    statement = upsert(session, Folder, keys=["name"], update=update)  # type: ignore[arg-type]
    session.execute(statement, [{"name": "a", "colour": colour}])


def test_upsert_adds_a_row_and_then_overwrites_what_it_was_told(database: Database) -> None:
    with database.transaction() as session:
        _upsert(session, "blue", update=["colour"])
        _upsert(session, "red", update=["colour"])

    with database.reading() as session:
        rows = session.execute(select(Folder.name, Folder.colour)).all()
    assert rows == [("a", "red")]


def test_upsert_without_columns_to_update_leaves_the_old_row(database: Database) -> None:
    with database.transaction() as session:
        _upsert(session, "blue", update=[])
        _upsert(session, "red", update=[])

    with database.reading() as session:
        rows = session.execute(select(Folder.name, Folder.colour)).all()
    assert rows == [("a", "blue")]
