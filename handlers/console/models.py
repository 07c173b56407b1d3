"""Model versions: the list, proposing a document, one with its rules, two of them side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from core.clock import day_of
from core.errors import DomainError, InvalidInputError
from core.people.staff.rules import Role
from core.risk.comparing import Comparison, compare_versions, find_newest_day
from core.risk.documents import InvalidVersionError
from core.risk.rules import Indicator, ModelVersion
from core.risk.rulings.desk import names_of
from core.risk.versions.service import (
    ModelDecidedError,
    ModelDecision,
    ModelNameTakenError,
    ModelNotFoundError,
    ModelRecord,
    ModelRole,
    ModelSamePersonError,
    ModelStandsError,
    ModelState,
    champion,
    decide_model,
    list_models,
    propose_model,
    retire_model,
)
from handlers.access import Access, access
from handlers.console.rulings import status_of
from handlers.console.visit import Visit
from handlers.forms import (
    ChoiceMissingError,
    Form,
    choice_field,
    day_field,
    number_field,
    text_field,
)
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/risk/models"
SEEN_BY: Final = (Role.ADMINISTRATOR, Role.AUDITOR)
RULED_BY: Final = (Role.ADMINISTRATOR,)
MAX_DOCUMENT_BYTES: Final = 1024 * 1024
# Of the version that comes with the software, which has no row.
BUILT_IN: Final = 0


class DocumentNotJsonError(InvalidInputError):
    """The file that was chosen is no JSON object in UTF-8."""

    code = "document_not_json"


class ModelAct(StrEnum):
    """What can be done about a proposal."""

    APPROVE = "approve"
    REFUSE = "refuse"
    RETIRE = "retire"


class ModelDone(StrEnum):
    """What was just done, to say so."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    RETIRE = "retire"


# ---- the list ----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def models(visit: Visit) -> Answer:
    """List every version that was proposed, and the one that comes with the software."""
    session, today = visit.reading(), day_of(visit.now)
    records = list_models(session)
    return Page(
        template="risk/models",
        values={
            "records": records,
            "names": _names(visit, records),
            "reigning": champion(session, day=today),
            "may_propose": visit.staff.role in RULED_BY,
            "has_challenger": bool(_challengers(records)),
        },
    )


def _names(visit: Visit, records: Sequence[ModelRecord]) -> dict[str, str]:
    actors = {actor for one in records for actor in (one.proposed_by, one.decided_by)}
    return names_of(visit.reading(), actors=actors)


def _challengers(records: Sequence[ModelRecord]) -> list[str]:
    """Return the names of the versions that are or were scored in silence, the newest first."""
    states = {ModelState.APPROVED, ModelState.RETIRED}
    found = (
        one.version.name
        for one in records
        if one.role is ModelRole.CHALLENGER and one.state in states
    )
    return list(dict.fromkeys(found))


# ---- a proposal ----------------------------------------------------------------------------------


@access(Access.STAFF, *RULED_BY)
def propose(visit: Visit) -> Answer:
    """Take a document, and say in words what is wrong with it."""
    form = Form(visit.form, uploads=visit.uploads)
    if visit.is_post:
        record = _proposed(visit, form)
        if record is not None:
            return Redirect(path=f"{PATH}/{record.id}?done={ModelDone.PROPOSE}")
    return Page(
        template="risk/model_form",
        values={"typed": form.typed},
        faults=form.faults,
        status=status_of(form.faults.values()),
    )


