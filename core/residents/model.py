"""Tables of residents and of where they live, since when and until when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime

HASH_BYTES = 32
# The hashes of these columns are searched; see `Keyring.lookup_hashes`.
PERSON_COLUMN = "resident.id_hash"
PLACE_COLUMN = "residence.place"


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
    what it wrote: work for an officer. Once they placed it, `place` stays: the same words in the
    next file mean the same.
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
        # Who lives where is read from these alone, by person and by community.
        Index("ix_residence_resident_id", "resident_id", "from_day", "until_day", "community_id"),
        Index("ix_residence_community_id", "community_id", "resident_id", "from_day", "until_day"),
        # The work-list is short; an index of it alone stays small.
        Index(
            "ix_residence_unplaced",
            "place_hash",
            "id",
            sqlite_where=text("community_id IS NULL AND until_day IS NULL"),
            postgresql_where=text("community_id IS NULL AND until_day IS NULL"),
        ),
        # So are the places that somebody found by hand.
        Index(
            "ix_residence_place_hash",
            "place_hash",
            sqlite_where=text("place_hash IS NOT NULL"),
            postgresql_where=text("place_hash IS NOT NULL"),
        ),
        CheckConstraint("until_day IS NULL OR until_day > from_day", name="until_day"),
        CheckConstraint("(place IS NULL) = (place_hash IS NULL)", name="place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id", ondelete="CASCADE"))
    community_id: Mapped[int | None] = mapped_column(
        ForeignKey("community.id", ondelete="SET NULL")
    )
    # An address, and its keyed hash, by which the same words are found again.
    place: Mapped[str | None] = mapped_column(EncryptedText(PLACE_COLUMN))
    place_hash: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_BYTES))
    # Where the words point to, without being sure: who is asked to place them.
    likely_id: Mapped[int | None] = mapped_column(ForeignKey("community.id", ondelete="SET NULL"))
    likely_street_id: Mapped[int | None] = mapped_column(ForeignKey("street.id"))
    from_day: Mapped[date] = mapped_column(Date)
    until_day: Mapped[date | None] = mapped_column(Date)
