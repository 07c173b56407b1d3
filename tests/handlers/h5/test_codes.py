"""The page behind a code, and the pages on which a company shows, rotates and retires it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pypdfium2
import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page
from pyzbar.pyzbar import ZBarSymbol, decode
from sqlalchemy import event, select, update

from core.audit.model import AuditEntry
from core.codes.model import EntryCode
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import CodeCard, find_live_code, retire_code
from core.db import Database
from core.files.model import StoredFile
from core.mandates.inviting import confirm_mandate, offer_mandate
from core.mandates.rules import MandateKind
from core.mandates.service import get_mandate
from core.notices.model import Notice
from core.registration.service import submit_registration
from core.registry.model import Company
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import ADMISSION_OF, FilingDraft, FilingState
from core.resumption.filing.service import save_draft, submit_filing
from core.workplaces.service import set_admission
from handlers.h5.codes import CHANGE_LIMIT, GUESS_LIMIT, REPORT_LIMIT
from tests.core.registration.conftest import entry_of
from tests.h5 import CHROME, csrf_of, submit, text_of
from tests.handlers.h5.conftest import PUBLIC_URL, Site

NAME = "上海第1有限公司"
NOBODY = "Ab3_-Ab3_-Ab3_-Ab3_-xy"


@dataclass(kw_only=True)
class Desk:
    """A company whose filing is under review, and its owner's browser."""

    site: Site
    owner: FlaskClient

    @property
    def company_id(self) -> int:
        return self.site.ids[0]

    @property
    def database(self) -> Database:
        return self.site.database

    def live(self) -> CodeCard | None:
        """Return the code that works now."""
        with self.database.transaction() as session:
            subject = subject_of(self.company_id)
            return find_live_code(session, subject=subject, now=datetime.now(UTC))

    def code(self) -> CodeCard:
        """Return the code that works now, which there is."""
        card = self.live()
        assert card is not None
        return card

    def path(self) -> str:
        """Return the address behind the code."""
        return f"/h5/c/{self.code().token}"

    def retire(self, reason: RetiredReason) -> None:
        """End the code."""
        with self.database.transaction() as session:
            retire_code(
                session,
                subject=subject_of(self.company_id),
                reason=reason,
                actor="person:1",
                now=datetime.now(UTC),
            )

    def register(self, openid: str, person: int = 0) -> None:
        """Register somebody by the code."""
        with self.database.transaction() as session:
            submit_registration(
                session,
                workplace_id=self.company_id,
                entry=entry_of(person),
                openid=openid,
                code_id=self.code().id,
                now=datetime.now(UTC),
            )

    def set_filing(self, state: str) -> None:
        with self.database.transaction() as session:
            of_company = Filing.company_id == self.company_id
            session.execute(update(Filing).where(of_company).values(state=state))
            set_admission(
                session,
                workplace_id=self.company_id,
                admission=ADMISSION_OF[FilingState(state)],
                head_count=25,
            )

    def told(self) -> list[tuple[str, str]]:
        """Return kind and openid of every notice about codes."""
        with self.database.transaction() as session:
            rows = session.execute(
                select(Notice.kind, Notice.openid)
                .where(Notice.kind.like("code%"))
                .order_by(Notice.id)
            )
            return [(kind, openid) for kind, openid in rows]

    def actors(self, action: str) -> list[str]:
        """Return who did something."""
        with self.database.transaction() as session:
            return list(
                session.scalars(select(AuditEntry.actor).where(AuditEntry.action == action))
            )

    def deputy(self, openid: str, kind: MandateKind) -> FlaskClient:
        """Return the browser of somebody whom the owner named."""
        now = datetime.now(UTC)
        with self.database.transaction() as session:
            owner = get_mandate(session, openid="o-wang", company_id=self.company_id)
            invitation = offer_mandate(
                session,
                by=owner,
                kind=kind,
                name="张敏",
                phone="+8613800000001",
                department="物流部" if kind is MandateKind.MANAGER else "",
                now=now,
            )
            confirm_mandate(session, openid=openid, token=invitation.token, name="张敏", now=now)
        return self.site.client(openid)


