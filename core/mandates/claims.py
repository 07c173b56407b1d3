"""A company that is not in the register: its owner claims it, with its licence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.service import record
from core.errors import ConflictError
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.files.store import FileStore
from core.mandates.model import CompanyClaim
from core.mandates.rules import ClaimState
from core.people.documents import Document, mask_number
from core.people.model import Person
from core.people.names import mask_name
from core.people.rules import Purpose
from core.people.service import give_consent, register_person
from core.people.staff.model import StaffAccount
from core.places.model import Street
from core.registry.service import find_company_by_uscc


class CompanyRegisteredError(ConflictError):
    """The register has a company with this code: its owner proves who they are instead."""

    code = "company_registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimInput:
    """A company as its owner describes it; every part is normalised and within its bounds."""

    uscc: str
    name: str
    owner_name: str = field(repr=False)
    document: Document
    address: str
    street_id: int
    industry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFile:
    """The picture or PDF of a licence, as it was sent."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCard:
    """A claim as its owner and reviewers may see it.

    Attributes:
        licence_id: the file, see `core.files`.
        held_by: the reviewer who has it open, as pages call them; empty: nobody has.
        company_id: the company that was made of it.
    """

    id: int
    uscc: str
    name: str
    owner_masked: str
    document_kind: str
    document_masked: str
    address: str
    street: str
    street_id: int
    industry: str
    licence_id: int
    state: ClaimState
    reason: str
    company_id: int | None
    created_at: datetime
    decided_at: datetime | None
    held_by: str


def submit_claim(
    session: Session,
    *,
    openid: str,
    claim: ClaimInput,
    licence: LicenceFile,
    files: FileStore,
    now: datetime,
) -> ClaimCard:
    """Keep a claim until a reviewer decides; the same person and code again is the first one.

    Raises:
        CompanyRegisteredError: the register has the company.
        FileEmptyError, FileTooLargeError, FileTypeError, FileBrokenError: the licence cannot be
            used.
    """
    if find_company_by_uscc(session, uscc=claim.uscc) is not None:
        raise CompanyRegisteredError
    person = register_person(session, openid=openid, now=now)
    waiting = select(CompanyClaim).where(
        CompanyClaim.person_id == person.id,
        CompanyClaim.uscc == claim.uscc,
        CompanyClaim.state == ClaimState.WAITING.value,
    )
    standing = session.scalar(waiting)
    if standing is not None:
        return claim_card_of(session, standing, now=now)
    try:
        with session.begin_nested():
            row = _new_claim(session, person, claim, licence, files=files, now=now)
            session.add(row)
    except IntegrityError:
        # Sent twice at once; the bytes that were kept for this one are swept, as no row names them.
        return claim_card_of(session, session.scalars(waiting).one(), now=now)
    give_consent(session, person_id=person.id, purpose=Purpose.RETURN_TO_WORK, now=now)
    record_claim(session, row, action="claim_submitted", actor=f"person:{person.id}", now=now)
    return claim_card_of(session, row, now=now)


def _new_claim(
    session: Session,
    person: Person,
    claim: ClaimInput,
    licence: LicenceFile,
    *,
    files: FileStore,
    now: datetime,
) -> CompanyClaim:
    licence_id = keep_file(
        session,
        files=files,
        content=licence.content,
        name=licence.name,
        purpose=FilePurpose.LICENCE,
        actor=f"person:{person.id}",
        now=now,
    )
    return CompanyClaim(
        person_id=person.id,
        uscc=claim.uscc,
        name=claim.name,
        owner_name=claim.owner_name,
        owner_id_kind=claim.document.kind.value,
        owner_id=claim.document.number,
        address=claim.address,
        street_id=claim.street_id,
        industry=claim.industry,
        licence_id=licence_id,
        state=ClaimState.WAITING.value,
        created_at=now,
    )


def list_claims_of(session: Session, *, openid: str, now: datetime) -> list[ClaimCard]:
    """Return the claims of a person, the newest first."""
    rows = session.scalars(
        select(CompanyClaim)
        .join(Person, Person.id == CompanyClaim.person_id)
        .where(Person.openid == openid)
        .order_by(CompanyClaim.created_at.desc(), CompanyClaim.id.desc())
    )
    return [claim_card_of(session, row, now=now) for row in rows]


# ---- what reviewing shares ------------------------------------------------------------------


def reviewer_name(session: Session, staff_id: int | None) -> str:
    """Return how pages call a reviewer; empty without one."""
    account = None if staff_id is None else session.get(StaffAccount, staff_id)
    return account.display_name if account is not None else ""


def record_claim(
    session: Session, claim: CompanyClaim, *, action: str, actor: str, now: datetime
) -> None:
    """Write the audit row of a step of a claim."""
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=f"claim:{claim.id}",
        company_id=claim.company_id,
    )


def claim_card_of(session: Session, claim: CompanyClaim, *, now: datetime) -> ClaimCard:
    """Return what may be seen of a claim at an instant."""
    is_open = claim.held_until is not None and now < claim.held_until
    return ClaimCard(
        id=claim.id,
        uscc=claim.uscc,
        name=claim.name,
        owner_masked=mask_name(claim.owner_name),
        document_kind=claim.owner_id_kind,
        document_masked=mask_number(claim.owner_id),
        address=claim.address,
        street=session.get_one(Street, claim.street_id).name,
        street_id=claim.street_id,
        industry=claim.industry,
        licence_id=claim.licence_id,
        state=ClaimState(claim.state),
        reason=claim.reason,
        company_id=claim.company_id,
        created_at=claim.created_at,
        decided_at=claim.decided_at,
        held_by=reviewer_name(session, claim.held_by) if is_open else "",
    )
