"""A district of two streets whose communities a register may name."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.places.model import Community, Street
from core.places.service import mark_changed
from core.residents.model import Residence, Resident
from core.residents.service import id_hashes

ANNA = "31010419750505123X"
NAMES = {1: "田林十二村", 2: "田林十三村", 3: "龙南六村"}


@pytest.fixture
def places(session: Session, now: datetime) -> None:
    """Two communities of one street, one of another."""
    add_places(session, now)


def add_places(session: Session, now: datetime) -> None:
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.add(Street(id=2, code="310104016", name="龙华街道"))
    for number, name in NAMES.items():
        session.add(
            Community(
                id=number,
                code=f"T{number}",
                name=name,
                street_id=1 if number < 3 else 2,
                address="龙南路10弄" if number == 3 else "",
                changed_at=now,
            )
        )
    session.flush()
    mark_changed(session)


def homes(session: Session, person_id: str = ANNA) -> list[tuple[int | None, date, date | None]]:
    """Return where somebody lived: community, from and until which day."""
    rows = session.execute(
        select(Residence.community_id, Residence.from_day, Residence.until_day)
        .join(Resident)
        .where(Resident.id_hash.in_(id_hashes(person_id)))
        .order_by(Residence.from_day)
    )
    return [(row.community_id, row.from_day, row.until_day) for row in rows]
