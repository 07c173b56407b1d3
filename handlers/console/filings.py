"""Filings: the queue, one filing with all that is known about it, decisions singly and in batches.

Opening a filing that waits holds it; who only looks, like a street officer, holds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.codes.rules import subject_of
from core.codes.service import find_newest_code
from core.errors import ConflictError, DomainError
from core.files.service import FileNotKeptError, get_file
from core.mandates.rules import CompanyNotInBusinessError
from core.registration.service import count_registrations
from core.registry.service import list_changes
from core.resumption.filing.deciding import MAX_BATCH, decide_filing, decide_filings
from core.resumption.filing.notes import notes_of
from core.resumption.filing.reviewing import (
    FilingHeldError,
    FilingQuery,
    FilingRow,
    count_filings,
    get_filing_of,
    hold_filing,
    list_filing_streets,
    list_filings,
    release_filing,
    take_over_filing,
)
from core.resumption.filing.rules import (
    MAX_REASON,
    FilingState,
    FilingVerdict,
    ReasonMissingError,
    ReasonTooLongError,
)
from core.resumption.filing.service import (
    FilingNotFoundError,
    Step,
    find_usual_wait,
    list_steps,
)
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

PATH: Final = "/console/filings"
CHANGES_SHOWN: Final = 10
_FAULTS: Final = (
    ConflictError,
    CompanyNotInBusinessError,
    ReasonMissingError,
    ReasonTooLongError,
)


# ---- the queue ---------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def filings(visit: Visit) -> Answer:
    """List the filings of my area, the oldest first: state, street, text, page."""
    return _queue(visit, visit.query)


def query_of(visit: Visit, fields: Mapping[str, str]) -> FilingQuery:
    """Return what a list or an export of filings asks for; without a state, what waits."""
    state = choice_field(fields, "state", FilingState)
    is_any = fields.get("state") == ANY_STATE
    return FilingQuery(
        area=visit.staff.area,
        state=None if is_any else state or FilingState.SUBMITTED,
        street_id=number_field(fields, "street"),
        text=text_field(fields, "q"),
    )


def kept_of(query: FilingQuery) -> dict[str, str]:
    """Return the fields of an address that ask for the same."""
    state = ANY_STATE if query.state is None else query.state.value
    kept = {"state": state, "street": str(query.street_id or ""), "q": query.text}
    is_usual = query.state is FilingState.SUBMITTED
    return {name: text for name, text in kept.items() if text and (name != "state" or not is_usual)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """A batch that was not decided: why, and what was chosen."""

    faults: Mapping[str, DomainError]
    chosen: frozenset[str]
    reason: str


def _queue(visit: Visit, fields: Mapping[str, str], *, refused: _Refused | None = None) -> Page:
    session, query = visit.reading(), query_of(visit, fields)
    page = list_filings(
        session, query=query, now=visit.now, number=number_field(fields, "page") or 1
    )
    shown = [row.filing for row in page.rows]
    values = {
        "page": page,
        "query": query,
        "kept": kept_of(query),
        "counts": count_filings(session, area=visit.staff.area),
        "streets": list_filing_streets(session, area=visit.staff.area),
        "notes": notes_of(session, filings=shown, now=visit.now),
        "usual_wait": find_usual_wait(session),
        "now": visit.now,
        "may_decide": visit.staff.role in DECIDED_BY,
        "max_reason": MAX_REASON,
        "chosen": refused.chosen if refused else frozenset(),
        "reason": refused.reason if refused else "",
        "done": _find_done(visit),
    }
    return Page(
        template="filings/queue",
        values=values,
        faults=refused.faults if refused else {},
        status=UNPROCESSABLE if refused else 200,
    )


def _find_done(visit: Visit) -> FilingRow | None:
    """Return the filing that was just decided, to say so above the queue."""
    filing_id = number_field(visit.query, "done")
    if filing_id is None:
        return None
    try:
        return get_filing_of(
            visit.reading(), filing_id=filing_id, area=visit.staff.area, now=visit.now
        )
    except FilingNotFoundError:
        return None


@access(Access.STAFF, *DECIDED_BY)
def decide_chosen(visit: Visit) -> Answer:
    """Decide all filings that were ticked in the same way, and name what became of each."""
    values = visit.lists("filing")
    reason = visit.form.get("reason", "")
    try:
        choices, verdict = _choices_of(values), _verdict_of(visit)
        outcomes = decide_filings(
            visit.writing(),
            choices=choices,
            verdict=verdict,
            reason=reason,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (ChoiceMissingError, ReasonMissingError, ReasonTooLongError) as error:
        name = "filing" if isinstance(error, ChoiceMissingError) else "reason"
        refused = _Refused(faults={name: error}, chosen=frozenset(values), reason=reason)
        return _queue(visit, visit.form, refused=refused)
    faults = {str(one.filing_id): one.error for one in outcomes if one.error is not None}
    query = query_of(visit, visit.form)
    page_values = {"outcomes": outcomes, "verdict": verdict, "kept": kept_of(query)}
    return Page(template="filings/decided", values=page_values, faults=faults)


def _choices_of(values: Sequence[str]) -> list[tuple[int, int]]:
    """Return the ids and revisions of ticked rows, written as `id:revision`.

    Raises:
        ChoiceMissingError: none was ticked.
    """
    pairs = (value.partition(":") for value in values[:MAX_BATCH])
    numbers = (
        (number_field({"": filing_id}, ""), number_field({"": revision}, ""))
        for filing_id, _, revision in pairs
    )
    choices = [(one, two) for one, two in dict(numbers).items() if one and two]
    if not choices:
        raise ChoiceMissingError
    return choices


def _verdict_of(visit: Visit) -> FilingVerdict:
    """Return which button was pressed.

    Raises:
        ChoiceMissingError: none that we know.
    """
    verdict = choice_field(visit.form, "verdict", FilingVerdict)
    if verdict is None:
        raise ChoiceMissingError
    return verdict


# ---- one filing ----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def filing(visit: Visit) -> Answer:
    """Show a filing with all that is known about it; a reviewer who opens it holds it."""
    filing_id = _id_of(visit)
    row = get_filing_of(visit.reading(), filing_id=filing_id, area=visit.staff.area, now=visit.now)
    if row.filing.state is FilingState.SUBMITTED and visit.staff.role in DECIDED_BY:
        try:
            hold_filing(
                visit.writing(),
                filing_id=filing_id,
                staff_id=visit.staff.staff_id,
                now=visit.now,
            )
        except FilingHeldError:
            # Somebody else has it open: the page says who, and until when.
            return _filing_page(visit, row)
        row = get_filing_of(
            visit.writing(), filing_id=filing_id, area=visit.staff.area, now=visit.now
        )
    return _filing_page(visit, row)


@access(Access.STAFF, *DECIDED_BY)
def decide(visit: Visit) -> Answer:
    """Decide one filing as the reviewer saw it."""
    filing_id = _id_of(visit)
    try:
        decide_filing(
            visit.writing(),
            filing_id=filing_id,
            revision=number_field(visit.form, "revision") or 0,
            verdict=_verdict_of(visit),
            reason=visit.form.get("reason", ""),
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (*_FAULTS, ChoiceMissingError) as error:
        return _refused_page(visit, filing_id, error)
    return Redirect(path=f"{PATH}?done={filing_id}")


def _refused_page(visit: Visit, filing_id: int, error: DomainError) -> Page:
    row = get_filing_of(visit.reading(), filing_id=filing_id, area=visit.staff.area, now=visit.now)
    is_reason = isinstance(error, ReasonMissingError | ReasonTooLongError)
    is_conflict = isinstance(error, ConflictError)
    return _filing_page(
        visit,
        row,
        faults={"reason" if is_reason else "verdict": error},
        reason=visit.form.get("reason", ""),
        status=CONFLICT if is_conflict else UNPROCESSABLE,
    )


@access(Access.STAFF, *DECIDED_BY)
def hold(visit: Visit) -> Answer:
    """Take a filing over from another reviewer, or put it back into the queue."""
    filing_id, staff_id = _id_of(visit), visit.staff.staff_id
    if visit.form.get("act") == "release":
        release_filing(visit.writing(), filing_id=filing_id, staff_id=staff_id)
        return Redirect(path=PATH)
    take_over_filing(visit.writing(), filing_id=filing_id, staff_id=staff_id, now=visit.now)
    return Redirect(path=f"{PATH}/{filing_id}")


@access(Access.STAFF, *SEEN_BY)
def plan(visit: Visit) -> Answer:
    """Open a prevention plan that was handed in with a filing of my area; that is recorded."""
    filing_id, file_id = _id_of(visit), number_field(visit.params, "file_id")
    get_filing_of(visit.reading(), filing_id=filing_id, area=visit.staff.area, now=visit.now)
    steps = list_steps(visit.reading(), filing_id=filing_id)
    if file_id is None or file_id not in {step.plan_id for step in steps}:
        raise FileNotKeptError
    return open_file(visit, file_id=file_id)


def _filing_page(
    visit: Visit,
    row: FilingRow,
    *,
    faults: Mapping[str, DomainError] | None = None,
    reason: str = "",
    status: int = 200,
) -> Page:
    session, filing = visit.reading(), row.filing
    steps = list_steps(session, filing_id=filing.id)
    is_reviewed = filing.state is FilingState.SUBMITTED and visit.staff.role in DECIDED_BY
    is_anothers = row.hold is not None and row.hold.staff_id != visit.staff.staff_id
    values = {
        "filing": filing,
        "hold": row.hold,
        "is_anothers": is_anothers,
        "may_decide": is_reviewed and not is_anothers,
        "may_take_over": is_reviewed and is_anothers,
        "notes": notes_of(session, filings=[filing], now=visit.now)[filing.id],
        "steps": steps,
        "plans": _plans_of(visit, steps),
        "changes": list_changes(session, company_id=filing.company.id, limit=CHANGES_SHOWN),
        "counts": count_registrations(session, workplace_id=filing.company.id),
        "code": find_newest_code(session, subject=subject_of(filing.company.id)),
        "now": visit.now,
        "reason": reason,
        "max_reason": MAX_REASON,
    }
    return Page(template="filings/filing", values=values, faults=faults or {}, status=status)


def _plans_of(visit: Visit, steps: Sequence[Step]) -> dict[int, object]:
    """Return what is known of the plans of a history, by id; one that was given up is left out."""
    found: dict[int, object] = {}
    for file_id in {step.plan_id for step in steps if step.plan_id is not None}:
        try:
            found[file_id] = get_file(visit.reading(), file_id=file_id)
        except FileNotKeptError:
            continue
    return found


def _id_of(visit: Visit) -> int:
    """Return the filing that an address names.

    Raises:
        FilingNotFoundError: no row can have that number.
    """
    filing_id = number_field(visit.params, "id")
    if filing_id is None:
        raise FilingNotFoundError
    return filing_id
