"""Reading the folder of a study: communities, listed addresses and a district's cases by day."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.risk.study.outbreak import Outbreak
from core.risk.table import Flags, Floats, Integers

COMMUNITIES: Final = "communities.csv"
LISTINGS: Final = "community_day.parquet"
DISTRICT_DAYS: Final = "district_day.csv"
COMMUNITY_COLUMNS: Final = ("community_id", "district", "street", "lon", "lat")
LISTING_COLUMNS: Final = ("date", "community_id", "n_addresses")
SCREENED_COLUMNS: Final = ("asymptomatic_screening", "confirmed_screening")
POPULATION: Final = "pop_2020census"
DISTRICT_COLUMNS: Final = ("date", "district", "positive", *SCREENED_COLUMNS, POPULATION)
PER_100K: Final = 100_000
# A wrong date would ask for a table of centuries.
MAX_DAYS: Final = 1000
MAX_LONGITUDE: Final = 180.0
MAX_LATITUDE: Final = 89.0
MAX_ADDRESSES: Final = 1_000_000


class StudyRefusedError(Exception):
    """A folder that cannot be used, in a sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFolder:
    """What a folder holds.

    Attributes:
        outbreak: of all its communities.
        notes: what was left out, in sentences for the operator.
    """

    outbreak: Outbreak
    notes: tuple[str, ...]

    def choose(self, district: str | None) -> Flags:
        """Return which communities are of a district; all of them without one.

        Args:
            district: its name, or the beginning of only one name.

        Raises:
            StudyRefusedError: no community is of this district.
        """
        districts = self.outbreak.districts
        if district is None:
            return np.ones(self.outbreak.community_count, dtype=bool)
        meant = [name for name in districts if name == district] or [
            name for name in districts if district and name.startswith(district)
        ]
        if len(meant) != 1:
            raise StudyRefusedError(
                f"no district of {COMMUNITIES} is meant by {district or 'an empty name'}; "
                f"there are: {', '.join(districts)}"
            )
        chosen: Flags = self.outbreak.district_of == districts.index(meant[0])
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Communities:
    ids: Integers
    districts: tuple[str, ...]
    district_of: Integers
    street_of: Integers
    longitudes: Floats
    latitudes: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listings:
    """One row per community and day with listed addresses; places are those of the communities."""

    days: Integers
    places: Integers
    counts: Integers
    first_day: date
    last_day: date


def read_study(folder: Path) -> StudyFolder:
    """Return what a folder holds.

    Args:
        folder: with `communities.csv`, `community_day.parquet` and `district_day.csv`.

    Raises:
        StudyRefusedError: a file or column is missing, or a cell cannot be read; names the place.
    """
    if not folder.is_dir():
        raise StudyRefusedError(f"there is no folder {folder}")
    missing = [
        name for name in (COMMUNITIES, LISTINGS, DISTRICT_DAYS) if not (folder / name).is_file()
    ]
    if missing:
        raise StudyRefusedError(f"the folder {folder} has no {', '.join(missing)}")
    communities = _read_communities(folder / COMMUNITIES)
    notes: list[str] = []
    listings = _read_listings(folder / LISTINGS, communities, notes)
    rates = _read_rates(folder / DISTRICT_DAYS, communities.districts, listings, notes)
    day_count = (listings.last_day - listings.first_day).days + 1
    counts = np.zeros((day_count, len(communities.ids)), np.int32)
    counts[listings.days, listings.places] = listings.counts
    outbreak = Outbreak(
        first_day=listings.first_day,
        districts=communities.districts,
        district_of=communities.district_of,
        street_of=communities.street_of,
        longitudes=communities.longitudes,
        latitudes=communities.latitudes,
        address_counts=counts,
        positives_per_100k=rates[0],
        screened_per_100k=rates[1],
    )
    return StudyFolder(outbreak=outbreak, notes=tuple(notes))


# ---- communities ----------------------------------------------------------------------------


