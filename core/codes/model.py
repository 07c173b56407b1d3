"""The table of codes to scan."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import flag_modified

from core.codes.rules import RetiredReason
from core.db import Base, EncryptedText, UtcDateTime, lookup_hash

ADDRESS_COLUMN = "account_code.address"
# The hash of this column is searched; see `Keyring.lookup_hashes`.
TOKEN_COLUMN = "entry_code.token"  # noqa: S105  the name of a column


class EntryCode(Base):
    """A code that people scan to register with its subject, `company:7`; at most one is live.

    Who reads the database must not be able to print a working code: the token is encrypted.
    """

    __tablename__ = "entry_code"
    __table_args__ = (
        CheckConstraint(
            "retired_reason IN ('rotated', 'retired', 'owner_changed', 'reported', 'expired')",
            name="retired_reason",
        ),
        CheckConstraint("(retired_at IS NULL) = (retired_reason IS NULL)", name="retired"),
        CheckConstraint("(report_count = 0) = (reported_at IS NULL)", name="reported"),
        Index(
            "uq_entry_code_live",
            "subject",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        # Whoever doubts a poster reads it out, or types it into the chat.
        Index(
            "ix_entry_code_check_code",
            "check_code",
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    token: Mapped[str] = mapped_column(EncryptedText(TOKEN_COLUMN))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    # Short enough to be read out on the phone: whoever doubts a poster compares it.
    check_code: Mapped[str] = mapped_column(String(8))
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_reason: Mapped[str | None] = mapped_column(String(16))
    report_count: Mapped[int] = mapped_column(Integer, default=0)
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def retire(self, *, reason: RetiredReason, at: datetime) -> None:
        """End the code.

        Raises:
            RuntimeError: it has ended before, a bug in the caller.
        """
        if self.retired_at is not None:
            raise RuntimeError("a code ends once")
        self.retired_at = at
        self.retired_reason = reason.value

    def seal(self, token: str) -> None:
        """Encrypt and hash the token by the newest key."""
        self.token_hash = lookup_hash(token, column=TOKEN_COLUMN)
        # The same text would be no change to the mapper.
        flag_modified(self, "token")


class AccountCode(Base):
    """A code of the official account: whoever scans it follows, or is in the chat already.

    Attributes:
        subject: `account`, or `code:7` for the entry code 7, whose token is its scene.
        address: what the picture holds; that of an entry code works like its token.
        expires_at: when the platform forgets it; None: never.
    """

    __tablename__ = "account_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), unique=True)
    address: Mapped[str] = mapped_column(EncryptedText(ADDRESS_COLUMN))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
