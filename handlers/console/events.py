"""Epidemic events by hand: the list, entering one, one with its steps and its withdrawal.

A document is searched for by a form that is posted: it must not stand in an address, nor in what
a server writes down of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from core.clock import day_of
from core.errors import DomainError, InvalidInputError
from core.places.service import CommunityNotFoundError, Place
from core.residents.rules import MAX_PERSON_ID
from core.risk.events.entering import (
    EventBirthError,
    EventDayError,
    EventEndError,
    EventEntry,
    EventHomeUnknownError,
    EventKnownError,
    EventNotFoundError,
    EventReasonError,
    EventWithdrawnError,
    enter_event,
    person_id_of,
    withdraw_event,
)
from core.risk.events.homes import find_place, is_in
from core.risk.events.listing import (
    EventCard,
    EventPage,
    EventQuery,
    EventSource,
    EventState,
    get_event,
    list_events,
    list_steps,
    search_events,
)
from core.risk.events.rules import MAX_CLUSTER, MAX_REASON, MAX_ROUTE, Ending, EventKind
from core.risk.pausing import find_pause
from core.risk.service import find_card
from handlers.access import Access, access
from handlers.answers import home_from
from handlers.console.risk import PATH as RISK
from handlers.console.risk import SEEN_BY
from handlers.console.rulings import RULED_BY, status_of
from handlers.console.visit import Visit
from handlers.forms import FieldMissingError, Form, choice_field, number_field
from handlers.page import Answer, Page, Redirect

PATH: Final = f"{RISK}/events"
# An event moves the colours of a community at once: those decide who set colours by hand, too.
ENTERED_BY: Final = RULED_BY
# People whom one person looks for in an hour.
SEARCH_LIMIT: Final = (60, 3600)
TOO_MANY: Final = 429
# What can be mended in the form, though the field by itself was right.
_FIELD_OF: Final[Mapping[type[DomainError], str]] = {
    EventDayError: "reported_on",
    EventBirthError: "reported_on",
    EventEndError: "ended_on",
    EventKnownError: "kind",
    EventHomeUnknownError: "place",
}


class EventDone(StrEnum):
    """What was just done, to say so."""

    ENTER = "enter"
    WITHDRAW = "withdraw"


class EventPlaceError(InvalidInputError):
    """What was typed names no community; fact: `has_options`, whether some are like it."""

    code = "event_place"


# ---- the list ----------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def events(visit: Visit) -> Answer:
    """List the events of my area, those that came last first; first those entered here."""
    query = _query_of(visit, visit.query)
    page = list_events(
        visit.reading(),
        query=query,
        today=day_of(visit.now),
        number=number_field(visit.query, "page") or 1,
    )
    return _list(visit, query, page=page)


@access(Access.STAFF, *ENTERED_BY)
def search(visit: Visit) -> Answer:
    """List what is known of the person with a document; the address never has it."""
    query, today = _query_of(visit, {}), day_of(visit.now)
    if not visit.is_within(f"console-event-search:{visit.staff.staff_id}", *SEARCH_LIMIT):
        return _list(visit, query, page=None, is_too_often=True, status=TOO_MANY)
    form = Form(visit.form)
    person_id = _person_in(form, today=today)
    if person_id is None:
        status = status_of(form.faults.values())
        return _list(visit, query, page=None, faults=form.faults, status=status)
    page = search_events(
        visit.writing(),
        person_id=person_id,
        area=visit.staff.area,
        staff_id=visit.staff.staff_id,
        today=today,
        now=visit.now,
    )
    return _list(visit, query, page=page)


def _query_of(visit: Visit, fields: Mapping[str, str]) -> EventQuery:
    """Return what a list asks for.

    Raises:
        CommunityNotFoundError: a community that is not of my area.
    """
    community_id = number_field(fields, "community")
    source = choice_field(fields, "source", EventSource)
    if community_id is not None:
        _get_place(visit, community_id)
    return EventQuery(
        area=visit.staff.area,
        source=source or _usual_source(community_id),
        kind=choice_field(fields, "kind", EventKind),
        state=choice_field(fields, "state", EventState),
        community_id=community_id,
    )


def _usual_source(community_id: int | None) -> EventSource:
    # Whoever comes from a community's page looks for what counts there, whoever brought it.
    return EventSource.HAND if community_id is None else EventSource.ALL


def _get_place(visit: Visit, community_id: int) -> Place:
    place = find_place(visit.reading(), community_id)
    if place is None or not is_in(visit.staff.area, place):
        raise CommunityNotFoundError
    return place


def _list(
    visit: Visit,
    query: EventQuery,
    *,
    page: EventPage | None,
    faults: Mapping[str, DomainError] | None = None,
    is_too_often: bool = False,
    status: int = 200,
) -> Page:
    kept = {
        "source": "" if query.source is _usual_source(query.community_id) else query.source,
        "kind": query.kind or "",
        "state": query.state or "",
        "community": query.community_id or "",
    }
    return Page(
        template="risk/events",
        values={
            "page": page,
            "query": query,
            "kept": {name: str(value) for name, value in kept.items() if value},
            "place": find_place(visit.reading(), query.community_id),
            "may_enter": visit.staff.role in ENTERED_BY,
            "is_by_person": visit.is_post,
            "is_too_often": is_too_often,
            # What was typed is shown again only where it could not be read.
            "typed": visit.form.get("person", "")[:MAX_PERSON_ID] if faults else "",
        },
        faults=faults or {},
        status=status,
    )


# ---- entering one ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """What a form says: an entry once nothing is to be corrected, and places to choose from."""

    entry: EventEntry | None = None
    options: tuple[Place, ...] = ()


@access(Access.STAFF, *ENTERED_BY)
def enter(visit: Visit) -> Answer:
    """Enter an event of somebody; the page of a community says where they live."""
    if not visit.is_post:
        community_id = number_field(visit.query, "community")
        place = None if community_id is None else _get_place(visit, community_id)
        return _form_page(visit, _named(place) if place else {})
    form = Form(visit.form)
    read = _read(visit, form)
    if read.entry is not None:
        entered = _entered(visit, form, read.entry)
        if entered is not None:
            return Redirect(path=f"{PATH}/{entered}?done={EventDone.ENTER}")
    return _form_page(visit, form.typed, options=read.options, faults=form.faults)


def _entered(visit: Visit, form: Form, entry: EventEntry) -> int | None:
    """Return the id of what was entered, or None where something is to be corrected."""
    try:
        return enter_event(
            visit.writing(),
            entry=entry,
            area=visit.staff.area,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except tuple(_FIELD_OF) as error:
        form.refuse(_FIELD_OF[type(error)], error)
        return None


def _read(visit: Visit, form: Form) -> _Typed:
    today = day_of(visit.now)
    person_id = _person_in(form, today=today)
    kind = form.choice("kind", EventKind)
    reported_on = form.day("reported_on")
    ending = choice_field(visit.form, "ending", Ending)
    ended_on = form.day("ended_on") if visit.form.get("ended_on", "").strip() else None
    if ending is not None and ended_on is None:
        form.refuse("ended_on", FieldMissingError())
    cluster = form.optional_text("cluster", max_count=MAX_CLUSTER)
    route = form.optional_text("route", max_count=MAX_ROUTE)
    community_id, options = _place_in(visit, form)
    if form.faults or person_id is None or kind is None or reported_on is None:
        return _Typed(options=options)
    entry = EventEntry(
        person_id=person_id,
        kind=kind,
        reported_on=reported_on,
        ended_on=ended_on,
        ending=ending,
        cluster=cluster or "",
        route=route or "",
        community_id=community_id,
        is_home_unknown=form.is_checked("unknown"),
    )
    return _Typed(entry=entry)


def _person_in(form: Form, *, today: date) -> str | None:
    """Return the identifier of the person, or None with a fault."""
    if form.text("person", max_count=MAX_PERSON_ID) is None:
        return None
    return form.read("person", lambda text: person_id_of(text, today=today))


def _place_in(visit: Visit, form: Form) -> tuple[int | None, tuple[Place, ...]]:
    """Return the community that was named, if any, or those to choose from."""
    text = form.optional_text("place")
    if not text:
        return None, ()
    typed = visit.form
    answer = form.read(
        "place",
        lambda text: home_from(
            visit.reading(), text=text, choice=typed.get("choice", ""), asked=typed.get("asked", "")
        ),
    )
    if answer is None:
        return None, ()
    community_id = answer.home.community_id if answer.home else None
    if community_id is None:
        form.refuse("place", EventPlaceError(has_options=bool(answer.options)))
    return community_id, answer.options


def _named(place: Place) -> dict[str, str]:
    """Return the fields of a form that name a community: two may have the same name."""
    return {"place": place.name, "choice": place.code, "asked": place.name}


def _form_page(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    options: tuple[Place, ...] = (),
    faults: Mapping[str, DomainError] | None = None,
) -> Page:
    faults = faults or {}
    return Page(
        template="risk/event_form",
        values={
            "typed": typed,
            "options": options,
            "kinds": list(EventKind),
            "endings": list(Ending),
            "today": day_of(visit.now),
            "max_cluster": MAX_CLUSTER,
            "max_route": MAX_ROUTE,
        },
        faults=faults,
        status=status_of(faults.values()),
    )


# ---- one event ---------------------------------------------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def event(visit: Visit) -> Answer:
    """Show an event of my area, where it counts, and what that community shows now."""
    return _event_page(visit, _card(visit))


@access(Access.STAFF, *ENTERED_BY)
def withdraw(visit: Visit) -> Answer:
    """Take back an event that was found to be wrong, with a reason; its days are scored again."""
    card = _card(visit)
    try:
        withdraw_event(
            visit.writing(),
            event_id=card.id,
            reason=visit.form.get("reason", ""),
            area=visit.staff.area,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (EventReasonError, EventWithdrawnError) as error:
        return _event_page(visit, _card(visit), fault=error)
    return Redirect(path=f"{PATH}/{card.id}?done={EventDone.WITHDRAW}")


def _card(visit: Visit) -> EventCard:
    """Return the event that an address names.

    Raises:
        EventNotFoundError: no row can have that number, or none of my area has.
    """
    event_id = number_field(visit.params, "id")
    if event_id is None:
        raise EventNotFoundError
    return get_event(
        visit.reading(), event_id=event_id, area=visit.staff.area, today=day_of(visit.now)
    )


def _event_page(visit: Visit, card: EventCard, *, fault: DomainError | None = None) -> Page:
    session, today = visit.reading(), day_of(visit.now)
    faults: Mapping[str, DomainError] = {"reason": fault} if fault else {}
    shown = None
    if card.place is not None:
        shown = find_card(session, community_id=card.place.id, today=today)
    return Page(
        template="risk/event",
        values={
            "event": card,
            "steps": list_steps(session, event_id=card.id),
            "card": shown,
            "today": today,
            "pause": find_pause(session, today=today),
            "may_withdraw": visit.staff.role in ENTERED_BY and card.state != EventState.WITHDRAWN,
            "done": choice_field(visit.query, "done", EventDone),
            "reason": visit.form.get("reason", ""),
            "max_reason": MAX_REASON,
        },
        faults=faults,
        status=status_of(faults.values()),
    )