def _read_communities(path: Path) -> _Communities:
    rows = list(_rows_of(path, COMMUNITY_COLUMNS))
    if not rows:
        raise StudyRefusedError(f"{path.name} has no communities")
    ids = np.array([_whole(path, line, "community_id", row) for line, row in rows], np.int64)
    found, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        twice = found[counts > 1][0]
        raise StudyRefusedError(f"{path.name} has the community_id {twice} more than once")
    districts = tuple(sorted({row["district"] for _, row in rows}))
    streets = sorted({(row["district"], row["street"]) for _, row in rows if row["street"]})
    place_of = {street: place for place, street in enumerate(streets)}
    points = [
        (
            _degrees(path, line, "lon", row, limit=MAX_LONGITUDE),
            _degrees(path, line, "lat", row, limit=MAX_LATITUDE),
        )
        for line, row in rows
    ]
    return _Communities(
        ids=ids,
        districts=districts,
        district_of=np.array([districts.index(row["district"]) for _, row in rows], np.int64),
        street_of=np.array(
            [place_of.get((row["district"], row["street"]), -1) for _, row in rows], np.int64
        ),
        longitudes=np.array([longitude for longitude, _ in points]),
        latitudes=np.array([latitude for _, latitude in points]),
    )


def _rows_of(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield line number and cells of a CSV file; more columns than these may be there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, columns, reader.fieldnames or ())
            for row in reader:
                if None in row or any(row[name] is None for name in columns):
                    raise StudyRefusedError(
                        f"{path.name}, line {reader.line_num}: too many or too few cells"
                    )
                yield reader.line_num, {name: row[name].strip() for name in columns}
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise StudyRefusedError(f"{path.name} cannot be read: {error}") from error


def _check_columns(path: Path, columns: Sequence[str], found: Sequence[str]) -> None:
    missing = [name for name in columns if name not in found]
    if missing:
        raise StudyRefusedError(
            f"{path.name} lacks the column {', '.join(missing)}; it needs {', '.join(columns)}"
        )


def _refuse_cell(path: Path, line: int, column: str, cell: str) -> StudyRefusedError:
    return StudyRefusedError(f"{path.name}, line {line}: {column} cannot be {cell!r}")


def _whole(path: Path, line: int, column: str, row: Mapping[str, str]) -> int:
    try:
        return int(row[column])
    except ValueError as error:
        raise _refuse_cell(path, line, column, row[column]) from error


def _degrees(path: Path, line: int, column: str, row: Mapping[str, str], *, limit: float) -> float:
    cell = row[column]
    if not cell:
        return math.nan
    number = _number(path, line, column, row)
    if abs(number) > limit:
        raise _refuse_cell(path, line, column, cell)
    return number


def _number(path: Path, line: int, column: str, row: Mapping[str, str]) -> float:
    try:
        number = float(row[column])
    except ValueError as error:
        raise _refuse_cell(path, line, column, row[column]) from error
    if not math.isfinite(number):
        raise _refuse_cell(path, line, column, row[column])
    return number


# ---- listed addresses -----------------------------------------------------------------------

_COLUMNS: Final = "SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))"
_LISTINGS: Final = """
    SELECT TRY_CAST("date" AS DATE) AS day,
           TRY_CAST(community_id AS BIGINT) AS community_id,
           max(TRY_CAST(n_addresses AS BIGINT)) AS address_count,
           count(*) AS row_count,
           bool_or(coalesce(TRY_CAST(n_addresses AS BIGINT) NOT BETWEEN 0 AND ?, true)) AS is_wrong
    FROM read_parquet(?)
    GROUP BY 1, 2
    ORDER BY 1, 2
"""


