"""The table of pages: its marks, and every address × everybody to whom it does not belong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from core.audit.model import AuditEntry
from core.mandates.model import Mandate
from core.registration.model import Registration
from core.registry.model import CompanyChange
from core.resumption.approval.model import Decision
from handlers.access import Access, mark_of
from handlers.h5.routes import ROUTES
from handlers.h5.visit import H5Route
from tests.core.resumption.approval.conftest import Office
from tests.h5 import WECHAT, csrf_of
from tests.handlers.h5.conftest import Site

_PART: Final = re.compile(r"<(?:int:)?(\w+)>")
_COMPANY_PARTS: Final = {"id", "company_id"}
# One above what the databases keep as the number of a row, and one that no integer type holds.
FAR_NUMBERS: Final = (2**31, 10**30)
REFUSED: Final = {403, 404}


COMPANY_ROUTES: Final = [route for route in ROUTES if route.path.startswith("/h5/company/")]
OWN_ROUTES: Final = [route for route in ROUTES if route.path.startswith("/h5/registration/")]


@dataclass(kw_only=True)
class Two:
    """Two companies that are set up alike; `ids` names what belongs to the first."""

    site: Site
    first: Office
    second: Office
    ids: dict[str, int]

    def path(self, route: H5Route, company_id: int) -> str:
        """Return the address of a route with a company, and what belongs to the first one."""
        return _PART.sub(
            lambda part: str(
                company_id if part[1] in _COMPANY_PARTS else self.ids.get(part[1], "0")
            ),
            route.path,
        )

    def audit_count(self) -> int:
        with self.site.database.reading() as session:
            return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture
def two(site: Site) -> Two:
    with site.database.transaction() as session:
        first, second = (Office(session=session, now=datetime.now(UTC)) for _ in range(2))
        registration_id = first.add(name="王小明", department="生产部")
        decision = first.prepare()
        ended = first.add_mandate("filler", openid="o-ended")
        row = session.get_one(Mandate, ended.id)
        row.state, row.ended_at, row.ended_reason = "ended", first.now, "withdrawn"
        ids = {
            "registration_id": registration_id,
            "decision_id": decision.id,
            "mandate_id": first.filler.id,
        }
    return Two(site=site, first=first, second=second, ids=ids)


def answers_of(client: FlaskClient, route: H5Route, path: str) -> list[TestResponse]:
    """Return what somebody is answered by each method; a form carries its token."""
    csrf = csrf_of(client.get("/h5/").text)
    found = []
    for method in route.methods:
        data = {"csrf": csrf, "step": "apply", "all": "1", "verdict": "approve", "action": "submit"}
        found.append(client.open(path, method=method, data=data if method == "POST" else None))
    return found


def test_pages_have_addresses_and_names_of_their_own_below_h5() -> None:
    assert len({route.path for route in ROUTES}) == len(ROUTES)
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.path.startswith("/h5/") for route in ROUTES)


def test_every_page_is_for_anybody_or_for_somebody_signed_in_through_wechat() -> None:
    marks = {route.name: mark_of(route.view) for route in ROUTES}
    assert set(marks.values()) <= {Access.PUBLIC, Access.PERSON}
    assert marks["home"] is Access.PERSON


def test_company_is_closed_to_everybody_who_does_not_act_for_it(two: Two) -> None:
    before, other_id = two.audit_count(), two.second.company_id
    others = [f"o-{who}-{other_id}" for who in ("owner", "filler", "manager生产部")]
    for openid in ("o-nobody", "o-ended", "o-staff-1", *others):
        client = two.site.client(openid)
        for route in COMPANY_ROUTES:
            path = two.path(route, two.first.company_id)
            for response in answers_of(client, route, path):
                assert response.status_code in REFUSED, (openid, path)
                assert "王" not in response.text, (openid, path)
    assert two.audit_count() == before


def test_company_is_closed_to_all_of_a_former_owner(two: Two) -> None:
    company_id = two.first.company_id
    with two.site.database.transaction() as session:
        session.add(CompanyChange(company_id=company_id, at=two.first.now, field="owner"))
    before = two.audit_count()
    for who in ("owner", "filler", "manager生产部"):
        client = two.site.client(f"o-{who}-{company_id}")
        for route in COMPANY_ROUTES:
            path = two.path(route, company_id)
            for response in answers_of(client, route, path):
                assert response.status_code in REFUSED, (who, path)
    assert two.audit_count() == before


def test_what_belongs_to_another_company_is_not_found_below_ones_own(two: Two) -> None:
    before = two.audit_count()
    client = two.site.client(f"o-owner-{two.second.company_id}")
    for route in COMPANY_ROUTES:
        if len(_PART.findall(route.path)) > 1:
            path = two.path(route, two.second.company_id)
            for response in answers_of(client, route, path):
                assert response.status_code == 404, path
    assert two.audit_count() == before
    with two.site.database.reading() as session:
        assert session.get_one(Decision, two.ids["decision_id"]).state == "prepared"
        assert session.get_one(Mandate, two.ids["mandate_id"]).state == "active"
        assert session.get_one(Registration, two.ids["registration_id"]).state == "submitted"


def test_registration_is_its_persons_alone(two: Two) -> None:
    company_id, before = two.first.company_id, two.audit_count()
    for openid in ("o-nobody", f"o-owner-{company_id}", f"o-manager生产部-{company_id}"):
        client = two.site.client(openid)
        for route in OWN_ROUTES:
            path = _PART.sub(str(two.ids["registration_id"]), route.path)
            for response in answers_of(client, route, path):
                assert response.status_code == 404, (openid, path)
    assert two.audit_count() == before


def test_nobody_passes_a_door_without_a_sign_in(two: Two) -> None:
    client = two.site.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = WECHAT
    for route in ROUTES:
        if mark_of(route.view) is Access.PERSON:
            for method in route.methods:
                response = client.open(_PART.sub("1", route.path), method=method)
                expected = 302 if method == "GET" else 403
                assert response.status_code == expected, (method, route.path)


def test_form_of_another_browser_is_refused_everywhere(two: Two) -> None:
    before = two.audit_count()
    token = csrf_of(two.site.client("o-stranger").get("/h5/").text)
    client = two.site.client(f"o-owner-{two.first.company_id}")
    for route in ROUTES:
        if "POST" in route.methods:
            path = two.path(route, two.first.company_id)
            for data in ({}, {"csrf": token}):
                assert client.post(path, data=data).status_code == 400, path
    assert two.audit_count() == before


def test_number_that_no_row_has_is_nobodys(two: Two) -> None:
    client = two.site.client(f"o-owner-{two.first.company_id}")
    for route in ROUTES:
        if "<int:" in route.path:
            for number in (0, *FAR_NUMBERS):
                path = _PART.sub(str(number), route.path)
                for response in answers_of(client, route, path):
                    assert response.status_code in REFUSED, path
