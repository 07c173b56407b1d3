"""Companies that are not in the register: the queue of claims, one with its licence, a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.errors import ConflictError, DomainError
from core.mandates.claims import ClaimCard, CompanyRegisteredError
from core.mandates.reviewing import (
    ClaimDecidedError,
    ClaimDecision,
    ClaimHeldError,
    ClaimNameError,
    ClaimNotFoundError,
    ClaimQuery,
    ClaimReasonError,
    decide_claim,
    get_claim,
    hold_claim,
    list_claims,
    release_claim,
)
from core.mandates.rules import CLAIM_HOLD, MAX_REASON_CHARACTERS, ClaimState, ClaimVerdict
from handlers.access import Access, access
from handlers.console.kept import open_file
from handlers.console.reviewing import (
    ANY_STATE,
    CONFLICT,
    DECIDED_BY,
    SEEN_BY,
    UNPROCESSABLE,
)
from handlers.console.visit import Visit
from handlers.forms import ChoiceMissingError, choice_field, number_field, text_field
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/claims"
MAX_NAME: Final = 100
_FIELD_OF: Final[Mapping[type[DomainError], str]] = {
    ChoiceMissingError: "verdict",
    ClaimReasonError: "reason",
    ClaimNameError: "name",
    CompanyRegisteredError: "verdict",
    ClaimHeldError: "verdict",
    ClaimDecidedError: "verdict",
}


@access(Access.STAFF, *SEEN_BY)
def claims(visit: Visit) -> Answer:
    """List the claims of my area, the oldest first: state, text, page."""
    state = choice_field(visit.query, "state", ClaimState)
    is_any = visit.query.get("state") == ANY_STATE
    query = ClaimQuery(
        area=visit.staff.area,
        state=None if is_any else state or ClaimState.WAITING,
        text=text_field(visit.query, "q"),
    )
    page = list_claims(
        visit.reading(),
        query=query,
        number=number_field(visit.query, "page") or 1,
        now=visit.now,
    )
    chosen = ANY_STATE if query.state is None else query.state.value
    kept = {"state": chosen, "q": query.text}
    is_usual = query.state is ClaimState.WAITING
    values = {
        "page": page,
        "query": query,
        "kept": {
            name: text for name, text in kept.items() if text and (name != "state" or not is_usual)
        },
        "now": visit.now,
        "done": _find_done(visit),
    }
    return Page(template="claims/queue", values=values)


def _find_done(visit: Visit) -> ClaimCard | None:
    """Return the claim that was just decided, to say so above the queue."""
    claim_id = number_field(visit.query, "done")
    if claim_id is None:
        return None
    try:
        return get_claim(visit.reading(), claim_id=claim_id, area=visit.staff.area, now=visit.now)
    except ClaimNotFoundError:
        return None


@access(Access.STAFF, *SEEN_BY)
def claim(visit: Visit) -> Answer:
    """Show a claim; a reviewer who opens one that waits holds it."""
    claim_id, area = _id_of(visit), visit.staff.area
    card = get_claim(visit.reading(), claim_id=claim_id, area=area, now=visit.now)
    if card.state is not ClaimState.WAITING or visit.staff.role not in DECIDED_BY:
        return _claim_page(visit, card, may_decide=False)
    try:
        held = hold_claim(
            visit.writing(),
            claim_id=claim_id,
            area=area,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except ClaimHeldError:
        # Somebody else has it open: the page says who.
        return _claim_page(visit, card, may_decide=False)
    return _claim_page(visit, held, may_decide=True)


@access(Access.STAFF, *DECIDED_BY)
def decide(visit: Visit) -> Answer:
    """Accept a claim, refuse it, or put it back into the queue."""
    claim_id, staff_id = _id_of(visit), visit.staff.staff_id
    if visit.form.get("act") == "release":
        release_claim(visit.writing(), claim_id=claim_id, staff_id=staff_id)
        return Redirect(path=PATH)
    try:
        decide_claim(
            visit.writing(),
            claim_id=claim_id,
            area=visit.staff.area,
            decision=_decision_of(visit),
            staff_id=staff_id,
            now=visit.now,
        )
    except tuple(_FIELD_OF) as error:
        card = get_claim(visit.reading(), claim_id=claim_id, area=visit.staff.area, now=visit.now)
        may_decide = not isinstance(error, ClaimHeldError | ClaimDecidedError)
        status = CONFLICT if isinstance(error, ConflictError) else UNPROCESSABLE
        faults = {_FIELD_OF[type(error)]: error}
        return _claim_page(visit, card, may_decide=may_decide, faults=faults, status=status)
    return Redirect(path=f"{PATH}?done={claim_id}")


def _decision_of(visit: Visit) -> ClaimDecision:
    """Return what was decided.

    Raises:
        ChoiceMissingError: no button that we know was pressed.
    """
    verdict = choice_field(visit.form, "verdict", ClaimVerdict)
    if verdict is None:
        raise ChoiceMissingError
    return ClaimDecision(
        verdict=verdict,
        reason=visit.form.get("reason", ""),
        name_on_licence=text_field(visit.form, "name", max_count=MAX_NAME),
    )


@access(Access.STAFF, *SEEN_BY)
def licence(visit: Visit) -> Answer:
    """Open the licence of a claim of my area; that is recorded."""
    card = get_claim(visit.reading(), claim_id=_id_of(visit), area=visit.staff.area, now=visit.now)
    return open_file(visit, file_id=card.licence_id)


def _claim_page(
    visit: Visit,
    card: ClaimCard,
    *,
    may_decide: bool,
    faults: Mapping[str, DomainError] | None = None,
    status: int = 200,
) -> Page:
    values = {
        "claim": card,
        "may_decide": may_decide,
        "reason": visit.form.get("reason", ""),
        "name": text_field(visit.form, "name", max_count=MAX_NAME),
        "max_reason": MAX_REASON_CHARACTERS,
        "max_name": MAX_NAME,
        "hold_minutes": CLAIM_HOLD.total_seconds() // 60,
        "now": visit.now,
    }
    return Page(template="claims/claim", values=values, faults=faults or {}, status=status)


def _id_of(visit: Visit) -> int:
    """Return the claim that an address names.

    Raises:
        ClaimNotFoundError: no row can have that number.
    """
    claim_id = number_field(visit.params, "id")
    if claim_id is None:
        raise ClaimNotFoundError
    return claim_id
