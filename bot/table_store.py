"""Short-lived state in the application's own database, for an installation without Redis.

Every method that writes is a short transaction of its own, apart from the business transaction: a
claim must be seen by other processes while the message is still in work. Those that only read wait
for no writer. Statements are built once: building one costs more than running it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from sqlalchemy import (
    BindParameter,
    Connection,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.store import (
    ANSWERED,
    KEEP_SECONDS,
    LATE,
    LATE_LEASE_SECONDS,
    LEASE_SECONDS,
    STATE_SECONDS,
    WORKING,
    Claim,
    ClaimState,
    Store,
    StoreUnavailableError,
    Window,
    claim_of,
    window_of,
)
from core.db import Database
from core.state.model import StateCounter, StateItem, StateMessage

log = structlog.get_logger()

_ITEM: Final = StateItem.__table__
_MESSAGE: Final = StateMessage.__table__
_COUNTER: Final = StateCounter.__table__
_NOW: Final[BindParameter[Any]] = bindparam("now")

_FIND_MESSAGE: Final = select(_MESSAGE.c.reply, _MESSAGE.c.expires_at).where(
    _MESSAGE.c.key == bindparam("key")
)
_FORGET_DEAD: Final = delete(StateMessage).where(
    _MESSAGE.c.key == bindparam("of_key"), _MESSAGE.c.expires_at <= _NOW
)
_EARLIEST: Final = (
    select(_MESSAGE.c.key)
    .where(
        _MESSAGE.c.openid == bindparam("openid"),
        _MESSAGE.c.expires_at > _NOW,
        ~_MESSAGE.c.reply.startswith(ANSWERED),
    )
    .order_by(_MESSAGE.c.id)
    .limit(1)
)
_RENEW: Final = (
    update(StateMessage)
    .where(_MESSAGE.c.key == bindparam("of_key"), _MESSAGE.c.reply == bindparam("of_reply"))
    .values(reply=bindparam("reply"), expires_at=bindparam("expires_at"))
)
_IS_OWN: Final = or_(
    _MESSAGE.c.reply == bindparam("of_working"),
    _MESSAGE.c.reply == bindparam("of_late"),
    _MESSAGE.c.expires_at <= _NOW,
)
# PostgreSQL shows a transaction nothing of another that has not ended: two messages of one person
# that arrive together would each find itself the earliest.
_STAND_IN_LINE: Final = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("openid"), 0))
)
_GET: Final = select(_ITEM.c.value).where(
    _ITEM.c.key == bindparam("key"), _ITEM.c.expires_at > _NOW
)
_FORGET: Final = delete(StateItem).where(_ITEM.c.key == bindparam("of_key"))
_FORGET_THIS: Final = _FORGET.where(_ITEM.c.value == bindparam("of_value"))
_FORGET_OLD: Final = _FORGET.where(_ITEM.c.expires_at <= _NOW)
_ADD: Final = (
    update(StateCounter)
    .where(_COUNTER.c.key == bindparam("of_key"))
    .values(number=_COUNTER.c.number + bindparam("by"))
    .returning(_COUNTER.c.number)
)
_SWEEPS: Final = tuple(
    delete(table).where(table.expires_at <= _NOW)
    for table in (StateMessage, StateItem, StateCounter)
)


class TableStore(Store):
    """State in three tables; rows carry their end and are swept by the worker."""

    def __init__(self, database: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Use the given database.

        Args:
            database: the application's own.
            lease_seconds: after which the message of a dead worker is free.
        """
        self._lease_seconds = lease_seconds
        self._engine = database.engine
        self._read_engine = database.read_engine
        # SQLite lets one transaction write at a time.
        self._needs_line = self._engine.dialect.name == "postgresql"
        make: Any = postgresql if self._needs_line else sqlite
        message, item = make.insert(StateMessage), make.insert(StateItem)
        self._insert_message = message.on_conflict_do_nothing(index_elements=["key"]).returning(
            literal_column("1")
        )
        self._put_message = message.on_conflict_do_update(
            index_elements=["key"],
            set_={name: message.excluded[name] for name in ("reply", "expires_at")},
            where=_IS_OWN,
        ).returning(literal_column("1"))
        self._insert_item = item.on_conflict_do_nothing(index_elements=["key"]).returning(
            literal_column("1")
        )
        self._put_item = item.on_conflict_do_update(
            index_elements=["key"],
            set_={name: item.excluded[name] for name in ("value", "expires_at")},
        )
        self._insert_counter = make.insert(StateCounter).on_conflict_do_nothing(
            index_elements=["key"]
        )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._reported(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._reported(), self._read_engine.connect() as connection:
            yield connection

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("store unavailable", store="database", error=type(error).__name__)
            raise StoreUnavailableError("database") from error

    def claim(self, key: str, openid: str, *, owner: str, window: Window | None = None) -> Claim:  # noqa: D102
        now = time.time()
        row = {
            "key": key,
            "openid": openid,
            "reply": WORKING + owner,
            "expires_at": now + self._lease_seconds,
        }
        with self._transaction() as connection:
            if self._needs_line:
                connection.execute(_STAND_IN_LINE, {"openid": openid})
            if connection.execute(self._insert_message, row).first() is None:
                seen = connection.execute(_FIND_MESSAGE, {"key": key}).first()
                if seen is not None and seen.expires_at > now:
                    return claim_of(seen.reply, owner) or self._turn(connection, key, openid, now)
                if not self._take_over(connection, row, now):
                    return Claim(ClaimState.WORKING)
            if window is not None:
                self._open_window(connection, openid, window, now)
            return self._turn(connection, key, openid, now)

    def check(self, key: str, openid: str, *, owner: str) -> Claim:  # noqa: D102
        now = time.time()
        row = {"reply": WORKING + owner, "expires_at": now + self._lease_seconds}
        with self._transaction() as connection:
            if self._needs_line:
                connection.execute(_STAND_IN_LINE, {"openid": openid})
            seen = connection.execute(_FIND_MESSAGE, {"key": key}).first()
            if seen is not None and seen.expires_at > now:
                known = claim_of(seen.reply, owner)
                if known is not None:
                    return known
                # A late one has its longer lease already.
                connection.execute(_RENEW, {"of_key": key, "of_reply": row["reply"], **row})
            elif not self._take_over(connection, {"key": key, "openid": openid, **row}, now):
                return Claim(ClaimState.WORKING)
            return self._turn(connection, key, openid, now)

    def _take_over(self, connection: Connection, row: dict[str, Any], now: float) -> bool:
        """Claim a message whose owner died; it comes behind what the person sent since."""
        connection.execute(_FORGET_DEAD, {"of_key": row["key"], "now": now})
        return connection.execute(self._insert_message, row).first() is not None

    @staticmethod
    def _turn(connection: Connection, key: str, openid: str, now: float) -> Claim:
        if connection.execute(_EARLIEST, {"openid": openid, "now": now}).scalar() != key:
            return Claim(ClaimState.QUEUED)
        memory = connection.execute(_GET, {"key": f"person:{openid}", "now": now}).scalar()
        return Claim(ClaimState.MINE, memory=memory or "")

    def extend(self, key: str, *, owner: str) -> None:  # noqa: D102
        values = {
            "of_key": key,
            "of_reply": WORKING + owner,
            "reply": LATE + owner,
            "expires_at": time.time() + LATE_LEASE_SECONDS,
        }
        with self._transaction() as connection:
            connection.execute(_RENEW, values)

    def finish(  # noqa: D102
        self, key: str, openid: str, *, owner: str, answer: str, memory: str | None
    ) -> None:
        now = time.time()
        row = {
            "key": key,
            "openid": openid,
            "reply": ANSWERED + answer,
            "expires_at": now + KEEP_SECONDS,
            "of_working": WORKING + owner,
            "of_late": LATE + owner,
            "now": now,
        }
        with self._transaction() as connection:
            if connection.execute(self._put_message, row).first() is None:
                return
            if memory:
                self._put(connection, f"person:{openid}", memory, now + STATE_SECONDS)
            elif memory is not None:
                connection.execute(_FORGET, {"of_key": f"person:{openid}"})

    def _put(self, connection: Connection, key: str, value: str, expires_at: float) -> None:
        row = {"key": key, "value": value, "expires_at": expires_at}
        connection.execute(self._put_item, row)

    def get(self, key: str) -> str | None:  # noqa: D102
        with self._reading() as connection:
            return connection.execute(_GET, {"key": key, "now": time.time()}).scalar()

    def put(self, key: str, value: str, *, seconds: float) -> None:  # noqa: D102
        with self._transaction() as connection:
            self._put(connection, key, value, time.time() + seconds)

    def put_new(self, key: str, value: str, *, seconds: float) -> bool:  # noqa: D102
        now = time.time()
        row = {"key": key, "value": value, "expires_at": now + seconds}
        with self._transaction() as connection:
            connection.execute(_FORGET_OLD, {"of_key": key, "now": now})
            return connection.execute(self._insert_item, row).first() is not None

    def delete(self, key: str, *, value: str | None = None) -> None:  # noqa: D102
        with self._transaction() as connection:
            if value is None:
                connection.execute(_FORGET, {"of_key": key})
            else:
                connection.execute(_FORGET_THIS, {"of_key": key, "of_value": value})

    def hit(self, name: str, *, limit: int, seconds: int) -> bool:  # noqa: D102
        now = time.time()
        key = f"hit:{name}:{int(now) // seconds}"
        return self._add(key, 1, expires_at=now + seconds + 1) <= limit

    def count(self, name: str, by: int = 1) -> int:  # noqa: D102
        return self._add(f"count:{name}", by, expires_at=None)

    def _add(self, key: str, by: int, *, expires_at: float | None) -> int:
        with self._transaction() as connection:
            connection.execute(
                self._insert_counter, {"key": key, "number": 0, "expires_at": expires_at}
            )
            return int(connection.execute(_ADD, {"of_key": key, "by": by}).scalar_one())

    def _open_window(self, connection: Connection, openid: str, window: Window, now: float) -> None:
        key = f"window:{openid}"
        old = window_of(connection.execute(_GET, {"key": key, "now": now}).scalar())
        if old is None or old.until <= window.until:
            self._put(connection, key, f"{window.until}|{window.left}", window.until)

    def window(self, openid: str) -> Window | None:  # noqa: D102
        return window_of(self.get(f"window:{openid}"))

    def spend_window(self, openid: str) -> None:  # noqa: D102
        key, now = f"window:{openid}", time.time()
        with self._transaction() as connection:
            query = _GET.with_for_update()
            window = window_of(connection.execute(query, {"key": key, "now": now}).scalar())
            if window is not None:
                value = f"{window.until}|{max(window.left - 1, 0)}"
                self._put(connection, key, value, window.until)

    def ping(self) -> None:  # noqa: D102
        with self._transaction() as connection:
            connection.execute(select(1))

    def sweep(self) -> int:  # noqa: D102
        with self._transaction() as connection:
            return sum(
                connection.execute(sweep, {"now": time.time()}).rowcount for sweep in _SWEEPS
            )
