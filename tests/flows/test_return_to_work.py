"""The whole story of a company's return to work, from the register to the last notice.

The product runs as processes of its own: web server, worker, PostgreSQL, Redis. WeChat is the
simulator; owner, reviewer and two of the staff sit in front of a browser.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pyotp
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pyzbar.pyzbar import decode
from sqlalchemy import func, select

from bot.demo.names import company_code, resident_number
from bot.services import services_of
from bot.simulator import pushes
from core.audit.model import AuditEntry
from core.clock import day_of
from core.codes.model import EntryCode
from core.db import Database
from core.notices.model import Notice
from core.notices.rules import NoticeState
from core.people.staff.rules import Role
from core.people.staff.secrets import hash_password
from core.people.staff.service import NewStaff, add_account
from core.registration.model import Registration
from core.registry.model import Company
from tests.h5 import WECHAT, csrf_of
from tests.installation import Installation, installed, wait_for

pytestmark = pytest.mark.browser

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ONCE, OWN = "once-only-pass-word", "kites over the river"
COMMUNITIES = """code,name,street,longitude,latitude
T12,田林十二村,田林街道,121.4200,31.1700
T13,田林十三村,田林街道,121.4220,31.1720
"""
_random = Random(20200328)
GIVEN = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰"
SHOP, MILL = "上海晨曦测试商贸有限公司", "上海暮云测试纺织有限公司"


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person who does not exist."""

    openid: str
    name: str
    number: str
    phone: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of them may stand in no notice and in no log."""
        return (self.name, self.number, self.phone)


def somebody(place: int, name: str) -> Somebody:
    return Somebody(
        openid=f"oFLOW{place:023d}",
        name=name,
        number=resident_number(_random, born_on=date(1980, 1, 1 + place % 28), is_female=False),
        phone=f"1991000{place:04}",
    )


STAFF = [somebody(place, f"慕容{given}瑾") for place, given in enumerate(GIVEN)]
OWNER, OTHER_OWNER = somebody(50, "慕容掌柜"), somebody(51, "慕容东家")
EVERYBODY = (*STAFF, OWNER, OTHER_OWNER)
# Who comes in by which way; the others by the page behind the code, over plain HTTP.
IN_BROWSER, IN_CHAT, ENTERED = STAFF[:2], STAFF[2], STAFF[3]
TWICE, TWO_EMPLOYERS, ILL, BACK_FROM_KEY_AREA = STAFF[5], STAFF[6], STAFF[23], STAFF[24]
WELL = {
    "document_kind": "resident_id",
    "home": "田林十二村",
    "away": "no",
    "health_code": "green",
    "symptoms": "none",
    "temperature": "36.5",
    "consent": "yes",
    "action": "send",
}


# ---- the installation --------------------------------------------------------------------------


@pytest.fixture
def district(postgres_database: Database, redis_url: str, tmp_path: Path) -> Iterator[Installation]:
    with installed(postgres_database, redis_url, tmp_path) as installation:
        yield installation


def _company_id(district: Installation, name: str) -> int:
    with district.database.reading() as session:
        return session.scalars(select(Company.id).where(Company.name == name)).one()


class Phone:
    """Somebody's WeChat without a screen: pages are opened and forms are sent over HTTP."""

    def __init__(self, district: Installation, who: Somebody) -> None:
        self._district = district
        self._who = who
        self._http = requests.Session()
        self._http.headers["User-Agent"] = WECHAT

    def open(self, path: str) -> requests.Response:
        """Tap a link in the chat; the platform signs the person in on the way."""
        opened = self._http.get(
            f"{self._district.url}/simulator/phone/open",
            params={"openid": self._who.openid, "url": path},
            timeout=20,
        )
        assert opened.status_code == 200, opened.text
        assert urlsplit(opened.url).path == path, opened.url
        return opened

    def send(self, path: str, fields: Mapping[str, object], **more: object) -> requests.Response:
        """Open a page and send its form."""
        return self.post(path, {"csrf": csrf_of(self.open(path).text), **fields}, **more)

    def post(self, path: str, fields: Mapping[str, object], **more: object) -> requests.Response:
        return self._http.post(f"{self._district.url}{path}", data=fields, timeout=20, **more)

    def register(self, path: str, **answers: object) -> requests.Response:
        """Send the form behind a code and return where it leads."""
        return self.send(path, _form_of(self._who, **answers))


def _form_of(who: Somebody, **answers: object) -> dict[str, object]:
    return {**WELL, "name": who.name, "document": who.number, "phone": who.phone, **answers}


# ---- the story -----------------------------------------------------------------------------------


