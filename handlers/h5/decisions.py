"""A decision before the owner: confirm the frozen list, see what became of it, undo it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from core.errors import ConflictError
from core.mandates.rules import Act, may
from core.mandates.service import MandateCard, get_mandate
from core.resumption.approval.cards import DecisionCard, get_decision, list_decision_rows
from core.resumption.approval.releasing import get_delivery
from core.resumption.approval.rules import PREPARED_FOR, REFUSALS, DecisionState, Outcome
from core.resumption.approval.service import (
    apply_decision,
    release_decision,
    undo_decision,
)
from handlers.access import Access, access
from handlers.forms import choice_field, number_field
from handlers.h5.mandates import company_id_of
from handlers.h5.sheet import decision_path
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

_MAX_DIGEST: Final = 128


class Listed(StrEnum):
    """Which rows of a decision are shown."""

    REFUSED = "refused"
    ALL = "all"


class Step(StrEnum):
    """What somebody does with a decision."""

    APPLY = "apply"
    UNDO = "undo"
    RELEASE = "release"


@access(Access.PERSON)
def decision(visit: Visit) -> Answer:
    """Show a decision; a `POST` confirms it, undoes it, or has the people told at once."""
    session = visit.reading()
    mandate = get_mandate(session, openid=visit.openid, company_id=company_id_of(visit))
    decision_id = number_field(visit.params, "decision_id") or 0
    step = choice_field(visit.form, "step", Step) if visit.is_post else None
    if step is None:
        return _page(visit, mandate, decision_id)
    try:
        _STEPS[step](visit, mandate, decision_id)
    except ConflictError as error:
        return _page(visit, mandate, decision_id, fault=error)
    path = decision_path(mandate.company.id, decision_id)
    return Redirect(path=f"{path}?done={step.value}")


def _apply(visit: Visit, mandate: MandateCard, decision_id: int) -> DecisionCard:
    return apply_decision(
        visit.writing(),
        mandate=mandate,
        decision_id=decision_id,
        digest=_digest_of(visit.form.get("digest", "")),
        now=visit.now,
    )


def _undo(visit: Visit, mandate: MandateCard, decision_id: int) -> DecisionCard:
    return undo_decision(visit.writing(), mandate=mandate, decision_id=decision_id, now=visit.now)


def _release(visit: Visit, mandate: MandateCard, decision_id: int) -> DecisionCard:
    return release_decision(
        visit.writing(), mandate=mandate, decision_id=decision_id, now=visit.now
    )


_STEPS: Final[dict[Step, Callable[[Visit, MandateCard, int], DecisionCard]]] = {
    Step.APPLY: _apply,
    Step.UNDO: _undo,
    Step.RELEASE: _release,
}


def _digest_of(text: str) -> bytes:
    """Return the digest that a form names; what is none differs from every digest."""
    try:
        return bytes.fromhex(text[:_MAX_DIGEST])
    except ValueError:
        return b""


def _page(
    visit: Visit, mandate: MandateCard, decision_id: int, *, fault: ConflictError | None = None
) -> Page:
    session = visit.reading()
    card = get_decision(session, mandate=mandate, decision_id=decision_id)
    listed = choice_field(visit.query, "list", Listed) or Listed.REFUSED
    outcomes = frozenset(Outcome) if listed is Listed.ALL else frozenset(REFUSALS)
    is_told = card.state is DecisionState.RELEASED
    values = {
        "mandate": mandate,
        "card": card,
        "valid_until": card.prepared_at + PREPARED_FOR,
        "is_lapsed": card.is_lapsed(visit.now),
        "is_open": card.is_open(visit.now),
        "may_decide": may(mandate, Act.DECIDE),
        "listed": listed.value,
        "lines": list_decision_rows(
            session,
            mandate=mandate,
            decision_id=decision_id,
            outcomes=outcomes,
            number=number_field(visit.query, "page") or 1,
        ),
        "delivery": get_delivery(session, decision_id=decision_id) if is_told else None,
        "done": choice_field(visit.query, "done", Step),
    }
    faults = {} if fault is None else {"decision": fault}
    status = 200 if fault is None else 409
    return Page(template="sheet/decision", values=values, faults=faults, status=status)
