from __future__ import annotations

from datetime import date
from random import Random

from bot.demo.employees import make_employee
from bot.demo.names import RESIDENT_AREA
from core.people.phones import phone_of
from core.registration.rules import HealthCode, check_entry

TODAY = date(2020, 3, 28)
HOMES = ((1, "田林十二村"), (2, "田林十三村"))


def test_everybody_reports_what_a_form_would_take_and_nobody_exists() -> None:
    random = Random(1)
    entries = [
        make_employee(random, homes=HOMES, company=0, place=place).entry(TODAY)
        for place in range(120)
    ]
    for entry in entries:
        check_entry(entry, today=TODAY)
        assert phone_of(entry.phone) == entry.phone
        assert entry.document.number.startswith(RESIDENT_AREA)
    assert len({entry.document.number for entry in entries}) == 120
    assert {entry.home.community_id for entry in entries} == {1, 2}


def test_most_are_well_and_some_need_a_look() -> None:
    random = Random(1)
    entries = [
        make_employee(random, homes=HOMES, company=3, place=place).entry(TODAY)
        for place in range(120)
    ]
    assert sum(entry.health_code is HealthCode.GREEN for entry in entries) == 113
    assert any(entry.symptoms for entry in entries)
    assert any("武汉" in stay for entry in entries for stay in entry.stays)
    assert len({entry.phone for entry in entries}) == 117


def test_the_same_seed_makes_the_same_people() -> None:
    made = [
        [make_employee(Random(7), homes=HOMES, company=1, place=place) for place in range(5)]
        for _ in range(2)
    ]
    assert made[0] == made[1]
