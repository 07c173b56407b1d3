"""PostgreSQL databases for single tests: empty ones, and migrated ones that are cheap to renew."""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

LOANS: Final = 50  # deleted rows are never vacuumed here: a database is replaced before they weigh

_STRUCTURE: Final = """
    SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
"""
_ROWS: Final = """
    DO $$
    DECLARE name text;
    BEGIN
        SET LOCAL session_replication_role = replica;  -- foreign keys are not looked at
        SET LOCAL lock_timeout = '1s';
        FOR name IN
            SELECT relname FROM pg_class WHERE relkind = 'r'
            AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
        LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
        PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL;
    END $$
"""


class PostgresDatabases:
    """Makes databases on a server and removes them again."""

    def __init__(self, server_url: str, *, prefix: str) -> None:
        self._server_url = server_url
        self._prefix = prefix
        self._count = 0
        self._connection = psycopg.connect(server_url, autocommit=True)

    def create(self, *, template: str = "") -> str:
        """Create a database and return its address.

        Args:
            template: address of the database to copy, which nobody may be using.
        """
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        if template:
            self._execute("CREATE DATABASE {} TEMPLATE {}", name, _database_of(template))
        else:
            self._execute("CREATE DATABASE {}", name)
        return self._server_url.replace("@/postgres?", f"@/{name}?")

    def drop(self, url: str) -> None:
        """Remove a database, cutting off whoever still uses it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", _database_of(url))

    def close(self) -> None:
        """Close the connection that all this is done by."""
        self._connection.close()

    def _execute(self, statement: LiteralString, *names: str) -> None:
        identifiers = [sql.Identifier(name) for name in names]
        self._connection.execute(sql.SQL(statement).format(*identifiers))


class MigratedDatabases:
    """Lends copies of a migrated database.

    A copy takes ten times as long as emptying the tables of the last one, so a copy is lent again
    as long as a test did no more to it than fill tables.
    """

    def __init__(self, databases: PostgresDatabases, *, template: str) -> None:
        self._databases = databases
        self._template = template
        with psycopg.connect(template, autocommit=True) as connection:
            self._structure = _structure_of(connection)
            self._is_renewable = not _has_rows(connection, self._structure)
        self._spare = ""
        self._loans = 0

    def lend(self) -> str:
        """Return the address of a database as the migrations leave it."""
        url, self._spare = self._spare, ""
        if not url:
            url, self._loans = self._databases.create(template=self._template), 0
        self._loans += 1
        return url

    def take_back(self, url: str) -> None:
        """Renew a database for the next test, or remove it."""
        if self._is_renewable and self._loans < LOANS and not self._spare and self._renew(url):
            self._spare = url
        else:
            self._databases.drop(url)

    def _renew(self, url: str) -> bool:
        """Return whether emptying the tables was all that had to be done."""
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(_ROWS)
                return _structure_of(connection) == self._structure
        except psycopg.Error:
            return False  # a test left a lock, or changed what cannot be emptied


def _structure_of(connection: psycopg.Connection) -> list[str]:
    row = connection.execute(_STRUCTURE).fetchone()
    return row[0] or [] if row else []


def _has_rows(connection: psycopg.Connection, tables: list[str]) -> bool:
    """Return whether the migrations themselves store rows, which emptying would lose."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)", [tables]
    )
    names = [row[0] for row in rows if row[0] != "alembic_version"]
    return any(
        connection.execute(
            sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(name))
        ).fetchone()
        for name in names
    )


def _database_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])
