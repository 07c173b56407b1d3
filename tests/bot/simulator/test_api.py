from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.bot.simulator.conftest import APPID, OPENID, SECRET, Caller

TEMPLATE = "/cgi-bin/message/template/send"
SUBSCRIBE = "/cgi-bin/message/subscribe/bizsend"
CUSTOM = "/cgi-bin/message/custom/send"
DATA = {"thing1": {"value": "田林十二村"}, "time2": {"value": "2020年3月28日 08:00"}}


def notice(**changes: Any) -> dict[str, Any]:
    return {"touser": OPENID, "template_id": "T", "data": DATA} | changes


def words(content: str = "好") -> dict[str, Any]:
    return {"touser": OPENID, "msgtype": "text", "text": {"content": content}}


# --- tokens -------------------------------------------------------------------------------------


def test_a_new_plain_token_leaves_the_old_one_five_minutes(caller: Caller) -> None:
    old, new = caller.plain()["access_token"], caller.plain()["access_token"]
    assert old != new
    assert "ip_list" in caller.get("/cgi-bin/getcallbackip", access_token=old)
    caller.control("clock", seconds=301)
    assert caller.get("/cgi-bin/getcallbackip", access_token=old)["errcode"] == 40001
    assert "ip_list" in caller.get("/cgi-bin/getcallbackip", access_token=new)


def test_the_stable_token_is_the_same_for_all_until_its_last_five_minutes(
    caller: Caller, make_caller: Callable[[], Caller]
) -> None:
    first = caller.stable()
    assert first["expires_in"] == 7200
    caller.control("clock", seconds=6800)
    again = make_caller().stable()
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] == 400
    caller.control("clock", seconds=150)
    renewed = caller.stable()["access_token"]
    assert renewed != first["access_token"]
    for token in (first["access_token"], renewed):
        assert "ip_list" in caller.get("/cgi-bin/getcallbackip", access_token=token)


def test_the_two_families_do_not_touch_each_other(caller: Caller) -> None:
    stable = caller.stable()["access_token"]
    caller.plain()
    caller.plain()
    caller.control("clock", seconds=400)
    assert caller.stable()["access_token"] == stable


def test_a_forced_refresh_kills_the_old_token_and_is_rationed(caller: Caller) -> None:
    old = caller.stable()["access_token"]
    assert caller.stable(force_refresh=True)["access_token"] != old
    assert caller.get("/cgi-bin/getcallbackip", access_token=old)["errcode"] == 40001
    assert caller.stable(force_refresh=True)["errcode"] == 45011
    codes = []
    for _ in range(20):
        caller.control("clock", seconds=31)
        codes.append(caller.stable(force_refresh=True).get("errcode", 0))
    assert codes == [0] * 19 + [45009]
    caller.control("clock", seconds=12 * 3600)
    assert "access_token" in caller.stable(force_refresh=True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"appid": "wx"}, 40013), ({"secret": "x"}, 40125), ({"grant_type": "x"}, 40002)],
    ids=["appid", "secret", "grant"],
)
def test_wrong_credentials_get_no_token(caller: Caller, changes: dict[str, str], code: int) -> None:
    assert caller.plain(**changes)["errcode"] == code
    assert caller.stable(**changes)["errcode"] == code


def test_a_call_needs_a_living_token(caller: Caller) -> None:
    path = "/cgi-bin/getcallbackip"
    caller.get(path)
    assert requests.get(caller.url + path, timeout=5).json()["errcode"] == 41001
    assert caller.get(path, access_token="short")["errcode"] == 40014
    assert caller.get(path, access_token="f" * 136)["errcode"] == 40001
    caller.control("tokens/expire")
    assert caller.get(path)["errcode"] == 42001
    caller.control("tokens/revoke")
    assert caller.get(path)["errcode"] == 40001


