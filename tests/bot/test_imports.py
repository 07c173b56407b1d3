from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.imports import KINDS, ImportReport, run_import
from core.db import Database
from core.notices.model import Notice
from core.people.model import Person
from core.places.model import Community
from core.risk.model import IndicatorValue
from core.risk.rules import Colour
from core.risk.service import find_card, subscribe
from core.risk.versions import get_version
from tests.servers import ROOT

COMMUNITIES = """code,name,street,longitude,latitude,aliases
T1,田林十二村,田林街道,121.42,31.17,十二村
T2,田林十三村,田林街道,121.43,31.17,
"""
CODES = [one.code for one in get_version().indicators]


def load(
    database: Database,
    kind: str,
    text: str,
    *,
    tmp_path: Path,
    now: datetime,
    all_or_nothing: bool = False,
) -> ImportReport:
    path = tmp_path / "file.csv"
    path.write_text(text, "utf-8")
    return run_import(database, kind, path, all_or_nothing=all_or_nothing, now=now)


def values(day: str, confirmed: int, *, code: str = "T1") -> str:
    rows = [f"{day},{code},{one},{confirmed if one == 'confirmed' else 0}" for one in CODES]
    return "\n".join(rows) + "\n"


INDICATOR_HEADER = "day,community_code,indicator,value\n"


def count(database: Database, table: type[Community | IndicatorValue | Notice]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_good_rows_are_kept_and_bad_ones_named(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    text = COMMUNITIES + "T3,x,田林,121.4,31.1,\nT4,y\n"
    report = load(database, "communities", text, tmp_path=tmp_path, now=now)
    assert not report.is_failed
    assert (report.created_count, [one.line for one in report.rejections]) == (2, [4, 5])
    assert report.lines() == [
        "4: 没有“田林”这个街道或镇，是否为“田林街道”",
        "5: 这一行有 2 个单元格，应为 6 个",
    ]
    assert report.summary() == "communities: 2 created, 0 updated, 0 unchanged, 2 rejected"
    assert count(database, Community) == 2


def test_all_or_nothing_keeps_nothing_when_a_row_is_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    for bad in ("T3,x,田林,121.4,31.1,\n", "T4,y\n"):
        report = load(
            database,
            "communities",
            COMMUNITIES + bad,
            tmp_path=tmp_path,
            now=now,
            all_or_nothing=True,
        )
        assert report.is_failed
        assert report.summary().endswith(
            "0 created, 0 updated, 0 unchanged, 1 rejected; nothing was kept"
        )
        assert count(database, Community) == 0
    report = load(
        database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now, all_or_nothing=True
    )
    assert (report.is_failed, count(database, Community)) == (False, 2)


def test_file_that_breaks_half_way_leaves_nothing_behind(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    text = COMMUNITIES + 'T3,"田林十四'
    report = load(database, "communities", text, tmp_path=tmp_path, now=now)
    assert report.is_failed
    assert [(one.line, one.code) for one in report.rejections] == [(4, "csv_broken")]
    assert count(database, Community) == 0


def test_imported_values_are_scored_at_once(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    text = INDICATOR_HEADER + values("2020-03-26", 1) + values("2020-03-27", 3)
    report = load(database, "indicators", text, tmp_path=tmp_path, now=now)
    assert report.scored_days == (date(2020, 3, 26), date(2020, 3, 27))
    assert report.summary().endswith("scored again: 2020-03-26 to 2020-03-27")
    with database.reading() as session:
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.colour, card.score, card.day) == (Colour.BLUE, 20.0, date(2020, 3, 27))


def test_late_values_reach_the_days_that_carry_them(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    newest = values("2020-03-27", 3).replace("2020-03-27,T1,fever,0\n", "")
    load(database, "indicators", INDICATOR_HEADER + newest, tmp_path=tmp_path, now=now)
    late = INDICATOR_HEADER + "2020-03-25,T1,fever,3\n"
    report = load(database, "indicators", late, tmp_path=tmp_path, now=now)
    assert report.scored_days == (date(2020, 3, 25), date(2020, 3, 27))
    with database.reading() as session:
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.score, card.coverage) == (25.0, 1.0)


def test_known_values_are_not_scored_again(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    text = INDICATOR_HEADER + values("2020-03-27", 1)
    load(database, "indicators", text, tmp_path=tmp_path, now=now)
    report = load(database, "indicators", text, tmp_path=tmp_path, now=now)
    assert (report.unchanged_count, report.scored_days) == (13, ())


def test_subscribers_hear_of_a_change_of_yesterday_and_not_of_history(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    with database.transaction() as session:
        person = Person(openid="o-1", created_at=now)
        session.add(person)
        session.flush()
        long_ago = now - timedelta(days=90)
        subscribe(session, person_id=person.id, community_id=1, now=long_ago)
    worst = values("{day}", 3).replace(",0\n", ",9\n")
    for day, told in (("2020-03-24", 0), ("2020-03-25", 0), ("2020-03-27", 1)):
        rows = worst.format(day=day) if day != "2020-03-25" else values(day, 0)
        load(database, "indicators", INDICATOR_HEADER + rows, tmp_path=tmp_path, now=now)
        assert count(database, Notice) == told


def test_kind_that_is_not_known_is_reported_with_those_that_are(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    report = load(sqlite_database, "trains", COMMUNITIES, tmp_path=tmp_path, now=now)
    assert report.is_failed
    assert all(kind in report.lines()[0] for kind in KINDS)


def test_progress_ends_with_the_number_of_rows(
    sqlite_database: Database, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.imports.PROGRESS_ROWS", 1)
    path = tmp_path / "file.csv"
    path.write_text(COMMUNITIES, "utf-8")
    told: list[tuple[int, int]] = []
    run_import(
        sqlite_database,
        "communities",
        path,
        all_or_nothing=False,
        now=now,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (2, 2)]


def test_every_reason_for_refusing_a_row_has_a_text_and_every_text_a_reason() -> None:
    sources = [
        ROOT / "core/importing.py",
        *(ROOT / "core").glob("*/importing.py"),
        ROOT / "bot/imports.py",
        ROOT / "bot/feeds/tables.py",
    ]
    used = {
        code
        for source in sources
        for code in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source.read_text("utf-8"))
    }
    texts = {path.stem for path in (ROOT / "templates/imports").glob("*.txt")}
    raised = {
        code
        for source in sources
        for code in re.findall(
            r'(?:RowRefusedError|Rejection|FileRefusedError)\(\s*(?:[\w.]+,\s*)?"(\w+)"',
            source.read_text("utf-8"),
        )
    }
    assert raised <= texts <= used
