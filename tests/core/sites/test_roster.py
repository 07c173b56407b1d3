"""A roster: every faulty row is named, the rest is shown first and then taken."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from random import Random

import pytest
import xlsxwriter

from bot.demo.names import resident_number
from core.registration.rules import HealthCode
from core.sites.enrolling import RosterChangedError, apply_roster, plan_roster
from core.sites.roster import Change, read_roster
from tests.core.sites.conftest import NUMBERS, Sites

HEADER = "姓名\t身份证号\t户籍地\t14天内到过\t健康码\t手机\t变动"


def line(person: int = 0, **changes: str) -> str:
    cells = {
        "name": f"张{'一二三四五六七八九十'[person % 10]}",
        "number": NUMBERS[person],
        "region": "江苏盐城",
        "stays": "无",
        "code": "绿",
        "phone": "",
        "change": "",
    } | changes
    return "\t".join(cells.values())


def sheet(*lines: str) -> str:
    return "\n".join((HEADER, *lines))


def test_paste_is_read_with_its_header_and_without_one(lite: Sites) -> None:
    without = "\n".join(row.rsplit("\t", 1)[0] for row in (line(0), line(1)))
    for source in (sheet(line(0), line(1)), without):
        roster = read_roster(source, home="工地", now=lite.now)
        assert (roster.rejections, roster.row_count) == ((), 2)
        first = roster.rows[0].entry
        assert first is not None
        assert (first.name, first.home_region, first.stays) == ("张一", "江苏盐城", ())
        assert (first.health_code, first.phone, first.home.text) == (HealthCode.GREEN, "", "工地")


def test_stays_are_split_and_count_until_today_where_no_day_is_told(lite: Sites) -> None:
    row = line(0, stays="湖北武汉、河南信阳")
    (found,) = read_roster(sheet(row), home="", now=lite.now).rows
    assert found.entry is not None
    assert found.entry.stays == ("湖北武汉", "河南信阳")
    assert found.entry.returned_on == date(2020, 3, 28)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (line(1, name=""), "cell_empty"),
        (line(1, number=NUMBERS[1][:-1] + "0"), "document_check_digit"),
        (line(1, number=NUMBERS[1][:-2]), "document_length"),
        (line(1, region=""), "cell_empty"),
        (line(1, stays=""), "roster_stays_missing"),
        (line(1, code="蓝"), "roster_health_code_unknown"),
        (line(1, phone="12345"), "roster_phone_wrong"),
        (line(1, change="飞走"), "roster_change_unknown"),
        (line(0), "person_twice"),
    ],
    ids=lambda value: value if value.isascii() else "",
)
def test_faulty_row_is_named_with_line_and_reason_and_without_the_person(
    lite: Sites, row: str, code: str
) -> None:
    number = row.split("\t")[1]
    if code == "document_check_digit" and number == NUMBERS[1]:
        row = row.replace(number, number[:-1] + "1")
    roster = read_roster(sheet(line(0), row), home="", now=lite.now)
    assert [one.line for one in roster.rows] == [2]
    (fault,) = roster.rejections
    assert (fault.line, fault.code) == (3, code)
    assert not any(number in str(fact) or "张" in str(fact) for fact in fault.facts.values())


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "file_empty"),
        (b"PK\x03\x04 but no sheet", "spreadsheet_broken"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe\xfd", "encoding_unknown"),
        ("姓名\t身份证号\n张三\t1".encode(), "roster_columns_missing"),
        ("姓名\t姓名\t身份证号\t户籍地\t行程\t随申码".encode(), "columns_twice"),
    ],
    ids=["empty", "broken", "picture", "columns", "twice"],
)
def test_what_is_no_roster_is_one_fault(lite: Sites, source: bytes, code: str) -> None:
    roster = read_roster(source, home="", now=lite.now)
    assert [one.code for one in roster.rejections] == [code]


def test_spreadsheet_that_turned_numbers_into_figures_is_told(lite: Sites) -> None:
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADER.split("\t"))
        page.write_row(1, 0, line(0).split("\t"))
        cells: list[str | float] = [*line(1).split("\t")]
        cells[1] = float(NUMBERS[1][:-1] + "0")
        page.write_row(2, 0, cells)
    roster = read_roster(file.getvalue(), home="", now=lite.now)
    assert [row.line for row in roster.rows] == [2]
    assert [(one.line, one.code) for one in roster.rejections] == [(3, "document_is_number")]


def test_two_thousand_rows_with_forty_faults_name_all_forty_and_the_rest_is_taken(
    lite: Sites,
) -> None:
    rows = [line(0, number=number) for number in _numbers(2000)]
    for place in range(0, 2000, 50):
        rows[place] = rows[place].replace("绿", "紫")
    plan = plan_roster(lite.session, site_id=lite.ids[0], source=sheet(*rows), now=lite.now)
    assert [one.line for one in plan.rejections] == [*range(2, 2002, 50)]
    assert (plan.row_count, len(plan.joining)) == (2000, 1960)
    again = plan_roster(lite.session, site_id=lite.ids[0], source=plan.text, now=lite.now)
    assert (again.digest, len(again.joining)) == (plan.digest, 1960)
    assert [one.line for one in again.joining] == [one.line for one in plan.joining]


def _numbers(count: int) -> list[str]:
    random, first = Random(5), date(1970, 1, 1)
    return [
        resident_number(random, born_on=first + timedelta(days=day), is_female=True)
        for day in range(count)
    ]


def test_what_was_shown_is_taken_and_nothing_else(sites: Sites) -> None:
    sites.add_key_area("420000", "湖北省")
    source = sheet(line(0), line(1, stays="湖北武汉"), line(2, code="紫"))
    plan = plan_roster(sites.session, site_id=sites.ids[0], source=source, now=sites.now)
    assert [(one.line, one.name_masked) for one in plan.joining] == [(2, "张*"), (3, "张*")]
    assert sites.registrations() == []
    applying = {"site_id": sites.ids[0], "actor": "person:7", "now": sites.now}
    with pytest.raises(RosterChangedError):
        apply_roster(
            sites.session,
            text=plan.text.replace("江苏盐城", "江苏南京"),
            digest=plan.digest,
            **applying,  # type: ignore[arg-type]
        )
    result = apply_roster(
        sites.session,
        text=plan.text,
        digest=plan.digest,
        **applying,  # type: ignore[arg-type]
    )
    assert (result.joined_count, result.look_count, result.rejections) == (2, 1, ())
    assert [row.state for row in sites.registrations()] == ["approved", "submitted"]
    with pytest.raises(RosterChangedError):  # sent twice: they are there by now
        apply_roster(
            sites.session,
            text=plan.text,
            digest=plan.digest,
            **applying,  # type: ignore[arg-type]
        )


def test_roster_tells_who_is_known_who_left_and_who_cannot_be(sites: Sites) -> None:
    session, site_id = sites.session, sites.ids[0]
    plan = plan_roster(session, site_id=site_id, source=sheet(line(0), line(1)), now=sites.now)
    apply_roster(
        session, site_id=site_id, text=plan.text, digest=plan.digest, actor="p:1", now=sites.now
    )
    later = sheet(
        line(0), line(1, change="离场"), line(2, change="离场"), line(0, number=NUMBERS[3])
    )
    other = sheet(line(0, name="王五"))
    plan = plan_roster(session, site_id=site_id, source=later, now=sites.now)
    assert (plan.known_count, len(plan.joining)) == (1, 1)
    assert [(one.line, one.change) for one in plan.leaving] == [(3, Change.LEFT)]
    assert [(one.line, one.code) for one in plan.rejections] == [(4, "roster_person_absent")]
    result = apply_roster(
        session, site_id=site_id, text=plan.text, digest=plan.digest, actor="p:1", now=sites.now
    )
    assert (result.joined_count, result.left_count) == (1, 1)
    assert [row.state for row in sites.registrations()] == ["approved", "ended", "approved"]
    plan = plan_roster(session, site_id=site_id, source=other, now=sites.now)
    assert [one.code for one in plan.rejections] == ["roster_other_name"]