def test_a_company_returns_to_work(district: Installation, browser: Browser, page: Page) -> None:
    _import_registers(district)
    district.follow(*(one.openid for one in EVERYBODY if one is not ENTERED))

    shop_id = _company_id(district, SHOP)
    _prove_and_file(district, page)
    form = _form_behind_code(district, page, shop_id)

    _register_staff(district, browser, form)
    _register_by_chat(district)
    _enter_for(district, shop_id)
    _register_with_second_employer(district)
    _check_registered(district, shop_id)

    _decide(district, page, shop_id)
    _pass_the_filing(district, browser)

    _check_notices(district, shop_id)
    _check_nothing_leaked(district)


def _import_registers(district: Installation) -> None:
    """The operator loads the three registers by the commands."""
    columns = "uscc,name,legal_person_name,legal_person_id,address,street,industry,state"
    path = district.folder / "companies.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns.split(","))
        for name, owner in ((SHOP, OWNER), (MILL, OTHER_OWNER)):
            own = (company_code(_random), name, owner.name, owner.number)
            rows.writerow((*own, "田林路1号", "田林街道", "贸易", "active"))
    today = day_of(datetime.now(UTC))
    areas = f"code,name,since\n420100,武汉市,{today.replace(day=1).isoformat()}\n"
    district.run("import", "communities", district.write("communities.csv", COMMUNITIES))
    assert "2" in district.run("import", "companies", str(path))
    district.run("import", "key-areas", district.write("areas.csv", areas))


