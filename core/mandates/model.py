"""Tables of mandates, and of companies that the register does not have yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime

# The hashes of these columns are searched; see `Keyring.lookup_hashes`.
INVITATION_COLUMN = "mandate.invitation"
CLAIM_OWNER_ID_COLUMN = "company_claim.owner_id"


class Mandate(Base):
    """That a person acts for a company; ended, not deleted.

    An owner's is active from the match with the register on. A filler and a manager are offered
    theirs by the owner, with an invitation, and confirm it by their name. A new owner who takes
    over what a former one left has theirs offered until they confirm that; one who proves to be
    the owner from another account, until `waits_until`.

    `owner_change_id` is the register's newest change of owner that was known then, 0 for none:
    whatever came later, under whichever instant it was recorded, ends what the former owner gave.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint("kind IN ('owner', 'filler', 'manager')", name="kind"),
        CheckConstraint("state IN ('offered', 'active', 'ended')", name="state"),
        CheckConstraint("state <> 'active' OR person_id IS NOT NULL", name="active"),
        CheckConstraint("(kind = 'manager') = (department <> '')", name="department"),
        Index(
            "uq_mandate_owner",
            "company_id",
            unique=True,
            sqlite_where=text("kind = 'owner' AND state = 'active'"),
            postgresql_where=text("kind = 'owner' AND state = 'active'"),
        ),
        Index(
            "uq_mandate_active",
            "company_id",
            "person_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index(
            "ix_mandate_waits_until",
            "waits_until",
            sqlite_where=text("waits_until IS NOT NULL AND state = 'offered'"),
            postgresql_where=text("waits_until IS NOT NULL AND state = 'offered'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    # Whoever withdraws their authorisation is forgotten; what they did stays done.
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    department: Mapped[str] = mapped_column(String(50), default="")
    name: Mapped[str] = mapped_column(EncryptedText("mandate.name"))
    phone: Mapped[str | None] = mapped_column(EncryptedText("mandate.phone"))
    owner_change_id: Mapped[int] = mapped_column(Integer, default=0)
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    invitation_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    offered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    waits_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_reason: Mapped[str | None] = mapped_column(String(32))


class CompanyClaim(Base):
    """A company that its owner says exists, with its licence; a reviewer checks and registers it.

    `held_by` is the reviewer who has it open, so that two are never on the same one unawares.
    """

    __tablename__ = "company_claim"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name="state"),
        CheckConstraint("length(uscc) = 18", name="uscc"),
        Index(
            "uq_company_claim_waiting",
            "person_id",
            "uscc",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_company_claim_state_created_at", "state", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", ondelete="SET NULL"), index=True
    )
    uscc: Mapped[str] = mapped_column(String(18), index=True)
    name: Mapped[str] = mapped_column(String(100))
    owner_name: Mapped[str] = mapped_column(EncryptedText("company_claim.owner_name"))
    owner_id_kind: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[str] = mapped_column(EncryptedText(CLAIM_OWNER_ID_COLUMN))
    address: Mapped[str] = mapped_column(String(200))
    street_id: Mapped[int] = mapped_column(ForeignKey("street.id"), index=True)
    industry: Mapped[str] = mapped_column(String(50))
    licence_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(300), default="")
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    held_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
