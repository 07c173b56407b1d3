"""Reading a roster of workers: pasted from a spreadsheet, or a file; every faulty row is named.

What is told of a refused row never quotes a person's name or number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from unicodedata import normalize

from core.clock import day_of
from core.importing import (
    FileRefusedError,
    ImportRow,
    Rejection,
    RowRefusedError,
    day_in,
    shown,
    text_in,
)
from core.people.cells import document_in, person_name_in
from core.people.documents import Document
from core.people.phones import InvalidPhoneError, phone_of
from core.registration.rules import (
    LOOK_BACK,
    MAX_HOME_LENGTH,
    MAX_STAY_LENGTH,
    MAX_STAYS,
    HealthCode,
    Home,
    RegistrationInput,
    Travel,
)
from core.tables import Record, records_of

MAX_ROWS: Final = 5000
MAX_BYTES: Final = 5 * 1024 * 1024
MAX_REGION_LENGTH: Final = 40

_NONE_WORDS: Final = frozenset({"无", "没有", "否", "没有离开", "未离开", "未离沪", "没有离开上海"})
_SEPARATORS: Final = re.compile(r"[、,，;；|/]+")


class Column(StrEnum):
    """What a roster tells of a worker."""

    LINE = "line"  # of the sheet that was handed in, where this is what was taken of it
    NAME = "name"
    KIND = "kind"
    DOCUMENT = "document"
    REGION = "region"
    STAYS = "stays"
    RETURNED_ON = "returned_on"
    HEALTH_CODE = "health_code"
    PHONE = "phone"
    HOME = "home"
    CHANGE = "change"


class Change(StrEnum):
    """What a row says of somebody."""

    JOINED = "joined"
    LEFT = "left"


# What people head a column with; the first one is what a template calls it.
TITLES: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.LINE: ("行",),
    Column.NAME: ("姓名", "名字", "工人姓名", "人员姓名"),
    Column.KIND: ("证件类型", "证件种类"),
    Column.DOCUMENT: ("证件号码", "证件号", "身份证号", "身份证号码", "身份证"),
    Column.REGION: ("户籍地", "户籍", "籍贯", "户籍所在地", "户籍地址"),
    Column.STAYS: ("14天内到过", "近14天到过", "14天旅居史", "旅居史", "14天内停留地", "行程"),
    Column.RETURNED_ON: ("来沪日期", "返沪日期", "到沪日期", "抵沪日期"),
    Column.HEALTH_CODE: ("随申码", "健康码", "随申码颜色"),
    Column.PHONE: ("手机", "手机号", "手机号码", "电话", "联系电话", "联系方式"),
    Column.HOME: ("现住址", "居住地", "住址", "住宿地址", "在沪住址"),
    Column.CHANGE: ("变动", "进出", "进场离场", "状态"),
}
REQUIRED: Final = (Column.NAME, Column.DOCUMENT, Column.REGION, Column.STAYS, Column.HEALTH_CODE)
# The order in which columns stand where nobody wrote what they are.
USUAL: Final = (*REQUIRED, Column.PHONE)
_COLUMN_OF: Final = {title: column for column, titles in TITLES.items() for title in titles}
_HEALTH_WORDS: Final[Mapping[str, HealthCode]] = {
    **dict.fromkeys(("绿", "绿码", "绿色"), HealthCode.GREEN),
    **dict.fromkeys(("黄", "黄码", "黄色"), HealthCode.YELLOW),
    **dict.fromkeys(("红", "红码", "红色"), HealthCode.RED),
    **dict.fromkeys(("无", "没有", "未申领", "无码"), HealthCode.NONE),
}
_CHANGE_WORDS: Final[Mapping[str, Change]] = {
    **dict.fromkeys(("", "进场", "进", "新到", "新进", "在场", "在岗"), Change.JOINED),
    **dict.fromkeys(("离场", "离", "离开", "退场", "走"), Change.LEFT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """A row that can be taken.

    Attributes:
        line: of the sheet that was handed in.
        entry: what is told of a newcomer; None of a leaver.
        cells: as they were read, for the same row again.
    """

    line: int
    change: Change
    name: str = field(repr=False)
    document: Document
    entry: RegistrationInput | None
    cells: Mapping[Column, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster that was read.

    Attributes:
        rows: in the order of the sheet, each person once.
        rejections: the others, by line; of a sheet that cannot be read a single one.
        row_count: rows that there were, without the header.
    """

    rows: tuple[RosterRow, ...]
    rejections: tuple[Rejection, ...]
    row_count: int


