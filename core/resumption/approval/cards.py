"""What is shown of decisions: where one stands, and what became of each of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, defer

from core.errors import NotFoundError
from core.mandates.rules import Act, MandateKind, check_may
from core.mandates.service import MandateCard
from core.registration.cards import RegistrationCard, card_of
from core.registration.model import Registration
from core.registration.rules import Group, RegistrationState
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.rules import (
    PREPARED_FOR,
    REFUSALS,
    STATE_AFTER,
    DecisionState,
    Outcome,
    Verdict,
    short_digest_of,
)
from core.resumption.approval.sheet import PAGE_SIZE


class DecisionNotFoundError(NotFoundError):
    """The company, or the manager's part of it, has no such decision."""

    code = "decision_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCard:
    """A decision as pages may show it.

    Attributes:
        department: that it was made for; empty: the whole company.
        listed_count: rows of the frozen list.
        applied_count: rows that it was applied to; 0 before that.
        outcomes: how many rows of each outcome; of a prepared decision, what would become of
            them if it was applied now.
        undo_until: until when it can be undone; None before it is applied.
    """

    id: int
    company_id: int
    verdict: Verdict
    state: DecisionState
    reason: str
    actor: str
    department: str
    digest: bytes
    listed_count: int
    applied_count: int
    outcomes: Mapping[Outcome, int]
    prepared_at: datetime
    applied_at: datetime | None
    undo_until: datetime | None
    undone_at: datetime | None
    released_at: datetime | None

    @property
    def short_digest(self) -> str:
        """The part of the digest that people compare."""
        return short_digest_of(self.digest)

    @property
    def refused_count(self) -> int:
        """How many rows it does not, or did not, change in the end."""
        return sum(self.outcomes.get(outcome, 0) for outcome in REFUSALS)

    def is_lapsed(self, now: datetime) -> bool:
        """Return whether it was prepared too long ago to be applied."""
        is_prepared = self.state is DecisionState.PREPARED
        is_late = is_prepared and now >= self.prepared_at + PREPARED_FOR
        return is_late or self.state is DecisionState.LAPSED

    def is_open(self, now: datetime) -> bool:
        """Return whether it can be undone: applied, not told, and in time."""
        is_applied = self.state is DecisionState.APPLIED
        return is_applied and self.undo_until is not None and now < self.undo_until


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """One row of a decision: the registration as it is now, and what became of it."""

    registration: RegistrationCard
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """One page of the rows of a decision; numbered as `SheetPage`."""

    lines: list[DecisionLine]
    number: int
    page_count: int
    total: int


def get_decision(session: Session, *, mandate: MandateCard, decision_id: int) -> DecisionCard:
    """Return a decision about the people of a mandate.

    Args:
        session: may be a reading one.
        mandate: of who asks; a manager finds those of their department.
        decision_id: which one.

    Raises:
        DecisionNotFoundError: there is none that this mandate covers.
        ActForbiddenError: the mandate does not show the sheet.
    """
    check_may(mandate, Act.SEE_SHEET)
    decision = session.scalar(find_statement(mandate, decision_id))
    if decision is None:
        raise DecisionNotFoundError
    return decision_card_of(session, decision)


def list_decisions(session: Session, *, mandate: MandateCard, limit: int = 5) -> list[DecisionCard]:
    """Return the newest decisions that were applied, the newest first.

    Args:
        session: may be a reading one.
        mandate: of who asks; a manager finds those of their department.
        limit: decisions at most.
    """
    check_may(mandate, Act.SEE_SHEET)
    decisions = session.scalars(
        select(Decision)
        .where(*_scope(mandate), Decision.applied_at.is_not(None))
        .order_by(Decision.applied_at.desc(), Decision.id.desc())
        .limit(limit)
    )
    return [_card_of(decision, outcomes={}) for decision in decisions]