def _read_listings(path: Path, communities: _Communities, notes: list[str]) -> _Listings:
    columns = _fetch(path)
    wrong = (
        np.asarray(columns["is_wrong"])
        | _is_null(columns["day"])
        | _is_null(columns["community_id"])
    )
    if wrong.any():
        raise StudyRefusedError(
            f"{path.name}: {wrong.sum()} rows have a {', '.join(LISTING_COLUMNS)} "
            f"that is none, or a count below 0"
        )
    repeated = int((columns["row_count"] - 1).sum())
    if repeated:
        notes.append(f"{path.name}: {repeated} rows repeat a day and community; the largest counts")
    days = np.asarray(columns["day"]).astype("datetime64[D]")
    if not len(days):
        raise StudyRefusedError(f"{path.name} has no rows")
    first_day, last_day = days.min().item(), days.max().item()
    if (last_day - first_day).days >= MAX_DAYS:
        raise StudyRefusedError(
            f"{path.name} runs from {first_day} to {last_day}: more than {MAX_DAYS} days"
        )
    order = np.argsort(communities.ids)
    sorted_ids = communities.ids[order]
    ids = np.asarray(columns["community_id"]).astype(np.int64)
    at = np.minimum(np.searchsorted(sorted_ids, ids), len(sorted_ids) - 1)
    known = sorted_ids[at] == ids
    if not known.all():
        notes.append(
            f"{path.name}: {(~known).sum()} rows of communities that {COMMUNITIES} lacks "
            f"are left out"
        )
    return _Listings(
        days=(days - days.min()).astype(np.int64)[known],
        places=order[at][known],
        counts=np.asarray(columns["address_count"])[known].astype(np.int64),
        first_day=first_day,
        last_day=last_day,
    )


def _fetch(path: Path) -> Mapping[str, Any]:
    """Return the columns of the listings as arrays."""
    # Loaded for a study alone: it is large, and whoever only imports this file has no use for it.
    import duckdb

    # Nothing is fetched from anywhere: the reader of Parquet is built in.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        with duckdb.connect(config=config) as connection:
            found = [name for (name,) in connection.execute(_COLUMNS, [str(path)]).fetchall()]
            _check_columns(path, LISTING_COLUMNS, found)
            columns: Mapping[str, Any] = connection.execute(
                _LISTINGS, [MAX_ADDRESSES, str(path)]
            ).fetchnumpy()
    except duckdb.Error as error:
        raise StudyRefusedError(
            f"{path.name} cannot be read: {str(error).splitlines()[0]}"
        ) from error
    return columns


def _is_null(column: Any) -> Flags:
    """Return where a column has no value: what has none is masked, and a day may be NaT."""
    is_null: Flags = np.ma.getmaskarray(column)
    if np.issubdtype(column.dtype, np.datetime64):
        is_null = is_null | np.isnat(np.ma.getdata(column))
    return is_null


# ---- districts ------------------------------------------------------------------------------


def _read_rates(
    path: Path, districts: tuple[str, ...], listings: _Listings, notes: list[str]
) -> tuple[Floats, Floats]:
    """Return positives and screened per 100,000 people, by day and district."""
    day_count = (listings.last_day - listings.first_day).days + 1
    positives = np.full((day_count, len(districts)), np.nan)
    screened = positives.copy()
    for line, row in _rows_of(path, DISTRICT_COLUMNS):
        day = _day(path, line, row)
        population = _count(path, line, POPULATION, row)
        if population == 0:
            raise _refuse_cell(path, line, POPULATION, row[POPULATION])
        found = [_count(path, line, name, row) for name in ("positive", *SCREENED_COLUMNS)]
        if row["district"] in districts and timedelta(0) <= day - listings.first_day:
            index = (day - listings.first_day).days
            if index < day_count:
                at = index, districts.index(row["district"])
                positives[at] = found[0] / population * PER_100K
                screened[at] = sum(found[1:]) / population * PER_100K
    silent = [
        name for name, is_one in zip(districts, np.isnan(positives).all(0), strict=True) if is_one
    ]
    if silent:
        notes.append(f"{path.name} says nothing of {', '.join(silent)}")
    return positives, screened


def _count(path: Path, line: int, column: str, row: Mapping[str, str]) -> float:
    """Return a number from 0 on; NaN for an empty cell, which is not 0."""
    if not row[column]:
        return math.nan
    number = _number(path, line, column, row)
    if number < 0:
        raise _refuse_cell(path, line, column, row[column])
    return number


def _day(path: Path, line: int, row: Mapping[str, str]) -> date:
    try:
        return date.fromisoformat(row["date"])
    except ValueError as error:
        raise _refuse_cell(path, line, "date", row["date"]) from error
