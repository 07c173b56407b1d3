"""Scoring a day: every community at once, in a fixed number of statements."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.risk.alerting import alert_held
from core.risk.floors import BANDS
from core.risk.holding import (
    HoldReason,
    PublicationState,
    Verdict,
    goes_out,
    judge,
    store_verdict,
)
from core.risk.loading import (
    DayValues,
    load_overrides,
    load_shown,
    load_silent,
    load_values,
)
from core.risk.model import Publication, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour, ModelVersion
from core.risk.storing import Changes, Scored, compute, rows_of, store_rows, unpublish_others
from core.risk.suspicion import with_fevers
from core.risk.turns import stand_in_line
from core.risk.versions.service import challengers, champion

log = structlog.get_logger()

_SCORE: Final = RiskScore.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DayScores:
    """What scoring a day did.

    Attributes:
        day: the day that was scored.
        version: the name of the model version.
        colours: communities by colour; grey ones are not published.
        changed_count: rows that were added or differ from what was stored.
        is_shown_changed: whether that concerns more than a score: the days after may follow.
        hold: why the day is held; None: it is not, or it is scored in silence.
    """

    day: date
    version: str
    colours: Mapping[Colour, int]
    changed_count: int
    is_shown_changed: bool = False
    hold: HoldReason | None = None


def score_day(
    session: Session, *, day: date, now: datetime, version: ModelVersion | None = None
) -> DayScores:
    """Score every community for a day and store what changed.

    A value that has not come is replaced by the last one of the days before, as far back as the
    version allows. The number of statements does not depend on the number of communities, and a
    second run over the same values leaves every row as it was.

    Several at once that score take turns, so that the last one has seen the values of all: what
    the night and an import bring together is not lost.

    Args:
        session: the session of the step; PostgreSQL keeps others waiting until it ends.
        day: the local day whose values are scored.
        now: aware instant of the run.
        version: the model; without one the champion of the day, and the challengers beside it.
            Another version than the champion is scored in silence and never published.

    Returns:
        The colours of the day. A community that is grey, or whose day is held, keeps the last
        published colour until that is too old; see `find_card` and `holding`.
    """
    stand_in_line(session)
    reigning = champion(session, day=day)
    if version is not None:
        known = _load(session, day, [version])
        if version.name == reigning.name:
            return _score_aloud(session, version, known, day=day, now=now)
        return _score_in_silence(session, version, known, day=day, now=now)
    silent = challengers(session, day=day)
    known = _load(session, day, [reigning, *silent])
    for one in silent:
        _score_in_silence(session, one, known, day=day, now=now)
    return _score_aloud(session, reigning, known, day=day, now=now)


def _load(session: Session, day: date, versions: list[ModelVersion]) -> DayValues:
    days_back = max(one.max_stale_days for one in versions)
    known = load_values(session, day=day, days_back=days_back)
    return with_fevers(session, known, day=day, versions=versions)


def score_days(session: Session, *, days: Collection[date], now: datetime) -> list[DayScores]:
    """Score some days in order, and those after them that follow from their colours.

    A colour falls step by step (R3, R4), so that a day depends on what was shown before it. The
    chain ends where scoring again changes no colour.

    Args:
        session: the session of the change.
        days: local days.
        now: aware instant.

    Returns:
        What was done, in order of days.
    """
    if not days:
        return []
    pending = sorted(set(days))
    scored = list_scored(session, first=pending[0], until=date.max)
    results: list[DayScores] = []
    while pending:
        day = pending.pop(0)
        result = score_day(session, day=day, now=now)
        results.append(result)
        if result.is_shown_changed:
            last = day + timedelta(days=MAX_CARD_AGE_DAYS)
            for later in scored:
                if day < later <= last and later not in pending:
                    insort(pending, later)
    return results


def list_days_to_score(session: Session, *, changed: Collection[date]) -> list[date]:
    """Return the days to score again after values of some days changed, in order.

    These are the days themselves, and later ones that were scored and may carry a value on.
    """
    if not changed:
        return []
    days_back = champion(session, day=max(changed)).max_stale_days
    carried = {day + timedelta(days=ahead) for day in changed for ahead in range(1, days_back + 1)}
    scored = list_scored(session, first=min(changed), until=max(changed) + timedelta(days_back))
    return sorted({*changed, *carried.intersection(scored)})


def list_scored(session: Session, *, first: date, until: date) -> list[date]:
    """Return the days that a night scored, in order; today's real time is none."""
    days = session.scalars(
        select(_SCORE.day)
        .where(_SCORE.day >= first, _SCORE.day <= until, ~_SCORE.is_provisional)
        .distinct()
    )
    return sorted(days)