def _enter(page: Page, district: Installation, who: Somebody, path: str) -> None:
    """Tap a link in the chat of the simulator's phone."""
    page.goto(f"{district.url}/simulator/phone/open?openid={who.openid}&url={path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _prove_and_file(district: Installation, page: Page) -> None:
    """The owner proves who they are and files, with a prevention plan."""
    _enter(page, district, OWNER, "/h5/owner")
    page.get_by_label("姓名").fill(OWNER.name)
    page.get_by_label("证件号码").fill(OWNER.number)
    page.get_by_role("button", name="核验身份").click()
    page.get_by_role("link", name=SHOP).click()
    page.get_by_role("link", name="去备案").click()
    page.get_by_label("总人数").fill("30")
    page.get_by_label("从外地返沪的人数").fill("4")
    page.get_by_label("防控方案", exact=False).set_input_files(
        {"name": "方案.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_label("我已阅读，代表本单位作出以上承诺").check()
    page.get_by_label("签名").fill(OWNER.name)
    page.get_by_role("button", name="签名并提交").click()
    expect(page.get_by_text("审核中", exact=True)).to_be_visible()
    page.get_by_role("link", name="查看本单位二维码").click()


def _form_behind_code(district: Installation, page: Page, company_id: int) -> str:
    """Download the code, decode it as a phone does, and return the path of the form behind it."""
    expect(page.get_by_role("heading", level=1)).to_have_text("登记码")
    link = page.get_by_role("link", name="大图").get_attribute("href")
    picture = page.context.request.get(f"{district.url}{link}").body()
    (found,) = decode(Image.open(BytesIO(picture)))
    address = found.data.decode()
    assert address.startswith(f"{district.url}/h5/c/")
    assert str(company_id) not in urlsplit(address).path.split("/")
    return f"{urlsplit(address).path}/register"


def _register_staff(district: Installation, browser: Browser, form: str) -> None:
    """Two register in the browser, the rest over HTTP at the same time; two are not well."""
    reports: dict[str, dict[str, object]] = {
        ILL.openid: {"health_code": "yellow", "temperature": "38.1", "symptoms": "fever"},
        BACK_FROM_KEY_AREA.openid: {
            "away": "yes",
            "stays": "湖北武汉",
            "travel": "train",
            "returned_on": day_of(datetime.now(UTC)).isoformat(),
        },
    }

    def register(who: Somebody) -> str:
        phone = Phone(district, who)
        answered = phone.register(form, **reports.get(who.openid, {}))
        if who is TWICE:
            csrf = csrf_of(answered.text) if 'name="csrf"' in answered.text else ""
            fields = {"csrf": csrf or csrf_of(phone.open("/h5/").text), **_form_of(who)}
            again = phone.post(form, fields)
            assert "您已经登记过" in again.text
            assert urlsplit(again.url).path == urlsplit(answered.url).path
        return answered.text

    others = [one for one in STAFF if one not in {*IN_BROWSER, IN_CHAT, ENTERED}]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(register, others))
    assert [one for one in answers if "登记已经收到" not in one] == []
    for who in IN_BROWSER:
        context = browser.new_context(viewport={"width": 320, "height": 640}, locale="zh-CN")
        _register_in_browser(district, context, who, form.removesuffix("/register"))
        context.close()


def _register_in_browser(
    district: Installation, context: BrowserContext, who: Somebody, path: str
) -> None:
    page = context.new_page()
    _enter(page, district, who, path)
    expect(page.get_by_role("heading", level=1)).to_have_text(SHOP)
    page.get_by_role("link", name="开始登记").click()
    page.get_by_label("姓名").fill(who.name)
    page.get_by_label("证件号码").fill(who.number)
    page.get_by_label("手机号码").fill(who.phone)
    page.get_by_label("居住小区").fill("田林十三村")
    page.get_by_label("一直在上海").check()
    page.get_by_label("绿色").check()
    page.get_by_label("没有不适").check()
    page.get_by_label("我已看过说明").check()
    page.get_by_role("button", name="提交登记").click()
    expect(page.get_by_text("登记已经收到")).to_be_visible()
    expect(page.get_by_text("待审批", exact=True)).to_be_visible()


def _register_by_chat(district: Installation) -> None:
    """One scans the account's own code and answers step by step."""
    with district.database.reading() as session:
        token = session.scalars(select(EntryCode.token)).one()
    offered = district.wire.send(IN_CHAT.openid, pushes.scan(f"company:{token}")).text
    assert offered.startswith(f"这是{SHOP}的员工登记码")
    who = IN_CHAT
    for text in ("开始登记", who.name, who.number, who.phone, "田林十二村", "一直在上海"):
        district.say(who.openid, text)
    for text in ("绿码", "没有不适", "36.4"):
        asked = district.say(who.openid, text)
    assert "您同意登记，并保证内容属实吗" in asked
    summary = district.say(who.openid, "同意")
    assert f"单位：{SHOP}" in summary
    assert not [one for one in who.secrets if one in summary]
    assert district.say(who.openid, "提交登记").startswith("登记已经收到")


def _enter_for(district: Installation, company_id: int) -> None:
    """The owner enters somebody who has no WeChat."""
    entered = Phone(district, OWNER).send(f"/h5/company/{company_id}/enter", _form_of(ENTERED))
    assert "已录入" in entered.text


def _register_with_second_employer(district: Installation) -> None:
    """Another company files over HTTP, and one of the staff works there as well."""
    owner, company_id = Phone(district, OTHER_OWNER), _company_id(district, MILL)
    owner.send("/h5/owner", {"name": OTHER_OWNER.name, "document": OTHER_OWNER.number})
    fields = {
        "head_count": "3",
        "returning_count": "0",
        "commitment": "yes",
        "signature": OTHER_OWNER.name,
        "action": "submit",
    }
    filed = owner.send(
        f"/h5/company/{company_id}/filing",
        fields,
        files={"plan": ("方案.pdf", PDF, "application/pdf")},
    )
    assert "审核中" in filed.text
    drawn = owner.open(f"/h5/company/{company_id}/code.png").content
    (found,) = decode(Image.open(BytesIO(drawn)))
    form = f"{urlsplit(found.data.decode()).path}/register"
    person = Phone(district, TWO_EMPLOYERS)
    known = person.open(form).text
    assert TWO_EMPLOYERS.number not in known
    assert TWO_EMPLOYERS.phone not in known
    masked = f"{TWO_EMPLOYERS.number[:3]}{'*' * 11}{TWO_EMPLOYERS.number[-4:]}"
    assert masked in known
    # What is known is sent back as it was shown, masked, and means the same.
    answered = person.register(form, document=masked)
    assert "登记已经收到" in answered.text
    assert (
        Phone(district, OTHER_OWNER).open(f"/h5/company/{company_id}/sheet").text.count(SHOP) == 0
    )


def _check_registered(district: Installation, company_id: int) -> None:
    with district.database.reading() as session:
        stored = session.scalars(
            select(Registration).where(Registration.workplace_id == company_id)
        ).all()
        second = session.scalars(
            select(Registration).where(Registration.workplace_id != company_id)
        ).all()
    assert {one.document for one in stored} == {one.number for one in STAFF}
    assert len(stored) == 25
    assert Counter(one.flag_group for one in stored) == {"fine": 23, "look": 1, "cannot": 1}
    assert [one.document for one in second] == [TWO_EMPLOYERS.number]
    assert [one.name for one in stored if one.person_id is None] == [ENTERED.name]


# ---- decisions -----------------------------------------------------------------------------------


def _decide(district: Installation, page: Page, company_id: int) -> None:
    """The owner approves all who are well, looks at one, and rejects the one who cannot pass."""
    _enter(page, district, OWNER, f"/h5/company/{company_id}")
    page.get_by_role("link", name="去审批").click()
    page.get_by_label("全选这一组").check()
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("通过 23 人，请核对")
    _confirm_and_tell(page, "确认通过 23 人")

    page.get_by_role("link", name="回到名单").click()
    page.get_by_role("link", name="需要看一看").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("到过重点地区")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="查看姓名、电话和填写内容").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(BACK_FROM_KEY_AREA.name)
    page.get_by_role("button", name="通过", exact=True).click()
    _confirm_and_tell(page, "确认通过 1 人")

    page.get_by_role("link", name="回到名单").click()
    page.get_by_role("link", name="不能通过").click()
    page.get_by_label("全选这一组").check()
    expect(page.get_by_role("button", name="通过", exact=True)).to_have_count(0)
    page.get_by_role("button", name="不通过").click()
    page.get_by_label("随申码不是绿码，暂时不能返岗。").check()
    page.get_by_role("button", name="下一步，核对名单").click()
    _confirm_and_tell(page, "确认不通过 1 人")


def _confirm_and_tell(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="现在就通知员工").click()
    expect(page.get_by_role("heading", name="通知进度")).to_be_visible()


def _pass_the_filing(district: Installation, browser: Browser) -> None:
    """A reviewer signs in for the first time, binds an authenticator and passes the filing."""
    with district.database.transaction() as session:
        staff = NewStaff(name="chen", role=Role.DISTRICT_REVIEWER, display_name="陈静")
        add_account(session, staff=staff, password_hash=hash_password(ONCE), now=datetime.now(UTC))
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{district.url}/console/filings")
    page.get_by_label("登录名").fill("chen")
    page.get_by_label("密码", exact=True).fill(ONCE)
    page.keyboard.press("Enter")
    page.get_by_label("新密码", exact=True).fill(OWN)
    page.get_by_label("再输入一次新密码").fill(OWN)
    page.get_by_role("button", name="保存").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_label("验证码").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="绑定").click()
    page.get_by_role("link", name="我已保存").click()
    page.get_by_role("link", name=SHOP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SHOP)
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(f"{SHOP}的备案已通过")
    context.close()


