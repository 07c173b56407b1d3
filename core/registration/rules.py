"""What a registration holds, its states, and the flags that are computed at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.clock import start_of
from core.errors import InvalidInputError
from core.people.documents import Document
from core.workplaces.rules import Face

LOOK_BACK: Final = timedelta(days=14)
FEVER_FROM: Final = Decimal("37.3")  # degrees Celsius
LOWEST_TEMPERATURE: Final = Decimal(34)
HIGHEST_TEMPERATURE: Final = Decimal(43)
MAX_STAYS: Final = 10
MAX_STAY_LENGTH: Final = 40
MAX_HOME_LENGTH: Final = 60
MAX_DEPARTMENT_LENGTH: Final = 50
DRAFT_LIFETIME: Final = timedelta(days=7)
# Who decides is told at most once an hour that people wait.
TELL_EVERY: Final = timedelta(hours=1)
# People come together: whoever comes within this time of the first is counted in one notice.
GATHER: Final = timedelta(minutes=2)
# What came just before may not have been committed yet when somebody was told.
COMMITTED_WITHIN: Final = timedelta(seconds=10)
# Longer than a worker is away: what came before was told, or is seen on the sheet.
NEWS_WITHIN: Final = timedelta(hours=6)


class RegistrationState(StrEnum):
    """Where a registration stands."""

    SUBMITTED = "submitted"
    RETURNED = "returned"  # the person is asked to correct it
    APPROVED = "approved"
    REJECTED = "rejected"
    ENDED = "ended"  # the person does not work there any more, or says that they never did


# Who counts against the head count that the owner declared.
COUNTED_STATES: Final = frozenset(
    {RegistrationState.SUBMITTED, RegistrationState.RETURNED, RegistrationState.APPROVED}
)
# Sending the form again changes nothing: it arrived, and stands.
STANDING_STATES: Final = frozenset({RegistrationState.SUBMITTED, RegistrationState.APPROVED})


class Group(StrEnum):
    """How the owner's sheet is sorted: by exception."""

    FINE = "fine"
    LOOK = "look"
    CANNOT = "cannot"


class Flag(StrEnum):
    """What was noticed when a registration came in."""

    KEY_AREA = "key_area"  # stayed in a key area, as of the days of the stay
    CODE_NOT_GREEN = "code_not_green"
    NO_HEALTH_CODE = "no_health_code"
    SYMPTOMS = "symptoms"
    FEVER = "fever"
    DOCUMENT_OTHER_NAME = "document_other_name"  # the document was seen with another name
    PHONE_OTHER_NAME = "phone_other_name"  # the phone was seen with another name
    ABOVE_HEAD_COUNT = "above_head_count"
    DUPLICATE = "duplicate"  # the same name and phone with another document in this workplace


class HealthCode(StrEnum):
    """The colour that a person's health code shows."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"


class Travel(StrEnum):
    """By what a person came back."""

    NOT_AWAY = "not_away"
    TRAIN = "train"
    PLANE = "plane"
    COACH = "coach"
    CAR = "car"
    SHIP = "ship"
    OTHER = "other"


class Symptom(StrEnum):
    """What a person may feel; the list of the city's questionnaires of that spring."""

    FEVER = "fever"
    COUGH = "cough"
    FATIGUE = "fatigue"
    SORE_THROAT = "sore_throat"
    RUNNY_NOSE = "runny_nose"
    BREATHLESS = "breathless"
    DIARRHOEA = "diarrhoea"


# Nobody in this state may enter a work place, whoever approves it.
CANNOT_PASS: Final = frozenset({Flag.CODE_NOT_GREEN, Flag.SYMPTOMS, Flag.FEVER})


class TemperatureError(InvalidInputError):
    """No temperature of a living person; facts: `lowest`, `highest`, degrees Celsius."""

    code = "temperature_implausible"


class StaysMissingError(InvalidInputError):
    """Somebody was away, but does not say where."""

    code = "stays_missing"


class StaysTooManyError(InvalidInputError):
    """More places, or longer ones, than are kept; facts: `max_count`, `max_length`."""

    code = "stays_too_many"


class ReturnDayError(InvalidInputError):
    """The day of return is later than today, or before the days that are asked about."""

    code = "return_day_implausible"


class TravelMissingError(InvalidInputError):
    """Somebody was away, but does not say by what they came back."""

    code = "travel_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a person lives.

    Attributes:
        community_id: of the district's register; None for a home outside of it.
        text: the name of the community, or what was typed.
    """

    community_id: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationInput:
    """What somebody reports, every field right as far as it can be told by itself.

    Attributes:
        name: as `name_of` returns it.
        phone: E.164; empty: none is known, as of somebody whom others enter.
        home_region: where an ID card says that somebody is at home; never a stay.
        stays: places outside of Shanghai in the last 14 days; empty: was there all the time.
        returned_on: local day of the return; None for who was not away.
        temperature: degrees Celsius; None: not measured.
        symptoms: empty: said to have none.
    """

    name: str
    document: Document
    phone: str
    home: Home
    stays: tuple[str, ...] = ()
    returned_on: date | None = None
    travel: Travel = Travel.NOT_AWAY
    health_code: HealthCode
    temperature: Decimal | None = None
    symptoms: tuple[Symptom, ...] = ()
    department: str = ""
    home_region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the flags of a registration follow from.

    Attributes:
        has_key_area: a stay was in a key area at that time.
        is_document_shared: the document was seen with another name, in any workplace.
        is_phone_shared: the phone was seen with another name, in any workplace.
        is_above_head_count: as many as the owner declared are there without this one.
        is_duplicate: name and phone are there with another document, in this workplace.
    """

    health_code: HealthCode
    temperature: Decimal | None = None
    symptoms: tuple[Symptom, ...] = ()
    has_key_area: bool = False
    is_document_shared: bool = False
    is_phone_shared: bool = False
    is_above_head_count: bool = False
    is_duplicate: bool = False


