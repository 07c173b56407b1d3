"""Tables of registrations and of those not finished yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime

# The hashes of these columns are searched; see `Keyring.lookup_hashes`.
NAME_COLUMN = "registration.name"
DOCUMENT_COLUMN = "registration.document"
PHONE_COLUMN = "registration.phone"


class Registration(Base):
    """A person's registration with one company; one row per company and document.

    `answers` is a document of what they reported about their health and ways (see `Answers`).
    `version` counts every change, so that a decision over a frozen list can tell what changed.
    """

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("company_id", "document_hash"),
        CheckConstraint(
            "state IN ('submitted', 'returned', 'approved', 'rejected', 'ended')", name="state"
        ),
        CheckConstraint("flag_group IN ('fine', 'look', 'cannot')", name="flag_group"),
        CheckConstraint(
            "document_kind IN ('resident_id', 'residence_permit', 'permanent_residence',"
            " 'travel_permit', 'passport')",
            name="document_kind",
        ),
        Index("ix_registration_sheet", "company_id", "state", "flag_group", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    code_id: Mapped[int | None] = mapped_column(ForeignKey("entry_code.id"), index=True)
    # Empty where an owner or an officer entered it for somebody without the app.
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", ondelete="SET NULL"), index=True
    )
    entered_by: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    flag_group: Mapped[str] = mapped_column(String(8))
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(Integer, default=1)
    department: Mapped[str] = mapped_column(String(50), default="")
    name: Mapped[str] = mapped_column(EncryptedText(NAME_COLUMN))
    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    document_kind: Mapped[str] = mapped_column(String(20))
    document: Mapped[str] = mapped_column(EncryptedText(DOCUMENT_COLUMN))
    document_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    phone: Mapped[str] = mapped_column(EncryptedText(PHONE_COLUMN))
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL"), index=True
    )
    answers: Mapped[str] = mapped_column(EncryptedText("registration.answers"))
    consent: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(300), default="")
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), index=True)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RegistrationDraft(Base):
    """What somebody typed so far, word for word: a conversation goes on where it stopped."""

    __tablename__ = "registration_draft"
    __table_args__ = (UniqueConstraint("person_id", "company_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"))
    code_id: Mapped[int | None] = mapped_column(ForeignKey("entry_code.id"))
    typed: Mapped[str] = mapped_column(EncryptedText("registration_draft.typed"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
