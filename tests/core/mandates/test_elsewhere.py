"""The same owner from another account: told, waited for, granted, objected to, released."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.mandates.elsewhere import (
    OBJECTION_HOLDS,
    WAIT,
    find_asked,
    grant_to_elsewhere,
    list_waiting,
    object_to_elsewhere,
    release_owner,
    settle_waiting,
)
from core.mandates.proving import list_takeovers
from core.mandates.rules import ActForbiddenError, MandateKind
from core.mandates.service import (
    NoMandateError,
    OwnerWaitsError,
    list_deputies,
    list_mandates,
)
from tests.core.mandates.conftest import CODES, LI, WANG, District
from tests.core.mandates.test_inviting import confirm


@pytest.fixture
def asked(district: District) -> District:
    """王伟 acts for two companies, and another account says to be 王伟 too."""
    district.prove("o-wang")
    district.later(hours=1)
    district.prove("o-new")
    return district


def test_whoever_waits_does_not_act_and_is_told_until_when(asked: District) -> None:
    assert list_mandates(asked.session, openid="o-new") == []
    assert list_takeovers(asked.session, openid="o-new") == []
    waiting = list_waiting(asked.session, openid="o-new")
    assert [one.until for one in waiting] == [asked.now + WAIT] * 2
    with pytest.raises(OwnerWaitsError):
        asked.owner("o-new")
    assert find_asked(asked.session, by=asked.owner()) == asked.now + WAIT
    assert len(list_deputies(asked.session, by=asked.owner())) == 1


def test_asking_again_begins_no_new_wait_and_tells_nobody_again(asked: District) -> None:
    told = asked.told()
    asked.later(hours=5)
    asked.prove("o-new")
    assert asked.told() == told
    assert find_asked(asked.session, by=asked.owner()) == asked.now + WAIT - timedelta(hours=5)


def test_after_the_wait_the_worker_lets_them_in_once(asked: District) -> None:
    assert settle_waiting(asked.session, now=asked.later(hours=23, minutes=59)) == 0
    assert settle_waiting(asked.session, now=asked.later(minutes=1)) == 2
    assert settle_waiting(asked.session, now=asked.now) == 0
    assert asked.owner("o-new").kind is MandateKind.OWNER
    assert list_mandates(asked.session, openid="o-wang") == []
    assert ("owner_granted_elsewhere", "o-new") in asked.told()
    granted = asked.recorded("owner_granted_elsewhere")
    assert {one.actor for one in granted} == {"system:worker"}


def test_owner_lets_the_other_account_in_at_once(asked: District) -> None:
    former = asked.owner()
    assert grant_to_elsewhere(asked.session, by=former, now=asked.now) == 1
    assert asked.owner("o-new").company.id == former.company.id
    with pytest.raises(NoMandateError):
        grant_to_elsewhere(asked.session, by=former, now=asked.now)
    # Of the other company nothing was said.
    assert asked.owner(place=1).company.id == asked.ids[1]


def test_objection_ends_the_wait_and_holds_for_thirty_days(asked: District) -> None:
    assert object_to_elsewhere(asked.session, by=asked.owner(), now=asked.now) == 1
    assert ("owner_refused_elsewhere", "o-new") in asked.told()
    assert settle_waiting(asked.session, now=asked.now + WAIT) == 1
    for openid in ("o-new", "o-third"):
        assert [one.name for one in asked.prove(openid).objected] == ["上海第1有限公司"]
    assert asked.owner().company.id == asked.ids[0]
    asked.later(seconds=OBJECTION_HOLDS.total_seconds())
    assert asked.prove("o-third").objected == ()


def test_staff_release_the_company_for_whoever_proves_next(asked: District) -> None:
    object_to_elsewhere(asked.session, by=asked.owner(), now=asked.now)
    assert release_owner(asked.session, uscc=CODES[0], actor="operator:cli", now=asked.now) == 1
    assert release_owner(asked.session, uscc=CODES[0], actor="operator:cli", now=asked.now) == 0
    assert release_owner(asked.session, uscc="0" * 18, actor="operator:cli", now=asked.now) == 0
    asked.prove("o-new")
    assert asked.owner("o-new").company.id == asked.ids[0]


def test_of_two_that_wait_the_first_is_let_in_and_the_other_is_over(asked: District) -> None:
    asked.later(minutes=1)
    asked.prove("o-third")
    assert settle_waiting(asked.session, now=asked.later(days=2)) == 2
    assert asked.owner("o-new").company.id == asked.ids[0]
    assert list_waiting(asked.session, openid="o-third") == []


def test_company_that_is_sold_meanwhile_waits_for_nobody(asked: District) -> None:
    asked.register(LI, WANG)
    assert settle_waiting(asked.session, now=asked.later(days=2)) == 1
    assert [one.company.id for one in list_mandates(asked.session, openid="o-new")] == [
        asked.ids[1]
    ]
    assert [one.name for one in asked.prove("o-li", LI).takeovers] == ["上海第1有限公司"]


def test_filler_answers_for_nobody_and_goes_on_while_the_owner_waits(asked: District) -> None:
    filler = confirm(asked, asked.invite(asked.owner()).token)
    assert find_asked(asked.session, by=filler) is None
    for answer in (grant_to_elsewhere, object_to_elsewhere):
        with pytest.raises(ActForbiddenError):
            answer(asked.session, by=filler, now=asked.now)
