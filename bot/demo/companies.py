"""The demo district's companies and their owners; some own several, some are from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from bot.demo.names import (
    birth_date,
    company_code,
    company_name,
    person_name,
    resident_check,
    resident_number,
)
from bot.demo.words import words
from core.importing import ImportRow
from core.people.documents import DocumentKind
from core.registry.rules import CompanyState

SEED: Final = 20200328
# Ages are counted from here, not from the day of loading: the same owners on every day.
OWNERS_AT: Final = date(2020, 3, 28)
YOUNGEST: Final = 22
OLDEST: Final = 74

_SERIAL_OWNER_SHARE: Final = 0.06
_OWNER_KINDS: Final = {
    DocumentKind.RESIDENT_ID: 960,
    DocumentKind.RESIDENCE_PERMIT: 14,
    DocumentKind.PASSPORT: 14,
    DocumentKind.PERMANENT_RESIDENCE: 6,
    DocumentKind.TRAVEL_PERMIT: 6,
}
_STATES: Final = {
    CompanyState.ACTIVE: 950,
    CompanyState.SUSPENDED: 15,
    CompanyState.MOVED: 10,
    CompanyState.REVOKED: 15,
    CompanyState.DEREGISTERED: 10,
}
# Hong Kong, Macao, Taiwan; 99 stands for no district of theirs.
_PERMIT_AREAS: Final = ("810099", "820099", "830099")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOwner:
    """Somebody who does not exist; the number belongs to nobody."""

    name: str
    number: str
    kind: DocumentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCompany:
    """A company of the demo district."""

    uscc: str
    name: str
    owner: DemoOwner
    address: str
    street: str
    industry: str
    state: CompanyState

    def row(self, line: int) -> ImportRow:
        """Return the row that an operator's file would have."""
        return ImportRow(
            line,
            {
                "uscc": self.uscc,
                "name": self.name,
                "legal_person_name": self.owner.name,
                "legal_person_id": self.owner.number,
                "id_kind": self.owner.kind.value,
                "address": self.address,
                "street": self.street,
                "industry": self.industry,
                "state": self.state.value,
            },
        )


def make_companies(seed: int, *, count: int) -> list[DemoCompany]:
    """Return companies, the same for the same seed; fewer are the first of more.

    The first one is in business, and its owner has a resident ID.
    """
    random = Random(seed)
    streets = words("district")
    weights = [plan["communities"] for plan in streets.values()]
    owners: dict[str, DemoOwner] = {}
    made: dict[str, DemoCompany] = {}
    names: set[str] = set()
    while len(made) < count:
        name, street = _company_name(random, names), random.choices([*streets], weights)[0]
        company = DemoCompany(
            uscc=company_code(random),
            name=name,
            owner=_owner(random, owners),
            address=_address(random, streets[street]["roads"]),
            street=street,
            industry=_industry_in(name),
            state=_state(random) if made else CompanyState.ACTIVE,
        )
        made.setdefault(company.uscc, company)
    return [*made.values()]


def _company_name(random: Random, taken: set[str]) -> str:
    """Return a name that no other company has, as the law asks for."""
    name = company_name(random)
    while name in taken:
        place, rest = name[:2], name[2:]
        name = place + random.choice(words("names")["brands_second"]) + rest
    taken.add(name)
    return name


def _state(random: Random) -> CompanyState:
    return random.choices([*_STATES], [*_STATES.values()])[0]


def _industry_in(name: str) -> str:
    """Return the industry that a company's name tells."""
    industries: Sequence[str] = words("names")["industries"]
    return max((one for one in industries if one in name), key=len)


def _address(random: Random, roads: Sequence[str]) -> str:
    house, floor = random.randint(1, 2200), random.randint(1, 26)
    return f"{random.choice(roads)}{house}号{floor}{random.randint(1, 20):02}室"


def _owner(random: Random, owners: dict[str, DemoOwner]) -> DemoOwner:
    """Return an owner from those by number, or a new one among them."""
    if owners and random.random() < _SERIAL_OWNER_SHARE:
        return random.choice([*owners.values()])
    weights = [*_OWNER_KINDS.values()]
    kind = random.choices([*_OWNER_KINDS], weights)[0] if owners else DocumentKind.RESIDENT_ID
    owner = DemoOwner(name=_name(random, kind), number=_number(random, kind), kind=kind)
    # Whoever happens to have the number of another is that person.
    return owners.setdefault(owner.number, owner)


def _name(random: Random, kind: DocumentKind) -> str:
    if kind in {DocumentKind.PASSPORT, DocumentKind.PERMANENT_RESIDENCE}:
        parts = words("names")
        return f"{random.choice(parts['latin_given'])} {random.choice(parts['latin_family'])}"
    return person_name(random)


def _number(random: Random, kind: DocumentKind) -> str:
    """Return a number of the right form that no document has."""
    born_on = birth_date(random, today=OWNERS_AT, youngest=YOUNGEST, oldest=OLDEST)
    if kind is DocumentKind.PASSPORT:
        return f"ZZ{random.randrange(10**7):07}"  # a prefix that no country uses
    if kind is DocumentKind.TRAVEL_PERMIT:
        return f"H000{random.randrange(10**5):05}"
    if kind is DocumentKind.PERMANENT_RESIDENCE:
        # ZZZ is no country's code, 3100 no office's.
        return f"ZZZ3100{born_on:%y%m%d}{random.randrange(100):02}"
    if kind is DocumentKind.RESIDENCE_PERMIT:
        area = random.choice(_PERMIT_AREAS)
        body = f"{area}{born_on:%Y%m%d}{random.randrange(1000):03}"
        return body + resident_check(body)
    return resident_number(random, born_on=born_on, is_female=random.random() < 0.3)
