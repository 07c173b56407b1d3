"""Who reports for a site: people of its contractor, invited by the supervisor, bound by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.people.inviting import (
    Invitation,
    InvitationNameError,
    InvitationNotFoundError,
    InvitationOverError,
    new_token,
    token_hashes_of,
)
from core.people.model import Person
from core.people.names import mask_name, name_key
from core.people.phones import mask_phone
from core.people.rules import Purpose
from core.people.service import give_consent, register_person
from core.sealing import reseal_rows
from core.sites.model import INVITATION_COLUMN, SiteContract, SiteMember
from core.sites.rules import MemberState
from core.sites.service import (
    Membership,
    SiteCard,
    SiteNotFoundError,
    SiteWithoutContractorError,
    get_membership,
    get_site,
    lock_site,
)
from core.workplaces.rules import Face

MAX_MEMBERS: Final = 20
_STANDING: Final = (MemberState.OFFERED.value, MemberState.ACTIVE.value)


class TooManyMembersError(ConflictError):
    """More people report for the site or are invited to than one list holds; fact: `max`."""

    code = "too_many_members"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteInvitationCard:
    """What somebody who opened an invitation may see of it."""

    site: SiteCard
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCard:
    """Somebody who reports for a site, or is invited to, masked.

    Attributes:
        ends_at: until when an invitation can be confirmed; None once it was.
        is_over: an invitation that nobody confirmed in time.
    """

    id: int
    contractor: str
    name_masked: str
    phone_masked: str
    state: MemberState
    offered_at: datetime
    ends_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    is_over: bool


def invite_member(
    session: Session, *, site_id: int, name: str, phone: str, actor: str, now: datetime
) -> Invitation:
    """Invite somebody of the contractor to report for a site; naming them again replaces it.

    Args:
        session: the session of the request.
        site_id: in the area of duty of the caller.
        name: normalised, as `name_of` returns it.
        phone: E.164, as `phone_of` returns it.
        actor: who invites, as `staff:3`.
        now: aware instant.

    Raises:
        SiteNotFoundError: there is no such site.
        SiteWithoutContractorError: nobody builds there.
        TooManyMembersError: the list is full.
    """
    site = lock_site(session, site_id=site_id)
    if site.contract_id is None:
        raise SiteWithoutContractorError
    _make_room(session, site, name=name, phone=phone, actor=actor, now=now)
    token = new_token(column=INVITATION_COLUMN, now=now)
    member = SiteMember(
        contract_id=site.contract_id,
        state=MemberState.OFFERED.value,
        name=name,
        phone=phone,
        invitation_hash=token.digest,
        invitation_ends_at=token.ends_at,
        invited_by=actor,
        offered_at=now,
    )
    session.add(member)
    session.flush()
    _record(session, member, site.id, action="site_member_invited", actor=actor, now=now)
    return Invitation(id=member.id, token=token.text, ends_at=token.ends_at)


def _make_room(
    session: Session, site: SiteCard, *, name: str, phone: str, actor: str, now: datetime
) -> None:
    """End invitations that this one replaces or that ended by themselves, and count the rest."""
    standing = session.scalars(
        select(SiteMember).where(
            SiteMember.contract_id == site.contract_id, SiteMember.state.in_(_STANDING)
        )
    ).all()
    same = (name_key(name), phone)
    replaced = [
        one
        for one in standing
        if one.state == MemberState.OFFERED.value
        and ((name_key(one.name), one.phone) == same or _is_over(one, now))
    ]
    _end(session, replaced, site_id=site.id, actor=actor, now=now)
    if len(standing) - len(replaced) >= MAX_MEMBERS:
        raise TooManyMembersError(max=MAX_MEMBERS)


def get_site_invitation(session: Session, *, token: str, now: datetime) -> SiteInvitationCard:
    """Return an invitation that can be confirmed.

    Raises:
        InvitationNotFoundError: there is none with this token.
        InvitationOverError: it was used, taken back, or is too old.
    """
    member, contract = _invited(session, token)
    _check_open(member, contract, now=now)
    return SiteInvitationCard(
        site=get_site(session, site_id=contract.site_id), ends_at=member.invitation_ends_at or now
    )


def find_site_confirmed(session: Session, *, openid: str, token: str) -> int | None:
    """Return the site for which the person confirmed this very invitation before."""
    return session.scalar(
        select(SiteContract.site_id)
        .join(SiteMember, SiteMember.contract_id == SiteContract.id)
        .join(Person, Person.id == SiteMember.person_id)
        .where(
            SiteMember.invitation_hash.in_(token_hashes_of(token, column=INVITATION_COLUMN)),
            SiteMember.state == MemberState.ACTIVE.value,
            Person.openid == openid,
        )
    )


def confirm_member(
    session: Session, *, openid: str, token: str, name: str, now: datetime
) -> Membership:
    """Let a person report for a site, by the name under which they were invited.

    The same person again gets the same; somebody who reports for it already goes on as one.

    Args:
        session: the session of the request.
        openid: who opened the invitation.
        token: of the invitation.
        name: normalised, as `name_of` returns it; spelling differences do not matter.
        now: aware instant.

    Raises:
        InvitationNotFoundError: there is none with this token.
        InvitationOverError: it was used by somebody else, taken back, or is too old.
        InvitationNameError: somebody of another name was invited.
    """
    site_id = _invited(session, token)[1].site_id
    lock_site(session, site_id=site_id)
    member, contract = _invited(session, token)  # anew: it may have changed before the lock
    person = register_person(session, openid=openid, now=now)
    is_theirs = member.state == MemberState.ACTIVE.value and member.person_id == person.id
    if not is_theirs:
        _check_open(member, contract, now=now)
        if name_key(name) != name_key(member.name):
            raise InvitationNameError
        former = session.scalars(
            select(SiteMember).where(
                SiteMember.contract_id == contract.id,
                SiteMember.person_id == person.id,
                SiteMember.state == MemberState.ACTIVE.value,
            )
        ).all()
        actor = f"person:{person.id}"
        _end(session, former, site_id=site_id, actor=actor, now=now)
        session.flush()
        member.confirm(person_id=person.id, now=now)
        session.flush()
        give_consent(session, person_id=person.id, purpose=Purpose.RETURN_TO_WORK, now=now)
        _record(session, member, site_id, action="site_member_confirmed", actor=actor, now=now)
    return get_membership(session, openid=openid, site_id=site_id)


def end_member(
    session: Session, *, site_id: int, member_id: int, actor: str, now: datetime
) -> bool:
    """End that somebody reports for a site, or an invitation; return whether it stood.

    Raises:
        SiteNotFoundError: there is no such site, or nobody like that there.
    """
    lock_site(session, site_id=site_id)
    member = session.scalar(
        select(SiteMember)
        .join(SiteContract, SiteContract.id == SiteMember.contract_id)
        .where(SiteMember.id == member_id, SiteContract.site_id == site_id)
        .execution_options(populate_existing=True)
    )
    if member is None:
        raise SiteNotFoundError
    if member.state not in _STANDING:
        return False
    _end(session, [member], site_id=site_id, actor=actor, now=now)
    return True


def reseal_members(session: Session) -> int:
    """Encrypt anew what an older key of the ring sealed; return how many members.

    Invitations cannot be hashed anew: one that was made under a key that is gone is over.
    """
    return reseal_rows(session, SiteMember, names=("name", "phone"))


def end_memberships_of(session: Session, *, openid: str, now: datetime) -> int:
    """End all that a person reports for, forget their name and phone; return how many sites.

    Comes before `forget_person`: an active member is somebody.
    """
    rows = session.execute(
        select(SiteMember, SiteContract.site_id)
        .join(SiteContract, SiteContract.id == SiteMember.contract_id)
        .join(Person, Person.id == SiteMember.person_id)
        .where(Person.openid == openid)
    ).all()
    standing = [(member, site_id) for member, site_id in rows if member.state in _STANDING]
    for member, site_id in standing:
        actor = f"person:{member.person_id}"
        _end(session, [member], site_id=site_id, actor=actor, now=now)
    for member, _ in rows:
        member.name, member.phone = "", ""
    session.flush()
    return len(standing)


def end_members_of(session: Session, *, contract: SiteContract, actor: str, now: datetime) -> int:
    """End all that rests on a contract that is over; return how many people and invitations."""
    standing = session.scalars(
        select(SiteMember)
        .where(SiteMember.contract_id == contract.id, SiteMember.state.in_(_STANDING))
        .order_by(SiteMember.id)
    ).all()
    _end(session, standing, site_id=contract.site_id, actor=actor, now=now)
    return len(standing)


def list_members(session: Session, *, site_id: int, now: datetime) -> list[MemberCard]:
    """Return who reports or reported for a site or was invited to, the newest first."""
    rows = session.execute(
        select(SiteMember, SiteContract.contractor)
        .join(SiteContract, SiteContract.id == SiteMember.contract_id)
        .where(SiteContract.site_id == site_id)
        .order_by(SiteMember.id.desc())
    )
    return [
        MemberCard(
            id=member.id,
            contractor=contractor,
            name_masked=mask_name(member.name),
            phone_masked=mask_phone(member.phone),
            state=MemberState(member.state),
            offered_at=member.offered_at,
            ends_at=member.invitation_ends_at
            if member.state == MemberState.OFFERED.value
            else None,
            confirmed_at=member.confirmed_at,
            ended_at=member.ended_at,
            is_over=member.state == MemberState.OFFERED.value and _is_over(member, now),
        )
        for member, contractor in rows
    ]


def _invited(session: Session, token: str) -> tuple[SiteMember, SiteContract]:
    row = session.execute(
        select(SiteMember, SiteContract)
        .join(SiteContract, SiteContract.id == SiteMember.contract_id)
        .where(SiteMember.invitation_hash.in_(token_hashes_of(token, column=INVITATION_COLUMN)))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise InvitationNotFoundError
    member, contract = row
    return member, contract


def _check_open(member: SiteMember, contract: SiteContract, *, now: datetime) -> None:
    is_offered = member.state == MemberState.OFFERED.value
    if not is_offered or contract.until is not None or _is_over(member, now):
        raise InvitationOverError


def _is_over(member: SiteMember, now: datetime) -> bool:
    return member.invitation_ends_at is None or member.invitation_ends_at <= now


def _end(
    session: Session, members: Sequence[SiteMember], *, site_id: int, actor: str, now: datetime
) -> None:
    for member in members:
        member.end(now=now)
        _record(session, member, site_id, action="site_member_ended", actor=actor, now=now)
    session.flush()


def _record(
    session: Session, member: SiteMember, site_id: int, *, action: str, actor: str, now: datetime
) -> None:
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=subject_of(site_id, face=Face.SITE),
        member_id=member.id,
    )