@pytest.fixture
def desk(site: Site) -> Desk:
    """A company that has filed."""
    owner, now = site.owner(), datetime.now(UTC)
    with site.database.transaction() as session:
        plan = StoredFile(
            key="plan",
            purpose="prevention_plan",
            media_type="application/pdf",
            size_bytes=1,
            name="plan.pdf",
            created_by="person:1",
            created_at=now,
        )
        session.add(plan)
        session.flush()
        draft = FilingDraft(head_count=25, returning_count=3, plan_id=plan.id)
        save_draft(session, company_id=site.ids[0], draft=draft, actor="person:1", now=now)
        submit_filing(session, company_id=site.ids[0], actor="person:1", now=now)
    return Desk(site=site, owner=owner)


def shown(card: CodeCard) -> str:
    return f"{card.check_code[:3]} {card.check_code[3:]}"


def read(picture: Image.Image) -> list[str]:
    return [one.data.decode() for one in decode(picture, symbols=[ZBarSymbol.QRCODE])]


# ---- behind the code -------------------------------------------------------------------------


def test_company_is_named_before_anything_is_asked(desk: Desk) -> None:
    page = desk.site.client("o-zhang").get(desk.path())
    said = text_of(page)
    assert page.status_code == 200
    assert NAME in said
    assert "王*" in said
    assert "王伟" not in said
    assert shown(desk.code()) in said
    assert "备案号" in said
    assert "有效期至" in said
    assert "<input" not in page.text
    assert f'href="{desk.path()}/register"' in page.text


def test_somebody_who_is_not_signed_in_sees_the_company_first(desk: Desk) -> None:
    client = desk.site.client("")
    page = client.get(desk.path())
    assert NAME in text_of(page)
    assert "开始登记" in text_of(page)


def test_outside_of_wechat_the_page_says_what_to_do(desk: Desk) -> None:
    client = desk.site.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = CHROME
    page = client.get(desk.path())
    said = text_of(page)
    assert page.status_code == 200
    assert NAME in said
    assert "扫一扫" in said
    assert "经办人替您登记" in said
    assert "/register" not in page.text


def test_who_is_registered_is_shown_the_way_to_the_receipt(desk: Desk) -> None:
    desk.register("o-zhang")
    page = desk.site.client("o-zhang").get(desk.path())
    assert "您已经在这家单位登记过" in text_of(page)
    assert re.search(r'href="/h5/registration/\d+"', page.text)
    assert "/register" not in page.text
    other = desk.site.client("o-li").get(desk.path())
    assert "开始登记" in text_of(other)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (RetiredReason.ROTATED, "换了新的码"),
        (RetiredReason.RETIRED, "收回"),
        (RetiredReason.OWNER_CHANGED, "更换了法定代表人"),
        (RetiredReason.REPORTED, "被人冒用"),
    ],
)
def test_retired_code_says_so_and_when(desk: Desk, reason: RetiredReason, words: str) -> None:
    path = desk.path()
    desk.retire(reason)
    page = desk.site.client("o-zhang").get(path)
    said = text_of(page)
    assert page.status_code == 200
    assert "这个码已经停用" in said
    assert words in said
    assert re.search(r"\d{4}-\d{2}-\d{2}", said)
    assert NAME in said
    assert "/register" not in page.text


