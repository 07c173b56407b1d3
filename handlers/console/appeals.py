"""Appeals: the queue, raising one with its evidence, one with what can be done about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.clock import day_of
from core.errors import DomainError
from core.files.rules import (
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    PictureTooLargeError,
)
from core.files.service import (
    FileCard,
    FileNotKeptError,
    FileUnavailableError,
    get_file,
)
from core.people.staff.rules import Role
from core.risk.rules import Score
from core.risk.rulings.appeal_cards import (
    AppealCard,
    AppealQuery,
    count_appeals,
    get_appeal,
    list_appeals,
)
from core.risk.rulings.appeals import (
    AppealDraft,
    AppealNotFoundError,
    AppealStandingError,
    Evidence,
    decide_appeal,
    raise_appeal,
    recommend_appeal,
    withdraw_appeal,
)
from core.risk.rulings.challenges import (
    AppealIndicatorError,
    Challenge,
    ChallengeNotFoundError,
    get_challenge,
)
from core.risk.rulings.desk import RulingNotYoursError
from core.risk.rulings.rules import (
    MAX_REASON,
    STANDING_APPEALS,
    AppealDayError,
    AppealState,
    ClaimedSameError,
    RulingDecidedError,
    RulingReasonError,
    RulingSamePersonError,
    Verdict,
    claimed_value_of,
    first_appeal_day_of,
    reason_of,
)
from handlers.access import Access, access
from handlers.console.kept import open_file
from handlers.console.risk import SEEN_BY
from handlers.console.rulings import RULED_BY, find_community, status_of
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

PATH: Final = "/console/risk/appeals"
# They know the community, and say so within their area of duty.
RAISED_BY: Final = (Role.STREET_OFFICER, Role.NEIGHBOURHOOD_OFFICER)
_FIELD_OF: Final[dict[type[DomainError], str]] = {
    AppealDayError: "day",
    AppealStandingError: "indicator",
    ClaimedSameError: "claimed",
    FileBrokenError: "file",
    FileEmptyError: "file",
    FileTooLargeError: "file",
    FileTypeError: "file",
    FileUnavailableError: "file",
    PictureTooLargeError: "file",
}


class AppealAct(StrEnum):
    """What a reviewer can do about an appeal: recommend first, then decide; each either way."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class AppealDone(StrEnum):
    """What was just done, to say so."""

    RAISE = "raise"
    RECOMMEND = "recommend"
    DECIDE = "decide"
    WITHDRAW = "withdraw"


# ---- the queue ---------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def appeals(visit: Visit) -> Answer:
    """List the appeals of my area: what waits, the oldest first, then the rest."""
    session, area = visit.reading(), visit.staff.area
    query = AppealQuery(
        area=area,
        state=choice_field(visit.query, "state", AppealState),
        text=text_field(visit.query, "q"),
    )
    kept = {"state": query.state or "", "q": query.text}
    return Page(
        template="risk/appeals",
        values={
            "page": list_appeals(
                session, query=query, number=number_field(visit.query, "page") or 1
            ),
            "query": query,
            "kept": {name: str(text) for name, text in kept.items() if text},
            "counts": count_appeals(session, area=area),
            "may_raise": visit.staff.role in RAISED_BY,
        },
    )


# ---- raising one ---------------------------------------------------------------------------------


@access(Access.STAFF, *RAISED_BY)
def raise_one(visit: Visit) -> Answer:
    """Object to a value of a published day; without a community, find it first."""
    fields = visit.form if visit.is_post else visit.query
    community_id = number_field(fields, "community")
    if community_id is None:
        return find_community(visit, template="risk/appeal_place")
    today, asked = day_of(visit.now), day_field(fields, "day")
    challenge = get_challenge(
        visit.reading(),
        community_id=community_id,
        # What is scored during a day is not final: the day before stands for it.
        day=asked if asked is None or asked < today else None,
        today=today,
        area=visit.staff.area,
    )
    form = Form(visit.form, uploads=visit.uploads)
    if visit.is_post:
        raised = _raised(visit, form, challenge)
        if raised is not None:
            return Redirect(path=f"{PATH}/{raised}?done={AppealDone.RAISE}")
    return Page(
        template="risk/appeal_form",
        values={
            "challenge": challenge,
            "typed": form.typed if visit.is_post else dict(visit.query),
            "first_day": first_appeal_day_of(today),
            "today": today,
            "max_reason": MAX_REASON,
        },
        faults=form.faults,
        status=status_of(form.faults.values()),
    )


