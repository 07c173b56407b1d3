from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from bot.demo import COMPANIES, SEED, Size
from bot.demo.companies import DemoCompany, make_companies
from core.people.documents import DocumentKind, document_of
from core.people.names import name_of
from core.places.streets import official_codes
from core.registry.rules import CompanyState, uscc_of

TODAY = date(2020, 3, 28)


@pytest.fixture(scope="module")
def companies() -> list[DemoCompany]:
    return make_companies(SEED, count=4000)


def test_same_seed_makes_the_same_companies_and_fewer_are_the_first(
    companies: list[DemoCompany],
) -> None:
    assert make_companies(SEED, count=50) == companies[:50]
    assert make_companies(SEED + 1, count=50) != companies[:50]


def test_district_has_as_many_companies_as_are_known() -> None:
    assert COMPANIES == {Size.SMALL: 300, Size.DISTRICT: 16_584}


def test_every_code_and_name_is_one_companys_own(companies: list[DemoCompany]) -> None:
    assert len({one.uscc for one in companies}) == len({one.name for one in companies}) == 4000


def test_codes_numbers_and_names_are_right_and_nobodys(companies: list[DemoCompany]) -> None:
    for one in companies:
        assert uscc_of(one.uscc) == one.uscc
        assert one.uscc[2:8] == "310199"
        assert name_of(one.owner.name) == one.owner.name
        document = document_of(one.owner.number, kind=one.owner.kind, today=TODAY)
        assert (document.number, document.kind) == (one.owner.number, one.owner.kind)
        assert one.owner.number.startswith(
            ("310100", "810099", "820099", "830099", "ZZ0", "ZZ", "H000")
        )


def test_owners_have_every_document_and_some_have_several_companies(
    companies: list[DemoCompany],
) -> None:
    kinds = Counter(one.owner.kind for one in companies)
    assert set(kinds) == set(DocumentKind)
    assert kinds[DocumentKind.RESIDENT_ID] > 3500
    owned = Counter(one.owner.number for one in companies)
    assert 100 < sum(count > 1 for count in owned.values()) < 400
    names = {one.owner.number: set[str]() for one in companies}
    for one in companies:
        names[one.owner.number].add(one.owner.name)
    assert max(map(len, names.values())) == 1


def test_companies_stand_in_every_street_and_most_are_in_business(
    companies: list[DemoCompany],
) -> None:
    assert {one.street for one in companies} == set(official_codes())
    states = Counter(one.state for one in companies)
    assert set(states) == set(CompanyState)
    assert states[CompanyState.ACTIVE] > 3600
    assert companies[0].state is CompanyState.ACTIVE
    assert companies[0].owner.kind is DocumentKind.RESIDENT_ID


def test_row_is_what_an_operators_file_would_have(companies: list[DemoCompany]) -> None:
    row = companies[0].row(2)
    assert (row.line, row.cells["uscc"]) == (2, companies[0].uscc)
    assert row.cells["legal_person_id"] == companies[0].owner.number