def test_code_whose_time_is_over_says_so(desk: Desk) -> None:
    path = desk.path()
    with desk.database.transaction() as session:
        session.execute(update(EntryCode).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
    said = text_of(desk.site.client("o-zhang").get(path))
    assert "这个码已经过期" in said
    assert "开始登记" not in said


def test_those_who_used_a_suspicious_code_are_warned_on_its_page(desk: Desk) -> None:
    desk.register("o-zhang")
    path = desk.path()
    desk.retire(RetiredReason.REPORTED)
    assert "您曾经用这个码登记" in text_of(desk.site.client("o-zhang").get(path))
    assert "您曾经用这个码登记" not in text_of(desk.site.client("o-li").get(path))


@pytest.mark.parametrize("is_retired", [True, False], ids=["retired", "expired"])
def test_form_behind_a_code_that_ended_is_closed(desk: Desk, is_retired: bool) -> None:
    path = f"{desk.path()}/register"
    if is_retired:
        desk.retire(RetiredReason.RETIRED)
    else:
        with desk.database.transaction() as session:
            ended_at = datetime.now(UTC) - timedelta(days=1)
            session.execute(update(EntryCode).values(expires_at=ended_at))
    page = desk.site.client("o-zhang").get(path)
    assert page.status_code == 409
    said = text_of(page)
    assert ("停用" if is_retired else "有效期") in said
    assert "月" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filing": "rejected"}, "没有通过审核"),
        ({"filing": "draft"}, "还没有提交复工备案"),
        ({"company": "deregistered"}, "已经不在营业"),
    ],
    ids=["rejected", "not filed", "not in business"],
)
def test_company_that_takes_nobody_says_why(desk: Desk, change: dict[str, str], words: str) -> None:
    path = desk.path()
    if "filing" in change:
        desk.set_filing(change["filing"])
    else:
        with desk.database.transaction() as session:
            session.get_one(Company, desk.company_id).state = change["company"]
    page = desk.site.client("o-zhang").get(path)
    assert words in text_of(page)
    assert "/register" not in page.text


@pytest.mark.parametrize("token", [NOBODY, "x", "%00", "a" * 500, "登记"])
def test_unknown_code_is_told_from_a_retired_one(desk: Desk, token: str) -> None:
    page = desk.site.client("o-zhang").get(f"/h5/c/{token}")
    assert page.status_code == 404
    assert "没有这个码" in text_of(page)


def test_guessing_codes_is_stopped_and_scanning_is_not(desk: Desk) -> None:
    client = desk.site.client("o-zhang")
    statuses = [client.get(f"/h5/c/{NOBODY}").status_code for _ in range(GUESS_LIMIT[0] + 1)]
    assert statuses == [404] * GUESS_LIMIT[0] + [429]
    assert client.get(desk.path()).status_code == 200


def test_scan_costs_few_statements(desk: Desk) -> None:
    client, path = desk.site.client("o-zhang"), desk.path()
    client.get(path)
    engine = desk.site.app.extensions["huizhili"].database.read_engine
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    client.get(path)
    assert len(statements) <= 5


# ---- reporting -------------------------------------------------------------------------------


def test_report_reaches_owner_and_filler_and_stands_on_the_owners_page(desk: Desk) -> None:
    desk.deputy("o-filler", MandateKind.FILLER)
    client = desk.site.client("o-zhang")
    page = submit(client, f"{desk.path()}/report")
    assert page.status_code == 200
    assert "已经收到" in text_of(page)
    assert desk.told() == [("code_reported", "o-wang"), ("code_reported", "o-filler")]
    assert [one.split(":")[0] for one in desk.actors("code_reported")] == ["person"]
    assert desk.code().report_count == 1
    owners = desk.owner.get(desk.site.path("/code"))
    assert "有人报告这个码可疑" in text_of(owners)
    assert "共 1 次" in text_of(owners)


def test_same_person_is_heard_once_about_a_code(desk: Desk) -> None:
    client, path = desk.site.client("o-zhang"), f"{desk.path()}/report"
    for _ in range(3):
        assert "已经收到" in text_of(submit(client, path))
    assert desk.code().report_count == 1


def test_somebody_without_a_sign_in_may_report_and_not_too_often(desk: Desk) -> None:
    client, path = desk.site.app.test_client(), f"{desk.path()}/report"
    statuses = [submit(client, path).status_code for _ in range(REPORT_LIMIT[0] + 1)]
    assert statuses == [200] * REPORT_LIMIT[0] + [429]
    assert desk.actors("code_reported") == ["visitor:0"]


