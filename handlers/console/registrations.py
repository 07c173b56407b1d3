"""Registrations as staff see them, masked, and entry for somebody without the app.

A name is searched for by a form that is posted: it must not stand in an address, nor in what a
server writes down of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.clock import day_of
from core.errors import DomainError
from core.people.documents import DocumentKind
from core.people.names import name_of
from core.people.staff.rules import Role
from core.registration.cards import RegistrationCard
from core.registration.gate import check_open, get_door
from core.registration.known import NOBODY, list_departments
from core.registration.listing import (
    HomeOutsideAreaError,
    StaffQuery,
    check_entry_area,
    list_registrations,
    look_at_registration,
)
from core.registration.rules import (
    LOOK_BACK,
    Group,
    HealthCode,
    RegistrationState,
    Symptom,
    Travel,
)
from core.registration.service import (
    RegistrationEndedError,
    RegistrationExistsError,
    RegistrationNotFoundError,
    RegistrationTakenError,
    submit_registration,
)
from core.registry.searching import search_companies
from core.registry.service import CompanyCard, CompanyNotFoundError, get_company
from core.resumption.filing.reviewing import list_filing_streets
from handlers.access import Access, access
from handlers.answers import FIELDS, HomeUnclearError, Reading, home_from, read_entry
from handlers.console.visit import Visit
from handlers.forms import Form, choice_field, number_field, text_field
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/registrations"
SEEN_BY: Final = (
    Role.DISTRICT_REVIEWER,
    Role.ADMINISTRATOR,
    Role.STREET_OFFICER,
    Role.NEIGHBOURHOOD_OFFICER,
    Role.AUDITOR,
)
# Those who meet people without the app.
ENTERED_BY: Final = (Role.NEIGHBOURHOOD_OFFICER, Role.STREET_OFFICER)
# Names that one person looks for in an hour, and people whom they enter.
NAME_LIMIT: Final = (60, 3600)
ENTER_LIMIT: Final = (300, 3600)
UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429
_NUMBER: Final = re.compile(r"R\d{6}-[0-9A-Z]{5}-[0-9A-Z]{5}")
# What can be mended in the form, though the field by itself was right.
_FIELD_OF: Final[Mapping[type[DomainError], str]] = {
    RegistrationTakenError: "document",
    RegistrationExistsError: "document",
    RegistrationEndedError: "document",
    HomeOutsideAreaError: "home",
}


# ---- looking -------------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def registrations(visit: Visit) -> Answer:
    """List the registrations of my area, the newest first; posted, those of one name."""
    if not visit.is_post:
        return _list(visit, query_of(visit, visit.query))
    if not visit.is_within(f"console-name-search:{visit.staff.staff_id}", *NAME_LIMIT):
        return _list(visit, query_of(visit, visit.form), is_too_often=True, status=TOO_MANY)
    form = Form(visit.form)
    name = form.read("name", name_of)
    query = query_of(visit, visit.form, name=name or "")
    status = UNPROCESSABLE if form.faults else 200
    return _list(visit, query, faults=form.faults, status=status)


def query_of(visit: Visit, fields: Mapping[str, str], *, name: str = "") -> StaffQuery:
    """Return what a list or an export of registrations asks for."""
    return StaffQuery(
        area=visit.staff.area,
        state=choice_field(fields, "state", RegistrationState),
        group=choice_field(fields, "group", Group),
        street_id=number_field(fields, "street"),
        workplace_id=number_field(fields, "company"),
        text=text_field(fields, "q"),
        name=name,
    )


def kept_of(query: StaffQuery) -> dict[str, str]:
    """Return the fields of an address that ask for the same; never a name."""
    kept = {
        "state": query.state or "",
        "group": query.group or "",
        "street": query.street_id or "",
        "company": query.workplace_id or "",
        "q": query.text,
    }
    return {name: str(value) for name, value in kept.items() if value}


def _list(
    visit: Visit,
    query: StaffQuery,
    *,
    faults: Mapping[str, DomainError] | None = None,
    is_too_often: bool = False,
    status: int = 200,
) -> Page:
    fields = visit.form if visit.is_post else visit.query
    # A search that was refused shows nothing, and looks at nothing.
    page = None
    if status == 200:  # noqa: PLR2004  as in HTTP
        page = list_registrations(
            visit.writing(),
            query=query,
            actor=f"staff:{visit.staff.staff_id}",
            now=visit.now,
            number=number_field(fields, "page") or 1,
        )
    values = {
        "page": page,
        "query": query,
        "kept": kept_of(query),
        "name": visit.form.get("name", "")[:200],
        "is_by_name": visit.is_post,
        "is_too_often": is_too_often,
        "company": _find_company(visit, query.workplace_id),
        "streets": list_filing_streets(visit.reading(), area=visit.staff.area),
        "may_enter": visit.staff.role in ENTERED_BY,
    }
    return Page(template="registrations/list", values=values, faults=faults or {}, status=status)


def _find_company(visit: Visit, company_id: int | None) -> CompanyCard | None:
    if company_id is None:
        return None
    try:
        return get_company(visit.reading(), company_id=company_id)
    except CompanyNotFoundError:
        return None


@access(Access.STAFF, *SEEN_BY)
def registration(visit: Visit) -> Answer:
    """Show one registration of my area, masked; that somebody looked is recorded."""
    registration_id = number_field(visit.params, "id")
    if registration_id is None:
        raise RegistrationNotFoundError
    view = look_at_registration(
        visit.writing(),
        registration_id=registration_id,
        area=visit.staff.area,
        actor=f"staff:{visit.staff.staff_id}",
        now=visit.now,
    )
    return Page(template="registrations/registration", values={"view": view})


# ---- entering ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The form of an entry: with which company, and what was typed so far."""

    company: CompanyCard
    departments: tuple[str, ...]
    typed: Mapping[str, str] = field(repr=False)


