"""Registering with a company by its code: the form, the receipt, one's own data, others' data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.clock import day_of
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import find_live_code, retire_code
from core.db import Database
from core.people.model import Consent
from core.places.model import Community
from core.places.service import mark_changed
from core.registration.model import Registration, RegistrationDraft
from handlers.h5 import registrations
from tests.core.registration.conftest import NUMBERS, District, add_places
from tests.h5 import csrf_of, enter, submit, text_of

PHONE = "13800000001"


@dataclass(kw_only=True)
class Site:
    """The application with two companies that take registrations."""

    app: Flask
    database: Database
    companies: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def client(self, openid: str = "o-0") -> FlaskClient:
        return enter(self.app.test_client(), openid)

    def form(self, company: int = 0) -> str:
        return f"/h5/c/{self.tokens[company]}/register"

    def stored(self) -> list[Registration]:
        with self.database.reading() as session:
            return list(session.scalars(select(Registration).order_by(Registration.id)))

    def drafts(self) -> list[RegistrationDraft]:
        with self.database.reading() as session:
            return list(session.scalars(select(RegistrationDraft)))

    def district(self, session: Any) -> District:
        return District(session=session, now=datetime.now(UTC), companies=self.companies)


@pytest.fixture
def site(app: Flask, database: Database) -> Site:
    site = Site(app=app, database=database)
    with database.transaction() as session:
        now = datetime.now(UTC)
        add_places(session, now)
        district = District(session=session, now=now)
        district.add_company()
        district.add_company(filing="approved")
        site.companies = district.companies
        for company_id in district.companies:
            card = find_live_code(session, subject=subject_of(company_id), now=now)
            assert card is not None
            site.tokens.append(card.token)
    return site


def filled(person: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "name": "张三",
        "document_kind": "resident_id",
        "document": NUMBERS[person],
        "phone": PHONE,
        "home": "田林十二村",
        "away": "no",
        "health_code": "green",
        "symptoms": ["none"],
        "temperature": "36.5",
        "consent": "yes",
    } | changes


def send(site: Site, client: FlaskClient, person: int = 0, company: int = 0, **changes: Any) -> Any:
    return submit(client, site.form(company), **filled(person, **changes))


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*id="f-{name}"[^>]*>', page)
    assert found is not None
    value = re.search(r'value="([^"]*)"', found[0])
    return value[1] if value else ""


# ---- registering -----------------------------------------------------------------------------


def test_employee_registers_and_sees_the_receipt(site: Site) -> None:
    client = site.client()
    page = client.get(site.form())
    assert "上海第1有限公司" in text_of(page)
    sent = send(site, client)

    assert sent.status_code == 303
    receipt = client.get(sent.location)
    said = text_of(receipt)
    assert "登记已经收到" in said
    assert "待审批" in said
    assert "张*" in said
    assert "请关注公众号" in said
    for hidden in (NUMBERS[0], PHONE):
        assert hidden not in receipt.text
    (stored,) = site.stored()
    assert (stored.name, stored.community_id, stored.state) == ("张三", 1, "submitted")
    assert stored.number in said
    with site.database.reading() as session:
        (consent,) = session.scalars(select(Consent))
    assert (consent.purpose, consent.wording) == ("return_to_work", "return-to-work-1")
    assert stored.consent == consent.wording


def test_scanning_or_sending_again_shows_the_same_receipt(site: Site) -> None:
    client = site.client()
    csrf = csrf_of(client.get(site.form()).text)
    first = client.post(site.form(), data={"csrf": csrf, **filled()})
    again = client.post(site.form(), data={"csrf": csrf, **filled()})
    assert first.location.split("?")[0] == again.location.split("?")[0]
    assert "不用重复提交" in text_of(client.get(again.location))
    assert client.get(site.form()).location == first.location.split("?")[0]
    assert len(site.stored()) == 1


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(site: Site) -> None:
    client = site.client()
    page = send(
        site,
        client,
        document="310104198513320017",
        phone="123",
        symptoms=["none", "cough"],
        consent="",
        health_code="",
        department="仓库",
    )
    assert page.status_code == 200
    said = text_of(page)
    assert "有 5 处需要修改" in said
    assert "您既选了症状，又选了“没有不适”" in said
    assert value_of(page.text, "document") == "310104198513320017"
    assert value_of(page.text, "department") == "仓库"
    assert page.text.count(" checked") == 3  # stayed, none, cough
    assert site.stored() == []
    # It is still there when the person comes back.
    again = client.get(site.form())
    assert value_of(again.text, "document") == "310104198513320017"
    assert "上次填写的内容还在" in text_of(again)
    assert len(site.drafts()) == 1
    assert send(site, client).status_code == 303
    assert site.drafts() == []


def test_form_that_is_left_is_kept_for_later(site: Site) -> None:
    client = site.client()
    kept = submit(client, site.form(), name="张三", action="keep")
    assert kept.status_code == 303
    page = client.get(kept.location)
    assert "已经保存" in text_of(page)
    assert value_of(page.text, "name") == "张三"
    assert value_of(site.client("o-1").get(site.form()).text, "name") == ""


def test_home_is_chosen_from_a_list_without_scripts(site: Site) -> None:
    with site.database.transaction() as session:
        for number, name in ((3, "古美小区"), (4, "古美小区")):
            session.add(
                Community(
                    id=number,
                    code=f"G{number}",
                    name=name,
                    street_id=1,
                    changed_at=datetime.now(UTC),
                )
            )
        session.flush()
        mark_changed(session)
    client = site.client()
    asked = send(site, client, home="古美小区")
    assert "请从下面的小区里选一个" in text_of(asked)
    assert asked.text.count('name="home_choice"') == 3
    sent = send(site, client, home="古美小区", home_choice="G4", home_asked="古美小区")
    assert sent.status_code == 303
    assert site.stored()[0].community_id == 4


def test_looking_a_community_up_complains_of_nothing_else(site: Site) -> None:
    page = submit(site.client(), site.form(), home="田林", action="find", phone="1")
    said = text_of(page)
    assert "田林十二村" in said
    assert "有 1 处需要修改" in said
    assert value_of(page.text, "phone") == "1"
    one = submit(site.client(), site.form(), home="田林12村", action="find")
    assert value_of(one.text, "home") == "田林十二村"
    assert "需要修改" not in text_of(one)


def test_home_outside_of_the_district_is_taken_as_it_is(site: Site) -> None:
    sent = send(site, site.client(), home="浦东新区张江路1号", home_elsewhere="yes")
    assert sent.status_code == 303
    assert site.stored()[0].community_id is None


def test_who_was_away_says_where_when_and_how(site: Site) -> None:
    client = site.client()
    faulty = send(site, client, away="yes")
    assert "有 3 处需要修改" in text_of(faulty)
    today = day_of(datetime.now(UTC))
    sent = send(
        site,
        client,
        away="yes",
        stays="江苏昆山",
        travel="car",
        returned_on=(today - timedelta(days=3)).isoformat(),
    )
    receipt = text_of(client.get(sent.location))
    assert "去过江苏昆山" in receipt
    assert "自驾" in receipt


def test_known_person_confirms_instead_of_typing(site: Site) -> None:
    client = site.client()
    send(site, client)
    page = client.get(site.form(1))
    assert "您以前登记过" in text_of(page)
    assert NUMBERS[0] not in page.text
    assert PHONE not in page.text
    shown = {name: value_of(page.text, name) for name in ("name", "document", "phone", "home")}
    assert shown["document"].count("*") == 11
    sent = send(site, client, company=1, **shown)
    assert sent.status_code == 303
    first, second = site.stored()
    assert (second.document, second.phone, second.community_id) == (
        first.document,
        first.phone,
        first.community_id,
    )
    assert second.flags == []


def test_document_of_another_person_is_refused_beside_the_field(site: Site) -> None:
    send(site, site.client())
    page = send(site, site.client("o-1"), name="李四")
    assert page.status_code == 200
    assert "这个证件号码已在该单位登记过" in text_of(page)
    assert value_of(page.text, "name") == "李四"
    assert len(site.stored()) == 1
    with site.database.reading() as session:
        tried = select(AuditEntry.actor).where(AuditEntry.action == "registration_refused")
        assert [actor.split(":")[0] for actor in session.scalars(tried)] == ["person"]


def test_same_person_on_another_phone_is_told_it_arrived_and_sees_nothing(site: Site) -> None:
    send(site, site.client())
    other = site.client("o-1")
    page = send(site, other)
    said = text_of(page)
    assert "早些时候已用另一个微信提交" in said
    for hidden in (NUMBERS[0], "张三", PHONE, site.stored()[0].number):
        assert hidden not in page.text
    assert other.get(f"/h5/registration/{site.stored()[0].id}").status_code == 404


@pytest.mark.parametrize("way", ["retired", "unknown", "malformed"])
def test_code_that_does_not_work_asks_nothing(site: Site, way: str) -> None:
    path = site.form()
    if way == "retired":
        with site.database.transaction() as session:
            retire_code(
                session,
                subject=subject_of(site.companies[0]),
                reason=RetiredReason.ROTATED,
                actor="person:1",
                now=datetime.now(UTC),
            )
    else:
        path = f"/h5/c/{'A' * 22 if way == 'unknown' else 'x'}/register"
    page = site.client().get(path)
    assert page.status_code in {404, 409}
    assert "<input" not in page.text.replace('<input type="hidden"', "")


def test_closed_company_is_named_as_such(site: Site) -> None:
    with site.database.transaction() as session:
        district = site.district(session)
        company_id = district.add_company(filing="rejected")
        card = find_live_code(session, subject=subject_of(company_id), now=district.now)
        assert card is not None
    page = site.client().get(f"/h5/c/{card.token}/register")
    assert page.status_code == 409
    assert "复工备案没有通过" in text_of(page)


def test_too_many_tries_are_stopped_with_everything_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrations, "PERSON_LIMIT", (1, 3600))
    client = site.client()
    send(site, client, phone="1")
    page = send(site, client)
    assert page.status_code == 429
    assert "提交次数太多" in text_of(page)
    assert value_of(page.text, "document") == NUMBERS[0]
    assert send(site, site.client("o-1"), 1).status_code == 303


def test_thousand_people_in_a_minute_are_within_the_limit_of_a_code() -> None:
    limit, seconds = registrations.CODE_LIMIT
    assert limit * 60 / seconds >= 1000


@pytest.mark.parametrize(
    "typed",
    [
        {"symptoms": ["<script>", "x" * 9000]},
        {"away": "maybe", "travel": "rocket", "returned_on": "2020-02-31"},
        {"home": "\x00" * 70, "home_choice": "x", "home_asked": "\x00" * 70},
        {"name": "'; DROP TABLE registration --", "document_kind": "moon"},
        {"temperature": "٣٦.٥", "department": "\u202e" * 60},
    ],
)
def test_whatever_is_typed_the_page_answers(site: Site, typed: dict[str, Any]) -> None:
    page = send(site, site.client(), **typed)
    assert page.status_code in {200, 303}
    assert "<script>" not in page.text


# ---- the receipt and one's own data --------------------------------------------------------------


def test_all_registrations_of_a_person_are_listed(site: Site) -> None:
    client = site.client()
    assert "还没有登记" in text_of(client.get("/h5/registrations"))
    send(site, client)
    send(site, client, company=1)
    said = text_of(client.get("/h5/registrations"))
    assert "上海第1有限公司" in said
    assert "上海第2有限公司" in said
    assert "还没有登记" in text_of(site.client("o-1").get("/h5/registrations"))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("approved", "单位已经同意您返岗"),
        ("returned", "请您修改后重新提交"),
        ("rejected", "单位暂不同意返岗"),
    ],
)
def test_receipt_shows_what_was_decided_and_why(site: Site, state: str, said: str) -> None:
    client = site.client()
    sent = send(site, client)
    with site.database.transaction() as session:
        site.district(session).set_state(site.stored()[0].id, state, "请补充车次")
    page = text_of(client.get(sent.location))
    assert said in page
    assert "请补充车次" in page


def test_correction_shows_what_was_said_and_goes_before_the_owner_anew(site: Site) -> None:
    client = site.client()
    path = send(site, client).location.split("?")[0]
    page = client.get(f"{path}/correct")
    assert NUMBERS[0] not in page.text
    shown = {name: value_of(page.text, name) for name in ("name", "document", "phone", "home")}
    faulty = submit(client, f"{path}/correct", **filled(**shown, temperature="80"))
    assert "体温请填 34 到 43" in text_of(faulty)
    sent = submit(
        client, f"{path}/correct", **filled(**shown, temperature="37.5", symptoms=["fatigue"])
    )
    assert sent.status_code == 303
    assert "修改已经保存" in text_of(client.get(sent.location))
    (stored,) = site.stored()
    assert (stored.version, stored.flags, stored.document) == (
        2,
        ["symptoms", "fever"],
        NUMBERS[0],
    )


def test_correction_to_the_document_of_another_is_refused(site: Site) -> None:
    client = site.client()
    path = send(site, client).location.split("?")[0]
    send(site, site.client("o-1"), 1, phone="13900000002")
    page = submit(client, f"{path}/correct", **filled(1))
    assert "这个证件号码已在该单位登记过" in text_of(page)
    assert site.stored()[0].document == NUMBERS[0]


def test_ending_asks_once_more_and_drops_the_answers(site: Site) -> None:
    client = site.client()
    path = send(site, client).location.split("?")[0]
    assert "不能恢复" in text_of(client.get(f"{path}/end"))
    ended = submit(client, f"{path}/end")
    assert ended.status_code == 303
    page = client.get(ended.location)
    assert "行程和健康情况已经删除" in text_of(page)
    assert "修改登记" not in text_of(page)
    assert site.stored()[0].answers == ""
    assert client.get(f"{path}/correct").status_code == 409
    assert client.get(f"{path}/end").status_code == 303
    # Scanning again begins anew.
    assert client.get(site.form()).status_code == 200
    assert send(site, client).status_code == 303
    assert site.stored()[0].state == "submitted"


@pytest.mark.parametrize("below", ["", "/correct", "/end"])
@pytest.mark.parametrize("number", ["1", "0", "99999", "9" * 40])
def test_nobody_opens_the_registration_of_another(site: Site, below: str, number: str) -> None:
    send(site, site.client())
    stranger = site.client("o-1")
    assert stranger.get(f"/h5/registration/{number}{below}").status_code == 404


# ---- for somebody without the app ----------------------------------------------------------------


def owner_of(site: Site, kind: str = "owner") -> FlaskClient:
    with site.database.transaction() as session:
        department = "仓库" if kind == "manager" else ""
        site.district(session).add_mandate(f"o-{kind}", kind=kind, department=department)
    return site.client(f"o-{kind}")


@pytest.mark.parametrize("kind", ["owner", "filler"])
def test_owner_and_filler_enter_somebody_once(site: Site, kind: str) -> None:
    client = owner_of(site, kind)
    path = f"/h5/company/{site.companies[0]}/enter"
    assert "代员工登记" in text_of(client.get(path))
    sent = submit(client, path, **filled())
    assert sent.status_code == 303
    (stored,) = site.stored()
    assert stored.number in text_of(client.get(sent.location))
    assert (stored.person_id, stored.code_id) == (None, None)
    assert stored.entered_by.startswith("person:")
    again = client.get(submit(client, path, **filled()).location)
    assert "没有重复录入" in text_of(again)
    faulty = submit(client, path, **filled(1, phone="1", name="王五"))
    assert value_of(faulty.text, "name") == "王五"
    assert len(site.stored()) == 1
    assert site.drafts() == []


def test_what_was_entered_becomes_the_employees_own(site: Site) -> None:
    client = owner_of(site)
    submit(client, f"/h5/company/{site.companies[0]}/enter", **filled())
    sent = send(site, site.client("o-0"))
    assert sent.status_code == 303
    assert "张*" in text_of(site.client("o-0").get(sent.location))
    assert len(site.stored()) == 1


@pytest.mark.parametrize("kind", ["manager", "stranger"])
def test_nobody_else_enters_people(site: Site, kind: str) -> None:
    client = site.client("o-x") if kind == "stranger" else owner_of(site, kind)
    page = client.get(f"/h5/company/{site.companies[0]}/enter")
    assert page.status_code == 403
    assert client.get(f"/h5/company/{'9' * 40}/enter").status_code == 404


def test_address_of_the_last_entry_says_nothing_else(site: Site) -> None:
    client = owner_of(site)
    page = client.get(f"/h5/company/{site.companies[0]}/enter?done=new&number=请汇款到")
    assert "请汇款到" not in page.text
