from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from core.audit.model import AuditEntry
from core.people.staff.rules import Role
from core.residents.model import Residence
from tests.console import District
from tests.h5 import csrf_of
from tests.handlers.console.conftest import Enter
from tests.handlers.console.risk_cases import fill_risk, residence_of


@pytest.fixture
def officer(district: District, come_in: Enter) -> FlaskClient:
    """The officer of community 2, where two people have words that are likely to mean it."""
    fill_risk(district)
    return come_in(Role.NEIGHBOURHOOD_OFFICER)


def place(client: FlaskClient, residence: int, community: str) -> tuple[int, str]:
    csrf = csrf_of(client.get("/console/risk/unplaced").text)
    fields = {"csrf": csrf, "residence": str(residence), "community": community}
    answered = client.post("/console/risk/unplaced/place", data=fields)
    text = client.get(answered.location).text if answered.status_code == 303 else answered.text
    return answered.status_code, text


def test_words_are_shown_once_with_how_many_have_them_and_without_the_flat(
    officer: FlaskClient,
) -> None:
    page = officer.get("/console/risk/unplaced").text
    assert "1 项待落实，涉及 2 人" in page
    assert page.count("田林路某弄") >= 1
    assert "501" not in page
    assert "是名A2" in page


def test_placing_places_all_of_the_same_words_and_asks_nothing_twice(
    district: District, officer: FlaskClient
) -> None:
    residence = residence_of(district, 2)
    status, text = place(officer, residence, "2")
    assert status == 303
    assert "已落实" in text
    assert "没有待落实的住址" in text
    with district.database.reading() as session:
        placed = session.query(Residence).filter(Residence.likely_id == 2).all()
        assert [one.community_id for one in placed] == [2, 2]
        entry = session.query(AuditEntry).filter(AuditEntry.action == "resident_placed").one()
        assert entry.facts == {"community_id": 2}
    assert place(officer, residence, "2")[0] == 409


def test_quicker_colleague_is_told_and_the_list_goes_on(
    district: District, officer: FlaskClient, come_in: Enter
) -> None:
    residence = residence_of(district, 2)
    colleague = come_in(Role.STREET_OFFICER, name="zhao")
    stale = csrf_of(officer.get("/console/risk/unplaced").text)
    assert place(colleague, residence, "1")[0] == 303
    fields = {"csrf": stale, "residence": str(residence), "community": "2"}
    answered = officer.post("/console/risk/unplaced/place", data=fields)
    assert answered.status_code == 409
    assert 'role="alert"' in answered.text
    assert "没有待落实的住址" in answered.text


def test_address_after_placing_says_neither_where_nor_how_many(
    district: District, officer: FlaskClient
) -> None:
    fields = {
        "csrf": csrf_of(officer.get("/console/risk/unplaced").text),
        "residence": str(residence_of(district, 2)),
        "community": "2",
    }
    answered = officer.post("/console/risk/unplaced/place", data=fields)
    assert answered.location == "/console/risk/unplaced?done=placed"


@pytest.mark.parametrize("community", ["3", "999", "", "x"])
def test_place_outside_the_area_is_refused(
    district: District, officer: FlaskClient, community: str
) -> None:
    assert place(officer, residence_of(district, 2), community)[0] == 404


def test_community_is_found_by_its_name_and_only_within_the_area(
    district: District, officer: FlaskClient
) -> None:
    residence = residence_of(district, 2)
    path = f"/console/risk/unplaced?residence={residence}&q="
    found = re.findall(r'value="(\d+)">名', officer.get(f"{path}名A2").text)
    assert found == ["2"]
    refused = officer.get(f"{path}名B1").text
    assert "没有叫“名B1”的小区" in refused


def test_auditor_reads_and_places_nobody(district: District, come_in: Enter) -> None:
    fill_risk(district)
    client = come_in(Role.AUDITOR)
    page = client.get("/console/risk/unplaced").text
    assert "3 项待落实，涉及 4 人" in page
    assert "/unplaced/place" not in page
    csrf = csrf_of(page)
    answered = client.post("/console/risk/unplaced/place", data={"csrf": csrf})
    assert answered.status_code == 403