@access(Access.STAFF, *ENTERED_BY)
def companies(visit: Visit) -> Answer:
    """Let an officer choose the company of somebody without the app."""
    text = text_field(visit.query, "q")
    found = search_companies(visit.reading(), text=text)
    doors = {
        company.id: get_door(visit.reading(), workplace_id=company.id, now=visit.now)
        for company in found
    }
    number = visit.query.get("number", "")
    values = {
        "text": text,
        "companies": found,
        "doors": doors,
        "done": visit.query.get("done", "") if _NUMBER.fullmatch(number) else "",
        "number": number,
    }
    return Page(template="registrations/companies", values=values)


@access(Access.STAFF, *ENTERED_BY)
def enter(visit: Visit) -> Answer:
    """Let an officer register somebody without the app with a company."""
    company_id = number_field(visit.params, "id")
    if company_id is None:
        raise CompanyNotFoundError
    session = visit.reading()
    check_open(get_door(session, workplace_id=company_id, now=visit.now))
    company = get_company(session, company_id=company_id)
    departments = tuple(list_departments(session, workplace_id=company_id))
    if not visit.is_post:
        typed = {"document_kind": DocumentKind.RESIDENT_ID.value}
        entry = _Entry(company=company, departments=departments, typed=typed)
        return _form_page(visit, entry)
    entry = _Entry(company=company, departments=departments, typed=_typed(visit))
    if visit.form.get("action") == "find":
        return _homes_page(visit, entry)
    if not visit.is_within(f"console-enter:{visit.staff.staff_id}", *ENTER_LIMIT):
        return _form_page(visit, entry, is_too_often=True, status=TOO_MANY)
    return _entered(visit, entry)


def _typed(visit: Visit) -> dict[str, str]:
    """Return what was sent, a field with several values with commas between them."""
    typed = {name: visit.form.get(name, "") for name in FIELDS}
    return typed | {"symptoms": ",".join(visit.lists("symptoms"))}


def _entered(visit: Visit, entry: _Entry) -> Answer:
    form = Form(entry.typed)
    reading = read_entry(
        form,
        session=visit.reading(),
        known=NOBODY,
        departments=entry.departments,
        today=day_of(visit.now),
    )
    if reading.entry is None:
        return _form_page(visit, entry, faults=form.faults, reading=reading, status=UNPROCESSABLE)
    try:
        check_entry_area(
            visit.reading(),
            area=visit.staff.area,
            street_id=entry.company.street_id,
            home=reading.entry.home,
        )
        receipt = submit_registration(
            visit.writing(),
            workplace_id=entry.company.id,
            entry=reading.entry,
            openid=None,
            code_id=None,
            actor=f"staff:{visit.staff.staff_id}",
            now=visit.now,
        )
    except tuple(_FIELD_OF) as error:
        faults = {_FIELD_OF[type(error)]: error}
        # That somebody else's document was tried is on record, and must be committed.
        status = 200 if isinstance(error, RegistrationTakenError) else UNPROCESSABLE
        return _form_page(visit, entry, faults=faults, reading=reading, status=status)
    return Redirect(path=_done_path(receipt.card, is_new=receipt.is_new))


def _done_path(card: RegistrationCard, *, is_new: bool) -> str:
    """Return where to go on: the address carries a number and no person."""
    return f"{PATH}/enter?done={'new' if is_new else 'old'}&number={card.number}"


def _homes_page(visit: Visit, entry: _Entry) -> Page:
    """Return the form with the communities that a name may mean; nothing else is looked at."""
    form = Form(entry.typed)
    answer = form.read("home", lambda text: home_from(visit.reading(), text=text))
    typed = dict(entry.typed)
    if answer is not None and answer.home is None:
        form.refuse("home", HomeUnclearError(has_options=bool(answer.options)))
    elif answer is not None and answer.home is not None:
        typed["home"] = answer.home.text
    found = _Entry(company=entry.company, departments=entry.departments, typed=typed)
    reading = Reading(entry=None, options=answer.options if answer else ())
    return _form_page(visit, found, faults=form.faults, reading=reading)


def _form_page(
    visit: Visit,
    entry: _Entry,
    *,
    faults: Mapping[str, DomainError] | None = None,
    reading: Reading | None = None,
    is_too_often: bool = False,
    status: int = 200,
) -> Page:
    today = day_of(visit.now)
    values = {
        "company": entry.company,
        "typed": entry.typed,
        "felt": set(entry.typed.get("symptoms", "").split(",")),
        "options": reading.options if reading else (),
        "departments": entry.departments,
        "is_too_often": is_too_often,
        "first_day": today - LOOK_BACK,
        "kinds": list(DocumentKind),
        "ways": [way for way in Travel if way is not Travel.NOT_AWAY],
        "health_codes": list(HealthCode),
        "symptoms": list(Symptom),
    }
    return Page(template="registrations/form", values=values, faults=faults or {}, status=status)
