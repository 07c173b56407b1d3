"""An owner invites, the invited confirm by name; each invitation is for one of them, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.db import Database, Keyring, install_keyring
from core.errors import DomainError
from core.mandates.inviting import (
    OwnInvitationError,
    TooManyPeopleError,
    confirm_mandate,
    find_confirmed,
    get_invitation,
    offer_mandate,
)
from core.mandates.model import Mandate
from core.mandates.rules import ActForbiddenError, MandateKind
from core.mandates.service import (
    MandateCard,
    NoMandateError,
    end_mandate,
    get_mandate,
    list_deputies,
    list_mandates,
)
from core.notices.model import Notice
from core.people.inviting import InvitationNameError, InvitationNotFoundError, InvitationOverError
from tests.core.mandates.conftest import LI, PHONE, WANG, District


@pytest.fixture
def proved(district: District) -> District:
    """王伟 has proved who he is."""
    district.prove("o-wang")
    return district


def confirm(
    district: District, token: str, openid: str = "o-zhang", name: str = "张敏"
) -> MandateCard:
    return confirm_mandate(
        district.session, openid=openid, token=token, name=name, now=district.now
    )


def test_invitation_shows_the_company_and_one_character_of_the_owner(proved: District) -> None:
    invitation = proved.invite(proved.owner(), department="物流部")
    card = get_invitation(proved.session, token=invitation.token, now=proved.now)
    assert (card.company.name, card.company.owner_masked) == ("上海第1有限公司", "王*")
    assert (card.kind, card.department) == (MandateKind.MANAGER, "物流部")
    assert card.ends_at == invitation.ends_at == proved.now + timedelta(hours=48)


def test_token_is_kept_nowhere_and_shown_in_no_log(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    assert invitation.token not in repr(invitation)
    stored = proved.session.get_one(Mandate, invitation.id)
    assert invitation.token.encode() not in (stored.invitation_hash or b"")
    assert len(invitation.token) >= 32


@pytest.mark.parametrize("name", ["张敏", "张 敏", "张·敏"])
def test_both_confirmed_makes_a_filler_and_tells_the_owner(proved: District, name: str) -> None:
    invitation = proved.invite(proved.owner())
    card = confirm(proved, invitation.token, name=name)
    assert (card.kind, card.company.id) == (MandateKind.FILLER, proved.ids[0])
    assert get_mandate(proved.session, openid="o-zhang", company_id=proved.ids[0]) == card
    assert proved.told() == [("mandate_confirmed", "o-wang")]
    values = proved.session.scalars(select(Notice.values)).one()
    assert values == {"company": "上海第1有限公司", "role": "filler"}
    entry = proved.recorded("mandate_confirmed")[0]
    assert entry.facts == {"mandate_id": card.id, "kind": "filler"}


def test_confirming_again_gives_the_same_mandate(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    first = confirm(proved, invitation.token)
    proved.later(days=5)
    assert confirm(proved, invitation.token) == first
    assert len(proved.told()) == 1
    found = find_confirmed(proved.session, openid="o-zhang", token=invitation.token)
    assert found == proved.ids[0]
    assert find_confirmed(proved.session, openid="o-wang", token=invitation.token) is None


def test_another_name_confirms_nothing_and_the_right_one_still_does(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    with pytest.raises(InvitationNameError):
        confirm(proved, invitation.token, name="张明")
    assert list_mandates(proved.session, openid="o-zhang") == []
    assert confirm(proved, invitation.token).kind is MandateKind.FILLER


def test_invitation_is_used_once_by_one_person(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    confirm(proved, invitation.token)
    with pytest.raises(InvitationOverError):
        confirm(proved, invitation.token, openid="o-another")
    with pytest.raises(InvitationOverError):
        get_invitation(proved.session, token=invitation.token, now=proved.now)


@pytest.mark.parametrize(
    "over", ["expired", "taken back", "owner changed", "owner changed and handed over"]
)
def test_invitation_that_is_over_confirms_nothing(proved: District, over: str) -> None:
    owner = proved.owner()
    invitation = proved.invite(owner)
    if over == "expired":
        proved.later(hours=48)
    elif over == "taken back":
        end_mandate(proved.session, by=owner, mandate_id=invitation.id, now=proved.now)
    else:
        proved.register(LI)
        if over.endswith("handed over"):
            proved.prove("o-li", LI)
    with pytest.raises(InvitationOverError):
        get_invitation(proved.session, token=invitation.token, now=proved.now)
    with pytest.raises(InvitationOverError):
        confirm(proved, invitation.token)
    assert list_mandates(proved.session, openid="o-zhang") == []


@pytest.mark.parametrize("token", ["", "x" * 32, "中文", "'; --" * 100])
def test_token_of_no_invitation_is_not_found(proved: District, token: str) -> None:
    with pytest.raises(InvitationNotFoundError):
        get_invitation(proved.session, token=token, now=proved.now)
    with pytest.raises(InvitationNotFoundError):
        confirm(proved, token)


def test_last_instant_of_an_invitation_still_counts(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    proved.later(hours=48, microseconds=-1)
    assert confirm(proved, invitation.token).kind is MandateKind.FILLER


def test_naming_somebody_again_replaces_the_invitation(proved: District) -> None:
    first = proved.invite(proved.owner())
    second = proved.invite(proved.owner())
    with pytest.raises(InvitationOverError):
        confirm(proved, first.token)
    assert confirm(proved, second.token).id == second.id
    assert len(list_deputies(proved.session, by=proved.owner())) == 2


def test_owner_cannot_confirm_their_own_invitation(proved: District) -> None:
    invitation = proved.invite(proved.owner(), name="王伟")
    with pytest.raises(OwnInvitationError):
        confirm(proved, invitation.token, openid="o-wang", name="王伟")
    assert proved.owner().kind is MandateKind.OWNER


def test_person_acts_for_a_company_as_one_thing(proved: District) -> None:
    confirm(proved, proved.invite(proved.owner()).token)
    card = confirm(proved, proved.invite(proved.owner(), department="物流部").token)
    assert list_mandates(proved.session, openid="o-zhang") == [card]
    assert proved.recorded("mandate_ended")[-1].facts["reason"] == "replaced"
    card = confirm(proved, proved.invite(proved.owner(), department="行政部").token)
    assert list_mandates(proved.session, openid="o-zhang") == [card]


def test_filler_of_two_companies_acts_for_both(proved: District) -> None:
    proved.prove("o-li", LI)
    for owner in (proved.owner(), proved.owner("o-li", 2)):
        confirm(proved, proved.invite(owner).token)
    assert len(list_mandates(proved.session, openid="o-zhang")) == 2


def test_only_the_owner_invites(proved: District) -> None:
    filler = confirm(proved, proved.invite(proved.owner()).token)
    with pytest.raises(ActForbiddenError):
        proved.invite(filler, name="赵一鸣")


def test_owner_who_proved_elsewhere_meanwhile_invites_nobody(proved: District) -> None:
    former = proved.owner()
    proved.prove("o-wang-new")
    proved.later(days=1)
    proved.prove("o-wang-new")
    with pytest.raises(NoMandateError):
        proved.invite(former)


def test_list_of_people_is_bounded_and_ended_invitations_make_room(
    proved: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.mandates.inviting.MAX_PEOPLE", 3)
    for phone in ("+8613800000001", "+8613800000002"):
        proved.invite(proved.owner(), phone=phone)
    with pytest.raises(TooManyPeopleError) as refused:
        proved.invite(proved.owner(), phone="+8613800000003")
    assert refused.value.facts == {"max": 3}
    proved.later(hours=48)
    proved.invite(proved.owner(), phone="+8613800000003")
    assert len(list_deputies(proved.session, by=proved.owner())) == 2


@pytest.mark.parametrize(
    ("kind", "department"),
    [(MandateKind.OWNER, ""), (MandateKind.MANAGER, ""), (MandateKind.FILLER, "物流部")],
)
def test_offer_that_no_form_makes_is_a_bug(
    proved: District, kind: MandateKind, department: str
) -> None:
    with pytest.raises(ValueError, match="owners are proved"):
        offer_mandate(
            proved.session,
            by=proved.owner(),
            kind=kind,
            name="张敏",
            phone=PHONE,
            department=department,
            now=proved.now,
        )


def test_invitation_survives_the_rotation_of_a_key(proved: District) -> None:
    invitation = proved.invite(proved.owner())
    install_keyring(Keyring([bytes(range(1, 33)), bytes(range(32))]))
    assert confirm(proved, invitation.token).id == invitation.id


def test_two_who_confirm_at_once_make_one_filler(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        district = District(session=session, now=now)
        district.register(WANG)
        district.prove("o-wang")
        token = district.invite(district.owner()).token

    def confirm_as(openid: str) -> str:
        with database.transaction() as session:
            try:
                confirm(District(session=session, now=now), token, openid=openid)
            except DomainError as error:
                return error.code
        return "confirmed"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(confirm_as, ["o-1", "o-2", "o-3", "o-4"]))
    assert outcomes == ["confirmed", *["invitation_over"] * 3]
