"""The dated list of key areas, and the versions of it that were imported."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UtcDateTime


class KeyAreaList(Base):
    """A version of the list: what an import left standing; screenings name it.

    Attributes:
        digest: of every area and its instants, in order; the same list again is no new version.
        area_count: areas that were key areas when it was imported.
        rows: the whole list as it stood, ended areas too, by code and start; see
            `core.keyareas.versions`. What is screened is `KeyArea`; this tells afterwards.
    """

    __tablename__ = "key_area_list"
    __table_args__ = (CheckConstraint("area_count >= 0", name="area_count"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    area_count: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(200), default="")
    rows: Mapped[list[list[Any]]] = mapped_column(JSON)


class KeyArea(Base):
    """A place that is a key area from an instant to another; it may come back as a new row."""

    __tablename__ = "key_area"
    __table_args__ = (
        UniqueConstraint("code", "since"),
        CheckConstraint("until IS NULL OR until > since", name="until"),
        CheckConstraint("length(code) IN (6, 9)", name="code"),
        CheckConstraint("level IN ('high', 'medium', 'watched')", name="level"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # GB/T 2260: `420000` is a province with all below it, `420100` a city, `420102` a district;
    # GB/T 10114: `420102005` a street of that.
    code: Mapped[str] = mapped_column(String(9))
    name: Mapped[str] = mapped_column(String(60))
    # Other names that people write, separated by `|`.
    aliases: Mapped[str] = mapped_column(String(200), default="")
    level: Mapped[str] = mapped_column(String(8), default="medium")
    since: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(200), default="")
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
