from __future__ import annotations

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.mandates.model import CompanyClaim
from core.notices.model import Notice
from core.people.staff.rules import Role
from core.registry.model import Company
from tests.console import CLAIMED, PDF, District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter

QUEUE = "/console/claims"
REVIEWER = Role.DISTRICT_REVIEWER


def claim_of(district: District) -> CompanyClaim:
    with district.database.transaction() as session:
        return session.get_one(CompanyClaim, district.claims[0])


def test_claim_is_shown_masked_with_its_licence_on_record(
    come_in: Enter, district: District
) -> None:
    client = come_in(REVIEWER)
    assert "待核对 2 份" in text_of(client.get(QUEUE))
    shown = client.get(f"{QUEUE}/{district.claims[0]}").text
    assert "陈*" in shown
    assert "陈静" not in shown
    licence = client.get(f"{QUEUE}/{district.claims[0]}/licence")
    assert (licence.data, licence.mimetype) == (PDF, "application/pdf")
    with district.database.transaction() as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.action == "file_read")).one()
    assert read.actor == "staff:1"


def test_accepted_claim_is_in_the_register_and_told(come_in: Enter, district: District) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.claims[0]}"
    done = submit(client, path, to=f"{path}/decide", verdict="accept", name="陈静")
    assert done.location == f"{QUEUE}?done={district.claims[0]}"
    assert f"{CLAIMED[0]}的申报已通过，已经通知申报人" in text_of(client.get(done.location))
    with district.database.transaction() as session:
        names = session.scalars(select(Company.name)).all()
        kinds = session.scalars(select(Notice.kind)).all()
    assert CLAIMED[0] in names
    assert "claim_accepted" in kinds


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"verdict": "accept", "name": "王静"}, 422, "法人姓名与申报的不一致"),
        ({"verdict": "accept", "name": ""}, 422, "法人姓名与申报的不一致"),
        ({"verdict": "refuse", "reason": " "}, 422, "原因"),
        ({"verdict": "refuse", "reason": "看" * 301}, 422, "看" * 301),
        ({"verdict": "eat"}, 422, "请选择一项"),
    ],
)
def test_decision_that_cannot_be_keeps_what_was_typed(
    come_in: Enter, district: District, fields: dict[str, str], status: int, words: str
) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.claims[0]}"
    refused = submit(client, path, to=f"{path}/decide", **fields)
    assert (refused.status_code, words in refused.text) == (status, True)
    assert 'role="alert"' in refused.text
    assert f'action="{path}/decide"' in refused.text, "it can be tried again"
    assert claim_of(district).state == "waiting"


def test_two_reviewers_are_never_on_the_same_claim_unawares(
    come_in: Enter, district: District
) -> None:
    path = f"{QUEUE}/{district.claims[0]}"
    first, second = come_in(REVIEWER), come_in(REVIEWER, name="li", display_name="李明")
    csrf_second = csrf_of(second.get("/console/").text)
    first.get(path)
    other = second.get(path)
    assert "王静正在核对这份申报" in text_of(other)
    assert 'name="verdict"' not in other.text
    fields = {"csrf": csrf_second, "verdict": "refuse", "reason": "不是本区企业"}
    assert second.post(f"{path}/decide", data=fields).status_code == 409
    assert submit(first, path, to=f"{path}/decide", act="release").location == QUEUE
    assert 'name="verdict"' in second.get(path).text
    assert second.post(f"{path}/decide", data=fields).status_code == 303
    late = first.post(
        f"{path}/decide",
        data={"csrf": csrf_of(first.get(path).text), "verdict": "accept", "name": "陈静"},
    )
    assert late.status_code == 409
    assert claim_of(district).state == "refused"


@pytest.mark.parametrize("role", [Role.STREET_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_only_looks_holds_no_claim(come_in: Enter, district: District, role: Role) -> None:
    shown = come_in(role).get(f"{QUEUE}/{district.claims[0]}").text
    assert 'name="verdict"' not in shown
    assert claim_of(district).held_by is None


@pytest.mark.parametrize("query", ["state=x", "state=all", "page=0", "q=%00", "done=x", "done=9"])
def test_fields_that_make_no_sense_are_as_if_not_given(come_in: Enter, query: str) -> None:
    assert come_in(REVIEWER).get(f"{QUEUE}?{query}").status_code == 200


def test_empty_queue_says_what_will_come(come_in: Enter) -> None:
    client = come_in(REVIEWER)
    assert "没有符合条件的申报" in client.get(f"{QUEUE}?q=火星").text
    assert "没有这种状态的申报" in client.get(f"{QUEUE}?state=refused").text
