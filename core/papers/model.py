"""The table of papers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, UtcDateTime
from core.places.model import Street


class Paper(Base):
    """One issue of a street's paper, known by its link; without a street, the district's own."""

    __tablename__ = "paper"
    __table_args__ = (Index("ix_paper_street_id_published_on", "street_id", "published_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    street_id: Mapped[int | None] = mapped_column(ForeignKey("street.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(100))
    published_on: Mapped[date] = mapped_column(Date, index=True)
    url: Mapped[str] = mapped_column(String(500), unique=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    street: Mapped[Street | None] = relationship()