def _raised(visit: Visit, form: Form, challenge: Challenge) -> int | None:
    """Return the id of the appeal, or None where something is to be corrected."""
    draft = _draft_of(visit, form, challenge)
    if draft is None:
        return None
    try:
        return raise_appeal(
            visit.writing(),
            draft=draft,
            files=visit.files,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except tuple(_FIELD_OF) as error:
        form.refuse(_FIELD_OF[type(error)], error)
        return None


def _draft_of(visit: Visit, form: Form, challenge: Challenge) -> AppealDraft | None:
    part = challenge.parts.get(visit.form.get("indicator", ""))
    if part is None:
        form.refuse("indicator", AppealIndicatorError())
        return None
    claimed = form.read("claimed", lambda text: claimed_value_of(text, indicator=part.indicator))
    evidence = form.read("evidence", reason_of)
    upload = form.optional_upload("file")
    if form.faults or claimed is None or evidence is None:
        return None
    return AppealDraft(
        community_id=challenge.place.id,
        day=challenge.day,
        indicator=part.indicator.code,
        claimed_value=claimed,
        evidence=evidence,
        file=Evidence(name=upload.filename, content=upload.content) if upload else None,
    )


# ---- one appeal ----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def appeal(visit: Visit) -> Answer:
    """Show an appeal of my area, what it would change, and what I can do about it."""
    return _appeal_page(visit, _card(visit))


@access(Access.STAFF, *RULED_BY)
def decide(visit: Visit) -> Answer:
    """Recommend on an appeal that is open, or decide one that was recommended."""
    card = _card(visit)
    act, step = choice_field(visit.form, "act", AppealAct), choice_field(visit.form, "step", _Step)
    if act is None or step is None:
        return _appeal_page(visit, card, fault=ChoiceMissingError())
    rule = recommend_appeal if step is _Step.RECOMMEND else decide_appeal
    try:
        rule(
            visit.writing(),
            appeal_id=card.id,
            verdict=Verdict(act.value),
            reason=visit.form.get("reason", ""),
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (RulingDecidedError, RulingReasonError, RulingSamePersonError) as error:
        return _appeal_page(visit, _card(visit), fault=error)
    return Redirect(path=f"{PATH}/{card.id}?done={step}")


class _Step(StrEnum):
    """Which of the two decisions a form is for: what was seen, not what is the next one now."""

    RECOMMEND = "recommend"
    DECIDE = "decide"


@access(Access.STAFF, *RAISED_BY)
def withdraw(visit: Visit) -> Answer:
    """Take my own appeal back."""
    card = _card(visit)
    try:
        withdraw_appeal(
            visit.writing(), appeal_id=card.id, staff_id=visit.staff.staff_id, now=visit.now
        )
    except (RulingDecidedError, RulingNotYoursError) as error:
        return _appeal_page(visit, _card(visit), fault=error)
    return Redirect(path=f"{PATH}/{card.id}?done={AppealDone.WITHDRAW}")


@access(Access.STAFF, *SEEN_BY)
def evidence(visit: Visit) -> Answer:
    """Open what was handed in with an appeal of my area; that is recorded."""
    card = _card(visit)
    if card.file_id is None:
        raise FileNotKeptError
    return open_file(visit, file_id=card.file_id)


def _card(visit: Visit) -> AppealCard:
    """Return the appeal that an address names.

    Raises:
        AppealNotFoundError: no row can have that number, or none of my area has.
    """
    appeal_id = number_field(visit.params, "id")
    if appeal_id is None:
        raise AppealNotFoundError
    return get_appeal(visit.reading(), appeal_id=appeal_id, area=visit.staff.area)


def _appeal_page(visit: Visit, card: AppealCard, *, fault: DomainError | None = None) -> Page:
    staff_id, may_rule = visit.staff.staff_id, visit.staff.role in RULED_BY
    is_open, is_recommended = (
        card.state is AppealState.OPEN,
        card.state is AppealState.RECOMMENDED,
    )
    had_part = staff_id in {card.raised_by_id, card.recommended_by_id}
    challenge, changed = _effect(visit, card)
    faults = {"reason": fault} if fault else {}
    return Page(
        template="risk/appeal",
        values={
            "appeal": card,
            "challenge": challenge,
            "changed": changed,
            "file": _find_file(visit, card),
            "may_recommend": may_rule and is_open and not had_part,
            "may_decide": may_rule and is_recommended and not had_part,
            "is_kept_from": may_rule and (is_open or is_recommended) and had_part,
            "may_withdraw": card.raised_by_id == staff_id and card.state in STANDING_APPEALS,
            "done": choice_field(visit.query, "done", AppealDone),
            "reason": visit.form.get("reason", ""),
            "max_reason": MAX_REASON,
        },
        faults=faults,
        status=status_of(faults.values()),
    )


def _effect(visit: Visit, card: AppealCard) -> tuple[Challenge | None, Score | None]:
    """Return the day as it was published, and its score if the appeal were accepted."""
    try:
        challenge = get_challenge(
            visit.reading(),
            community_id=card.place.id,
            day=card.day,
            today=day_of(visit.now),
            area=visit.staff.area,
        )
    except ChallengeNotFoundError:
        return None, None
    if card.state not in STANDING_APPEALS or card.indicator not in challenge.parts:
        return challenge, None
    return challenge, challenge.score_with(card.indicator, card.claimed_value)


def _find_file(visit: Visit, card: AppealCard) -> FileCard | None:
    if card.file_id is None:
        return None
    try:
        return get_file(visit.reading(), file_id=card.file_id)
    except FileNotKeptError:
        return None
