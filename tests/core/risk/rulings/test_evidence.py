"""How long what was handed in with an appeal is kept."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from core.audit.model import AuditEntry
from core.files.model import StoredFile
from core.risk.rulings.evidence import ACTOR, drop_evidence
from core.risk.rulings.model import Appeal
from core.risk.rulings.rules import EVIDENCE_KEPT
from tests.core.risk.rulings.conftest import EVIDENCE, Desk


def test_evidence_of_an_appeal_that_came_to_nothing_is_given_up_after_a_while(desk: Desk) -> None:
    desk.object_to(file=EVIDENCE)
    session, late = desk.session, desk.now + EVIDENCE_KEPT + timedelta(seconds=1)

    def dropped(state: str, *, is_late: bool = True) -> int:
        decided_at = None if state == "open" else desk.now
        session.execute(update(Appeal).values(state=state, decided_at=decided_at))
        return drop_evidence(session, now=late if is_late else desk.now + EVIDENCE_KEPT)

    assert [dropped(state) for state in ("open", "recommended", "accepted")] == [0, 0, 0]
    assert dropped("refused", is_late=False) == 0
    assert [dropped("withdrawn"), dropped("refused")] == [1, 0], "once is enough"
    assert session.scalars(select(StoredFile.removed_at)).one() == late
    recorded = select(AuditEntry.actor).where(AuditEntry.action == "file_removed")
    assert session.scalars(recorded).all() == [ACTOR]
