"""What people type into a registration → typed values, field by field: for pages and for chats.

Every reader takes the value that a page sends or the words that somebody writes, and raises the
error whose text helps them on. `read_entry` reads a whole form by the same readers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar
from unicodedata import category, normalize

from sqlalchemy.orm import Session

from core.errors import InvalidInputError
from core.people.documents import Document, DocumentKind, document_of, kind_named
from core.people.names import name_of
from core.people.phones import mask_phone, phone_of
from core.places.matching import Fit
from core.places.service import Place, current_book, find_places
from core.registration.answers import Answers
from core.registration.known import Known
from core.registration.rules import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    MAX_DEPARTMENT_LENGTH,
    MAX_HOME_LENGTH,
    HealthCode,
    Home,
    RegistrationInput,
    Symptom,
    TemperatureError,
    Travel,
    TravelMissingError,
    check_return_day,
    check_stays,
    check_temperature,
)
from handlers.forms import (
    ChoiceMissingError,
    DayInvalidError,
    FieldMissingError,
    Form,
    TextTooLongError,
)

Word = TypeVar("Word", bound=StrEnum)

ELSEWHERE: Final = "elsewhere"
NONE: Final = "none"
_MAX_TYPED: Final = 1000

# In the order of the form; a draft keeps these and nothing else.
FIELDS: Final = (
    *("name", "document_kind", "document", "phone"),
    *("home", "home_choice", "home_asked", "home_elsewhere"),
    *("away", "stays", "travel", "returned_on"),
    *("health_code", "temperature", "symptoms", "department", "consent"),
)

HEALTH_WORDS: Final[Mapping[str, HealthCode]] = {
    **dict.fromkeys(("绿", "绿码", "绿色", "绿的"), HealthCode.GREEN),
    **dict.fromkeys(("黄", "黄码", "黄色", "黄的"), HealthCode.YELLOW),
    **dict.fromkeys(("红", "红码", "红色", "红的"), HealthCode.RED),
    **dict.fromkeys(
        ("无", "没有", "未申领", "没申领", "没有申领", "没码", "无码"), HealthCode.NONE
    ),
}
TRAVEL_WORDS: Final[Mapping[str, Travel]] = {
    **dict.fromkeys(("火车", "高铁", "动车", "铁路", "列车"), Travel.TRAIN),
    **dict.fromkeys(("飞机", "航班", "民航"), Travel.PLANE),
    **dict.fromkeys(("大巴", "长途汽车", "客车", "长途客车", "长途车"), Travel.COACH),
    **dict.fromkeys(("自驾", "开车", "汽车", "私家车", "轿车", "包车"), Travel.CAR),
    **dict.fromkeys(("船", "轮船", "客轮"), Travel.SHIP),
    **dict.fromkeys(("其他", "其它"), Travel.OTHER),
}
SYMPTOM_WORDS: Final[Mapping[str, Symptom]] = {
    **dict.fromkeys(("发热", "发烧"), Symptom.FEVER),
    **dict.fromkeys(("咳嗽", "干咳"), Symptom.COUGH),
    **dict.fromkeys(("乏力", "没力气", "疲劳"), Symptom.FATIGUE),
    **dict.fromkeys(("咽痛", "喉咙痛", "喉咙疼", "嗓子疼", "嗓子痛"), Symptom.SORE_THROAT),
    **dict.fromkeys(("鼻塞", "流涕", "流鼻涕", "鼻塞流涕"), Symptom.RUNNY_NOSE),
    **dict.fromkeys(("呼吸困难", "胸闷", "气促", "气短"), Symptom.BREATHLESS),
    **dict.fromkeys(("腹泻", "拉肚子"), Symptom.DIARRHOEA),
}
NOTHING_WORDS: Final = frozenset(
    {NONE, "无", "没有", "都没有", "无症状", "没有症状", "正常", "无不适", "没有不适"}
)
STAYED_WORDS: Final = frozenset(
    {
        "无",
        "没有",
        "没",
        "没有离开",
        "未离开",
        "没离开",
        "一直在上海",
        "都在上海",
        "在上海",
        "未离沪",
        "没有离沪",
    }
)
_DAYS_AGO: Final = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}
_PARTS: Final = re.compile(r"[,，、;；/|\n]+")
_WORDS: Final = re.compile(r"[,，、;；/|\s和]+")
_TEMPERATURE: Final = re.compile(r"(\d{2})(?:[.,点度](\d{1,2}))?(?:°?[Cc]|度)?")
_FULL_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
_SHORT_DAY: Final = re.compile(r"(\d{1,2})[-/.月](\d{1,2})[日号]?")


class HomeUnclearError(InvalidInputError):
    """What was typed names no single community; fact: `has_options`, whether some are offered."""

    code = "home_unclear"


class SymptomsContradictError(InvalidInputError):
    """A symptom, and that there is none."""

    code = "symptoms_contradict"


class ConsentMissingError(InvalidInputError):
    """Nothing is kept of somebody who does not agree to it."""

    code = "consent_missing"


class Away(StrEnum):
    """Whether somebody left Shanghai within the last 14 days."""

    NO = "no"
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAnswer:
    """What became of the question where somebody lives.

    Attributes:
        home: the answer; None: it is not clear yet.
        options: communities to choose from, the best first; may be empty.
    """

    home: Home | None
    options: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a form says.

    Attributes:
        entry: None as long as the form has faults.
        options: communities to choose the home from.
    """

    entry: RegistrationInput | None
    options: tuple[Place, ...]


