"""Cases: the queue of somebody's area, one case with its steps, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from core.cases.contacts import Contact, list_holder_contacts
from core.cases.listing import (
    CaseQuery,
    CaseView,
    count_cases,
    list_case_streets,
    list_cases,
    look_at_case,
)
from core.cases.rules import (
    FINDABLE,
    MAX_ISSUER,
    MAX_NOTE,
    MAX_NUMBER,
    STANDING,
    CaseNoteError,
    CaseState,
    Certificate,
    CertificateDatesError,
    CertificateFault,
    CertificateMissingError,
    Finding,
    FindingUnfoundedError,
    certificate_number_of,
    issuer_of,
)
from core.cases.service import (
    CaseAct,
    CaseChangedError,
    CaseClosedError,
    CaseNotFoundError,
    CaseOpenError,
    CaseScope,
    CertificateFile,
    add_evidence,
    close_case,
    note_contact,
    reopen_case,
)
from core.clock import day_of
from core.errors import ConflictError, DomainError
from core.files.rules import (
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    PictureTooLargeError,
)
from core.files.service import FileNotKeptError, FileUnavailableError
from core.people.staff.rules import Role
from core.sites.supervising import list_contacts, list_supervised
from core.workplaces.rules import Face
from handlers.access import Access, access
from handlers.console.kept import open_file
from handlers.console.reviewing import ANY_STATE, CONFLICT, UNPROCESSABLE
from handlers.console.visit import Visit
from handlers.forms import ChoiceMissingError, Form, choice_field, number_field, text_field
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/cases"
LATE: Final = "1"
ACTED_BY: Final = (
    Role.SITE_SUPERVISOR,
    Role.STREET_OFFICER,
    Role.DISTRICT_REVIEWER,
    Role.ADMINISTRATOR,
)
SEEN_BY: Final = (*ACTED_BY, Role.AUDITOR)
_CHANGED: Final = (CaseChangedError, CaseClosedError, CaseOpenError)
_FILE_FAULTS: Final = (
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    FileUnavailableError,
    PictureTooLargeError,
)
_FIELD_OF_FAULT: Final = {
    CertificateFault.ORDER: "isolated_until",
    CertificateFault.SHORT: "isolated_until",
    CertificateFault.FUTURE: "issued_on",
    CertificateFault.EARLY: "isolated_from",
    CertificateFault.ISSUED: "issued_on",
}


class CaseDone(StrEnum):
    """What was just done, to say so."""

    CONTACT = "contact"
    EVIDENCE = "evidence"
    CLOSE = "close"
    REOPEN = "reopen"


# ---- the queue -----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def cases(visit: Visit) -> Answer:
    """List the cases that I look after, the most urgent first."""
    session, query = visit.reading(), query_of(visit, visit.query)
    values = {
        "page": list_cases(
            session, query=query, now=visit.now, number=number_field(visit.query, "page") or 1
        ),
        "query": query,
        "kept": kept_of(query),
        "counts": count_cases(session, scope=query.scope, now=visit.now),
        "streets": list_case_streets(session, scope=query.scope),
        "is_own": query.scope.workplace_ids is not None,
        "now": visit.now,
    }
    return Page(template="cases/queue", values=values)


def query_of(visit: Visit, fields: Mapping[str, str]) -> CaseQuery:
    """Return what a list of cases asks for; without a state, who stands."""
    state = choice_field(fields, "state", CaseState)
    states = frozenset({state}) if state else STANDING
    return CaseQuery(
        scope=scope_of(visit),
        states=frozenset(CaseState) if fields.get("state") == ANY_STATE else states,
        is_overdue=fields.get("late") == LATE,
        street_id=number_field(fields, "street"),
        workplace_id=number_field(fields, "place"),
        text=text_field(fields, "q"),
    )


def kept_of(query: CaseQuery) -> dict[str, str]:
    """Return the fields of an address that ask for the same."""
    if query.states == STANDING:
        state = ""
    else:
        state = ANY_STATE if len(query.states) > 1 else next(iter(query.states)).value
    kept = {
        "state": state,
        "late": LATE if query.is_overdue else "",
        "street": str(query.street_id or ""),
        "place": str(query.workplace_id or ""),
        "q": query.text,
    }
    return {name: text for name, text in kept.items() if text}


def scope_of(visit: Visit) -> CaseScope:
    """Return the cases that I look after: of my own sites, or of my area."""
    staff = visit.staff
    if staff.role is not Role.SITE_SUPERVISOR:
        return CaseScope(area=staff.area)
    own = list_supervised(visit.reading(), staff_id=staff.staff_id)
    return CaseScope(area=staff.area, workplace_ids=frozenset(own))


# ---- one case ------------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def case(visit: Visit) -> Answer:
    """Show a case that I look after; that I looked is recorded."""
    return _case_page(visit)


@access(Access.STAFF, *ACTED_BY)
def contact(visit: Visit) -> Answer:
    """Note whom I spoke to, and what I found."""

    def note(_: Form) -> None:
        note_contact(visit.writing(), act=_act_of(visit), note=visit.form.get("contact_note", ""))

    return _done(visit, CaseDone.CONTACT, note, note_field="contact_note")


@access(Access.STAFF, *ACTED_BY)
def certificate(visit: Visit) -> Answer:
    """Add a certificate that fourteen days of isolation are over."""

    def add(form: Form) -> None:
        read = _certificate_of(form)
        upload = form.optional_upload("file")
        if form.faults or read is None:
            return
        add_evidence(
            visit.writing(),
            act=_act_of(visit),
            certificate=read,
            file=CertificateFile(name=upload.filename, content=upload.content) if upload else None,
            files=visit.files,
        )

    return _done(visit, CaseDone.EVIDENCE, add, note_field="number")


@access(Access.STAFF, *ACTED_BY)
def close(visit: Visit) -> Answer:
    """Close a case with what I found; that decides the registration."""

    def end(form: Form) -> None:
        finding = form.choice("finding", Finding)
        if finding not in FINDABLE:
            form.refuse("finding", ChoiceMissingError())
            return
        close_case(
            visit.writing(),
            act=_act_of(visit),
            finding=finding,
            note=visit.form.get("close_note", ""),
        )

    return _done(visit, CaseDone.CLOSE, end, note_field="close_note")


@access(Access.STAFF, *ACTED_BY)
def reopen(visit: Visit) -> Answer:
    """Open a case again that was closed."""

    def begin(_: Form) -> None:
        reopen_case(visit.writing(), act=_act_of(visit), note=visit.form.get("reopen_note", ""))

    return _done(visit, CaseDone.REOPEN, begin, note_field="reopen_note")


@access(Access.STAFF, *SEEN_BY)
def evidence(visit: Visit) -> Answer:
    """Open the picture of a certificate of a case that I look after; that is recorded."""
    view = _view(visit)
    wanted = number_field(visit.params, "file_id")
    if wanted is None or wanted not in {one.file_id for one in view.certificates}:
        raise FileNotKeptError
    return open_file(visit, file_id=wanted)


# ---- what these share ----------------------------------------------------------------------------


def _done(visit: Visit, done: CaseDone, step: Callable[[Form], None], *, note_field: str) -> Answer:
    """Take a step and go back to the case, or show it again with why not."""
    form = Form(visit.form, uploads=visit.uploads)
    try:
        step(form)
    except CaseNoteError as error:
        form.refuse(note_field, error)
    except CertificateDatesError as error:
        fault = CertificateFault(str(error.facts["fault"]))
        form.refuse(_FIELD_OF_FAULT[fault], error)
    except (CertificateMissingError, FindingUnfoundedError) as error:
        form.refuse("finding", error)
    except _FILE_FAULTS as error:
        form.refuse("file", error)
    except _CHANGED as error:
        form.refuse("version", error)
    if form.faults:
        return _case_page(visit, form=form)
    return Redirect(path=f"{PATH}/{_id_of(visit)}?done={done}")


def _certificate_of(form: Form) -> Certificate | None:
    """Return what was read off a certificate, or None where something is to be corrected."""
    number = form.read("number", certificate_number_of)
    issuer = form.read("issuer", issuer_of)
    begun, over = form.day("isolated_from"), form.day("isolated_until")
    issued = form.day("issued_on")
    if number is None or issuer is None or begun is None or over is None or issued is None:
        return None
    return Certificate(
        number=number,
        issuer=issuer,
        isolated_from=begun,
        isolated_until=over,
        issued_on=issued,
    )


def _act_of(visit: Visit) -> CaseAct:
    return CaseAct(
        case_id=_id_of(visit),
        version=number_field(visit.form, "version") or 0,
        scope=scope_of(visit),
        staff_id=visit.staff.staff_id,
        now=visit.now,
    )


def _id_of(visit: Visit) -> int:
    """Return the case that an address names.

    Raises:
        CaseNotFoundError: no row can have that number.
    """
    case_id = number_field(visit.params, "id")
    if case_id is None:
        raise CaseNotFoundError
    return case_id


def _view(visit: Visit) -> CaseView:
    return look_at_case(
        visit.writing(),
        case_id=_id_of(visit),
        scope=scope_of(visit),
        actor=f"staff:{visit.staff.staff_id}",
        now=visit.now,
    )


def _case_page(visit: Visit, *, form: Form | None = None) -> Page:
    view = _view(visit)
    may_act = visit.staff.role in ACTED_BY
    faults = form.faults if form else {}
    values = {
        "view": view,
        "contacts": _contacts_of(visit, view) if may_act else (),
        "may_act": may_act,
        "findable": FINDABLE,
        "typed": form.typed if form else {},
        "done": choice_field(visit.query, "done", CaseDone),
        "today": day_of(visit.now),
        "now": visit.now,
        "max_note": MAX_NOTE,
        "max_number": MAX_NUMBER,
        "max_issuer": MAX_ISSUER,
    }
    return Page(
        template="cases/case",
        values=values,
        faults=faults,
        status=_status_of(faults),
    )


def _status_of(faults: Mapping[str, DomainError]) -> int:
    if any(isinstance(fault, ConflictError) for fault in faults.values()):
        return CONFLICT
    return UNPROCESSABLE if faults else 200


def _contacts_of(visit: Visit, view: CaseView) -> list[Contact]:
    """Return whom to call: the contractor's people at a site, the owner's at a shop."""
    workplace_id = view.card.workplace_id
    if view.card.face is Face.SITE:
        return list_contacts(visit.reading(), site_id=workplace_id)
    return list_holder_contacts(visit.reading(), workplace_id=workplace_id)
