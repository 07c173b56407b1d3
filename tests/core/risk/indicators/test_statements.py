from __future__ import annotations

from datetime import date

import pytest

from core.risk.indicators.definition import compiled
from core.risk.indicators.statements import DIALECTS, sql_of

# A leap day at the end of the windows, another year at their beginning.
DAYS = {"sqlite": date(2020, 3, 13), "postgres": date(2020, 1, 5), "duckdb": date(2021, 1, 10)}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("community_ids", [None, [7, 3]])
def test_statements_that_are_kept_are_those_of_the_definition(
    dialect: str, community_ids: list[int] | None
) -> None:
    day = DAYS.get(dialect, date(2020, 12, 31))
    kept = sql_of(day, dialect=dialect, community_ids=community_ids)

    # Where lines break depends on how long a day is.
    written = compiled(day, dialect=dialect, community_ids=community_ids)
    assert "".join(kept.split()) == "".join(written.split())