def test_processes_that_start_together_share_one_stable_token(
    make_caller: Callable[[], Caller],
) -> None:
    callers = [make_caller() for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        tokens = set(pool.map(lambda i: callers[i % 3].stable()["access_token"], range(24)))
    assert len(tokens) == 1


# --- template messages --------------------------------------------------------------------------


def test_a_template_message_is_delivered_with_its_labels(caller: Caller) -> None:
    answer = caller.post(TEMPLATE, notice(url="https://a.test/"))
    assert answer["errcode"] == 0
    found = caller.look("messages", openid=OPENID)
    assert found["by_openid"] == {OPENID: 1}
    message = found["messages"][0]
    assert message["msgid"] == answer["msgid"]
    assert message["body"]["rows"][0] == {"name": "thing1", "label": "a", "value": "田林十二村"}


def test_the_same_client_msg_id_is_delivered_once_in_ten_minutes(caller: Caller) -> None:
    first = caller.post(TEMPLATE, notice(client_msg_id="k"))
    assert caller.post(TEMPLATE, notice(client_msg_id="k"))["msgid"] == first["msgid"]
    assert caller.look("messages")["total"] == 1
    caller.advance(601)
    assert caller.post(TEMPLATE, notice(client_msg_id="k"))["msgid"] != first["msgid"]
    assert caller.look("messages")["total"] == 2


def test_one_client_msg_id_sent_by_many_at_once_is_delivered_once(caller: Caller) -> None:
    caller.get("/cgi-bin/getcallbackip")
    with ThreadPoolExecutor(8) as pool:
        sent = list(
            pool.map(
                lambda _: requests.post(
                    caller.url + TEMPLATE,
                    params={"access_token": caller.token},
                    json=notice(client_msg_id="k"),
                    timeout=10,
                ).json()["msgid"],
                range(16),
            )
        )
    assert len(set(sent)) == 1
    assert caller.look("messages")["total"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"template_id": "other"}, 40037),
        ({"touser": "o-nobody"}, 40003),
        ({"data": {}}, 47003),
        ({"data": DATA | {"thing1": {"value": "十" * 21}}}, 47003),
    ],
    ids=["template", "openid", "no data", "too long"],
)
def test_a_bad_template_message_is_refused(
    caller: Caller, changes: dict[str, Any], code: int
) -> None:
    assert caller.code(TEMPLATE, notice(**changes)) == code
    assert caller.look("messages")["total"] == 0


def test_who_left_gets_no_template_message(caller: Caller) -> None:
    caller.control("followers", openid=OPENID, is_following=False)
    assert caller.code(TEMPLATE, notice()) == 43004


def test_a_refusal_names_the_field(caller: Caller) -> None:
    answer = caller.post(TEMPLATE, notice(data=DATA | {"time2": {"value": "8 Uhr"}}))
    assert "data.time2.value invalid" in answer["errmsg"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"], ids=repr)
def test_a_body_that_is_no_object_is_47001(caller: Caller, body: bytes) -> None:
    assert caller.raw("POST", TEMPLATE, data=body).json()["errcode"] == 47001


def test_a_get_where_a_post_belongs_is_43002(caller: Caller) -> None:
    assert caller.get(TEMPLATE)["errcode"] == 43002


# --- subscription notices -----------------------------------------------------------------------


def test_one_consent_is_one_message(caller: Caller) -> None:
    caller.control("templates", template_id="S", channel="subscribe")
    message = notice(template_id="S")
    assert caller.code(SUBSCRIBE, message) == 43101
    caller.control("consents", openid=OPENID, template_id="S", times=2)
    assert [caller.code(SUBSCRIBE, message) for _ in range(3)] == [0, 0, 43101]


def test_a_long_term_consent_lasts_until_it_is_refused(caller: Caller) -> None:
    caller.control("templates", template_id="S", channel="subscribe")
    caller.control("consents", openid=OPENID, template_id="S", is_long_term=True)
    message = notice(template_id="S")
    assert [caller.code(SUBSCRIBE, message) for _ in range(3)] == [0, 0, 0]
    caller.control("consents", openid=OPENID, template_id="S", refuse=True)
    assert caller.code(SUBSCRIBE, message) == 43101


def test_a_template_belongs_to_one_channel(caller: Caller) -> None:
    assert caller.code(SUBSCRIBE, notice()) == 40037


# --- customer-service messages ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "count", "seconds"),
    [
        ("message", 5, 48 * 3600),
        ("menu", 3, 60),
        ("follow", 3, 60),
        ("scan", 3, 60),
        ("payment", None, 48 * 3600),
    ],
)
def test_an_act_opens_a_window(caller: Caller, act: str, count: int | None, seconds: int) -> None:
    assert caller.code(CUSTOM, words()) == 45015
    caller.control("acts", openid=OPENID, act=act)
    codes = [caller.code(CUSTOM, words()) for _ in range((count or 7) + 1)]
    assert codes == ([0] * count + [45047] if count else [0] * 8)
    caller.control("acts", openid=OPENID, act=act)
    caller.advance(seconds - 5)
    assert caller.code(CUSTOM, words()) == 0
    caller.advance(10)
    assert caller.code(CUSTOM, words()) == 45015


