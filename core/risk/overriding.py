"""Making the cards that are shown agree with the overrides that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, Text, bindparam, cast, func, or_, select, true, update
from sqlalchemy.orm import Session

from core.clock import day_of
from core.risk.holding import PublicationState
from core.risk.loading import load_overrides
from core.risk.model import Publication, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour, Rule

_SCORE: Final = RiskScore.__table__.c
_SHOWN: Final = ("colour", "floors", "is_published")
_CHANGE: Final = (
    update(RiskScore)
    .where(_SCORE.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in _SHOWN})
)
_INFECTION_RULES: Final = frozenset({Rule.INFECTION.value, Rule.CLUSTER.value})


def apply_overrides(session: Session, *, now: datetime) -> list[int]:
    """Give the cards of today the colours that two people have set, and take back what is over.

    The computed colour, the score and its reasons stay. A community of which nothing is shown
    gets its newest score, which was kept back, with the colour that was set. Running it again
    changes nothing.

    Args:
        session: the session of the change.
        now: aware instant; an override holds on whole local days.

    Returns:
        The communities whose card changed, in order.
    """
    today = day_of(now)
    wanted = load_overrides(session, on=today)
    shown = {
        row.community_id: row for row in session.execute(_newest(today, wanted, is_shown=True))
    }
    unseen = wanted.keys() - shown.keys()
    if unseen:
        kept_back = session.execute(_newest(today, {one: wanted[one] for one in unseen}))
        shown |= {row.community_id: row for row in kept_back if row.community_id in unseen}
    changes = {
        community_id: change
        for community_id, row in sorted(shown.items())
        if (change := _change_of(row, wanted.get(community_id)))
    }
    if changes:
        session.connection().execute(_CHANGE, list(changes.values()))
    return list(changes)


def _newest(
    today: date, wanted: Mapping[int, Colour], *, is_shown: bool = False
) -> Select[*tuple[Any, ...]]:
    """Return the newest rows of the communities that are or were overridden."""
    is_recent = _SCORE.day.between(today - timedelta(days=MAX_CARD_AGE_DAYS), today)
    newest = (
        select(_SCORE.community_id, func.max(_SCORE.day).label("day"))
        .where(is_recent, _SCORE.is_published if is_shown else true())
        .group_by(_SCORE.community_id)
        .subquery()
    )
    return (
        select(
            _SCORE.id,
            _SCORE.community_id,
            _SCORE.computed_colour,
            _SCORE.is_provisional,
            *(_SCORE[name] for name in _SHOWN),
            Publication.state,
        )
        .join_from(
            RiskScore.__table__,
            newest,
            (newest.c.community_id == _SCORE.community_id) & (newest.c.day == _SCORE.day),
        )
        .outerjoin(
            Publication, (Publication.day == _SCORE.day) & (Publication.version == _SCORE.version)
        )
        .where(
            _SCORE.is_published if is_shown else Publication.day.is_not(None),
            or_(
                _SCORE.community_id.in_(sorted(wanted)),
                cast(_SCORE.floors, Text).contains(f'"{Rule.OVERRIDE.value}"'),
            ),
        )
    )


def _change_of(row: Row[*tuple[Any, ...]], colour: Colour | None) -> dict[str, Any] | None:
    """Return how a row has to change; None: not at all."""
    rules = [rule for rule in row.floors if rule != Rule.OVERRIDE.value]
    if colour is not None:
        new = {
            "colour": colour.value,
            "floors": [*rules, Rule.OVERRIDE.value],
            "is_published": True,
        }
    else:
        is_published = row.computed_colour != Colour.GREY.value and not (
            row.state == PublicationState.HELD.value
            and not row.is_provisional
            and _INFECTION_RULES.isdisjoint(rules)
        )
        new = {"colour": row.computed_colour, "floors": rules, "is_published": is_published}
    if all(getattr(row, name) == value for name, value in new.items()):
        return None
    return {"of_id": row.id} | {f"new_{name}": value for name, value in new.items()}