def test_forged_report_is_refused(desk: Desk) -> None:
    client = desk.site.client("o-zhang")
    assert client.post(f"{desk.path()}/report", data={"csrf": "0" * 64}).status_code == 400
    assert desk.code().report_count == 0


def test_report_of_a_retired_code_is_recorded_and_disturbs_nobody(desk: Desk) -> None:
    path = f"{desk.path()}/report"
    desk.retire(RetiredReason.ROTATED)
    assert submit(desk.site.client("o-zhang"), path).status_code == 200
    assert desk.told() == []
    assert len(desk.actors("code_reported")) == 1


# ---- the company's own pages -----------------------------------------------------------------


def test_owner_sees_the_code_and_what_can_be_done_with_it(desk: Desk) -> None:
    page = desk.owner.get(desk.site.path("/code"))
    said = text_of(page)
    assert shown(desk.code()) in said
    assert "A4 海报" in said
    assert "换一个新的码" in said
    assert desk.code().token not in page.text


@pytest.mark.parametrize("size", ["", "?size=240", "?size=1200", "?size=99999", "?size=x"])
def test_picture_is_decoded_to_the_public_address(desk: Desk, size: str) -> None:
    answer = desk.owner.get(desk.site.path(f"/code.png{size}"))
    assert answer.mimetype == "image/png"
    assert read(Image.open(BytesIO(answer.data))) == [f"{PUBLIC_URL}{desk.path()}"]
    assert "inline" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_drawing_is_saved_and_never_run_as_a_page(desk: Desk) -> None:
    answer = desk.owner.get(desk.site.path("/code.svg"))
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data.startswith(b"<svg")


def test_poster_names_the_company_and_is_decoded(desk: Desk) -> None:
    answer = desk.owner.get(desk.site.path("/code.pdf"))
    assert answer.mimetype == "application/pdf"
    page = pypdfium2.PdfDocument(answer.data)[0]
    text = page.get_textpage().get_text_range()
    with desk.database.transaction() as session:
        number = session.scalar(select(Filing.number).where(Filing.company_id == desk.company_id))
    assert number
    for wanted in (NAME, "王*", number, shown(desk.code()), "021-12345", "徐汇区汇治理"):
        assert wanted in text
    assert "王伟" not in text
    assert read(page.render(scale=1).to_pil()) == [f"{PUBLIC_URL}{desk.path()}"]


def test_rotation_asks_once_ends_the_old_code_and_keeps_registrations(desk: Desk) -> None:
    desk.register("o-zhang")
    old, path = desk.code(), desk.site.path("/code/rotate")
    asked = desk.owner.get(path)
    assert shown(old) in text_of(asked)
    assert desk.code() == old
    fields = {"code_id": old.id, "reason": "rotated"}
    answer = submit(desk.owner, path, **fields)
    assert answer.status_code == 303
    assert answer.location.endswith("/code?done=rotated")
    new = desk.code()
    assert new.token != old.token
    # A second tap of the same form finds its work done.
    again = desk.owner.post(path, data={"csrf": csrf_of(asked.text), **fields})
    assert again.status_code == 303
    assert desk.code() == new
    assert desk.told() == []
    assert "查看我的登记" in text_of(desk.site.client("o-zhang").get(f"/h5/c/{new.token}"))


def test_rotation_of_a_suspicious_code_warns_those_who_used_it(desk: Desk) -> None:
    desk.register("o-zhang", person=0)
    desk.register("o-li", person=1)
    old, path = desk.code(), desk.site.path("/code/rotate")
    submit(desk.owner, path, code_id=old.id, reason="reported")
    assert desk.told() == [("code_warning", "o-zhang"), ("code_warning", "o-li")]
    said = text_of(desk.site.client("o-zhang").get(f"/h5/c/{old.token}"))
    assert "您曾经用这个码登记" in said


def test_rotations_are_limited(desk: Desk) -> None:
    path = desk.site.path("/code/rotate")
    statuses = [
        submit(desk.owner, path, code_id=desk.code().id).status_code
        for _ in range(CHANGE_LIMIT[0] + 1)
    ]
    assert statuses == [303] * CHANGE_LIMIT[0] + [429]


