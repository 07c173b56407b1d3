"""During the day: what an event, a correction or an override changes before the night.

What real time may do: raise a shown colour, never lower it, and only as a provisional row of
today, which the night replaces. A correction of what was stored may lower; it scores whole days
again, by the rules of the night.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import structlog
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.places.model import CommunityNear
from core.residents.model import Residence, Resident
from core.risk.events.model import EpidemicEvent
from core.risk.floors import BANDS
from core.risk.holding import HoldReason, PublicationState
from core.risk.indicators.computing import compute_indicators, read_values
from core.risk.loading import DayValues, load_overrides, load_values
from core.risk.model import Publication, RiskScore
from core.risk.notifying import queue_colour_notices
from core.risk.overriding import apply_overrides
from core.risk.pausing import note_pause
from core.risk.raising import UNSEEN, Card, Rank, let_out, limits_of
from core.risk.rules import MAX_CARD_AGE_DAYS, ModelVersion
from core.risk.scoring import DayScores, list_scored, score_days
from core.risk.storing import Scored, compute, rows_of, store_rows, unpublish_others
from core.risk.turns import stand_in_line
from core.risk.versions.service import champion

log = structlog.get_logger()

# Infections of so many days can be of one cluster.
LINKED_DAYS: Final = 14
# Counting a few communities is quicker than the whole district, and counting many is not.
FEW_COMMUNITIES: Final = 64
# So many days back a correction is worked out at once: as far as appeals and windows reach.
RESCORED_DAYS: Final = 14

_SCORE: Final = RiskScore.__table__.c
_BAND: Final[Mapping[str, int]] = {colour.value: band for band, colour in enumerate(BANDS)}


def score_nights(session: Session, *, days: Collection[date], now: datetime) -> list[DayScores]:
    """Score some days and what follows from them, and bring the cards of today into line.

    Args:
        session: the session of the step.
        days: local days that are over.
        now: aware instant of the run.

    Returns:
        The days that were scored, in order.
    """
    results = score_days(session, days=days, now=now)
    apply_overrides(session, now=now)
    # What an infection has shown by day is not taken back by values that may be wrong.
    if not _is_in_doubt(session, day_of(now)):
        _refresh_today(session, now=now)
    return results


def rescore_now(session: Session, *, community_ids: Collection[int], now: datetime) -> list[int]:
    """Score some communities and those around them for today, from what has come by now.

    A colour that is worse than the shown one, or a higher score of the same colour, is shown at
    once, as provisional; nothing better is. More changes of colour in a day than the version's
    limit are left to the night and to people, but for those that a known infection demands: only
    where these are a quarter of the district, or the newest night is held for its jumps, they are
    limited too. What is left is recorded, for staff to see. Overrides are applied, in both
    directions. Subscribers are told in the same transaction.

    Args:
        session: the session of the change.
        community_ids: whose events changed.
        now: aware instant.

    Returns:
        The communities whose card changed, in order.
    """
    session.flush()
    stand_in_line(session)
    changed = set(apply_overrides(session, now=now))
    area = _touched(session, community_ids, first=day_of(now) - timedelta(days=LINKED_DAYS))
    changed |= _raise_today(session, area, now=now)
    if changed:
        queue_colour_notices(session, now=now)
    return sorted(changed)


def rescore_since(
    session: Session, *, community_ids: Collection[int], since: date, now: datetime
) -> list[date]:
    """Compute and score stored days again after a correction; colours may fall.

    The days are those from `since` on that a night has scored, by the version of each day, with
    what is known of them now; today's provisional scores follow. Days longer ago than cards,
    notices and floors reach are left to `flask risk backfill`, and named in the log. Subscribers
    are told in the same transaction.

    Args:
        session: the session of the change.
        community_ids: whose values or events were corrected.
        since: the first local day that is concerned.
        now: aware instant.

    Returns:
        The days that were scored again, in order.
    """
    session.flush()
    stand_in_line(session)
    first = max(since, day_of(now) - timedelta(days=RESCORED_DAYS))
    area = _touched(session, community_ids, first=first - timedelta(days=LINKED_DAYS))
    days = list_scored(session, first=first, until=day_of(now))
    if since < first:
        log.warning("risk_days_left", first=str(since), last=str(first - timedelta(days=1)))
    for day in days:
        compute_indicators(session, day=day, now=now, community_ids=area)
    results = score_days(session, days=days, now=now)
    apply_overrides(session, now=now)
    _refresh_today(session, now=now, within=area)
    queue_colour_notices(session, now=now)
    return [one.day for one in results]


def _refresh_today(
    session: Session, *, now: datetime, within: Collection[int] | None = None
) -> None:
    """Work out today's provisional scores anew, as if none had been shown.

    Args:
        session: the session of the change.
        now: aware instant.
        within: only of these communities; None: of all.
    """
    conditions = [_SCORE.day == day_of(now), _SCORE.is_provisional]
    if within is not None:
        conditions.append(_SCORE.community_id.in_(sorted(within)))
    rows = session.execute(select(_SCORE.community_id, _SCORE.computed_colour).where(*conditions))
    was = {community_id: _BAND[colour] for community_id, colour in rows}
    if was:
        _raise_today(session, set(was), now=now, was=was)


def _touched(session: Session, community_ids: Collection[int], *, first: date) -> set[int]:
    """Return communities, those near them, and those that share a cluster of cases with them."""
    area = set(community_ids)
    if not area:
        return area
    near = select(CommunityNear.near_id).where(CommunityNear.community_id.in_(sorted(area)))
    home = func.coalesce(Residence.community_id, EpidemicEvent.community_id)
    living = (
        select(home.label("home"), EpidemicEvent.cluster)
        .select_from(EpidemicEvent)
        .outerjoin(
            Residence,
            (Residence.resident_id == EpidemicEvent.resident_id) & Residence.until_day.is_(None),
        )
        .where(EpidemicEvent.reported_on > first, EpidemicEvent.cluster.is_not(None))
        .subquery()
    )
    mine = select(living.c.cluster).where(living.c.home.in_(sorted(area)))
    linked = select(living.c.home).where(living.c.home.is_not(None), living.c.cluster.in_(mine))
    return area.union(session.scalars(near), session.scalars(linked.distinct()))


def _raise_today(
    session: Session, area: Collection[int], *, now: datetime, was: Mapping[int, int] | None = None
) -> set[int]:
    """Show what is worse today than what is shown; return the communities.

    Args:
        session: the session of the change.
        area: the communities in question.
        now: aware instant.
        was: bands of those that are worked out anew; they may fall back to the days before, and
            what they have shown is neither doubted nor limited again.
    """
    today = day_of(now)
    version = champion(session, day=today)
    was = was or {}
    cards = _load_cards(session, today, anew=was)
    known = _known_by_now(session, version, area, today=today)
    places = known.community_ids
    before = np.array([cards.get(one, UNSEEN).base[0] for one in places], dtype=np.int8)
    overrides = load_overrides(session, on=today)
    scored = compute(version, known, before=before, overrides=overrides)
    worse = {
        one: rank
        for one, rank in zip(places, _ranks_of(scored), strict=True)
        if cards.get(one, UNSEEN).lets(rank, is_set=one in overrides)
    }
    _take_back(session, was.keys() - worse.keys(), today=today)
    if not worse:
        return set()
    floors = dict(zip(places, scored.final.floors.tolist(), strict=True))
    limits = limits_of(version, cards, is_doubtful=_is_in_doubt(session, today))
    out = let_out(cards, worse, was=was, floors=floors, limits=limits)
    left = [one for one in worse.keys() - out if worse[one][0] > cards.get(one, UNSEEN).shown[0]]
    if left:
        note_pause(session, community_count=len(left), now=now)
    if not out:
        return out
    rows = [
        row | {"is_provisional": True}
        for row in rows_of(scored, day=today, published=scored.final.bands > 0)
        if row["community_id"] in out
    ]
    unpublish_others(session, day=today, version=version)
    store_rows(session, rows, day=today, version=version, now=now)
    log.info("risk_rescored", day=str(today), communities=len(rows))
    return out


def _take_back(session: Session, community_ids: Collection[int], *, today: date) -> None:
    if community_ids:
        session.execute(
            delete(RiskScore)
            .where(
                _SCORE.day == today,
                _SCORE.is_provisional,
                _SCORE.community_id.in_(sorted(community_ids)),
            )
            .execution_options(synchronize_session=False)
        )


def _load_cards(session: Session, today: date, *, anew: Collection[int]) -> dict[int, Card]:
    """Return what is shown of the whole district, by community; of some without real time."""
    rows = session.execute(
        select(
            _SCORE.community_id,
            _SCORE.day,
            _SCORE.computed_colour,
            _SCORE.score,
            _SCORE.is_published,
            _SCORE.is_provisional,
        )
        .where(
            _SCORE.day.between(today - timedelta(days=MAX_CARD_AGE_DAYS), today),
            or_(_SCORE.is_published, _SCORE.day == today),
        )
        .order_by(_SCORE.day, _SCORE.is_published)
    )
    cards: dict[int, Card] = {}
    for community_id, day, colour, score, is_published, is_provisional in rows:
        if day == today and is_provisional and community_id in anew:
            continue
        card = cards.get(community_id, UNSEEN)
        if is_published:
            rank = (_BAND[colour], -1.0 if score is None else score)
            base = rank if day < today else card.base
            card = replace(card, base=base, shown=rank, is_shown=True)
        is_final = day == today and is_published and not is_provisional
        cards[community_id] = replace(card, is_final=card.is_final or is_final)
    return cards


def _known_by_now(
    session: Session, version: ModelVersion, area: Collection[int], *, today: date
) -> DayValues:
    """Return the values of the night, raised where more has come by now.

    Feeds are not complete during the day, so that a count of today is a lower bound: less than
    the night knew means nothing, and none of what is missing does not make it known.
    """
    stored = load_values(
        session, day=today, days_back=version.max_stale_days + 1, community_ids=area
    )
    values, ages = dict(stored.values), dict(stored.ages)
    # A district that imports its indicators has no people to count.
    has_people = session.scalar(select(exists().select_from(Resident)))
    wanted = area if len(area) <= FEW_COMMUNITIES else None
    fresh = read_values(session, day=today, community_ids=wanted) if has_people else {}
    codes = {code for one in fresh.values() for code in one}
    for code in codes:
        column = np.array([fresh.get(one, {}).get(code, np.nan) for one in stored.community_ids])
        old = values.get(code, np.full(len(column), np.nan))
        is_more = np.where(np.isnan(old), column > 0, column > old)
        values[code] = np.where(is_more, column, old)
        # Yesterday is the newest day that is over: its values are what a night would call fresh.
        old_ages = ages.get(code, np.zeros(len(column), dtype=np.int64))
        ages[code] = np.where(is_more, 0, old_ages)
    ages = {code: np.maximum(column - 1, 0) for code, column in ages.items()}
    return DayValues(community_ids=stored.community_ids, values=values, ages=ages)


def _ranks_of(scored: Scored) -> list[Rank]:
    scores = np.nan_to_num(scored.table.scores, nan=-1.0).tolist()
    return list(zip(scored.final.computed.tolist(), scores, strict=True))


def _is_in_doubt(session: Session, today: date) -> bool:
    """Return whether the newest night is held because too much jumped: its values may be wrong."""
    newest = session.execute(
        select(Publication.state, Publication.reason)
        .where(
            Publication.day < today,
            Publication.day >= today - timedelta(days=MAX_CARD_AGE_DAYS),
        )
        .order_by(Publication.day.desc())
        .limit(1)
    ).first()
    return newest is not None and tuple(newest) == (
        PublicationState.HELD.value,
        HoldReason.JUMP.value,
    )
