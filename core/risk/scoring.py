"""Scoring a day: every community at once, in a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from core.db import upsert
from core.places.model import Community
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import Colour, ModelVersion, Reading, Score, score_all
from core.risk.versions import CURRENT, get_version

log = structlog.get_logger()

_SCORE: Final = RiskScore.__table__.c
_VALUE: Final = IndicatorValue.__table__.c
_KEYS: Final = ("community_id", "day", "version")
_RESULTS: Final = ("score", "colour", "coverage", "lo", "hi", "parts", "is_published")
# With the number of the day; any number that no other such lock of the application has.
_LOCK: Final = 0x5249534B


@dataclass(frozen=True, slots=True, kw_only=True)
class DayScores:
    """What scoring a day did.

    Attributes:
        day: the day that was scored.
        version: the name of the model version.
        colours: communities by colour; grey ones are not published.
        changed_count: rows that were added or differ from what was stored.
    """

    day: date
    version: str
    colours: Mapping[Colour, int]
    changed_count: int


def score_day(
    session: Session, *, day: date, now: datetime, version: ModelVersion | None = None
) -> DayScores:
    """Score every community for a day and store what changed.

    A value that has not come is replaced by the last one of the days before, as far back as the
    version allows. The number of statements does not depend on the number of communities, and a
    second run over the same values leaves every row as it was.

    Several at once that score the same day take turns, so that the last one has seen the values
    of all: what the night and an import bring together is not lost.

    Args:
        session: the session of the step; PostgreSQL keeps others waiting until it ends.
        day: the local day whose values are scored.
        now: aware instant of the run.
        version: the model; without one the current version. Another version is scored beside the
            current one and never published.

    Returns:
        The colours of the day. A community that is grey keeps the last published colour until
        that is too old; see `find_card`.
    """
    version = version or get_version()
    _stand_in_line(session, day=day)
    scores = score_all(version, _readings_of(session, day=day, version=version))
    rows = {
        community_id: _row_of(score, community_id=community_id, day=day, version=version)
        for community_id, score in scores.items()
    }
    changed = _changed_rows(session, rows, day=day, version=version)
    if version.name == CURRENT:
        _unpublish_others(session, day=day, version=version)
    if changed:
        statement = upsert(session, RiskScore, keys=_KEYS, update=(*_RESULTS, "scored_at"))
        session.connection().execute(statement, [{**row, "scored_at": now} for row in changed])
    colours = Counter(score.colour for score in scores.values())
    log.info("risk_day_scored", day=str(day), version=version.name, changed=len(changed))
    if colours[Colour.GREY]:
        log.warning("risk_publication_held", day=str(day), communities=colours[Colour.GREY])
    return DayScores(
        day=day,
        version=version.name,
        colours={colour: colours[colour] for colour in Colour},
        changed_count=len(changed),
    )


def list_days_to_score(session: Session, *, changed: Collection[date]) -> list[date]:
    """Return the days to score again after values of some days changed, in order.

    These are the days themselves, and later ones that were scored and may carry a value on.
    """
    carried = {
        day + timedelta(days=ahead)
        for day in changed
        for ahead in range(1, get_version().max_stale_days + 1)
    }
    scored = session.scalars(select(_SCORE.day).where(_SCORE.day.in_(carried)).distinct())
    return sorted({*changed, *scored})


def _stand_in_line(session: Session, *, day: date) -> None:
    # SQLite lets one transaction write at a time.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK, day.toordinal())))


def _readings_of(
    session: Session, *, day: date, version: ModelVersion
) -> dict[int, dict[str, Reading]]:
    communities = session.scalars(select(Community.id).order_by(Community.id))
    readings: dict[int, dict[str, Reading]] = {one: {} for one in communities}
    first = day - timedelta(days=version.max_stale_days)
    for value_day, community_id, indicator, value in session.execute(_carried(first, day)).all():
        # In order of days: a newer value takes the place of an older one.
        readings[community_id][indicator] = Reading(value, (day - value_day).days)
    fresh = select(_VALUE.community_id, _VALUE.indicator, _VALUE.value).where(_VALUE.day == day)
    for community_id, indicator, value in session.execute(fresh).all():
        readings[community_id][indicator] = Reading(value)
    return readings


def _carried(first: date, day: date) -> Select[*tuple[Any, ...]]:
    """Return the values since `first` that have no successor on `day`, the oldest first."""
    today = aliased(IndicatorValue)
    has_come = exists().where(
        today.day == day,
        today.community_id == _VALUE.community_id,
        today.indicator == _VALUE.indicator,
    )
    return (
        select(_VALUE.day, _VALUE.community_id, _VALUE.indicator, _VALUE.value)
        .where(_VALUE.day >= first, _VALUE.day < day, ~has_come)
        .order_by(_VALUE.day)
    )


def _row_of(score: Score, *, community_id: int, day: date, version: ModelVersion) -> dict[str, Any]:
    return {
        "community_id": community_id,
        "day": day,
        "version": version.name,
        "score": score.score,
        "colour": score.colour.value,
        "coverage": score.coverage,
        "lo": score.lo,
        "hi": score.hi,
        "parts": [list(part) for part in score.parts],
        "is_published": version.name == CURRENT and score.colour is not Colour.GREY,
    }


def _changed_rows(
    session: Session, rows: Mapping[int, dict[str, Any]], *, day: date, version: ModelVersion
) -> list[dict[str, Any]]:
    stored = session.execute(
        select(_SCORE.community_id, *(_SCORE[name] for name in _RESULTS)).where(
            _SCORE.day == day, _SCORE.version == version.name
        )
    )
    known = {row[0]: tuple(row[1:]) for row in stored}
    return [
        row
        for community_id, row in rows.items()
        if known.get(community_id) != tuple(row[name] for name in _RESULTS)
    ]


def _unpublish_others(session: Session, *, day: date, version: ModelVersion) -> None:
    session.execute(
        update(RiskScore)
        .where(RiskScore.day == day, RiskScore.version != version.name, RiskScore.is_published)
        .values(is_published=False)
        .execution_options(synchronize_session=False)
    )
