from __future__ import annotations

import pytest

from core.exports import portions
from core.exports.rules import Masking
from core.people.staff.rules import Area
from core.registration.exporting import COLUMNS, iterate_registration_rows
from core.registration.listing import StaffQuery
from core.registration.rules import HealthCode, Home
from tests.core.registration.conftest import NUMBERS, District


class Words(dict[str, str]):
    """Words that are called as their code."""

    def __missing__(self, key: str) -> str:
        return key


def rows_of(
    district: District, *, area: Area | None = None, masking: Masking = Masking.MASKED
) -> list[dict[str, object]]:
    rows = iterate_registration_rows(
        district.session,
        query=StaffQuery(area=area or Area()),
        masking=masking,
        words=Words({"and": "、"}),
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_row_is_masked_unless_asked_otherwise(district: District) -> None:
    card = district.submit(
        1,
        health_code=HealthCode.RED,
        home=Home(community_id=1, text="田林十二村"),
        department="仓库",
    ).card
    (masked,) = rows_of(district)
    assert masked == {
        "number": card.number,
        "company": "上海第1有限公司",
        "uscc": masked["uscc"],
        "street": "田林街道",
        "department": "仓库",
        "name": "张*",
        "document_kind": "kind.resident_id",
        "document": f"{NUMBERS[1][:3]}{'*' * 11}{NUMBERS[1][-4:]}",
        "phone": "138****0101",
        "community": "田林十二村",
        "state": "state.submitted",
        "flag_group": "group.cannot",
        "flags": "flag.code_not_green",
        "submitted_at": "2020-03-28 08:00",
        "decided_at": None,
    }
    (whole,) = rows_of(district, masking=Masking.UNMASKED)
    assert (whole["name"], whole["document"], whole["phone"]) == (
        "张二",
        NUMBERS[1],
        "13800000101",
    )


def test_portions_leave_nothing_out_and_give_nothing_twice(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [district.submit(person).card.number for person in range(7)]
    for size in (1, 3, 7, 100):
        monkeypatch.setattr(portions, "CHUNK", size)
        assert [row["number"] for row in rows_of(district)] == numbers


def test_rows_outside_the_area_are_not_exported(district: District) -> None:
    district.submit(0, home=Home(community_id=1, text="田林十二村"))
    inside = district.submit(1, home=Home(community_id=2, text="田林十三村")).card
    rows = rows_of(district, area=Area(community_ids=frozenset({2})))
    assert [row["number"] for row in rows] == [inside.number]
    assert rows_of(district, area=Area(street_id=9)) == []
