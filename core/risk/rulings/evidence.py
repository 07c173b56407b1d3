"""What was handed in with an appeal that came to nothing: kept for a while, then given up."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.files.model import StoredFile
from core.files.service import remove_file
from core.risk.rulings.model import Appeal
from core.risk.rulings.rules import EVIDENCE_KEPT, AppealState

ACTOR: Final = "system:sweep"
# One run at a time takes so many, so that it stays short; the next one goes on.
LIMIT: Final = 500
_CAME_TO_NOTHING: Final = (AppealState.REFUSED.value, AppealState.WITHDRAWN.value)


def drop_evidence(session: Session, *, now: datetime) -> int:
    """Give up the files of appeals that were refused or withdrawn long ago; return how many.

    What an accepted appeal rests on stays, as its value does.

    Args:
        session: the session of the sweep.
        now: aware instant.
    """
    ids = session.scalars(
        select(Appeal.file_id)
        .join(StoredFile, StoredFile.id == Appeal.file_id)
        .where(
            Appeal.state.in_(_CAME_TO_NOTHING),
            Appeal.decided_at < now - EVIDENCE_KEPT,
            StoredFile.removed_at.is_(None),
        )
        .order_by(Appeal.id)
        .limit(LIMIT)
    ).all()
    for file_id in ids:
        if file_id is not None:
            remove_file(session, file_id=file_id, actor=ACTOR, now=now)
    return len(ids)
