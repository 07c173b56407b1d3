"""The filing's page: what is typed is never lost, what is sent twice counts once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from bot.files import ObjectFiles
from bot.h5 import COOKIE
from bot.h5_cookies import new_session
from core.audit.model import AuditEntry
from core.files.model import StoredFile
from core.files.service import FileUnavailableError
from core.mandates.inviting import confirm_mandate, offer_mandate
from core.mandates.rules import MandateKind
from core.mandates.service import get_mandate
from core.people.service import register_person
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.registry.model import Company
from core.resumption.filing.deciding import decide_filing
from core.resumption.filing.model import Filing, FilingStep
from core.resumption.filing.rules import FilingState, FilingVerdict
from core.resumption.filing.service import FilingCard, find_filing
from handlers.h5 import filing
from handlers.h5.filing import path_of
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.h5.conftest import Site

PDF = b"%PDF-1.4\nour plan\n%%EOF\n"
PHONE = "+8613800000001"


def plan(content: bytes = PDF, name: str = "方案.pdf") -> tuple[BytesIO, str]:
    return BytesIO(content), name


def photo() -> bytes:
    made = BytesIO()
    Image.radial_gradient("L").save(made, "JPEG")
    return made.getvalue()


def send(client: FlaskClient, site: Site, **typed: Any) -> TestResponse:
    """Fill in the form, correctly where nothing else is said, and submit it."""
    given = {
        "head_count": "２５",
        "returning_count": "3 人",
        "commitment": "yes",
        "signature": "王伟",
        "action": "submit",
    } | typed
    path = site.path("/filing") + ("?change=1" if typed.pop("is_change", None) else "")
    given.pop("is_change", None)
    return submit(client, path, to=site.path("/filing"), **given)


def stored(site: Site) -> FilingCard | None:
    with site.database.reading() as session:
        return find_filing(session, company_id=site.ids[0])


def decide(site: Site, verdict: FilingVerdict, reason: str = "请补充消毒记录") -> None:
    now = datetime.now(UTC)
    with site.database.transaction() as session:
        new = NewStaff(name=f"li{now:%H%M%S%f}", role=Role.DISTRICT_REVIEWER)
        staff_id = add_account(session, staff=new, password_hash="x", now=now).id
        filing = find_filing(session, company_id=site.ids[0])
        assert filing is not None
        decide_filing(
            session,
            filing_id=filing.id,
            revision=filing.revision,
            verdict=verdict,
            reason=reason,
            staff_id=staff_id,
            now=now,
        )


def count(site: Site, table: type[Any]) -> int:
    with site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def invite(site: Site, kind: MandateKind, department: str = "") -> FlaskClient:
    """Return the browser of somebody whom the owner named."""
    now = datetime.now(UTC)
    with site.database.transaction() as session:
        owner = get_mandate(session, openid="o-wang", company_id=site.ids[0])
        invitation = offer_mandate(
            session,
            by=owner,
            kind=kind,
            name="张敏",
            phone=PHONE,
            department=department,
            now=now,
        )
        confirm_mandate(session, openid="o-zhang", token=invitation.token, name="张敏", now=now)
    return site.client("o-zhang")


# ---- filling in -----------------------------------------------------------------------------


def test_the_form_shows_the_register_and_asks_little(site: Site) -> None:
    page = site.owner().get(site.path("/filing"))
    said = text_of(page)
    assert page.status_code == 200
    assert "上海第1有限公司" in said
    assert "王*" in said
    assert "王伟" not in said
    assert page.text.count("<input") == 6  # csrf, two numbers, file, box, name


def test_an_owner_files_in_one_go(site: Site) -> None:
    client = site.owner()
    answer = send(client, site, plan=plan())
    assert (answer.status_code, answer.location) == (303, site.path("/filing"))
    filing = stored(site)
    assert filing is not None
    assert (filing.state, filing.head_count, filing.returning_count) == (
        FilingState.SUBMITTED,
        25,
        3,
    )
    said = text_of(client.get(site.path("/filing")))
    assert str(filing.number) in said
    assert "前面没有其他单位" in said
    assert "通常" not in said  # nobody knows yet how long it takes


def test_a_photo_of_the_plan_will_do(site: Site) -> None:
    client = site.owner()
    assert send(client, site, plan=plan(photo(), "IMG_1.HEIC")).status_code == 303
    shown = client.get(site.path("/filing/plan"))
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert shown.data == photo()
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "IMG_1.HEIC.jpg" in shown.headers["Content-Disposition"]


def test_a_draft_is_kept_and_said_to_be(site: Site) -> None:
    client = site.owner()
    answer = send(
        client, site, head_count="25", returning_count="", signature="", action="save", plan=plan()
    )
    assert answer.location == site.path("/filing?saved=1")
    page = client.get(answer.location)
    assert "已经保存" in text_of(page)
    assert 'name="head_count" type="text" value="25"' in page.text
    assert "方案.pdf" in text_of(page)
    filing = stored(site)
    assert filing is not None
    assert filing.state is FilingState.DRAFT


def test_wrong_fields_lose_nothing(site: Site) -> None:
    client = site.owner()
    answer = send(
        client,
        site,
        head_count="二十五",
        returning_count="3",
        commitment="",
        signature="李四",
        plan=plan(),
    )
    said = text_of(answer)
    assert answer.status_code == 200
    assert "有 3 处需要修改" in said
    assert "签名和您登记的姓名不一致" in said
    assert 'value="二十五"' in answer.text
    assert 'value="李四"' in answer.text
    filing = stored(site)
    assert filing is not None
    assert (filing.state, filing.draft.head_count) == (FilingState.DRAFT, None)
    assert filing.draft.returning_count == 3
    # The plan came with it and need not come again.
    again = client.post(
        site.path("/filing"),
        data={
            "csrf": csrf_of(answer.text),
            "head_count": "25",
            "returning_count": "3",
            "commitment": "yes",
            "signature": " 王 伟 ",
            "action": "submit",
        },
    )
    assert again.status_code == 303
    assert count(site, StoredFile) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"head_count": ""}, "总人数：请填写人数"),
        ({"head_count": "0"}, "总人数：请填写 1 到 200000 之间的整数"),
        ({"returning_count": "26"}, "不能多于总人数（25 人）"),
        ({"commitment": ""}, "承诺：请阅读承诺"),
        ({"signature": ""}, "签名："),
        ({"plan": plan(b"MZ program", "plan.pdf")}, "只能上传 PDF 文件"),
        ({"plan": plan(b"")}, "这个文件是空的"),
        ({"plan": plan(PDF[:-8])}, "这个文件打不开"),
        ({}, "请上传防控方案"),
    ],
)
def test_each_field_says_what_is_wrong_with_it(
    site: Site, typed: dict[str, Any], said: str
) -> None:
    if typed and "plan" not in typed:
        typed = typed | {"plan": plan()}
    if "plan" in typed:
        typed = typed | {"plan": plan(typed["plan"][0].getvalue(), typed["plan"][1])}
    answer = send(site.owner(), site, **typed)
    assert answer.status_code == 200
    assert said in text_of(answer)
    filing = stored(site)
    assert filing is not None
    assert filing.state is FilingState.DRAFT


def test_a_file_that_is_too_large_says_so(site: Site) -> None:
    answer = send(site.owner(), site, plan=plan(PDF + bytes(10 * 1024 * 1024) + PDF))
    assert "10 MB" in text_of(answer)
    assert 'value="２５"' in answer.text
    assert count(site, StoredFile) == 0


def test_one_plan_after_another_is_not_taken_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "UPLOAD_LIMIT", (2, 3600))
    client = site.owner()
    for _ in range(2):
        assert send(client, site, plan=plan(), action="save").status_code == 303
    refused = send(client, site, plan=plan(), head_count="31")
    assert "上传的次数太多" in text_of(refused)
    assert count(site, StoredFile) == 2
    kept = stored(site)
    assert kept is not None
    assert (kept.state.value, kept.draft.head_count) == ("draft", 31)


def test_a_store_that_is_down_loses_nothing_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise FileUnavailableError

    client = site.owner()
    monkeypatch.setattr(ObjectFiles, "put", down)
    answer = send(client, site, plan=plan())
    assert answer.status_code == 200
    assert "防控方案：文件暂时存取不了" in text_of(answer)
    assert 'value="２５"' in answer.text
    assert 'value="王伟"' in answer.text
    filing = stored(site)
    assert filing is not None
    assert (filing.state, filing.draft.head_count, filing.plan_id) == (FilingState.DRAFT, 25, None)
    monkeypatch.undo()
    assert send(client, site, plan=plan()).status_code == 303


def test_nothing_is_locked_while_the_store_takes_its_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, met = ObjectFiles.put, []

    def slow(store: ObjectFiles, key: str, content: bytes) -> None:
        # Somebody else writes meanwhile: on SQLite there is one who may at a time.
        with site.database.transaction() as session:
            register_person(session, openid="o-other", now=datetime.now(UTC))
        met.append(key)
        put(store, key, content)

    client = site.owner()
    monkeypatch.setattr(ObjectFiles, "put", slow)
    assert send(client, site, plan=plan()).status_code == 303
    assert len(met) == 1


def test_a_plan_that_cannot_be_shown_now_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise FileUnavailableError

    client = site.owner()
    send(client, site, plan=plan())
    monkeypatch.setattr(ObjectFiles, "get", down)
    shown = client.get(site.path("/filing/plan"))
    assert shown.status_code == 409
    assert "文件暂时存取不了" in text_of(shown)


# ---- twice is once ----------------------------------------------------------------------------


def test_a_second_tap_leads_to_the_same_page(site: Site) -> None:
    client = site.owner()
    csrf = csrf_of(client.get(site.path("/filing")).text)
    for _ in range(2):
        data = {
            "csrf": csrf,
            "head_count": "25",
            "returning_count": "3",
            "commitment": "yes",
            "signature": "王伟",
            "action": "submit",
            "plan": plan(),
        }
        answer = client.post(site.path("/filing"), data=data)
        assert answer.location == site.path("/filing")
    assert (count(site, FilingStep), count(site, StoredFile)) == (1, 1)


def test_taps_at_once_submit_once(site: Site) -> None:
    first = site.owner()
    csrf = csrf_of(first.get(site.path("/filing")).text)
    clients = [site.client("o-wang") for _ in range(4)]
    for client in clients:
        # Each form is bound to its own cookie.
        client.csrf = csrf_of(client.get(site.path("/filing")).text)  # type: ignore[attr-defined]
    assert csrf

    def tap(client: FlaskClient) -> int:
        data = {
            "csrf": client.csrf,  # type: ignore[attr-defined]
            "head_count": "25",
            "returning_count": "3",
            "commitment": "yes",
            "signature": "王伟",
            "action": "submit",
            "plan": plan(),
        }
        return client.post(site.path("/filing"), data=data).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(tap, clients))
    assert statuses == [303] * 4
    assert (count(site, Filing), count(site, FilingStep)) == (1, 1)
    with site.database.reading() as session:
        standing = select(func.count()).where(StoredFile.removed_at.is_(None))
        assert session.scalar(standing) == 1


# ---- what became of it ------------------------------------------------------------------------


def test_a_returned_filing_shows_the_reason_first_and_is_mended(site: Site) -> None:
    client = site.owner()
    send(client, site, plan=plan())
    decide(site, FilingVerdict.RETURN, "请补充：\n消毒记录 <b>")
    page = client.get(site.path("/filing"))
    said = text_of(page)
    assert said.index("请补充： 消毒记录 <b>") < said.index("1. 单位")
    assert "<b>" not in page.text.split("消毒记录")[1][:20]
    assert 'value="25"' in page.text
    assert send(client, site, head_count="30").status_code == 303
    history = text_of(client.get(site.path("/filing")))
    assert "第 2 次提交，共 30 人" in history
    assert "退回修改" in history


def test_an_approved_filing_is_changed_on_request_alone(site: Site) -> None:
    client = site.owner()
    send(client, site, plan=plan())
    decide(site, FilingVerdict.APPROVE, "")
    page = client.get(site.path("/filing"))
    assert "已通过" in text_of(page)
    assert "<form" not in page.text
    changing = client.get(site.path("/filing?change=1"))
    assert "二维码继续有效" in text_of(changing)
    other = PDF + b"%%EOF\n"
    kept = send(client, site, is_change=True, action="save", plan=plan(other, "新方案.pdf"))
    assert kept.location == site.path("/filing?saved=1")
    assert client.get(site.path("/filing/plan")).data == other
    assert client.get(site.path("/filing/plan?declared=1")).data == PDF
    status = text_of(client.get(site.path("/filing")))
    assert "您有一份变更还没有提交" in status
    assert "新方案" not in status
    assert send(client, site, is_change=True, head_count="80").status_code == 303
    filing = stored(site)
    assert filing is not None
    assert (filing.state, filing.head_count) == (FilingState.SUBMITTED, 80)


def test_an_approved_filing_is_not_submitted_as_it_is(site: Site) -> None:
    client = site.owner()
    send(client, site, plan=plan())
    decide(site, FilingVerdict.APPROVE, "")
    same = send(client, site, is_change=True)
    assert same.status_code == 200
    assert "不需要再次提交" in text_of(same)


def test_the_queue_and_the_usual_wait_are_shown_when_they_are_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.owner()
    send(client, site, plan=plan())
    monkeypatch.setattr(
        "core.resumption.filing.service.usual_wait_of", lambda _: timedelta(hours=5)
    )
    assert "通常约 5 小时" in text_of(client.get(site.path("/filing")))


def test_a_company_out_of_business_sees_and_sends_nothing_new(site: Site) -> None:
    client = site.owner()
    csrf = csrf_of(client.get(site.path("/filing")).text)
    with site.database.transaction() as session:
        session.get_one(Company, site.ids[0]).state = "revoked"
    page = client.get(site.path("/filing"))
    assert "<form" not in page.text
    assert "现在不能备案" in text_of(page)
    refused = client.post(site.path("/filing"), data={"csrf": csrf, "head_count": "25"})
    assert refused.status_code == 403
    assert stored(site) is None


# ---- whose it is ------------------------------------------------------------------------------


def test_a_filler_files_under_their_own_name(site: Site) -> None:
    site.owner()
    client = invite(site, MandateKind.FILLER)
    wrong = send(client, site, signature="王伟", plan=plan())
    assert "签名和您登记的姓名不一致" in text_of(wrong)
    assert send(client, site, signature="张敏").status_code == 303
    with site.database.reading() as session:
        signed = session.scalars(select(Filing.signed_by)).one()
        mandate = get_mandate(session, openid="o-zhang", company_id=site.ids[0])
        assert signed == f"person:{mandate.person_id}"
        assert path_of(mandate) == site.path("/filing")


@pytest.mark.parametrize("below", ["/filing", "/filing/plan"])
def test_nobody_else_sees_a_filing(site: Site, below: str) -> None:
    owner = site.owner()
    send(owner, site, plan=plan())
    manager = invite(site, MandateKind.MANAGER, "物流部")
    for client in (site.client("o-stranger"), manager):
        assert client.get(site.path(below)).status_code == 403
    assert owner.get(f"/h5/company/999999999{below}").status_code == 403
    assert owner.get(f"/h5/company/{10**30}{below}").status_code == 403


def test_a_stranger_cannot_send_anything(site: Site) -> None:
    client = site.client("o-stranger")
    csrf = csrf_of(client.get("/h5/").text)
    data = {"csrf": csrf, "head_count": "25", "plan": plan()}
    assert client.post(site.path("/filing"), data=data).status_code == 403
    assert (count(site, Filing), count(site, StoredFile)) == (0, 0)


def test_there_is_no_plan_before_one_was_sent(site: Site) -> None:
    assert site.owner().get(site.path("/filing/plan")).status_code == 404


def test_what_was_done_is_on_record(site: Site) -> None:
    client = site.owner()
    send(client, site, plan=plan())
    client.get(site.path("/filing/plan"))
    with site.database.reading() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    wanted = ["file_kept", "filing_begun", "filing_submitted", "file_read"]
    assert [action for action in actions if action in wanted] == wanted


# ---- in a browser -----------------------------------------------------------------------------


def look(page: Page) -> None:
    """Look at a page in three sizes for what nobody could use."""
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} wide at {width}"
        faults = Axe().run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in faults] == []


@pytest.mark.browser
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_owner_files_by_keyboard_and_is_led_to_what_is_wrong(
    site: Site, page: Page, serve: Callable[[Any], str], tmp_path: Path
) -> None:
    site.owner()
    url = serve(site.app)
    cookie = new_session(openid="o-wang", now=datetime.now(UTC)).sealed()
    page.context.add_cookies([{"name": COOKIE, "value": cookie, "url": url + "/h5/"}])
    path = f"{url}{site.path('/filing')}"
    chosen = tmp_path / "复工防控方案.pdf"
    chosen.write_bytes(PDF)
    page.goto(path)
    look(page)
    page.get_by_label("总人数", exact=True).focus()
    page.keyboard.type("25")
    page.keyboard.press("Tab")
    page.keyboard.type("30")
    page.get_by_label("防控方案").set_input_files(chosen)
    page.get_by_label("签名").fill("王五")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("有 3 处需要修改")
    expect(alert).to_be_focused()
    look(page)
    alert.get_by_role("link").first.click()
    expect(page.get_by_label("从外地返沪的人数")).to_be_focused()
    expect(page.get_by_role("link", name="复工防控方案.pdf")).to_be_visible()
    page.get_by_label("从外地返沪的人数").fill("3")
    page.get_by_label("我已阅读").check()
    page.get_by_label("签名").fill("王伟")
    page.keyboard.press("Enter")
    expect(page.get_by_text("审核中")).to_be_visible()
    look(page)
    decide(site, FilingVerdict.RETURN, "防控方案缺少消毒安排，请补充每天的消毒时间和负责人。")
    page.goto(path)
    expect(page.get_by_role("heading", name="审核人员请您修改")).to_be_visible()
    look(page)
    page.get_by_label("我已阅读").check()
    page.get_by_label("签名").fill("王伟")
    page.get_by_role("button", name="签名并重新提交").click()
    decide(site, FilingVerdict.APPROVE, "")
    page.goto(path)
    expect(page.get_by_text("备案已经通过")).to_be_visible()
    look(page)
    page.get_by_role("link", name="变更备案").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("变更备案")
    look(page)
