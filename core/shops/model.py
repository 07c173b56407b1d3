"""The table of shops."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UtcDateTime
from core.shops.rules import Opening, ShopKind
from core.workplaces.model import Workplace
from core.workplaces.rules import Face


def _one_of(column: str, values: type[ShopKind | Opening]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Shop(Workplace):
    """A shop at a street; name, address, street and state are those of the workplace that it is.

    Attributes:
        licence: unified social credit code of the licence; several shops may have one.
        number: of the shop in its register; with the licence it tells two of a chain apart.
        opening: an `Opening`, as its owner last said.
        opening_said_at: when; None: never, it stands as the register has it.
    """

    __tablename__ = "shop"
    __table_args__ = (
        UniqueConstraint("licence", "number"),
        CheckConstraint("length(licence) = 18", name="licence"),
        CheckConstraint(_one_of("kind", ShopKind), name="kind"),
        CheckConstraint(_one_of("opening", Opening), name="opening"),
    )
    __mapper_args__ = {"polymorphic_identity": Face.SHOP.value}  # noqa: RUF012  the mapper's

    id: Mapped[int] = mapped_column(ForeignKey("workplace.id"), primary_key=True)
    licence: Mapped[str] = mapped_column(String(18))
    number: Mapped[str] = mapped_column(String(32), default="")
    kind: Mapped[str] = mapped_column(String(16))
    opening: Mapped[str] = mapped_column(String(8), default=Opening.OPEN.value)
    opening_said_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
