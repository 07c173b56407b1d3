from __future__ import annotations

import pytest

from core.exports import portions
from core.exports.rules import Masking
from core.people.staff.rules import Area
from core.resumption.filing.exporting import COLUMNS, count_filing_rows, iterate_filing_rows
from core.resumption.filing.reviewing import FilingQuery
from core.resumption.filing.rules import FilingVerdict
from tests.core.resumption.filing.conftest import Desk


class Words(dict[str, str]):
    """Words that are called as their code."""

    def __missing__(self, key: str) -> str:
        return key


def rows_of(
    desk: Desk, query: FilingQuery, masking: Masking = Masking.MASKED
) -> list[dict[str, object]]:
    rows = iterate_filing_rows(desk.session, query=query, masking=masking, words=Words())
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert len(found) == count_filing_rows(desk.session, query=query)
    return found


def test_row_says_what_was_declared_and_decided(desk: Desk) -> None:
    filing = desk.submit(desk.company("甲有限公司"))
    desk.later(hours=2)
    desk.decide(filing, FilingVerdict.RETURN, staff_id=desk.staff(), reason="缺消毒记录")
    (row,) = rows_of(desk, FilingQuery(area=Area(), state=None))
    assert row == {
        "number": filing.number,
        "company": "甲有限公司",
        "uscc": row["uscc"],
        "street": "田林街道",
        "address": "田林路1号",
        "industry": "贸易",
        "owner": "王*",
        "state": "state.returned",
        "revision": 1,
        "head_count": 25,
        "returning_count": 3,
        "submitted_at": "2020-03-28 08:00",
        "decided_at": "2020-03-28 10:00",
        "reason": "缺消毒记录",
    }
    (whole,) = rows_of(desk, FilingQuery(area=Area(), state=None), Masking.UNMASKED)
    assert whole["owner"] == "王伟"


def test_portions_area_and_filter_hold_as_in_the_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [desk.submit(desk.company(f"甲{one}公司")).number for one in range(5)]
    there = desk.submit(desk.company("乙公司", street="凌云路街道")).number
    desk.draft(desk.company("丙公司"), head_count=3)
    for size in (1, 2, 6, 100):
        monkeypatch.setattr(portions, "CHUNK", size)
        rows = rows_of(desk, FilingQuery(area=Area()))
        assert [row["number"] for row in rows] == [*here, there]
    street_id = desk.street("凌云路街道")
    rows = rows_of(desk, FilingQuery(area=Area(street_id=street_id)))
    assert [row["number"] for row in rows] == [there]
    assert [row["number"] for row in rows_of(desk, FilingQuery(area=Area(), text="甲3"))] == [
        here[3]
    ]
    assert rows_of(desk, FilingQuery(area=Area(community_ids=frozenset({1})))) == []