def _proposed(visit: Visit, form: Form) -> ModelRecord | None:
    role = form.choice("role", ModelRole)
    upload = form.upload("document", max_bytes=MAX_DOCUMENT_BYTES)
    if role is None or upload is None:
        return None
    try:
        return propose_model(
            visit.writing(),
            document=_document_of(upload.content),
            role=role,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (
        DocumentNotJsonError,
        InvalidVersionError,
        ModelNameTakenError,
        ModelStandsError,
    ) as error:
        form.refuse("document", error)
        return None


def _document_of(content: bytes) -> Mapping[str, Any]:
    """Return what a file says.

    Raises:
        DocumentNotJsonError: no object in JSON.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DocumentNotJsonError from error
    if not isinstance(document, dict):
        raise DocumentNotJsonError
    return document


# ---- one version ---------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def model(visit: Visit) -> Answer:
    """Show a version with its rules, beside the one that reigns."""
    return _model_page(visit, _record(visit))


@access(Access.STAFF, *RULED_BY)
def decide(visit: Visit) -> Answer:
    """Approve or refuse a proposal, or stop scoring a challenger."""
    record = _record(visit)
    act = choice_field(visit.form, "act", ModelAct)
    if act is None:
        return _model_page(visit, record, fault=ChoiceMissingError())
    session, staff_id = visit.writing(), visit.staff.staff_id
    try:
        if act is ModelAct.RETIRE:
            retire_model(session, model_id=record.id, staff_id=staff_id, now=visit.now)
        else:
            decision = ModelDecision(act.value)
            decide_model(
                session, model_id=record.id, decision=decision, staff_id=staff_id, now=visit.now
            )
    except ModelDecidedError as error:
        by = str(error.facts.get("by", ""))
        name = _names(visit, [record]).get(by) or names_of(session, actors=[by]).get(by, "")
        return _model_page(
            visit, _record(visit), fault=ModelDecidedError(**{**error.facts, "by": name})
        )
    except ModelSamePersonError as error:
        return _model_page(visit, record, fault=error)
    return Redirect(path=f"{PATH}/{record.id}?done={act}")


def _record(visit: Visit) -> ModelRecord:
    """Return the version that an address names.

    Raises:
        ModelNotFoundError: there is none.
    """
    text = visit.params["id"]
    wanted = BUILT_IN if text == str(BUILT_IN) else number_field(visit.params, "id")
    for record in list_models(visit.reading()):
        if record.id == wanted:
            return record
    raise ModelNotFoundError


def _model_page(visit: Visit, record: ModelRecord, *, fault: DomainError | None = None) -> Page:
    reigning = champion(visit.reading(), day=day_of(visit.now))
    may_rule = visit.staff.role in RULED_BY
    is_proposed = may_rule and record.state is ModelState.PROPOSED
    is_own = record.proposed_by == f"staff:{visit.staff.staff_id}"
    is_challenger = record.role is ModelRole.CHALLENGER
    faults = {"act": fault} if fault else {}
    return Page(
        template="risk/model",
        values={
            "record": record,
            "version": record.version,
            "reigning": reigning,
            "others": {one.code: one for one in reigning.indicators},
            "gone": _gone(record.version, reigning),
            "names": _names(visit, [record]),
            "may_approve": is_proposed and not is_own,
            "may_refuse": is_proposed,
            "is_own": is_own,
            "may_retire": may_rule and is_challenger and record.state is ModelState.APPROVED,
            "may_compare": is_challenger and record.state is not ModelState.REFUSED,
            "done": choice_field(visit.query, "done", ModelDone),
        },
        faults=faults,
        status=status_of(faults.values()),
    )


def _gone(version: ModelVersion, reigning: ModelVersion) -> list[Indicator]:
    """Return the indicators of the reigning version that another one lacks."""
    codes = {one.code for one in version.indicators}
    return [one for one in reigning.indicators if one.code not in codes]


# ---- two side by side ----------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def compare(visit: Visit) -> Answer:
    """Show what a challenger makes of a day beside the champion: colours crossed, differences."""
    session, today = visit.reading(), day_of(visit.now)
    names = _challengers(list_models(session))
    asked = text_field(visit.query, "challenger")
    challenger = asked if asked in names else next(iter(names), "")
    day = day_field(visit.query, "day")
    comparison: Comparison | None = None
    if challenger:
        day = day or find_newest_day(session, version=challenger)
    if challenger and day is not None:
        comparison = compare_versions(
            session,
            day=day,
            champion=champion(session, day=day).name,
            challenger=challenger,
        )
    return Page(
        template="risk/compare",
        values={
            "names": names,
            "challenger": challenger,
            "day": day,
            "today": today,
            "comparison": comparison,
        },
    )
