from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from core.people.staff.rules import Role
from core.registration.model import Registration
from handlers.access import Access, mark_of, roles_of
from handlers.console.routes import ROUTES
from tests.console import CLAIMED, COMPANIES, NUMBERS, PEOPLE, District, enter
from tests.h5 import csrf_of, text_of
from tests.handlers.console.case_cases import CASE_CHANGES, CASE_LOOKS
from tests.handlers.console.event_cases import EVENT_CHANGES, EVENT_LOOKS
from tests.handlers.console.risk_cases import RISK_CHANGES, RISK_LOOKS
from tests.handlers.console.site_cases import SITE_CHANGES, SITE_LOOKS
from tests.rulings import CHANGES as RULING_CHANGES
from tests.rulings import LOOKS as RULING_LOOKS
from tests.rulings import OF_THE_DISTRICT


def test_pages_have_addresses_and_names_of_their_own_below_console() -> None:
    assert len({route.path for route in ROUTES}) == len({route.name for route in ROUTES})
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.path.startswith("/console/") for route in ROUTES)


def test_sign_in_alone_is_public_and_its_steps_are_no_pages_of_work() -> None:
    marks = {route.name: mark_of(route.view) for route in ROUTES}
    assert [name for name, mark in marks.items() if mark is Access.PUBLIC] == ["sign_in"]
    steps = {name for name, mark in marks.items() if mark is Access.SIGNING_IN}
    assert steps == {"code", "password", "authenticator", "sign_out"}
    assert all(roles_of(route.view) for route in ROUTES if mark_of(route.view) is Access.STAFF)


# --- nobody sees rows outside their area ----------------------------------------------------------

# What somebody may come to see of the district of tests/console.py: places of companies, of
# claims, and the people.
EVERYTHING = {*range(len(COMPANIES))}
FILINGS_OF = {
    Role.ADMINISTRATOR: EVERYTHING,
    Role.DISTRICT_REVIEWER: EVERYTHING,
    Role.AUDITOR: EVERYTHING,
    Role.STREET_OFFICER: {0},
}
PEOPLE_OF = {
    Role.ADMINISTRATOR: set(PEOPLE),
    Role.DISTRICT_REVIEWER: set(PEOPLE),
    Role.AUDITOR: set(PEOPLE),
    # Who works in the street, and who lives there and works elsewhere.
    Role.STREET_OFFICER: {"赵一", "钱二", "孙三"},
    # Who lives in the one community.
    Role.NEIGHBOURHOOD_OFFICER: {"钱二", "孙三"},
}


def named(client: FlaskClient, path: str, names: tuple[str, ...]) -> set[int]:
    """Return the places of the names that any page of a list has, whatever the filter."""
    found: set[int] = set()
    for query in ("", "?q=公司", "?state=all", "?street=1", "?street=2", "?page=9", "?q=x"):
        text = client.get(f"{path}{query}").text
        found |= {place for place, name in enumerate(names) if name in text}
    return found


def opened(client: FlaskClient, paths: dict[object, str]) -> set[object]:
    """Return the keys of the pages that open; every other one is as if it was not there."""
    statuses = {key: client.get(path).status_code for key, path in paths.items()}
    assert set(statuses.values()) <= {200, 404}, statuses
    return {key for key, status in statuses.items() if status == 200}


def posted(client: FlaskClient, paths: dict[object, str], **fields: str) -> set[object]:
    """Return the keys of what could be changed; every other one is as if it was not there."""
    csrf = csrf_of(client.get("/console/").text)
    statuses = {
        key: client.post(path, data={"csrf": csrf, **fields}).status_code
        for key, path in paths.items()
    }
    assert set(statuses.values()) <= {303, 404}, statuses
    return {key for key, status in statuses.items() if status == 303}


def ids(paths: list[int], path: str) -> dict[object, str]:
    return {place: path.format(identity) for place, identity in enumerate(paths)}


def see_filings(client: FlaskClient, district: District, role: Role) -> None:
    assert named(client, "/console/filings", COMPANIES) == FILINGS_OF[role]
    shown = client.get("/console/filings").text
    counted = re.search(r"待审核（(\d+)）", shown)
    assert counted is not None
    assert int(counted[1]) == len(FILINGS_OF[role])
    by_done = client.get(f"/console/filings?done={district.filings[1]}").text
    assert (COMPANIES[1] in by_done) is (1 in FILINGS_OF[role])


def see_filing(client: FlaskClient, district: District, role: Role) -> None:
    assert opened(client, ids(district.filings, "/console/filings/{}")) == FILINGS_OF[role]


