"""The steps of registering in a chat: which comes next, and what an answer puts into the draft.

A draft holds what the page's form would hold, field by field, so that either goes on with what was
begun in the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from core.people.documents import kind_named
from core.people.names import name_of
from core.places.service import Place, current_book
from core.registration.known import Known
from core.registration.rules import HealthCode, Symptom, Travel
from handlers.answers import (
    NONE,
    Away,
    department_from,
    document_from,
    health_code_from,
    home_from,
    phone_from,
    return_day_from,
    stays_from,
    symptoms_from,
    temperature_from,
    travel_from,
)
from handlers.chat.words import choice_of
from handlers.forms import ChoiceMissingError


class Step(StrEnum):
    """What a conversation waits for, in the order in which it is asked."""

    COMPANY = "company"
    START = "start"
    NAME = "name"
    DOCUMENT = "document"
    PHONE = "phone"
    HOME = "home"
    STAYS = "stays"
    RETURNED_ON = "returned_on"
    TRAVEL = "travel"
    HEALTH_CODE = "health_code"
    SYMPTOMS = "symptoms"
    TEMPERATURE = "temperature"
    DEPARTMENT = "department"
    CONSENT = "consent"
    SUBMIT = "submit"


# Beside the fields of the page: codes of communities to choose from.
HOME_CODES: Final = "home_codes"
YES: Final = "yes"

TRAVELS: Final = tuple(way for way in Travel if way is not Travel.NOT_AWAY)
HEALTH_CODES: Final = tuple(HealthCode)
SYMPTOMS: Final = tuple(Symptom)

# What an earlier list offered may be tapped again later: a slip is mended on the spot.
MENDED_BY_TAP: Final = frozenset(
    {Step.STAYS, Step.RETURNED_ON, Step.TRAVEL, Step.HEALTH_CODE, Step.SYMPTOMS}
)
# Nothing but one of the choices is an answer.
CLOSED_STEPS: Final = frozenset(
    {Step.START, Step.TRAVEL, Step.HEALTH_CODE, Step.SYMPTOMS, Step.CONSENT, Step.SUBMIT}
)
# Days before today that are offered as the day of return.
RETURN_DAYS_AGO: Final = (0, 1, 2)
# What can be changed at the end, in the order of the list: by which steps it is asked again.
# The first number sends; the rest asks again.
FIRST_CHANGE: Final = 2
CHANGES: Final = (
    (Step.NAME,),
    (Step.DOCUMENT,),
    (Step.PHONE,),
    (Step.HOME,),
    (Step.STAYS, Step.RETURNED_ON, Step.TRAVEL),
    (Step.HEALTH_CODE, Step.SYMPTOMS, Step.TEMPERATURE),
)

_FIELDS: Final[Mapping[Step, tuple[str, ...]]] = {
    Step.NAME: ("name",),
    Step.DOCUMENT: ("document", "document_kind"),
    Step.PHONE: ("phone",),
    Step.HOME: ("home", "home_choice", "home_asked", "home_elsewhere", HOME_CODES),
    Step.STAYS: ("away", "stays"),
    Step.RETURNED_ON: ("returned_on",),
    Step.TRAVEL: ("travel",),
    Step.HEALTH_CODE: ("health_code",),
    Step.SYMPTOMS: ("symptoms",),
    Step.TEMPERATURE: ("temperature",),
    Step.DEPARTMENT: ("department",),
    Step.CONSENT: ("consent",),
    Step.SUBMIT: (),
}
_OPTIONAL: Final = frozenset({Step.TEMPERATURE, Step.DEPARTMENT})
_AWAY_STEPS: Final = frozenset({Step.RETURNED_ON, Step.TRAVEL})

# Which field of a form is asked for by which step.
STEP_OF_FIELD: Final = {field: step for step, fields in _FIELDS.items() for field in fields}

_AGREES: Final = frozenset({"同意", "我同意", "是", "是的", "好", "好的", "可以", "嗯", "ok"})
_REFUSES: Final = frozenset({"不同意", "我不同意", "不", "否", "不是"})
_SENDS: Final = _AGREES | {"提交", "提交登记", "确认", "确认提交", "没错", "对", "对的"}
_STARTS: Final = _AGREES | {"开始", "开始登记", "登记", "我要登记", "员工登记", "对", "对的"}
_NOT_MEASURED: Final = frozenset(
    {"没量", "没有量", "没测", "没有测", "未测", "不知道", "无", "没有"}
)
_NOT_SURE: Final = frozenset({"不清楚", "不知道", "不在其中", "没有", "无"})
_ELSEWHERE: Final = frozenset({"都不是", "不是", "不在", "不住在本区", "外区", "其他区"})
_KIND_FIRST: Final = re.compile(r"([\u4e00-\u9fff]{2,15})[\s:：号码是为]*(.*)", re.DOTALL)
_NUMBERS: Final = re.compile(r"[\d\s,，、;；和]+")
_ONE_NUMBER: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is read against.

    Attributes:
        typed: the draft so far.
        known: what was shown as known.
        departments: those that the owner named.
        today: local day.
    """

    session: Session
    typed: Mapping[str, str]
    known: Known
    departments: Sequence[str]
    today: date


