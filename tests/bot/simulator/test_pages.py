from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from flask import Flask, Response, make_response, redirect, request
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from bot.client import WeChatClient
from bot.login import PHONE_COOKIE, authorize_url, find_openid, is_inside_wechat
from bot.settings import Settings
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Channel, add_entry
from bot.simulator.pages import create_pages
from bot.simulator.phone import create_blueprint
from bot.simulator.standin import serving
from bot.store import open_store
from core.db import Database
from tests.bot.simulator.conftest import APPID, OPENID, SECRET, Caller
from tests.bot.simulator.echo import ENCODED_KEY, TOKEN, create_echo
from tests.servers import free_port

SESSION = "echo_session"
RETURN = "http://127.0.0.1:9/h5/sign-in?next=%2Fh5%2F"
GOOD = {
    "appid": APPID,
    "redirect_uri": RETURN,
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "s1",
}


def _authorize(caller: Caller, values: dict[str, str], openid: str = OPENID) -> requests.Response:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    return requests.get(
        f"{caller.url}/connect/oauth2/authorize?{query}",
        cookies={PHONE_COOKIE: openid} if openid else {},
        allow_redirects=False,
        timeout=5,
    )


def _open(base: str, *, openid: str = OPENID, **query: str) -> requests.Response:
    return requests.get(
        f"{base}/phone/open",
        params={"openid": openid} | query,
        allow_redirects=False,
        timeout=5,
    )


# --- the authorize page -------------------------------------------------------------------------


def test_a_phone_is_sent_back_with_a_code_of_its_own_and_the_state(caller: Caller) -> None:
    answer = _authorize(caller, GOOD)
    back = urlsplit(answer.headers["Location"])
    values = parse_qs(back.query)
    assert answer.status_code == 302
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://127.0.0.1:9/h5/sign-in"
    assert (values["next"], values["state"]) == (["/h5/"], ["s1"])
    query = {"appid": APPID, "secret": SECRET, "grant_type": "authorization_code"}
    ask = "/sns/oauth2/access_token"
    assert caller.get(ask, code=values["code"][0], **query)["openid"] == OPENID
    again = parse_qs(urlsplit(_authorize(caller, GOOD).headers["Location"]).query)
    assert again["code"] != values["code"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"appid": "wx-another"}, "40013"),
        ({"redirect_uri": "https://evil.test/h5/"}, "10003"),
        ({"redirect_uri": "//evil.test/"}, "10003"),
        ({"redirect_uri": "/h5/"}, "10003"),
        ({"redirect_uri": "javascript:alert(1)"}, "10003"),
        ({"redirect_uri": "http://127.0.0.1@evil.test/"}, "10003"),
        ({"redirect_uri": "http://evil.test\\@127.0.0.1/"}, "10003"),
        ({"redirect_uri": "http://[::1/"}, "10003"),
        ({"redirect_uri": "http://127.0.0.1.evil.test/"}, "10003"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "snsapi_userinfo"}, "10005"),
        ({"state": ""}, "state"),
        ({"state": "a-b"}, "state"),
        ({"state": "a" * 129}, "state"),
    ],
)
def test_a_link_that_the_platform_refuses_gives_no_code(
    caller: Caller, changes: dict[str, str], reason: str
) -> None:
    answer = _authorize(caller, GOOD | changes)
    assert answer.status_code == 400
    assert reason in answer.text
    assert "Location" not in answer.headers


def test_the_parameters_come_in_the_platforms_order_and_all_of_them(caller: Caller) -> None:
    turned = dict(reversed(GOOD.items()))
    without = {name: value for name, value in GOOD.items() if name != "state"}
    for values in (turned, without, {}):
        assert _authorize(caller, values).status_code == 400
    assert _authorize(caller, GOOD | {"forcePopup": "true"}).status_code == 302


@pytest.mark.parametrize("openid", ["", "o-nobody"], ids=["no phone", "another platform's phone"])
def test_a_browser_that_is_nobodys_phone_is_asked_whose_it_is(caller: Caller, openid: str) -> None:
    caller.control("followers", openid="o-stranger", name="B<b>", is_following=False)
    answer = _authorize(caller, GOOD, openid)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert "B&lt;b&gt;" in answer.text
    assert answer.text.count("/phone/open?openid=") == 2


def test_without_people_the_choice_says_what_to_do(caller: Caller) -> None:
    caller.control("reset")
    answer = _authorize(caller, GOOD)
    assert answer.status_code == 200
    assert "/phone/open" not in answer.text


# --- the way in for phones ----------------------------------------------------------------------


