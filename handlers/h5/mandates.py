"""An owner names fillers and managers; whoever is invited confirms; either ends it in one tap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from core.codes.drawing import modules_of
from core.mandates.inviting import (
    InvitationCard,
    TooManyPeopleError,
    confirm_mandate,
    find_confirmed,
    get_invitation,
    offer_mandate,
)
from core.mandates.rules import MAX_DEPARTMENT_CHARACTERS, MandateKind
from core.mandates.service import MandateCard, end_mandate, get_mandate, list_deputies
from core.people.names import name_of
from core.people.phones import phone_of
from handlers.access import Access, access
from handlers.forms import ChoiceMissingError, Form, choice_field, number_field
from handlers.h5.inviting import Inviting, answer_invitation
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# Uses in seconds.
OFFER_LIMIT: Final = (30, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A whole form: who is to act for a company, and as what."""

    kind: MandateKind
    name: str = field(repr=False)
    phone: str = field(repr=False)
    department: str


def company_path(company_id: int) -> str:
    """Return the address of a company's page."""
    return f"/h5/company/{company_id}"


def company_id_of(visit: Visit) -> int:
    """Return the company of an address; 0, which is none, for a number that no row has."""
    return number_field(visit.params, "id") or 0


def _people_path(company_id: int) -> str:
    return f"{company_path(company_id)}/people"


# ---- the owner ------------------------------------------------------------------------------


@access(Access.PERSON)
def people(visit: Visit) -> Answer:
    """List who acts for a company, and invite somebody to."""
    by = get_mandate(
        visit.reading(),
        openid=visit.openid,
        company_id=company_id_of(visit),
        kinds={MandateKind.OWNER},
    )
    if not visit.is_post:
        return _people_page(visit, by, Form({}))
    form = Form(visit.form)
    offer = _read_offer(form)
    if offer is None:
        return _people_page(visit, by, form, status=422)
    if not visit.is_within(f"mandate-offer:{visit.openid}", *OFFER_LIMIT):
        return _people_page(visit, by, form, problem="too_many", status=429)
    try:
        return _offered(visit, by, offer)
    except TooManyPeopleError as error:
        form.refuse("name", error)
        return _people_page(visit, by, form, status=409)


def _read_offer(form: Form) -> _Offer | None:
    """Return what was sent, or None and faults in the form."""
    kind = form.choice("kind", MandateKind)
    name, phone = form.read("name", name_of), form.read("phone", phone_of)
    department: str | None = ""
    if kind is MandateKind.MANAGER:
        department = form.text("department", max_count=MAX_DEPARTMENT_CHARACTERS)
    if kind is MandateKind.OWNER:
        form.refuse("kind", ChoiceMissingError())
    if form.faults or kind is None or name is None or phone is None:
        return None
    return _Offer(kind=kind, name=name, phone=phone, department=department or "")


def _offered(visit: Visit, by: MandateCard, offer: _Offer) -> Answer:
    invitation = offer_mandate(
        visit.writing(),
        by=by,
        kind=offer.kind,
        name=offer.name,
        phone=offer.phone,
        department=offer.department,
        now=visit.now,
    )
    # The token is kept nowhere: this answer is the one place that shows it.
    address = f"{visit.public_url}/h5/mandate/{invitation.token}"
    values = {
        "company": by.company,
        "kind": offer.kind.value,
        "department": offer.department,
        "ends_at": invitation.ends_at,
        "address": address,
        "qr": modules_of(address),
    }
    return Page(template="mandates/invited", values=values)


def _people_page(
    visit: Visit, by: MandateCard, form: Form, *, problem: str = "", status: int = 200
) -> Page:
    deputies = list_deputies(visit.reading(), by=by)
    kind = choice_field(visit.form, "kind", MandateKind)
    values = {
        "company": by.company,
        "deputies": [(one, one.is_expired(visit.now)) for one in deputies],
        "typed": form.typed,
        "kind": kind.value if kind else MandateKind.FILLER.value,
        "is_ended": bool(visit.query.get("ended")),
        "problem": problem,
    }
    return Page(template="mandates/people", values=values, faults=form.faults, status=status)


@access(Access.PERSON)
def end(visit: Visit) -> Answer:
    """End a mandate or take back an invitation; somebody's own is left."""
    company_id = company_id_of(visit)
    mandate_id = number_field(visit.params, "mandate_id") or 0
    by = get_mandate(visit.reading(), openid=visit.openid, company_id=company_id)
    end_mandate(visit.writing(), by=by, mandate_id=mandate_id, now=visit.now)
    if by.id == mandate_id:
        return Redirect(path="/h5/owner")
    return Redirect(path=f"{_people_path(company_id)}?ended=1")


# ---- whoever is invited ---------------------------------------------------------------------


@access(Access.PERSON)
def invitation(visit: Visit) -> Answer:
    """Show who invites to what, and let the invited confirm by their name."""
    return answer_invitation(visit, _INVITING)


def _find_confirmed(visit: Visit, token: str) -> str | None:
    company_id = find_confirmed(visit.reading(), openid=visit.openid, token=token)
    return None if company_id is None else company_path(company_id)


def _get(visit: Visit, token: str) -> InvitationCard:
    return get_invitation(visit.reading(), token=token, now=visit.now)


def _confirm(visit: Visit, token: str, name: str) -> str:
    card = confirm_mandate(
        visit.writing(), openid=visit.openid, token=token, name=name, now=visit.now
    )
    return f"{company_path(card.company.id)}?confirmed=1"


_INVITING: Final = Inviting(
    name="mandate",
    templates="mandates",
    find_confirmed=_find_confirmed,
    get=_get,
    confirm=_confirm,
)