def steps_of(typed: Mapping[str, str], *, departments: Sequence[str]) -> list[Step]:
    """Return the steps that a draft goes through, from the name to the end, in their order."""
    left_out = set() if typed.get("away") == Away.YES else set(_AWAY_STEPS)
    if not departments:
        left_out.add(Step.DEPARTMENT)
    return [step for step in Step if step in _FIELDS and step not in left_out]


def next_step(typed: Mapping[str, str], *, departments: Sequence[str]) -> Step:
    """Return the first step without an answer; the last one when all have theirs."""
    steps = steps_of(typed, departments=departments)
    return next(step for step in steps if step is Step.SUBMIT or not _is_answered(step, typed))


def _is_answered(step: Step, typed: Mapping[str, str]) -> bool:
    if step in _OPTIONAL:
        return step.value in typed
    if step is Step.HOME:
        is_settled = bool(typed.get("home_choice") or typed.get("home_elsewhere"))
        return is_settled and bool(typed.get("home"))
    if step is Step.STAYS:
        return typed.get("away") == Away.NO or bool(typed.get("away") and typed.get("stays"))
    return bool(typed.get(step.value))


def without(typed: Mapping[str, str], *steps: Step) -> dict[str, str]:
    """Return a draft in which these steps have no answer."""
    dropped = {field for step in steps for field in _FIELDS[step]}
    return {field: text for field, text in typed.items() if field not in dropped}


def with_answer(
    typed: Mapping[str, str], step: Step, answer: Mapping[str, str], *, is_added: bool
) -> dict[str, str]:
    """Return a draft with the answer to a step in place of an earlier one.

    Args:
        typed: the draft so far.
        step: what was asked.
        answer: as `read_answer` returns it.
        is_added: a tap; of symptoms several may be tapped one after the other.
    """
    answer = dict(answer)
    felt = answer.get("symptoms", NONE)
    earlier = typed.get("symptoms", NONE)
    if is_added and NONE not in {felt, earlier} and earlier:
        answer["symptoms"] = ",".join(symptoms_from(f"{earlier},{felt}"))
    return without(typed, step) | answer


def before(step: Step, typed: Mapping[str, str], *, departments: Sequence[str]) -> Step:
    """Return the step before another one; the first has none before it."""
    steps = steps_of(typed, departments=departments)
    place = steps.index(step) if step in steps else 0
    return steps[max(place - 1, 0)]


# ---- answers -------------------------------------------------------------------------------------


def read_answer(step: Step, text: str, asked: Asked) -> dict[str, str]:
    """Return what an answer puts into the draft, in place of what the step had put there.

    Args:
        step: what was asked.
        text: as typed, or the number of an option.
        asked: what the answer is read against.

    Raises:
        InvalidInputError: no answer to this; its text says what would be one.
    """
    return _READERS[step](text.strip(), asked)


def says_start(text: str) -> bool | None:
    """Return whether somebody wants to begin; None: neither yes nor no."""
    return _yes_or_no(text, _STARTS)


def says_agree(text: str) -> bool | None:
    """Return whether somebody agrees to what is done with their answers; None: neither."""
    return _yes_or_no(text, _AGREES)


def says_send(text: str) -> bool:
    """Return whether somebody wants to send what was summed up."""
    return choice_of(text) == 1 or _plain(text) in _SENDS


def change_of(text: str) -> tuple[Step, ...]:
    """Return the steps that somebody wants to be asked again at the end; empty: none."""
    number = choice_of(text) or 0
    place = number - FIRST_CHANGE
    return CHANGES[place] if 0 <= place < len(CHANGES) else ()


def _yes_or_no(text: str, yes: frozenset[str]) -> bool | None:
    number = choice_of(text)
    if number == 1 or _plain(text) in yes:
        return True
    return False if number == 2 or _plain(text) in _REFUSES else None  # noqa: PLR2004


def _plain(text: str) -> str:
    return "".join(text.split()).rstrip("。.!！~～").lower()


def _chosen(text: str, values: Sequence[str]) -> str | None:
    """Return the value whose number was typed or tapped."""
    number = choice_of(text)
    return values[number - 1] if number is not None and 1 <= number <= len(values) else None


