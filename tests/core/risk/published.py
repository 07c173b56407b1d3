"""Scores as a night leaves them, for whatever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Community, Street
from core.risk.model import RiskScore
from core.risk.rules import Reading, score_of
from tests.core.risk.values import HARMLESS, VERSION

SCORED_AT = datetime(2020, 3, 28, 0, 30, tzinfo=UTC)


def add_district(session: Session, *, streets: Mapping[int, int]) -> None:
    """Add communities 1, 2, … by the number of their street; each has a point but the last."""
    for number in sorted(set(streets.values())):
        session.add(Street(id=number, code=f"31010400{number}", name=f"第{number}街道"))
    session.flush()
    for number, street in streets.items():
        has_point = number < max(streets)
        session.add(
            Community(
                id=number,
                code=f"C{number}",
                name=f"第{number}小区",
                street_id=street,
                longitude=121.4 + number / 1000 if has_point else None,
                latitude=31.2 if has_point else None,
                changed_at=SCORED_AT,
            )
        )
    session.flush()


def publish(
    session: Session,
    community_id: int,
    day: date,
    values: Mapping[str, float] = HARMLESS,
    **changes: Any,
) -> RiskScore:
    """Store what the engine makes of some values as published, with what differs."""
    score = score_of(VERSION, {code: Reading(value) for code, value in values.items()})
    row = {
        "community_id": community_id,
        "day": day,
        "version": VERSION.name,
        "score": score.score,
        "colour": score.colour.value,
        "score_colour": score.colour.value,
        "coverage": score.coverage,
        "lo": score.lo,
        "hi": score.hi,
        "parts": [list(part) for part in score.parts],
        "is_published": True,
        "scored_at": SCORED_AT,
    }
    stored = RiskScore(**row | changes)
    session.add(stored)
    session.flush()
    return stored


def add_staff(session: Session, *, count: int) -> list[int]:
    """Add reviewers; return their ids."""
    added = [
        add_account(
            session,
            staff=NewStaff(
                name=f"staff{one}", role=Role.DISTRICT_REVIEWER, display_name=f"王{one}"
            ),
            password_hash="x",
            now=SCORED_AT,
        )
        for one in range(count)
    ]
    session.flush()
    return [one.id for one in added]
