"""What people type becomes typed values, or the sentence that helps them on; never a crash."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.errors import DomainError
from core.people.documents import DocumentBirthDateError, DocumentKind, document_of
from core.people.phones import PhoneNotMobileError
from core.places.model import Community, Street
from core.places.service import mark_changed
from core.registration.answers import answers_of
from core.registration.known import NOBODY, Known
from core.registration.rules import (
    HealthCode,
    Home,
    RegistrationInput,
    ReturnDayError,
    StaysMissingError,
    StaysTooManyError,
    Symptom,
    TemperatureError,
    Travel,
    TravelMissingError,
)
from handlers.answers import (
    FIELDS,
    ConsentMissingError,
    HomeUnclearError,
    Reading,
    SymptomsContradictError,
    department_from,
    document_from,
    health_code_from,
    home_from,
    phone_from,
    read_entry,
    return_day_from,
    stays_from,
    symptoms_from,
    temperature_from,
    travel_from,
    typed_of_answers,
    typed_of_known,
)
from handlers.forms import (
    ChoiceMissingError,
    DayInvalidError,
    FieldMissingError,
    Form,
    TextTooLongError,
)

TODAY = date(2020, 3, 28)
NUMBER = "310104198505010017"
FULL = {
    "name": "张三",
    "document_kind": "resident_id",
    "document": "11010519491231002X",
    "phone": "13800000001",
    "home": "田林十二村",
    "away": "no",
    "health_code": "green",
    "temperature": "36.5",
    "symptoms": "none",
    "department": "",
    "consent": "yes",
}
JOURNEY = {"away": "yes", "stays": "湖北武汉", "travel": "train", "returned_on": "2020-03-20"}


@pytest.fixture
def places(session: Session, now: datetime) -> Session:
    """A session with three communities, two of which are called alike."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.add(Street(id=2, code="310104012", name="虹梅街道"))
    session.flush()
    rows = (("T12", "田林十二村", 1), ("H1", "古美小区", 1), ("H2", "古美小区", 2))
    for number, (code, name, street) in enumerate(rows, start=1):
        session.add(Community(id=number, code=code, name=name, street_id=street, changed_at=now))
    session.flush()
    mark_changed(session)
    return session


def read(session: Session, known: Known = NOBODY, **typed: str) -> tuple[Reading, Form]:
    form = Form(FULL | typed)
    reading = read_entry(form, session=session, known=known, departments=[], today=TODAY)
    return reading, form


def entry(session: Session, known: Known = NOBODY, **typed: str) -> RegistrationInput:
    reading, form = read(session, known, **typed)
    assert form.faults == {}
    assert reading.entry is not None
    return reading.entry


# ---- one field at a time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("36.5", "36.5"),
        ("36.5℃", "36.5"),
        ("３６．５", "36.5"),
        ("36度5", "36.5"),
        ("37 °C", "37.0"),
        ("36点8度", "36.8"),
        ("36.55", "36.55"),
        (" ", None),
        ("", None),
    ],
)
def test_temperature_is_read(text: str, degrees: str | None) -> None:
    assert temperature_from(text) == (None if degrees is None else Decimal(degrees))


@pytest.mark.parametrize("text", ["正常", "365", "3.65", "36.5.5", "33.9", "98.6", "-36"])
def test_no_temperature_is_refused(text: str) -> None:
    with pytest.raises(TemperatureError):
        temperature_from(text)


@pytest.mark.parametrize(
    "text",
    [
        "2020-03-20",
        "2020/3/20",
        "2020年3月20日",
        "20200320",
        "3月20日",
        "3月20号",
        "3-20",
        "３．２０",
    ],
)
def test_day_of_return_is_read(text: str) -> None:
    assert return_day_from(text, today=TODAY) == date(2020, 3, 20)


def test_days_are_read_by_their_names_and_across_the_year() -> None:
    assert return_day_from("昨天", today=TODAY) == date(2020, 3, 27)
    assert return_day_from("12月31日", today=date(2021, 1, 5)) == date(2020, 12, 31)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", FieldMissingError),
        ("上周", DayInvalidError),
        ("2月30日", DayInvalidError),
        ("2020-13-01", DayInvalidError),
        ("2020-03-29", ReturnDayError),
        ("2020-03-13", ReturnDayError),
        ("0000-00-00", DayInvalidError),
    ],
)
def test_no_day_of_return_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        return_day_from(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("湖北武汉", ("湖北武汉",)),
        ("湖北武汉、浙江温州；江苏 昆山", ("湖北武汉", "浙江温州", "江苏 昆山")),
        ("武汉\n武汉\n\n黄冈", ("武汉", "黄冈")),
        ("一直在上海", ()),
        ("没有。", ()),
    ],
)
def test_places_are_read(text: str, stays: tuple[str, ...]) -> None:
    assert stays_from(text) == stays


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", StaysMissingError),
        ("、，", StaysMissingError),
        ("、".join("甲乙丙丁戊己庚辛壬癸子"), StaysTooManyError),
        ("武" * 41, StaysTooManyError),
    ],
)
def test_no_or_too_many_places_are_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        stays_from(text)