def _name(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001  the signature of readers
    return {"name": name_of(text)}


def _document(text: str, asked: Asked) -> dict[str, str]:
    kind = ""
    found = _KIND_FIRST.fullmatch(text)
    if found is not None and (named := kind_named(found[1].rstrip("号码是为"))) is not None:
        kind, text = named.value, found[2]
    document = document_from(text, kind=kind, known=asked.known.document, today=asked.today)
    is_known = document is asked.known.document
    number = document.masked if is_known else document.number
    return {"document": number, "document_kind": document.kind.value}


def _phone(text: str, asked: Asked) -> dict[str, str]:
    phone_from(text, known=asked.known.phone)
    return {"phone": text}


def _home(text: str, asked: Asked) -> dict[str, str]:
    said = asked.typed.get("home", "")
    codes = home_codes_of(asked.typed)
    number = choice_of(text)
    if number is not None and number <= len(codes):
        return _home_at(asked.session, codes[number - 1])
    is_elsewhere = _plain(text) in _ELSEWHERE or number == len(codes) + 1
    if said and is_elsewhere:
        return {"home": said, "home_elsewhere": YES}
    answer = home_from(asked.session, text=text)
    if answer.home is None or answer.home.community_id is None:
        found = ",".join(place.code for place in answer.options)
        return {"home": " ".join(text.split()), HOME_CODES: found}
    place = current_book(asked.session).places[answer.home.community_id]
    return {"home": place.name, "home_choice": place.code, "home_asked": place.name}


def _home_at(session: Session, code: str) -> dict[str, str]:
    place = current_book(session).by_code.get(code)
    if place is None:
        # It left the register since the list was shown.
        return {}
    return {"home": place.name, "home_choice": place.code, "home_asked": place.name}


def home_codes_of(typed: Mapping[str, str]) -> list[str]:
    """Return the codes of the communities that were offered."""
    return [code for code in typed.get(HOME_CODES, "").split(",") if code]


def nearest_homes(places: Sequence[Place]) -> dict[str, str]:
    """Return what a location puts into the draft: communities to choose from."""
    return {HOME_CODES: ",".join(place.code for place in places)}


def _stays(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001
    stays = () if choice_of(text) == 1 else stays_from(text)
    if not stays:
        return {"away": Away.NO.value, "stays": ""}
    return {"away": Away.YES.value, "stays": "\n".join(stays)}


def _returned_on(text: str, asked: Asked) -> dict[str, str]:
    number = choice_of(text)
    if number is not None and 1 <= number <= len(RETURN_DAYS_AGO):
        day = asked.today - timedelta(days=RETURN_DAYS_AGO[number - 1])
    else:
        day = return_day_from(text, today=asked.today)
    return {"returned_on": day.isoformat()}


def _travel(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001
    return {"travel": travel_from(_chosen(text, TRAVELS) or text).value}


def _health_code(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001
    return {"health_code": health_code_from(_chosen(text, HEALTH_CODES) or text).value}


def _symptoms(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001
    """Read one or several numbers, 1 for nothing, or words."""
    if _NUMBERS.fullmatch(text):
        values = (NONE, *SYMPTOMS)
        numbers = [int(digit) for digit in _ONE_NUMBER.findall(text)]
        if not all(1 <= number <= len(values) for number in numbers):
            raise ChoiceMissingError
        text = ",".join(values[number - 1] for number in numbers)
    return {"symptoms": ",".join(symptoms_from(text)) or NONE}


def _temperature(text: str, asked: Asked) -> dict[str, str]:  # noqa: ARG001
    if choice_of(text) == 1 or _plain(text) in _NOT_MEASURED:
        return {"temperature": ""}
    found = temperature_from(text)
    return {"temperature": "" if found is None else str(found)}


def _department(text: str, asked: Asked) -> dict[str, str]:
    departments = asked.departments
    if choice_of(text) == len(departments) + 1 or _plain(text) in _NOT_SURE:
        return {"department": ""}
    chosen = _chosen(text, departments) or text
    return {"department": department_from(chosen, departments=departments)}


_READERS: Final[Mapping[Step, Callable[[str, Asked], dict[str, str]]]] = {
    Step.NAME: _name,
    Step.DOCUMENT: _document,
    Step.PHONE: _phone,
    Step.HOME: _home,
    Step.STAYS: _stays,
    Step.RETURNED_ON: _returned_on,
    Step.TRAVEL: _travel,
    Step.HEALTH_CODE: _health_code,
    Step.SYMPTOMS: _symptoms,
    Step.TEMPERATURE: _temperature,
    Step.DEPARTMENT: _department,
}
