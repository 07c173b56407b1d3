"""The demo district's papers: a weekly issue of every street and of the district."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from bot.demo.words import words
from core.importing import ImportRow
from core.places.streets import official_codes

ISSUES: Final = 6
FIRST_NUMBER: Final = 118
# A name that can never be registered, so that no link leads to anybody's page.
PAPER_HOST: Final = "https://paper.example"


def make_papers(seed: int, *, today: date) -> Iterator[ImportRow]:
    """Yield the papers of the last weeks, as rows of an operator's file."""
    random = Random(seed)
    line = 1
    for street, code in {"": "district", **official_codes()}.items():
        weekday = random.randint(1, 7)
        for age in range(ISSUES):
            line += 1
            day = today - timedelta(days=weekday + 7 * age)
            yield ImportRow(
                line,
                {
                    "street": street,
                    "title": _title(random, street, number=FIRST_NUMBER + ISSUES - age),
                    "published_on": day.isoformat(),
                    "url": f"{PAPER_HOST}/{code}/{day.isoformat()}",
                },
            )


def _title(random: Random, street: str, *, number: int) -> str:
    parts = words("papers")
    place = street.removesuffix("街道").removesuffix("镇").removesuffix("路")
    name = f"{place}{parts['name']}" if street else parts["district"]
    return f"{name}第{number}期 {random.choice(parts['headlines'])}"