def see_plan(client: FlaskClient, district: District, role: Role) -> None:
    paths = {
        place: f"/console/filings/{filing}/plan/{district.plans[place]}"
        for place, filing in enumerate(district.filings)
    }
    crossed = f"/console/filings/{district.filings[0]}/plan/{district.plans[1]}"
    assert opened(client, dict(paths) | {"crossed": crossed}) == FILINGS_OF[role]


def decide_filing(client: FlaskClient, district: District, role: Role) -> None:
    paths = ids(district.filings, "/console/filings/{}/decide") | {
        "none": "/console/filings/999/decide"
    }
    done = posted(client, paths, verdict="approve", revision="1")
    assert done == FILINGS_OF[role]


def hold_filing(client: FlaskClient, district: District, role: Role) -> None:
    paths = ids(district.filings, "/console/filings/{}/hold") | {
        "none": "/console/filings/999/hold"
    }
    assert posted(client, paths) == FILINGS_OF[role]


def decide_filings(client: FlaskClient, district: District, role: Role) -> None:
    csrf = csrf_of(client.get("/console/filings").text)
    chosen = [f"{filing}:1" for filing in [*district.filings, 999]]
    answered = client.post(
        "/console/filings/decide", data={"csrf": csrf, "filing": chosen, "verdict": "approve"}
    )
    assert f"{len(FILINGS_OF[role])} 份备案已按“通过”处理" in answered.text
    assert "没有找到这份备案" in answered.text


def see_claims(client: FlaskClient, district: District, role: Role) -> None:
    assert named(client, "/console/claims", CLAIMED) == FILINGS_OF[role]
    by_done = client.get(f"/console/claims?done={district.claims[1]}").text
    assert (CLAIMED[1] in by_done) is (1 in FILINGS_OF[role])


def see_claim(client: FlaskClient, district: District, role: Role) -> None:
    assert opened(client, ids(district.claims, "/console/claims/{}")) == FILINGS_OF[role]


def see_licence(client: FlaskClient, district: District, role: Role) -> None:
    assert opened(client, ids(district.claims, "/console/claims/{}/licence")) == FILINGS_OF[role]


def decide_claim(client: FlaskClient, district: District, role: Role) -> None:
    paths = ids(district.claims, "/console/claims/{}/decide") | {
        "none": "/console/claims/999/decide"
    }
    assert posted(client, paths, verdict="refuse", reason="执照看不清") == FILINGS_OF[role]


def see_registrations(client: FlaskClient, district: District, role: Role) -> None:
    allowed = {district.registrations[name] for name in PEOPLE_OF[role]}
    for query in ("", "?q=公司", "?group=fine", "?street=1", "?street=2", "?page=9", "?company=2"):
        text = client.get(f"/console/registrations{query}").text
        found = {int(one) for one in re.findall(r'"/console/registrations/(\d+)"', text)}
        assert found <= allowed, query
        assert query or found == allowed
    csrf = csrf_of(client.get("/console/registrations").text)
    for name, identity in district.registrations.items():
        text = client.post("/console/registrations", data={"csrf": csrf, "name": name}).text
        found = {int(one) for one in re.findall(r'"/console/registrations/(\d+)"', text)}
        assert found == ({identity} & allowed), name


def see_registration(client: FlaskClient, district: District, role: Role) -> None:
    paths: dict[object, str] = {
        name: f"/console/registrations/{identity}"
        for name, identity in district.registrations.items()
    }
    assert opened(client, paths) == PEOPLE_OF[role]


def see_key_areas(client: FlaskClient, district: District, role: Role) -> None:
    with district.database.transaction() as session:
        session.execute(update(Registration).values(flags=["key_area"], flag_group="look"))
    page = text_of(client.get("/console/key-areas"))
    assert f"企业 {len(PEOPLE_OF.get(role, PEOPLE))} 人" in page


def find_companies(client: FlaskClient, district: District, role: Role) -> None:
    # Somebody who lives here may work anywhere: the register is searched, nobody's data is shown.
    text = client.get("/console/registrations/enter?q=公司").text
    assert all(name in text for name in COMPANIES)
    assert not any(name in text for name in PEOPLE)


