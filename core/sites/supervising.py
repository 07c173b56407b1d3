"""Who watches which sites, and whom at a site they can call."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.cases.contacts import Contact
from core.people.names import mask_name
from core.sites.model import Site, SiteContract, SiteMember
from core.sites.rules import MemberState


def list_supervised(session: Session, *, staff_id: int) -> list[int]:
    """Return the sites that an account watches, by id."""
    rows = select(Site.id).where(Site.supervisor_id == staff_id).order_by(Site.id)
    return list(session.scalars(rows))


def list_supervisors(session: Session, site_ids: Collection[int]) -> dict[int, int]:
    """Return the accounts that watch some sites, by site; one that nobody watches is left out."""
    rows = session.execute(
        select(Site.id, Site.supervisor_id).where(
            Site.id.in_(site_ids), Site.supervisor_id.is_not(None)
        )
    )
    return {site_id: staff_id for site_id, staff_id in rows if staff_id is not None}


def list_contacts(session: Session, *, site_id: int) -> list[Contact]:
    """Return who reports for a site at present and has a phone, those who came first before."""
    rows = session.execute(
        select(SiteContract.contractor, SiteMember.name, SiteMember.phone)
        .join(SiteMember, SiteMember.contract_id == SiteContract.id)
        .where(
            SiteContract.site_id == site_id,
            SiteContract.until.is_(None),
            SiteMember.state == MemberState.ACTIVE.value,
        )
        .order_by(SiteMember.id)
    )
    return [
        Contact(organisation=row.contractor, name_masked=mask_name(row.name), phone=row.phone)
        for row in rows
        if row.phone
    ]
