"""Use cases of sites: find one, find those that a person reports for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.errors import ConflictError, NotFoundError
from core.people.model import Person
from core.people.staff.model import StaffAccount
from core.places.model import Street
from core.sites.model import Site, SiteContract, SiteMember, SiteReport
from core.sites.rules import MemberState, ReportState
from core.workplaces.rules import WorkplaceState, is_running


class SiteNotFoundError(NotFoundError):
    """There is no such site, or it is not for this person."""

    code = "site_not_found"


class SiteRestingError(ConflictError):
    """Nobody works at the site at present, as its register says."""

    code = "site_resting"


class SiteWithoutContractorError(ConflictError):
    """No general contractor builds at the site at present: nobody can report for it."""

    code = "site_without_contractor"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCard:
    """A site as pages and conversations may show it.

    Attributes:
        number: in the register.
        contract_id: of the contract that runs; None: nobody builds.
        contractor: whose it is; empty: nobody's.
        supervisor: how pages call who watches it; empty: nobody does.
        planned: head count, as the register plans it; None: not known.
        point: longitude and latitude, degrees, GCJ-02; None: not known.
    """

    id: int
    number: str
    name: str
    project: str
    address: str
    street: str
    street_id: int
    state: WorkplaceState
    contract_id: int | None
    contractor: str
    supervisor_id: int | None
    supervisor: str
    planned: int | None
    point: tuple[float, float] | None

    @property
    def is_running(self) -> bool:
        """Whether anybody works there at all."""
        return is_running(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """That a person reports for a site.

    Attributes:
        actor: how the audit log calls them.
        reported_on: the newest day of which a report stands; None: there is none.
    """

    member_id: int
    person_id: int
    site: SiteCard
    reported_on: date | None

    @property
    def actor(self) -> str:
        """How the audit log calls them."""
        return f"person:{self.person_id}"

    def has_reported(self, now: datetime) -> bool:
        """Return whether a report of the day of an instant stands."""
        return self.reported_on == day_of(now)


def get_site(session: Session, *, site_id: int) -> SiteCard:
    """Return the site with this id.

    Raises:
        SiteNotFoundError: there is none.
    """
    row = session.execute(site_rows().where(Site.id == site_id)).one_or_none()
    if row is None:
        raise SiteNotFoundError
    return card_of(row)


def list_memberships(session: Session, *, openid: str) -> list[Membership]:
    """Return the sites that a person reports for, by name.

    Args:
        session: may be a reading one.
        openid: the person.
    """
    reported_on = (
        select(SiteReport.day)
        .where(SiteReport.site_id == Site.id, SiteReport.state == ReportState.STANDING.value)
        .order_by(SiteReport.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        site_rows()
        .add_columns(SiteMember.id, SiteMember.person_id, reported_on.label("reported_on"))
        .join(SiteMember, SiteMember.contract_id == SiteContract.id)
        .join(Person, Person.id == SiteMember.person_id)
        .where(Person.openid == openid, SiteMember.state == MemberState.ACTIVE.value)
        .order_by(Site.name, Site.id)
    )
    return [
        Membership(
            member_id=row[-3], person_id=row[-2], site=card_of(row), reported_on=row.reported_on
        )
        for row in rows
    ]


def get_membership(session: Session, *, openid: str, site_id: int) -> Membership:
    """Return that a person reports for a site.

    Raises:
        SiteNotFoundError: there is no such site, or they do not report for it.
    """
    for one in list_memberships(session, openid=openid):
        if one.site.id == site_id:
            return one
    raise SiteNotFoundError


def list_people_of(session: Session, *, site_id: int) -> list[str]:
    """Return the openids of those who report for a site at present, by the age of their part."""
    rows = session.scalars(
        select(Person.openid)
        .join(SiteMember, SiteMember.person_id == Person.id)
        .join(SiteContract, SiteContract.id == SiteMember.contract_id)
        .where(
            SiteContract.site_id == site_id,
            SiteContract.until.is_(None),
            SiteMember.state == MemberState.ACTIVE.value,
        )
        .order_by(SiteMember.id)
    )
    return list(rows)


# ---- what the other use cases share ----------------------------------------------------------


def site_rows() -> Select[*tuple[Any, ...]]:
    """Return the statement that finds sites, each with its contract and its supervisor."""
    return (
        select(Site, SiteContract, StaffAccount.display_name.label("supervisor"), Street.name)
        .join(Street, Street.id == Site.street_id)
        .outerjoin(SiteContract, (SiteContract.site_id == Site.id) & SiteContract.until.is_(None))
        .outerjoin(StaffAccount, StaffAccount.id == Site.supervisor_id)
    )


def card_of(row: Any) -> SiteCard:
    """Return a row of `site_rows` as pages may show it."""
    site: Site = row[0]
    contract: SiteContract | None = row[1]
    has_point = site.longitude is not None and site.latitude is not None
    return SiteCard(
        id=site.id,
        number=site.number,
        name=site.name,
        project=site.project,
        address=site.address,
        street=row[3],
        street_id=site.street_id,
        state=WorkplaceState(site.state),
        contract_id=None if contract is None else contract.id,
        contractor="" if contract is None else contract.contractor,
        supervisor_id=site.supervisor_id,
        supervisor=row.supervisor or "",
        planned=site.head_count,
        point=(site.longitude or 0.0, site.latitude or 0.0) if has_point else None,
    )


def lock_site(session: Session, *, site_id: int) -> SiteCard:
    """Return a site, and let nobody else change its reports or members until the end.

    Raises:
        SiteNotFoundError: there is none.
    """
    table = Site.__table__
    session.execute(select(table.c.id).where(table.c.id == site_id).with_for_update())
    return get_site(session, site_id=site_id)
