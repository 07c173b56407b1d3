"""Pages inside WeChat in a real browser: the way in, forms with faults, small and large screens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from jinja2 import ChoiceLoader, DictLoader
from playwright.sync_api import Page as Browser
from playwright.sync_api import expect

from bot import h5
from bot.app import create_app
from bot.h5 import COOKIE
from bot.services import services_of
from bot.settings import Settings
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.simulator.standin import serving
from core.db import Database
from handlers.access import Access, access
from handlers.forms import Form
from handlers.h5.routes import ROUTES
from handlers.h5.visit import H5Route, Visit
from handlers.page import Answer, Page, Redirect
from tests.servers import free_port

pytestmark = pytest.mark.browser

LI = "oTESTlililililililililililil"
SIZES = [(320, 640), (390, 844), (1280, 800)]
FORM = """
{% extends "h5/page.html" %}
{% import "h5/_fields.html" as fields %}
{% block title %}登记{% endblock %}
{% block main %}
<ol class="steps"><li class="done">确认企业</li><li aria-current="step">填写信息</li>
  <li>完成</li></ol>
<h1>填写登记信息</h1>
{{ fields.errors(errors, {"name": "姓名", "colour": "健康码", "back_on": "返沪日期",
  "community": "居住小区", "plan": "防控方案", "agreed": "同意"}) }}
<dl class="facts">
  <div><dt>企业</dt><dd>上海徐家汇商贸有限公司</dd></div>
  <div><dt>法定代表人</dt><dd>王*</dd></div>
  <div><dt>状态</dt><dd>
    <span class="tag green">已通过</span> <span class="tag yellow">待核实</span>
    <span class="tag red">未通过</span> <span class="tag blue">已提交</span>
    <span class="tag grey">草稿</span></dd></div>
</dl>
<form method="post" action="{{ request.path }}" enctype="multipart/form-data" novalidate>
  {{ fields.csrf(csrf) }}
  {{ fields.text("name", "姓名", typed.name, errors.name, autocomplete="name") }}
  {{ fields.text("phone", "手机号码", typed.phone, errors.phone,
    "审核结果会发到公众号，电话只在必要时使用。", "tel", "numeric", "tel", false, 20) }}
  {{ fields.text("back_on", "返沪日期", typed.back_on, errors.back_on, type="date") }}
  {{ fields.choice("colour", "健康码",
    [("green", "绿码", "可以正常通行"), ("yellow", "黄码"), ("red", "红码")],
    typed.colour, errors.colour) }}
  {{ fields.select("community", "居住小区", [(1, "田林十二村"), (2, "康健新村")],
    typed.community, errors.community) }}
  {{ fields.area("note", "补充说明", typed.note, errors.note, required=false) }}
  {{ fields.file("plan", "防控方案", errors.plan, "PDF 或者照片，不超过 10 MB。",
    "application/pdf,image/*") }}
  {{ fields.check("agreed", "我同意为疫情防控使用以上信息，保存 90 天。",
    typed.agreed, errors.agreed) }}
  <div class="buttons"><button>提交</button><a class="button second" href="/h5/">取消</a></div>
</form>
{% endblock %}
"""
SHEET = """
{% extends "h5/page.html" %}
{% block width %}wide{% endblock %}
{% block title %}待审批{% endblock %}
{% block main %}
<h1>待审批 25 人</h1>
<p class="toast" role="status">已通过 20 人，30 分钟内可以撤销。</p>
<p class="told careful">有 2 人需要您看一看。</p>
<form id="batch" method="post"><input type="hidden" name="csrf" value="{{ csrf }}"></form>
<div class="table" tabindex="0" role="region" aria-label="待审批名单">
<table>
  <thead><tr><th scope="col" class="pick"><span class="unseen">选择</span></th>
    <th scope="col">姓名</th><th scope="col">证件</th><th scope="col">健康码</th>
    <th scope="col">原因</th></tr></thead>
  <tbody>
  {% for number in range(9) %}
  <tr><td class="pick"><input form="batch" type="checkbox" name="ids" value="{{ number }}"
      aria-label="选择王*{{ number }}"></td>
    <th scope="row">王*</th><td data-label="证件" class="figure">310***********1234</td>
    <td data-label="健康码"><span class="tag yellow">黄码</span></td>
    <td data-label="原因">14 天内到过重点地区</td></tr>
  {% endfor %}
  </tbody>
</table>
</div>
<nav class="pages" aria-label="翻页"><span aria-hidden="true">上一页</span>
  <span>第 1 / 3 页</span><a href="?page=2">下一页</a></nav>
{% endblock %}
{% block bar %}
<section class="bar" aria-label="批量处理"><div><p>已选 3 人</p><button form="batch">通过</button>
  <button form="batch" class="second">退回</button>
  <button form="batch" class="warn">不通过</button></div></section>
{% endblock %}
"""
SMALL_TARGETS = """() => [
  ...document.querySelectorAll("main button, .bar button, .button, .cell")
].filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""


