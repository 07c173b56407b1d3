"""Sites in the district of `tests/console.py`, and who may see and change which."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from flask.testing import FlaskClient

from core.people.staff.rules import Role
from tests.console import District
from tests.h5 import csrf_of
from tests.handlers.console.risk_cases import Case
from tests.sites import NAMES, SiteDistrict, sites_of

PATH = "/console/sites"
SEEN: Mapping[Role, set[int]] = {
    Role.ADMINISTRATOR: {0, 1},
    Role.DISTRICT_REVIEWER: {0, 1},
    Role.AUDITOR: {0, 1},
    Role.STREET_OFFICER: {0},
    # Of the whole district; whose people they see, and whom they invite, is another thing.
    Role.SITE_SUPERVISOR: {0, 1},
}
# The one account of a district is that of whoever came in: `watched` makes the first site theirs.
INVITES: Mapping[Role, set[int]] = {Role.ADMINISTRATOR: {0, 1}, Role.SITE_SUPERVISOR: {0}}
_filled: dict[int, SiteDistrict] = {}


def watched(district: District) -> SiteDistrict:
    """Return the sites of a district, the first of them watched by whoever came in."""
    known = _filled.get(id(district))
    if known is None or known.district is not district:
        known = sites_of(district)
        known.watch("wang")
        _filled.clear()
        _filled[id(district)] = known
    return known


def see_sites(client: FlaskClient, district: District, role: Role) -> None:
    watched(district)
    for query in ("", "?q=项目", "?street=1", "?street=2", "?page=9", "?mark=open_case", "?mine=1"):
        text = client.get(PATH + query).text
        found = {place for place, name in enumerate(NAMES) if name in text}
        assert found <= SEEN[role], query
        assert query or found == SEEN[role]


def see_points(client: FlaskClient, district: District, role: Role) -> None:
    ids = watched(district).ids
    points = json.loads(client.get(f"{PATH}/points").data)["points"]
    assert {point[0] for point in points} >= {ids[place] for place in SEEN[role]}
    hidden = {ids[place] for place in range(len(ids))} - {ids[place] for place in SEEN[role]}
    assert not hidden & {point[0] for point in points}


def see_site(client: FlaskClient, district: District, role: Role) -> None:
    ids = watched(district).ids
    pages = {place: client.get(f"{PATH}/{one}") for place, one in enumerate(ids)}
    assert {place for place, page in pages.items() if page.status_code == 200} == SEEN[role]
    assert client.get(f"{PATH}/999").status_code == 404
    with_people = {place for place, page in pages.items() if re.search(r"R\d{6}-\w{5}", page.text)}
    assert with_people == ({0} if role is Role.SITE_SUPERVISOR else SEEN[role])


def invite(client: FlaskClient, district: District, role: Role) -> None:
    ids = watched(district).ids
    fields = {"csrf": csrf_of(client.get("/console/").text), "name": "钱工", "phone": "13917000002"}
    answers = [client.post(f"{PATH}/{one}/invite", data=fields) for one in [*ids, 999]]
    assert {place for place, one in enumerate(answers) if one.status_code == 200} == INVITES[role]
    assert {one.status_code for one in answers} == {200, 404}


def end_member(client: FlaskClient, district: District, role: Role) -> None:
    found = watched(district)
    csrf = csrf_of(client.get("/console/").text)
    statuses = {}
    for place, one in enumerate(found.ids):
        crossed = found.members[1 - place]
        wrong = client.post(f"{PATH}/{one}/members/{crossed}/end", data={"csrf": csrf})
        assert wrong.status_code == 404
        path = f"{PATH}/{one}/members/{found.members[place]}/end"
        statuses[place] = client.post(path, data={"csrf": csrf}).status_code
    assert set(statuses.values()) <= {303, 404}
    assert {place for place, status in statuses.items() if status == 303} == INVITES[role]


SITE_LOOKS: dict[str, Case] = {"sites": see_sites, "sites_points": see_points, "site": see_site}
SITE_CHANGES: dict[str, Case] = {"site_invite": invite, "site_member_end": end_member}