def test_a_browser_becomes_a_phone_and_goes_to_the_page(caller: Caller) -> None:
    answer = _open(caller.url, url="http://localhost:9/h5/c/abc?x=1#a")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "http://localhost:9/h5/c/abc?x=1#a",
    )
    cookie = next(one for one in answer.cookies if one.name == PHONE_COOKIE)
    assert (cookie.value, cookie.path) == (OPENID, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/",
        "//evil.test/h5/",
        "/\\evil.test/",
        "javascript:alert(1)",
        "http://localhost@evil.test/",
        "https:evil.test",
        "/h5/\r\nX: y",
    ],
)
def test_a_phone_opens_no_page_of_others(caller: Caller, address: str) -> None:
    answer = _open(caller.url, url=address)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_nobody_has_no_phone(caller: Caller) -> None:
    answer = _open(caller.url, openid="o-nobody", url="/h5/")
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


class Installation:
    """A product at a public address, with the simulator in it."""

    def __init__(self, folder: Path) -> None:
        ledger = Ledger(folder / "ledger.db")
        with ledger.writing() as desk:
            put_follower(desk, 1.0, openid=OPENID, name="A")
        app = Flask(__name__)
        app.register_blueprint(
            create_pages(ledger, appid=APPID, public_url="https://hzl.test:8443"),
        )
        self.browser = app.test_client()

    def location(self, host: str, **query: str) -> tuple[int, str, bool]:
        """Return status, where it leads, and whether the browser is a phone then."""
        answer = self.browser.get(
            "/phone/open", query_string={"openid": OPENID} | query, base_url=host
        )
        is_phone = any(one.startswith(PHONE_COOKIE) for one in answer.headers.getlist("Set-Cookie"))
        return answer.status_code, answer.headers.get("Location", ""), is_phone


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_a_path_is_one_of_the_public_address(installation: Installation) -> None:
    found = installation.location("https://hzl.test:8443", url="/h5/c/abc")
    assert found == (302, "https://hzl.test:8443/h5/c/abc", True)


def test_the_cookie_is_set_on_the_host_of_the_page(installation: Installation) -> None:
    status, address, is_phone = installation.location("http://localhost:8000", url="/h5/?a=1&b=2")
    moved = urlsplit(address)
    assert (status, moved.netloc, moved.path, is_phone) == (
        302, "hzl.test:8443", "/phone/open", False
    )  # fmt: skip
    values = {name: value for name, (value,) in parse_qs(moved.query).items()}
    # A proxy that hides the host must not send the browser round and round.
    assert installation.location("http://localhost:8000", **values) == (
        302, "https://hzl.test:8443/h5/?a=1&b=2", True
    )  # fmt: skip


@given(text=st.text(max_size=40))
def test_whatever_is_scanned_leads_home_or_nowhere(
    installation_once: Installation, text: str
) -> None:
    status, address, _ = installation_once.location("https://hzl.test:8443", url=text)
    is_home = address.startswith("https://hzl.test:8443/") or address == "https://hzl.test:8443"
    assert (status == 302 and is_home) or (status == 400 and address == "")


