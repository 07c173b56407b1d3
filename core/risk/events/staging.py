"""The events of a file beside those that are known: what is new, what ended, who cannot be placed.

The database works it out for all rows at once; `importing` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    case,
    delete,
    exists,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.bulk import passing_table, refresh_statistics, table_of
from core.db import UtcDateTime
from core.residents.model import HASH_BYTES
from core.residents.rules import ALWAYS
from core.residents.staging import IS_WORDLESS, RESIDENCE, RESIDENT
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import MAX_CLUSTER, MAX_ROUTE, WINDOW_DAYS

EVENT: Final = table_of(EpidemicEvent)
_KEY: Final = ("kind", "reported_on", "feed")
# What a later file may say anew of a known event; an empty cell says nothing.
_NEWS: Final = ("ended_on", "ending", "cluster", "route", "community_id")


def _told_columns() -> list[Column[Any]]:
    return [
        Column("kind", String(16)),
        Column("reported_on", Date),
        Column("feed", String(16)),
        Column("ended_on", Date),
        Column("ending", String(12)),
        Column("cluster", String(MAX_CLUSTER)),
        Column("route", String(MAX_ROUTE)),
        Column("community_id", Integer),
    ]


STAGED: Final = passing_table(
    "staged_event",
    Column("line", Integer),
    Column("id_hash", LargeBinary(HASH_BYTES)),
    *_told_columns(),
)
_E: Final = EVENT.c
_H: Final = RESIDENCE.c
_R: Final = RESIDENT.c
_S: Final = STAGED.c
_BY_EVENT: Final = Index("ix_staged_event", _S.id_hash, _S.kind, _S.reported_on, _S.feed, _S.line)
PLANNED: Final = passing_table(
    "planned_event",
    Column("resident_id", Integer),
    Column("event_id", Integer),
    # The first local day of which the row changes anything.
    Column("first_day", Date),
    Column("is_over", Boolean),
    *_told_columns(),
)
_P: Final = PLANNED.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the rows of a file did, counted in events.

    Attributes:
        created_count: new ones.
        updated_count: known ones of which the file says something new.
        withdrawn_count: of the others, those that were found to be wrong and stay withdrawn.
        community_ids: where the people live of whom something changed that matters today.
        first_day: the first local day of which anything changed; None if nothing did.
    """

    created_count: int
    updated_count: int
    withdrawn_count: int
    community_ids: frozenset[int]
    first_day: date | None


def duplicates(session: Session) -> list[tuple[int, str, int]]:
    """Return line, feed and earlier line of events that stood in one already; drop them."""
    _BY_EVENT.create(session.connection())
    refresh_statistics(session, STAGED)
    key = [_S.id_hash, *(_S[name] for name in _KEY)]
    firsts = (
        select(*key, func.min(_S.line).label("first"))
        .group_by(*key)
        .having(func.count() > 1)
        .subquery()
    )
    same = and_(*(column == firsts.c[column.name] for column in key))
    later = and_(same, _S.line > firsts.c.first)
    rows = session.execute(
        select(_S.line, _S.feed, firsts.c.first).join(firsts, later).order_by(_S.line)
    ).all()
    if rows:
        _drop(session, select(_S.line).join(firsts, later))
    return [(line, feed, first) for line, feed, first in rows]


def before_birth(session: Session) -> list[tuple[int, str]]:
    """Return line and feed of events from before their person was born; drop them."""
    born_later = (
        select(_S.line, _S.feed)
        .join(RESIDENT, _R.id_hash == _S.id_hash)
        .where(_R.birth_year > extract("year", _S.reported_on))
    )
    rows = session.execute(born_later.order_by(_S.line)).all()
    if rows:
        _drop(session, born_later.with_only_columns(_S.line))
    return [(line, feed) for line, feed in rows]


def _drop(session: Session, lines: Select[int]) -> None:
    session.execute(delete(STAGED).where(_S.line.in_(lines.scalar_subquery())))


