"""The sheet of those who decide: filter it, choose people, look at one of them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Final

from core.errors import DomainError
from core.mandates.rules import Act, may
from core.mandates.service import MandateCard, get_mandate
from core.registration.rules import (
    MAX_DEPARTMENT_LENGTH,
    Flag,
    Group,
    RegistrationState,
)
from core.resumption.approval.cards import list_decisions
from core.resumption.approval.preparing import (
    Filtered,
    NothingSelectedError,
    Picked,
    Selection,
    prepare_decision,
)
from core.resumption.approval.rules import (
    MAX_REASON,
    NEED_REASON,
    Verdict,
    VerdictReasonMissingError,
    VerdictReasonTooLongError,
    may_decide,
)
from core.resumption.approval.sheet import (
    SheetQuery,
    SheetSummary,
    get_sheet_row,
    get_sheet_summary,
    list_sheet,
    read_registration,
)
from handlers.access import Access, access
from handlers.forms import (
    MAX_LIST,
    MAX_NUMBER,
    ChoiceMissingError,
    choice_field,
    number_field,
    text_field,
)
from handlers.h5.mandates import company_id_of, company_path
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

ANY: Final = "any"
# Uses in seconds; each freezes a list of as many people as the company has.
DECIDE_LIMIT: Final = (120, 600)
READ_LIMIT: Final = (300, 3600)
_KEY_BYTES: Final = 16
_MAX_KEY: Final = 64
# A row as it was on the page: its id and its version.
_ROW: Final = re.compile(r"(\d{1,10}):(\d{1,10})", re.ASCII)
_MAX_REASON_TYPED: Final = 4 * MAX_REASON


@access(Access.PERSON)
def sheet(visit: Visit) -> Answer:
    """Show who registered, the exceptions apart; take whom to decide about, and how."""
    mandate = _mandate(visit)
    if not visit.is_post:
        return _sheet_page(visit, mandate, visit.query)
    if visit.form.get("find"):
        # A name may not stand in an address, so a search is sent like a form.
        text = text_field(visit.form, "text")
        return _sheet_page(visit, mandate, visit.form, text=text)
    return _choose(visit, mandate)


@access(Access.PERSON)
def row(visit: Visit) -> Answer:
    """Show one person of the sheet, masked; a `POST` shows everything, which is recorded."""
    mandate = _mandate(visit)
    registration_id = number_field(visit.params, "registration_id") or 0
    card = get_sheet_row(visit.reading(), mandate=mandate, registration_id=registration_id)
    values: dict[str, object] = {
        "mandate": mandate,
        "card": card,
        "may_decide": may(mandate, Act.DECIDE),
        "verdicts_of": _verdicts_for(card.state),
        "request_key": _new_key(),
        "own": None,
        "is_busy": False,
    }
    if visit.is_post:
        if not visit.is_within(f"read:{visit.openid}", *READ_LIMIT):
            return Page(template="sheet/row", values={**values, "is_busy": True}, status=429)
        values["own"] = read_registration(
            visit.writing(), mandate=mandate, registration_id=registration_id, now=visit.now
        )
    return Page(template="sheet/row", values=values)


def sheet_path(company_id: int) -> str:
    """Return the address of a company's sheet."""
    return f"{company_path(company_id)}/sheet"


def decision_path(company_id: int, decision_id: int) -> str:
    """Return the address of a decision."""
    return f"{company_path(company_id)}/decision/{decision_id}"


def _mandate(visit: Visit) -> MandateCard:
    return get_mandate(visit.reading(), openid=visit.openid, company_id=company_id_of(visit))


# ---- the list -------------------------------------------------------------------------------


def _sheet_page(
    visit: Visit,
    mandate: MandateCard,
    fields: Mapping[str, str],
    *,
    text: str = "",
    fault: DomainError | None = None,
    status: int = 200,
) -> Page:
    session = visit.reading()
    summary = get_sheet_summary(session, mandate=mandate)
    # Whoever is looked for by name is found wherever they stand.
    query = SheetQuery(state=None, text=text) if text else _query_of(fields, summary)
    number = number_field(fields, "page") or 1
    values = {
        "mandate": mandate,
        "summary": summary,
        "query": query,
        "kept": _fields_of(query),
        "counts": _counts_of(summary, query.state),
        "state_counts": {one.value: summary.count(one) for one in RegistrationState},
        "page": list_sheet(session, mandate=mandate, query=query, number=number),
        "decisions": list_decisions(session, mandate=mandate, limit=3),
        "may_decide": may(mandate, Act.DECIDE),
        "verdicts_of": _verdicts_for(query.state),
        "request_key": _new_key(),
        "is_busy": status == 429,  # noqa: PLR2004  as HTTP has it
        "now": visit.now,
    }
    faults = {} if fault is None else {"rows": fault}
    return Page(template="sheet/list", values=values, faults=faults, status=status)


