"""An owner proves who they are; whoever acts for companies finds them here.

A pair that matches nothing answers with 200: that somebody asked must be committed.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from core.clock import day_of
from core.mandates.claims import list_claims_of
from core.mandates.elsewhere import list_waiting
from core.mandates.proving import list_takeovers, prove_ownership
from core.mandates.service import list_mandates
from core.people.documents import Document, DocumentKind, document_of
from core.people.names import name_of
from handlers.access import Access, access
from handlers.forms import Form, choice_field
from handlers.h5.visit import Visit
from handlers.page import Answer, Page

# Tries in seconds: nobody may find out by trying whose number goes with a name.
PERSON_LIMIT: Final = (5, 3600)
ADDRESS_LIMIT: Final = (60, 3600)


@access(Access.PERSON)
def owner(visit: Visit) -> Answer:
    """List the companies that somebody acts for, and let them prove that they own some."""
    if not visit.is_post:
        return _form_page(visit, Form({}))
    form = Form(visit.form)
    name, document = form.read("name", name_of), read_document(visit, form)
    if name is None or document is None:
        return _form_page(visit, form, status=422)
    if not _may_try(visit):
        return _form_page(visit, form, problem="too_many", status=429)
    proof = prove_ownership(
        visit.writing(), openid=visit.openid, name=name, document=document, now=visit.now
    )
    if not proof.is_matched:
        return _form_page(visit, form, problem="refused")
    return Page(template="owner/proved", values={"proof": proof})


def read_document(visit: Visit, form: Form) -> Document | None:
    """Return the document of a form; without a chosen kind its number decides."""
    kind = choice_field(visit.form, "document_kind", DocumentKind)
    return form.read("document", partial(document_of, kind=kind, today=day_of(visit.now)))


def _form_page(visit: Visit, form: Form, *, problem: str = "", status: int = 200) -> Page:
    session = visit.reading()
    return Page(
        template="owner/form",
        values={
            "mandates": list_mandates(session, openid=visit.openid),
            "takeovers": list_takeovers(session, openid=visit.openid),
            "waiting": list_waiting(session, openid=visit.openid),
            "claims": list_claims_of(session, openid=visit.openid, now=visit.now),
            "typed": form.typed,
            "problem": problem,
        },
        faults=form.faults,
        status=status,
    )


def _may_try(visit: Visit) -> bool:
    """Count a try by person and by address."""
    by_person = visit.is_within(f"owner-person:{visit.openid}", *PERSON_LIMIT)
    by_address = visit.is_within(f"owner-address:{visit.address[:64]}", *ADDRESS_LIMIT)
    return by_person and by_address
