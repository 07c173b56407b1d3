from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people.staff.rules import (
    AREAS_OF,
    LONGEST_LOCK,
    MAX_IDLE,
    MAX_SESSION,
    Area,
    AreaKind,
    PasswordFault,
    Role,
    Stage,
    is_locked,
    is_login_name,
    is_session_over,
    lock_for,
    login_name_of,
    may_have_area,
    needs_area,
    needs_totp,
    password_fault_of,
    password_of,
    role_of,
    stage_of,
)

NOW = datetime(2020, 3, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "role"),
    [
        ("street_officer", Role.STREET_OFFICER),
        ("Street-Officer", Role.STREET_OFFICER),
        ("site supervisor", Role.SITE_SUPERVISOR),
        ("reviewer", Role.DISTRICT_REVIEWER),
        ("admin", Role.ADMINISTRATOR),
        ("officer", None),
        ("", None),
        ("owner", None),
    ],
)
def test_role_is_named_whole_or_by_a_part_that_one_role_has(typed: str, role: Role | None) -> None:
    assert role_of(typed) is role


@pytest.mark.parametrize("role", Role)
def test_every_role_names_itself_and_has_an_area(role: Role) -> None:
    assert role_of(role.value) is role
    assert AREAS_OF[role]
    assert needs_area(role) is not may_have_area(role, AreaKind.DISTRICT)


def test_reviewers_and_administrators_need_a_second_factor() -> None:
    assert {role for role in Role if needs_totp(role)} == {
        Role.ADMINISTRATOR,
        Role.DISTRICT_REVIEWER,
    }


def test_officers_never_have_the_whole_district() -> None:
    assert {role for role in Role if needs_area(role)} == {
        Role.STREET_OFFICER,
        Role.NEIGHBOURHOOD_OFFICER,
    }


@pytest.mark.parametrize(
    ("typed", "name"), [(" Wang.Jing ", "wang.jing"), ("ＷＡＮＧ", "wang"), ("王静", "王静")]
)
def test_login_name_has_one_spelling(typed: str, name: str) -> None:
    assert login_name_of(typed) == name
    assert is_login_name(name)


@pytest.mark.parametrize("name", ["", "a", "x" * 33, "a b", "a/b", "a'b", "a\nb"])
def test_login_name_that_cannot_be_given(name: str) -> None:
    assert not is_login_name(name)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short-one11", PasswordFault.TOO_SHORT),
        ("河边的灯笼与旧书店", PasswordFault.TOO_SHORT),
        ("x" * 60 + "yzuvw" * 20, PasswordFault.TOO_LONG),
        ("my wangjing is here", PasswordFault.HAS_NAME),
        ("WangJing-2020-x", PasswordFault.HAS_NAME),
        ("Password123456", PasswordFault.COMMON),
        ("woaini1314520", PasswordFault.COMMON),
        ("aaaaaaaaaaaa", PasswordFault.MONOTONOUS),
        ("abababcdabcd", PasswordFault.MONOTONOUS),
        ("qwertyuiopas", PasswordFault.MONOTONOUS),
        ("zyxwvutsrqpo", PasswordFault.MONOTONOUS),
        ("kites over the river", None),
        ("河边的灯笼与旧书店里的猫", None),
    ],
)
def test_password_is_refused_with_its_reason(password: str, fault: PasswordFault | None) -> None:
    assert password_fault_of(password_of(password), name="wangjing") is fault


def test_short_login_name_may_stand_in_a_password_by_chance() -> None:
    assert password_fault_of("kites over the river", name="the") is None


@given(st.text(max_size=200), st.text(max_size=32))
def test_password_that_passes_is_long_enough_and_is_not_the_name(typed: str, name: str) -> None:
    password = password_of(typed)
    if password_fault_of(password, name=name) is None:
        assert 12 <= len(password) <= 128
        assert password.casefold() != name


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(0, 0), (1, 0), (4, 0), (5, 15), (6, 0), (10, 30), (15, 60), (30, 480), (35, 960), (40, 1440)],
)
def test_lock_doubles_with_every_five_failures(failures: int, minutes: int) -> None:
    assert lock_for(failures) == timedelta(minutes=minutes)


@given(st.integers(min_value=1, max_value=10**9))
def test_lock_is_never_longer_than_a_day_and_never_shrinks(times: int) -> None:
    assert timedelta(0) < lock_for(times * 5) <= lock_for((times + 1) * 5) <= LONGEST_LOCK


def test_account_is_locked_until_an_instant() -> None:
    assert not is_locked(None, now=NOW)
    assert is_locked(NOW + timedelta(seconds=1), now=NOW)
    assert not is_locked(NOW, now=NOW)


@pytest.mark.parametrize(
    ("age", "idle", "is_over"),
    [
        (timedelta(0), timedelta(0), False),
        (MAX_IDLE, MAX_IDLE - timedelta(seconds=1), False),
        (MAX_IDLE, MAX_IDLE, True),
        (MAX_SESSION - timedelta(seconds=1), timedelta(0), False),
        (MAX_SESSION, timedelta(0), True),
    ],
    ids=["new", "nearly idle", "idle", "nearly old", "old"],
)
def test_session_ends_when_idle_or_old(age: timedelta, idle: timedelta, is_over: bool) -> None:
    assert is_session_over(created_at=NOW - age, seen_at=NOW - idle, now=NOW) is is_over


@pytest.mark.parametrize(
    ("role", "has_totp", "is_verified", "must_change", "stage"),
    [
        (Role.AUDITOR, False, False, False, Stage.DONE),
        (Role.AUDITOR, False, False, True, Stage.PASSWORD),
        (Role.ADMINISTRATOR, False, False, True, Stage.PASSWORD),
        (Role.ADMINISTRATOR, False, False, False, Stage.ENROL),
        (Role.ADMINISTRATOR, True, False, False, Stage.CODE),
        (Role.ADMINISTRATOR, True, False, True, Stage.CODE),
        (Role.ADMINISTRATOR, True, True, True, Stage.PASSWORD),
        (Role.ADMINISTRATOR, True, True, False, Stage.DONE),
        (Role.STREET_OFFICER, True, False, False, Stage.CODE),
    ],
)
def test_stage_says_what_comes_next(
    role: Role, has_totp: bool, is_verified: bool, must_change: bool, stage: Stage
) -> None:
    found = stage_of(role=role, has_totp=has_totp, is_verified=is_verified, must_change=must_change)
    assert found is stage


@pytest.mark.parametrize(
    ("area", "kind", "covered"),
    [
        (Area(), AreaKind.DISTRICT, {1, 2, 3}),
        (Area(street_id=7), AreaKind.STREET, {1, 2}),
        (Area(community_ids=frozenset({2})), AreaKind.COMMUNITIES, {2}),
        (Area(community_ids=frozenset()), AreaKind.COMMUNITIES, set()),
    ],
)
def test_area_covers_its_communities_alone(area: Area, kind: AreaKind, covered: set[int]) -> None:
    streets = {1: 7, 2: 7, 3: 8}
    assert area.kind is kind
    assert {
        one for one, street in streets.items() if area.covers(community_id=one, street_id=street)
    } == covered


def test_area_is_not_a_street_and_communities() -> None:
    with pytest.raises(ValueError, match="not both"):
        Area(street_id=1, community_ids=frozenset({1}))