def _query_of(fields: Mapping[str, str], summary: SheetSummary) -> SheetQuery:
    """Return what a filter asks for; without a group the first one in which anybody is."""
    state = choice_field(fields, "state", RegistrationState)
    if state is None and fields.get("state") != ANY:
        state = RegistrationState.SUBMITTED
    group = choice_field(fields, "group", Group)
    flag = choice_field(fields, "flag", Flag)
    department = text_field(fields, "department", max_count=MAX_DEPARTMENT_LENGTH) or None
    if group is None and fields.get("group") != ANY and not (flag or department or state is None):
        group = next((one for one in Group if state and summary.count(state, one)), Group.FINE)
    return SheetQuery(group=group, state=state, flag=flag, department=department)


def _fields_of(query: SheetQuery) -> dict[str, str]:
    """Return the fields that ask for the same again, without what was searched for."""
    if query.text:
        return {}
    fields = {
        "state": query.state.value if query.state else ANY,
        "group": query.group.value if query.group else ANY,
        "flag": query.flag.value if query.flag else "",
        "department": query.department or "",
    }
    return {name: value for name, value in fields.items() if value}


def _counts_of(summary: SheetSummary, state: RegistrationState | None) -> dict[str, int]:
    if state is None:
        return {}
    return {group.value: summary.count(state, group) for group in Group}


def _verdicts_for(state: RegistrationState | None) -> list[str]:
    """Return what may be decided, in the order of the buttons."""
    order = (Verdict.APPROVE, Verdict.RETURN, Verdict.REJECT)
    return [one.value for one in order if state is None or may_decide(state, one)]


def _new_key() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


# ---- the choice -----------------------------------------------------------------------------


def _choose(visit: Visit, mandate: MandateCard) -> Answer:
    """Freeze what was chosen, once there is a reason where one is needed."""
    verdict = choice_field(visit.form, "verdict", Verdict)
    if verdict is None:
        return _sheet_page(visit, mandate, visit.form, fault=ChoiceMissingError(), status=422)
    selection = _selection_of(visit, mandate)
    if isinstance(selection, Picked) and not selection.rows:
        return _sheet_page(visit, mandate, visit.form, fault=NothingSelectedError(), status=422)
    if verdict in NEED_REASON and "reason_asked" not in visit.form:
        return _reason_page(visit, mandate, verdict, selection)
    if not visit.is_within(f"decide:{visit.openid}", *DECIDE_LIMIT):
        return _sheet_page(visit, mandate, visit.form, status=429)
    return _prepare(visit, mandate, verdict, selection)


def _prepare(visit: Visit, mandate: MandateCard, verdict: Verdict, selection: Selection) -> Answer:
    try:
        decision = prepare_decision(
            visit.writing(),
            mandate=mandate,
            verdict=verdict,
            reason=_reason_of(visit),
            selection=selection,
            request_key=text_field(visit.form, "request_key", max_count=_MAX_KEY),
            now=visit.now,
        )
    except NothingSelectedError as error:
        return _sheet_page(visit, mandate, visit.form, fault=error, status=422)
    except (VerdictReasonMissingError, VerdictReasonTooLongError) as error:
        return _reason_page(visit, mandate, verdict, selection, fault=error)
    return Redirect(path=decision_path(mandate.company.id, decision.id))


def _selection_of(visit: Visit, mandate: MandateCard) -> Selection:
    if visit.form.get("all"):
        summary = get_sheet_summary(visit.reading(), mandate=mandate)
        return Filtered(query=_query_of(visit.form, summary))
    found = (_ROW.fullmatch(text) for text in visit.lists("rows")[:MAX_LIST])
    rows = {int(one[1]): int(one[2]) for one in found if one}
    in_range = {key: value for key, value in rows.items() if max(key, value) <= MAX_NUMBER}
    return Picked(rows=tuple(sorted(in_range.items())))


def _reason_of(visit: Visit) -> str:
    """Return a ready reason, one's own words, or the one before the other."""
    typed = (visit.form.get(name, "")[:_MAX_REASON_TYPED] for name in ("reason", "own"))
    return " ".join(part for part in typed if part)


def _reason_page(
    visit: Visit,
    mandate: MandateCard,
    verdict: Verdict,
    selection: Selection,
    *,
    fault: DomainError | None = None,
) -> Page:
    """Ask why; the form carries on what was chosen."""
    rows = selection.rows if isinstance(selection, Picked) else ()
    values = {
        "mandate": mandate,
        "verdict": verdict.value,
        "rows": [f"{registration_id}:{version}" for registration_id, version in rows],
        "is_all": isinstance(selection, Filtered),
        "all_count": number_field(visit.form, "all") or 0,
        "kept": _kept_of(visit, selection),
        "request_key": text_field(visit.form, "request_key", max_count=_MAX_KEY),
        "typed": {"reason": visit.form.get("reason", ""), "own": visit.form.get("own", "")},
    }
    faults = {} if fault is None else {"own": fault}
    status = 200 if fault is None else 422
    return Page(template="sheet/reason", values=values, faults=faults, status=status)


def _kept_of(visit: Visit, selection: Selection) -> dict[str, str]:
    if isinstance(selection, Filtered):
        return _fields_of(selection.query)
    return {
        name: text_field(visit.form, name) for name in ("state", "group") if visit.form.get(name)
    }
