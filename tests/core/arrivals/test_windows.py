from __future__ import annotations

from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from core.arrivals import forecasting, windows
from core.arrivals.rules import Band
from core.arrivals.windows import WindowView, find_window
from core.clock import SHANGHAI

FROM = datetime(2020, 2, 12, 18, 0, tzinfo=SHANGHAI)


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that asks a forecast which expects a person a minute and a post more an hour."""
    kept = SimpleNamespace(
        from_at=FROM,
        until_at=FROM + timedelta(days=1),
        needed=tuple(place // 12 for place in range(288)),
    )
    row = SimpleNamespace(body=b"")
    monkeypatch.setattr(windows, "find_newest", lambda *_, **__: row)
    monkeypatch.setattr(windows, "kept_in", lambda _: kept)
    monkeypatch.setattr(windows, "forecast_in", lambda _: None)

    def summed(_: object, start: datetime, end: datetime) -> Band:
        people = (end - start).total_seconds() / 60
        return Band(mean=people, low80=people, high80=people, low95=people, high95=people)

    monkeypatch.setattr(forecasting, "window_of", summed)

    def find(start: time, end: time) -> WindowView:
        found = find_window(cast("Session", None), now=FROM, start=start, end=end)
        assert found is not None
        return found

    return find


@pytest.mark.parametrize(
    ("start", "end", "hours", "persons", "needed"),
    [
        pytest.param((18, 0), (19, 0), (0, 1), 60, 0, id="first"),
        pytest.param((9, 40), (10, 15), (15 + 40 / 60, 16.25), 35, 16, id="next-morning"),
        pytest.param((23, 0), (1, 0), (5, 7), 120, 6, id="over-midnight"),
        pytest.param((17, 0), (19, 0), (23, 24), 60, 23, id="cut-at-the-end"),
        pytest.param((20, 0), (20, 0), (2, 24), 1320, 23, id="a-whole-day"),
        pytest.param((20, 2), (20, 13), (2, 2.25), 11, 2, id="within-slots"),
    ],
)
def test_times_of_the_clock_are_the_next_ones_of_the_window(
    find: Any,
    start: tuple[int, int],
    end: tuple[int, int],
    hours: tuple[float, float],
    persons: float,
    needed: int,
) -> None:
    found = find(time(*start), time(*end))
    assert (found.starts_at, found.ends_at) == tuple(
        FROM + timedelta(minutes=round(one * 60)) for one in hours
    )
    assert (found.band.mean, found.needed) == (persons, needed)


def test_without_a_forecast_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "find_newest", lambda *_, **__: None)
    assert find_window(cast("Session", None), now=FROM, start=time(9), end=time(10)) is None
