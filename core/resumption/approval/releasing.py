"""Telling the people of a decision, once the time to undo it is over or the owner says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import String, cast, func, literal, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.notices.model import Notice
from core.notices.rules import OPEN_STATES, NoticeState
from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.registration.model import Registration
from core.registry.model import Company
from core.resumption.approval.cards import stands
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.rules import NOTICE_OF, DecisionState, Outcome, Verdict

RELEASE_LIMIT: Final = 20
_ACTOR: Final = "system:worker"
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far the notices of a decision are.

    Attributes:
        sent_count: the platform took them.
        waiting_count: still to be sent.
        failed_count: nobody will try again: the person cannot be reached.
        silent_count: people of the decision without a notice: entered by somebody else, or
            changed since.
    """

    sent_count: int
    waiting_count: int
    failed_count: int
    silent_count: int


def release_due(session: Session, *, now: datetime, limit: int = RELEASE_LIMIT) -> int:
    """Tell the people of decisions whose time to undo is over; return how many decisions.

    Several workers may call it at the same time: each decision is one's.

    Args:
        session: a session whose transaction holds nothing but this.
        now: aware instant.
        limit: decisions at most, the longest due first.
    """
    due = session.scalars(
        select(Decision)
        .where(Decision.state == DecisionState.APPLIED.value, Decision.undo_until <= now)
        .order_by(Decision.undo_until, Decision.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for decision in due:
        release(session, decision, actor=_ACTOR, now=now)
    return len(due)


def release(session: Session, decision: Decision, *, actor: str, now: datetime) -> None:
    """Tell the people for whom a decision still stands; it is over after that.

    Args:
        session: in which the decision is held.
        decision: applied.
        actor: who says so.
        now: aware instant.
    """
    applied = select(DecisionRow.registration_id).where(
        DecisionRow.decision_id == decision.id, DecisionRow.outcome == Outcome.APPLIED.value
    )
    ids = session.scalars(applied.order_by(DecisionRow.registration_id)).all()
    count = _tell(session, decision, ids, now=now)
    decision.state, decision.released_at = DecisionState.RELEASED.value, now
    record(
        session,
        now=now,
        actor=actor,
        action="decision_released",
        subject=f"decision:{decision.id}",
        company_id=decision.company_id,
        verdict=decision.verdict,
        count=count,
    )
    session.flush()


def tell_again(session: Session, undone: Decision, *, now: datetime) -> None:
    """Tell people of what holds again, where that was to be told while `undone` stood.

    Whoever was told of it before is not told twice: it is the same notice.
    """
    rows = session.execute(
        select(DecisionRow.decision_before_id, DecisionRow.registration_id)
        .where(
            DecisionRow.decision_id == undone.id,
            DecisionRow.outcome == Outcome.UNDONE.value,
            DecisionRow.decision_before_id.is_not(None),
        )
        .order_by(DecisionRow.registration_id)
    )
    ids_of: dict[int | None, list[int]] = {}
    for earlier_id, registration_id in rows:
        ids_of.setdefault(earlier_id, []).append(registration_id)
    earlier = session.scalars(
        select(Decision)
        .where(Decision.state == DecisionState.RELEASED.value, Decision.id.in_(ids_of))
        .order_by(Decision.id)
    ).all()
    for decision in earlier:
        _tell(session, decision, ids_of[decision.id], now=now)


def get_delivery(session: Session, *, decision_id: int) -> Delivery:
    """Return how far the notices of a decision are.

    Args:
        session: may be a reading one.
        decision_id: a decision that its reader may see.
    """
    key = literal(_prefix(decision_id)) + cast(DecisionRow.registration_id, String)
    rows = session.execute(
        select(Notice.state, func.count())
        .select_from(DecisionRow)
        # By the whole key of each: a search by its beginning has no index everywhere.
        .outerjoin(Notice, Notice.key == key)
        .where(
            DecisionRow.decision_id == decision_id,
            DecisionRow.outcome == Outcome.APPLIED.value,
        )
        .group_by(Notice.state)
    )
    counts: dict[str | None, int] = dict(rows.all())
    return Delivery(
        sent_count=counts.get(NoticeState.SENT, 0) + counts.get(NoticeState.DELIVERED, 0),
        waiting_count=sum(counts.get(state, 0) for state in OPEN_STATES),
        failed_count=counts.get(NoticeState.DEAD, 0),
        silent_count=counts.get(None, 0),
    )


def _tell(session: Session, decision: Decision, ids: Sequence[int], *, now: datetime) -> int:
    """Queue one notice for each of these people for whom a decision stands; return how many."""
    company = session.scalars(select(Company.name).where(Company.id == decision.company_id)).one()
    kind, prefix = NOTICE_OF[Verdict(decision.verdict)], _prefix(decision.id)
    count = 0
    for start in range(0, len(ids), _BATCH):
        # By ids: what a decision has just changed is not in the planner's statistics, and of a
        # join it would expect one row and compare each with each.
        rows = session.execute(
            select(Registration.id, Registration.number, Person.openid)
            .join(Person, Person.id == Registration.person_id)
            .where(Registration.id.in_(ids[start : start + _BATCH]), stands(decision))
            .order_by(Registration.id)
        )
        drafts = [
            NoticeDraft(
                kind=kind,
                openid=openid,
                key=f"{prefix}{registration_id}",
                values={"company": company, "number": number},
                link=f"/h5/registration/{registration_id}",
            )
            for registration_id, number, openid in rows
        ]
        queue_notices(session, now=now, drafts=drafts)
        count += len(drafts)
    return count


def _prefix(decision_id: int) -> str:
    return f"decision:{decision_id}:"