def test_windows_of_different_acts_add_up(caller: Caller) -> None:
    caller.control("acts", openid=OPENID, act="message")
    caller.control("acts", openid=OPENID, act="menu")
    assert [caller.code(CUSTOM, words()) for _ in range(9)] == [0] * 8 + [45047]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (words("十" * 682 + "ab"), 0),
        (words("十" * 682 + "abc"), 45002),
        (words(""), 44004),
        ({"touser": OPENID, "msgtype": "text"}, 40008),
        ({"touser": OPENID, "msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
        ({"touser": OPENID, "msgtype": "news", "news": {"articles": [{}]}}, 0),
        (words() | {"touser": "o-nobody"}, 40003),
    ],
    ids=["2048 bytes", "2049 bytes", "empty", "no text", "two articles", "one article", "nobody"],
)
def test_a_customer_service_message_is_checked(
    caller: Caller, body: dict[str, Any], code: int
) -> None:
    caller.control("acts", openid=OPENID, act="message")
    assert caller.code(CUSTOM, body) == code


def test_a_refused_message_uses_nothing_up(caller: Caller) -> None:
    caller.control("acts", openid=OPENID, act="menu")
    for _ in range(4):
        caller.code(CUSTOM, words(""))
    assert [caller.code(CUSTOM, words()) for _ in range(4)] == [0, 0, 0, 45047]


def test_leaving_shuts_the_window(caller: Caller) -> None:
    caller.control("acts", openid=OPENID, act="message")
    caller.control("followers", openid=OPENID, is_following=False)
    assert caller.code(CUSTOM, words()) == 45015


# --- menu, codes, login -------------------------------------------------------------------------


def test_a_menu_comes_back_as_it_was_created(caller: Caller) -> None:
    menu = {"button": [{"type": "click", "name": "口罩", "key": "m"}]}
    body = json.dumps(menu, ensure_ascii=False).encode()
    assert caller.raw("POST", "/cgi-bin/menu/create", data=body).json()["errcode"] == 0
    assert caller.get("/cgi-bin/menu/get") == {"menu": menu}
    caller.get("/cgi-bin/menu/delete")
    assert caller.get("/cgi-bin/menu/get")["errcode"] == 46003


def test_an_escaped_menu_is_refused(caller: Caller) -> None:
    body = json.dumps({"button": [{"type": "click", "name": "口罩", "key": "m"}]}).encode()
    assert caller.raw("POST", "/cgi-bin/menu/create", data=body).json()["errcode"] == 40033


