"""Registering with a company: the form behind a code, the receipt, one's own data.

A form with faults answers with 200: what was typed is kept as a draft, which must be committed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from core.clock import day_of
from core.codes.rules import workplace_of
from core.codes.service import CodeCard, CodeNotFoundError, check_live, get_code
from core.errors import DomainError
from core.mandates.rules import Act, check_may
from core.mandates.service import MandateCard, get_mandate
from core.people.documents import DocumentKind
from core.registration.cards import OwnRegistration
from core.registration.correcting import correct_registration, end_registration
from core.registration.drafts import find_draft, save_draft
from core.registration.gate import Door, check_open, get_door
from core.registration.known import NOBODY, Known, find_known, list_departments
from core.registration.rules import (
    LOOK_BACK,
    HealthCode,
    Symptom,
    Travel,
)
from core.registration.service import (
    RegistrationEndedError,
    RegistrationExistsError,
    RegistrationNotFoundError,
    RegistrationTakenError,
    find_registration,
    get_own_registration,
    list_registrations_of,
    submit_registration,
)
from core.registry.service import CompanyNotFoundError
from handlers.access import Access, access
from handlers.answers import (
    FIELDS,
    HomeUnclearError,
    Reading,
    home_from,
    read_entry,
    typed_of_answers,
    typed_of_known,
)
from handlers.forms import Form, number_field
from handlers.h5.messages import told_values
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# Uses in seconds. One person mistypes and corrects; a thousand scan the poster at eight o'clock.
PERSON_LIMIT: Final = (30, 3600)
CODE_LIMIT: Final = (6000, 60)
ENTER_LIMIT: Final = (600, 3600)
_NUMBER: Final = re.compile(r"R\d{6}-[0-9A-Z]{5}-[0-9A-Z]{5}")
# What the person can mend in the form, though the field by itself was right.
_MENDABLE: Final = (RegistrationTakenError, RegistrationExistsError, RegistrationEndedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A form before it is shown, with what is known of the person in it.

    Attributes:
        purpose: `own`, `other` or `correct`: whose it is, and what its template says.
        action: where it is sent.
        code_id: the code that was scanned, if one was.
    """

    purpose: str
    action: str
    door: Door
    known: Known = NOBODY
    departments: tuple[str, ...] = ()
    code_id: int | None = None
    initial: Mapping[str, str] = field(default_factory=dict)


# ---- registering -----------------------------------------------------------------------------


@access(Access.PERSON)
def register(visit: Visit) -> Answer:
    """Ask what is needed to register with the place of a code; who is there sees the receipt."""
    card, door = _entered(visit)
    check_open(door)
    if not visit.is_post:
        found = find_registration(
            visit.reading(), openid=visit.openid, workplace_id=door.workplace_id
        )
        if found is not None:
            return Redirect(path=_receipt_path(found.id))
    form = _own_form(visit, card, door)
    if not visit.is_post:
        draft = find_draft(
            visit.reading(), openid=visit.openid, workplace_id=door.workplace_id, now=visit.now
        )
        initial = {**form.initial, **(draft.typed if draft else {})}
        return _show(visit, replace(form, initial=initial), has_draft=draft is not None)
    if not _may_send(visit, card):
        return _show_again(visit, form, status=429)
    return _received(visit, form)


def _entered(visit: Visit) -> tuple[CodeCard, Door]:
    """Return the live code of the address, and the place behind it.

    Raises:
        CodeNotFoundError: there is no such code.
        CodeRetiredError: it was taken back.
        CodeExpiredError: its time is over.
    """
    card = get_code(visit.reading(), token=visit.params["token"])
    check_live(card, now=visit.now)
    place = workplace_of(card.subject)
    if place is None:
        raise CodeNotFoundError
    door = get_door(visit.reading(), workplace_id=place[1], code_id=card.id, now=visit.now)
    return card, door


def _own_form(visit: Visit, card: CodeCard, door: Door) -> _Form:
    known = find_known(visit.reading(), openid=visit.openid)
    return _Form(
        purpose="own",
        action=f"/h5/c/{card.token}/register",
        door=door,
        known=known,
        departments=tuple(list_departments(visit.reading(), workplace_id=door.workplace_id)),
        code_id=card.id,
        initial=typed_of_known(visit.reading(), known=known),
    )


def _may_send(visit: Visit, card: CodeCard) -> bool:
    by_person = visit.is_within(f"register:{visit.openid}", *PERSON_LIMIT)
    by_code = visit.is_within(f"register-code:{card.id}", *CODE_LIMIT)
    return by_person and by_code


