"""Rulings about every community of the district of `tests/console.py`, and who may see which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.risk.model import IndicatorValue
from core.risk.rules import Colour
from core.risk.rulings.appeals import AppealDraft, Evidence, raise_appeal
from core.risk.rulings.overrides import OverrideDraft, propose_override
from core.risk.scoring import score_day
from tests.console import PDF, District
from tests.core.risk.values import HARMLESS, YELLOW
from tests.h5 import csrf_of

REASON = "与区疾控中心核对过"
CLERK = "clerk"
ALL = (1, 2, 3)
# Which communities somebody sees rulings of.
SEEN: Mapping[Role, set[int]] = {
    Role.ADMINISTRATOR: {1, 2, 3},
    Role.DISTRICT_REVIEWER: {1, 2, 3},
    Role.AUDITOR: {1, 2, 3},
    Role.STREET_OFFICER: {1, 2},
    Role.NEIGHBOURHOOD_OFFICER: {2},
}


@dataclass(kw_only=True)
class Rulings:
    """A proposal and an appeal for each community, by its id; somebody else's, and undecided."""

    overrides: dict[int, int] = field(default_factory=dict)
    appeals: dict[int, int] = field(default_factory=dict)


def score(district: District) -> None:
    """Score yesterday: community 1 is blue, 2 is yellow, 3 is blue."""
    yesterday = day_of(district.now) - timedelta(days=1)
    with district.database.transaction() as session:
        for community_id, values in ((1, HARMLESS), (2, YELLOW), (3, HARMLESS)):
            rows = [
                {
                    "day": yesterday,
                    "community_id": community_id,
                    "indicator": code,
                    "value": value,
                }
                for code, value in values.items()
            ]
            session.execute(insert(IndicatorValue), rows)
        score_day(session, day=yesterday, now=district.now)


def rule(district: District) -> Rulings:
    """Return the rulings of a district; score it, propose and appeal the first time."""
    with district.database.reading() as session:
        is_new = session.scalar(select(StaffAccount.id).where(StaffAccount.name == CLERK)) is None
    if is_new:
        score(district)
    with district.database.transaction() as session:
        return _rulings(session, district)


def _rulings(session: Session, district: District) -> Rulings:
    """Raise and propose, which the second time finds what is there."""
    clerk = session.scalar(select(StaffAccount).where(StaffAccount.name == CLERK))
    if clerk is None:
        staff = NewStaff(name=CLERK, role=Role.DISTRICT_REVIEWER, display_name="陈明")
        clerk = add_account(session, staff=staff, password_hash="x", now=district.now)
        session.flush()
    today = day_of(district.now)
    found = Rulings()
    for community_id in ALL:
        found.overrides[community_id] = propose_override(
            session,
            draft=OverrideDraft(
                community_id=community_id,
                colour=Colour.RED,
                reason=REASON,
                until_day=today + timedelta(days=3),
            ),
            staff_id=clerk.id,
            now=district.now,
        )
        found.appeals[community_id] = raise_appeal(
            session,
            draft=AppealDraft(
                community_id=community_id,
                day=today - timedelta(days=1),
                indicator="vuln",
                claimed_value=0.3,
                evidence=REASON,
                file=Evidence(name="核对.pdf", content=PDF),
            ),
            files=district.files,
            staff_id=clerk.id,
            now=district.now,
        )
    return found


# --- nobody sees or changes rows outside their area -----------------------------------------------


def _statuses(
    client: FlaskClient, paths: Mapping[int, str], fields: Mapping[str, object] | None = None
) -> dict[int, int]:
    csrf = csrf_of(client.get("/console/").text)
    return {
        key: (
            client.get(path) if fields is None else client.post(path, data={"csrf": csrf, **fields})
        ).status_code
        for key, path in paths.items()
    }


def _opened(client: FlaskClient, ids: Mapping[int, str], role: Role) -> None:
    assert _statuses(client, ids) == {key: 200 if key in SEEN[role] else 404 for key in ids}


def _listed(client: FlaskClient, path: str, ids: Mapping[int, int], role: Role) -> None:
    allowed = {ids[community_id] for community_id in SEEN[role]}
    for query in ("", "?q=名", "?q=B1", "?state=proposed", "?state=open", "?state=x", "?page=9"):
        text = client.get(f"{path}{query}").text
        found = {int(one) for one in re.findall(rf'"{path}/(\d+)"', text)}
        assert found <= allowed, query
        assert query or found == allowed
        # Nor do the numbers of a filter tell of them.
        assert f"（{len(allowed)}）" in text


def _paths(ids: Mapping[int, int], path: str) -> dict[int, str]:
    return {key: path.format(one) for key, one in ids.items()} | {0: path.format(999)}


