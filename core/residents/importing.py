"""Importing the register of actual population: who lives where, since when, born in which year.

Of an identifier a keyed hash is stored, and no report, log line or error has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.bulk import Writer, opened
from core.clock import day_of
from core.db import keyring
from core.importing import (
    FileRefusedError,
    ImportOutcome,
    ImportRow,
    Manifest,
    Rejection,
    RowRefusedError,
    day_in,
    text_in,
    whole_in,
)
from core.places.model import Community
from core.residents.model import PLACE_COLUMN
from core.residents.placing import NOWHERE, Placer, Placing
from core.residents.rules import (
    FEW_MISSING,
    MAX_AGE_YEARS,
    MAX_MISSING_SHARE,
    MAX_PERSON_ID,
    MAX_PLACE,
    most_new_for,
    person_key_of,
)
from core.residents.service import REGISTER, place_hash_of, reseal_places
from core.residents.staging import (
    OLDER_KEYS,
    PLANNED,
    REFUSED,
    STAGED,
    Done,
    PersonKeys,
    apply,
    count_known,
    count_unnamed,
    duplicates,
    end_unnamed,
    lines_unplaced,
)

RESIDENT_COLUMNS: Final = ("person_id", "community_code")
RESIDENT_OPTIONAL_COLUMNS: Final = ("community", "birth_year", "birth_date", "since")

ACTOR: Final = "operator:import"
UNPLACED: Final = "unplaced"
UNNAMED: Final = "unnamed"
ENDED: Final = "ended"

_STAGED_COLUMNS: Final = tuple(column.name for column in STAGED.columns)


def import_residents(
    session: Session,
    rows: Iterable[ImportRow],
    *,
    now: datetime,
    manifest: Manifest | None = None,
) -> ImportOutcome:
    """Take in the people of a file; who lives elsewhere now has moved, nobody is removed.

    A code that is not known, or an empty one, is looked for by the words of `community`; whoever
    cannot be placed is kept without a community, as work for an officer. Somebody new lives there
    from the beginning if the file does not say since when; who moved, from the day of import.

    Args:
        session: the session of the import.
        rows: with the columns `RESIDENT_COLUMNS`, perhaps `RESIDENT_OPTIONAL_COLUMNS`.
        now: aware instant; later days than its own are refused.
        manifest: what the sender says of the file: of a full one, those whom it does not name
            are counted; with `is_missing_ended`, their residences end.

    Returns:
        Counts and refused rows; under `UNPLACED` the lines of those without a community. The
        writes are a fixed number of statements for any size.

    Raises:
        FileRefusedError: too many would be ended for a file that is whole, or are new.
    """
    manifest = manifest or Manifest()
    outcome, today = ImportOutcome(), day_of(now)
    reseal_places(session)
    known_count = count_known(session)
    with opened(session, STAGED, REFUSED, PLANNED, OLDER_KEYS):
        reader = _Reader(session, today=today)
        reader.read(rows, outcome)
        outcome.rejections += [
            Rejection(line, "person_twice", {"first": first}) for line, first in duplicates(session)
        ]
        _count(outcome, apply(session, today=today, now=now), row_count=reader.count)
        _check_new(outcome, manifest=manifest, known_count=known_count)
        outcome.findings[UNPLACED] = [str(line) for line in lines_unplaced(session)]
        if manifest.is_full or manifest.is_missing_ended:
            _look_for_unnamed(session, outcome, manifest=manifest, today=today)
    _record(session, outcome, now=now)
    return outcome


def _count(outcome: ImportOutcome, done: Done, *, row_count: int) -> None:
    outcome.created_count, outcome.updated_count = done.created_count, done.updated_count
    changed = done.created_count + done.updated_count
    outcome.unchanged_count = row_count - len(outcome.rejections) - changed
    fields = {"community": done.moved_count, "birth_year": done.born_count}
    outcome.field_counts.update({name: count for name, count in fields.items() if count})


def _check_new(outcome: ImportOutcome, *, manifest: Manifest, known_count: int) -> None:
    """Check that the people of a file are not those of the register under another spelling.

    Raises:
        FileRefusedError: so many are new that they may be.
    """
    count, most = outcome.created_count, most_new_for(known_count)
    if most is not None and count > most and not manifest.is_size_accepted:
        raise FileRefusedError(0, "too_many_new", count=count, known=known_count, max=most)


def _look_for_unnamed(
    session: Session, outcome: ImportOutcome, *, manifest: Manifest, today: date
) -> None:
    """Count who stands in the register and is not in a full file; end that only if asked to.

    Raises:
        FileRefusedError: asked to, but they are too many for a file that is whole.
    """
    count = count_unnamed(session)
    if not manifest.is_missing_ended:
        outcome.tallies[UNNAMED] = count
        return
    named = outcome.created_count + outcome.updated_count + outcome.unchanged_count
    most = max(FEW_MISSING, round((count + named) * MAX_MISSING_SHARE))
    if count > most and not manifest.is_size_accepted:
        raise FileRefusedError(0, "too_many_missing", count=count, max=most)
    outcome.tallies[ENDED] = end_unnamed(session, today=today)


def _record(session: Session, outcome: ImportOutcome, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=ACTOR,
        action="residents_imported",
        subject=REGISTER,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
        unplaced=len(outcome.findings[UNPLACED]),
        ended=outcome.tallies[ENDED],
    )


# ---- reading a row --------------------------------------------------------------------------


def person_in(row: ImportRow) -> str:
    """Return the one spelling of the identifier of a row's person.

    Raises:
        RowRefusedError: empty, too long, or a number in a spreadsheet, whose last digits are
            lost; the report never has it.
    """
    key = person_key_of(row.cells["person_id"])
    if not key:
        raise RowRefusedError("cell_empty", column="person_id")
    if len(key) > MAX_PERSON_ID:
        raise RowRefusedError("person_id_too_long", column="person_id", max=MAX_PERSON_ID)
    if "person_id" in row.numbers:
        raise RowRefusedError("document_is_number", column="person_id")
    return key


def community_ids(session: Session) -> dict[str, int]:
    """Return the ids of all communities by code."""
    return dict(session.execute(select(Community.code, Community.id)).all())


class _Reader:
    """Reads rows into the staged table."""

    def __init__(self, session: Session, *, today: date) -> None:
        self._communities = community_ids(session)
        self._placer = Placer(session)
        self._keys = PersonKeys(session)
        self._writer = Writer(session, STAGED, _STAGED_COLUMNS)
        self._refused = Writer(session, REFUSED, ("id_hash",))
        self.count = 0
        self._today = today
        self._years: dict[str, int | None] = {}
        self._days: dict[str, date] = {}

    def read(self, rows: Iterable[ImportRow], outcome: ImportOutcome) -> None:
        """Stage every row; those that are refused are added to the outcome."""
        for row in rows:
            self.count += 1
            id_hash = b""
            try:
                id_hash = self._keys.hash_of(person_in(row))
                birth_year = self._birth_year_in(row)
                since = self._since_in(row, birth_year=birth_year)
                place = self._place_in(row)
            except RowRefusedError as refused:
                outcome.rejections.append(refused.at(row.line))
                if id_hash:
                    self._refused.add(id_hash)
                continue
            self._writer.add(row.line, id_hash, birth_year, *place, since)
        self._writer.flush()
        self._refused.flush()
        self._keys.renew()

    def _place_in(self, row: ImportRow) -> tuple[Any, ...]:
        """Return community, words, their hash, and where they point to."""
        code = row.cells.get("community_code", "")
        known = self._communities.get(code)
        if known is not None and "community_code" not in row.numbers:
            return known, None, None, None, None
        words = text_in(row, "community", max_length=MAX_PLACE, is_required=False)
        placing = self._placer.place(words) if words else NOWHERE
        return self._written(
            placing,
            words or text_in(row, "community_code", max_length=MAX_PLACE, is_required=False),
        )

    def _written(self, placing: Placing, words: str) -> tuple[Any, ...]:
        if placing.community_id is not None or not words:
            return placing.community_id, None, None, None, None
        sealed = keyring().encrypt(words, column=PLACE_COLUMN)
        hashed = place_hash_of(words)
        return None, sealed, hashed, placing.likely_id, placing.likely_street_id

    def _birth_year_in(self, row: ImportRow) -> int | None:
        year = self._year_in(row)
        if not row.cells.get("birth_date"):
            return year
        born_on = day_in(row, "birth_date", latest=self._today)
        if year is not None and year != born_on.year:
            raise RowRefusedError("birth_year_differs")
        if born_on.year < self._today.year - MAX_AGE_YEARS:
            raise RowRefusedError("birth_too_early", column="birth_date")
        return born_on.year

    def _year_in(self, row: ImportRow) -> int | None:
        cell = row.cells.get("birth_year", "")
        if cell in self._years:
            return self._years[cell]
        year = self._years[cell] = whole_in(
            row,
            "birth_year",
            minimum=self._today.year - MAX_AGE_YEARS,
            maximum=self._today.year,
        )
        return year

    def _since_in(self, row: ImportRow, *, birth_year: int | None) -> date | None:
        cell = row.cells.get("since", "")
        if not cell:
            return None
        since = self._days.get(cell)
        if since is None:
            since = self._days[cell] = day_in(row, "since", latest=self._today)
        if birth_year is not None and since.year < birth_year:
            raise RowRefusedError("before_birth", column="since")
        return since