def _received(visit: Visit, form: _Form) -> Answer:
    """Take what was sent: look a community up, keep it for later, or register."""
    action = visit.form.get("action", "")
    if action == "find":
        _keep(visit, form)
        return _show_homes(visit, form)
    if action == "keep":
        _keep(visit, form)
        return Redirect(path=f"{form.action}?kept=1")
    sent, reading = _read(visit, form)
    if reading.entry is None:
        _keep(visit, form)
        return _show_again(visit, form, faults=sent.faults, reading=reading)
    try:
        receipt = submit_registration(
            visit.writing(),
            workplace_id=form.door.workplace_id,
            entry=reading.entry,
            openid=visit.openid,
            code_id=form.code_id,
            now=visit.now,
        )
    except _MENDABLE as error:
        _keep(visit, form)
        return _show_again(visit, form, faults={"document": error})
    if receipt.is_own:
        return Redirect(path=f"{_receipt_path(receipt.card.id)}?sent={int(receipt.is_new)}")
    values = {"company_name": form.door.workplace_name}
    return Page(template="registrations/received", values=values)


def _read(visit: Visit, form: _Form) -> tuple[Form, Reading]:
    sent = Form(_typed(visit))
    reading = read_entry(
        sent,
        session=visit.reading(),
        known=form.known,
        departments=form.departments,
        today=day_of(visit.now),
    )
    return sent, reading


def _typed(visit: Visit) -> dict[str, str]:
    """Return what was sent, a field with several values with commas between them."""
    typed = {name: visit.form.get(name, "") for name in FIELDS}
    return typed | {"symptoms": ",".join(visit.lists("symptoms"))}


def _keep(visit: Visit, form: _Form) -> None:
    if form.purpose == "own":
        save_draft(
            visit.writing(),
            openid=visit.openid,
            workplace_id=form.door.workplace_id,
            typed=Form(_typed(visit)).typed,
            code_id=form.code_id,
            now=visit.now,
        )


# ---- the form as it is shown -------------------------------------------------------------------


def _show(visit: Visit, form: _Form, *, has_draft: bool = False) -> Page:
    """Return the form as somebody first sees it, with what is known."""
    return _page(visit, form, typed=form.initial, has_draft=has_draft)


def _show_again(
    visit: Visit,
    form: _Form,
    *,
    faults: Mapping[str, DomainError] | None = None,
    reading: Reading | None = None,
    status: int = 200,
) -> Page:
    """Return the form with what was typed, and what is wrong with it."""
    page = _page(
        visit,
        form,
        typed=_typed(visit),
        reading=reading,
        is_too_often=status != 200,  # noqa: PLR2004
    )
    return replace(page, faults=faults or {}, status=status)


def _show_homes(visit: Visit, form: _Form) -> Page:
    """Return the form with the communities that a name may mean; nothing else is looked at."""
    typed = _typed(visit)
    sent = Form(typed)
    answer = sent.read("home", lambda text: home_from(visit.reading(), text=text))
    if answer is not None and answer.home is None:
        sent.refuse("home", HomeUnclearError(has_options=bool(answer.options)))
    elif answer is not None and answer.home is not None:
        typed |= {"home": answer.home.text}
    reading = Reading(entry=None, options=answer.options if answer else ())
    return replace(_page(visit, form, typed=typed, reading=reading), faults=sent.faults)


def _page(
    visit: Visit,
    form: _Form,
    *,
    typed: Mapping[str, str],
    reading: Reading | None = None,
    has_draft: bool = False,
    is_too_often: bool = False,
) -> Page:
    today = day_of(visit.now)
    values = {
        "purpose": form.purpose,
        "action": form.action,
        "company_name": form.door.workplace_name,
        "typed": typed,
        "felt": set(typed.get("symptoms", "").split(",")),
        "options": reading.options if reading else (),
        "departments": form.departments,
        "is_known": bool(form.known.name),
        "has_draft": has_draft,
        "is_kept": bool(visit.query.get("kept")),
        "is_too_often": is_too_often,
        "first_day": today - LOOK_BACK,
        "last_day": today,
        "kinds": list(DocumentKind),
        "ways": [way for way in Travel if way is not Travel.NOT_AWAY],
        "health_codes": list(HealthCode),
        "symptoms": list(Symptom),
    }
    return Page(template="registrations/form", values=values)


# ---- the receipt and one's own data --------------------------------------------------------------


@access(Access.PERSON)
def registrations(visit: Visit) -> Answer:
    """List everything that somebody registered."""
    cards = list_registrations_of(visit.reading(), openid=visit.openid)
    return Page(template="registrations/list", values={"cards": cards})


@access(Access.PERSON)
def receipt(visit: Visit) -> Answer:
    """Show where a registration stands, and what is kept of it."""
    own = _own(visit)
    query = visit.query
    values: dict[str, object] = {
        "card": own.card,
        "own": own,
        "happened": next((one for one in ("sent", "corrected", "ended") if one in query), ""),
        "is_repeat": query.get("sent") == "0",
        "answered": query.get("told", ""),
        **told_values(visit),
    }
    return Page(
        template="registrations/receipt", values=values, has_script=bool(values["templates"])
    )