def list_decision_rows(
    session: Session,
    *,
    mandate: MandateCard,
    decision_id: int,
    outcomes: Collection[Outcome] = frozenset(Outcome),
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> DecisionPage:
    """Return one page of the rows of a decision, as its outcomes count them.

    Args:
        session: may be a reading one.
        mandate: of who asks.
        decision_id: which decision.
        outcomes: rows of these alone.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.

    Raises:
        DecisionNotFoundError: there is none that this mandate covers.
        ActForbiddenError: the mandate does not show the sheet.
    """
    check_may(mandate, Act.SEE_SHEET)
    decision = session.scalar(find_statement(mandate, decision_id))
    if decision is None:
        raise DecisionNotFoundError
    outcome = _shown_outcome(decision)
    wanted = (
        DecisionRow.decision_id == decision_id,
        Registration.id == DecisionRow.registration_id,
        outcome.in_([one.value for one in outcomes]),
    )
    total = session.scalar(select(func.count()).where(*wanted)) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    rows = session.execute(
        select(Registration, outcome.label("outcome"))
        .options(defer(Registration.answers))
        .where(*wanted)
        .order_by(Registration.id)
        .offset((number - 1) * page_size)
        .limit(page_size)
    )
    lines = [
        DecisionLine(
            registration=card_of(row, workplace_name=mandate.company.name), outcome=Outcome(text)
        )
        for row, text in rows
    ]
    return DecisionPage(lines=lines, number=number, page_count=page_count, total=total)


# ---- what the use cases of decisions share ---------------------------------------------------


def find_statement(mandate: MandateCard, decision_id: int) -> Select[Decision]:
    """Return the statement that finds a decision within what a mandate covers."""
    return select(Decision).where(Decision.id == decision_id, *_scope(mandate))


def decision_card_of(session: Session, decision: Decision) -> DecisionCard:
    """Return a decision with its outcomes."""
    outcome = _shown_outcome(decision)
    rows = session.execute(
        select(outcome, func.count())
        .where(
            DecisionRow.decision_id == decision.id,
            Registration.id == DecisionRow.registration_id,
        )
        .group_by(outcome)
    )
    return _card_of(decision, outcomes={Outcome(text): count for text, count in rows})


def outcome_for(verdict: Verdict) -> ColumnElement[str]:
    """Return what becomes of a row if its decision is applied now.

    The expression stands in a statement with `DecisionRow` and its `Registration`.
    """
    was_decided = and_(
        Registration.decision_id.is_not(None),
        Registration.decision_id.is_distinct_from(DecisionRow.decision_before_id),
    )
    whens: list[tuple[ColumnElement[bool], str]] = [
        (Registration.state == RegistrationState.ENDED.value, Outcome.ENDED.value),
        (Registration.state == STATE_AFTER[verdict].value, Outcome.DECIDED.value),
        (
            and_(Registration.version != DecisionRow.version, was_decided),
            Outcome.DECIDED.value,
        ),
        (Registration.version != DecisionRow.version, Outcome.CHANGED.value),
    ]
    if verdict is Verdict.APPROVE:
        whens.append((Registration.flag_group == Group.CANNOT.value, Outcome.BLOCKED.value))
    return case(*whens, else_=Outcome.APPLIED.value)


def stands(decision: Decision) -> ColumnElement[bool]:
    """Return whether a registration is as a decision left it."""
    after = STATE_AFTER[Verdict(decision.verdict)]
    return and_(Registration.decision_id == decision.id, Registration.state == after.value)


def _shown_outcome(decision: Decision) -> ColumnElement[str]:
    if decision.state == DecisionState.PREPARED.value:
        return outcome_for(Verdict(decision.verdict))
    return DecisionRow.outcome.expression


def _scope(mandate: MandateCard) -> list[ColumnElement[bool]]:
    conditions = [Decision.company_id == mandate.company.id]
    if mandate.kind is MandateKind.MANAGER:
        conditions.append(Decision.department == mandate.department)
    return conditions


def _card_of(decision: Decision, *, outcomes: Mapping[Outcome, int]) -> DecisionCard:
    return DecisionCard(
        id=decision.id,
        company_id=decision.company_id,
        verdict=Verdict(decision.verdict),
        state=DecisionState(decision.state),
        reason=decision.reason,
        actor=decision.actor,
        department=decision.department,
        digest=decision.digest,
        listed_count=decision.listed_count,
        applied_count=decision.applied_count,
        outcomes=outcomes,
        prepared_at=decision.prepared_at,
        applied_at=decision.applied_at,
        undo_until=decision.undo_until,
        undone_at=decision.undone_at,
        released_at=decision.released_at,
    )
