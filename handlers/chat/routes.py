"""Which words, taps and events lead where: ONE ordered table; the first match wins.

A route that writes runs in a transaction and needs the store; one that only reads still answers
when the store is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from handlers.chat import (
    arrivals,
    choices,
    events,
    masks,
    papers,
    people,
    places,
    registration,
    resumption,
    risk,
    service,
    sites,
    staff,
)
from handlers.turn import KEEP, Conversation, Reply, Turn


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table.

    Attributes:
        name: what metrics and tests call it.
        matches: cheap and pure; decides by the turn alone.
        answer: reads the turn, calls one use case, chooses a reply.
        writes: whether the answer may change anything.
        is_quick: whether it is ready in milliseconds: memory, and a few rows found by a key.
    """

    name: str
    matches: Callable[[Turn], bool]
    answer: Callable[[Turn, Session], Reply]
    writes: bool = False
    is_quick: bool = False


def _always(turn: Turn) -> bool:  # noqa: ARG001
    return True


ROUTES: Final = (
    # What the platform reports.
    Route("follow", events.is_follow, events.answer_follow, writes=True),
    Route("leave", events.is_leave, events.answer_leave, writes=True),
    Route("scan", events.is_scan, events.answer_scan, is_quick=True),
    Route("delivery_report", events.is_delivery_report, events.answer_delivery_report, writes=True),
    Route("consent", events.is_consent, events.answer_consent, writes=True),
    Route("withdrawal", events.is_withdrawal, events.answer_withdrawal, writes=True),
    # Staff, whose words are no answers of a registration.
    Route("staff_bind", staff.is_binding, staff.answer_binding, writes=True),
    Route("staff_unbind", staff.is_unbinding, staff.answer_unbinding, writes=True),
    # Registering in steps: whatever is typed meanwhile is an answer, but for a few words.
    Route("registration_link", registration.is_link, registration.answer_link),
    Route("registration_leave", registration.is_leaving, registration.answer_leave, is_quick=True),
    Route("registration_step", registration.is_step, registration.answer_step, writes=True),
    # A conversation in progress: leave it, read on, choose.
    Route("cancel", service.is_cancel, service.answer_cancel, is_quick=True),
    Route("read_on", service.is_reading_on, service.answer_reading_on, is_quick=True),
    Route("waiting_answer", service.is_waiting_answer, service.answer_waiting, is_quick=True),
    Route("site_choice", sites.is_choice, sites.answer_choice, writes=True),
    Route("choose", choices.is_choice_to_read, choices.answer_choice, is_quick=True),
    Route("choose_and_change", choices.is_choice_to_write, choices.answer_choice, writes=True),
    # Commands and questions with words of their own.
    Route("help", service.is_help, service.answer_help, is_quick=True),
    Route("thanks", service.is_thanks, service.answer_thanks, is_quick=True),
    Route("handover", service.is_handover, service.answer_handover, is_quick=True),
    Route("registration_resume", registration.is_resuming, registration.answer_resume),
    Route("registration", registration.is_starting, registration.answer_start),
    Route("masks", masks.matches, masks.answer, is_quick=True),
    Route("human", service.is_human, service.answer_human, is_quick=True),
    Route("subscriptions", risk.is_subscription_list, risk.answer_subscription_list, is_quick=True),
    Route("unsubscribe", risk.is_unsubscribing, risk.answer_unsubscribing, writes=True),
    Route("subscribe", risk.is_subscribing, risk.answer_subscribing, writes=True),
    Route("unbind", people.is_unbinding, people.answer_unbinding, writes=True),
    Route("bind", people.is_binding, people.answer_binding, writes=True),
    Route("own_community", people.is_own, risk.answer_own, is_quick=True),
    Route("papers", papers.is_paper_question, papers.answer_papers, is_quick=True),
    Route("health_code", service.is_health_code, service.answer_health_code, is_quick=True),
    Route("resumption", resumption.is_resumption, resumption.answer_resumption),
    Route("sites", sites.is_sites, sites.answer_sites),
    Route("site_unchanged", sites.is_unchanged, sites.answer_unchanged, writes=True),
    Route("site_figures", sites.is_figures, sites.answer_figures, writes=True),
    Route("arrivals", arrivals.is_arrivals_question, arrivals.answer_arrivals),
    # Names of communities.
    Route("location", risk.has_location, risk.answer_location, is_quick=True),
    Route("name_and_change", choices.is_name_to_write, choices.answer_name, writes=True),
    Route("name_papers", choices.is_name_to_read, choices.answer_name, is_quick=True),
    Route("why", risk.is_why_question, risk.answer_why, is_quick=True),
    Route("colour", risk.is_colour_question, risk.answer_colour, is_quick=True),
    Route("named", risk.is_maybe_named, risk.answer_named, is_quick=True),
    # The rest.
    Route("unreadable", service.is_unreadable, service.answer_unreadable, is_quick=True),
    Route("other_event", events.is_other_event, events.answer_nothing, is_quick=True),
    Route("not_understood", _always, service.answer_not_understood, is_quick=True),
)

_REGISTERING: Final = frozenset(
    {"registration_link", "registration_leave", "registration_step", "registration_resume"}
)


def _returning(answer: Callable[[Turn, Session], Reply]) -> Callable[[Turn, Session], Reply]:
    """Return the handler of a digression: what ends there does not end the steps.

    One that asks something itself takes their place; what was typed is in the draft. One that
    merely remembers what it said does not.
    """

    def answered(turn: Turn, session: Session) -> Reply:
        reply = answer(turn, session)
        conversation = reply.conversation
        remembers = isinstance(conversation, Conversation) and conversation.name == places.SHOWN
        is_end = (conversation is None or remembers) and not reply.handover
        return replace(reply, conversation=KEEP) if is_end else reply

    return answered


def route_for(turn: Turn) -> Route:
    """Return the first route that takes the turn; the last row takes every turn."""
    for route in ROUTES:
        if route.matches(turn):
            is_digression = registration.is_in_progress(turn) and route.name not in _REGISTERING
            return replace(route, answer=_returning(route.answer)) if is_digression else route
    raise RuntimeError("the last row takes every turn")