def read_roster(source: bytes | str, *, home: str, now: datetime) -> Roster:
    """Return what a roster says, and what of it cannot be taken.

    Args:
        source: what was pasted, tab separated or CSV; or a CSV file or spreadsheet itself. A sheet
            without a header has the columns `USUAL`.
        home: where those live for whom nothing is told, the site itself.
        now: aware instant; days are checked against its local day.
    """
    content = source.encode() if isinstance(source, str) else source
    rejections: list[Rejection] = []
    try:
        columns, records = _columns_of(_records_in(content))
        rows = [*_rows_of(records, columns, home=home, now=now, rejections=rejections)]
    except FileRefusedError as refused:
        return Roster(rows=(), rejections=(refused.rejection,), row_count=0)
    except UnicodeError:
        return Roster(rows=(), rejections=(Rejection(1, "encoding_unknown", {}),), row_count=0)
    return Roster(rows=tuple(rows), rejections=tuple(rejections), row_count=len(records))


def text_of(rows: Iterable[RosterRow]) -> str:
    """Return rows as `read_roster` reads them again, each with the line in which it stood."""
    columns = [one for one in Column if one is not Column.LINE]
    header = "\t".join(TITLES[one][0] for one in (Column.LINE, *columns))
    lines = (
        "\t".join((str(row.line), *(_plain(row.cells.get(one, "")) for one in columns)))
        for row in rows
    )
    return "\n".join((header, *lines))


def _plain(cell: str) -> str:
    # A quote would open a cell that goes over lines.
    return " ".join(cell.replace('"', " ").split())


# ---- the sheet -------------------------------------------------------------------------------


def _records_in(content: bytes) -> list[Record]:
    """Return the rows of a sheet.

    Raises:
        FileRefusedError: nothing, too much, or no table.
    """
    if not content.strip():
        raise FileRefusedError(1, "file_empty")
    if len(content) > MAX_BYTES:
        raise FileRefusedError(1, "roster_too_large", max_mib=MAX_BYTES >> 20)
    records: list[Record] = []
    for record in records_of(content):
        records.append(record)
        if len(records) > MAX_ROWS + 1:
            raise FileRefusedError(record.line, "roster_too_long", max=MAX_ROWS)
    if not records:
        raise FileRefusedError(1, "file_empty")
    return records


def _columns_of(records: Sequence[Record]) -> tuple[list[Column | None], Sequence[Record]]:
    """Return what stands in which column, and the rows without the header.

    Raises:
        FileRefusedError: a header that lacks what must be told, or tells it twice.
    """
    heads = [_column_named(cell) for cell in records[0].cells]
    known = [one for one in heads if one is not None]
    if not known:
        return [*USUAL], records
    missing = [one for one in REQUIRED if one not in known]
    if missing and Column.CHANGE in known:
        # A sheet of leavers needs no more than who they are.
        missing = [one for one in missing if one in {Column.NAME, Column.DOCUMENT}]
    if missing:
        names = "、".join(TITLES[one][0] for one in missing)
        raise FileRefusedError(records[0].line, "roster_columns_missing", columns=names)
    if len(set(known)) < len(known):
        twice = {one for one in known if known.count(one) > 1}
        names = "、".join(TITLES[one][0] for one in Column if one in twice)
        raise FileRefusedError(records[0].line, "columns_twice", columns=names)
    return heads, records[1:]


def _column_named(cell: str) -> Column | None:
    word = "".join(normalize("NFKC", cell).split()).split("(")[0].rstrip("*:")
    return _COLUMN_OF.get(word)


def _rows_of(
    records: Sequence[Record],
    columns: Sequence[Column | None],
    *,
    home: str,
    now: datetime,
    rejections: list[Rejection],
) -> Iterator[RosterRow]:
    seen: dict[str, int] = {}
    for record in records:
        row = _import_row(record, columns)
        try:
            found = _row_of(row, home=home, now=now)
            _check_once(found, seen)
        except RowRefusedError as refused:
            rejections.append(_titled(refused.at(row.line)))
        else:
            yield found


