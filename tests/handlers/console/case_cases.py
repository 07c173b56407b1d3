"""Cases in the district of `tests/console.py`, and who may see and change which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.cases.model import Case as CaseRow
from core.cases.model import CaseEvidence
from core.clock import day_of
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.people.staff.rules import Role
from tests.cases import fill_cases
from tests.console import PDF, District
from tests.h5 import csrf_of
from tests.handlers.console.risk_cases import Case

PATH = "/console/cases"
# By their place in what `fill_cases` returns: two in the first street, one in the second. The
# site is watched by nobody.
SEEN: Mapping[Role, set[int]] = {
    Role.ADMINISTRATOR: {0, 1, 2},
    Role.DISTRICT_REVIEWER: {0, 1, 2},
    Role.AUDITOR: {0, 1, 2},
    Role.STREET_OFFICER: {0, 1},
    Role.SITE_SUPERVISOR: set(),
}


def filled(district: District) -> list[int]:
    """Return the cases of the district; add them the first time, each with a certificate."""
    with district.database.transaction() as session:
        known = list(session.scalars(select(CaseRow.id).order_by(CaseRow.id)))
    if known:
        return known
    cases = fill_cases(district)
    with district.database.transaction() as session:
        for case_id in cases:
            _certify(session, district, case_id)
    return cases


def _certify(session: Session, district: District, case_id: int) -> None:
    today = day_of(district.now)
    file_id = keep_file(
        session,
        files=district.files,
        content=PDF,
        name="证明.pdf",
        purpose=FilePurpose.CASE_EVIDENCE,
        actor="staff:1",
        now=district.now,
    )
    session.add(
        CaseEvidence(
            case_id=case_id,
            number="1",
            issuer="中心",
            isolated_from=today - timedelta(days=14),
            isolated_until=today,
            issued_on=today,
            file_id=file_id,
            added_by="staff:1",
            added_at=district.now,
        )
    )


def see_cases(client: FlaskClient, district: District, role: Role) -> None:
    cases = filled(district)
    text = client.get(f"{PATH}?state=all").text
    found = {cases.index(int(one)) for one in re.findall(rf'"{PATH}/(\d+)"', text)}
    assert found == SEEN[role]


def see_case(client: FlaskClient, district: District, role: Role) -> None:
    cases = filled(district)
    seen = {
        place
        for place, case_id in enumerate(cases)
        if client.get(f"{PATH}/{case_id}").status_code == 200
    }
    assert seen == SEEN[role]


def see_certificate(client: FlaskClient, district: District, role: Role) -> None:
    cases = filled(district)
    with district.database.transaction() as session:
        rows = session.execute(select(CaseEvidence.case_id, CaseEvidence.file_id))
        file_of = dict(rows.all())
    statuses = {
        (place, other): client.get(f"{PATH}/{case_id}/evidence/{file_of[cases[other]]}").status_code
        for place, case_id in enumerate(cases)
        for other in range(len(cases))
    }
    opened = {key for key, status in statuses.items() if status == 200}
    assert opened == {(place, place) for place in SEEN[role]}


def _changed(
    client: FlaskClient, district: District, role: Role, act: str, fields: dict[str, str]
) -> None:
    cases = filled(district)
    sent = fields | {"csrf": csrf_of(client.get(PATH).text), "version": "1"}
    taken = {
        place
        for place, case_id in enumerate(cases)
        if client.post(f"{PATH}/{case_id}/{act}", data=sent).status_code == 303
    }
    assert taken == SEEN[role]


def contact(client: FlaskClient, district: District, role: Role) -> None:
    _changed(client, district, role, "contact", {"contact_note": "已联系"})


def certify(client: FlaskClient, district: District, role: Role) -> None:
    today = day_of(district.now)
    fields = {
        "number": "1",
        "issuer": "中心",
        "isolated_from": (today - timedelta(days=14)).isoformat(),
        "isolated_until": today.isoformat(),
        "issued_on": today.isoformat(),
    }
    # The one that is there already: nothing is added twice, and nothing is refused.
    _changed(client, district, role, "certificate", fields)


def close(client: FlaskClient, district: District, role: Role) -> None:
    _note_contacts(district)
    _changed(client, district, role, "close", {"finding": "mistaken"})


def reopen(client: FlaskClient, district: District, role: Role) -> None:
    cases = filled(district)
    with district.database.transaction() as session:
        for case_id in cases:
            row = session.get_one(CaseRow, case_id)
            row.state, row.finding = "closed", "mistaken"
    _changed(client, district, role, "reopen", {"reopen_note": "再核实"})


def _note_contacts(district: District) -> None:
    cases = filled(district)
    with district.database.transaction() as session:
        for case_id in cases:
            session.get_one(CaseRow, case_id).contacted_at = district.now


CASE_LOOKS: dict[str, Case] = {
    "cases": see_cases,
    "case": see_case,
    "case_evidence": see_certificate,
}
CASE_CHANGES: dict[str, Case] = {
    "case_contact": contact,
    "case_certificate": certify,
    "case_close": close,
    "case_reopen": reopen,
}
