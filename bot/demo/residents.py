"""The demo district's register of residents: where each lives and when they were born.

Nobody in it exists. A smaller register holds the first residents of every community of a larger
one, so that a small district may grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Final

from bot.demo.places import DemoCommunity
from bot.demo.words import words
from core.importing import ImportRow

# Every community has the people of a whole scene and some who are not in it.
FEWEST: Final = 36
DORMITORIES: Final = 6
SLEEPERS: Final = 4
ELDERLY_FROM: Final = 60
_YOUNGER_AGES: Final = 60
_OLDER_AGES: Final = 36
# One in so many came without a birth date.
_NO_BIRTH: Final = 211


def resident_id(code: str, number: int) -> str:
    """Return the identifier of a resident in every file; no document looks like it."""
    return f"demo-{code}-{number:05}"


def count_residents(communities: Sequence[DemoCommunity], *, one_in: int) -> dict[str, int]:
    """Return how many residents of each community are in the register, by its code.

    Args:
        communities: of the district.
        one_in: 1 for all of them, 20 for every twentieth.
    """
    return {one.code: max(FEWEST, round(one.population / one_in)) for one in communities}


def resident_rows(counts: Mapping[str, int], *, seed: int, year: int) -> Iterator[ImportRow]:
    """Yield the rows of the register's file, the same for the same arguments.

    Args:
        counts: residents by code of community.
        seed: of the district.
        year: from which ages are counted.
    """
    return map(ImportRow, count(2), _cells(counts, seed=seed, year=year))


def _cells(counts: Mapping[str, int], *, seed: int, year: int) -> Iterator[dict[str, str]]:
    for code, people in counts.items():
        share = elderly_share(code, seed=seed)
        for number in range(people):
            yield {
                "person_id": resident_id(code, number),
                "community_code": code,
                "birth_year": _birth_year(number, share=share, year=year),
            }
    for place, written in enumerate(dormitories(seed)):
        for number in range(SLEEPERS):
            yield {
                "person_id": resident_id(f"dormitory-{place}", number),
                "community_code": "",
                "community": written,
                "birth_year": str(year - 20 - place - number),
            }


def elderly_share(code: str, *, seed: int) -> float:
    """Return the share (0-1) of a community's residents who are 60 or older."""
    return min(0.6, max(0.12, Random(f"{seed}:{code}:age").gauss(0.33, 0.07)))


def dormitories(seed: int) -> list[str]:
    """Return what the register wrote of those whose place is no community."""
    random = Random(f"{seed}:dormitories")
    streets = [*words("district").values()]
    return [
        f"{random.choice(random.choice(streets)['roads'])}{random.randint(2, 99)}号集体宿舍"
        for _ in range(DORMITORIES)
    ]


def _birth_year(number: int, *, share: float, year: int) -> str:
    if number % _NO_BIRTH == _NO_BIRTH - 1:
        return ""
    # Of the first so many residents, whatever their number, this share is elderly.
    is_elderly = int((number + 1) * share) > int(number * share)
    if is_elderly:
        return str(year - ELDERLY_FROM - number * 17 % _OLDER_AGES)
    return str(year - number * 29 % _YOUNGER_AGES)
