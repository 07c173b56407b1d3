"""Tables of residents and of where they live, since when and until when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime

HASH_BYTES = 32


class Resident(Base):
    """Somebody in the register or in an epidemic feed; who they are is not kept, only a hash."""

    __tablename__ = "resident"
    __table_args__ = (CheckConstraint("birth_year BETWEEN 1850 AND 2200", name="birth_year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    id_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), unique=True)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Residence(Base):
    """Where a resident lives, from one local day to before another.

    A move ends one row and begins the next, so that the register of any day can be read again.
    Where the register named a place that is no community, `community_id` is None and `place` is
    what it wrote: work for an officer.
    """

    __tablename__ = "residence"
    __table_args__ = (
        Index(
            "uq_residence_standing",
            "resident_id",
            unique=True,
            sqlite_where=text("until_day IS NULL"),
            postgresql_where=text("until_day IS NULL"),
        ),
        Index("ix_residence_resident_id", "resident_id"),
        # The work-list is short; an index of it alone stays small.
        Index(
            "ix_residence_unplaced",
            "id",
            sqlite_where=text("community_id IS NULL"),
            postgresql_where=text("community_id IS NULL"),
        ),
        CheckConstraint("until_day IS NULL OR until_day > from_day", name="until_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id", ondelete="CASCADE"))
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL"), index=True
    )
    place: Mapped[str | None] = mapped_column(EncryptedText("residence.place"))
    from_day: Mapped[date] = mapped_column(Date)
    until_day: Mapped[date | None] = mapped_column(Date)