def see_overrides(client: FlaskClient, district: District, role: Role) -> None:
    _listed(client, "/console/risk/overrides", rule(district).overrides, role)


def see_override(client: FlaskClient, district: District, role: Role) -> None:
    _opened(client, _paths(rule(district).overrides, "/console/risk/overrides/{}"), role)


def see_appeals(client: FlaskClient, district: District, role: Role) -> None:
    _listed(client, "/console/risk/appeals", rule(district).appeals, role)


def see_appeal(client: FlaskClient, district: District, role: Role) -> None:
    _opened(client, _paths(rule(district).appeals, "/console/risk/appeals/{}"), role)


def see_evidence(client: FlaskClient, district: District, role: Role) -> None:
    _opened(client, _paths(rule(district).appeals, "/console/risk/appeals/{}/evidence"), role)


def propose(client: FlaskClient, district: District, role: Role) -> None:
    score(district)
    path = "/console/risk/overrides/new"
    _opened(client, {key: f"{path}?community={key}" for key in (1, 2, 3, 99)}, role)
    until = day_of(district.now) + timedelta(days=1)
    for community_id in (1, 2, 3, 99):
        fields = {
            "community": str(community_id),
            "colour": "red",
            "until_day": until.isoformat(),
            "reason": REASON,
        }
        done = _statuses(client, {community_id: path}, fields)
        assert done[community_id] == (303 if community_id in SEEN[role] else 404)


def decide_override(client: FlaskClient, district: District, role: Role) -> None:
    paths = _paths(rule(district).overrides, "/console/risk/overrides/{}/decide")
    done = _statuses(client, paths, {"act": "accept"})
    assert done == {key: 303 if key in SEEN[role] else 404 for key in paths}


def raise_one(client: FlaskClient, district: District, role: Role) -> None:
    score(district)
    path = "/console/risk/appeals/new"
    _opened(client, {key: f"{path}?community={key}" for key in (1, 2, 3, 99)}, role)
    assert "名B1" not in client.get(f"{path}?q=名").text
    for community_id in (1, 2, 3, 99):
        fields = {
            "community": str(community_id),
            "indicator": "vuln",
            "claimed": "30",
            "evidence": REASON,
        }
        done = _statuses(client, {community_id: path}, fields)
        assert done[community_id] == (303 if community_id in SEEN[role] else 404)


def decide_appeal(client: FlaskClient, district: District, role: Role) -> None:
    paths = _paths(rule(district).appeals, "/console/risk/appeals/{}/decide")
    done = _statuses(client, paths, {"step": "recommend", "act": "accept", "reason": REASON})
    assert done == {key: 303 if key in SEEN[role] else 404 for key in paths}


def withdraw_appeal(client: FlaskClient, district: District, role: Role) -> None:
    paths = _paths(rule(district).appeals, "/console/risk/appeals/{}/withdraw")
    # They are somebody else's: whoever sees them may not take them back.
    assert _statuses(client, paths, {}) == {key: 403 if key in SEEN[role] else 404 for key in paths}


LOOKS = {
    "risk_overrides": see_overrides,
    "risk_override": see_override,
    "risk_appeals": see_appeals,
    "risk_appeal": see_appeal,
    "risk_appeal_evidence": see_evidence,
}
CHANGES = {
    "risk_override_new": propose,
    "risk_override_decide": decide_override,
    "risk_appeal_new": raise_one,
    "risk_appeal_decide": decide_appeal,
    "risk_appeal_withdraw": withdraw_appeal,
}
# Days and versions are those of the district: they have no areas, and their readers neither.
OF_THE_DISTRICT = {
    *("risk_publications", "risk_publication_release"),
    *("risk_models", "risk_model", "risk_model_new", "risk_model_decide", "risk_model_compare"),
}

# --- pages to look at -----------------------------------------------------------------------------

# Who looks at which pages; what is in braces is an id, of community 2 where there are several.
PAGES: dict[str, tuple[Role, tuple[str, ...]]] = {
    "rulings": (
        Role.DISTRICT_REVIEWER,
        (
            "risk/overrides",
            "risk/overrides/new?q=名",
            "risk/overrides/new?community=2",
            "risk/overrides/{override}",
            "risk/appeals",
            "risk/appeals/{appeal}",
            "risk/events?source=all",
            "risk/events/new?community=2",
            "risk/events/{event}?done=enter",
            "risk/publications",
        ),
    ),
    "rulings_officer": (
        Role.NEIGHBOURHOOD_OFFICER,
        ("risk/appeals/new", "risk/appeals/new?community=2&indicator=close"),
    ),
    "models": (
        Role.ADMINISTRATOR,
        ("risk/models", "risk/models/new", "risk/models/{model}", "risk/models/compare"),
    ),
}
