"""The definition as statements that are ready to run, one file an engine.

They are compiled from `definition.py` beforehand (`python -m core.risk.indicators.definition`),
since that takes seconds, and hold the days of a day that stands for any; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from core.risk.indicators.rules import AGED_FROM_YEARS, LONG_WINDOW_DAYS, SHORT_WINDOW_DAYS

DIALECTS: Final = ("sqlite", "postgres", "duckdb", "pyspark")
# Stands for whatever day is asked for: none of its numbers occurs otherwise.
ANY_DAY: Final = date(2001, 2, 3)
# In the place of whatever communities are asked for.
ANY_COMMUNITY: Final = 2**62


def sql_of(day: date, *, dialect: str, community_ids: Collection[int] | None = None) -> str:
    """Return the statement that counts at the end of a day.

    Args:
        day: local day.
        dialect: `sqlite`, `postgres`, `duckdb` or `pyspark`.
        community_ids: whose rows are wanted, at least one; None: all. The counts are the same.

    Returns:
        Text without parameters. Its columns are `rules.COUNTED`; one row a community, and, where
        all are wanted, one whose `community_id` is null for people of whom nobody knows where
        they live.
    """
    texts = dict(zip(_written(ANY_DAY), _written(day), strict=True))
    if community_ids is not None:
        numbers = ", ".join(str(int(one)) for one in sorted(community_ids))
        texts[f"IN ({ANY_COMMUNITY})"] = f"IN ({numbers})"
    standing = re.compile("|".join(map(re.escape, texts)))
    statement = _statement(name_for(dialect, is_some=community_ids is not None))
    return standing.sub(lambda found: texts[found.group()], statement)


def name_for(dialect: str, *, is_some: bool) -> str:
    """Return the name of the file for an engine, for all communities or for some."""
    return f"{dialect}-some.sql" if is_some else f"{dialect}.sql"


def _written(day: date) -> Iterator[str]:
    """Yield what a statement says of a day, as the engines write it."""
    for back in (0, SHORT_WINDOW_DAYS - 1, LONG_WINDOW_DAYS - 1):
        one = day - timedelta(days=back)
        yield f"'{one.isoformat()}'"
        yield f"MAKE_DATE({one.year}, {one.month}, {one.day})"
    yield f"<= {day.year - AGED_FROM_YEARS} "


@cache
def _statement(name: str) -> str:
    return files("core.risk.indicators").joinpath("compiled", name).read_text(encoding="utf-8")
