from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.client import WeChatClient
from bot.login import LoginError, authorize_url, find_openid, is_inside_wechat
from bot.redis_store import RedisStore
from bot.settings import Settings
from tests.wechat import APPID, SECRET, TOKEN, Platform, running_platform

OPENID = "oTESTabcdefghijklmnopqrstuvw"
LOGIN = "/sns/oauth2/access_token"
SETTINGS = Settings(wechat_appid=APPID, public_url="https://hzl.example.gov.cn")
ANDROID = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/78.0 Mobile Safari/537.36"
WECHAT = f"{ANDROID} MMWEBID/1 MicroMessenger/7.0.12.1620(0x27000C35) NetType/WIFI"


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("wechat")) as platform:
        yield platform


@pytest.fixture
def platform(_served: Platform) -> Platform:
    with _served.ledger.writing() as desk:
        for table in ("code", "fault", "call"):
            desk.execute(f"DELETE FROM {table}")
    _served.follow(OPENID)
    return _served


@pytest.fixture
def client(platform: Platform, redis_url: str) -> WeChatClient:
    return WeChatClient(platform.settings(), RedisStore(redis_url), timeout=(0.5, 0.5))


def _refusal(client: WeChatClient, code: str) -> LoginError:
    with pytest.raises(LoginError) as caught:
        find_openid(client, code=code)
    return caught.value


# --- the way out --------------------------------------------------------------------------------


def test_the_address_has_the_parameters_in_the_platforms_order() -> None:
    assert authorize_url(SETTINGS, return_to="/h5/sign-in?a=1&b=二", state="s1") == (
        "https://hzl.example.gov.cn/simulator/connect/oauth2/authorize"
        f"?appid={APPID}"
        "&redirect_uri=https%3A%2F%2Fhzl.example.gov.cn%2Fh5%2Fsign-in%3Fa%3D1%26b%3D%E4%BA%8C"
        "&response_type=code&scope=snsapi_base&state=s1#wechat_redirect"
    )


def test_a_gateway_may_stand_before_the_platform() -> None:
    settings = Settings(wechat_open_url="https://gateway.example/wx/")
    url = authorize_url(settings, return_to="/h5/", state="s")
    assert url.startswith("https://gateway.example/wx/connect/oauth2/authorize?appid=")


@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), max_size=60),
    state=st.text("abcXYZ019", min_size=1, max_size=128),
)
def test_whatever_is_asked_for_comes_back_whole(path: str, state: str) -> None:
    return_to = f"{SETTINGS.resolved_public_url}/h5/?next={path}"
    parts = urlsplit(authorize_url(SETTINGS, return_to=return_to, state=state))
    sent = parse_qsl(parts.query, strict_parsing=True)
    assert [name for name, _ in sent] == [
        "appid", "redirect_uri", "response_type", "scope", "state"
    ]  # fmt: skip
    assert (dict(sent)["redirect_uri"], dict(sent)["state"]) == (return_to, state)
    assert parts.fragment == "wechat_redirect"


@pytest.mark.parametrize("state", ["", "a" * 129, "a-b", "a&b", "状态"])
def test_a_state_that_the_platform_would_drop_is_a_bug(state: str) -> None:
    with pytest.raises(ValueError, match="state"):
        authorize_url(SETTINGS, return_to="/h5/", state=state)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://a.test/", "mailto:a@b"])
def test_a_code_goes_to_the_web_alone(address: str) -> None:
    with pytest.raises(ValueError, match="web"):
        authorize_url(SETTINGS, return_to=address, state="s")


# --- the way back -------------------------------------------------------------------------------


def test_a_code_gives_the_person_and_needs_no_token(
    platform: Platform, client: WeChatClient
) -> None:
    assert find_openid(client, code=platform.code("page", OPENID)) == OPENID
    assert (platform.calls(LOGIN), platform.calls(TOKEN)) == (1, 0)


def test_who_does_not_follow_can_sign_in(platform: Platform, client: WeChatClient) -> None:
    platform.follow("o-stranger", is_following=False)
    assert find_openid(client, code=platform.code("page", "o-stranger")) == "o-stranger"


