from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from bot.services import services_of
from core.audit.model import AuditEntry
from core.people.staff.rules import Role
from core.registry.model import Company
from handlers.console.exports import EXPORT_LIMIT
from tests.console import COMPANIES, NUMBERS, District
from tests.h5 import submit, text_of
from tests.handlers.console.conftest import Enter

PAGE = "/console/exports"
REASON = "向区防控办报送本周进度"


def rows_of(content: bytes) -> list[list[Any]]:
    sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    return sheet.to_python(skip_empty_area=False)


def exported(district: District) -> list[AuditEntry]:
    with district.database.transaction() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action == "exported"))
        return list(rows.all())


def test_export_is_masked_marked_and_on_record(come_in: Enter, district: District) -> None:
    client = come_in(Role.STREET_OFFICER)
    answered = submit(client, PAGE, kind="registrations", reason=f" {REASON} ", group="cannot")
    assert answered.status_code == 200
    assert answered.mimetype.endswith("spreadsheetml.sheet")
    assert "attachment" in answered.headers["Content-Disposition"]
    watermark, heads, *rows = rows_of(answered.data)
    (entry,) = exported(district)
    number = entry.subject.removeprefix("export:")
    assert entry.facts == {
        "kind": "registrations",
        "masking": "masked",
        "reason": REASON,
        "row_count": 1,
        "chosen": "group=cannot",
    }
    for words in ("已脱敏", "王静（wang）", number):
        assert words in watermark[0]
    assert (heads[0], heads[5]) == ("登记编号", "姓名")
    (row,) = rows
    assert (row[5], row[8], row[12]) == ("钱*", "138****0001", "随申码不是绿色")
    assert NUMBERS[1] not in str(rows)
    with ZipFile(BytesIO(answered.data)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<oddHeader>" in sheet
    assert sheet.count(number) >= 3, "first row, header and footer"
    assert number in text_of(client.get(PAGE))


@pytest.mark.parametrize("role", [Role.DISTRICT_REVIEWER, Role.ADMINISTRATOR])
def test_whole_names_and_numbers_are_for_reviewers_with_a_reason(
    come_in: Enter, district: District, role: Role
) -> None:
    client = come_in(role)
    answered = submit(client, PAGE, kind="registrations", reason=REASON, masking="unmasked")
    watermark, _, *rows = rows_of(answered.data)
    assert "不脱敏" in watermark[0]
    by_name = {row[5]: row for row in rows}
    assert by_name["钱二"][7:9] == [NUMBERS[1], "13800000001"]
    (entry,) = exported(district)
    assert (entry.facts["masking"], entry.facts["row_count"]) == ("unmasked", 5)
    filings = submit(client, PAGE, kind="filings", reason=REASON, masking="unmasked", state="all")
    assert {row[6] for row in rows_of(filings.data)[2:]} == {"王建国"}


@pytest.mark.parametrize("role", [Role.STREET_OFFICER, Role.NEIGHBOURHOOD_OFFICER, Role.AUDITOR])
def test_others_get_them_masked_alone_whatever_they_send(
    come_in: Enter, district: District, role: Role
) -> None:
    client = come_in(role)
    assert "不脱敏" not in client.get(PAGE).text
    refused = submit(client, PAGE, kind="registrations", reason=REASON, masking="unmasked")
    assert (refused.status_code, "只能导出脱敏的表格" in refused.text) == (403, True)
    assert exported(district) == []


@pytest.mark.parametrize("reason", ["", "   ", "工作需要", "一一一一一一一一一", "长" * 201])
def test_export_without_a_reason_that_tells_something_is_refused(
    come_in: Enter, district: District, reason: str
) -> None:
    refused = submit(come_in(Role.AUDITOR), PAGE, kind="filings", reason=reason)
    assert refused.status_code == 422
    assert "请写明用途和原因" in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert exported(district) == []


def test_filings_are_exported_as_the_list_is_filtered(come_in: Enter, district: District) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    assert "到列表上换条件" in client.get(f"{PAGE}?kind=filings&q=甲子").text
    answered = submit(client, PAGE, kind="filings", reason=REASON, q="甲子")
    _, heads, *rows = rows_of(answered.data)
    assert heads[1] == "企业名称"
    assert [(row[1], row[6], row[7], row[9]) for row in rows] == [
        (COMPANIES[0], "王**", "待审核", 25)
    ]
    (entry,) = exported(district)
    assert entry.facts["chosen"] == "q=%E7%94%B2%E5%AD%90"


def test_cell_that_begins_like_a_formula_is_a_guarded_text(
    come_in: Enter, district: District
) -> None:
    with district.database.transaction() as session:
        session.get_one(Company, district.companies[0]).name = '=HYPERLINK("http://x","看")'
        session.get_one(Company, district.companies[1]).name = "＝1＋1"
    answered = submit(come_in(Role.AUDITOR), PAGE, kind="filings", reason=REASON)
    names = [row[1] for row in rows_of(answered.data)[2:]]
    assert names == ['\'=HYPERLINK("http://x","看")', "'＝1＋1"]
    with ZipFile(BytesIO(answered.data)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert not any("rels" in name and "sheet" in name for name in packed.namelist())


def test_neighbourhood_officer_has_no_filings_to_export(come_in: Enter, district: District) -> None:
    client = come_in(Role.NEIGHBOURHOOD_OFFICER)
    page = client.get(f"{PAGE}?kind=filings")
    assert 'name="kind" value="registrations"' in page.text
    answered = submit(client, PAGE, kind="filings", reason=REASON)
    assert COMPANIES[0] in str(rows_of(answered.data))
    assert exported(district)[0].facts["kind"] == "registrations"


def test_nothing_is_left_behind_and_too_many_are_refused(
    app: Flask,
    come_in: Enter,
    district: District,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    client = come_in(Role.AUDITOR)
    assert submit(client, PAGE, kind="filings", reason=REASON).status_code == 200
    assert list(folder.iterdir()) == []
    asked: list[tuple[int, int]] = []

    def hit(name: str, *, limit: int, seconds: int) -> bool:
        asked.append((limit, seconds))
        return False

    monkeypatch.setattr(services_of(app).store, "hit", hit)
    refused = submit(client, PAGE, kind="filings", reason=REASON)
    assert (refused.status_code, asked) == (429, [EXPORT_LIMIT])
    assert f'value="{REASON}"' in refused.text


def test_auditor_sees_everybodys_exports_and_others_their_own(
    come_in: Enter, district: District
) -> None:
    submit(come_in(Role.STREET_OFFICER), PAGE, kind="filings", reason=REASON)
    number = exported(district)[0].subject.removeprefix("export:")
    assert number in come_in(Role.AUDITOR, name="li").get(PAGE).text
    assert number not in come_in(Role.DISTRICT_REVIEWER, name="zhou").get(PAGE).text


@pytest.mark.parametrize("query", ["kind=x", "kind=filings&state=x", "kind=registrations&q=%00"])
def test_fields_that_make_no_sense_are_as_if_not_given(come_in: Enter, query: str) -> None:
    assert come_in(Role.AUDITOR).get(f"{PAGE}?{query}").status_code == 200
