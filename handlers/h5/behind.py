"""What stands behind a scanned code: a company or a construction site."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.codes.rules import workplace_of
from core.codes.service import CodeCard, CodeNotFoundError, get_code
from core.mandates.service import list_people_to_tell
from core.registry.service import get_company
from core.resumption.filing.service import find_filing
from core.sites.reminding import site_path
from core.sites.service import get_site, list_people_of
from core.workplaces.rules import Face
from handlers.h5.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A code, and what whoever scans it may know of the place before anything is asked.

    Attributes:
        answers: who answers for it: a company's masked owner, a site's general contractor.
        number: of a company's filing, or of a site in its register; None: none yet.
    """

    card: CodeCard
    face: Face
    id: int
    name: str
    address: str
    answers: str
    number: str | None

    @property
    def page(self) -> str:
        """The path at which those who act for the place look after its code."""
        if self.face is Face.SITE:
            return f"{site_path(self.id)}/code"
        return f"/h5/company/{self.id}/code"


def behind(visit: Visit) -> Behind:
    """Return the code of the address with its place.

    Raises:
        CodeNotFoundError: there is no such code, or it is of no such place.
    """
    session = visit.reading()
    card = get_code(session, token=visit.params["token"])
    place = workplace_of(card.subject)
    if place is not None and place[0] is Face.COMPANY:
        return _company(session, card, place[1])
    if place is not None and place[0] is Face.SITE:
        return _site(session, card, place[1])
    raise CodeNotFoundError


def list_told(session: Session, place: Behind) -> list[str]:
    """Return the openids of those who hear of a code that somebody finds suspicious."""
    if place.face is Face.SITE:
        return list_people_of(session, site_id=place.id)
    return list_people_to_tell(session, company_id=place.id)


def _company(session: Session, card: CodeCard, company_id: int) -> Behind:
    filing = find_filing(session, company_id=company_id)
    company = filing.company if filing else get_company(session, company_id=company_id)
    return Behind(
        card=card,
        face=Face.COMPANY,
        id=company_id,
        name=company.name,
        address=company.address,
        answers=company.owner_masked,
        number=filing.number if filing else None,
    )


def _site(session: Session, card: CodeCard, site_id: int) -> Behind:
    site = get_site(session, site_id=site_id)
    return Behind(
        card=card,
        face=Face.SITE,
        id=site_id,
        name=site.name,
        address=site.address,
        answers=site.contractor,
        number=site.number,
    )