# ---- one field at a time -------------------------------------------------------------------------


def document_from(
    text: str, *, kind: str = "", known: Document | None = None, today: date
) -> Document:
    """Return the document that a typed number is; the shown, masked number means the known one.

    Args:
        text: as typed.
        kind: a `DocumentKind`, or what people call it; empty: the number decides.
        known: what was shown, if anything.
        today: local day.

    Raises:
        InvalidDocumentError: one of its kinds, see `document_of`.
    """
    if known is not None and text.strip() == known.masked:
        return known
    named = DocumentKind(kind) if kind in set(DocumentKind) else kind_named(kind)
    return document_of(text[:_MAX_TYPED], kind=named, today=today)


def phone_from(text: str, *, known: str = "") -> str:
    """Return a mobile number; the shown, masked one means the known one.

    Raises:
        InvalidPhoneError: one of its kinds, see `phone_of`.
    """
    if known and text.strip() == mask_phone(known):
        return known
    return phone_of(text[:_MAX_TYPED])


def home_from(
    session: Session, *, text: str, choice: str = "", asked: str = "", is_elsewhere: bool = False
) -> HomeAnswer:
    """Return where somebody lives, found as in the chat, or what to choose from.

    Args:
        session: may be a reading one.
        text: the name of a community, or any address.
        choice: code of the community that was chosen, or `ELSEWHERE`.
        asked: the text for which there was something to choose; the choice holds for it alone.
        is_elsewhere: said not to be in the district: the text is kept as it is.

    Raises:
        FieldMissingError: nothing was typed.
        TextTooLongError: longer than an address.
    """
    line = _line_of(text)
    if not line:
        raise FieldMissingError
    if len(line) > MAX_HOME_LENGTH:
        raise TextTooLongError(max_count=MAX_HOME_LENGTH)
    is_chosen = bool(choice) and _line_of(asked) == line
    if is_elsewhere or (is_chosen and choice == ELSEWHERE):
        return HomeAnswer(home=Home(community_id=None, text=line))
    chosen = current_book(session).by_code.get(choice) if is_chosen else None
    if chosen is not None:
        return HomeAnswer(home=Home(community_id=chosen.id, text=chosen.name))
    finding, book = find_places(session, text=line)
    found = tuple(book.places[identity] for identity in finding.ids or finding.nearest)
    if finding.fit is Fit.ONE:
        return HomeAnswer(home=Home(community_id=found[0].id, text=found[0].name))
    return HomeAnswer(home=None, options=found)


def stays_from(text: str) -> tuple[str, ...]:
    """Return the places that somebody names; empty for who says that they did not leave.

    Raises:
        StaysMissingError: nothing was typed.
        StaysTooManyError: more than ten, or one that is no name.
    """
    if "".join(text.split()).rstrip("。.") in STAYED_WORDS:
        return ()
    parts = (_line_of(part) for part in _PARTS.split(text[:_MAX_TYPED]))
    stays = tuple(dict.fromkeys(part for part in parts if part))
    check_stays(stays)
    return stays