@access(Access.PERSON)
def _form(visit: Visit) -> Answer:
    form = Form(visit.form, uploads=visit.uploads)
    if visit.is_post:
        form.text("name")
        form.day("back_on")
        form.text("colour")
        form.number("community")
        form.upload("plan")
        if not form.faults:
            return Redirect(path="/h5/")
    status = 422 if form.faults else 200
    values = {"typed": form.typed}
    return Page(template="test_form", values=values, faults=form.faults, status=status)


@access(Access.PERSON)
def _sheet(visit: Visit) -> Answer:
    return Page(template="test_sheet")


EXTRA = (
    H5Route(path="/h5/form", name="form", view=_form, methods=("GET", "POST"), may_upload=True),
    H5Route(path="/h5/trial-sheet", name="trial_sheet", view=_sheet),
)


@pytest.fixture
def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setattr(h5, "ROUTES", (*ROUTES, *EXTRA))
    settings = Settings(
        instance_dir=tmp_path,
        database_url=sqlite_database.url.render_as_string(hide_password=False),
        port=free_port(),
        log_level="error",
    )
    app = create_app(settings)
    assert app.jinja_loader is not None
    templates = {"h5/test_form.html": FORM, "h5/test_sheet.html": SHEET}
    app.jinja_loader = ChoiceLoader([DictLoader(templates), app.jinja_loader])
    ledger = Ledger(tmp_path / "simulator.db")
    with ledger.writing() as desk:
        put_follower(desk, ledger.now(desk), openid=LI, is_following=True)
    with serving(app, port=settings.port) as url:
        yield url
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def enter(page: Browser, site: str, path: str) -> None:
    """Tap a link in a chat of the simulator's phone."""
    page.goto(f"{site}/simulator/phone/open?openid={LI}&url={path}")
    # The platform's own mark stays behind the address.
    expect(page).to_have_url(f"{site}{path}#wechat_redirect")


def look(page: Browser, name: str) -> None:
    """Look at the page in every size for what nobody could use."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        scrolled = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert scrolled <= 0, f"{page.url} scrolls sideways at {width}"
        assert page.evaluate(SMALL_TARGETS) == []
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_stranger_is_told_to_come_in_through_wechat(page: Browser, site: str) -> None:
    page.goto(f"{site}/h5/form")
    expect(page.get_by_role("heading", level=1)).to_have_text("请在微信里打开")
    expect(page.get_by_text(f"{site}/h5/form")).to_be_visible()
    expect(page.get_by_role("img", name="本页地址的二维码")).to_be_hidden()
    look(page, "outside")
    expect(page.get_by_role("img", name="本页地址的二维码")).to_be_visible()


def test_form_with_faults_keeps_what_was_typed_and_leads_to_them(page: Browser, site: str) -> None:
    enter(page, site, "/h5/form")
    look(page, "form")
    page.get_by_label("手机号码").fill("13800138000")
    page.get_by_label("绿码").check()
    page.get_by_role("button", name="提交").click()
    faults = page.get_by_role("alert")
    expect(faults).to_contain_text("有 4 处需要修改")
    expect(faults).to_be_focused()
    expect(page.get_by_label("手机号码")).to_have_value("13800138000")
    expect(page.get_by_label("绿码")).to_be_checked()
    look(page, "faults")
    faults.get_by_role("link", name="返沪日期").click()
    expect(page.get_by_label("返沪日期")).to_be_focused()
    name = page.get_by_label("姓名")
    assert name.get_attribute("aria-invalid") == "true"
    described = name.get_attribute("aria-describedby")
    expect(page.locator(f"#{described}")).to_have_text("这一项还没有填写。")
    name.fill("王静")
    page.get_by_label("返沪日期").fill("2020-03-28")
    page.get_by_label("居住小区").select_option("康健新村")
    page.get_by_label("防控方案").set_input_files(
        {"name": "方案.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def test_form_is_filled_in_with_the_keyboard_alone(page: Browser, site: str) -> None:
    enter(page, site, "/h5/form")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("姓名")).to_be_focused()
    page.keyboard.type("王静")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("有 4 处需要修改")
    expect(page.get_by_label("姓名")).to_have_value("王静")


def test_home_sheet_and_the_way_out_can_be_used_at_every_size(page: Browser, site: str) -> None:
    enter(page, site, "/h5/trial-sheet")
    look(page, "sheet")
    page.get_by_role("link", name="汇治理").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    look(page, "home")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("您已退出登录")
    look(page, "signed-out")
    page.get_by_role("link", name="重新登录").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def test_form_after_the_end_of_the_sign_in_says_so_and_leads_back(page: Browser, site: str) -> None:
    enter(page, site, "/h5/form")
    page.context.clear_cookies(name=COOKIE)
    page.get_by_label("姓名").fill("王静")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录已经过期")
    look(page, "ended")
    page.get_by_role("link", name="重新打开页面").click()
    expect(page.get_by_label("姓名")).to_have_value("")
    assert page.url.startswith(f"{site}/h5/form")
