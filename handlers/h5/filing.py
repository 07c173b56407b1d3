"""The filing of a company: fill in, sign, submit, see where it stands."""

from __future__ import annotations

from typing import Final

from core.errors import ConflictError, DomainError
from core.files.rules import FilePurpose
from core.files.service import (
    FileCard,
    FileNotKeptError,
    get_file,
    keep_file,
    read_file,
    remove_file,
)
from core.mandates.rules import Act, MandateKind, check_may, may
from core.mandates.service import MandateCard, get_mandate, lock_for
from core.people.names import name_of
from core.resumption.filing.rules import (
    CommitmentMissingError,
    FilingDraft,
    FilingState,
    FilingUnchangedError,
    PlanMissingError,
    check_returning,
    head_count_of,
    returning_count_of,
)
from core.resumption.filing.service import (
    FilingCard,
    FilingSubmittedError,
    check_signature,
    find_filing,
    list_steps,
    queue_place_of,
    save_draft,
    submit_filing,
)
from handlers.access import Access, access
from handlers.forms import Form
from handlers.h5.mandates import company_id_of, company_path
from handlers.h5.visit import Visit
from handlers.page import Answer, Download, Page, Redirect

# Managers see their department's people, not what the company declares.
FILED_BY: Final = frozenset({MandateKind.OWNER, MandateKind.FILLER})
# A phone offers its camera and its files for these.
ACCEPTED: Final = "application/pdf,image/jpeg,image/png,.pdf"
SUBMIT: Final = "submit"
# Uses in seconds, for a company: what gives way to another plan is kept for a day.
UPLOAD_LIMIT: Final = (30, 3600)


class TooManyUploadsError(ConflictError):
    """The company has handed in one plan after another."""

    code = "too_many_uploads"


@access(Access.PERSON)
def filing(visit: Visit) -> Answer:
    """Show where the filing stands, or the form; take what was typed."""
    mandate = _mandate(visit)
    found = find_filing(visit.reading(), company_id=mandate.company.id)
    if visit.is_post:
        check_may(mandate, Act.FILE)
        if found is not None and found.state is FilingState.SUBMITTED:
            # The second tap of two: what was sent first is there.
            return Redirect(path=path_of(mandate))
        return _take(visit, mandate)
    if _shows_form(visit, mandate, found):
        return _form_page(visit, mandate, found, typed=_typed_of(found))
    return _status_page(visit, mandate, found)


@access(Access.PERSON)
def filing_plan(visit: Visit) -> Answer:
    """Show the prevention plan: the one that was submitted, or that would be submitted next."""
    mandate = _mandate(visit)
    found = find_filing(visit.reading(), company_id=mandate.company.id)
    plan_id = None
    if found is not None:
        plan_id = found.plan_id if "declared" in visit.query else found.draft.plan_id
    if plan_id is None:
        raise FileNotKeptError
    content = read_file(
        visit.writing(),
        files=visit.files,
        file_id=plan_id,
        actor=_actor(mandate),
        now=visit.now,
    )
    return Download(
        content=content.content,
        media_type=content.media_type.value,
        filename=content.name,
        is_inline=True,
    )


def path_of(mandate: MandateCard) -> str:
    """Return the address of a company's filing."""
    return f"{company_path(mandate.company.id)}/filing"


def _mandate(visit: Visit) -> MandateCard:
    return get_mandate(
        visit.reading(), openid=visit.openid, company_id=company_id_of(visit), kinds=FILED_BY
    )


def _actor(mandate: MandateCard) -> str:
    return f"person:{mandate.person_id}"


def _shows_form(visit: Visit, mandate: MandateCard, found: FilingCard | None) -> bool:
    if not may(mandate, Act.FILE):
        return False
    if found is None or found.state is FilingState.DRAFT:
        return True
    is_asked = "change" in visit.query or "saved" in visit.query
    if found.state is FilingState.APPROVED:
        return is_asked
    return found.state is not FilingState.SUBMITTED


# ---- taking what was typed --------------------------------------------------------------------


