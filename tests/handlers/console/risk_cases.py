"""Community risk in the district of `tests/console.py`, and what whom may see of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.clock import day_of
from core.people.staff.rules import Role
from core.places.model import Community, CommunityNear
from core.residents.model import Residence, Resident
from core.residents.service import place_hash_of
from tests.console import COMMUNITIES, District
from tests.core.risk.published import publish
from tests.core.risk.values import RED, YELLOW
from tests.h5 import csrf_of

Case = Callable[[FlaskClient, District, Role], None]

EVERYTHING = {1, 2, 3}
# The communities of `COMMUNITIES`, by id.
COMMUNITIES_OF = {
    Role.ADMINISTRATOR: EVERYTHING,
    Role.DISTRICT_REVIEWER: EVERYTHING,
    Role.AUDITOR: EVERYTHING,
    Role.STREET_OFFICER: {1, 2},
    Role.NEIGHBOURHOOD_OFFICER: {2},
}
# What registers wrote, and the community that it is likely to mean.
WORDS = {"田林路某弄501室": 2, "凌云路某弄": 3, "不知何处": None}
WORDS_OF = {
    Role.STREET_OFFICER: {"田林路某弄"},
    Role.NEIGHBOURHOOD_OFFICER: {"田林路某弄"},
}
NAMES = [f"名{code}" for code in COMMUNITIES]


def fill_risk(district: District) -> None:
    """Let 1 get red, 2 stay yellow and 3 be blue; add people whom no community has."""
    yesterday = day_of(district.now) - timedelta(days=1)
    with district.database.transaction() as session:
        if session.scalar(select(Resident.id)) is not None:
            return
        for day, values in ((yesterday - timedelta(days=1), YELLOW), (yesterday, RED)):
            publish(session, 1, day, values)
            publish(session, 2, day, YELLOW)
            publish(session, 3, day)
        for number in EVERYTHING:
            point = {"longitude": 121.4 + number / 100, "latitude": 31.2}
            session.execute(update(Community).where(Community.id == number).values(**point))
        near = [
            {"community_id": one, "near_id": other}
            for one in EVERYTHING
            for other in EVERYTHING - {one}
        ]
        session.execute(insert(CommunityNear), near)
        _add_unplaced(session, district)


def _add_unplaced(session: Session, district: District) -> None:
    # Of the first words there are two people.
    for number, words in enumerate([next(iter(WORDS)), *WORDS], start=1):
        session.add(Resident(id=number, id_hash=bytes([number]) * 32, changed_at=district.now))
        session.flush()
        likely = WORDS[words]
        session.add(
            Residence(
                resident_id=number,
                place=words,
                place_hash=place_hash_of(words),
                likely_id=likely,
                likely_street_id=None if likely is None else (1 if likely < 3 else 2),
                from_day=day_of(district.now) - timedelta(days=9),
            )
        )
    session.flush()


def residence_of(district: District, likely: int | None) -> int:
    """Return the first residence whose words point somewhere."""
    with district.database.reading() as session:
        found = select(Residence.id).where(Residence.likely_id.is_not_distinct_from(likely))
        return session.scalars(found.order_by(Residence.id)).all()[0]


def _ids_named(text: str) -> set[int]:
    return {place for place, name in enumerate(NAMES, start=1) if name in text}


def see_risk(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    allowed = COMMUNITIES_OF[role]
    queries = ("q=名", "colour=red", "colour=grey", "street=1", "street=2", "page=9", "days=28")
    for query in queries:
        assert _ids_named(client.get(f"/console/risk?{query}").text) <= allowed, query
    whole = client.get("/console/risk").text
    assert _ids_named(whole) == allowed
    counted = [int(one) for one in re.findall(r'class="number">(\d+)<', whole)]
    assert sum(counted) == len(allowed)
    people = {Role.STREET_OFFICER: 2, Role.NEIGHBOURHOOD_OFFICER: 2}.get(role, 4)
    assert f'<strong class="count">{people}</strong>' in whole


def see_points(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    for query, within in (("", EVERYTHING), ("?street=1", {1, 2}), ("?street=2", {3})):
        answered = client.get(f"/console/risk/points{query}")
        assert answered.mimetype == "application/json"
        assert {one[0] for one in answered.json["points"]} == COMMUNITIES_OF[role] & within  # type: ignore[index]


def see_mine(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    for query in ("", "?page=9"):
        text = client.get(f"/console/risk/mine{query}").text
        assert _ids_named(text) == COMMUNITIES_OF[role]


def see_community(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    for number in (*EVERYTHING, 999):
        answered = client.get(f"/console/risk/community/{number}")
        is_mine = number in COMMUNITIES_OF[role]
        assert answered.status_code == (200 if is_mine else 404)
        # Neither the page nor its refusal names a neighbour outside the area.
        assert _ids_named(answered.text) <= COMMUNITIES_OF[role]


def see_unplaced(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    every = {"田林路某弄", "凌云路某弄", "不知何处"}
    text = client.get("/console/risk/unplaced").text
    assert {one for one in every if one in text} == WORDS_OF.get(role, every)
    residence = residence_of(district, 2)
    for name in NAMES:
        found = client.get(f"/console/risk/unplaced?residence={residence}&q={name}").text
        offered = {int(one) for one in re.findall(r'name="community" value="(\d+)"', found)}
        assert offered <= COMMUNITIES_OF[role]


def place_somebody(client: FlaskClient, district: District, role: Role) -> None:
    fill_risk(district)
    csrf = csrf_of(client.get("/console/risk/unplaced").text)
    placed = set()
    for likely, community in ((3, 3), (None, 3), (2, 3), (2, 2)):
        fields = {
            "csrf": csrf,
            "residence": str(residence_of(district, likely)),
            "community": str(community),
        }
        answered = client.post("/console/risk/unplaced/place", data=fields)
        assert answered.status_code in {303, 404, 409}
        if answered.status_code == 303:
            placed.add((likely, community))
    restricted = {Role.STREET_OFFICER: {(2, 2)}, Role.NEIGHBOURHOOD_OFFICER: {(2, 2)}}
    # For the district the first wish for the words is as good as any.
    assert placed == restricted.get(role, {(3, 3), (None, 3), (2, 3)})


RISK_LOOKS: dict[str, Case] = {
    "risk": see_risk,
    "risk_points": see_points,
    "risk_mine": see_mine,
    "risk_community": see_community,
    "risk_unplaced": see_unplaced,
}
RISK_CHANGES: dict[str, Case] = {"risk_place": place_somebody}