def _check_once(row: RosterRow, seen: dict[str, int]) -> None:
    """Note in which line a person stands.

    Raises:
        RowRefusedError: they stood in an earlier one.
    """
    first = seen.setdefault(row.document.number, row.line)
    if first != row.line:
        raise RowRefusedError("person_twice", first=first)


def _import_row(record: Record, columns: Sequence[Column | None]) -> ImportRow:
    pairs = [
        (place, column, cell)
        for place, (column, cell) in enumerate(zip(columns, record.cells, strict=False))
        if column is not None
    ]
    cells = {column.value: cell for _, column, cell in pairs}
    numbers = frozenset(column.value for place, column, _ in pairs if place in record.numbers)
    line = cells.pop(Column.LINE.value, "")
    return ImportRow(int(line) if line.isdecimal() else record.line, cells, numbers)


def _titled(rejection: Rejection) -> Rejection:
    """Return a rejection that names the column as people do."""
    column = rejection.facts.get("column")
    if column is None:
        return rejection
    facts = {**rejection.facts, "column": TITLES[Column(str(column))][0]}
    return replace(rejection, facts=facts)


# ---- a row -----------------------------------------------------------------------------------


def _row_of(row: ImportRow, *, home: str, now: datetime) -> RosterRow:
    change = _change_in(row)
    today = day_of(now)
    name = person_name_in(row, Column.NAME)
    document = document_in(row, Column.DOCUMENT, kind_column=Column.KIND, today=today)
    entry = None
    if change is Change.JOINED:
        entry = _entry_of(row, name, document, home=home, today=today)
    cells = {Column(column): cell for column, cell in row.cells.items()}
    return RosterRow(
        line=row.line, change=change, name=name, document=document, entry=entry, cells=cells
    )


def _entry_of(
    row: ImportRow, name: str, document: Document, *, home: str, today: date
) -> RegistrationInput:
    region = text_in(row, Column.REGION, max_length=MAX_REGION_LENGTH)
    stays = _stays_in(row)
    lives = text_in(row, Column.HOME, max_length=MAX_HOME_LENGTH, is_required=False)
    returned_on = _returned_in(row, today=today)
    return RegistrationInput(
        name=name,
        document=document,
        phone=_phone_in(row),
        home=Home(community_id=None, text=lives or home),
        stays=stays,
        # Not told: until today, so that no day of a stay is left out.
        returned_on=(returned_on or today) if stays else None,
        travel=Travel.OTHER if stays else Travel.NOT_AWAY,
        health_code=_health_code_in(row),
        home_region=region,
    )


def _change_in(row: ImportRow) -> Change:
    text = text_in(row, Column.CHANGE, max_length=20, is_required=False)
    change = _CHANGE_WORDS.get(text)
    if change is None:
        raise RowRefusedError("roster_change_unknown", value=shown(text))
    return change


def _stays_in(row: ImportRow) -> tuple[str, ...]:
    """Return the places outside of the city; empty is not the same as none, and is refused."""
    text = text_in(row, Column.STAYS, max_length=200, is_required=False)
    if not text:
        raise RowRefusedError("roster_stays_missing", column=Column.STAYS)
    if text in _NONE_WORDS:
        return ()
    parts = (part.strip() for part in _SEPARATORS.split(text))
    stays = tuple(part for part in parts if part and part not in _NONE_WORDS)
    if len(stays) > MAX_STAYS or any(len(one) > MAX_STAY_LENGTH for one in stays):
        raise RowRefusedError("roster_stays_too_many", max_count=MAX_STAYS)
    return stays


def _returned_in(row: ImportRow, *, today: date) -> date | None:
    if not row.cells.get(Column.RETURNED_ON):
        return None
    returned_on = day_in(row, Column.RETURNED_ON, latest=today)
    # Who came earlier than the days that are asked about came on the first of them, to be sure.
    return max(returned_on, today - LOOK_BACK)


def _health_code_in(row: ImportRow) -> HealthCode:
    text = text_in(row, Column.HEALTH_CODE, max_length=20)
    found = _HEALTH_WORDS.get(text)
    if found is None:
        raise RowRefusedError("roster_health_code_unknown", value=shown(text))
    return found


def _phone_in(row: ImportRow) -> str:
    text = text_in(row, Column.PHONE, max_length=40, is_required=False)
    if not text:
        return ""
    try:
        return phone_of(text)
    except InvalidPhoneError:
        raise RowRefusedError("roster_phone_wrong", column=Column.PHONE) from None
