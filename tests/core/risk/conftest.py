"""A small district."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from core.places.model import Community, Street


@pytest.fixture
def places(session: Session, now: datetime) -> list[int]:
    """Three communities of one street."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    for number in (1, 2, 3):
        session.add(
            Community(
                id=number, code=f"T{number}", name=f"新村{number}", street_id=1, changed_at=now
            )
        )
    session.flush()
    return [1, 2, 3]
