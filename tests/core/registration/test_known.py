from __future__ import annotations

from core.people.service import bind_community
from core.registration.correcting import end_registration
from core.registration.known import NOBODY, find_known, list_departments
from core.registration.rules import Home
from tests.core.registration.conftest import NUMBERS, District


def test_nothing_is_known_of_a_stranger(district: District) -> None:
    assert find_known(district.session, openid="o-0") == NOBODY


def test_bound_community_is_known_before_any_registration(district: District) -> None:
    bind_community(district.session, openid="o-0", community_id=2, now=district.now)
    known = find_known(district.session, openid="o-0")
    assert known.home == Home(community_id=2, text="")
    assert known.document is None


def test_newest_registration_with_any_company_is_known(district: District) -> None:
    bind_community(district.session, openid="o-0", community_id=2, now=district.now)
    district.submit(0)
    district.later(days=1)
    district.submit(0, company=1, phone="+8613911112222", home=Home(community_id=1, text="x"))
    known = find_known(district.session, openid="o-0")
    assert (known.name, known.phone) == ("张一", "+8613911112222")
    assert known.document is not None
    assert known.document.number == NUMBERS[0]
    assert known.home == Home(community_id=1, text="x")
    assert NUMBERS[0] not in repr(known)
    assert "张一" not in repr(known)


def test_home_outside_the_district_is_known_by_its_text(district: District) -> None:
    district.submit(0, home=Home(community_id=None, text="浦东新区张江路1号"))
    known = find_known(district.session, openid="o-0")
    assert known.home == Home(community_id=None, text="浦东新区张江路1号")


def test_after_the_end_the_home_is_forgotten_and_the_bound_one_counts(
    district: District,
) -> None:
    receipt = district.submit(0, home=Home(community_id=1, text="x"))
    end_registration(
        district.session, openid="o-0", registration_id=receipt.card.id, now=district.now
    )
    assert find_known(district.session, openid="o-0").home is None
    bind_community(district.session, openid="o-0", community_id=2, now=district.now)
    assert find_known(district.session, openid="o-0").home == Home(community_id=2, text="")


def test_what_others_registered_is_not_known(district: District) -> None:
    district.submit(0, openid=None)
    district.submit(1)
    assert find_known(district.session, openid="o-0") == NOBODY


def test_departments_are_those_of_the_managers_the_owner_named(district: District) -> None:
    assert list_departments(district.session, workplace_id=district.companies[0]) == []
    district.add_mandate("o-owner")
    district.add_mandate("o-m1", kind="manager", department="仓库")
    district.add_mandate("o-m2", kind="manager", department="前台")
    district.add_mandate("o-m3", kind="manager", department="仓库")
    named = list_departments(district.session, workplace_id=district.companies[0])
    assert sorted(named) == ["仓库", "前台"]
    assert list_departments(district.session, workplace_id=district.companies[1]) == []