def apply(session: Session, *, actor: str, today: date, now: datetime) -> Done:
    """Store what the staged rows say; return what that was.

    Args:
        session: where `STAGED` and `PLANNED` are open, and the first one filled.
        actor: who brings them.
        today: local day.
        now: aware instant.
    """
    _add_residents(session, now=now)
    withdrawn_count = _plan(session)
    refresh_statistics(session, PLANNED)
    is_new = _P.event_id.is_(None)
    _add_events(session, is_new=is_new, actor=actor, now=now)
    _change_events(session, actor=actor, now=now)
    _place(session)
    refresh_statistics(session, EVENT)
    counts = session.execute(
        select(
            func.coalesce(func.sum(case((is_new, 1), else_=0)), 0),
            func.count(),
            func.min(_P.first_day),
        ).select_from(PLANNED)
    ).one()
    return Done(
        created_count=counts[0],
        updated_count=counts[1] - counts[0],
        withdrawn_count=withdrawn_count,
        community_ids=_communities_of_today(session, today=today),
        first_day=counts[2],
    )


def _add_residents(session: Session, *, now: datetime) -> None:
    known = exists(select(_R.id).where(_R.id_hash == _S.id_hash))
    # In the order of their hashes: the unique index grows at its end, not everywhere.
    new = (
        select(_S.id_hash, literal(now, UtcDateTime))
        .where(~known)
        .group_by(_S.id_hash)
        .order_by(_S.id_hash)
    )
    session.execute(insert(RESIDENT).from_select(["id_hash", "changed_at"], new))
    refresh_statistics(session, RESIDENT)


def _plan(session: Session) -> int:
    """Note what is new; return how many rows are of events that were withdrawn here."""
    known = and_(_E.resident_id == _R.id, *(_E[name] == _S[name] for name in _KEY))
    ends, tells = _news()
    is_new = _E.id.is_(None)
    first_day = case((or_(is_new, tells), _S.reported_on), else_=_earlier(_E.ended_on, _S.ended_on))
    told: dict[str, ColumnElement[Any]] = {
        name: func.coalesce(_S[name], _E[name]) for name in _NEWS
    }
    # An ending comes with its day, and another day with its ending.
    told["ending"] = case((_S.ended_on.is_not(None), _S.ending), else_=_E.ending)
    columns: dict[str, ColumnElement[Any]] = {
        "resident_id": _R.id,
        "event_id": _E.id,
        "first_day": first_day,
        "is_over": told["ended_on"].is_not(None),
        **{name: _S[name] for name in _KEY},
        **told,
    }
    joined = (
        select(*(column.label(name) for name, column in columns.items()))
        .join_from(STAGED, RESIDENT, _R.id_hash == _S.id_hash)
        .outerjoin(EVENT, known)
    )
    news = or_(is_new, and_(_E.withdrawn_at.is_(None), or_(ends, tells)))
    rows = joined.where(news).order_by(_R.id)
    session.execute(insert(PLANNED).from_select(list(columns), rows))
    return _count_withdrawn(session)


def _count_withdrawn(session: Session) -> int:
    # From the few that were withdrawn to the rows of the file, not the other way round.
    statement = (
        select(func.count())
        .select_from(EVENT)
        .join(RESIDENT, _R.id == _E.resident_id)
        .join(STAGED, and_(_S.id_hash == _R.id_hash, *(_S[name] == _E[name] for name in _KEY)))
        .where(_E.withdrawn_at.is_not(None))
    )
    return session.scalar(statement) or 0


