"""Made-up people and companies: plausible names, numbers with right check digits and no owner.

A resident's number begins with 310100, the code of "the districts of Shanghai" as a whole: no
card bears it, as people are registered in one of the districts. A company's code names the
registration office 310199, which does not exist.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any, Final

from bot.demo.words import words

RESIDENT_AREA: Final = "310100"
COMPANY_OFFICE: Final = "310199"

_RESIDENT_CHECKS: Final = "10X98765432"
_ORGANISATION_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
# The unified code leaves out the letters that look like others: I, O, S, V, Z.
_UNIFIED_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_COMPANY_KIND: Final = "91"  # registered as an enterprise

_DOTTED_SHARE: Final = 0.006
_RARE_SHARE: Final = 0.012
_DOUBLE_SURNAME_SHARE: Final = 0.008


def person_name(random: Random) -> str:
    """Return a name: mostly two or three characters, some rare, some with a dot."""
    parts = words("names")
    if random.random() < _DOTTED_SHARE:
        return f"{random.choice(parts['dotted_first'])}·{random.choice(parts['dotted_last'])}"
    is_double = random.random() < _DOUBLE_SURNAME_SHARE
    surname = random.choice(parts["double_surnames"] if is_double else parts["surnames"])
    given = random.choices(parts["given"], k=random.choice((1, 2, 2, 2)))
    if random.random() < _RARE_SHARE:
        given[-1] = random.choice(parts["rare"])
    return f"{surname}{''.join(given)}"


def company_name(random: Random) -> str:
    """Return the registered name of a company."""
    parts: dict[str, Any] = words("names")
    brand = random.choice(parts["brands_first"]) + random.choice(parts["brands_second"])
    form = random.choices([*parts["forms"]], [*parts["forms"].values()])[0]
    return f"上海{brand}{random.choice(parts['industries'])}{form}"


def birth_date(random: Random, *, today: date, youngest: int = 0, oldest: int = 95) -> date:
    """Return the birth date of somebody between two ages in years.

    Args:
        random: where chance comes from.
        today: the day on which they have that age.
        youngest: years.
        oldest: years.
    """
    youngest_days, oldest_days = round(youngest * 365.25) + 1, round(oldest * 365.25)
    return today - timedelta(days=random.randint(youngest_days, oldest_days))


def resident_number(random: Random, *, born_on: date, is_female: bool) -> str:
    """Return an 18-character resident's number that belongs to nobody."""
    sequence = random.randrange(0 if is_female else 1, 1000, 2)
    body = f"{RESIDENT_AREA}{born_on:%Y%m%d}{sequence:03}"
    return body + resident_check(body)


def resident_check(body: str) -> str:
    """Return the check character of the first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return _RESIDENT_CHECKS[total % 11]


def company_code(random: Random) -> str:
    """Return an 18-character unified social credit code of an office that does not exist."""
    number = "".join(random.choices(_UNIFIED_DIGITS, k=8))
    body = f"{_COMPANY_KIND}{COMPANY_OFFICE}{number}{organisation_check(number)}"
    return body + unified_check(body)


def organisation_check(number: str) -> str:
    """Return the check character of the 8 of an organisation code (GB 11714)."""
    total = sum(
        _ORGANISATION_DIGITS.index(one) * weight
        for one, weight in zip(number, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def unified_check(body: str) -> str:
    """Return the check character of the first 17 of a unified code (GB 32100)."""
    total = sum(_UNIFIED_DIGITS.index(one) * pow(3, place, 31) for place, one in enumerate(body))
    return _UNIFIED_DIGITS[-total % 31]
