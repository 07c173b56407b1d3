"""Use cases of the register: find a company, match an owner, tell what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring
from core.errors import NotFoundError
from core.people.documents import Document
from core.people.names import mask_name, name_key
from core.registry.model import (
    OWNER_ID_COLUMN,
    OWNER_NAME_COLUMN,
    Company,
    CompanyChange,
    update_by_id,
)
from core.registry.rules import ENDED_STATES, CompanyKind, CompanyState, Field, is_in_business
from core.workplaces.model import KNOWN_ID

REGISTER = "register:companies"


class CompanyNotFoundError(NotFoundError):
    """The register has no such company."""

    code = "company_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCard:
    """A company as pages and conversations may show it; of its owner one character."""

    id: int
    uscc: str
    name: str
    kind: CompanyKind
    state: CompanyState
    street: str
    street_id: int
    address: str
    industry: str
    owner_masked: str

    @property
    def is_in_business(self) -> bool:
        """Whether it may file, hire and approve."""
        return is_in_business(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerKey:
    """What an owner is found by, of which nothing can be read: keyed hashes, the newest first."""

    name_hashes: tuple[bytes, ...] = field(repr=False)
    id_hashes: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchResult:
    """The companies that a name and a document's number stand for together.

    Empty when either half is wrong, and it does not say which.
    """

    companies: tuple[CompanyCard, ...]

    @property
    def is_matched(self) -> bool:
        """Whether the register knows the pair."""
        return bool(self.companies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a company's history; old and new are None for what is personal."""

    at: datetime
    field: Field
    old: str | None
    new: str | None


def get_company(session: Session, *, company_id: int) -> CompanyCard:
    """Return the company with this id.

    Raises:
        CompanyNotFoundError: there is none.
    """
    company = session.get(Company, company_id)
    if company is None:
        raise CompanyNotFoundError
    return card_of(company)


def find_company_by_uscc(session: Session, *, uscc: str) -> CompanyCard | None:
    """Return the company with a normalised code; see `uscc_of` for what people type."""
    company = session.scalar(select(Company).where(Company.uscc == uscc))
    return None if company is None else card_of(company)


def owner_key_of(*, name: str, number: str) -> OwnerKey:
    """Return what an owner with this name and document number is found by.

    Args:
        name: normalised, as `name_of` returns it.
        number: normalised, as a `Document` has it. Its kind does not count: registers often have
            none, or a wrong one.
    """
    ring = keyring()
    return OwnerKey(
        name_hashes=tuple(ring.lookup_hashes(name_key(name), column=OWNER_NAME_COLUMN)),
        id_hashes=tuple(ring.lookup_hashes(number, column=OWNER_ID_COLUMN)),
    )


def list_companies_of(session: Session, *, owner: OwnerKey) -> list[CompanyCard]:
    """Return the companies of an owner by name, whatever their state.

    Name and number are looked for in one statement: nobody can learn from its time or its result
    which of the two was wrong. Whoever asks on behalf of a person records it, as `match_owner`.
    """
    rows = session.scalars(
        select(Company)
        .where(
            Company.owner_id_hash.in_(owner.id_hashes),
            Company.owner_name_hash.in_(owner.name_hashes),
        )
        .order_by(Company.name, Company.id)
    )
    return [card_of(company) for company in rows]


def match_owner(
    session: Session, *, name: str, document: Document, actor: str, now: datetime
) -> MatchResult:
    """Return the companies that a person may act for, and record that somebody asked.

    A pair that does not match is no exception: the look-up must stay on record, and an exception
    would take it back.

    Args:
        session: the session of the request.
        name: normalised, as `name_of` returns it.
        document: as `document_of` returns it.
        actor: who asks, for example `person:7`.
        now: aware instant.
    """
    owner = owner_key_of(name=name, number=document.number)
    companies = tuple(list_companies_of(session, owner=owner))
    action = "owner_matched" if companies else "owner_refused"
    for subject in [f"company:{company.id}" for company in companies] or [REGISTER]:
        record(
            session,
            now=now,
            actor=actor,
            action=action,
            subject=subject,
            document_kind=document.kind.value,
        )
    return MatchResult(companies=companies)


def has_owner_changed(session: Session, *, company_id: int, since: datetime) -> bool:
    """Return whether another person came to stand for a company after an instant."""
    change = select(CompanyChange.id).where(
        CompanyChange.company_id == company_id,
        CompanyChange.field == Field.OWNER.value,
        CompanyChange.at > since,
    )
    return session.execute(change.limit(1)).first() is not None


def list_changes(session: Session, *, company_id: int, limit: int = 50) -> list[Change]:
    """Return what changed about a company, newest first."""
    rows = session.scalars(
        select(CompanyChange)
        .where(CompanyChange.company_id == company_id)
        .order_by(CompanyChange.at.desc(), CompanyChange.id.desc())
        .limit(limit)
    )
    return [Change(at=row.at, field=Field(row.field), old=row.old, new=row.new) for row in rows]


def list_not_seen(session: Session, *, since: datetime) -> list[str]:
    """Return the codes of companies that no file has named since an instant, in order.

    Those that moved away or were deregistered are not expected in a file any more.
    """
    ended = [state.value for state in ENDED_STATES]
    rows = session.scalars(
        select(Company.uscc)
        .where(Company.last_seen_at < since, Company.state.not_in(ended))
        .order_by(Company.uscc)
    )
    return list(rows)


def reseal_owners(session: Session) -> int:
    """Encrypt and hash anew what an older key of the ring sealed; return how many companies.

    Afterwards the older keys are not needed for the register any more.
    """
    ring = keyring()
    sealed = session.execute(
        select(
            Company.id,
            type_coerce(Company.owner_name, LargeBinary),
            type_coerce(Company.owner_id, LargeBinary),
        )
    )
    old = [
        identity
        for identity, *values in sealed
        if not all(ring.is_current(value) for value in values)
    ]
    rows = [_resealed(session.get_one(Company, identity)) for identity in old]
    if rows:
        session.connection().execute(update_by_id(rows[0]), rows)
    return len(rows)


def _resealed(company: Company) -> dict[str, Any]:
    owner = owner_key_of(name=company.owner_name, number=company.owner_id)
    return {
        KNOWN_ID: company.id,
        "owner_name": company.owner_name,
        "owner_name_hash": owner.name_hashes[0],
        "owner_id": company.owner_id,
        "owner_id_hash": owner.id_hashes[0],
    }


def card_of(company: Company) -> CompanyCard:
    """Return a company as pages and conversations may show it."""
    return CompanyCard(
        id=company.id,
        uscc=company.uscc,
        name=company.name,
        kind=CompanyKind(company.kind),
        state=CompanyState(company.state),
        street=company.street.name,
        street_id=company.street_id,
        address=company.address,
        industry=company.industry,
        owner_masked=mask_name(company.owner_name),
    )