def test_the_whole_way_from_the_page_to_the_person(
    platform: Platform, client: WeChatClient
) -> None:
    settings = platform.settings()
    url = authorize_url(settings, return_to="http://127.0.0.1:9/h5/sign-in", state="s7")
    answer = requests.get(url, cookies={"sim_phone": OPENID}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    values = dict(parse_qsl(back.query))
    assert (back.path, values["state"]) == ("/h5/sign-in", "s7")
    assert find_openid(client, code=values["code"]) == OPENID


def test_a_code_serves_once(platform: Platform, client: WeChatClient) -> None:
    code = platform.code("page", OPENID)
    find_openid(client, code=code)
    error = _refusal(client, code)
    assert (error.code, error.is_spent, error.is_retryable) == (40163, True, False)


def test_an_invented_code_is_refused(platform: Platform, client: WeChatClient) -> None:
    error = _refusal(client, "0" * 32)
    assert (error.code, error.is_spent, error.is_retryable) == (40029, True, False)
    assert platform.calls(LOGIN) == 1


def test_an_old_code_is_refused(platform: Platform, client: WeChatClient) -> None:
    code = platform.code("page", OPENID)
    platform.ledger.advance(301)
    error = _refusal(client, code)
    assert (error.code, error.is_spent) == (40029, True)


def test_a_code_of_the_mini_program_is_worthless_here(
    platform: Platform, client: WeChatClient
) -> None:
    assert _refusal(client, platform.code("mini", OPENID)).code == 40029


@pytest.mark.parametrize("code", ["", " ", "a b", "a" * 513, "a&secret=b", "码", "a\n"])
def test_what_cannot_be_a_code_does_not_reach_the_platform(
    platform: Platform, client: WeChatClient, code: str
) -> None:
    error = _refusal(client, code)
    assert (error.code, error.is_spent, error.is_retryable) == (None, True, False)
    assert platform.calls(LOGIN) == 0


def test_a_snapshot_signs_nobody_in(platform: Platform, client: WeChatClient) -> None:
    error = _refusal(client, platform.code("snapshot", "o-made-up"))
    assert (error.code, error.is_spent, error.is_retryable) == (None, False, False)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("status", 502, None),
        ("html", 0, None),
        ("drop", 0, None),
        ("errcode", -1, -1),
        ("errcode", 45011, 45011),
        ("errcode", 40125, 40125),
    ],
    ids=["gateway", "page instead of JSON", "cut off", "busy", "too often", "wrong secret"],
)
def test_a_platform_that_fails_is_asked_once_and_may_answer_later(
    platform: Platform, client: WeChatClient, kind: str, value: int, code: int | None
) -> None:
    platform.fault(LOGIN, kind, value)
    spent = platform.code("page", OPENID)
    error = _refusal(client, spent)
    assert (error.code, error.is_spent, error.is_retryable) == (code, False, True)
    assert platform.calls(LOGIN) == 1
    assert find_openid(client, code=platform.code("page", OPENID)) == OPENID


def test_a_person_whom_the_platform_distrusts_is_refused_for_good(
    platform: Platform, client: WeChatClient
) -> None:
    platform.fault(LOGIN, "errcode", 40226)
    error = _refusal(client, platform.code("page", OPENID))
    assert (error.is_spent, error.is_retryable) == (False, False)


def test_a_platform_that_is_not_there_may_come_back(redis_url: str) -> None:
    settings = Settings(wechat_api_url="http://127.0.0.1:9")
    error = _refusal(WeChatClient(settings, RedisStore(redis_url)), "a" * 32)
    assert (error.code, error.is_spent, error.is_retryable) == (None, False, True)


def test_a_platform_that_says_nothing_is_left_after_seconds(
    platform: Platform, client: WeChatClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.client.LOGIN_TIMEOUT_SECONDS", (0.3, 0.3))
    platform.fault(LOGIN, "hang", 0.8)
    error = _refusal(client, platform.code("page", OPENID))
    assert (error.is_spent, error.is_retryable) == (False, True)


def test_an_answer_that_was_lost_leaves_a_code_that_is_used_up(
    platform: Platform, client: WeChatClient
) -> None:
    platform.fault(LOGIN, "drop", moment="after")
    code = platform.code("page", OPENID)
    assert _refusal(client, code).is_retryable
    assert _refusal(client, code).is_spent


def test_neither_code_nor_secret_nor_person_reaches_a_log(
    platform: Platform, client: WeChatClient
) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    codes = [platform.code("page", OPENID) for _ in range(3)]
    try:
        with structlog.testing.capture_logs() as entries:
            find_openid(client, code=codes[0])
            for kind, code in (("errcode", codes[0]), ("drop", codes[1]), ("status", codes[2])):
                platform.fault(LOGIN, kind, 40125)
                error = _refusal(client, code)
                written.write(f"{error} {error!r} {error.__cause__} {error.__context__}")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = written.getvalue() + repr(entries)
    assert text.count("not signed in") > 3
    for secret in (SECRET, OPENID, *codes):
        assert secret not in text


# --- inside or outside --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "is_inside"),
    [
        (WECHAT, True),
        (WECHAT + " MiniProgramEnv/android", True),
        (WECHAT.upper(), True),
        (ANDROID, False),
        ("", False),
        (WECHAT + " wxwork/3.0.16", False),
    ],
    ids=["WeChat", "mini program", "capitals", "browser", "nothing", "WeCom"],
)
def test_wechat_is_known_by_what_it_calls_itself(user_agent: str, is_inside: bool) -> None:
    for is_production in (True, False):
        assert (
            is_inside_wechat(user_agent, has_phone_cookie=False, is_production=is_production)
            is is_inside
        )


def test_the_simulators_phone_counts_in_development_alone() -> None:
    assert is_inside_wechat(ANDROID, has_phone_cookie=True, is_production=False)
    assert not is_inside_wechat(ANDROID, has_phone_cookie=True, is_production=True)
