"""Who acts for which company, ending mandates, whom to tell."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.codes.rules import subject_of
from core.codes.service import find_live_code, issue_code
from core.mandates.inviting import confirm_mandate
from core.mandates.model import Mandate
from core.mandates.rules import ActForbiddenError, MandateKind, MandateState
from core.mandates.service import (
    MandateCard,
    MandateNotFoundError,
    NoMandateError,
    OwnerChangedError,
    end_mandate,
    end_mandates_of,
    find_owner_person,
    get_mandate,
    list_deputies,
    list_mandates,
    list_people_to_tell,
)
from core.people.service import find_person, forget_person
from tests.core.mandates.conftest import LI, WANG, District


def confirmed(district: District, openid: str, department: str = "") -> MandateCard:
    invitation = district.invite(district.owner(), name="张敏", department=department)
    return confirm_mandate(
        district.session, openid=openid, token=invitation.token, name="张敏", now=district.now
    )


@pytest.fixture
def proved(district: District) -> District:
    """Both owners have proved who they are."""
    district.prove("o-wang", WANG)
    district.prove("o-li", LI)
    return district


def test_mandates_of_a_person_are_listed_by_company(proved: District) -> None:
    found = list_mandates(proved.session, openid="o-wang")
    assert [(one.company.name, one.kind) for one in found] == [
        ("上海第1有限公司", MandateKind.OWNER),
        ("上海第2有限公司", MandateKind.OWNER),
    ]
    assert list_mandates(proved.session, openid="o-nobody") == []


def test_mandate_is_of_one_person_one_company_and_the_kinds_asked_for(proved: District) -> None:
    card = get_mandate(proved.session, openid="o-li", company_id=proved.ids[2])
    assert (card.kind, card.department, card.confirmed_at) == (MandateKind.OWNER, "", proved.now)
    for openid, place, kinds in (
        ("o-li", 0, set(MandateKind)),
        ("o-li", 2, {MandateKind.FILLER}),
        ("o-nobody", 2, set(MandateKind)),
    ):
        with pytest.raises(NoMandateError):
            get_mandate(proved.session, openid=openid, company_id=proved.ids[place], kinds=kinds)


def test_owner_change_in_the_register_ends_everything_at_once_even_before_the_hand_over(
    proved: District,
) -> None:
    confirmed(proved, "o-zhang")
    proved.register(LI, WANG)
    for openid in ("o-wang", "o-zhang"):
        with pytest.raises(OwnerChangedError):
            get_mandate(proved.session, openid=openid, company_id=proved.ids[0])
        assert proved.ids[0] not in {
            one.company.id for one in list_mandates(proved.session, openid=openid)
        }
    assert find_owner_person(proved.session, company_id=proved.ids[0]) is None
    assert list_people_to_tell(proved.session, company_id=proved.ids[0]) == []
    assert proved.owner(place=1).company.id == proved.ids[1]


def test_owner_and_fillers_are_told_and_managers_are_not(proved: District) -> None:
    confirmed(proved, "o-zhang")
    confirmed(proved, "o-manager", department="物流部")
    found = find_owner_person(proved.session, company_id=proved.ids[0])
    assert found is not None
    assert found.openid == "o-wang"
    assert list_people_to_tell(proved.session, company_id=proved.ids[0]) == ["o-wang", "o-zhang"]


def test_owner_sees_masked_who_acts_and_who_is_invited(proved: District) -> None:
    confirmed(proved, "o-manager", department="物流部")
    invitation = proved.invite(proved.owner(), name="赵一鸣", phone="+8613900001234")
    seen = list_deputies(proved.session, by=proved.owner())
    assert [(one.kind, one.name_masked, one.phone_masked, one.state) for one in seen] == [
        (MandateKind.OWNER, "王*", "", MandateState.ACTIVE),
        (MandateKind.FILLER, "赵**", "139****1234", MandateState.OFFERED),
        (MandateKind.MANAGER, "张*", "138****0001", MandateState.ACTIVE),
    ]
    assert [one.ends_at for one in seen] == [None, invitation.ends_at, None]
    assert not seen[1].is_expired(proved.now)
    assert seen[1].is_expired(invitation.ends_at)
    filler = confirmed(proved, "o-zhang")
    with pytest.raises(ActForbiddenError):
        list_deputies(proved.session, by=filler)


def test_owner_ends_a_filler_in_one_step_and_twice_is_once(proved: District) -> None:
    card = confirmed(proved, "o-zhang")
    for _ in range(2):
        end_mandate(
            proved.session, by=proved.owner(), mandate_id=card.id, now=proved.later(hours=1)
        )
    with pytest.raises(NoMandateError):
        get_mandate(proved.session, openid="o-zhang", company_id=proved.ids[0])
    (entry,) = proved.recorded("mandate_ended")
    assert entry.facts == {"mandate_id": card.id, "kind": "filler", "reason": "withdrawn"}
    assert proved.told()[-1] == ("mandate_ended", "o-zhang")
    assert [kind for kind, _ in proved.told()].count("mandate_ended") == 1


def test_invitation_is_taken_back_without_telling_anybody(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    end_mandate(proved.session, by=proved.owner(), mandate_id=invitation.id, now=proved.now)
    assert len(list_deputies(proved.session, by=proved.owner())) == 1
    assert proved.told() == []


def test_filler_leaves_by_themselves_and_ends_nobody_else(proved: District) -> None:
    filler = confirmed(proved, "o-zhang")
    other = confirmed(proved, "o-manager", department="物流部")
    with pytest.raises(ActForbiddenError):
        end_mandate(proved.session, by=filler, mandate_id=other.id, now=proved.now)
    end_mandate(proved.session, by=filler, mandate_id=filler.id, now=proved.now)
    with pytest.raises(NoMandateError):
        get_mandate(proved.session, openid="o-zhang", company_id=proved.ids[0])
    assert proved.recorded("mandate_ended")[-1].facts["reason"] == "left"


def test_owner_of_another_company_and_owners_mandates_cannot_be_ended(proved: District) -> None:
    filler = confirmed(proved, "o-zhang")
    li = proved.owner("o-li", 2)
    for by, mandate_id in ((li, filler.id), (proved.owner(), proved.owner().id), (li, 10**6)):
        with pytest.raises(MandateNotFoundError):
            end_mandate(proved.session, by=by, mandate_id=mandate_id, now=proved.now)
    assert get_mandate(proved.session, openid="o-zhang", company_id=proved.ids[0]) == filler


def test_mandate_that_was_ended_meanwhile_ends_nobody(proved: District) -> None:
    filler = confirmed(proved, "o-zhang")
    former = proved.owner()
    proved.prove("o-wang-new-phone", WANG)
    proved.later(days=1)
    proved.prove("o-wang-new-phone", WANG)
    with pytest.raises(NoMandateError):
        end_mandate(proved.session, by=former, mandate_id=filler.id, now=proved.now)
    now_owner = proved.owner("o-wang-new-phone")
    proved.register(LI, WANG)
    with pytest.raises(OwnerChangedError):
        end_mandate(proved.session, by=now_owner, mandate_id=filler.id, now=proved.now)


def test_person_who_is_forgotten_leaves_no_name_and_no_code_behind(proved: District) -> None:
    subject = subject_of(proved.ids[0])
    issue_code(proved.session, subject=subject, actor="person:1", now=proved.now)
    assert end_mandates_of(proved.session, openid="o-wang", now=proved.now) == 2
    forget_person(proved.session, openid="o-wang", now=proved.now)
    proved.session.flush()
    proved.session.expire_all()
    kept = proved.session.scalars(
        select(Mandate).where(Mandate.company_id.in_(proved.ids[:2]))
    ).all()
    assert [(one.name, one.phone, one.person_id, one.state) for one in kept] == [
        ("", None, None, "ended")
    ] * 2
    assert find_person(proved.session, openid="o-wang") is None
    assert find_live_code(proved.session, subject=subject, now=proved.now) is None
    assert end_mandates_of(proved.session, openid="o-wang", now=proved.now) == 0
    assert len(proved.prove("o-wang").mandates) == 2