@pytest.mark.parametrize(("reason", "told"), [("retired", 0), ("reported", 1)])
def test_code_is_retired_and_a_new_one_made_later(desk: Desk, reason: str, told: int) -> None:
    desk.register("o-zhang")
    path = desk.site.path("/code")
    assert submit(desk.owner, f"{path}/retire", reason=reason).status_code == 303
    assert desk.live() is None
    assert len(desk.told()) == told
    page = desk.owner.get(path)
    assert "现在没有可用的登记码" in text_of(page)
    assert desk.owner.get(f"{path}.png").status_code == 404
    made = submit(desk.owner, path, to=f"{path}/rotate")
    assert made.location.endswith("done=issued")
    assert desk.live() is not None


def test_old_form_does_not_retire_the_code_that_was_made_since(desk: Desk) -> None:
    old, path = desk.code(), desk.site.path("/code")
    submit(desk.owner, f"{path}/rotate", code_id=old.id)
    new = desk.code()
    submit(desk.owner, f"{path}/retire", code_id=old.id)
    assert desk.live() == new


def test_company_without_a_filing_gets_no_code(site: Site) -> None:
    owner = site.owner()
    page = owner.get(site.path("/code"))
    assert "提交复工备案以后" in text_of(page)
    asked = owner.get(site.path("/code/rotate"))
    answer = owner.post(site.path("/code/rotate"), data={"csrf": csrf_of(asked.text)})
    assert answer.status_code == 409


def test_filler_shows_the_code_and_does_not_rotate_it(desk: Desk) -> None:
    filler = desk.deputy("o-filler", MandateKind.FILLER)
    page = filler.get(desk.site.path("/code"))
    assert shown(desk.code()) in text_of(page)
    assert "/code/rotate" not in page.text
    assert filler.get(desk.site.path("/code.pdf")).status_code == 200
    for change in ("rotate", "retire"):
        assert filler.get(desk.site.path(f"/code/{change}")).status_code == 403


@pytest.mark.parametrize("below", ["/code", "/code.png", "/code.svg", "/code.pdf", "/code/rotate"])
def test_nobody_else_gets_the_code(desk: Desk, below: str) -> None:
    assert desk.site.client("o-stranger").get(desk.site.path(below)).status_code == 403
    assert desk.owner.get(desk.site.path(below, place=2)).status_code == 403


def test_code_that_ends_soon_is_announced(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.execute(update(EntryCode).values(expires_at=datetime.now(UTC) + timedelta(days=3)))
    assert "请提前" in text_of(desk.owner.get(desk.site.path("/code")))


# ---- in a browser ----------------------------------------------------------------------------


@pytest.fixture
def served(desk: Desk, serve: Callable[[object], str]) -> str:
    """The address of the application."""
    return serve(desk.site.app)


@pytest.mark.browser
def test_pages_fit_a_narrow_phone_and_show_the_picture(desk: Desk, served: str, page: Page) -> None:
    cookie = desk.owner.get_cookie("hzl_h5", path="/h5")
    assert cookie is not None
    page.context.add_cookies(
        [
            {
                "name": "hzl_h5",
                "value": cookie.value,
                "domain": urlsplit(served).hostname or "",
                "path": "/h5",
            }
        ]
    )
    page.set_viewport_size({"width": 320, "height": 640})
    for path in (
        desk.path(),
        f"{desk.path()}/report",
        desk.site.path("/code"),
        desk.site.path("/code/rotate"),
        desk.site.path("/code/retire"),
        f"/h5/c/{NOBODY}",
    ):
        page.goto(f"{served}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.goto(f"{served}{desk.site.path('/code')}")
    picture = page.get_by_role("img", name="登记二维码")
    assert picture.evaluate("one => one.naturalWidth") == 600
    assert read(Image.open(BytesIO(picture.screenshot()))) == [f"{PUBLIC_URL}{desk.path()}"]