def scene_call(action: str, scene: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"action_name": action, "action_info": {"scene": scene}, **more}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (scene_call("QR_STR_SCENE", {"scene_str": "c:1"}), 0),
        (scene_call("QR_STR_SCENE", {"scene_str": "x" * 64}), 0),
        (scene_call("QR_STR_SCENE", {"scene_str": "x" * 65}), 40053),
        (scene_call("QR_STR_SCENE", {"scene_str": ""}), 40053),
        (scene_call("QR_SCENE", {"scene_id": 2**32 - 1}), 0),
        (scene_call("QR_SCENE", {"scene_id": 0}), 40053),
        (scene_call("QR_LIMIT_SCENE", {"scene_id": 100_000}), 0),
        (scene_call("QR_LIMIT_SCENE", {"scene_id": 100_001}), 40053),
        (scene_call("QR_STR_SCENE", {"scene_str": "a"}, expire_seconds=2_592_001), 40097),
        (scene_call("QR_OTHER", {"scene_str": "a"}), 40052),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_scene_code_is_checked(caller: Caller, call: dict[str, Any], code: int) -> None:
    answer = caller.post("/cgi-bin/qrcode/create", call)
    assert answer.get("errcode", 0) == code
    assert ("ticket" in answer) == (code == 0)


def test_a_temporary_code_lives_a_minute_unless_told_and_a_permanent_one_for_ever(
    caller: Caller,
) -> None:
    scene = {"scene_str": "a"}
    create = "/cgi-bin/qrcode/create"
    assert caller.post(create, scene_call("QR_STR_SCENE", scene))["expire_seconds"] == 60
    assert "expire_seconds" not in caller.post(create, scene_call("QR_LIMIT_STR_SCENE", scene))


def test_a_login_code_serves_once_and_five_minutes(caller: Caller) -> None:
    query = {"appid": APPID, "secret": SECRET, "grant_type": "authorization_code"}
    code = caller.control("codes", openid=OPENID, kind="mini")["code"]
    session = caller.get("/sns/jscode2session", js_code=code, **query)
    assert session["openid"] == OPENID
    assert session["unionid"]
    assert caller.get("/sns/jscode2session", js_code=code, **query)["errcode"] == 40163
    late = caller.control("codes", openid=OPENID, kind="page")["code"]
    caller.control("clock", seconds=301)
    assert caller.get("/sns/oauth2/access_token", code=late, **query)["errcode"] == 40029
    fresh = caller.control("codes", openid=OPENID, kind="page")["code"]
    login = caller.get("/sns/oauth2/access_token", code=fresh, **query)
    assert login["openid"] == OPENID
    assert "is_snapshotuser" not in login
    assert "unionid" not in login
    assert caller.get("/sns/jscode2session", js_code=fresh, **query)["errcode"] == 40029


def test_a_code_from_a_snapshot_says_so_and_serves_once_too(caller: Caller) -> None:
    query = {"appid": APPID, "secret": SECRET, "grant_type": "authorization_code"}
    code = caller.control("codes", openid="o-made-up", kind="snapshot")["code"]
    login = caller.get("/sns/oauth2/access_token", code=code, **query)
    assert (login["openid"], login["is_snapshotuser"]) == ("o-made-up", 1)
    assert caller.get("/sns/oauth2/access_token", code=code, **query)["errcode"] == 40163


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"grant_type": "client_credential"}, 40002),
        ({"appid": "wx-another"}, 40013),
        ({"secret": "another"}, 40125),
        ({"code": ""}, 40029),
    ],
    ids=["grant", "appid", "secret", "no code"],
)
def test_a_sign_in_asked_for_wrongly_is_refused_and_leaves_the_code_alone(
    caller: Caller, changes: dict[str, str], errcode: int
) -> None:
    code = caller.control("codes", openid=OPENID, kind="page")["code"]
    query = {"appid": APPID, "secret": SECRET, "grant_type": "authorization_code", "code": code}
    ask = "/sns/oauth2/access_token"
    assert caller.get(ask, **(query | changes))["errcode"] == errcode
    assert caller.get(ask, **query)["openid"] == OPENID