def enter_somebody(client: FlaskClient, district: District, role: Role) -> None:
    taken = {}
    for company, community in ((2, "名A2"), (2, "名B1"), (1, "名B1")):
        path = f"/console/registrations/enter/{district.companies[company - 1]}"
        fields = {
            "csrf": csrf_of(client.get(path).text),
            "name": "吴六",
            "document": NUMBERS[10 + len(taken)],
            "phone": f"1391111{company}00{len(taken)}",
            "home": community,
            "away": "no",
            "health_code": "green",
            "symptoms": "none",
            "consent": "yes",
            "action": "send",
        }
        answered = client.post(path, data=fields)
        taken[company, community] = answered.status_code == 303
        assert taken[company, community] or "责任区域" in answered.text
    lives_here = {(2, "名A2")}
    works_here = {(1, "名B1")} if role is Role.STREET_OFFICER else set()
    assert {key for key, is_taken in taken.items() if is_taken} == lives_here | works_here


def export(client: FlaskClient, district: District, role: Role) -> None:
    for kind in ("filings", "registrations"):
        page = client.get(f"/console/exports?kind={kind}")
        fields = {"csrf": csrf_of(page.text), "kind": kind, "reason": "向区防控办报送进度"}
        answered = client.post("/console/exports", data=fields)
        rows = rows_of(answered.data)
        if kind == "filings" and role in FILINGS_OF:
            expected = {COMPANIES[place] for place in FILINGS_OF[role]}
            assert {row[1] for row in rows} == expected
        else:
            numbers = {row[0] for row in rows}
            # A supervisor exports cases alone, and of these no other one's.
            assert len(numbers) == len(PEOPLE_OF.get(role, ()))


def rows_of(content: bytes) -> list[list[object]]:
    sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    return sheet.to_python(skip_empty_area=False)[2:]


def see_home(client: FlaskClient, district: District, role: Role) -> None:
    figures = re.findall(r'class="number work">(\d+)<', client.get("/console/").text)
    expected = len(FILINGS_OF.get(role, ()))
    assert [int(one) for one in figures] == ([expected, expected, 0] if expected else [])


Case = Callable[[FlaskClient, District, Role], None]
LOOKS: dict[str, Case] = {
    "home": see_home,
    "filings": see_filings,
    "filing": see_filing,
    "filing_plan": see_plan,
    "claims": see_claims,
    "claim": see_claim,
    "claim_licence": see_licence,
    "registrations": see_registrations,
    "registration": see_registration,
    "registration_companies": find_companies,
    "key_areas": see_key_areas,
    "exports": export,
    **RISK_LOOKS,
    **EVENT_LOOKS,
    **CASE_LOOKS,
    **SITE_LOOKS,
    **RULING_LOOKS,
}
CHANGES: dict[str, Case] = {
    "filings_decide": decide_filings,
    "filing_decide": decide_filing,
    "filing_hold": hold_filing,
    "claim_decide": decide_claim,
    "registration_enter": enter_somebody,
    **RISK_CHANGES,
    **EVENT_CHANGES,
    **CASE_CHANGES,
    **SITE_CHANGES,
    **RULING_CHANGES,
}
# One leads on to another page; the audit log has no areas: its readers have none; one is about
# nobody but oneself.
ELSEWHERE = {"communities", "audit", "wechat"}


# The station is one place: it has no areas of duty.
OF_THE_STATION = {
    *("arrivals", "arrivals_roster", "arrivals_grades"),
    *("arrivals_settings", "arrivals_settings_change"),
}


def test_every_page_of_work_has_a_case_about_areas() -> None:
    work = {route.name for route in ROUTES if mark_of(route.view) is Access.STAFF}
    assert work == {*LOOKS, *CHANGES, *ELSEWHERE, *OF_THE_DISTRICT, *OF_THE_STATION}


ROLES_OF = {route.name: roles_of(route.view) for route in ROUTES}


@pytest.mark.parametrize("role", Role)
def test_nobody_sees_rows_outside_their_area(app: Flask, district: District, role: Role) -> None:
    client = enter(app, role)
    for name, look in LOOKS.items():
        if role in ROLES_OF[name]:
            look(client, district, role)


@pytest.mark.parametrize(
    ("name", "role"),
    [(name, role) for name in CHANGES for role in Role if role in ROLES_OF[name]],
)
def test_nobody_changes_rows_outside_their_area(
    app: Flask, district: District, name: str, role: Role
) -> None:
    CHANGES[name](enter(app, role), district, role)


@pytest.mark.parametrize("role", Role)
def test_no_page_opens_for_a_role_that_is_not_named(
    app: Flask, district: District, role: Role
) -> None:
    client = enter(app, role)
    csrf = csrf_of(client.get("/console/").text)
    for route in ROUTES:
        if mark_of(route.view) is not Access.STAFF or role in roles_of(route.view):
            continue
        path = re.sub(r"<int:\w+>", "1", route.path)
        for method in route.methods:
            answered = client.open(path, method=method, data={"csrf": csrf})
            assert answered.status_code == 403, route.name
