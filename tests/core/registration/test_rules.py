from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SHANGHAI
from core.registration.rules import (
    CANNOT_PASS,
    Facts,
    Flag,
    Group,
    HealthCode,
    ReturnDayError,
    StaysMissingError,
    StaysTooManyError,
    Symptom,
    TemperatureError,
    Travel,
    TravelMissingError,
    check_entry,
    check_return_day,
    check_stays,
    check_temperature,
    flags_of,
    group_of,
    is_telling_due,
    stay_window_of,
)
from tests.core.registration.conftest import entry_of

TODAY = date(2020, 3, 28)
FINE = Facts(health_code=HealthCode.GREEN)

facts = st.builds(
    Facts,
    health_code=st.sampled_from(HealthCode),
    temperature=st.none() | st.decimals("34", "43", places=1),
    symptoms=st.lists(st.sampled_from(Symptom), unique=True).map(tuple),
    has_key_area=st.booleans(),
    is_document_shared=st.booleans(),
    is_phone_shared=st.booleans(),
    is_above_head_count=st.booleans(),
    is_duplicate=st.booleans(),
)


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({}, ()),
        ({"temperature": Decimal("37.2")}, ()),
        ({"temperature": Decimal("37.3")}, (Flag.FEVER,)),
        ({"symptoms": (Symptom.FEVER,)}, (Flag.FEVER,)),
        ({"symptoms": (Symptom.COUGH,)}, (Flag.SYMPTOMS,)),
        ({"symptoms": (Symptom.FEVER, Symptom.COUGH)}, (Flag.SYMPTOMS, Flag.FEVER)),
        ({"health_code": HealthCode.YELLOW}, (Flag.CODE_NOT_GREEN,)),
        ({"health_code": HealthCode.RED}, (Flag.CODE_NOT_GREEN,)),
        ({"health_code": HealthCode.NONE}, (Flag.NO_HEALTH_CODE,)),
        ({"has_key_area": True}, (Flag.KEY_AREA,)),
        ({"is_document_shared": True}, (Flag.DOCUMENT_OTHER_NAME,)),
        ({"is_phone_shared": True}, (Flag.PHONE_OTHER_NAME,)),
        ({"is_above_head_count": True}, (Flag.ABOVE_HEAD_COUNT,)),
        ({"is_duplicate": True}, (Flag.DUPLICATE,)),
    ],
)
def test_each_fact_has_its_flag(changes: dict[str, Any], flags: tuple[Flag, ...]) -> None:
    values = {"health_code": HealthCode.GREEN} | changes
    assert flags_of(Facts(**values)) == flags


@given(facts)
def test_flags_come_once_and_in_their_order(facts: Facts) -> None:
    flags = flags_of(facts)
    assert list(flags) == [flag for flag in Flag if flag in flags]


@given(facts)
def test_nobody_ill_or_without_a_green_code_is_ever_fine(facts: Facts) -> None:
    group = group_of(flags_of(facts))
    is_hot = facts.temperature is not None and facts.temperature >= Decimal("37.3")
    if is_hot or facts.symptoms or facts.health_code in {HealthCode.YELLOW, HealthCode.RED}:
        assert group is Group.CANNOT
    elif facts.health_code is HealthCode.NONE or facts.has_key_area:
        assert group is Group.LOOK
    else:
        assert group is not Group.CANNOT


@given(st.frozensets(st.sampled_from(Flag)))
def test_group_follows_from_the_worst_flag(flags: frozenset[Flag]) -> None:
    wanted = Group.CANNOT if flags & CANNOT_PASS else Group.LOOK if flags else Group.FINE
    assert group_of(flags) is wanted


def test_stay_is_counted_from_fourteen_days_back_to_the_day_of_return() -> None:
    since, until = stay_window_of(date(2020, 3, 25), day=TODAY)
    assert since == datetime(2020, 3, 14, tzinfo=SHANGHAI)
    assert until == datetime(2020, 3, 26, tzinfo=SHANGHAI)
    assert stay_window_of(None, day=TODAY)[1] == datetime(2020, 3, 29, tzinfo=SHANGHAI)


@given(st.integers(0, 14), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_stay_window_is_never_empty(days: int, day: date) -> None:
    since, until = stay_window_of(day - timedelta(days=days), day=day)
    assert since < until
    assert since.tzinfo is UTC


@pytest.mark.parametrize("degrees", ["33.9", "43.1", "365"])
def test_temperature_of_nobody_living_is_refused(degrees: str) -> None:
    check_temperature(Decimal("36.5"))
    with pytest.raises(TemperatureError) as refused:
        check_temperature(Decimal(degrees))
    assert refused.value.facts == {"lowest": 34, "highest": 43}


def test_places_are_bounded() -> None:
    check_stays(["武汉"] * 10)
    with pytest.raises(StaysMissingError):
        check_stays([])
    for stays in (["武汉"] * 11, ["武" * 41]):
        with pytest.raises(StaysTooManyError):
            check_stays(stays)


def test_return_is_within_the_last_fourteen_days() -> None:
    for days in (0, 14):
        check_return_day(TODAY - timedelta(days=days), today=TODAY)
    for days in (-1, 15):
        with pytest.raises(ReturnDayError):
            check_return_day(TODAY - timedelta(days=days), today=TODAY)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"travel": Travel.TRAIN}, StaysMissingError),
        ({"returned_on": TODAY}, StaysMissingError),
        ({"stays": ("武汉",), "returned_on": TODAY}, TravelMissingError),
        ({"stays": ("武汉",), "travel": Travel.CAR}, ReturnDayError),
        (
            {"stays": ("武汉",), "travel": Travel.CAR, "returned_on": TODAY + timedelta(days=1)},
            ReturnDayError,
        ),
        ({"temperature": Decimal(50)}, TemperatureError),
    ],
)
def test_fields_must_agree(changes: dict[str, Any], error: type[Exception]) -> None:
    check_entry(entry_of(), today=TODAY)
    with pytest.raises(error):
        check_entry(entry_of(**changes), today=TODAY)


@given(st.lists(st.integers(0, 90 * 60), min_size=1, max_size=12))
def test_who_decides_is_told_once_an_hour_and_of_everybody(gaps: list[int]) -> None:
    began = datetime(2020, 3, 28, tzinfo=UTC)
    came, told = [], []
    for gap in gaps:
        came.append((came[-1] if came else began) + timedelta(seconds=gap))
    now = began
    while now < came[-1] + timedelta(minutes=65):
        now += timedelta(minutes=1)
        there = [one for one in came if one <= now]
        told_at = told[-1] if told else None
        if there and is_telling_due(first_at=there[0], last_at=there[-1], told_at=told_at, now=now):
            told.append(now)
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(told))
    assert told[-1] >= came[-1]
    assert told[0] - came[0] < timedelta(minutes=3)