def _score_aloud(
    session: Session, version: ModelVersion, known: DayValues, *, day: date, now: datetime
) -> DayScores:
    before = load_shown(session, day=day, community_ids=known.community_ids)
    # The colours of a day are those that people see on the day after it.
    overrides = load_overrides(session, on=day + timedelta(days=1))
    scored = compute(version, known, before=before, overrides=overrides)
    verdict = judge(
        version,
        known=known,
        values=known.for_version(version),
        final=scored.final,
        before=before,
    )
    # Before anything ever came there is nothing to hold back, and nobody to be told of it.
    # Once a day went out or was held, silence is a fault of the feeds: it must be seen.
    has_begun = bool(known.values) or bool(before.any()) or _is_recorded(session, before=day)
    if has_begun:
        publication = store_verdict(session, verdict, day=day, version=version, now=now)
        verdict = _as_decided(verdict, publication)
    published = goes_out(verdict, version=version, final=scored.final, before=before)
    rows = rows_of(scored, day=day, published=published)
    unpublish_others(session, day=day, version=version)
    changed = store_rows(session, rows, day=day, version=version, now=now)
    if verdict.reason is not None and has_begun:
        log.warning(
            "risk_publication_held",
            day=str(day),
            reason=verdict.reason.value,
            communities=verdict.community_count,
            jumps=verdict.jump_count,
        )
        alert_held(session, day=day, cause=verdict.reason.value, count=verdict.jump_count, now=now)
    elif verdict.grey_count:
        log.warning("risk_communities_unknown", day=str(day), communities=verdict.grey_count)
    return _result(scored, changed, day=day, hold=verdict.reason)


def _is_recorded(session: Session, *, before: date) -> bool:
    return bool(session.scalar(select(exists().where(Publication.day < before))))


def _as_decided(verdict: Verdict, publication: Publication) -> Verdict:
    """Return the verdict as a person left it: what was released is not held again."""
    if publication.state != PublicationState.RELEASED.value:
        return verdict
    return Verdict(
        reason=None,
        community_count=verdict.community_count,
        grey_count=verdict.grey_count,
        jump_count=verdict.jump_count,
    )


def _score_in_silence(
    session: Session, version: ModelVersion, known: DayValues, *, day: date, now: datetime
) -> DayScores:
    before = load_silent(session, day=day, version=version, community_ids=known.community_ids)
    scored = compute(version, known, before=before, overrides={})
    nowhere = np.zeros(len(known.community_ids), dtype=np.bool_)
    rows = rows_of(scored, day=day, published=nowhere)
    changed = store_rows(session, rows, day=day, version=version, now=now)
    return _result(scored, changed, day=day, hold=None)


def _result(scored: Scored, changes: Changes, *, day: date, hold: HoldReason | None) -> DayScores:
    counts = Counter(scored.final.bands.tolist())
    log.info("risk_day_scored", day=str(day), version=scored.version.name, changed=changes.count)
    return DayScores(
        day=day,
        version=scored.version.name,
        colours={colour: counts[BANDS.index(colour)] for colour in Colour},
        changed_count=changes.count,
        is_shown_changed=changes.is_shown,
        hold=hold,
    )
