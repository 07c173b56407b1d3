"""Use cases of community risk: show a community's card, count the colours, subscribe."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Subquery,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Session

from core.clock import day_of
from core.db import upsert
from core.lookups import Lookup
from core.places.matching import Finding, Fit
from core.places.model import Community
from core.places.service import REVISION, PlaceBook, find_places, last_book
from core.risk.disclosure import Disclosed, disclosed
from core.risk.model import ColourSubscription, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS, MAX_SCORE, Colour, Indicator, Rule, Status
from core.risk.rulings.model import ColourOverride
from core.risk.versions import find_version
from core.risk.versions.service import find_stored_version

_SCORE: Final = RiskScore.__table__.c
_STATUS: Final = {status.value: status for status in Status}
_COLOUR: Final = {colour.value: colour for colour in Colour}
_BY_HAND: Final = f'"{Rule.OVERRIDE}"'
CACHED_REASONS: Final = 4096


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
        disclosed: value and points as anybody may read them; None when missing.
    """

    indicator: str
    label: str
    unit_label: str
    value: float | None
    norm: float | None
    weight: float
    contribution: float
    status: Status
    disclosed: Disclosed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourCard:
    """What is known of a community's risk.

    Attributes:
        community_id: whose card it is.
        colour: grey when the newest published score is too old.
        score_colour: of the score alone; grey where too little was known for one.
        rules: what made the colour another one than that of the score; of `Rule`.
        override_until: the last day of the colour that two people set; None without one.
        is_provisional: computed during the day; the night replaces it.
        day: the day that was scored; for a grey card, the last one that was published.
        score: 0-100, of that day; None where nothing was known and people set the colour.
        coverage: share of the weights that was known, 0-1.
        lo: the score if everything missing were harmless.
        hi: the score if everything missing were at its worst.
        version: the model version that scored it.
        scored_at: when.
        reasons: every indicator, the one that adds most first; ties in the model's order.
    """

    community_id: int
    colour: Colour
    score_colour: Colour
    rules: tuple[str, ...]
    override_until: date | None
    is_provisional: bool
    day: date
    score: float | None
    coverage: float
    lo: float
    hi: float
    version: str
    scored_at: datetime
    reasons: tuple[Reason, ...]

    @property
    def whole_score(self) -> int | None:
        """The score in whole points, rounded down so that it stays on its side of a cut."""
        return None if self.score is None else math.floor(self.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourCounts:
    """How many communities have which colour; `day` is the newest day among them, if any."""

    day: date | None
    counts: Mapping[Colour, int]


_NEWEST_PUBLISHED: Final = Lookup(
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
        _SCORE.score_colour,
        cast(_SCORE.floors, Text),
        _SCORE.is_provisional,
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
                known = _card_of(session, finding.ids[0], row, today=today)
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
    more than three days old. One statement, one step into an index: this is the hot path. Only
    a colour that people set takes a second one, for its last day.

    Args:
        session: may be a reading one.
        community_id: the community.
        today: the local day of the question.

    Source: docs/sources.md#risk-bands
    """
    row = _newest_row(session, community_id=community_id, today=today)
    return None if row is None else _card_of(session, community_id, row, today=today)


def _newest_row(session: Session, *, community_id: int, today: date) -> Sequence[Any] | None:
    return _NEWEST_PUBLISHED.first(session, community_id=community_id, today=today)


def _card_of(session: Session, community_id: int, row: Sequence[Any], *, today: date) -> ColourCard:
    day, version, score, colour, coverage, lo, hi, parts, scored_at, of_score, rules, early, _ = row
    is_fresh = (today - day).days <= MAX_CARD_AGE_DAYS
    is_by_hand = _BY_HAND in rules
    return ColourCard(
        community_id=community_id,
        colour=_COLOUR[colour] if is_fresh else Colour.GREY,
        score_colour=_COLOUR[of_score],
        rules=_rules_of(rules),
        override_until=_override_end(session, community_id) if is_by_hand else None,
        is_provisional=early,
        day=day,
        score=score,
        coverage=coverage,
        lo=lo,
        hi=hi,
        version=version,
        scored_at=scored_at,
        reasons=reasons_of(session, version=version, parts=parts),
    )


def _override_end(session: Session, community_id: int) -> date | None:
    return session.scalar(
        select(ColourOverride.until_day).where(
            ColourOverride.community_id == community_id, ColourOverride.state == "in_force"
        )
    )


@lru_cache(maxsize=64)
def _rules_of(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


def reasons_of(session: Session, *, version: str, parts: str) -> tuple[Reason, ...]:
    """Return every indicator of a stored score, the one that adds most first.

    Args:
        session: may be a reading one; asked only for a version that this process never met.
        version: that scored it.
        parts: of the row, as JSON.
    """
    model = find_version(version) or find_stored_version(session, name=version)
    return _reasons_of(version, model.digest if model else "", parts)


@lru_cache(maxsize=CACHED_REASONS)
def _reasons_of(version: str, digest: str, parts: str) -> tuple[Reason, ...]:
    # The same text always gives the same reasons, and a district asks for a thousand of them.
    model = find_version(version) if digest else None
    indicators = {one.code: one for one in model.indicators} if model else {}
    stored = sorted(json.loads(parts), key=_contribution_of, reverse=True)
    # What is missing leaves its share to the others.
    known = math.fsum(part[3] for part in stored if part[1] is not None)
    return tuple(_reason_of(part, indicators.get(part[0]), known=known) for part in stored)


def _reason_of(part: Sequence[Any], indicator: Indicator | None, *, known: float) -> Reason:
    code, value, norm, weight, contribution, status = part
    return Reason(
        indicator=code,
        label=indicator.label if indicator else code,
        unit_label=indicator.unit_label if indicator else "",
        value=value,
        norm=norm,
        weight=weight,
        contribution=contribution,
        status=_STATUS[status],
        disclosed=None
        if value is None
        else disclosed(
            indicator, value=value, contribution=contribution, full=weight * MAX_SCORE / known
        ),
    )


def _contribution_of(part: Sequence[Any]) -> float:
    contribution: float = part[4]
    return contribution


def newest_days(today: date) -> Subquery:
    """Return the communities that have a fresh published score, with `day`, its newest day."""
    return (
        select(_SCORE.community_id, func.max(_SCORE.day).label("day"))
        .where(
            _SCORE.is_published,
            _SCORE.day.between(today - timedelta(days=MAX_CARD_AGE_DAYS), today),
        )
        .group_by(_SCORE.community_id)
        .subquery()
    )


def count_colours(session: Session, *, today: date) -> ColourCounts:
    """Return how many communities have which colour today, as their cards would show it.

    Args:
        session: may be a reading one.
        today: the local day of the question; older scores than three days count as grey.
    """
    newest = newest_days(today)
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

    The last published colour counts as told, as of its day: they see it on the card.

    Returns:
        Whether this is new; a second subscription leaves the first as it is.
    """
    statement = upsert(session, ColourSubscription, keys=("community_id", "person_id"), update=())
    told = {
        "told_colour": _newest_of(_SCORE.colour, community_id, now=now),
        "told_day": _newest_of(_SCORE.day, community_id, now=now),
    }
    values = {"person_id": person_id, "community_id": community_id, "created_at": now}
    statement = statement.values(**values, **told)
    added = session.scalar(statement.returning(ColourSubscription.id))
    return added is not None


def _newest_of(column: ColumnElement[Any], community_id: int, *, now: datetime) -> Any:
    """Return a column of the newest published score of a community, for use in a statement."""
    return (
        select(column)
        .where(_SCORE.community_id == community_id, _SCORE.is_published, _SCORE.day <= day_of(now))
        .order_by(_SCORE.day.desc())
        .limit(1)
        .scalar_subquery()
    )


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
