"""The dated list of key areas."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime


class KeyArea(Base):
    """A place that is a key area from an instant to another; it may come back as a new row."""

    __tablename__ = "key_area"
    __table_args__ = (
        UniqueConstraint("code", "since"),
        CheckConstraint("until IS NULL OR until > since", name="until"),
        CheckConstraint("length(code) = 6", name="code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # GB/T 2260: `420000` is a province with all below it, `420100` a city, `420102` a district.
    code: Mapped[str] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(String(60))
    # Other names that people write, separated by `|`.
    aliases: Mapped[str] = mapped_column(String(200), default="")
    since: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(200), default="")
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