def _take(visit: Visit, mandate: MandateCard) -> Answer:
    """Keep what can be used, and submit it if that was asked and nothing is wrong."""
    form = Form(visit.form, uploads=visit.uploads)
    is_submitted = visit.form.get("action") == SUBMIT
    draft = _draft_of(visit, form, mandate)
    if is_submitted:
        _read_signature(visit, form, mandate)
    session = visit.writing()
    lock_for(session, by=mandate)
    try:
        kept = save_draft(
            session,
            company_id=mandate.company.id,
            draft=draft,
            actor=_actor(mandate),
            now=visit.now,
        )
    except FilingSubmittedError:
        # Another tap came first, between the look and the lock; its plan is the one that counts.
        if draft.plan_id is not None:
            remove_file(session, file_id=draft.plan_id, actor=_actor(mandate), now=visit.now)
        return Redirect(path=path_of(mandate))
    if is_submitted and kept.draft.plan_id is None:
        form.refuse("plan", PlanMissingError())
    if is_submitted and not form.faults:
        _submit(visit, form, mandate)
    if form.faults:
        # Not undone by its status: the plan that came with it, and each right figure, are kept.
        return _form_page(visit, mandate, kept, typed=form.typed, faults=form.faults)
    return Redirect(path=path_of(mandate) + ("" if is_submitted else "?saved=1"))


def _draft_of(visit: Visit, form: Form, mandate: MandateCard) -> FilingDraft:
    """Return what can be used of what was typed; the rest has its fault."""
    plan_id = _kept_plan(visit, form, mandate)
    head_count = form.read("head_count", head_count_of)
    returning_count = form.read("returning_count", returning_count_of)
    if head_count is not None and returning_count is not None:
        try:
            check_returning(head_count=head_count, returning_count=returning_count)
        except DomainError as error:
            form.refuse("returning_count", error)
    if visit.form.get("action") != SUBMIT:
        # Whoever goes on later may leave fields empty; what cannot be read is still said.
        for name in ("head_count", "returning_count"):
            if not visit.form.get(name, "").strip():
                form.faults.pop(name, None)
    return FilingDraft(head_count=head_count, returning_count=returning_count, plan_id=plan_id)


def _kept_plan(visit: Visit, form: Form, mandate: MandateCard) -> int | None:
    upload = form.optional_upload("plan")
    if upload is None:
        return None
    if not visit.is_within(f"filing-plan:{mandate.company.id}", *UPLOAD_LIMIT):
        form.refuse("plan", TooManyUploadsError())
        return None
    try:
        return keep_file(
            # Its first use: nothing is locked while the store takes its time.
            visit.writing(),
            files=visit.files,
            content=upload.content,
            name=upload.filename,
            purpose=FilePurpose.PREVENTION_PLAN,
            actor=_actor(mandate),
            now=visit.now,
        )
    except DomainError as error:
        form.refuse("plan", error)
        return None


def _read_signature(visit: Visit, form: Form, mandate: MandateCard) -> None:
    if not form.is_checked("commitment"):
        form.refuse("commitment", CommitmentMissingError())
    name = form.read("signature", name_of)
    if name is None:
        return
    try:
        check_signature(visit.reading(), mandate=mandate, name=name)
    except DomainError as error:
        form.refuse("signature", error)


def _submit(visit: Visit, form: Form, mandate: MandateCard) -> None:
    try:
        submit_filing(
            visit.writing(), company_id=mandate.company.id, actor=_actor(mandate), now=visit.now
        )
    except FilingUnchangedError as error:
        form.refuse("head_count", error)


# ---- pages ------------------------------------------------------------------------------------


def _typed_of(found: FilingCard | None) -> dict[str, str]:
    if found is None:
        return {}
    counts = {
        "head_count": found.draft.head_count,
        "returning_count": found.draft.returning_count,
    }
    return {name: str(count) for name, count in counts.items() if count is not None}


def _form_page(
    visit: Visit,
    mandate: MandateCard,
    found: FilingCard | None,
    *,
    typed: dict[str, str],
    faults: dict[str, DomainError] | None = None,
) -> Page:
    return Page(
        template="filing/form",
        values={
            "company": mandate.company,
            "filing": found,
            "plan": _plan(visit, found.draft.plan_id if found else None),
            "typed": typed,
            "is_saved": "saved" in visit.query and not faults,
            "accepted": ACCEPTED,
            "is_owner": mandate.kind is MandateKind.OWNER,
        },
        faults=faults or {},
    )


def _status_page(visit: Visit, mandate: MandateCard, found: FilingCard | None) -> Page:
    session, is_waiting = visit.reading(), found is not None and found.state.value == "submitted"
    return Page(
        template="filing/status",
        values={
            "company": mandate.company,
            "filing": found,
            "plan": _plan(visit, found.plan_id if found else None),
            "has_change": found is not None and found.has_change,
            "place": queue_place_of(session, filing_id=found.id) if found and is_waiting else None,
            "steps": list_steps(session, filing_id=found.id)[::-1] if found else [],
            "may_file": may(mandate, Act.FILE),
        },
    )


def _plan(visit: Visit, file_id: int | None) -> FileCard | None:
    if file_id is None:
        return None
    session = visit.writing() if visit.is_post else visit.reading()
    return get_file(session, file_id=file_id)