def _news() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return whether a row ends its known event anew, and whether it says anything else of it."""
    ends = and_(
        _S.ended_on.is_not(None),
        or_(_E.ended_on.is_distinct_from(_S.ended_on), _E.ending.is_distinct_from(_S.ending)),
    )
    tells = or_(
        *(
            and_(_S[name].is_not(None), _E[name].is_distinct_from(_S[name]))
            for name in ("cluster", "route", "community_id")
        )
    )
    return ends, tells


def _earlier(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((one < other, one), else_=other)


def _add_events(
    session: Session, *, is_new: ColumnElement[bool], actor: str, now: datetime
) -> None:
    names = ["resident_id", *_KEY, *_NEWS]
    values = {name: _P[name] for name in names} | {"route": func.coalesce(_P.route, "")}
    rows = (
        select(*values.values(), literal(actor), literal(now, UtcDateTime))
        .where(is_new)
        .order_by(_P.resident_id, _P.reported_on)
    )
    session.execute(insert(EVENT).from_select([*names, "entered_by", "changed_at"], rows))


def _change_events(session: Session, *, actor: str, now: datetime) -> None:
    session.execute(
        update(EVENT)
        .where(_E.id == _P.event_id)
        .values(
            {_E[name]: _P[name] for name in _NEWS}
            | {_E.entered_by: actor, _E.changed_at: literal(now, UtcDateTime)}
        )
    )


def _place(session: Session) -> None:
    """Place people who have no home, or put them on the work-list.

    The community that the newest of their events names is good for the others; where none does,
    they get a residence without a community, which an officer fills in. It begins where their last
    one ended: nobody lives in two places on one day.
    """
    standing = and_(_H.resident_id == _P.resident_id, _H.until_day.is_(None))
    stands = exists(select(_H.id).where(standing).correlate(PLANNED))
    lives = exists(select(_H.id).where(standing, ~IS_WORDLESS).correlate(PLANNED))
    is_named = _P.community_id.is_not(None)
    session.execute(
        update(PLANNED)
        .where(_P.community_id.is_(None), ~lives)
        .values(community_id=_newest_named(_P.resident_id, PLANNED))
    )
    # A file may name several communities of one person: each row of theirs would be an answer.
    session.execute(
        update(EVENT)
        .where(
            _E.community_id.is_(None),
            _E.resident_id.in_(select(_P.resident_id).where(is_named, ~lives)),
        )
        .values(community_id=_newest_named(_E.resident_id, EVENT))
    )
    session.execute(
        update(RESIDENCE)
        .where(
            IS_WORDLESS,
            _H.until_day.is_(None),
            _H.resident_id.in_(select(_P.resident_id).where(is_named)),
        )
        .values(community_id=_newest_named(_H.resident_id, RESIDENCE))
    )
    ended = (
        select(func.max(_H.until_day))
        .where(_H.resident_id == _P.resident_id)
        .correlate(PLANNED)
        .scalar_subquery()
    )
    unplaced = (
        select(_P.resident_id, func.coalesce(ended, literal(ALWAYS, Date)))
        .where(_P.community_id.is_(None), ~stands)
        .distinct()
        .order_by(_P.resident_id)
    )
    session.execute(insert(RESIDENCE).from_select(["resident_id", "from_day"], unplaced))


def _newest_named(resident_id: ColumnElement[int], outer: FromClause) -> ColumnElement[Any]:
    """Return the community that the newest event of somebody names.

    What tells events of one day apart decides between them, so that every database takes the same.
    """
    named = EVENT.alias("named")
    return (
        select(named.c.community_id)
        .where(
            named.c.resident_id == resident_id,
            named.c.community_id.is_not(None),
            named.c.withdrawn_at.is_(None),
        )
        .order_by(named.c.reported_on.desc(), named.c.kind, named.c.feed)
        .limit(1)
        .correlate(outer)
        .scalar_subquery()
    )


def _communities_of_today(session: Session, *, today: date) -> frozenset[int]:
    """Return where the people live of whom an event changed that is in a window or still open."""
    begun = today - timedelta(days=WINDOW_DAYS)
    home = func.coalesce(_H.community_id, _P.community_id)
    rows = session.scalars(
        select(home)
        .select_from(PLANNED)
        .outerjoin(RESIDENCE, and_(_H.resident_id == _P.resident_id, _H.until_day.is_(None)))
        .where(or_(_P.first_day > begun, _P.is_over.is_(False)), home.is_not(None))
        .distinct()
    )
    return frozenset(rows)
