from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.registration.correcting import end_registration
from core.registration.listing import (
    HomeOutsideAreaError,
    StaffQuery,
    check_entry_area,
    list_registrations,
    look_at_registration,
)
from core.registration.rules import Group, HealthCode, Home, RegistrationState
from core.registration.service import RegistrationNotFoundError
from core.registry.model import Company
from core.registry.service import get_company
from tests.core.registration.conftest import District

DISTRICT = Area()
STREET, OTHER_STREET = Area(street_id=1), Area(street_id=2)
COMMUNITY = Area(community_ids=frozenset({1}))
ELSEWHERE = Home(community_id=None, text="浦东")


@pytest.fixture
def people(district: District) -> dict[str, int]:
    """Registrations: of company 1 or 2, which stand in street 1 and 2, by where people live."""
    session, now = district.session, district.now
    session.add(Street(id=2, code="310104012", name="凌云路街道"))
    session.flush()
    session.add(Community(id=3, code="L1", name="凌云一村", street_id=2, changed_at=now))
    session.get_one(Company, district.companies[1]).street_id = 2
    session.flush()
    found = {}
    for person, (company, community) in enumerate([(0, 1), (0, 3), (1, 1), (1, 3), (1, 0)]):
        home = Home(community_id=community, text="小区") if community else ELSEWHERE
        receipt = district.submit(person, company=company, home=home)
        found[f"{company}{community}"] = receipt.card.id
    return found


def listed(district: District, **query: object) -> set[int]:
    values = {"area": DISTRICT, **query}
    page = list_registrations(
        district.session,
        query=StaffQuery(**values),  # type: ignore[arg-type]
        actor="staff:1",
        now=district.now,
    )
    assert page.total == len(page.rows)
    return {row.card.id for row in page.rows}


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (DISTRICT, {"01", "03", "11", "13", "10"}),
        (STREET, {"01", "03", "11"}),
        (OTHER_STREET, {"03", "11", "13", "10"}),
        (COMMUNITY, {"01", "11"}),
        (Area(community_ids=frozenset()), set()),
        (Area(street_id=9), set()),
    ],
    ids=["district", "street", "other-street", "community", "no-community", "no-street"],
)
def test_area_of_duty_bounds_the_list_and_every_single_look(
    district: District, people: dict[str, int], area: Area, expected: set[str]
) -> None:
    allowed = {people[one] for one in expected}
    assert listed(district, area=area) == allowed
    for identity in people.values():
        if identity in allowed:
            look_at_registration(
                district.session,
                registration_id=identity,
                area=area,
                actor="staff:1",
                now=district.now,
            )
            continue
        with pytest.raises(RegistrationNotFoundError):
            look_at_registration(
                district.session,
                registration_id=identity,
                area=area,
                actor="staff:1",
                now=district.now,
            )
    assert district.recorded().count("registration_seen") == len(allowed)


def test_filters_narrow_the_list(district: District, people: dict[str, int]) -> None:
    ill = district.submit(7, health_code=HealthCode.RED).card
    district.set_state(people["01"], "approved")
    assert listed(district, state=RegistrationState.APPROVED) == {people["01"]}
    assert listed(district, group=Group.CANNOT) == {ill.id}
    assert listed(district, street_id=2) == {people[one] for one in ("11", "13", "10")}
    assert listed(district, workplace_id=district.companies[0]) == {
        people["01"],
        people["03"],
        ill.id,
    }
    assert listed(district, text=ill.number.lower()) == {ill.id}
    assert len(listed(district, text="第2有限")) == 3
    assert listed(district, text="%") == set()
    assert listed(district, name="张三") == {people["11"]}
    assert listed(district, name="张") == set()


def test_pages_follow_each_other_and_end_at_the_last(
    district: District, people: dict[str, int]
) -> None:
    seen = []
    for number in (1, 2, 3, 9):
        page = list_registrations(
            district.session,
            query=StaffQuery(area=DISTRICT),
            actor="staff:1",
            now=district.now,
            number=number,
            page_size=2,
        )
        seen.append((page.number, [row.card.id for row in page.rows]))
    assert [number for number, _ in seen] == [1, 2, 3, 3]
    ids = [one for _, row_ids in seen[:3] for one in row_ids]
    assert ids == sorted(people.values(), reverse=True)


def test_row_names_street_and_community_and_masks_the_person(
    district: District, people: dict[str, int]
) -> None:
    view = look_at_registration(
        district.session,
        registration_id=people["11"],
        area=COMMUNITY,
        actor="staff:1",
        now=district.now,
    )
    assert (view.row.street, view.row.community) == ("凌云路街道", "田林十二村")
    assert (view.row.card.name_masked, view.entered_by) == ("张*", "person:3")
    assert view.answers is not None
    assert "张三" not in repr(view)


def test_what_was_reported_is_gone_after_the_end_and_so_is_the_home(
    district: District, people: dict[str, int]
) -> None:
    end_registration(district.session, openid="o-0", registration_id=people["01"], now=district.now)
    assert people["01"] not in listed(district, area=COMMUNITY)
    view = look_at_registration(
        district.session,
        registration_id=people["01"],
        area=DISTRICT,
        actor="staff:1",
        now=district.now,
    )
    assert view.answers is None


@pytest.mark.parametrize(
    ("area", "company", "community", "is_allowed"),
    [
        (DISTRICT, 1, 0, True),
        (STREET, 0, 0, True),
        (STREET, 1, 1, True),
        (STREET, 1, 3, False),
        (STREET, 1, 0, False),
        (COMMUNITY, 1, 1, True),
        (COMMUNITY, 0, 2, False),
        (COMMUNITY, 0, 0, False),
    ],
)
def test_officer_enters_people_of_their_area_alone(
    district: District,
    people: dict[str, int],
    area: Area,
    company: int,
    community: int,
    is_allowed: bool,
) -> None:
    card = get_company(district.session, company_id=district.companies[company])
    home = Home(community_id=community or None, text="小区")
    if is_allowed:
        check_entry_area(district.session, area=area, street_id=card.street_id, home=home)
        return
    with pytest.raises(HomeOutsideAreaError):
        check_entry_area(district.session, area=area, street_id=card.street_id, home=home)


def test_list_costs_the_same_however_many_there_are(
    session: Session, now: datetime, district: District, people: dict[str, int]
) -> None:
    statements: list[str] = []
    engine = session.get_bind()

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    session.expire_all()
    event.listen(engine, "before_cursor_execute", note)
    listed(district)
    event.remove(engine, "before_cursor_execute", note)
    assert len([one for one in statements if one.startswith("SELECT")]) == 2
