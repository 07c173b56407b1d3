"""Taking turns: whoever scores, rules or tells waits until nobody else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import Base, take_turn

Row = TypeVar("Row", bound=Base)

# Any number that no other queue of the application has.
_SCORING: Final = 0x5249534B


def stand_in_line(session: Session) -> None:
    """Wait until nobody else scores: a day depends on the days before it.

    What is read afterwards is what the others have left. The turn ends with the transaction.
    """
    take_turn(session, number=_SCORING)


def find_standing(
    session: Session, statement: Select[Row], *, otherwise: Callable[[], None]
) -> Row | None:
    """Return the row that stands already; add one where none does, and return None.

    Args:
        session: the session of the request.
        statement: finds what stands; an index of the database lets there be one at most.
        otherwise: adds a row to the session. What it does is undone where somebody else, or
            the same tap sent twice, was quicker.
    """
    found = session.scalar(statement)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            otherwise()
    except IntegrityError:
        return session.scalars(statement).one()
    return None