# ---- what came of it -----------------------------------------------------------------------------


def _check_notices(district: Installation, company_id: int) -> None:
    """Everybody heard what concerns them, once; nothing is left and nothing was refused."""
    kinds = {template: kind for kind, template in _templates(district).items()}
    wanted = {
        (OWNER.openid, "filing_passed"),
        *((one.openid, "registration_received") for one in STAFF if one is not ENTERED),
        *((one.openid, "registration_approved") for one in STAFF if one not in {ENTERED, ILL}),
        (ILL.openid, "registration_rejected"),
    }
    wait_for(lambda: district.open_count() == 0)
    told = Counter((one.openid, kinds[one.body["template_id"]]) for one in district.delivered())
    # With the second employer that is one receipt more.
    assert told.pop((TWO_EMPLOYERS.openid, "registration_received")) == 2
    wanted.discard((TWO_EMPLOYERS.openid, "registration_received"))
    # An owner hears that people wait whenever the worker looks, once an hour at most.
    waiting = {one for one in told if one[1] == "owner_waiting"}
    assert {openid for openid, _ in waiting} <= {OWNER.openid, OTHER_OWNER.openid}
    assert {one: count for one, count in told.items() if one not in waiting} == dict.fromkeys(
        wanted, 1
    )
    with district.database.reading() as session:
        states = dict(
            session.execute(select(Notice.state, func.count()).group_by(Notice.state)).all()
        )
        decided = session.scalars(
            select(Registration.state).where(Registration.workplace_id == company_id)
        ).all()
    assert states.keys() <= {NoticeState.SENT, NoticeState.DELIVERED}
    assert sum(states.values()) == len(district.delivered())
    assert Counter(decided) == {"approved": 24, "rejected": 1}


def _templates(district: Installation) -> Mapping[str, str]:
    return services_of(district.app).settings.wechat_templates


def _check_nothing_leaked(district: Installation) -> None:
    """No name, number or phone is in a notice, in a log or in the record of changes."""
    sent = "\n".join(json.dumps(one.body, ensure_ascii=False) for one in district.delivered())
    logged = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in district.logs)
    with district.database.reading() as session:
        recorded = "\n".join(
            f"{entry.actor} {entry.action} {entry.subject} {entry.facts}"
            for entry in session.scalars(select(AuditEntry))
        )
    assert SHOP in sent
    assert "registration_submitted" in recorded
    for who in EVERYBODY:
        for secret in who.secrets:
            assert secret not in sent
            assert secret not in logged
            assert secret not in recorded
