"""Claiming a company on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.files.model import StoredFile
from core.mandates.model import CompanyClaim
from core.mandates.reviewing import ClaimDecision, decide_claim
from core.mandates.rules import ClaimVerdict
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Street
from tests.core.mandates.conftest import CODES, NUMBERS, OWNERS, PDF
from tests.h5 import submit, text_of
from tests.handlers.h5.conftest import Site


def send(site: Site, client: FlaskClient, *, content: bytes = PDF, **fields: str) -> TestResponse:
    with site.database.reading() as session:
        street_id = session.scalars(select(Street.id)).first()
    sent = {
        "uscc": CODES[3],
        "name": "上海新设有限公司",
        "owner_name": OWNERS[3],
        "document": NUMBERS[3],
        "address": "漕溪北路8号",
        "street": str(street_id),
        "industry": "餐饮",
    } | fields
    return submit(client, "/h5/claim", licence=(BytesIO(content), "执照.pdf"), **sent)


def claims_in(site: Site) -> list[CompanyClaim]:
    with site.database.reading() as session:
        return list(session.scalars(select(CompanyClaim)))


def decide(site: Site, verdict: ClaimVerdict, reason: str = "") -> None:
    now = datetime.now(UTC)
    with site.database.transaction() as session:
        staff = NewStaff(name="lin", role=Role.DISTRICT_REVIEWER)
        account = add_account(session, staff=staff, password_hash="x", now=now)
        decide_claim(
            session,
            claim_id=session.scalars(select(CompanyClaim.id)).one(),
            area=Area(),
            decision=ClaimDecision(verdict=verdict, reason=reason, name_on_licence=OWNERS[3]),
            staff_id=account.id,
            now=now,
        )


def test_claim_is_sent_with_its_licence_and_seen_masked(site: Site) -> None:
    client = site.client("o-chen")
    answer = send(site, client)
    assert (answer.status_code, answer.location) == (303, "/h5/claims?sent=1")
    page = client.get(answer.location)
    said = text_of(page)
    assert "申报已经收到" in said
    assert "等待核对" in said
    assert "陈*" in said
    assert NUMBERS[3] not in page.text
    assert OWNERS[3] not in page.text
    assert "查看我申报的单位" in text_of(client.get("/h5/owner"))
    with site.database.reading() as session:
        (kept,) = session.scalars(select(StoredFile))
    assert (kept.purpose, kept.media_type, kept.name) == ("licence", "application/pdf", "执照.pdf")


def test_claim_sent_twice_is_one(site: Site) -> None:
    client = site.client("o-chen")
    assert [send(site, client).status_code for _ in range(2)] == [303, 303]
    assert len(claims_in(site)) == 1


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        pytest.param({"uscc": CODES[3][:-1]}, "您填写的是 17 位", id="short code"),
        pytest.param({"uscc": ""}, "请填写统一社会信用代码", id="no code"),
        pytest.param({"uscc": CODES[0]}, "这家单位已经在企业法人库里", id="registered code"),
        pytest.param({"name": ""}, "单位名称：这一项还没有填写", id="no name"),
        pytest.param({"name": "长" * 101}, "最多 100 个字", id="long name"),
        pytest.param({"owner_name": "陈1"}, "姓名里只能有文字", id="digit in a name"),
        pytest.param({"document": "123"}, "证件号码应为 18 位", id="short number"),
        pytest.param({"address": " "}, "经营地址：这一项还没有填写", id="no address"),
        pytest.param({"street": "99999"}, "所在街镇：请选择一项", id="street of nowhere"),
        pytest.param({"street": "x"}, "所在街镇：请选择一项", id="street that is no number"),
    ],
)
def test_fault_is_said_beside_its_field_and_the_rest_is_kept(
    site: Site, fields: dict[str, str], fault: str
) -> None:
    page = send(site, site.client("o-chen"), **fields)
    assert page.status_code == 422
    assert fault in text_of(page)
    assert 'value="餐饮"' in page.text
    assert "请重新选择文件" in text_of(page)
    assert claims_in(site) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(b"", "营业执照：", id="an empty one"),
        pytest.param(b"MZ" * 100, "营业执照：", id="a program that is called pdf"),
        pytest.param(PDF[:-10], "营业执照：", id="cut off"),
    ],
)
def test_licence_that_cannot_be_used_is_refused(site: Site, content: bytes, fault: str) -> None:
    page = send(site, site.client("o-chen"), content=content)
    assert page.status_code == 422
    assert fault in text_of(page)
    assert claims_in(site) == []


def test_claim_without_a_licence_is_asked_for_one(site: Site) -> None:
    page = submit(site.client("o-chen"), "/h5/claim", uscc=CODES[3])
    assert page.status_code == 422
    assert "营业执照：请选择要上传的文件" in text_of(page)


def test_accepted_claim_leads_on_to_the_company(site: Site) -> None:
    client = site.client("o-chen")
    send(site, client)
    decide(site, ClaimVerdict.ACCEPT)
    page = client.get("/h5/claims")
    (claim,) = claims_in(site)
    assert "已通过" in text_of(page)
    assert f'href="/h5/company/{claim.company_id}"' in page.text
    said = text_of(client.get(f"/h5/company/{claim.company_id}"))
    assert "您是法人" in said
    assert "下一步：提交备案" in said


def test_refused_claim_names_the_reason_and_can_be_sent_again(site: Site) -> None:
    client = site.client("o-chen")
    send(site, client)
    decide(site, ClaimVerdict.REFUSE, "执照照片不清楚")
    assert "原因：执照照片不清楚" in text_of(client.get("/h5/claims"))
    assert send(site, client).status_code == 303
    assert [one.state for one in claims_in(site)] == ["refused", "waiting"]


def test_somebody_without_claims_sees_how_to_make_one(site: Site) -> None:
    client = site.client("o-new")
    assert "您还没有申报过单位" in text_of(client.get("/h5/claims"))
    assert "查看我申报的单位" not in text_of(client.get("/h5/owner"))
