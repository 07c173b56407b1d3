"""From values to the rows of scores, and which of them are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.bulk import write_all
from core.db import upsert
from core.risk.floors import BANDS
from core.risk.loading import DayValues, bands_of
from core.risk.model import RiskScore
from core.risk.rules import Colour, ModelVersion, Status
from core.risk.table import Bands, FinalTable, Flags, ScoreTable, final_table, score_table

_SCORE: Final = RiskScore.__table__.c
_KEYS: Final = ("community_id", "day", "version")
# What a row says, and whether people see it.
SHOWN: Final = ("colour", "computed_colour", "is_published", "is_provisional")
RESULTS: Final = ("score", "coverage", "lo", "hi", "parts", "score_colour", "floors", *SHOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The scores and final colours of some communities, before anything is stored.

    Attributes:
        version: the model.
        known: what they were scored from.
        table: the scores.
        final: the colours.
        before: the computed colours that were shown before.
    """

    version: ModelVersion
    known: DayValues
    table: ScoreTable
    final: FinalTable
    before: Bands


def compute(
    version: ModelVersion,
    known: DayValues,
    *,
    before: Bands,
    overrides: Mapping[int, Colour],
) -> Scored:
    """Return the scores and final colours of the communities whose values are known."""
    values = known.for_version(version)
    table = score_table(version, values, row_count=len(known.community_ids))
    final = final_table(
        version,
        table.bands,
        values,
        before=before,
        overrides=bands_of(overrides, community_ids=known.community_ids),
    )
    return Scored(version=version, known=known, table=table, final=final, before=before)


def rows_of(scored: Scored, *, day: date, published: Flags) -> list[dict[str, Any]]:
    """Return the rows to store, in the order of the communities; none is provisional."""
    table, final = scored.table, scored.final
    columns = zip(
        scored.known.community_ids,
        [None if np.isnan(score) else score for score in table.scores.tolist()],
        table.coverages.tolist(),
        table.lo.tolist(),
        table.hi.tolist(),
        _parts_of(scored),
        table.bands.tolist(),
        _floors_of(final),
        final.bands.tolist(),
        final.computed.tolist(),
        published.tolist(),
        strict=True,
    )
    names = [colour.value for colour in BANDS]
    return [
        {
            "community_id": community_id,
            "day": day,
            "version": scored.version.name,
            "score": score,
            "coverage": coverage,
            "lo": lo,
            "hi": hi,
            "parts": list(parts),
            "score_colour": names[own],
            "floors": floors,
            "colour": names[band],
            "computed_colour": names[computed],
            "is_published": is_published,
            "is_provisional": False,
        }
        for (
            community_id,
            score,
            coverage,
            lo,
            hi,
            parts,
            own,
            floors,
            band,
            computed,
            is_published,
        ) in columns
    ]


def _parts_of(scored: Scored) -> Iterable[tuple[list[Any], ...]]:
    """Return the parts of each row, in the order of the version."""
    columns = []
    values = scored.known.for_version(scored.version)
    missing = np.full(len(scored.known.community_ids), np.nan)
    # Looked up once: there are thousands of each.
    absent, stale, fresh = Status.MISSING.value, Status.STALE.value, Status.FRESH.value
    for place, indicator in enumerate(scored.version.indicators):
        column = values.get(indicator.code, missing).tolist()
        ages = scored.known.ages.get(indicator.code, missing).tolist()
        norms = scored.table.norms[place].tolist()
        points = scored.table.contributions[place].tolist()
        code, weight = indicator.code, indicator.weight
        columns.append(
            [
                [code, None, None, weight, 0.0, absent]
                if value != value  # noqa: PLR0124  the quickest test for NaN
                else [code, value, norm, weight, point, stale if age else fresh]
                for value, norm, point, age in zip(column, norms, points, ages, strict=True)
            ]
        )
    return zip(*columns, strict=True)


def _floors_of(final: FinalTable) -> list[list[str]]:
    rules = [(rule.value, flags.tolist()) for rule, flags in final.rules.items()]
    return [[rule for rule, flags in rules if flags[row]] for row in range(len(final.bands))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What storing rows changed: how many, and whether that concerns what people see."""

    count: int
    is_shown: bool


def store_rows(
    session: Session,
    rows: Sequence[dict[str, Any]],
    *,
    day: date,
    version: ModelVersion,
    now: datetime,
) -> Changes:
    """Write the rows that differ from what is stored.

    A raise of today's real time stands until a row takes its place that people see as well: a day
    that is held must not take back what an infection has shown.
    """
    stored = session.execute(
        select(_SCORE.community_id, *(_SCORE[name] for name in RESULTS)).where(
            _SCORE.day == day, _SCORE.version == version.name
        )
    )
    known = {row.community_id: row for row in stored}
    changed, is_shown = [], False
    for row in rows:
        old = known.get(row["community_id"])
        if old is not None:
            if old.is_provisional and old.is_published and not row["is_published"]:
                continue
            if all(getattr(old, name) == row[name] for name in RESULTS):
                continue
        is_shown |= old is None or any(getattr(old, name) != row[name] for name in SHOWN)
        changed.append(row)
    if changed:
        statement = upsert(session, RiskScore, keys=_KEYS, update=(*RESULTS, "scored_at"))
        columns = tuple(changed[0])
        write_all(
            session,
            statement,
            columns=(*columns, "scored_at"),
            rows=((*(row[name] for name in columns), now) for row in changed),
        )
    return Changes(count=len(changed), is_shown=is_shown)


def unpublish_others(session: Session, *, day: date, version: ModelVersion) -> None:
    """Take back what another version has published of a day."""
    session.execute(
        update(RiskScore)
        .where(RiskScore.day == day, RiskScore.version != version.name, RiskScore.is_published)
        .values(is_published=False)
        .execution_options(synchronize_session=False)
    )
