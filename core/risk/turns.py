"""Taking turns: whoever scores, rules or tells waits until nobody else does."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

# Any number that no other advisory lock of the application has.
_LOCK: Final = 0x5249534B


def stand_in_line(session: Session) -> None:
    """Wait until nobody else scores: a day depends on the days before it.

    What is read afterwards is what the others have left. The turn ends with the transaction.
    """
    # SQLite lets one transaction write at a time.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