def flags_of(facts: Facts) -> tuple[Flag, ...]:
    """Return what of a registration needs a look, in the order of `Flag`.

    Source: docs/sources.md#screening-of-staff
    """
    is_hot = facts.temperature is not None and facts.temperature >= FEVER_FROM
    holds: Mapping[Flag, bool] = {
        Flag.KEY_AREA: facts.has_key_area,
        Flag.CODE_NOT_GREEN: facts.health_code in {HealthCode.YELLOW, HealthCode.RED},
        Flag.NO_HEALTH_CODE: facts.health_code is HealthCode.NONE,
        Flag.SYMPTOMS: any(one is not Symptom.FEVER for one in facts.symptoms),
        Flag.FEVER: is_hot or Symptom.FEVER in facts.symptoms,
        Flag.DOCUMENT_OTHER_NAME: facts.is_document_shared,
        Flag.PHONE_OTHER_NAME: facts.is_phone_shared,
        Flag.ABOVE_HEAD_COUNT: facts.is_above_head_count,
        Flag.DUPLICATE: facts.is_duplicate,
    }
    return tuple(flag for flag in Flag if holds[flag])


def group_of(flags: Collection[Flag]) -> Group:
    """Return the part of the owner's sheet in which a registration with these flags stands."""
    if not flags:
        return Group.FINE
    return Group.CANNOT if CANNOT_PASS.intersection(flags) else Group.LOOK


def first_state_of(face: Face, group: Group) -> RegistrationState:
    """Return how a registration stands once it is in.

    A company's owner decides about each. A shopkeeper knows their three people, and a site is
    watched by a supervisor: there only what needs a look waits for a person.
    """
    is_let_in = face is not Face.COMPANY and group is Group.FINE
    return RegistrationState.APPROVED if is_let_in else RegistrationState.SUBMITTED


def stay_window_of(returned_on: date | None, *, day: date) -> tuple[datetime, datetime]:
    """Return the instants between which the stays of a registration were.

    A place that became a key area after somebody had left it does not count against them.

    Args:
        returned_on: local day of the return; None counts as `day`.
        day: local day on which the person reported.
    """
    last = returned_on or day
    return start_of(day - LOOK_BACK), start_of(min(last, day) + timedelta(days=1))


def is_telling_due(
    *, first_at: datetime, last_at: datetime, told_at: datetime | None, now: datetime
) -> bool:
    """Return whether it is time to tell somebody that people wait for them.

    Args:
        first_at: when the first of those who came of late did.
        last_at: when the last one did.
        told_at: when they were told last, if that was of late.
        now: aware instant.
    """
    if told_at is None:
        return now - first_at >= GATHER
    return last_at > told_at - COMMITTED_WITHIN and now - told_at >= TELL_EVERY


def check_temperature(temperature: Decimal) -> None:
    """Check that a temperature is one of a living person.

    Raises:
        TemperatureError: below 34 or above 43 degrees Celsius.
    """
    if not LOWEST_TEMPERATURE <= temperature <= HIGHEST_TEMPERATURE:
        raise TemperatureError(lowest=int(LOWEST_TEMPERATURE), highest=int(HIGHEST_TEMPERATURE))


def check_stays(stays: Collection[str]) -> None:
    """Check that somebody who was away names a bounded number of places.

    Raises:
        StaysMissingError: there is none.
        StaysTooManyError: more than ten, or one with more than 40 characters.
    """
    if not stays:
        raise StaysMissingError
    if len(stays) > MAX_STAYS or any(len(stay) > MAX_STAY_LENGTH for stay in stays):
        raise StaysTooManyError(max_count=MAX_STAYS, max_length=MAX_STAY_LENGTH)


def check_return_day(returned_on: date, *, today: date) -> None:
    """Check that a day of return is one of the days that are asked about.

    Raises:
        ReturnDayError: after today, or more than 14 days ago.
    """
    if not today - LOOK_BACK <= returned_on <= today:
        raise ReturnDayError(first=today - LOOK_BACK, last=today)


def check_entry(entry: RegistrationInput, *, today: date) -> None:
    """Check that the fields of a registration agree with each other.

    Args:
        entry: as a form or a conversation made it.
        today: local day of the submission.

    Raises:
        StaysMissingError: came back, from nowhere.
        StaysTooManyError: too many places.
        TravelMissingError: away, but by nothing.
        ReturnDayError: away, but the day of return is missing or implausible.
        TemperatureError: no temperature of a living person.
    """
    if entry.temperature is not None:
        check_temperature(entry.temperature)
    is_away = bool(entry.stays) or entry.returned_on is not None
    if not is_away and entry.travel is Travel.NOT_AWAY:
        return
    check_stays(entry.stays)
    if entry.travel is Travel.NOT_AWAY:
        raise TravelMissingError
    if entry.returned_on is None:
        raise ReturnDayError(first=today - LOOK_BACK, last=today)
    check_return_day(entry.returned_on, today=today)
