"""The sheet over HTTP: filters, choices, what each kind of mandate may see and do."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from bot.services import services_of
from core.audit.model import AuditEntry
from core.registration.model import Registration
from core.registration.rules import Flag
from core.resumption.approval.model import Decision, DecisionRow
from tests.core.resumption.approval.conftest import FEVER, KEY_AREA, Office
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.h5.conftest import Site


@pytest.fixture
def office(site: Site) -> Office:
    """A company with four who are fine, two who need a look and one who cannot pass."""
    with site.database.transaction() as session:
        office = Office(session=session, now=datetime.now(UTC))
        for number in range(4):
            office.add(name="王小明", department="生产部" if number % 2 else "销售部")
        office.add(KEY_AREA, name="阿依古丽·吐尔逊", department="生产部")
        office.add((Flag.NO_HEALTH_CODE,), name="李雷")
        office.add(FEVER, name="韩梅梅")
    return office


def path_of(office: Office, below: str = "sheet") -> str:
    return f"/h5/company/{office.company_id}/{below}"


def client_of(site: Site, office: Office, who: str = "owner") -> FlaskClient:
    return site.client(f"o-{who}-{office.company_id}")


def names(response: TestResponse) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*>([^<]+)<', response.text)


def rows_of(response: TestResponse) -> list[str]:
    return re.findall(r'name="rows" value="(\d+:\d+)"', response.text)


def decision_of(response: TestResponse) -> str:
    assert response.status_code == 303, text_of(response)
    return response.location


def test_sheet_opens_with_those_who_are_fine(site: Site, office: Office) -> None:
    response = client_of(site, office).get(path_of(office))
    assert names(response) == ["王**"] * 4
    assert "可以通过 4 人" in text_of(response)
    assert "需要看一看 2 人" in text_of(response)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?group=look", ["阿**", "李*"]),
        ("?group=cannot", ["韩**"]),
        ("?group=any", ["王**"] * 4 + ["阿**", "李*", "韩**"]),
        ("?flag=key_area", ["阿**"]),
        ("?department=生产部", ["王**", "王**", "阿**"]),
        ("?department=生产部&group=look", ["阿**"]),
        ("?state=approved", []),
        ("?state=any&group=look", ["阿**", "李*"]),
        ("?group=nonsense&state=nonsense&flag=nonsense&page=-1", ["王**"] * 4),
        ("?page=999", ["王**"] * 4),
    ],
)
def test_filter_shows_what_it_names(
    site: Site, office: Office, query: str, wanted: list[str]
) -> None:
    assert names(client_of(site, office).get(path_of(office) + query)) == wanted


def test_first_group_in_which_anybody_waits_is_shown(site: Site) -> None:
    with site.database.transaction() as session:
        office = Office(session=session, now=datetime.now(UTC))
        office.add(FEVER, name="韩梅梅")
    response = client_of(site, office).get(path_of(office))
    assert names(response) == ["韩**"]
    assert 'value="approve"' not in response.text


def test_search_finds_a_whole_name_and_leaves_it_out_of_the_address(
    site: Site, office: Office
) -> None:
    client = client_of(site, office)
    response = submit(client, path_of(office), find="1", text="阿依古丽吐尔逊")
    assert names(response) == ["阿**"]
    assert not re.findall(r'(?:href|action)="[^"]*(?:阿依|%E9%98%BF)', response.text)
    found = client.get(path_of(office) + "?text=阿依古丽吐尔逊")
    assert names(found) == ["王**"] * 4


def test_page_shows_nobody_in_full(site: Site, office: Office) -> None:
    client = client_of(site, office)
    shown = client.get(path_of(office) + "?group=any").text
    (first, *_) = rows_of(client.get(path_of(office)))
    shown += client.get(path_of(office, f"sheet/{first.split(':')[0]}")).text
    with site.database.reading() as session:
        for row in session.scalars(select(Registration)):
            assert row.name not in shown
            assert row.document not in shown
            assert row.phone.removeprefix("+86") not in shown


def test_looking_at_everything_needs_a_form_and_is_recorded(site: Site, office: Office) -> None:
    client = client_of(site, office)
    (look, _) = rows_of(client.get(path_of(office) + "?group=look"))
    path = path_of(office, f"sheet/{look.split(':')[0]}")
    response = submit(client, path)
    assert "阿依古丽·吐尔逊" in text_of(response)
    with site.database.reading() as session:
        actions = session.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "registration_read")
        ).all()
    assert actions == [f"registration:{look.split(':')[0]}"]


def test_whole_group_is_frozen_confirmed_and_undone(site: Site, office: Office) -> None:
    client = client_of(site, office)
    path = decision_of(submit(client, path_of(office), all="4", group="fine", verdict="approve"))
    prepared = client.get(path)
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', prepared.text)
    assert digest is not None
    assert digest[1][:8].upper() in text_of(prepared)
    applied = submit(client, path, step="apply", digest=digest[1])
    assert applied.location == f"{path}?done=apply"
    again = client.post(
        path, data={"csrf": csrf_of(prepared.text), "step": "apply", "digest": digest[1]}
    )
    assert again.location == applied.location
    assert "已通过 4 人" in text_of(client.get(applied.location))
    undone = submit(client, path, step="undo")
    assert "已撤销 4 人" in text_of(client.get(undone.location))
    with site.database.reading() as session:
        assert set(session.scalars(select(Registration.state))) == {"submitted"}


def test_double_tap_on_a_choice_is_one_decision(site: Site, office: Office) -> None:
    client = client_of(site, office)
    page = client.get(path_of(office))
    data = {
        "csrf": csrf_of(page.text),
        "rows": rows_of(page),
        "verdict": "approve",
        "request_key": "k",
    }
    first, second = (client.post(path_of(office), data=data) for _ in range(2))
    assert decision_of(first) == decision_of(second)


def test_choice_without_anybody_or_anything_is_explained(site: Site, office: Office) -> None:
    client = client_of(site, office)
    nobody = submit(client, path_of(office), verdict="approve", group="look")
    assert nobody.status_code == 422
    assert "没有选到" in text_of(nobody)
    assert names(nobody) == ["阿**", "李*"]
    assert submit(client, path_of(office), rows=["1:1"]).status_code == 422
    gone = submit(client, path_of(office), rows=["999999:1"], verdict="approve")
    assert gone.status_code == 422
    with site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 0


def test_reason_is_asked_for_and_carried_to_everybody(site: Site, office: Office) -> None:
    client = client_of(site, office)
    rows = rows_of(client.get(path_of(office) + "?group=look"))
    asked = submit(client, path_of(office), rows=rows, verdict="return")
    assert asked.status_code == 200
    assert rows_of(asked) == rows
    fields = {"rows": rows, "verdict": "return", "reason_asked": "1", "request_key": "k"}
    missing = submit(client, path_of(office), **fields, reason="", own=" ")
    assert missing.status_code == 422
    assert "请写明原因" in text_of(missing)
    too_long = submit(client, path_of(office), **fields, own="长" * 301)
    assert "最多 300 个字" in text_of(too_long)
    path = decision_of(submit(client, path_of(office), **fields, own="请补充行程。"))
    assert "请补充行程。" in text_of(client.get(path))


def test_forged_digest_changes_nothing(site: Site, office: Office) -> None:
    client = client_of(site, office)
    path = decision_of(submit(client, path_of(office), all="4", verdict="approve"))
    for digest in ("", "zz", "00" * 32, "é"):
        refused = submit(client, path, step="apply", digest=digest)
        assert refused.status_code == 409
        assert "不一致" in text_of(refused)
    assert submit(client, path, step="undo").status_code == 409
    assert submit(client, path, step="nonsense").status_code == 200
    with site.database.reading() as session:
        assert set(session.scalars(select(Registration.state))) == {"submitted"}


def test_form_without_its_token_is_refused(site: Site, office: Office) -> None:
    client = client_of(site, office)
    client.get(path_of(office))
    response = client.post(path_of(office), data={"all": "4", "verdict": "approve"})
    assert response.status_code == 400


def test_strangers_and_other_owners_see_nothing(site: Site, office: Office) -> None:
    with site.database.transaction() as session:
        other = Office(session=session, now=office.now)
    path = decision_of(submit(client_of(site, office), path_of(office), all="4", verdict="approve"))
    for client in (site.client("o-nobody"), client_of(site, other)):
        assert client.get(path_of(office)).status_code == 403
        assert client.get(path).status_code == 403
    inside = client_of(site, other)
    below = path.replace(f"/{office.company_id}/", f"/{other.company_id}/")
    assert inside.get(below).status_code == 404
    assert inside.get(path_of(other, "sheet/1")).status_code == 404
    assert inside.get(path_of(other, "sheet/99999999999999999999")).status_code == 404


def test_manager_decides_about_their_department_alone(site: Site, office: Office) -> None:
    client = client_of(site, office, "manager生产部")
    page = client.get(path_of(office))
    assert names(page) == ["王**"] * 2
    assert "销售部" not in page.text
    assert names(client.get(path_of(office) + "?department=销售部")) == []
    everybody = rows_of(client_of(site, office).get(path_of(office) + "?group=any"))
    decision_of(submit(client, path_of(office), rows=everybody, verdict="approve"))
    with site.database.reading() as session:
        departments = session.scalars(
            select(Registration.department).join(
                DecisionRow, DecisionRow.registration_id == Registration.id
            )
        ).all()
    assert departments == ["生产部"] * 3


def test_filler_sees_and_does_not_decide(site: Site, office: Office) -> None:
    client = client_of(site, office, "filler")
    page = client.get(path_of(office) + "?group=look")
    assert names(page) == ["阿**", "李*"]
    assert 'name="verdict"' not in page.text
    refused = submit(client, path_of(office), all="1", verdict="approve")
    assert refused.status_code == 403


def test_sheet_takes_as_many_statements_for_many_rows_as_for_few(
    site: Site, office: Office
) -> None:
    statements: list[str] = []
    engine = services_of(site.app).database.read_engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    client = client_of(site, office)
    counts = []
    for number in (0, 60):
        with site.database.transaction() as session:
            office.session = session
            for _ in range(number):
                office.add()
        statements.clear()
        client.get(path_of(office))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            [
                *("all", "rows", "verdict", "group", "state", "flag", "department", "text"),
                *("find", "page", "request_key", "reason", "own", "reason_asked"),
            ]
        ),
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
            st.sampled_from(
                [
                    *("approve", "reject", "return", "1", "any", "look", "submitted", "ended"),
                    *("1:1", "2:999999999999", "9999999999:1", "1:1:1", "-1:1", "fever", "\x00"),
                ]
            ),
        ),
    )
)
def test_no_form_breaks_the_sheet(site: Site, office: Office, fields: dict[str, str]) -> None:
    client = client_of(site, office)
    assert submit(client, path_of(office), **fields).status_code in {200, 303, 422, 429}
    assert client.get(path_of(office), query_string=fields).status_code == 200
