"""Sealing what cases hold anew after a data key was changed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute, flag_modified

from core.cases.model import CaseEvidence, CaseStep
from core.db import keyring

_SEALED: Final[tuple[tuple[type[CaseStep | CaseEvidence], str], ...]] = (
    (CaseStep, "note"),
    (CaseEvidence, "number"),
)


def reseal_cases(session: Session) -> int:
    """Encrypt anew what an older key of the ring sealed; return how many rows."""
    return sum(_reseal(session, table, name) for table, name in _SEALED)


def _reseal(session: Session, table: type[CaseStep | CaseEvidence], name: str) -> int:
    ring = keyring()
    column: InstrumentedAttribute[str | None] = getattr(table, name)
    sealed = session.execute(
        select(table.id, type_coerce(column, LargeBinary)).where(column.is_not(None))
    ).all()
    old = [row_id for row_id, value in sealed if not ring.is_current(value)]
    for row_id in old:
        # The text is the same; its cipher is not.
        flag_modified(session.get_one(table, row_id), name)
    session.flush()
    return len(old)
