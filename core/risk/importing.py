"""Importing indicator values: one row per day, community and indicator."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.db import upsert
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    code_in,
    day_in,
    number_in,
    shown,
)
from core.places.model import Community
from core.risk.model import IndicatorValue
from core.risk.rules import UNIT_MAXIMUM, Indicator, ModelVersion
from core.risk.turns import stand_in_line
from core.risk.versions.service import challengers, champion

INDICATOR_COLUMNS: Final = ("day", "community_code", "indicator", "value")

BATCH_ROWS: Final = 5000
MAX_COUNT: Final = 1e9
# What a file says stands over what was computed, and has no parts of its own.
IMPORTED: Final = "imported"
APPEAL: Final = "appeal"
_KEYS: Final = ("day", "community_id", "indicator")
_RESULTS: Final = ("value", "origin", "numerator", "denominator")

_Key: TypeAlias = tuple[int, str]


def import_indicators(
    session: Session,
    rows: Iterable[ImportRow],
    *,
    now: datetime,
    version: ModelVersion | None = None,
) -> ImportOutcome:
    """Store the indicator values of a file; a value that is known is replaced.

    One that was won in an appeal stays, and counts as unchanged.

    Args:
        session: the session of the import.
        rows: with the columns `INDICATOR_COLUMNS`.
        now: aware instant; later days than its own are refused.
        version: whose indicators may occur; without one the champion of today and the challengers.

    Returns:
        Counts, refused rows, and the days to be scored again.
    """
    # Before the first value is written: an appeal takes its turn first, and the values after it.
    stand_in_line(session)
    today = day_of(now)
    versions = (
        [version] if version else [*challengers(session, day=today), champion(session, day=today)]
    )
    reader = _Reader(session, versions=versions, latest=today)
    writer = _Writer(session)
    outcome = ImportOutcome()
    for row in rows:
        try:
            writer.take(reader.value_of(row), row.line, outcome)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
    writer.flush()
    return outcome


class _Reader:
    """Turns rows into values that are known to be possible."""

    def __init__(self, session: Session, *, versions: Iterable[ModelVersion], latest: date) -> None:
        communities = session.execute(select(Community.code, Community.id))
        self._communities = dict(communities.all())
        self._indicators = {one.code: one for version in versions for one in version.indicators}
        self._latest = latest
        self._days: dict[str, date] = {}

    def value_of(self, row: ImportRow) -> tuple[date, _Key, float]:
        """Return day, key and value of a row.

        Raises:
            RowRefusedError: a cell that cannot be used.
        """
        day = self._day_in(row)
        community_id = self._community_in(row)
        indicator = self._indicators.get(row.cells["indicator"])
        if indicator is None:
            raise RowRefusedError("indicator_unknown", value=shown(row.cells["indicator"]))
        return day, (community_id, indicator.code), _value_in(row, indicator)

    def _day_in(self, row: ImportRow) -> date:
        # A file repeats a day thousands of times.
        cell = row.cells["day"]
        day = self._days.get(cell)
        if day is None:
            day = self._days[cell] = day_in(row, "day", latest=self._latest)
        return day

    def _community_in(self, row: ImportRow) -> int:
        community_id = self._communities.get(row.cells["community_code"])
        if community_id is None or "community_code" in row.numbers:
            code = code_in(row, "community_code", max_length=32)
            raise RowRefusedError("community_unknown", value=shown(code))
        return community_id


def _value_in(row: ImportRow, indicator: Indicator) -> float:
    maximum = UNIT_MAXIMUM.get(indicator.unit, MAX_COUNT)
    value = number_in(row, "value", minimum=0, maximum=maximum)
    if value is None:
        raise RowRefusedError("cell_empty", column="value")
    return value


class _Writer:
    """Compares values with the stored ones of their day, and writes those that differ."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stored: dict[date, dict[_Key, tuple[float, str]]] = {}
        self._lines: dict[tuple[date, _Key], int] = {}
        self._rows: list[dict[str, Any]] = []

    def take(self, entry: tuple[date, _Key, float], line: int, outcome: ImportOutcome) -> None:
        """Count a value, and write it if it is new.

        Raises:
            RowRefusedError: an earlier line of the file gave this value.
        """
        day, key, value = entry
        first = self._lines.setdefault((day, key), line)
        if first != line:
            raise RowRefusedError("value_twice", first=first)
        known = self._stored_on(day).get(key)
        # What three people agreed on does not go because a file is imported again.
        if known == (value, IMPORTED) or (known is not None and known[1] == APPEAL):
            outcome.unchanged_count += 1
            return
        if known is None:
            outcome.created_count += 1
        else:
            outcome.updated_count += 1
        outcome.days.add(day)
        community_id, indicator = key
        self._rows.append(
            {
                "day": day,
                "community_id": community_id,
                "indicator": indicator,
                "value": value,
                "origin": IMPORTED,
                "numerator": None,
                "denominator": None,
            }
        )
        if len(self._rows) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        if self._rows:
            statement = upsert(self._session, IndicatorValue, keys=_KEYS, update=_RESULTS)
            self._session.connection().execute(statement, self._rows)
            self._rows = []

    def _stored_on(self, day: date) -> dict[_Key, tuple[float, str]]:
        stored = self._stored.get(day)
        if stored is None:
            table = IndicatorValue.__table__.c
            rows = self._session.execute(
                select(table.community_id, table.indicator, table.value, table.origin).where(
                    table.day == day
                )
            )
            stored = self._stored[day] = {
                (community_id, indicator): (value, origin)
                for community_id, indicator, value, origin in rows
            }
        return stored
