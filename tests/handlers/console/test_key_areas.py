from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import day_of, local
from core.importing import ImportRow
from core.keyareas.importing import import_key_areas
from core.people.staff.rules import Role
from tests.console import District
from tests.h5 import text_of
from tests.handlers.console.conftest import Enter

PATH = "/console/key-areas"


def load(district: District, *rows: tuple[str, str, str, int], days_ago: int) -> None:
    """Import a list some days ago; of each row code, name, level and since how many days."""
    now = district.now - timedelta(days=days_ago)
    cells = [
        {
            "code": code,
            "name": name,
            "level": level,
            "since": (day_of(district.now) - timedelta(days=since)).isoformat(),
            "source": f"通告{days_ago}",
        }
        for code, name, level, since in rows
    ]
    with district.database.transaction() as session:
        import_key_areas(
            session, [ImportRow(line, row) for line, row in enumerate(cells, 2)], now=now
        )


def test_list_is_shown_as_of_an_hour_with_what_changed_last(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.STREET_OFFICER)
    assert "还没有导入过名单" in text_of(client.get(PATH))
    load(district, ("420100", "武汉市", "high", 20), ("110106", "丰台区", "", 9), days_ago=5)
    load(district, ("420100", "武汉市", "watched", 20), ("220283", "舒兰市", "", 2), days_ago=1)
    page = text_of(client.get(PATH))
    assert "3 个地区" in page
    assert "武汉市 420100 关注 地市" in page
    assert "舒兰市 220283 新列入 —" in page
    assert "武汉市 420100 有变动 高风险 " in page
    assert "丰台区 110106 新列入" not in page, "it was there before"
    assert "第 2 版" in page
    assert "依据：通告1" in page
    earlier = local(district.now - timedelta(days=15)).strftime("%Y-%m-%dT%H:%M")
    page = text_of(client.get(PATH, query_string={"at": earlier, "after": "1"}))
    assert "1 个地区" in page
    assert "回到现在" in page
    assert "丰台区 110106 新列入 —" in page


@pytest.mark.parametrize(
    "query",
    [
        {"at": "x"},
        {"at": "0001-01-01T00:00"},
        {"at": "9999-12-31T23:59"},
        {"after": "99", "before": "98"},
        {"after": "1", "before": "2"},
        {"before": "x"},
    ],
)
def test_what_cannot_be_asked_counts_as_not_asked(
    come_in: Enter, district: District, query: dict[str, str]
) -> None:
    load(district, ("420100", "武汉市", "", 20), days_ago=5)
    load(district, ("220283", "舒兰市", "", 2), days_ago=1)
    client = come_in(Role.AUDITOR)
    answered = client.get(PATH, query_string=query)
    assert answered.status_code == 200
    assert "2 个地区" in text_of(answered)
