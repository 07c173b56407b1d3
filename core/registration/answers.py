"""The document of what a person reported about their health and ways, as it is kept encrypted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from core.registration.rules import HealthCode, RegistrationInput, Symptom, Travel


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is kept of a registration besides who the person is.

    Attributes:
        home: the name of the community, or what was typed.
        stays: places outside of Shanghai; empty: was there all the time.
        answered_on: local day of the report, from which the stays are counted back.
        home_region: where an ID card says that they are at home; empty: was not asked.
    """

    home: str
    stays: tuple[str, ...]
    returned_on: date | None
    travel: Travel
    health_code: HealthCode
    temperature: Decimal | None
    symptoms: tuple[Symptom, ...]
    answered_on: date
    home_region: str = ""

    def text(self) -> str:
        """Return the document as it is stored."""
        return json.dumps(
            {
                "home": self.home,
                "stays": self.stays,
                "returned_on": self.returned_on.isoformat() if self.returned_on else None,
                "travel": self.travel.value,
                "health_code": self.health_code.value,
                "temperature": None if self.temperature is None else str(self.temperature),
                "symptoms": [symptom.value for symptom in self.symptoms],
                "answered_on": self.answered_on.isoformat(),
                **({"home_region": self.home_region} if self.home_region else {}),
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True, slots=True)
class Stay:
    """Where somebody was, and on which days: all that a screening asks.

    Attributes:
        places: as typed; empty: was there all the time.
        returned_on: local day; None for who was not away.
        answered_on: local day of the report.
    """

    places: tuple[str, ...]
    returned_on: date | None
    answered_on: date


# What is left of the answers of somebody who ended their registration.
NO_ANSWERS = ""


def answers_of(entry: RegistrationInput, *, day: date) -> Answers:
    """Return what is kept of a report made on a local day."""
    return Answers(
        home=entry.home.text,
        stays=entry.stays,
        returned_on=entry.returned_on,
        travel=entry.travel,
        health_code=entry.health_code,
        temperature=entry.temperature,
        symptoms=entry.symptoms,
        answered_on=day,
        home_region=entry.home_region,
    )


def read_answers(text: str) -> Answers | None:
    """Return the answers of a stored document; None where they were dropped."""
    if text == NO_ANSWERS:
        return None
    found: dict[str, Any] = json.loads(text)
    returned_on, temperature = found["returned_on"], found["temperature"]
    return Answers(
        home=found["home"],
        stays=tuple(found["stays"]),
        returned_on=date.fromisoformat(returned_on) if returned_on else None,
        travel=Travel(found["travel"]),
        health_code=HealthCode(found["health_code"]),
        temperature=None if temperature is None else Decimal(temperature),
        symptoms=tuple(Symptom(one) for one in found["symptoms"]),
        answered_on=date.fromisoformat(found["answered_on"]),
        home_region=found.get("home_region", ""),
    )


def read_stay(text: str) -> Stay | None:
    """Return the stay of a stored document, without what else it holds; None as `read_answers`."""
    if text == NO_ANSWERS:
        return None
    # A changed list reads a hundred thousand of them.
    found: dict[str, Any] = orjson.loads(text)
    returned_on = found["returned_on"]
    return Stay(
        tuple(found["stays"]),
        date.fromisoformat(returned_on) if returned_on else None,
        date.fromisoformat(found["answered_on"]),
    )