@pytest.fixture(scope="module")
def installation_once(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"))


# --- a person in front of the phone -------------------------------------------------------------


class Site:
    """A small product that signs people in, with the simulator in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.resolved_public_url
        self.ledger = Ledger(settings.instance_dir / "simulator.db")

    def show(self, page: Page, channel: Channel, body: dict[str, object]) -> None:
        """Bring something into the chat of whoever holds the phone."""
        openid = page.evaluate("localStorage.getItem('simulator-person')")
        with self.ledger.writing() as desk:
            add_entry(desk, self.ledger.now(desk), openid=openid, channel=channel, body=body)

    def openid_of(self, name: str) -> str:
        with self.ledger.reading() as desk:
            row = desk.execute("SELECT openid FROM follower WHERE name = ?", (name,)).fetchone()
        return str(row["openid"])


def _product(settings: Settings) -> Flask:
    """Return a product with one page below /h5/, which says who looks at it."""
    app = create_echo()
    app.register_blueprint(create_blueprint(settings))
    client = WeChatClient(settings, open_store("", Database("sqlite://")))

    @app.get("/h5/c/<token>")
    def company(token: str) -> str | Response:
        phone = request.cookies.get(PHONE_COOKIE)
        agent = request.headers["User-Agent"]
        if not is_inside_wechat(agent, has_phone_cookie=bool(phone), is_production=False):
            return "outside"
        openid = request.cookies.get(SESSION)
        if openid != phone:
            address = f"/h5/sign-in?token={token}"
            return _moved(authorize_url(settings, return_to=address, state="s1"))
        return f"<title>{token}</title><p>{openid}</p>"

    @app.get("/h5/sign-in")
    def sign_in() -> Response:
        openid = find_openid(client, code=request.args["code"])
        answer = _moved(f"/h5/c/{request.args['token']}")
        answer.set_cookie(SESSION, openid, path="/h5")
        return answer

    return app


def _moved(address: str) -> Response:
    return make_response(redirect(address))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings(
        wechat_token=TOKEN,
        wechat_aes_key=ENCODED_KEY,
        wechat_appid="wxecho0000000000",
        wechat_templates={"colour_changed": "T1"},
        instance_dir=tmp_path,
        port=free_port(),
    )
    with serving(_product(settings), port=settings.port):
        yield Site(settings)


@pytest.fixture
def phone(page: Page, site: Site) -> Page:
    page.goto(f"{site.url}/simulator/")
    expect(page.get_by_role("button", name="林晓梅，换一个人")).to_be_visible()
    return page


def _hand_to(phone: Page, name: str) -> None:
    phone.get_by_role("button", name="换一个人").click()
    phone.get_by_role("button", name=name).click()
    expect(phone.get_by_role("button", name=f"{name}，换一个人")).to_be_visible()


def _scan(phone: Page, content: str) -> None:
    phone.get_by_role("button", name="更多").click()
    phone.get_by_role("button", name="扫一扫", exact=True).click()
    phone.get_by_label("二维码的内容").fill(content)
    phone.get_by_role("button", name="扫码", exact=True).click()


@pytest.mark.browser
def test_a_scanned_code_opens_its_page_as_whoever_holds_the_phone(phone: Page, site: Site) -> None:
    for name in ("林晓梅", "周建国", "新来的邻居"):
        if name != "林晓梅":
            _hand_to(phone, name)
        with phone.context.expect_page() as opened:
            if name == "新来的邻居":
                phone.get_by_role("button", name="扫一扫关注").click()
                phone.get_by_label("二维码的内容").fill(f"{site.url}/h5/c/abc")
                phone.get_by_role("button", name="扫码", exact=True).click()
            else:
                _scan(phone, "/h5/c/abc")
        expect(opened.value.locator("p")).to_have_text(site.openid_of(name))
        assert urlsplit(opened.value.url).path == "/h5/c/abc"
        opened.value.close()


@pytest.mark.browser
@pytest.mark.parametrize("way", ["words", "bare address", "notice"])
def test_a_link_in_the_chat_opens_as_whoever_holds_the_phone(
    phone: Page, site: Site, way: str
) -> None:
    address = f"{site.url}/h5/c/abc"
    if way == "notice":
        body = {"title": "备案", "rows": [], "url": address}
        site.show(phone, Channel.TEMPLATE, body)
    else:
        text = f'<a href="{address}">填写</a>' if way == "words" else address
        site.show(phone, Channel.CUSTOM, {"kind": "text", "text": text})
    link = phone.get_by_role("link")
    with phone.context.expect_page() as opened:
        link.press("Enter")
    expect(opened.value.locator("p")).to_have_text(site.openid_of("林晓梅"))
    # Opened in another way than by a tap, in a new tab perhaps, it is the same phone.
    assert link.get_attribute("href") == link.evaluate(
        "(one, [openid, url]) => new URL(one.href).pathname === '/simulator/phone/open'"
        " && new URL(one.href).searchParams.get('openid') === openid"
        " && new URL(one.href).searchParams.get('url') === url ? one.getAttribute('href') : ''",
        [site.openid_of("林晓梅"), address],
    )


@pytest.mark.browser
def test_a_page_of_others_opens_as_it_is(phone: Page, site: Site) -> None:
    site.show(phone, Channel.CUSTOM, {"kind": "text", "text": "https://example.test/a?b=1"})
    expect(phone.get_by_role("link")).to_have_attribute("href", "https://example.test/a?b=1")


@pytest.mark.browser
def test_a_scene_is_scanned_as_before(phone: Page, site: Site) -> None:
    _scan(phone, "c:1")
    expect(phone.locator(".entry:not(.own) .bubble")).to_have_text("扫码 c:1")
    assert len(phone.context.pages) == 1


@pytest.mark.browser
def test_a_phone_reached_by_another_name_signs_in_too(page: Page, site: Site) -> None:
    page.goto(f"http://localhost:{site.settings.port}/simulator/")
    expect(page.get_by_role("button", name="林晓梅，换一个人")).to_be_visible()
    with page.context.expect_page() as opened:
        _scan(page, f"http://localhost:{site.settings.port}/h5/c/abc")
    expect(opened.value.locator("p")).to_have_text(site.openid_of("林晓梅"))


@pytest.mark.browser
def test_a_browser_without_a_phone_is_outside_until_a_person_is_chosen(
    phone: Page, site: Site
) -> None:
    phone.goto(f"{site.url}/h5/c/abc")
    expect(phone.locator("body")).to_have_text("outside")
    phone.context.add_cookies([{"name": PHONE_COOKIE, "value": "o-gone", "url": site.url}])
    phone.goto(f"{site.url}/h5/c/abc")
    expect(phone.get_by_role("heading", level=1)).to_have_text("这是谁的手机？")
    phone.get_by_role("link", name="阿依古丽·买买提").press("Enter")
    expect(phone.locator("p")).to_have_text(site.openid_of("阿依古丽·买买提"))
    assert urlsplit(phone.url).path == "/h5/c/abc"
