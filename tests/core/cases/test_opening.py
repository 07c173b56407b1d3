from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.cases.model import Case, CaseStep
from core.cases.opening import follow_rescreening, list_waiting_for_case, open_cases
from core.cases.rules import CaseState, Finding
from core.cases.service import close_case, note_contact
from core.clock import day_of
from core.keyareas.model import KeyArea
from core.people.documents import document_of
from core.registration.correcting import correct_registration, end_registration
from core.registration.rescreening import rescreen
from core.registration.rules import HealthCode, Home, RegistrationInput
from tests.cases import NUMBERS, Desk, add_key_area, arrive


def kinds(desk: Desk, case: Case) -> list[str]:
    steps = select(CaseStep.kind).where(CaseStep.case_id == case.id).order_by(CaseStep.id)
    return list(desk.session.scalars(steps))


def list_again(desk: Desk, **span: float) -> None:
    """Screen everybody anew, as an import of the list does."""
    found = rescreen(desk.session, now=desk.later(**span))
    flagged = {**found.standing, **found.newly}
    follow_rescreening(desk.session, flagged=flagged, cleared=found.cleared, now=desk.now)


def test_newcomer_from_a_key_area_opens_a_case_with_a_deadline(desk: Desk) -> None:
    case = desk.arrive()
    assert (case.state, case.areas, case.opened_count) == ("open", ["330300"], 1)
    assert case.deadline_at == desk.now + timedelta(hours=24)
    assert desk.stored(case).state == "submitted"
    assert list_waiting_for_case(desk.session, registration_ids=[case.registration_id])
    # The same once more is the first one, and opens nothing.
    assert desk.arrive().version == 1
    assert kinds(desk, case) == ["opened"]


def test_a_shop_has_cases_and_who_was_not_there_has_none(desk: Desk) -> None:
    at_shop = desk.arrive(workplace_id=desk.shop_id)
    assert at_shop.workplace_id == desk.shop_id
    card = arrive(
        desk.session, workplace_id=desk.site_id, person=1, now=desk.now, stays=("江苏昆山",)
    ).card
    assert card.state == "approved"
    assert desk.session.scalars(select(Case.registration_id)).all() == [at_shop.registration_id]


def test_screening_that_comes_twice_is_one(desk: Desk) -> None:
    case = desk.arrive()
    areas_by_id = {case.registration_id: ("330300",)}
    for _ in range(2):
        assert not open_cases(
            desk.session, areas_by_id=areas_by_id, screened_at=desk.now, now=desk.now
        )
    later = desk.later(hours=1)
    assert not open_cases(desk.session, areas_by_id=areas_by_id, screened_at=later, now=later)
    assert desk.case_of(case.registration_id).version == 1


def test_nobody_lets_themselves_in_by_correcting_a_stay_away(desk: Desk) -> None:
    case = desk.arrive()
    entry = RegistrationInput(
        name="张一",
        document=document_of(NUMBERS[0], today=day_of(desk.now)),
        phone="+8613800000200",
        home=Home(community_id=None, text="浦东新区某小区"),
        health_code=HealthCode.GREEN,
    )
    correct_registration(
        desk.session,
        openid="o-worker-0",
        registration_id=case.registration_id,
        entry=entry,
        now=desk.later(hours=1),
    )
    stored = desk.stored(case)
    assert (stored.state, stored.flags) == ("submitted", [])
    assert kinds(desk, case) == ["opened", "corrected"]
    case = desk.case_of(case.registration_id)
    note_contact(desk.session, act=desk.act(case), note="确认没有去过")
    close_case(desk.session, act=desk.act(case), finding=Finding.NOT_THERE)
    assert desk.stored(case).state == "approved"


def test_list_that_names_another_area_opens_a_closed_case_again(desk: Desk) -> None:
    case = desk.arrive(stays=("浙江温州", "河南信阳"))
    note_contact(desk.session, act=desk.act(case), note="查票，只是路过")
    close_case(desk.session, act=desk.act(case), finding=Finding.NOT_THERE)
    list_again(desk, hours=1)
    case = desk.case_of(case.registration_id)
    assert case.state == CaseState.CLOSED, "the same list changes nothing"
    add_key_area(desk.session, now=desk.now, code="411500", name="信阳市")
    list_again(desk, hours=1)
    case = desk.case_of(case.registration_id)
    assert (case.state, case.opened_count) == ("open", 2)
    assert (case.contacted_at, case.finding, case.told_at) == (None, None, None)
    assert case.deadline_at == desk.now + timedelta(hours=24)
    assert sorted(case.areas) == ["330300", "411500"]
    assert desk.stored(case).state == "approved", "nothing that was decided is taken back"


def test_list_that_changes_tells_who_has_an_open_case_before_them(desk: Desk) -> None:
    case = desk.arrive(stays=("浙江温州", "河南信阳"))
    add_key_area(desk.session, now=desk.now, code="411500", name="信阳市")
    list_again(desk, hours=1)
    case = desk.case_of(case.registration_id)
    assert (case.version, kinds(desk, case)) == (2, ["opened", "areas"])


def test_area_that_was_listed_by_mistake_closes_its_cases_and_lets_people_in(desk: Desk) -> None:
    case = desk.arrive()
    area = desk.session.scalars(select(KeyArea)).one()
    desk.session.delete(area)
    list_again(desk, hours=1)
    case = desk.case_of(case.registration_id)
    assert (case.state, case.finding) == ("closed", "cleared")
    assert desk.stored(case).state == "approved"
    add_key_area(desk.session, now=desk.now)
    list_again(desk, hours=1)
    assert desk.case_of(case.registration_id).state == "open"


@pytest.mark.parametrize("is_left", [True, False])
def test_who_comes_again_from_a_key_area_opens_their_case_again(
    desk: Desk, *, is_left: bool
) -> None:
    case = desk.arrive()
    note_contact(desk.session, act=desk.act(case), note="已经联系")
    if is_left:
        close_case(desk.session, act=desk.act(case), finding=Finding.LEFT)
        assert desk.stored(case).state == "ended"
    else:
        close_case(desk.session, act=desk.act(case), finding=Finding.MISTAKEN)
        end_registration(
            desk.session,
            openid="o-worker-0",
            registration_id=case.registration_id,
            now=desk.later(hours=1),
        )
    desk.later(days=1)
    case = desk.arrive()
    assert (case.state, case.opened_count) == ("open", 2)
    assert desk.stored(case).state == "submitted"
