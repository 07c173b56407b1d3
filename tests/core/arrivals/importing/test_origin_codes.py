from __future__ import annotations

import pytest

from core.arrivals.importing.origin_codes import origin_code_of


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("武汉", "420100"),
        ("武汉站", "420100"),
        ("杭州东", "330100"),
        ("温州南站", "330300"),
        ("怀化", "431200"),
        ("武昌", "420106"),
        ("汉口站", "420100"),
        ("义乌", "330782"),
        # A name of several places, a town, and a place that is none.
        ("鼓楼", ""),
        ("金山卫", ""),
        ("不存在的地方", ""),
        ("", ""),
    ],
)
def test_station_is_called_after_a_place(origin: str, code: str) -> None:
    assert origin_code_of(origin) == code