@access(Access.PERSON)
def correct(visit: Visit) -> Answer:
    """Let somebody correct what they reported."""
    own = _own(visit)
    if own.card.is_over or own.answers is None:
        raise RegistrationEndedError
    known = Known(name=own.name, document=own.document, phone=own.phone, home=own.home)
    session = visit.reading()
    form = _Form(
        purpose="correct",
        action=f"{_receipt_path(own.card.id)}/correct",
        door=get_door(session, workplace_id=own.card.workplace_id, now=visit.now),
        known=known,
        departments=_departments(visit, own),
        initial=typed_of_answers(
            session, known=known, answers=own.answers, department=own.card.department
        ),
    )
    if not visit.is_post:
        return _show(visit, form)
    if not visit.is_within(f"register:{visit.openid}", *PERSON_LIMIT):
        return _show_again(visit, form, status=429)
    return _corrected(visit, form, registration_id=own.card.id)


def _corrected(visit: Visit, form: _Form, *, registration_id: int) -> Answer:
    if visit.form.get("action") == "find":
        return _show_homes(visit, form)
    sent, reading = _read(visit, form)
    if reading.entry is None:
        return _show_again(visit, form, faults=sent.faults, reading=reading)
    try:
        correct_registration(
            visit.writing(),
            openid=visit.openid,
            registration_id=registration_id,
            entry=reading.entry,
            now=visit.now,
        )
    except RegistrationTakenError as error:
        return _show_again(visit, form, faults={"document": error})
    return Redirect(path=f"{_receipt_path(registration_id)}?corrected=1")


@access(Access.PERSON)
def end(visit: Visit) -> Answer:
    """Ask whether somebody means to end a registration, and end it."""
    own = _own(visit)
    if visit.is_post:
        end_registration(
            visit.writing(), openid=visit.openid, registration_id=own.card.id, now=visit.now
        )
    if visit.is_post or own.card.is_over:
        return Redirect(path=f"{_receipt_path(own.card.id)}?ended=1")
    return Page(template="registrations/end", values={"card": own.card})


def _own(visit: Visit) -> OwnRegistration:
    """Return the registration of the address, if it is the visitor's own.

    Raises:
        RegistrationNotFoundError: there is none, or it is somebody else's.
    """
    registration_id = number_field(visit.params, "id")
    if registration_id is None:
        raise RegistrationNotFoundError
    return get_own_registration(
        visit.reading(), openid=visit.openid, registration_id=registration_id
    )


def _departments(visit: Visit, own: OwnRegistration) -> tuple[str, ...]:
    """Return the departments to choose from; one that was said before stays one of them."""
    named = list_departments(visit.reading(), workplace_id=own.card.workplace_id)
    said = own.card.department
    return tuple(named if not named or not said or said in named else [*named, said])


def _receipt_path(registration_id: int) -> str:
    return f"/h5/registration/{registration_id}"


# ---- for somebody without the app ----------------------------------------------------------------


@access(Access.PERSON)
def enter(visit: Visit) -> Answer:
    """Let an owner or filler register somebody who has no WeChat."""
    mandate = _mandate(visit)
    company_id = mandate.company.id
    form = _Form(
        purpose="other",
        action=f"/h5/company/{company_id}/enter",
        door=get_door(visit.reading(), workplace_id=company_id, now=visit.now),
        departments=tuple(list_departments(visit.reading(), workplace_id=company_id)),
        initial={"document_kind": DocumentKind.RESIDENT_ID.value},
    )
    check_open(form.door)
    if not visit.is_post:
        page = _show(visit, form)
        return replace(page, values={**page.values, **_entered_before(visit)})
    if not visit.is_within(f"enter:{visit.openid}", *ENTER_LIMIT):
        return _show_again(visit, form, status=429)
    return _entered_for(visit, form, mandate)


def _mandate(visit: Visit) -> MandateCard:
    company_id = number_field(visit.params, "id")
    if company_id is None:
        raise CompanyNotFoundError
    mandate = get_mandate(visit.reading(), openid=visit.openid, company_id=company_id)
    check_may(mandate, Act.ENTER)
    return mandate


def _entered_for(visit: Visit, form: _Form, mandate: MandateCard) -> Answer:
    if visit.form.get("action") == "find":
        return _show_homes(visit, form)
    sent, reading = _read(visit, form)
    if reading.entry is None:
        return _show_again(visit, form, faults=sent.faults, reading=reading)
    try:
        receipt = submit_registration(
            visit.writing(),
            workplace_id=form.door.workplace_id,
            entry=reading.entry,
            openid=None,
            code_id=None,
            actor=f"person:{mandate.person_id}",
            now=visit.now,
        )
    except _MENDABLE as error:
        return _show_again(visit, form, faults={"document": error})
    outcome = "new" if receipt.is_new else "old"
    return Redirect(path=f"{form.action}?done={outcome}&number={receipt.card.number}")


def _entered_before(visit: Visit) -> dict[str, str]:
    """Return what the last entry came to; the address carries its number and no person."""
    number = visit.query.get("number", "")
    done = visit.query.get("done", "")
    is_shown = _NUMBER.fullmatch(number) is not None and done in {"new", "old"}
    return {"done": done, "number": number} if is_shown else {"done": "", "number": ""}