def return_day_from(text: str, *, today: date) -> date:
    """Return the day on which somebody came back.

    Args:
        text: as a browser sends it (2020-03-20), or 3月20日, 3-20, 20200320, 昨天.
        today: local day.

    Raises:
        FieldMissingError: nothing was typed.
        DayInvalidError: no day.
        ReturnDayError: after today, or more than 14 days ago.
    """
    day = _day_from("".join(normalize("NFKC", text[:_MAX_TYPED]).split()), today=today)
    check_return_day(day, today=today)
    return day


def travel_from(text: str) -> Travel:
    """Return by what somebody came back.

    Raises:
        TravelMissingError: nothing that is known.
    """
    travel = _word_of(text, Travel, TRAVEL_WORDS)
    if travel is None or travel is Travel.NOT_AWAY:
        raise TravelMissingError
    return travel


def health_code_from(text: str) -> HealthCode:
    """Return the colour of a health code.

    Raises:
        ChoiceMissingError: no colour.
    """
    colour = _word_of(text, HealthCode, HEALTH_WORDS)
    if colour is None:
        raise ChoiceMissingError
    return colour


def temperature_from(text: str) -> Decimal | None:
    """Return a temperature in degrees Celsius; None if nothing was typed.

    Args:
        text: as 36.5, 36.5℃, 36度5.

    Raises:
        TemperatureError: no number, or not one of a living person.
    """
    plain = "".join(normalize("NFKC", text[:_MAX_TYPED]).split())
    if not plain:
        return None
    found = _TEMPERATURE.fullmatch(plain)
    if found is None:
        raise TemperatureError(lowest=int(LOWEST_TEMPERATURE), highest=int(HIGHEST_TEMPERATURE))
    temperature = Decimal(f"{int(found[1])}.{found[2] or 0}")
    check_temperature(temperature)
    return temperature


def symptoms_from(text: str) -> tuple[Symptom, ...]:
    """Return what somebody feels, in the order of `Symptom`; empty for who says nothing of it.

    Args:
        text: values or words, with commas or blanks between; `none` or 没有 for nothing.

    Raises:
        ChoiceMissingError: nothing was said, or something that is not in the list.
        SymptomsContradictError: something, and nothing.
    """
    words = [word for word in _WORDS.split(text[:_MAX_TYPED].strip(" 。.")) if word]
    if not words:
        raise ChoiceMissingError
    says_none = [word for word in words if word in NOTHING_WORDS]
    felt = {_symptom_of(word) for word in words if word not in NOTHING_WORDS}
    if says_none and felt:
        raise SymptomsContradictError
    return tuple(symptom for symptom in Symptom if symptom in felt)


def department_from(text: str, *, departments: Sequence[str] = ()) -> str:
    """Return a department; empty if none was named.

    Args:
        text: as typed or chosen.
        departments: those that the owner named; empty: any.

    Raises:
        ChoiceMissingError: not one of those that the owner named.
        TextTooLongError: longer than a name.
    """
    line = _line_of(text)
    if len(line) > MAX_DEPARTMENT_LENGTH:
        raise TextTooLongError(max_count=MAX_DEPARTMENT_LENGTH)
    if line and departments and line not in departments:
        raise ChoiceMissingError
    return line


def _line_of(text: str) -> str:
    """Return a text as others may be shown it: one line, its blanks single.

    Marks that nobody sees go, with those that turn the reading direction of what stands behind.
    """
    seen = (one if one.isprintable() else " " for one in text if category(one) != "Cf")
    return " ".join("".join(seen).split())


def _symptom_of(word: str) -> Symptom:
    symptom = _word_of(word, Symptom, SYMPTOM_WORDS)
    if symptom is None:
        raise ChoiceMissingError
    return symptom


def _word_of(text: str, values: type[Word], words: Mapping[str, Word]) -> Word | None:
    word = "".join(text[:_MAX_TYPED].split()).rstrip("。.")
    return values(word) if word in set(values) else words.get(word)


def _day_from(text: str, *, today: date) -> date:
    if not text:
        raise FieldMissingError
    if text in _DAYS_AGO:
        return today - timedelta(days=_DAYS_AGO[text])
    try:
        if found := _FULL_DAY.fullmatch(text):
            year, month, day = (int(part) for part in found.groups() if part)
            return date(year, month, day)
        if found := _SHORT_DAY.fullmatch(text):
            month, day = int(found[1]), int(found[2])
            # In January, December is that of last year.
            is_past = (month, day) <= (today.month, today.day)
            return date(today.year if is_past else today.year - 1, month, day)
    except ValueError:
        raise DayInvalidError from None
    raise DayInvalidError


