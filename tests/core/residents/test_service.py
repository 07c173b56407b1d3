"""Knowing somebody by a hash, and placing those whom nobody could place."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Keyring, install_keyring
from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError
from core.residents.importing import import_residents
from core.residents.model import Residence
from core.residents.service import (
    PersonMissingError,
    ResidenceNotFoundError,
    ResidencePlacedError,
    count_unplaced,
    get_or_add_residents,
    list_unplaced,
    place_resident,
    reseal_places,
)
from tests.core.importing_rows import loader_of

pytestmark = pytest.mark.usefixtures("places")

load = loader_of(import_residents)

DISTRICT, TIANLIN, LONGHUA = Area(), Area(street_id=1), Area(street_id=2)
TWELVE = Area(community_ids=frozenset({1}))


@pytest.fixture
def unplaced(session: Session, now: datetime, places: None) -> None:
    """Two of whom the register wrote the same, one of each of two others, two without a word."""
    words = ["江南路12弄3号502室", "江南路12弄3号502室", "田林十二屯", "田林街道某路1号", "", ""]
    rows = [
        {"person_id": f"p-{number}", "community_code": "", "community": one}
        for number, one in enumerate(words)
    ]
    load(session, now, *rows)


def test_people_are_added_once_whatever_their_spelling(session: Session, now: datetime) -> None:
    first = get_or_add_residents(session, person_ids=["a-1", "b-2", "A-1 "], now=now)
    assert first[0] == first[2] != first[1]
    assert get_or_add_residents(session, person_ids=["b-2", "a-1"], now=now) == first[1::-1]
    with pytest.raises(PersonMissingError):
        get_or_add_residents(session, person_ids=["a-1", " "], now=now)


@pytest.mark.usefixtures("unplaced")
def test_work_list_has_each_wording_once_and_of_an_area_what_points_to_it(
    session: Session,
) -> None:
    page = list_unplaced(session, area=DISTRICT)
    rows = {row.place: row for row in page.rows}
    # Who has no words is alone: one of them is placed at a time.
    assert [(row.place, row.person_count) for row in page.rows] == [
        ("江南路12弄3号***", 2),
        ("田林十二屯", 1),
        ("田林街道某路1号", 1),
        ("", 1),
        ("", 1),
    ]
    assert (page.total, page.page_count, page.person_count) == (5, 1, 6)
    assert count_unplaced(session, area=DISTRICT) == 6
    likely = rows["田林十二屯"].likely
    assert likely is not None
    assert likely.street == "田林街道"
    for area, count in ((TIANLIN, 2), (LONGHUA, 0), (Area(community_ids=frozenset({3})), 0)):
        assert count_unplaced(session, area=area) == count
        assert list_unplaced(session, area=area, number=9).person_count == count


@pytest.mark.usefixtures("unplaced")
def test_placing_is_for_the_area_of_duty_alone_and_for_who_comes_first(
    session: Session, now: datetime
) -> None:
    def place(residence_id: int, community_id: int, area: Area) -> int:
        return place_resident(
            session,
            residence_id=residence_id,
            community_id=community_id,
            area=area,
            staff_id=7,
            now=now,
        )

    rows = {row.place: row for row in list_unplaced(session, area=DISTRICT).rows}
    two, likely = rows["江南路12弄3号***"], rows["田林十二屯"]
    with pytest.raises(ResidenceNotFoundError):
        place(two.residence_id, 1, TIANLIN)
    with pytest.raises(CommunityNotFoundError):
        place(likely.residence_id, 3, TIANLIN)
    with pytest.raises(CommunityNotFoundError):
        place(two.residence_id, 99, DISTRICT)
    assert place(likely.residence_id, 1, TIANLIN) == 1
    assert place(two.residence_id, 3, DISTRICT) == 2
    with pytest.raises(ResidencePlacedError):
        place(two.residence_id, 2, DISTRICT)
    assert count_unplaced(session, area=DISTRICT) == 3
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "resident_placed"))
    # Not how many they are: a small number tells who it was.
    assert [(one.actor, one.facts) for one in entries] == [
        ("staff:7", {"community_id": 1}),
        ("staff:7", {"community_id": 3}),
    ]


def test_resealed_places_are_read_and_recognised_by_the_new_key(
    session: Session, now: datetime
) -> None:
    old, new = bytes(range(32)), bytes(range(1, 33))
    row = {"person_id": "p", "community_code": "", "community": "江南路12弄"}
    load(session, now, row)
    install_keyring(Keyring([new, old]))
    assert (reseal_places(session), reseal_places(session)) == (1, 0)
    install_keyring(Keyring([new]))
    session.expire_all()
    (again,) = list_unplaced(session, area=DISTRICT).rows
    assert again.place == "江南路12弄"
    load(session, now, row | {"person_id": "q"})
    assert list_unplaced(session, area=DISTRICT).rows[0].person_count == 2
    assert session.scalars(select(Residence.place)).all() == ["江南路12弄", "江南路12弄"]
