"""Three communities, and people of whom the register knows where they live."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from core.places.service import mark_changed
from core.residents.importing import import_residents
from tests.core.importing_rows import rows_of

ANNA, BEN, STRANGER = "31010419750505123X", "310104201606061234", "passport-K1"


@pytest.fixture
def people(session: Session, now: datetime, places: list[int]) -> None:
    """Anna of 1975 lives in the first community, Ben of 2016 in the second."""
    rows = [
        {"person_id": ANNA, "community_code": "T1", "birth_year": "1975"},
        {"person_id": BEN, "community_code": "T2", "birth_year": "2016"},
    ]
    mark_changed(session)
    import_residents(session, rows_of(rows), now=now)
