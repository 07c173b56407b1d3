"""Freezing the list that a decision is about, before anything is decided."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.orm import Session

from core.db import upsert
from core.errors import InvalidInputError
from core.mandates.rules import Act, check_may
from core.mandates.service import MandateCard
from core.registration.model import Registration
from core.registration.rules import RegistrationState
from core.resumption.approval.cards import DecisionCard, decision_card_of
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.rules import (
    PREPARED_FOR,
    STATE_AFTER,
    DecisionState,
    Outcome,
    Verdict,
    digest_of,
    verdict_reason_of,
)
from core.resumption.approval.sheet import SheetQuery, sheet_conditions

LAPSED_LIMIT: Final = 20
_NO_DIGEST: Final = bytes(32)


class NothingSelectedError(InvalidInputError):
    """Nobody was chosen, or nobody is left whom the verdict could change."""

    code = "nothing_selected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """Single rows: the id of each, and the version that was on the page."""

    rows: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """All rows that a query asks for, at the moment of freezing."""

    query: SheetQuery = field(default_factory=SheetQuery)


Selection: TypeAlias = Picked | Filtered


def prepare_decision(
    session: Session,
    *,
    mandate: MandateCard,
    verdict: Verdict,
    reason: str,
    selection: Selection,
    request_key: str,
    now: datetime,
) -> DecisionCard:
    """Freeze a list of registrations for a decision, and change nothing yet.

    The same form sent twice gives the same decision, whatever became of it meanwhile.

    Args:
        session: the session of the request.
        mandate: of who decides; a manager's covers their department alone.
        verdict: what is to be decided.
        reason: what the people read; needed to reject and to return.
        selection: which rows; those of others are left out.
        request_key: of the page that was sent; each page has its own.
        now: aware instant; the list lapses 30 minutes later.

    Raises:
        NothingSelectedError: the list would be empty.
        VerdictReasonMissingError, VerdictReasonTooLongError: the reason.
        ActForbiddenError: the mandate does not decide.
        CompanyNotInBusinessError: nobody decides for this company any more.
    """
    check_may(mandate, Act.DECIDE)
    reason = verdict_reason_of(reason, verdict=verdict)
    key = _key_of(request_key, mandate.person_id, verdict, reason, selection)
    decision_id = session.scalar(
        upsert(session, Decision, keys=["company_id", "request_key"], update=[])
        .values(
            company_id=mandate.company.id,
            request_key=key,
            verdict=verdict.value,
            state=DecisionState.PREPARED.value,
            reason=reason,
            actor=f"person:{mandate.person_id}",
            department=mandate.department,
            digest=_NO_DIGEST,
            listed_count=0,
            applied_count=0,
            prepared_at=now,
        )
        .returning(Decision.id)
    )
    if decision_id is not None:
        _freeze(session, decision_id, mandate, verdict, selection)
    decision = session.scalars(
        select(Decision).where(
            Decision.company_id == mandate.company.id, Decision.request_key == key
        )
    ).one()
    return decision_card_of(session, decision)


def drop_lapsed(session: Session, *, now: datetime, limit: int = LAPSED_LIMIT) -> int:
    """Forget the lists that nobody confirmed in time; return how many.

    Args:
        session: the session of the step.
        now: aware instant.
        limit: lists at most, so that the step stays short.
    """
    ids = session.scalars(
        select(Decision.id)
        .where(
            Decision.state == DecisionState.PREPARED.value,
            Decision.prepared_at <= now - PREPARED_FOR,
        )
        .order_by(Decision.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if ids:
        session.execute(delete(DecisionRow).where(DecisionRow.decision_id.in_(ids)))
        session.execute(
            update(Decision)
            .where(Decision.id.in_(ids))
            .values(state=DecisionState.LAPSED.value)
            .execution_options(synchronize_session="fetch")
        )
    return len(ids)


def _key_of(request_key: str, *parts: object) -> str:
    """Return what the same content of the same form has alone.

    A browser may bring back an old page with its key, on which something else is chosen now.
    """
    return hashlib.sha256(repr((request_key, *parts)).encode()).hexdigest()


def _freeze(
    session: Session,
    decision_id: int,
    mandate: MandateCard,
    verdict: Verdict,
    selection: Selection,
) -> None:
    if isinstance(selection, Picked):
        frozen = _freeze_picked(session, decision_id, mandate, selection)
    else:
        frozen = _freeze_filtered(session, decision_id, mandate, verdict, selection)
    if not frozen:
        raise NothingSelectedError
    decision = session.get_one(Decision, decision_id)
    decision.digest, decision.listed_count = digest_of(frozen), len(frozen)
    session.flush()


def _freeze_filtered(
    session: Session,
    decision_id: int,
    mandate: MandateCard,
    verdict: Verdict,
    selection: Filtered,
) -> Sequence[tuple[int, int]]:
    left_out = (RegistrationState.ENDED.value, STATE_AFTER[verdict].value)
    rows = select(
        literal(decision_id),
        Registration.id,
        Registration.version,
        Registration.state,
        Registration.decision_id,
        literal(Outcome.LISTED.value),
    ).where(*sheet_conditions(mandate, selection.query), Registration.state.not_in(left_out))
    columns = [
        *("decision_id", "registration_id", "version"),
        *("state_before", "decision_before_id", "outcome"),
    ]
    # What comes back is what was stored: the digest is of that, whatever changes meanwhile.
    stored = session.execute(
        insert(DecisionRow)
        .from_select(columns, rows, include_defaults=False)
        .returning(DecisionRow.registration_id, DecisionRow.version)
    )
    return [(registration_id, version) for registration_id, version in stored]


def _freeze_picked(
    session: Session, decision_id: int, mandate: MandateCard, selection: Picked
) -> Sequence[tuple[int, int]]:
    seen = dict(selection.rows)
    found = session.execute(
        select(Registration.id, Registration.state, Registration.decision_id).where(
            *sheet_conditions(mandate, SheetQuery(state=None)), Registration.id.in_(seen)
        )
    ).all()
    rows: list[dict[str, Any]] = [
        {
            "decision_id": decision_id,
            "registration_id": row.id,
            # As it was on the page: what changed since is named, and not decided.
            "version": seen[row.id],
            "state_before": row.state,
            "decision_before_id": row.decision_id,
            "outcome": Outcome.LISTED.value,
        }
        for row in found
    ]
    if rows:
        session.execute(insert(DecisionRow), rows)
    return [(row["registration_id"], row["version"]) for row in rows]
