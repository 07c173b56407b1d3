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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime
from core.registration.answers import NO_ANSWERS
from core.registration.rules import Group, RegistrationState

# The hashes of these columns are searched; see `Keyring.lookup_hashes`.
NAME_COLUMN = "registration.name"
DOCUMENT_COLUMN = "registration.document"
PHONE_COLUMN = "registration.phone"

_STANDS = text("state <> 'ended'")


class Registration(Base):
    """A person's registration with one workplace; one row per workplace and document.

    `answers` is a document of what they reported about their health and ways (see `Answers`).
    `version` counts every change, so that a decision over a frozen list can tell what changed.
    """

    __tablename__ = "registration"
    __table_args__ = (
        # In this order it also finds a document in whichever workplace.
        UniqueConstraint("document_hash", "workplace_id"),
        CheckConstraint(
            "state IN ('submitted', 'returned', 'approved', 'rejected', 'ended')", name="state"
        ),
        CheckConstraint("flag_group IN ('fine', 'look', 'cannot')", name="flag_group"),
        CheckConstraint(
            "document_kind IN ('resident_id', 'residence_permit', 'permanent_residence',"
            " 'travel_permit', 'passport')",
            name="document_kind",
        ),
        # One person has one registration with a workplace, even if two requests name two documents.
        Index(
            "uq_registration_person",
            "workplace_id",
            "person_id",
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
        # With the department at its end the counts of a sheet need no row.
        Index("ix_registration_sheet", "workplace_id", "state", "flag_group", "id", "department"),
        Index("ix_registration_state_changed_at", "state", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    workplace_id: Mapped[int] = mapped_column(ForeignKey("workplace.id"))
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
    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    document_kind: Mapped[str] = mapped_column(String(20))
    document: Mapped[str] = mapped_column(EncryptedText(DOCUMENT_COLUMN))
    document_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    phone: Mapped[str] = mapped_column(EncryptedText(PHONE_COLUMN))
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL"), index=True
    )
    answers: Mapped[str] = mapped_column(EncryptedText("registration.answers"))
    consent: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(300), default="")
    # The version of the list of key areas by which the stays are, or are not, flagged. Who is
    # not flagged keeps that of their report: each later list within 14 days found nothing either.
    key_area_list_id: Mapped[int | None] = mapped_column(ForeignKey("key_area_list.id"))
    # Without an index: a decision changes thousands of rows at once, in every index of them.
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def send_again(self, *, now: datetime) -> None:
        """Put it before the owner anew, whatever was decided about it before."""
        self.state = RegistrationState.SUBMITTED.value
        self.version += 1
        self.changed_at = now
        self.decided_at = self.decision_id = self.ended_at = None
        self.reason = ""

    def end(self, *, now: datetime) -> None:
        """End it and drop what was reported; who it was about stays as the record.

        Raises:
            ValueError: it is over already, a bug in the caller.
        """
        if self.state == RegistrationState.ENDED.value:
            raise ValueError("a registration ends once")
        self.state = RegistrationState.ENDED.value
        self.version += 1
        self.changed_at = self.ended_at = now
        self.answers, self.department, self.reason = NO_ANSWERS, "", ""
        self.community_id = None
        self.flags, self.flag_group = [], Group.FINE.value


class RegistrationDraft(Base):
    """What somebody typed so far, word for word: a conversation goes on where it stopped."""

    __tablename__ = "registration_draft"
    __table_args__ = (UniqueConstraint("person_id", "workplace_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    workplace_id: Mapped[int] = mapped_column(ForeignKey("workplace.id", ondelete="CASCADE"))
    code_id: Mapped[int | None] = mapped_column(ForeignKey("entry_code.id"))
    typed: Mapped[str] = mapped_column(EncryptedText("registration_draft.typed"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
