"""Use cases of community risk: score a day, show a community's card, count the colours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import (
    CursorResult,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from core.clock import day_of
from core.db import upsert
from core.places.matching import Finding, Fit
from core.places.model import Community
from core.places.service import REVISION, PlaceBook, find_places, last_book
from core.risk.model import ColourSubscription, IndicatorValue, RiskScore
from core.risk.rules import (
    MAX_CARD_AGE_DAYS,
    Colour,
    ModelVersion,
    Reading,
    Score,
    Status,
    score_all,
)
from core.risk.versions import CURRENT, find_version, get_version

log = structlog.get_logger()

_SCORE: Final = RiskScore.__table__.c
_VALUE: Final = IndicatorValue.__table__.c
_STATUS: Final = {status.value: status for status in Status}
CACHED_REASONS: Final = 4096
_KEYS: Final = ("community_id", "day", "version")
_RESULTS: Final = ("score", "colour", "coverage", "lo", "hi", "parts", "is_published")


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


class Reason(NamedTuple):
    """One indicator of a card, as people read it; a tuple, as a card makes thirteen of them.

    Attributes:
        indicator: its code.
        label: its name for people; the code where the version is not on this machine.
        unit_label: the unit as written after the number.
        value: in that unit; None when missing.
        norm: 0-100; None when missing.
        weight: percent of the full score.
        contribution: points of the score.
        status: how fresh the value is.
    """

    indicator: str
    label: str
    unit_label: str
    value: float | None
    norm: float | None
    weight: float
    contribution: float
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourCard:
    """What is known of a community's risk.

    Attributes:
        community_id: whose card it is.
        colour: grey when the newest published score is too old.
        day: the day that was scored; for a grey card, the last one that was published.
        score: 0-100, of that day.
        coverage: share of the weights that was known, 0-1.
        lo: the score if everything missing were harmless.
        hi: the score if everything missing were at its worst.
        version: the model version that scored it.
        scored_at: when.
        reasons: every indicator, the one that adds most first; ties in the model's order.
    """

    community_id: int
    colour: Colour
    day: date
    score: float
    coverage: float
    lo: float
    hi: float
    version: str
    scored_at: datetime
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourCounts:
    """How many communities have which colour; `day` is the newest day among them, if any."""

    day: date | None
    counts: Mapping[Colour, int]


# ---- scoring --------------------------------------------------------------------------------


def score_day(
    session: Session, *, day: date, now: datetime, version: ModelVersion | None = None
) -> DayScores:
    """Score every community for a day and store what changed.

    A value that has not come is replaced by the last one of the days before, as far back as the
    version allows. The number of statements does not depend on the number of communities, and a
    second run over the same values leaves every row as it was.

    Args:
        session: the session of the step.
        day: the local day whose values are scored.
        now: aware instant of the run.
        version: the model; without one the current version. Another version is scored beside the
            current one and never published.

    Returns:
        The colours of the day. A community that is grey keeps the last published colour until
        that is too old; see `find_card`.
    """
    version = version or get_version()
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


# ---- cards ----------------------------------------------------------------------------------

_NEWEST_PUBLISHED: Final = (
    select(
        _SCORE.day,
        _SCORE.version,
        _SCORE.score,
        _SCORE.colour,
        _SCORE.coverage,
        _SCORE.lo,
        _SCORE.hi,
        cast(_SCORE.parts, Text),
        _SCORE.scored_at,
        REVISION,
    )
    .where(
        _SCORE.community_id == bindparam("community_id"),
        _SCORE.is_published,
        _SCORE.day <= bindparam("today"),
    )
    .order_by(_SCORE.day.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCard:
    """What a text names, and the card of it.

    Attributes:
        finding: what the text names.
        book: the register that the finding's ids refer to.
        card: of the one community that is named; None where none or several are, or where no
            score of it was ever published.
    """

    finding: Finding
    book: PlaceBook
    card: ColourCard | None


def find_named_card(session: Session, *, text: str, today: date) -> NamedCard:
    """Return which community a text names and its card, mostly by one statement.

    The register that this process knows leads to the community; the statement that reads the
    card tells whether that register still holds. If not, all of it is done again.

    Args:
        session: may be a reading one.
        text: what a person wrote.
        today: the local day of the question.
    """
    book = last_book(session)
    if book is not None:
        finding = book.index.find(text)
        if finding.fit is Fit.ONE:
            row = _newest_row(session, community_id=finding.ids[0], today=today)
            if row is not None and row[-1] == book.revision:
                known = _card_of(finding.ids[0], row, today=today)
                return NamedCard(finding=finding, book=book, card=known)
    finding, book = find_places(session, text=text)
    card = (
        find_card(session, community_id=finding.ids[0], today=today)
        if finding.fit is Fit.ONE
        else None
    )
    return NamedCard(finding=finding, book=book, card=card)


def find_card(session: Session, *, community_id: int, today: date) -> ColourCard | None:
    """Return the card of a community, or None when no score of it was ever published.

    A day whose publication is held leaves the colour of the day before standing, until that is
    more than three days old. One statement, one step into an index: this is the hot path.

    Args:
        session: may be a reading one.
        community_id: the community.
        today: the local day of the question.

    Source: docs/sources.md#risk-bands
    """
    row = _newest_row(session, community_id=community_id, today=today)
    return None if row is None else _card_of(community_id, row, today=today)


def _newest_row(session: Session, *, community_id: int, today: date) -> Sequence[Any] | None:
    return (
        session.connection()
        .execute(_NEWEST_PUBLISHED, {"community_id": community_id, "today": today})
        .one_or_none()
    )


def _card_of(community_id: int, row: Sequence[Any], *, today: date) -> ColourCard:
    day, version, score, colour, coverage, lo, hi, parts, scored_at, _ = row
    is_fresh = (today - day).days <= MAX_CARD_AGE_DAYS
    return ColourCard(
        community_id=community_id,
        colour=Colour(colour) if is_fresh else Colour.GREY,
        day=day,
        score=score,
        coverage=coverage,
        lo=lo,
        hi=hi,
        version=version,
        scored_at=scored_at,
        reasons=_reasons_of(version, parts),
    )


@lru_cache(maxsize=CACHED_REASONS)
def _reasons_of(version: str, parts: str) -> tuple[Reason, ...]:
    # The same text always gives the same reasons, and a district asks for a thousand of them.
    model = find_version(version)
    names = model.names if model else {}
    reasons = []
    for part in sorted(json.loads(parts), key=_contribution_of, reverse=True):
        code, value, norm, weight, contribution, status = part
        label, unit_label = names.get(code) or (code, "")
        reasons.append(
            Reason(code, label, unit_label, value, norm, weight, contribution, _STATUS[status])
        )
    return tuple(reasons)


def _contribution_of(part: Sequence[Any]) -> float:
    contribution: float = part[4]
    return contribution


def count_colours(session: Session, *, today: date) -> ColourCounts:
    """Return how many communities have which colour today, as their cards would show it.

    Args:
        session: may be a reading one.
        today: the local day of the question; older scores than three days count as grey.
    """
    newest = (
        select(_SCORE.community_id, func.max(_SCORE.day).label("day"))
        .where(
            _SCORE.is_published,
            _SCORE.day.between(today - timedelta(days=MAX_CARD_AGE_DAYS), today),
        )
        .group_by(_SCORE.community_id)
        .subquery()
    )
    rows = session.execute(
        select(_SCORE.colour, func.count(), func.max(_SCORE.day))
        .join_from(
            newest,
            RiskScore.__table__,
            (_SCORE.community_id == newest.c.community_id) & (_SCORE.day == newest.c.day),
        )
        .where(_SCORE.is_published)
        .group_by(_SCORE.colour)
    ).all()
    counts = dict.fromkeys(Colour, 0) | {Colour(colour): count for colour, count, _ in rows}
    total = session.scalar(select(func.count()).select_from(Community)) or 0
    counts[Colour.GREY] = total - sum(counts.values())
    return ColourCounts(day=max((day for _, _, day in rows), default=None), counts=counts)


# ---- subscriptions --------------------------------------------------------------------------


def subscribe(session: Session, *, person_id: int, community_id: int, now: datetime) -> bool:
    """Remember that a person wants to hear when the colour of a community changes.

    The last published colour counts as told: they see it on the card.

    Returns:
        Whether this is new; a second subscription leaves the first as it is.
    """
    statement = upsert(session, ColourSubscription, keys=("community_id", "person_id"), update=())
    shown = (
        select(_SCORE.colour)
        .where(_SCORE.community_id == community_id, _SCORE.is_published, _SCORE.day <= day_of(now))
        .order_by(_SCORE.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    values = {"person_id": person_id, "community_id": community_id, "created_at": now}
    statement = statement.values(**values, told_colour=shown)
    added = session.scalar(statement.returning(ColourSubscription.id))
    return added is not None


def unsubscribe(session: Session, *, person_id: int, community_id: int | None = None) -> int:
    """Forget a person's subscription to a community, or to all of them.

    Returns:
        How many subscriptions ended.
    """
    statement = delete(ColourSubscription).where(ColourSubscription.person_id == person_id)
    if community_id is not None:
        statement = statement.where(ColourSubscription.community_id == community_id)
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def list_subscriptions(session: Session, *, person_id: int) -> list[tuple[int, str]]:
    """Return id and name of the communities that a person subscribed to, the oldest first."""
    rows = session.execute(
        select(Community.id, Community.name)
        .join(ColourSubscription, ColourSubscription.community_id == Community.id)
        .where(ColourSubscription.person_id == person_id)
        .order_by(ColourSubscription.id)
    )
    return [(community_id, name) for community_id, name in rows]
