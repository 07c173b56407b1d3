"""Whether the colours of a day go out, and the record of it.

A day is held as a whole when a required feed has not come, when too little is known of the whole
district, or when more communities than a limit would change colour at once. The colours of the
days before stand then, for as long as cards show them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.risk.loading import DayValues
from core.risk.model import Publication
from core.risk.rules import MAX_SCORE, WEIGHT_TOLERANCE, ModelVersion
from core.risk.table import Bands, FinalTable, Flags, Floats


class PublicationState(StrEnum):
    """What became of a day."""

    PUBLISHED = "published"
    HELD = "held"
    RELEASED = "released"


class HoldReason(StrEnum):
    """Why a day is held."""

    FEED_MISSING = "feed_missing"
    COVERAGE = "coverage"
    JUMP = "jump"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a day may go out, and what that was judged by.

    Attributes:
        reason: why it is held; None: it is not.
        community_count: that were scored.
        grey_count: of whom too little is known.
        jump_count: that would change from one colour to another.
    """

    reason: HoldReason | None
    community_count: int
    grey_count: int
    jump_count: int


def judge(
    version: ModelVersion,
    *,
    known: DayValues,
    values: Mapping[str, Floats],
    final: FinalTable,
    before: Bands,
) -> Verdict:
    """Return whether the colours of a day may go out.

    Args:
        version: with its required indicators, least coverage and limit of jumps.
        known: what has come, with its age.
        values: of `known`, without what is too old for the version.
        final: the colours in question.
        before: the colours that are shown.

    Source: docs/sources.md#risk-publication
    """
    jump_count = int(is_jump(final.computed, before).sum())
    has_come = {
        code
        for code, column in values.items()
        if bool((~np.isnan(column) & (known.ages[code] == 0)).any())
    }
    weight = math.fsum(
        one.weight
        for one in version.indicators
        if one.code in values and not bool(np.isnan(values[one.code]).all())
    )
    reason = None
    if not version.required <= has_come:
        reason = HoldReason.FEED_MISSING
    elif weight / MAX_SCORE < version.min_coverage - WEIGHT_TOLERANCE:
        reason = HoldReason.COVERAGE
    elif jump_count > jump_limit(version, community_count=len(before)):
        reason = HoldReason.JUMP
    return Verdict(
        reason=reason,
        community_count=len(before),
        grey_count=int((final.computed == 0).sum()),
        jump_count=jump_count,
    )


def jump_limit(version: ModelVersion, *, community_count: int) -> float:
    """Return how many communities may change colour at once without a person looking at it."""
    return max(version.jump_least, version.jump_share * community_count)


def is_jump(computed: Bands, before: Bands) -> Flags:
    """Return which rows change from one colour to another; grey is none."""
    jumps: Flags = (computed > 0) & (before > 0) & (computed != before)
    return jumps


def goes_out(verdict: Verdict, *, version: ModelVersion, final: FinalTable, before: Bands) -> Flags:
    """Return which rows are published.

    On a day that is held because too little is known, a card that is shown must not look better
    than an infection that is known: its colour goes out all the same. Not so without a required
    feed, or when the day jumps: then the infections themselves are in doubt.
    """
    if verdict.reason is None:
        return final.bands > 0
    limit = jump_limit(version, community_count=verdict.community_count)
    if verdict.reason is not HoldReason.COVERAGE or verdict.jump_count > limit:
        return np.zeros(len(before), dtype=np.bool_)
    return (final.floors >= before) & (before > 0) & (final.bands > 0)


def store_verdict(
    session: Session, verdict: Verdict, *, day: date, version: ModelVersion, now: datetime
) -> Publication:
    """Record whether a day went out; one that a person has let go stays released."""
    row = session.scalar(
        select(Publication).where(Publication.day == day).execution_options(populate_existing=True)
    )
    state = PublicationState.PUBLISHED if verdict.reason is None else PublicationState.HELD
    if row is not None and row.state == PublicationState.RELEASED.value:
        state = PublicationState.RELEASED
    facts: dict[str, str | int] = {
        "version": version.name,
        "state": state.value,
        "community_count": verdict.community_count,
        "grey_count": verdict.grey_count,
        "jump_count": verdict.jump_count,
    }
    if state is not PublicationState.RELEASED:
        facts["reason"] = verdict.reason.value if verdict.reason else ""
    if row is None:
        row = Publication(day=day, scored_at=now, **facts)
        session.add(row)
    elif any(getattr(row, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(row, name, value)
        row.scored_at = now
    session.flush()
    return row
