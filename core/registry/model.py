"""Tables of companies and of what changed about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Update,
    bindparam,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.bulk import table_of
from core.db import Base, EncryptedText, UtcDateTime
from core.workplaces.model import KNOWN_ID, Workplace
from core.workplaces.rules import Face

# The hashes of these columns are searched; see `Keyring.lookup_hashes`.
OWNER_NAME_COLUMN = "company.owner_name"
OWNER_ID_COLUMN = "company.owner_id"


class Company(Workplace):
    """A legal person as the district's register has it, with its legal representative (owner).

    Name, address, street and state are those of the workplace that it is.

    `last_seen_at` is when a file last named it; `changed_at` when one last said something new.
    """

    __tablename__ = "company"
    __table_args__ = (
        CheckConstraint("length(uscc) = 18", name="uscc"),
        CheckConstraint(
            "kind IN ('enterprise', 'sole_trader', 'cooperative', 'social', 'public', 'other')",
            name="kind",
        ),
        CheckConstraint(
            "owner_id_kind IN ('resident_id', 'residence_permit', 'permanent_residence',"
            " 'travel_permit', 'passport')",
            name="owner_id_kind",
        ),
        # An owner is looked up by both, so that neither half can be tried out alone.
        Index("ix_company_owner", "owner_id_hash", "owner_name_hash"),
    )

    __mapper_args__ = {"polymorphic_identity": Face.COMPANY.value}  # noqa: RUF012  the mapper's

    id: Mapped[int] = mapped_column(ForeignKey("workplace.id"), primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    owner_name: Mapped[str] = mapped_column(EncryptedText(OWNER_NAME_COLUMN))
    owner_name_hash: Mapped[bytes] = mapped_column(LargeBinary)
    owner_id_kind: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[str] = mapped_column(EncryptedText(OWNER_ID_COLUMN))
    owner_id_hash: Mapped[bytes] = mapped_column(LargeBinary)
    industry: Mapped[str] = mapped_column(String(50))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class CompanyChange(Base):
    """One change of one field; of an owner's data only that they changed."""

    __tablename__ = "company_change"
    __table_args__ = (
        CheckConstraint(
            "field IN ('name', 'address', 'street', 'industry', 'state', 'owner', 'owner_name',"
            " 'owner_id_kind')",
            name="field",
        ),
        CheckConstraint(
            "field NOT IN ('owner', 'owner_name', 'owner_id_kind')"
            " OR (old IS NULL AND new IS NULL)",
            name="private",
        ),
        Index("ix_company_change_company_id_field_at", "company_id", "field", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    field: Mapped[str] = mapped_column(String(16))
    old: Mapped[str | None] = mapped_column(String(200))
    new: Mapped[str | None] = mapped_column(String(200))


def update_by_id(columns: Iterable[str]) -> Update:
    """Return a statement that many companies are changed by; the mapper sends one each.

    Args:
        columns: what its rows have: `KNOWN_ID`, and the columns that get new values; those of
            the workplace are not among them.
    """
    table = table_of(Company)
    values: dict[str, Any] = {name: bindparam(name) for name in columns if name != KNOWN_ID}
    return update(table).where(table.c.id == bindparam(KNOWN_ID)).values(values)
