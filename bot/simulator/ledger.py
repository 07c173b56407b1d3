"""What the platform remembers, in one SQLite file that several processes may use at once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

Desk: TypeAlias = sqlite3.Connection
"""An open transaction on the ledger."""

BUSY_SECONDS: Final = 10.0

TABLES: Final = (
    "setting",
    "token",
    "forced_refresh",
    "ticket",
    "code",
    "follower",
    "window",
    "template",
    "consent",
    "entry",
    "exchange",
    "menu",
    "scene_code",
    "fault",
    "call",
    "quota",
)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY, family TEXT NOT NULL, issued_at REAL NOT NULL,
    expires_at REAL NOT NULL, replaced_at REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forced_refresh (at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS ticket (
    kind TEXT PRIMARY KEY, ticket TEXT NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS code (
    code TEXT PRIMARY KEY, kind TEXT NOT NULL, openid TEXT NOT NULL,
    expires_at REAL NOT NULL, is_used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS follower (
    openid TEXT PRIMARY KEY, name TEXT NOT NULL, is_following INTEGER NOT NULL,
    followed_at REAL, scene TEXT NOT NULL DEFAULT '', unionid TEXT NOT NULL DEFAULT '',
    added_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS window (
    openid TEXT NOT NULL, act TEXT NOT NULL, until REAL NOT NULL, remaining INTEGER,
    PRIMARY KEY (openid, act)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS template (
    template_id TEXT PRIMARY KEY, channel TEXT NOT NULL, title TEXT NOT NULL,
    fields TEXT NOT NULL, choices TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consent (
    openid TEXT NOT NULL, template_id TEXT NOT NULL, remaining INTEGER NOT NULL,
    is_long_term INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (openid, template_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, channel TEXT NOT NULL,
    body TEXT NOT NULL, client_msg_id TEXT NOT NULL DEFAULT '', at REAL NOT NULL,
    is_reported INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS entry_openid ON entry (openid, id);
CREATE INDEX IF NOT EXISTS entry_client_msg_id ON entry (client_msg_id, openid);
CREATE TABLE IF NOT EXISTS exchange (
    id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, body TEXT NOT NULL,
    at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS exchange_openid ON exchange (openid, id);
CREATE TABLE IF NOT EXISTS menu (
    id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scene_code (
    ticket TEXT PRIMARY KEY, scene TEXT NOT NULL, is_permanent INTEGER NOT NULL,
    expires_at REAL, url TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, kind TEXT NOT NULL,
    value REAL NOT NULL, moment TEXT NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS call (
    path TEXT NOT NULL, day TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (path, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quota (
    path TEXT PRIMARY KEY, per_day INTEGER NOT NULL) WITHOUT ROWID;
"""


class Ledger:
    """The platform's memory.

    Attributes:
        path: the SQLite file; processes that name the same file see the same platform.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the file, and create what is missing in it.

        Args:
            path: the SQLite file; its folder is created.
            clock: seconds since the epoch; `advance` adds to it for every process.
        """
        self.path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._create()

    def _create(self) -> None:
        """Create the tables; processes that start together wait for each other."""
        desk = self._connect()
        try:
            give_up_at = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    desk.execute("PRAGMA journal_mode = WAL")
                    desk.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
                except sqlite3.OperationalError:
                    # A change of the journal mode does not wait for the busy timeout.
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.02)
                else:
                    return
        finally:
            desk.close()

    def _connect(self) -> Desk:
        desk = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        desk.row_factory = sqlite3.Row
        # Losing a made-up message in a power cut is no loss; waiting for the disk is.
        desk.execute("PRAGMA synchronous = OFF")
        return desk

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """Give one consistent view of the ledger."""
        desk = self._connect()
        try:
            desk.execute("BEGIN")
            yield desk
        finally:
            desk.close()

    @contextmanager
    def writing(self) -> Iterator[Desk]:
        """Give the ledger to one writer; an exception undoes what it wrote."""
        desk = self._connect()
        try:
            desk.execute("BEGIN IMMEDIATE")
            yield desk
            desk.execute("COMMIT")
        finally:
            # Closing rolls back whatever was not committed.
            desk.close()

    def now(self, desk: Desk) -> float:
        """Return the platform's time, seconds since the epoch."""
        return self._clock() + float(get_setting(desk, "clock_offset", "0"))

    def advance(self, seconds: float) -> None:
        """Let the platform's time jump ahead, in every process that uses this file.

        Args:
            seconds: how far; negative turns it back.
        """
        with self.writing() as desk:
            offset = float(get_setting(desk, "clock_offset", "0"))
            put_setting(desk, "clock_offset", repr(offset + seconds))

    def reset(self) -> None:
        """Forget everything."""
        with self.writing() as desk:
            for table in TABLES:
                desk.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant


def get_setting(desk: Desk, name: str, default: str) -> str:
    """Return a setting of the platform, or `default`."""
    row = desk.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return default if row is None else str(row["value"])


def put_setting(desk: Desk, name: str, value: str) -> None:
    """Keep a setting of the platform."""
    desk.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


def packed(value: object) -> str:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> Any:
    """Return the value of JSON that this ledger wrote."""
    return json.loads(text)
