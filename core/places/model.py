"""Tables of streets, communities and their aliases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, UtcDateTime


class Street(Base):
    """A street (街道) or town (镇) of the district."""

    __tablename__ = "street"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


class Community(Base):
    """A residential community (小区); coordinates are GCJ-02 degrees, as the city's maps use."""

    __tablename__ = "community"
    __table_args__ = (
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("population >= 0", name="population"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    street_id: Mapped[int] = mapped_column(ForeignKey("street.id"), index=True)
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
    address: Mapped[str] = mapped_column(String(200), default="")
    population: Mapped[int | None] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    street: Mapped[Street] = relationship(lazy="joined", innerjoin=True)
    aliases: Mapped[list[CommunityAlias]] = relationship(
        back_populates="community", cascade="all, delete-orphan", order_by="CommunityAlias.name"
    )


class CommunityAlias(Base):
    """Another name that people use for a community."""

    __tablename__ = "community_alias"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))

    community: Mapped[Community] = relationship(back_populates="aliases")


class CommunityNear(Base):
    """Two communities whose points lie within 500 m; both directions have a row.

    A community without coordinates is near to all of its street. Worked out anew whenever the
    register changed.
    """

    __tablename__ = "community_near"

    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )
    near_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), primary_key=True
    )


class PlaceRevision(Base):
    """One row that names the state of the register, so that an index of it knows it is old.

    The number is random: one that only counted would come again after a rolled-back import.
    """

    __tablename__ = "place_revision"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
