"""The table of workplaces, which the tables of the faces extend."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.schema import SchemaItem

from core.db import Base
from core.places.model import Street
from core.workplaces.rules import Admission, Face, WorkplaceState

# Where a statement finds the row that it changes.
KNOWN_ID = "known_id"


def _one_of(column: str, values: type[Face | WorkplaceState | Admission]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Workplace(Base):
    """A place where people work; its face has a row of the same id in a table of its own.

    Attributes:
        face: a `Face`; what the other table is.
        holder_id: the company that answers for it; None for a company, which does so itself, and
            for a place whose company the register does not have.
        state: a `WorkplaceState`, as the register of its face says.
        admission: an `Admission`; a company's is given by its filing.
        head_count: people, as declared; None: nothing was.
    """

    __tablename__ = "workplace"
    __table_args__: tuple[SchemaItem, ...] = (
        CheckConstraint(_one_of("face", Face), name="face"),
        CheckConstraint(_one_of("state", WorkplaceState), name="state"),
        CheckConstraint(_one_of("admission", Admission), name="admission"),
        CheckConstraint("head_count IS NULL OR head_count >= 0", name="head_count"),
        CheckConstraint("face <> 'company' OR holder_id IS NULL", name="holder"),
    )
    __mapper_args__ = {"polymorphic_on": "face"}  # noqa: RUF012  what the mapper asks for

    id: Mapped[int] = mapped_column(primary_key=True)
    face: Mapped[str] = mapped_column(String(8))
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("workplace.id"), index=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    address: Mapped[str] = mapped_column(String(200))
    street_id: Mapped[int] = mapped_column(ForeignKey("street.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    admission: Mapped[str] = mapped_column(String(8), default=Admission.PENDING.value)
    head_count: Mapped[int | None] = mapped_column(Integer)

    street: Mapped[Street] = relationship(lazy="joined", innerjoin=True)
