"""The people who work in the demo district: who they are, where they were, how they feel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from bot.demo.companies import OWNERS_AT
from bot.demo.names import birth_date, person_name, resident_number
from core.people.documents import document_of
from core.registration.rules import (
    HealthCode,
    Home,
    RegistrationInput,
    Symptom,
    Travel,
)

_ELSEWHERE: Final = ("江苏昆山", "浙江杭州", "安徽合肥", "江西南昌", "河南信阳")
# Of the list in words/key_areas.json.
_KEY_STAYS: Final = ("湖北武汉", "北京丰台", "吉林舒兰")
_DEPARTMENTS: Final = ("行政部", "财务部", "市场部", "技术部")
_PHONE_BLOCK: Final = "+861990000"
_YOUNGEST: Final = 19
_OLDEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoEmployee:
    """Somebody who does not exist, and what they report; the number belongs to nobody."""

    name: str
    number: str
    phone: str
    home: Home
    department: str
    report: Mapping[str, Any] = field(repr=False)
    returned_days_ago: int | None

    def entry(self, today: date) -> RegistrationInput:
        """Return what they report on a day."""
        days_ago = self.returned_days_ago
        return RegistrationInput(
            name=self.name,
            document=document_of(self.number, today=today),
            phone=self.phone,
            home=self.home,
            department=self.department,
            returned_on=None if days_ago is None else today - timedelta(days=days_ago),
            **self.report,
        )


def make_employee(
    random: Random, *, homes: Sequence[tuple[int, str]], company: int, place: int
) -> DemoEmployee:
    """Return the next of a company's people.

    Args:
        random: where chance comes from.
        homes: id and name of each community.
        company: number of the company in the story, below 100.
        place: number among its people, from 0 and below 1,000.
    """
    born_on = birth_date(random, today=OWNERS_AT, youngest=_YOUNGEST, oldest=_OLDEST)
    community_id, community = random.choice(homes)
    report = _report(random, place)
    is_away = "stays" in report
    # Each fortieth has the phone of the one before.
    line = place - (place % 40 == 39)
    return DemoEmployee(
        name=person_name(random),
        number=resident_number(random, born_on=born_on, is_female=random.random() < 0.45),
        phone=f"{_PHONE_BLOCK}{(company * 131 + line) % 10_000:04}",
        home=Home(community_id=community_id, text=community),
        # In the largest company alone people name one.
        department=_DEPARTMENTS[place % len(_DEPARTMENTS)] if company == 0 else "",
        report=report,
        returned_days_ago=random.randint(0, 10) if is_away else None,
    )


def _report(random: Random, place: int) -> Mapping[str, Any]:
    """Return what somebody reports: every eighth has something that needs a look."""
    report: dict[str, Any] = {"health_code": HealthCode.GREEN, "temperature": Decimal("36.5")}
    if place % 5 == 3:
        report |= {
            "stays": (random.choice(_ELSEWHERE),),
            "travel": random.choice((Travel.TRAIN, Travel.CAR, Travel.COACH)),
        }
    exceptions: Sequence[dict[str, Any]] = (
        {"stays": (random.choice(_KEY_STAYS),), "travel": Travel.TRAIN},
        {"health_code": HealthCode.YELLOW},
        {"temperature": Decimal("37.8"), "symptoms": (Symptom.FEVER, Symptom.COUGH)},
        {"health_code": HealthCode.NONE},
    )
    return report | exceptions[place // 8 % 4] if place % 8 == 7 else report
