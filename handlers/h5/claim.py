"""The owner of a company that the register does not have describes it, with its licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import DomainError
from core.files.rules import (
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    PictureTooLargeError,
)
from core.mandates.claims import (
    ClaimInput,
    CompanyRegisteredError,
    LicenceFile,
    list_claims_of,
    submit_claim,
)
from core.mandates.rules import (
    MAX_ADDRESS_CHARACTERS,
    MAX_COMPANY_CHARACTERS,
    MAX_INDUSTRY_CHARACTERS,
)
from core.people.names import name_of
from core.places.service import list_streets
from core.registry.rules import uscc_of
from handlers.access import Access, access
from handlers.forms import ChoiceMissingError, Form, number_field
from handlers.h5.owner import read_document
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

CLAIMS: Final = "/h5/claims"
PERSON_LIMIT: Final = (10, 3600)
_LICENCE_FAULTS: Final = (
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    PictureTooLargeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A whole form."""

    claim: ClaimInput
    licence: LicenceFile


@access(Access.PERSON)
def claim(visit: Visit) -> Answer:
    """Ask for a company that is not in the register, and for its licence."""
    if not visit.is_post:
        return _form_page(visit, Form({}))
    form = Form(visit.form, uploads=visit.uploads)
    sent = _read(visit, form)
    if sent is None:
        return _form_page(visit, form, status=422)
    if not visit.is_within(f"claim-person:{visit.openid}", *PERSON_LIMIT):
        return _form_page(visit, form, problem="too_many", status=429)
    try:
        submit_claim(
            visit.writing(),
            openid=visit.openid,
            claim=sent.claim,
            licence=sent.licence,
            files=visit.files,
            now=visit.now,
        )
    except CompanyRegisteredError as error:
        return _refused(visit, form, "uscc", error)
    except _LICENCE_FAULTS as error:
        return _refused(visit, form, "licence", error)
    return Redirect(path=f"{CLAIMS}?sent=1")


@access(Access.PERSON)
def claims(visit: Visit) -> Answer:
    """List what somebody claimed, with what became of it."""
    found = list_claims_of(visit.reading(), openid=visit.openid, now=visit.now)
    values = {"claims": found, "is_sent": bool(visit.query.get("sent"))}
    return Page(template="claim/list", values=values)


def _read(visit: Visit, form: Form) -> _Sent | None:
    """Return what was sent, or None and faults in the form."""
    uscc = form.read("uscc", uscc_of)
    name = form.text("name", max_count=MAX_COMPANY_CHARACTERS)
    owner_name, document = form.read("owner_name", name_of), read_document(visit, form)
    address = form.text("address", max_count=MAX_ADDRESS_CHARACTERS)
    industry = form.optional_text("industry", max_count=MAX_INDUSTRY_CHARACTERS)
    street_id, licence = _read_street(visit, form), _read_licence(form)
    if form.faults or None in (uscc, name, owner_name, document, address, street_id, licence):
        return None
    return _Sent(
        claim=ClaimInput(
            uscc=uscc or "",
            name=name or "",
            owner_name=owner_name or "",
            document=document,  # type: ignore[arg-type]
            address=address or "",
            street_id=street_id or 0,
            industry=industry or "",
        ),
        licence=licence,  # type: ignore[arg-type]
    )


def _read_street(visit: Visit, form: Form) -> int | None:
    street_id = number_field(visit.form, "street")
    if street_id in {street.id for street in list_streets(visit.reading())}:
        return street_id
    form.refuse("street", ChoiceMissingError())
    return None


def _read_licence(form: Form) -> LicenceFile | None:
    upload = form.upload("licence")
    return None if upload is None else LicenceFile(name=upload.filename, content=upload.content)


def _refused(visit: Visit, form: Form, name: str, error: DomainError) -> Page:
    form.refuse(name, error)
    return _form_page(visit, form, status=422)


def _form_page(visit: Visit, form: Form, *, problem: str = "", status: int = 200) -> Page:
    streets = list_streets(visit.reading())
    values = {"streets": streets, "typed": form.typed, "problem": problem}
    return Page(template="claim/form", values=values, faults=form.faults, status=status)
