"""Writing down what was done about a case: a step of it, and an entry on record."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from core.audit.service import record
from core.cases.model import Case, CaseStep
from core.cases.rules import StepKind

SCREENING: Final = "system:screening"
_ACTION_OF: Final = {kind: f"case_{kind.value}" for kind in StepKind}


def note_step(
    session: Session, case: Case, kind: StepKind, *, actor: str, now: datetime, note: str = ""
) -> None:
    """Write a step down; what was noted stays in the step, encrypted, and is on no record.

    Args:
        session: the session of the change.
        case: has its id.
        kind: what was done.
        actor: who did it, as `staff:3`.
        now: aware instant.
        note: what was found; empty: nothing was noted.
    """
    step = CaseStep(case_id=case.id, at=now, actor=actor, kind=kind.value, note=note or None)
    session.add(step)
    facts: dict[str, str | int | None] = {
        "workplace_id": case.workplace_id,
        "version": case.version,
    }
    if kind is StepKind.CLOSED:
        facts["finding"] = case.finding
    action, subject = _ACTION_OF[kind], f"case:{case.id}"
    record(session, now=now, actor=actor, action=action, subject=subject, **facts)