def test_the_ticket_of_pages_is_shared_for_two_hours(caller: Caller) -> None:
    ask = "/cgi-bin/ticket/getticket"
    first = caller.get(ask, type="jsapi")["ticket"]
    assert caller.get(ask, type="jsapi")["ticket"] == first
    caller.advance(7200)
    assert caller.get(ask, type="jsapi")["ticket"] != first


def test_user_info_tells_who_follows(caller: Caller) -> None:
    assert caller.get("/cgi-bin/user/info", openid=OPENID)["subscribe"] == 1
    caller.control("followers", openid=OPENID, is_following=False)
    assert caller.get("/cgi-bin/user/info", openid=OPENID)["subscribe"] == 0
    assert caller.get("/cgi-bin/user/info", openid="o-nobody")["errcode"] == 40003


# --- faults and quotas --------------------------------------------------------------------------


def test_ordered_faults_happen_in_order_and_then_end(caller: Caller) -> None:
    path = "/cgi-bin/getcallbackip"
    caller.get(path)
    caller.control("faults", path=path, kind="errcode", value=-1, times=2)
    caller.control("faults", path=path, kind="status", value=500)
    caller.control("faults", path=path, kind="html")
    assert [caller.get(path)["errcode"] for _ in range(2)] == [-1, -1]
    assert caller.raw("GET", path).status_code == 500
    page = caller.raw("GET", path)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert "ip_list" in caller.get(path)


def test_a_fault_of_one_path_leaves_the_others(caller: Caller) -> None:
    caller.control("faults", path=TEMPLATE, kind="errcode", value=-1)
    assert "ip_list" in caller.get("/cgi-bin/getcallbackip")
    assert caller.code(TEMPLATE, notice()) == -1


def test_a_dropped_connection_is_no_answer(caller: Caller) -> None:
    caller.get("/cgi-bin/getcallbackip")
    caller.control("faults", path=TEMPLATE, kind="drop")
    with pytest.raises(requests.ConnectionError):
        caller.post(TEMPLATE, notice())
    assert caller.look("messages")["total"] == 0


def test_an_answer_may_be_lost_after_the_message_was_delivered(caller: Caller) -> None:
    caller.get("/cgi-bin/getcallbackip")
    caller.control("faults", path=TEMPLATE, kind="drop", moment="after")
    with pytest.raises(requests.ConnectionError):
        caller.post(TEMPLATE, notice(client_msg_id="k"))
    assert caller.look("messages")["total"] == 1
    assert caller.code(TEMPLATE, notice(client_msg_id="k")) == 0
    assert caller.look("messages")["total"] == 1


def test_a_hanging_call_outlasts_patience_and_is_still_done(caller: Caller) -> None:
    caller.get("/cgi-bin/getcallbackip")
    caller.control("faults", path=TEMPLATE, kind="hang", value=0.5)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            caller.url + TEMPLATE,
            params={"access_token": caller.token},
            json=notice(),
            timeout=0.1,
        )
    assert caller.code(TEMPLATE, notice()) == 0


def test_a_quota_ends_with_the_day(caller: Caller) -> None:
    path = "/cgi-bin/getcallbackip"
    caller.get(path)
    caller.control("quotas", path=path, per_day=2)
    assert "ip_list" in caller.get(path)
    assert caller.get(path)["errcode"] == 45009
    caller.advance(12 * 3600)
    assert "ip_list" in caller.get(path)


def test_calls_are_counted_by_path(caller: Caller) -> None:
    caller.plain()
    caller.plain(secret="x")
    caller.post(TEMPLATE, notice())
    counts = caller.look("calls")
    assert counts == {"/cgi-bin/stable_token": 1, "/cgi-bin/token": 2, TEMPLATE: 1}
