"""The busy and quiet hours that anybody may open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from core.arrivals.crowds import Crowd
from core.arrivals.public import PublicHour, PublicHours
from core.clock import SHANGHAI
from handlers.h5 import arrivals
from tests.h5 import CHROME, text_of


def see(app: Flask) -> TestResponse:
    """Return what the page says to a stranger."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = CHROME
    return client.get("/h5/arrivals")


def test_hours_of_two_days_are_told_in_words(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: Any, day: date, **__: Any) -> PublicHours:
        start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
        hours = [
            PublicHour(starts_at=start + timedelta(hours=9 + place), crowd=crowd)
            for place, crowd in enumerate(Crowd)
        ]
        return PublicHours(day=day, made_at=start, hours=tuple(hours), is_degraded=True)

    monkeypatch.setattr(arrivals, "find_public_hours", find)
    answered = see(app)
    said = text_of(answered)
    assert said.count("9–10点 人最多 10–11点 人较多 11–12点 人不多 12–13点 人很少") == 2
    assert "按铁路往日客流预测，00:00 更新" in said
    assert answered.headers["Cache-Control"] == "public, max-age=60"


def test_page_without_a_forecast_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "find_public_hours", lambda *_, **__: None)
    assert "现在还没有预测" in text_of(see(app))
