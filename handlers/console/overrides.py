"""Colours set by hand: the list, a proposal, one with what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from core.clock import day_of
from core.errors import DomainError
from core.risk.rules import Colour
from core.risk.rulings.desk import RulingNotYoursError, get_ruling_place
from core.risk.rulings.override_cards import (
    OverrideCard,
    OverrideQuery,
    count_override_states,
    find_standing_override,
    get_override,
    list_overrides,
)
from core.risk.rulings.overrides import (
    SETTABLE,
    OverrideDraft,
    OverrideNotFoundError,
    OverrideStandingError,
    decide_override,
    end_override,
    propose_override,
    withdraw_override,
)
from core.risk.rulings.rules import (
    MAX_REASON,
    OverrideState,
    OverrideUntilError,
    RulingDecidedError,
    RulingReasonError,
    RulingSamePersonError,
    Verdict,
    last_override_day_of,
    reason_of,
)
from core.risk.service import find_card
from handlers.access import Access, access
from handlers.console.risk import SEEN_BY
from handlers.console.rulings import RULED_BY, find_community, status_of
from handlers.console.visit import Visit
from handlers.forms import (
    ChoiceMissingError,
    Form,
    choice_field,
    number_field,
    text_field,
)
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/risk/overrides"


class OverrideAct(StrEnum):
    """What can be done about an override."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


class OverrideDone(StrEnum):
    """What was just done, to say so."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    END = "end"


# ---- the list ----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def overrides(visit: Visit) -> Answer:
    """List the overrides of my area: what waits, what holds, then the rest."""
    session, area, today = visit.reading(), visit.staff.area, day_of(visit.now)
    query = OverrideQuery(
        area=area,
        state=choice_field(visit.query, "state", OverrideState),
        text=text_field(visit.query, "q"),
    )
    kept = {"state": query.state or "", "q": query.text}
    page = list_overrides(
        session, query=query, today=today, number=number_field(visit.query, "page") or 1
    )
    return Page(
        template="risk/overrides",
        values={
            "page": page,
            "query": query,
            "kept": {name: str(text) for name, text in kept.items() if text},
            "counts": count_override_states(session, area=area, today=today),
            "may_propose": visit.staff.role in RULED_BY,
        },
    )


# ---- a proposal ----------------------------------------------------------------------------------


@access(Access.STAFF, *RULED_BY)
def propose(visit: Visit) -> Answer:
    """Propose a colour for a community; without one, find it first."""
    fields = visit.form if visit.is_post else visit.query
    community_id = number_field(fields, "community")
    if community_id is None:
        return find_community(visit, template="risk/override_place")
    form = Form(visit.form)
    if visit.is_post:
        done = _proposed(visit, form, community_id)
        if done is not None:
            return Redirect(path=f"{PATH}/{done}?done=propose")
    session, area, today = visit.reading(), visit.staff.area, day_of(visit.now)
    standing = find_standing_override(session, community_id=community_id, area=area, today=today)
    return Page(
        template="risk/override_form",
        values={
            "place": get_ruling_place(session, community_id=community_id, area=area),
            "card": find_card(session, community_id=community_id, today=today),
            "standing": standing,
            "settable": SETTABLE,
            "typed": form.typed,
            "today": today,
            "last_day": last_override_day_of(today),
            "max_reason": MAX_REASON,
        },
        faults=form.faults,
        status=status_of(form.faults.values()),
    )


def _proposed(visit: Visit, form: Form, community_id: int) -> int | None:
    """Return the id of what was proposed, or None where something is to be corrected."""
    colour = form.choice("colour", Colour)
    if colour is not None and colour not in SETTABLE:
        form.refuse("colour", ChoiceMissingError())
    until_day = form.day("until_day")
    reason = form.read("reason", reason_of)
    if form.faults or colour is None or until_day is None or reason is None:
        return None
    draft = OverrideDraft(
        community_id=community_id, colour=colour, reason=reason, until_day=until_day
    )
    try:
        return propose_override(
            visit.writing(), draft=draft, staff_id=visit.staff.staff_id, now=visit.now
        )
    except OverrideUntilError as error:
        form.refuse("until_day", error)
    except OverrideStandingError as error:
        form.refuse("colour", error)
    return None


# ---- one override --------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def override(visit: Visit) -> Answer:
    """Show an override of my area, and what I can do about it."""
    return _override_page(visit, _card(visit))


@access(Access.STAFF, *RULED_BY)
def decide(visit: Visit) -> Answer:
    """Approve or refuse a proposal, take back my own, or end what holds."""
    card = _card(visit)
    act = choice_field(visit.form, "act", OverrideAct)
    if act is None:
        return _override_page(visit, card, fault=ChoiceMissingError())
    try:
        _act(visit, card.id, act)
    except (
        RulingDecidedError,
        RulingNotYoursError,
        RulingReasonError,
        RulingSamePersonError,
    ) as error:
        return _override_page(visit, _card(visit), fault=error)
    return Redirect(path=f"{PATH}/{card.id}?done={act}")


def _act(visit: Visit, override_id: int, act: OverrideAct) -> None:
    session, staff_id, now = visit.writing(), visit.staff.staff_id, visit.now
    reason = visit.form.get("reason", "")
    if act is OverrideAct.WITHDRAW:
        withdraw_override(session, override_id=override_id, staff_id=staff_id, now=now)
    elif act is OverrideAct.END:
        end_override(session, override_id=override_id, reason=reason, staff_id=staff_id, now=now)
    else:
        decide_override(
            session,
            override_id=override_id,
            verdict=Verdict(act.value),
            reason=reason,
            staff_id=staff_id,
            now=now,
        )


def _card(visit: Visit) -> OverrideCard:
    """Return the override that an address names.

    Raises:
        OverrideNotFoundError: no row can have that number, or none of my area has.
    """
    override_id = number_field(visit.params, "id")
    if override_id is None:
        raise OverrideNotFoundError
    return get_override(
        visit.reading(),
        override_id=override_id,
        area=visit.staff.area,
        today=day_of(visit.now),
    )


def _override_page(visit: Visit, card: OverrideCard, *, fault: DomainError | None = None) -> Page:
    may_rule = visit.staff.role in RULED_BY
    is_own = card.proposed_by_id == visit.staff.staff_id
    is_proposed = may_rule and card.state is OverrideState.PROPOSED
    today = day_of(visit.now)
    faults: Mapping[str, DomainError] = {"reason": fault} if fault else {}
    return Page(
        template="risk/override",
        values={
            "override": card,
            "card": find_card(visit.reading(), community_id=card.place.id, today=today),
            "may_decide": is_proposed and not is_own,
            "may_withdraw": is_proposed and is_own,
            "may_end": may_rule and card.state is OverrideState.IN_FORCE,
            "done": choice_field(visit.query, "done", OverrideDone),
            "reason": visit.form.get("reason", ""),
            "max_reason": MAX_REASON,
        },
        faults=faults,
        status=status_of(faults.values()),
    )
