from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.exports.rules import ExportKind, Masking
from core.exports.service import list_exports, new_number, record_export


def test_exports_are_listed_from_the_record_newest_first(session: Session, now: datetime) -> None:
    for place, actor in enumerate(("staff:1", "staff:2", "staff:1")):
        record_export(
            session,
            number=f"X200328-{place}",
            kind=ExportKind.FILINGS,
            masking=Masking.MASKED,
            reason="向区防控办报送进度",
            row_count=place,
            chosen="q=x",
            actor=actor,
            now=now + timedelta(minutes=place),
        )
    session.flush()
    assert [one.row_count for one in list_exports(session)] == [2, 1, 0]
    (newest, _) = list_exports(session, actor="staff:1")
    assert (newest.number, newest.at, newest.kind, newest.masking, newest.reason) == (
        "X200328-2",
        now + timedelta(minutes=2),
        ExportKind.FILINGS,
        Masking.MASKED,
        "向区防控办报送进度",
    )
    assert len(list_exports(session, limit=1)) == 1


def test_numbers_are_drawn(now: datetime) -> None:
    drawn = {new_number(now=now) for _ in range(50)}
    assert len(drawn) == 50
    assert all(number.startswith("X200328-") and len(number) == 14 for number in drawn)