# ---- a whole form --------------------------------------------------------------------------------


def read_entry(
    form: Form,
    *,
    session: Session,
    known: Known,
    departments: Sequence[str],
    today: date,
) -> Reading:
    """Return what a form says, or its faults beside their fields.

    Args:
        form: with the fields of `FIELDS`; those with several values hold them with commas.
        session: may be a reading one.
        known: what was shown as known.
        departments: those that the owner named.
        today: local day.
    """
    typed = form.typed
    name = form.read("name", name_of)
    document = form.read(
        "document",
        lambda text: document_from(
            text, kind=typed.get("document_kind", ""), known=known.document, today=today
        ),
    )
    phone = form.read("phone", lambda text: phone_from(text, known=known.phone))
    answer = form.read("home", lambda text: _home_of(session, text, typed))
    if answer is not None and answer.home is None:
        form.refuse("home", HomeUnclearError(has_options=bool(answer.options)))
    stays, travel, returned_on = _read_ways(form, today=today)
    health_code = form.read("health_code", health_code_from)
    temperature = form.read("temperature", temperature_from)
    symptoms = form.read("symptoms", symptoms_from)
    department = form.read(
        "department", lambda text: department_from(text, departments=departments)
    )
    if not form.is_checked("consent"):
        form.refuse("consent", ConsentMissingError())
    entry = None
    home = answer.home if answer else None
    if not form.faults and name and document and phone and home and health_code:
        entry = RegistrationInput(
            name=name,
            document=document,
            phone=phone,
            home=home,
            stays=stays,
            returned_on=returned_on,
            travel=travel,
            health_code=health_code,
            temperature=temperature,
            symptoms=symptoms or (),
            department=department or "",
        )
    return Reading(entry=entry, options=answer.options if answer else ())


def _home_of(session: Session, text: str, typed: Mapping[str, str]) -> HomeAnswer:
    return home_from(
        session,
        text=text,
        choice=typed.get("home_choice", ""),
        asked=typed.get("home_asked", ""),
        is_elsewhere=bool(typed.get("home_elsewhere")),
    )


def _read_ways(form: Form, *, today: date) -> tuple[tuple[str, ...], Travel, date | None]:
    away = form.choice("away", Away)
    if away is not Away.YES:
        # What was typed into the fields of a journey does not count, and is not complained of.
        return (), Travel.NOT_AWAY, None
    stays = form.read("stays", _away_from)
    travel = form.read("travel", travel_from)
    returned_on = form.read("returned_on", lambda text: return_day_from(text, today=today))
    return stays or (), travel or Travel.NOT_AWAY, returned_on


def _away_from(text: str) -> tuple[str, ...]:
    stays = stays_from(text)
    check_stays(stays)
    return stays


# ---- what a form shows at first ------------------------------------------------------------------


def typed_of_known(session: Session, *, known: Known) -> dict[str, str]:
    """Return what a form shows of somebody known: document and phone masked, the rest empty."""
    typed = {"document_kind": DocumentKind.RESIDENT_ID.value}
    if known.document is not None:
        typed |= {
            "document_kind": known.document.kind.value,
            "document": known.document.masked,
        }
    if known.name:
        typed["name"] = known.name
    if known.phone:
        typed["phone"] = mask_phone(known.phone)
    if known.home is not None:
        typed |= _typed_home(session, known.home)
    return typed


def typed_of_answers(
    session: Session, *, known: Known, answers: Answers, department: str
) -> dict[str, str]:
    """Return what a form shows of a registration that is to be corrected."""
    temperature = "" if answers.temperature is None else str(answers.temperature)
    return typed_of_known(session, known=known) | {
        "away": (Away.YES if answers.stays else Away.NO).value,
        "stays": "\n".join(answers.stays),
        "travel": answers.travel.value,
        "returned_on": answers.returned_on.isoformat() if answers.returned_on else "",
        "health_code": answers.health_code.value,
        "temperature": temperature,
        "symptoms": ",".join(answers.symptoms) or NONE,
        "department": department,
    }


def _typed_home(session: Session, home: Home) -> dict[str, str]:
    if home.community_id is None:
        return {"home": home.text, "home_elsewhere": "yes"}
    place = current_book(session).places.get(home.community_id)
    if place is None:
        return {"home": home.text}
    return {"home": place.name, "home_choice": place.code, "home_asked": place.name}
