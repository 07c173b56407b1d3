"""What each kind of mandate may do, and when something is held by another reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mandates.rules import (
    MAY,
    Act,
    ActForbiddenError,
    CompanyNotInBusinessError,
    MandateKind,
    check_may,
    is_held,
    may,
)
from core.registry.rules import CompanyState, is_in_business


@dataclass(frozen=True)
class Company:
    state: CompanyState

    @property
    def is_in_business(self) -> bool:
        return is_in_business(self.state)


@dataclass(frozen=True)
class Acting:
    kind: MandateKind
    company: Company


def acting(kind: MandateKind, state: CompanyState = CompanyState.ACTIVE) -> Acting:
    return Acting(kind, Company(state))


@pytest.mark.parametrize(
    ("kind", "acts"),
    [
        pytest.param(MandateKind.OWNER, set(Act), id="an owner may do everything"),
        pytest.param(
            MandateKind.FILLER,
            {Act.FILE, Act.SHOW_CODE, Act.SEE_SHEET, Act.ENTER},
            id="a filler files and enters but decides nothing",
        ),
        pytest.param(
            MandateKind.MANAGER,
            {Act.SHOW_CODE, Act.SEE_SHEET, Act.DECIDE},
            id="a manager decides for the department",
        ),
    ],
)
def test_kind_may_do_these_acts_and_no_others(kind: MandateKind, acts: set[Act]) -> None:
    assert {act for act in Act if may(acting(kind), act)} == acts
    for act in set(Act) - acts:
        with pytest.raises(ActForbiddenError) as refused:
            check_may(acting(kind), act)
        assert refused.value.facts == {"kind": kind.value, "act": act.value}


def test_every_kind_of_mandate_has_its_acts_and_only_owners_name_others() -> None:
    assert MAY.keys() == set(MandateKind)
    assert [kind for kind in MandateKind if Act.NAME_OTHERS in MAY[kind]] == [MandateKind.OWNER]


@pytest.mark.parametrize("act", [Act.FILE, Act.ROTATE_CODE, Act.DECIDE, Act.ENTER])
def test_company_that_is_not_in_business_does_nothing_new(act: Act) -> None:
    with pytest.raises(CompanyNotInBusinessError) as refused:
        check_may(acting(MandateKind.OWNER, CompanyState.REVOKED), act)
    assert refused.value.facts == {"state": "revoked"}


@pytest.mark.parametrize("act", [Act.SEE_SHEET, Act.SHOW_CODE, Act.NAME_OTHERS])
def test_company_that_is_not_in_business_keeps_its_people_and_its_sheet(act: Act) -> None:
    check_may(acting(MandateKind.OWNER, CompanyState.DEREGISTERED), act)


@given(st.sampled_from(MandateKind), st.sampled_from(CompanyState), st.sampled_from(Act))
def test_what_may_be_done_passes_the_check_and_nothing_else_does(
    kind: MandateKind, state: CompanyState, act: Act
) -> None:
    one = acting(kind, state)
    if may(one, act):
        check_may(one, act)
    else:
        with pytest.raises((ActForbiddenError, CompanyNotInBusinessError)):
            check_may(one, act)


def test_hold_of_another_reviewer_keeps_it_until_it_ends(now: datetime) -> None:
    ends = now + timedelta(minutes=10)
    assert is_held(held_by=1, held_until=ends, staff_id=2, now=now)
    assert not is_held(held_by=1, held_until=ends, staff_id=1, now=now)
    assert not is_held(held_by=1, held_until=ends, staff_id=2, now=ends)
    assert not is_held(held_by=None, held_until=None, staff_id=2, now=now)
