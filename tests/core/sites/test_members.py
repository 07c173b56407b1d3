"""Who reports for a site: invited, bound by name, over with the contract."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import Keyring, install_keyring
from core.people.inviting import (
    InvitationNameError,
    InvitationNotFoundError,
    InvitationOverError,
)
from core.people.service import forget_person
from core.sites.members import (
    TooManyMembersError,
    confirm_member,
    end_member,
    end_memberships_of,
    find_site_confirmed,
    get_site_invitation,
    invite_member,
    list_members,
    reseal_members,
)
from core.sites.rules import MemberState
from core.sites.service import (
    SiteNotFoundError,
    SiteWithoutContractorError,
    get_membership,
    list_memberships,
)
from tests.conftest import DATA_KEY
from tests.core.sites.conftest import Sites

PHONE = "+8613800000002"


def invite(sites: Sites, name: str = "赵强", *, site: int = 0, phone: str = PHONE) -> str:
    offered = invite_member(
        sites.session,
        site_id=sites.ids[site],
        name=name,
        phone=phone,
        actor="staff:1",
        now=sites.now,
    )
    return offered.token


def confirm(sites: Sites, token: str, openid: str = "o-zhao", name: str = "赵强") -> int:
    found = confirm_member(sites.session, openid=openid, token=token, name=name, now=sites.now)
    return found.site.id


def test_invited_person_reports_for_the_site_once_they_gave_their_name(sites: Sites) -> None:
    token = invite(sites)
    card = get_site_invitation(sites.session, token=token, now=sites.now)
    assert (card.site.contractor, card.site.street) == ("总包甲", "田林街道")
    with pytest.raises(InvitationNameError):
        confirm(sites, token, name="赵刚")
    assert confirm(sites, token) == confirm(sites, token) == sites.ids[0]
    assert find_site_confirmed(sites.session, openid="o-zhao", token=token) == sites.ids[0]
    (membership,) = list_memberships(sites.session, openid="o-zhao")
    assert (membership.site.name, membership.has_reported(sites.now)) == ("第1工地", False)
    sites.report(10)
    assert get_membership(sites.session, openid="o-zhao", site_id=sites.ids[0]).has_reported(
        sites.now
    )
    with pytest.raises(SiteNotFoundError):
        get_membership(sites.session, openid="o-zhao", site_id=sites.ids[1])
    assert len(sites.recorded("site_member_confirmed")) == 1


def test_invitation_is_kept_as_a_hash_and_shown_masked(lite: Sites) -> None:
    token = invite(lite)
    confirm(lite, token)
    (member,) = list_members(lite.session, site_id=lite.ids[0], now=lite.now)
    assert (member.name_masked, member.phone_masked) == ("赵*", "138****0002")
    assert token not in repr(member)


def test_invitation_ends_by_use_by_time_and_by_another_one(lite: Sites) -> None:
    used = invite(lite)
    confirm(lite, used)
    with pytest.raises(InvitationOverError):
        confirm(lite, used, "o-other")
    replaced, newer = invite(lite, "钱明"), invite(lite, "钱明")
    for token in (replaced, newer):
        lite.now += timedelta(hours=0 if token is replaced else 48)
        with pytest.raises(InvitationOverError):
            get_site_invitation(lite.session, token=token, now=lite.now)
    with pytest.raises(InvitationNotFoundError):
        get_site_invitation(lite.session, token="nobody's", now=lite.now)


def test_member_who_is_ended_reports_no_more(lite: Sites) -> None:
    confirm(lite, invite(lite))
    (member,) = list_members(lite.session, site_id=lite.ids[0], now=lite.now)
    ending = {"member_id": member.id, "actor": "staff:1", "now": lite.now}
    with pytest.raises(SiteNotFoundError):
        end_member(lite.session, site_id=lite.ids[1], **ending)  # type: ignore[arg-type]
    assert end_member(lite.session, site_id=lite.ids[0], **ending)  # type: ignore[arg-type]
    assert not end_member(lite.session, site_id=lite.ids[0], **ending)  # type: ignore[arg-type]
    assert list_memberships(lite.session, openid="o-zhao") == []
    (member,) = list_members(lite.session, site_id=lite.ids[0], now=lite.now)
    assert member.state is MemberState.ENDED


def test_site_without_a_contractor_or_with_a_full_list_takes_nobody(
    lite: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite.add(contractor="")
    with pytest.raises(SiteWithoutContractorError):
        invite(lite, site=2)
    monkeypatch.setattr("core.sites.members.MAX_MEMBERS", 1)
    invite(lite)
    with pytest.raises(TooManyMembersError):
        invite(lite, "钱明")


def test_person_who_withdraws_reports_no_more_and_is_forgotten(sites: Sites) -> None:
    confirm(sites, invite(sites))
    assert end_memberships_of(sites.session, openid="o-zhao", now=sites.now) == 1
    forget_person(sites.session, openid="o-zhao", now=sites.now)
    sites.session.flush()
    (member,) = list_members(sites.session, site_id=sites.ids[0], now=sites.now)
    assert (member.state, member.name_masked, member.phone_masked) == (MemberState.ENDED, "*", "")


def test_name_and_phone_are_sealed_with_the_newest_key(lite: Sites) -> None:
    invite(lite)
    install_keyring(Keyring([bytes(range(1, 33)), DATA_KEY]))
    assert (reseal_members(lite.session), reseal_members(lite.session)) == (1, 0)
    install_keyring(Keyring([bytes(range(1, 33))]))
    lite.session.expire_all()
    (member,) = list_members(lite.session, site_id=lite.ids[0], now=lite.now)
    assert member.phone_masked == "138****0002"
