"""The demo district's list of key areas: real places, made-up days around the day of loading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from bot.demo.words import words
from core.importing import ImportRow


def make_key_areas(*, today: date) -> Iterator[ImportRow]:
    """Yield the list as rows of an operator's file; some areas are still key areas, some were."""
    for line, area in enumerate(words("key_areas"), start=2):
        since = today - timedelta(days=area["since"])
        until = area["until"] and today - timedelta(days=area["until"])
        yield ImportRow(
            line,
            {
                "code": area["code"],
                "name": area["name"],
                "aliases": area["aliases"],
                "level": area["level"],
                "since": since.isoformat(),
                "until": until.isoformat() if until else "",
                "source": "",
            },
        )