@pytest.mark.parametrize(
    ("text", "symptoms"),
    [
        ("none", ()),
        ("没有", ()),
        ("咳嗽、发烧", (Symptom.FEVER, Symptom.COUGH)),
        ("cough,fever", (Symptom.FEVER, Symptom.COUGH)),
        ("咳嗽 流鼻涕", (Symptom.COUGH, Symptom.RUNNY_NOSE)),
    ],
)
def test_symptoms_are_read_in_their_order(text: str, symptoms: tuple[Symptom, ...]) -> None:
    assert symptoms_from(text) == symptoms


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ChoiceMissingError),
        ("心情不好", ChoiceMissingError),
        ("none,cough", SymptomsContradictError),
        ("没有，咳嗽", SymptomsContradictError),
    ],
)
def test_symptoms_must_be_said_clearly(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        symptoms_from(text)


def test_colours_and_ways_are_read_as_values_and_as_words() -> None:
    assert [health_code_from(text) for text in ("green", "绿码", "黄色", "红", "没有")] == [
        HealthCode.GREEN,
        HealthCode.GREEN,
        HealthCode.YELLOW,
        HealthCode.RED,
        HealthCode.NONE,
    ]
    assert [travel_from(text) for text in ("train", "高铁", "自驾", "飞机", "其他")] == [
        Travel.TRAIN,
        Travel.TRAIN,
        Travel.CAR,
        Travel.PLANE,
        Travel.OTHER,
    ]
    with pytest.raises(ChoiceMissingError):
        health_code_from("蓝色")
    for text in ("", "not_away", "火箭"):
        with pytest.raises(TravelMissingError):
            travel_from(text)


def test_department_is_one_of_those_that_the_owner_named() -> None:
    assert department_from(" 仓  库 ", departments=["仓 库"]) == "仓 库"
    assert department_from("", departments=["仓库"]) == ""
    assert department_from("随便") == "随便"
    with pytest.raises(ChoiceMissingError):
        department_from("财务", departments=["仓库"])
    with pytest.raises(TextTooLongError):
        department_from("长" * 51)


def test_shown_mask_stands_for_what_is_known() -> None:
    known = document_of("11010519491231002X", today=TODAY)
    assert document_from(known.masked, kind="resident_id", known=known, today=TODAY) is known
    assert document_from("E12345678", kind="护照", today=TODAY).kind is DocumentKind.PASSPORT
    with pytest.raises(DomainError):
        document_from(known.masked, kind="resident_id", today=TODAY)
    assert phone_from("138****0001", known="+8613800000001") == "+8613800000001"
    with pytest.raises(DomainError):
        phone_from("138****0001")


# ---- where somebody lives ------------------------------------------------------------------------


def test_home_is_found_as_in_the_chat(places: Session) -> None:
    answer = home_from(places, text=" 田林12村 ")
    assert answer.home == Home(community_id=1, text="田林十二村")


def test_name_of_two_communities_is_asked_back_and_the_choice_holds(places: Session) -> None:
    asked = home_from(places, text="古美小区")
    assert asked.home is None
    assert sorted(place.code for place in asked.options) == ["H1", "H2"]
    chosen = home_from(places, text="古美小区", choice="H2", asked="古美小区")
    assert chosen.home == Home(community_id=3, text="古美小区")


def test_choice_for_another_text_does_not_hold(places: Session) -> None:
    answer = home_from(places, text="田林十二村", choice="H2", asked="古美小区")
    assert answer.home == Home(community_id=1, text="田林十二村")
    unknown = home_from(places, text="古美小区", choice="X9", asked="古美小区")
    assert unknown.home is None


def test_home_elsewhere_is_kept_as_it_is_written(places: Session) -> None:
    wanted = Home(community_id=None, text="浦东新区张江路 1号")
    assert home_from(places, text=wanted.text, is_elsewhere=True).home == wanted
    chosen = home_from(places, text=wanted.text, choice="elsewhere", asked=wanted.text)
    assert chosen.home == wanted


def test_home_must_be_said_within_bounds(places: Session) -> None:
    with pytest.raises(FieldMissingError):
        home_from(places, text="  ")
    with pytest.raises(TextTooLongError):
        home_from(places, text="长" * 61, is_elsewhere=True)


# ---- a whole form --------------------------------------------------------------------------------


def test_full_form_becomes_an_entry(places: Session) -> None:
    found = entry(places, **JOURNEY, department="仓库", phone="１３８ 0000 0001")
    assert found == RegistrationInput(
        name="张三",
        document=document_of("11010519491231002X", today=TODAY),
        phone="+8613800000001",
        home=Home(community_id=1, text="田林十二村"),
        stays=("湖北武汉",),
        returned_on=date(2020, 3, 20),
        travel=Travel.TRAIN,
        health_code=HealthCode.GREEN,
        temperature=Decimal("36.5"),
        symptoms=(),
        department="仓库",
    )


def test_journey_of_who_stayed_does_not_count(places: Session) -> None:
    found = entry(places, **{**JOURNEY, "away": "no", "returned_on": "2031-99-99"})
    assert (found.stays, found.travel, found.returned_on) == ((), Travel.NOT_AWAY, None)


def test_every_field_that_is_missing_is_named(places: Session) -> None:
    form = Form(dict.fromkeys(FIELDS, ""))
    reading = read_entry(form, session=places, known=NOBODY, departments=[], today=TODAY)
    assert reading.entry is None
    assert set(form.faults) == {
        *("name", "document", "phone", "home", "away", "health_code", "symptoms", "consent")
    }


def test_each_fault_is_beside_its_field_and_what_was_typed_stays(places: Session) -> None:
    reading, form = read(
        places,
        document="110105194913310021",
        phone="021-64380000",
        home="古美小区",
        away="yes",
        stays="没有",
        travel="",
        returned_on="2020-01-01",
        temperature="99",
        consent="",
    )
    assert reading.entry is None
    assert {name: type(fault) for name, fault in form.faults.items()} == {
        "document": DocumentBirthDateError,
        "phone": PhoneNotMobileError,
        "home": HomeUnclearError,
        "stays": StaysMissingError,
        "travel": TravelMissingError,
        "returned_on": ReturnDayError,
        "temperature": TemperatureError,
        "consent": ConsentMissingError,
    }
    assert len(reading.options) == 2
    assert form.typed["document"] == "110105194913310021"


def test_known_person_sends_the_form_as_it_is_shown(places: Session) -> None:
    known = Known(
        name="张三",
        document=document_of("11010519491231002X", today=TODAY),
        phone="+8613800000001",
        home=Home(community_id=3, text="古美小区"),
    )
    shown = typed_of_known(places, known=known)
    assert shown["document"] == "110***********002X"
    assert "13800000001" not in str(shown)
    found = entry(places, known, **shown)
    assert (found.document, found.phone) == (known.document, known.phone)
    # One of two communities of the same name, chosen once, is not asked again.
    assert found.home == known.home


def test_registration_that_is_shown_for_correction_reads_back_the_same(places: Session) -> None:
    sent = entry(places, **JOURNEY, symptoms="cough,fatigue", temperature="37")
    known = Known(name=sent.name, document=sent.document, phone=sent.phone, home=sent.home)
    shown = typed_of_answers(
        places, known=known, answers=answers_of(sent, day=TODAY), department=""
    )
    assert entry(places, known, **shown) == sent


def test_home_that_left_the_register_is_shown_by_its_text(places: Session) -> None:
    known = Known(home=Home(community_id=99, text="老小区"))
    assert typed_of_known(places, known=known)["home"] == "老小区"
    outside = Known(home=Home(community_id=None, text="浦东"))
    assert typed_of_known(places, known=outside)["home_elsewhere"] == "yes"


texts = st.text(max_size=80) | st.sampled_from(
    [
        *FULL.values(),
        *JOURNEY.values(),
        "elsewhere",
        "1" * 5000,
        "\x00",
        "２０２０－０３－２０",
        "۳۶.۵",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(typed=st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, texts)))
def test_whatever_is_typed_is_an_entry_or_a_fault(places: Session, typed: dict[str, str]) -> None:
    form = Form(FULL | typed)
    reading = read_entry(form, session=places, known=NOBODY, departments=["仓库"], today=TODAY)
    assert (reading.entry is None) is bool(form.faults)


def test_marks_that_nobody_sees_are_left_out_of_what_others_read(places: Session) -> None:
    hidden = "\u202e湖\u200b北\x00 武\ufeff汉\u2069"
    assert stays_from(hidden) == ("湖北 武汉",)
    assert department_from(hidden) == "湖北 武汉"
    answer = home_from(places, text=hidden, is_elsewhere=True)
    assert answer.home == Home(community_id=None, text="湖北 武汉")
