"""What a message of somebody who registers finds, and what they are asked or told.

The conversation remembers the step, the company and the code; of the person it knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from core.clock import day_of
from core.errors import DomainError
from core.people.names import mask_name
from core.people.phones import mask_phone
from core.places.service import current_book
from core.registration.cards import RegistrationCard
from core.registration.drafts import find_draft, save_draft
from core.registration.gate import Door, RegistrationClosedError, get_door
from core.registration.known import Known, find_known, list_departments
from core.registration.rules import LOOK_BACK
from handlers.answers import Reading, read_entry
from handlers.chat.registration_steps import (
    HEALTH_CODES,
    RETURN_DAYS_AGO,
    STEP_OF_FIELD,
    SYMPTOMS,
    TRAVELS,
    Step,
    home_codes_of,
    next_step,
    without,
)
from handlers.forms import Form
from handlers.turn import Conversation, Reply, Turn

NAME: Final = "registration"
"""Name of the conversation, key of the menu button, and what the ids of its options begin with."""
TAP: Final = f"{NAME}:"

_QUESTIONS: Final = {
    Step.NAME: "registration/name",
    Step.DOCUMENT: "registration/document",
    Step.PHONE: "registration/phone",
    Step.HOME: "registration/home",
    Step.STAYS: "registration/stays",
    Step.RETURNED_ON: "registration/returned_on",
    Step.TRAVEL: "registration/travel",
    Step.HEALTH_CODE: "registration/health_code",
    Step.SYMPTOMS: "registration/symptoms",
    Step.TEMPERATURE: "registration/temperature",
    Step.DEPARTMENT: "registration/department",
    Step.CONSENT: "registration/consent",
    Step.SUBMIT: "registration/summary",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a conversation stands.

    Attributes:
        workplace_id: 0 as long as the company is not named.
        code_id: the code that was scanned or read out.
        tries: how often a check code was wrong.
    """

    step: Step
    workplace_id: int = 0
    code_id: int | None = None
    tries: int = 0

    def conversation(self) -> Conversation:
        """Return what the store keeps."""
        data = {"step": self.step.value, "company": self.workplace_id, "code": self.code_id}
        return Conversation(name=NAME, data=data | {"tries": self.tries})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a message finds: the company, what is known of the person, the draft so far.

    Attributes:
        typed: empty where no draft is kept.
    """

    turn: Turn
    session: Session
    code_id: int | None
    door: Door
    known: Known
    departments: tuple[str, ...]
    typed: Mapping[str, str] = field(repr=False)

    @property
    def next_step(self) -> Step:
        """What is to be asked next."""
        return next_step(self.typed, departments=self.departments)

    def at(self, step: Step) -> Conversation:
        """Return what the store keeps while a step waits."""
        spot = Spot(step=step, workplace_id=self.door.workplace_id, code_id=self.code_id)
        return spot.conversation()


def spot_of(turn: Turn) -> Spot | None:
    """Return where a conversation stands; None where another release wrote it."""
    data = turn.conversation.data if turn.conversation is not None else {}
    step, workplace_id, code_id = data.get("step"), data.get("company"), data.get("code")
    tries = data.get("tries", 0)
    if step not in set(Step) or not isinstance(workplace_id, int) or not isinstance(tries, int):
        return None
    code = code_id if isinstance(code_id, int) else None
    return Spot(step=Step(str(step)), workplace_id=workplace_id, code_id=code, tries=tries)


def tapped_step(turn: Turn) -> Step | None:
    """Return the step whose option was tapped; None for what was typed."""
    name = turn.menu_id.removeprefix(TAP) if turn.menu_id.startswith(TAP) else ""
    return Step(name) if name in set(Step) else None


def open_desk(turn: Turn, session: Session, workplace_id: int, code_id: int | None) -> Desk:
    """Return what a message finds.

    Args:
        turn: the message.
        session: may be a reading one.
        workplace_id: with which company they register.
        code_id: by which code; None is like one that ended: in a chat nobody does without one.
    """
    draft = find_draft(session, openid=turn.openid, workplace_id=workplace_id, now=turn.now)
    return Desk(
        turn=turn,
        session=session,
        code_id=code_id,
        door=get_door(session, workplace_id=workplace_id, code_id=code_id or 0, now=turn.now),
        known=find_known(session, openid=turn.openid),
        departments=tuple(list_departments(session, workplace_id=workplace_id)),
        typed=draft.typed if draft else {},
    )


def keep(desk: Desk, typed: Mapping[str, str]) -> Desk:
    """Keep a draft, and return the desk with it."""
    save_draft(
        desk.session,
        openid=desk.turn.openid,
        workplace_id=desk.door.workplace_id,
        typed=typed,
        code_id=desk.code_id,
        now=desk.turn.now,
    )
    return replace(desk, typed=typed)


def read_draft(desk: Desk) -> tuple[Reading, Mapping[str, DomainError]]:
    """Return what the draft says as a whole, and the faults beside their fields."""
    form = Form(desk.typed)
    reading = read_entry(
        form,
        session=desk.session,
        known=desk.known,
        departments=desk.departments,
        today=day_of(desk.turn.now),
    )
    return reading, form.faults


# ---- what is said --------------------------------------------------------------------------------


def ask(desk: Desk, step: Step, *, fault: DomainError | None = None, lead: str = "") -> Reply:
    """Return the question of a step.

    Args:
        desk: with the draft.
        step: what to ask.
        fault: what was wrong with the last answer; its text comes first.
        lead: `begun` or `resumed`: what to say before the first question.
    """
    values: dict[str, Any] = {
        "step": step.value,
        "company_name": desk.door.workplace_name,
        "lead": lead,
        "shown": _shown(desk.known) if lead else (),
    }
    if step is Step.SUBMIT:
        reading, faults = read_draft(desk)
        if reading.entry is None:
            return ask_faulty(desk, faults)
        entry = reading.entry
        values |= {
            "entry": entry,
            "name": mask_name(entry.name),
            "phone": mask_phone(entry.phone),
        }
    else:
        values |= _options(desk, step)
    facts = fault.facts if fault else {}
    return Reply(
        template=_QUESTIONS[step],
        values={**facts, **values, "fault": fault.code if fault else ""},
        conversation=desk.at(step),
    )


def ask_faulty(desk: Desk, faults: Mapping[str, DomainError]) -> Reply:
    """Ask again what is wrong by now: a day that is too long ago, a department that is gone."""
    name, fault = next(iter(faults.items()))
    step = STEP_OF_FIELD[name]
    return ask(replace(desk, typed=without(desk.typed, step)), step, fault=fault)


def receipt_of(card: RegistrationCard, *, happened: str) -> Reply:
    """Return the receipt of a registration; `new` or `old` tells whether it was stored just now."""
    return Reply(template="registration/receipt", values={"card": card, "happened": happened})


def closed_reply(desk: Desk) -> Reply:
    """Return why the company takes no registrations, as the end of the conversation."""
    reason = desk.door.closed
    return refusal_of(RegistrationClosedError(reason=reason.value if reason else ""))


def refusal_of(error: DomainError) -> Reply:
    """Return the text of an error as the end of the conversation."""
    return Reply(template=f"errors/{error.code}", values=error.facts)


def _options(desk: Desk, step: Step) -> Mapping[str, Any]:
    """Return what a question offers, in the order of its numbers."""
    if step is Step.HOME:
        by_code = current_book(desk.session).by_code
        offered = [by_code[code] for code in home_codes_of(desk.typed) if code in by_code]
        return {"said": desk.typed.get("home", "")[:20], "places": offered}
    offers: Mapping[Step, Mapping[str, Any]] = {
        Step.STAYS: {"first_day": day_of(desk.turn.now) - LOOK_BACK},
        Step.RETURNED_ON: {"days_ago": RETURN_DAYS_AGO},
        Step.TRAVEL: {"options": TRAVELS},
        Step.HEALTH_CODE: {"options": HEALTH_CODES},
        Step.SYMPTOMS: {"options": SYMPTOMS},
        Step.DEPARTMENT: {"options": desk.departments},
    }
    return offers.get(step, {})


def _shown(known: Known) -> tuple[str, ...]:
    """Return what is known and not asked, masked."""
    shown = (
        mask_name(known.name) if known.name else "",
        known.document.masked if known.document else "",
        mask_phone(known.phone) if known.phone else "",
    )
    return tuple(one for one in shown if one)
