"""Use cases of decisions: apply one to its frozen list, undo it, tell the people at once."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, update
from sqlalchemy.orm import Session, aliased

from core.audit.service import record
from core.errors import ConflictError
from core.mandates.rules import Act, check_may
from core.mandates.service import MandateCard, lock_for
from core.registration.model import Registration
from core.resumption.approval.cards import (
    DecisionCard,
    DecisionNotFoundError,
    decision_card_of,
    find_statement,
    outcome_for,
    stands,
)
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.releasing import release, tell_again
from core.resumption.approval.rules import (
    PREPARED_FOR,
    STATE_AFTER,
    UNDO_WITHIN,
    DecisionState,
    Outcome,
    Verdict,
)


class DigestDiffersError(ConflictError):
    """The list that was confirmed is not the one that was frozen."""

    code = "digest_differs"


class DecisionLapsedError(ConflictError):
    """The list was frozen too long ago."""

    code = "decision_lapsed"


class UndoOverError(ConflictError):
    """The time to undo is over, or the people were told."""

    code = "undo_over"


class NotAppliedError(ConflictError):
    """A decision that was not applied, or was undone, has nothing to undo or to tell."""

    code = "decision_not_applied"


def apply_decision(
    session: Session, *, mandate: MandateCard, decision_id: int, digest: bytes, now: datetime
) -> DecisionCard:
    """Apply a decision to the rows of its list that are as they were; name the others.

    All rows change in this transaction or none does. A decision that was applied before is
    returned as it stands by now.

    Args:
        session: the session of the request.
        mandate: of who confirms.
        decision_id: a prepared decision.
        digest: of the list that was shown.
        now: aware instant; the decision can be undone for 30 minutes.

    Raises:
        DecisionNotFoundError: there is none that this mandate covers.
        DigestDiffersError: another list was shown.
        DecisionLapsedError: it was prepared more than 30 minutes ago.
        NoMandateError, OwnerChangedError: the mandate ended since it was read.
        ActForbiddenError: the mandate does not decide.
        CompanyNotInBusinessError: nobody decides for this company any more.
    """
    decision = _hold(session, mandate=mandate, decision_id=decision_id)
    if not hmac.compare_digest(decision.digest, digest):
        raise DigestDiffersError
    if decision.applied_at is not None:
        return decision_card_of(session, decision)
    is_late = now >= decision.prepared_at + PREPARED_FOR
    if decision.state == DecisionState.LAPSED.value or is_late:
        raise DecisionLapsedError
    _hold_rows(session, decision)
    _settle(session, decision, outcome_for(Verdict(decision.verdict)))
    _change_rows(session, decision, now=now)
    decision.state = DecisionState.APPLIED.value
    decision.applied_at, decision.undo_until = now, now + UNDO_WITHIN
    decision.applied_count = _count(session, decision, Outcome.APPLIED)
    _record(session, decision, "decision_applied", mandate, now=now, listed=decision.listed_count)
    session.flush()
    return decision_card_of(session, decision)


def undo_decision(
    session: Session, *, mandate: MandateCard, decision_id: int, now: datetime
) -> DecisionCard:
    """Give the rows of a decision back the state that they had; twice is once.

    Rows that changed, or were decided anew, since it was applied are left as they are and named.

    Args:
        session: the session of the request.
        mandate: of who undoes it: an owner, or a manager of the department.
        decision_id: an applied decision.
        now: aware instant, within 30 minutes.

    Raises:
        DecisionNotFoundError: there is none that this mandate covers.
        NotAppliedError: it was not applied.
        UndoOverError: the time is over, or the people were told.
        NoMandateError, OwnerChangedError: the mandate ended since it was read.
        ActForbiddenError: the mandate does not decide.
        CompanyNotInBusinessError: nobody decides for this company any more.
    """
    decision = _hold(session, mandate=mandate, decision_id=decision_id)
    if decision.state == DecisionState.UNDONE.value:
        return decision_card_of(session, decision)
    if decision.applied_at is None:
        raise NotAppliedError
    is_late = decision.undo_until is None or now >= decision.undo_until
    if decision.state == DecisionState.RELEASED.value or is_late:
        raise UndoOverError
    _hold_rows(session, decision)
    outcome = case((stands(decision), Outcome.UNDONE.value), else_=Outcome.KEPT.value)
    _settle(session, decision, outcome, only=Outcome.APPLIED)
    _restore_rows(session, decision)
    _pass_on(session, decision)
    decision.state, decision.undone_at = DecisionState.UNDONE.value, now
    tell_again(session, decision, now=now)
    undone = _count(session, decision, Outcome.UNDONE)
    _record(session, decision, "decision_undone", mandate, now=now, undone=undone)
    session.flush()
    return decision_card_of(session, decision)


def release_decision(
    session: Session, *, mandate: MandateCard, decision_id: int, now: datetime
) -> DecisionCard:
    """Tell the people of a decision at once, after which it cannot be undone; twice is once.

    Args:
        session: the session of the request.
        mandate: of who says so.
        decision_id: an applied decision.
        now: aware instant.

    Raises:
        DecisionNotFoundError: there is none that this mandate covers.
        NotAppliedError: it was not applied, or was undone.
        NoMandateError, OwnerChangedError: the mandate ended since it was read.
        ActForbiddenError: the mandate does not decide.
        CompanyNotInBusinessError: nobody decides for this company any more.
    """
    decision = _hold(session, mandate=mandate, decision_id=decision_id)
    if decision.applied_at is None or decision.state == DecisionState.UNDONE.value:
        raise NotAppliedError
    if decision.state == DecisionState.APPLIED.value:
        release(session, decision, actor=f"person:{mandate.person_id}", now=now)
    return decision_card_of(session, decision)


# ---- the steps -----------------------------------------------------------------------------


def _hold(session: Session, *, mandate: MandateCard, decision_id: int) -> Decision:
    """Return a decision, held until the end, for somebody who may still decide."""
    check_may(mandate, Act.DECIDE)
    # Decisions of one company take turns, and none passes a change of its owner.
    lock_for(session, by=mandate)
    decision = session.scalar(
        find_statement(mandate, decision_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if decision is None:
        raise DecisionNotFoundError
    return decision


def _hold_rows(session: Session, decision: Decision) -> None:
    """Let nobody change the registrations of a list until the transaction ends."""
    if session.get_bind().dialect.name != "postgresql":
        return  # one transaction at a time writes there
    # By id, as everybody else who holds several: whoever held them in another order could wait
    # for this one while it waits for them.
    held = (
        select(Registration.id)
        .where(Registration.id.in_(_listed(decision)))
        .order_by(Registration.id)
        .with_for_update(key_share=True)
    )
    session.execute(select(func.count()).select_from(held.subquery()))


def _listed(decision: Decision) -> Select[int]:
    return select(DecisionRow.registration_id).where(DecisionRow.decision_id == decision.id)


def _settle(
    session: Session,
    decision: Decision,
    outcome: ColumnElement[str],
    *,
    only: Outcome = Outcome.LISTED,
) -> None:
    """Note what becomes of each row that has one outcome so far."""
    session.execute(
        update(DecisionRow)
        .where(
            DecisionRow.decision_id == decision.id,
            DecisionRow.outcome == only.value,
            Registration.id == DecisionRow.registration_id,
        )
        .values(outcome=outcome)
        .execution_options(synchronize_session=False)
    )


def _change_rows(session: Session, decision: Decision, *, now: datetime) -> None:
    """Give the registrations of the rows that apply their new state."""
    rows = _listed(decision).where(DecisionRow.outcome == Outcome.APPLIED.value)
    session.execute(
        update(Registration)
        .where(Registration.id.in_(rows))
        .values(
            state=STATE_AFTER[Verdict(decision.verdict)].value,
            version=Registration.version + 1,
            reason=decision.reason,
            decision_id=decision.id,
            decided_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def _restore_rows(session: Session, decision: Decision) -> None:
    """Give the registrations that are undone what they had before."""
    before = aliased(Decision)

    def of_before(column: Any) -> Any:
        return select(column).where(before.id == DecisionRow.decision_before_id).scalar_subquery()

    session.execute(
        update(Registration)
        .where(
            DecisionRow.decision_id == decision.id,
            DecisionRow.outcome == Outcome.UNDONE.value,
            Registration.id == DecisionRow.registration_id,
        )
        .values(
            state=DecisionRow.state_before,
            version=Registration.version + 1,
            reason=func.coalesce(of_before(before.reason), ""),
            decision_id=DecisionRow.decision_before_id,
            decided_at=of_before(before.applied_at),
        )
        .execution_options(synchronize_session=False)
    )


def _pass_on(session: Session, decision: Decision) -> None:
    """Let later decisions that may be undone bring back what was before this one."""
    mine = aliased(DecisionRow)

    def of_mine(column: Any) -> Any:
        # By the whole primary key: the planner may expect one row of a decision that is new, and
        # of a join compare each with each.
        of_row = (mine.decision_id == decision.id, mine.registration_id == later.registration_id)
        return select(column).where(*of_row).correlate(later).scalar_subquery()

    later = DecisionRow
    is_kept = of_mine(mine.outcome) == Outcome.KEPT.value
    session.execute(
        update(later)
        .where(later.decision_before_id == decision.id)
        .values(
            state_before=case((is_kept, of_mine(mine.state_before)), else_=later.state_before),
            decision_before_id=case(
                (is_kept, of_mine(mine.decision_before_id)), else_=later.decision_before_id
            ),
        )
        .execution_options(synchronize_session=False)
    )


def _count(session: Session, decision: Decision, outcome: Outcome) -> int:
    rows = select(func.count()).where(
        DecisionRow.decision_id == decision.id, DecisionRow.outcome == outcome.value
    )
    return session.scalar(rows) or 0


def _record(
    session: Session,
    decision: Decision,
    action: str,
    mandate: MandateCard,
    *,
    now: datetime,
    **counts: int,
) -> None:
    record(
        session,
        now=now,
        actor=f"person:{mandate.person_id}",
        action=action,
        subject=f"decision:{decision.id}",
        company_id=decision.company_id,
        verdict=decision.verdict,
        digest=decision.digest.hex(),
        count=decision.applied_count,
        **counts,
    )
