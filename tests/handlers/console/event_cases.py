"""Events by hand in the district of `tests/console.py`, and who may see and change which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.people.staff.rules import Area, Role
from core.risk.events.entering import EventEntry, enter_event
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from tests.console import District
from tests.h5 import csrf_of
from tests.handlers.console.risk_cases import Case

PATH = "/console/risk/events"
# Whose events, by the community where they live; 0: nobody knows where.
PEOPLE = {1: "11010519491231002X", 2: "person-2", 3: "person-3", 0: "person-0"}
SEEN: Mapping[Role, set[int]] = {
    Role.ADMINISTRATOR: {0, 1, 2, 3},
    Role.DISTRICT_REVIEWER: {0, 1, 2, 3},
    Role.AUDITOR: {0, 1, 2, 3},
    Role.STREET_OFFICER: {1, 2},
    Role.NEIGHBOURHOOD_OFFICER: {2},
}


def fill_events(district: District) -> dict[int, int]:
    """Return the events of `PEOPLE`; enter them the first time."""
    with district.database.transaction() as session:
        known = session.scalars(select(EpidemicEvent.id).order_by(EpidemicEvent.id)).all()
        if known:
            return dict(zip(PEOPLE, known, strict=True))
        return {place: _enter(session, district, place) for place in PEOPLE}


def _enter(session: Session, district: District, place: int) -> int:
    entry = EventEntry(
        person_id=PEOPLE[place],
        kind=EventKind.FEVER,
        reported_on=day_of(district.now) - timedelta(days=1),
        community_id=place or None,
        is_home_unknown=not place,
    )
    # The first account of a district is that of whoever came in first.
    return enter_event(session, entry=entry, area=Area(), staff_id=1, now=district.now)


def _listed(text: str) -> set[int]:
    return {int(one) for one in re.findall(rf'"{PATH}/(\d+)"', text)}


def see_events(client: FlaskClient, district: District, role: Role) -> None:
    ids = fill_events(district)
    allowed = {ids[place] for place in SEEN[role]}
    for query in ("", "source=all", "kind=fever", "source=all&state=open", "source=x&page=x"):
        assert _listed(client.get(f"{PATH}?{query}").text) == allowed, query
    for query in ("page=2", "kind=confirmed", "state=withdrawn"):
        assert _listed(client.get(f"{PATH}?{query}").text) == set(), query
    for place in (1, 2, 3, 99):
        answered = client.get(f"{PATH}?community={place}")
        is_mine = place in SEEN[role]
        assert answered.status_code == (200 if is_mine else 404)
        assert _listed(answered.text) == ({ids[place]} if is_mine else set())


def see_event(client: FlaskClient, district: District, role: Role) -> None:
    ids = fill_events(district) | {99: 999}
    for place, identity in ids.items():
        status = client.get(f"{PATH}/{identity}").status_code
        assert status == (200 if place in SEEN[role] else 404)


def search_event(client: FlaskClient, district: District, role: Role) -> None:
    ids = fill_events(district)
    csrf = csrf_of(client.get(PATH).text)
    for place, person in PEOPLE.items():
        answered = client.post(f"{PATH}/search", data={"csrf": csrf, "person": person})
        assert _listed(answered.text) == ({ids[place]} if place in SEEN[role] else set())


def enter_one(client: FlaskClient, district: District, role: Role) -> None:
    csrf = csrf_of(client.get(f"{PATH}/new?community=2").text)
    fields = {"kind": "fever", "reported_on": day_of(district.now).isoformat()}
    for number, place in enumerate(("名A1", "名A2", "名B1")):
        sent = {"csrf": csrf, "person": f"new-{number}", "place": place} | fields
        assert client.post(f"{PATH}/new", data=sent).status_code == 303
    assert client.get(f"{PATH}/new?community=99").status_code == 404


def withdraw_one(client: FlaskClient, district: District, role: Role) -> None:
    ids = fill_events(district) | {99: 999}
    csrf = csrf_of(client.get(PATH).text)
    for place, identity in ids.items():
        sent = {"csrf": csrf, "reason": "误报"}
        answered = client.post(f"{PATH}/{identity}/withdraw", data=sent)
        assert answered.status_code == (303 if place in SEEN[role] else 404)


EVENT_LOOKS: dict[str, Case] = {"risk_events": see_events, "risk_event": see_event}
EVENT_CHANGES: dict[str, Case] = {
    "risk_event_search": search_event,
    "risk_event_new": enter_one,
    "risk_event_withdraw": withdraw_one,
}
