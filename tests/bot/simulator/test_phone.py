from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from bot.settings import Settings
from bot.simulator.phone import TEMPLATES, ScenePlace, create_blueprint
from bot.simulator.standin import serving
from tests.bot.simulator.echo import APPID, ENCODED_KEY, TOKEN, create_echo

PLACE = ScenePlace(
    scene="c:1", name="田林十二村", kind="community", street="田林", longitude=121.4, latitude=31.2
)


class Phone:
    def __init__(self, url: str, app: Any) -> None:
        self.url, self.app = url, app
        people = self.get("phone/people")
        self.openid = people[0]["openid"]
        self.stranger = people[-1]["openid"]

    def get(self, path: str, **query: Any) -> Any:
        return requests.get(f"{self.url}/simulator/{path}", params=query, timeout=5).json()

    def post(self, path: str, **order: Any) -> Any:
        return requests.post(f"{self.url}/simulator/{path}", json=order, timeout=5).json()

    def act(self, do: str, **values: Any) -> Any:
        return self.post("phone/act", **({"openid": self.openid, "do": do} | values))

    def seen(self, openid: str = "") -> list[tuple[str, Any]]:
        chat = self.get("phone/chat", openid=openid or self.openid)
        return [
            (entry["channel"], entry["body"].get("text") or entry["body"].get("code"))
            for entry in chat["entries"]
        ]

    def token(self) -> str:
        answer = requests.post(
            f"{self.url}/simulator/api/cgi-bin/stable_token",
            json={"grant_type": "client_credential", "appid": APPID, "secret": "s"},
            timeout=5,
        )
        return str(answer.json()["access_token"])

    def api_get(self, path: str, **query: str) -> Any:
        url = f"{self.url}/simulator/api/cgi-bin/{path}"
        return requests.get(url, params={"access_token": self.token(), **query}, timeout=5).json()

    def api(self, path: str, body: Any) -> Any:
        token = self.token()
        url = f"{self.url}/simulator/api/cgi-bin/{path}"
        data = json.dumps(body, ensure_ascii=False).encode()
        return requests.post(url, params={"access_token": token}, data=data, timeout=5).json()


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(
        wechat_token=TOKEN,
        wechat_aes_key=ENCODED_KEY,
        wechat_appid=APPID,
        wechat_secret="s",
        wechat_templates={"colour_changed": "T1", "unheard_of": "T2"},
        wechat_subscribe_templates={"colour_changed": "S1"},
        instance_dir=tmp_path,
        port=port,
    )
    app: Flask = create_echo()
    app.register_blueprint(create_blueprint(settings, places=lambda: [PLACE]))
    with serving(app, port=port) as url:
        requests.get(f"{url}/simulator/", timeout=5)
        yield Phone(url, app)


def test_a_typed_message_and_its_answer_stay_in_the_chat(phone: Phone) -> None:
    assert phone.act("text", text="你好") == {"trouble": "", "status": 200}
    assert phone.seen() == [("person", "你好"), ("reply", "收到：你好 []")]


def test_a_tapped_option_carries_its_id(phone: Phone) -> None:
    phone.act("text", text="2", menu_id="7")
    assert phone.app.pushes[0]["bizmsgmenuid"] == "7"


def test_only_what_is_new_comes_with_the_next_look(phone: Phone) -> None:
    phone.act("text", text="一")
    first = phone.get("phone/chat", openid=phone.openid)
    phone.act("text", text="二")
    news = phone.get(
        "phone/chat",
        openid=phone.openid,
        after=first["entries"][-1]["id"],
        seen=first["exchanges"][-1]["id"],
    )
    assert [entry["body"]["text"] for entry in news["entries"]] == ["二", "收到：二 []"]
    assert len(news["exchanges"]) == 1
    assert "<Content><![CDATA[二]]></Content>" in news["exchanges"][0]["push"]


def test_people_do_not_see_each_others_chats(phone: Phone) -> None:
    phone.act("text", text="你好")
    assert phone.seen(phone.stranger) == []


def test_scanning_follows_the_first_time_and_scans_the_next(phone: Phone) -> None:
    phone.act("scan", openid=phone.stranger, scene="c:1")
    phone.act("scan", openid=phone.stranger, scene="c:1")
    assert [push["Event"] for push in phone.app.pushes] == ["subscribe", "SCAN"]
    assert [push["EventKey"] for push in phone.app.pushes] == ["qrscene_c:1", "c:1"]
    assert phone.get("phone/chat", openid=phone.stranger)["person"]["is_following"]


def test_leaving_is_told_and_shown(phone: Phone) -> None:
    phone.act("unfollow")
    assert phone.app.pushes[0]["Event"] == "unsubscribe"
    assert phone.seen() == [("system", "unfollowed")]


def test_a_location_goes_out_as_latitude_then_longitude(phone: Phone) -> None:
    phone.act("location", longitude=121.4, latitude=31.2, label="田林")
    push = phone.app.pushes[0]
    assert (push["Location_X"], push["Location_Y"]) == ("31.200000", "121.400000")


@pytest.mark.parametrize("kind", ["image", "voice"])
def test_media_are_sent(phone: Phone, kind: str) -> None:
    phone.act(kind)
    assert phone.app.pushes[0]["MsgType"] == kind


def test_a_broken_product_shows_the_platforms_apology(phone: Phone) -> None:
    phone.app.plans.extend([lambda _push: ("", 500)] * 4)
    assert phone.act("text", text="你好")["trouble"] == "bad_status"
    assert phone.seen()[-1] == ("system", "trouble")


@pytest.mark.parametrize(
    "order",
    [
        {"do": "dance"},
        {"do": "text"},
        {"do": "text", "text": "x", "openid": "o-nobody"},
        {"do": "location", "longitude": "east", "latitude": 1},
        {},
    ],
    ids=["unknown", "no text", "nobody", "no number", "nothing"],
)
def test_what_people_cannot_do_is_refused(phone: Phone, order: dict[str, Any]) -> None:
    answer = requests.post(
        f"{phone.url}/simulator/phone/act", json={"openid": phone.openid} | order, timeout=5
    )
    assert answer.status_code == 400
    assert phone.app.pushes == []


def test_a_notice_arrives_and_its_outcome_is_reported_once(phone: Phone) -> None:
    data = {
        name: {"value": value}
        for name, value in {
            "thing1": "田林十二村",
            "thing2": "由蓝色变为黄色",
            "time3": "2020年3月28日 08:00",
            "thing4": "发送小区名称可查看原因",
        }.items()
    }
    sent = phone.api(
        "message/template/send", {"touser": phone.openid, "template_id": "T1", "data": data}
    )
    (entry,) = phone.get("phone/chat", openid=phone.openid)["entries"]
    assert entry["body"]["title"] == "小区风险等级变化提醒"
    assert entry["body"]["rows"][0]["label"] == "小区"
    assert phone.post("phone/report", openid=phone.openid) == {"reported": 1}
    assert phone.post("phone/report", openid=phone.openid) == {"reported": 0}
    (push,) = phone.app.pushes
    assert (push["Event"], push["Status"]) == ("TEMPLATESENDJOBFINISH", "success")
    assert int(push["MsgID"]) == sent["msgid"]


def test_an_allowed_subscription_can_be_used_once(phone: Phone) -> None:
    data = {"thing1": {"value": "a"}, "thing2": {"value": "a"}, "thing4": {"value": "a"}}
    message = {
        "touser": phone.openid,
        "template_id": "S1",
        "data": data | {"time3": {"value": "08:00"}},
    }
    assert phone.api("message/subscribe/bizsend", message)["errcode"] == 43101
    phone.act("consent", template_id="S1", accept=True)
    assert phone.app.pushes[0]["Event"] == "subscribe_msg_popup_event"
    assert phone.api("message/subscribe/bizsend", message)["errcode"] == 0
    assert phone.api("message/subscribe/bizsend", message)["errcode"] == 43101


def test_an_act_on_the_phone_opens_the_window_for_the_api(phone: Phone) -> None:
    message = {"touser": phone.openid, "msgtype": "text", "text": {"content": "晚到的回答"}}
    assert phone.api("message/custom/send", message)["errcode"] == 45015
    phone.act("click", key="masks")
    assert phone.api("message/custom/send", message)["errcode"] == 0
    assert phone.seen()[-1] == ("custom", "晚到的回答")


def test_places_and_scene_codes_can_be_scanned(phone: Phone) -> None:
    call = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "made"}}}
    phone.api("qrcode/create", call)
    found = phone.get("phone/places")
    assert found["places"][0]["name"] == "田林十二村"
    assert found["codes"] == ["made"]
    assert found["subscriptions"] == [{"template_id": "S1", "title": "小区风险等级变化提醒"}]


def test_a_new_person_does_not_follow_yet(phone: Phone) -> None:
    openid = phone.post("phone/people", name="王芳")["openid"]
    person = phone.get("phone/people")[-1]
    assert (person["openid"], person["name"], person["is_following"]) == (openid, "王芳", False)


def test_every_kind_of_notice_has_the_fields_that_the_product_fills() -> None:
    known = json.loads((TEMPLATES / "simulator" / "notices.json").read_text(encoding="utf-8"))
    filled = {
        path.name.removesuffix(".fields.txt"): re.findall(
            r"^(\w+):", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        for path in (TEMPLATES / "notices").glob("*.fields.txt")
    }
    assert {kind: list(notice["fields"]) for kind, notice in known.items()} == filled


def test_script_accepts_a_signed_page_and_no_other(phone: Phone) -> None:
    ticket = phone.api_get("ticket/getticket", type="jsapi")["ticket"]
    page = f"{phone.url}/h5/registration/1?sent=1"
    order = {"appid": APPID, "timestamp": 7, "nonce": "n", "url": page}
    text = f"jsapi_ticket={ticket}&noncestr=n&timestamp=7&url={page}"
    order["signature"] = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    answers = [
        phone.post("phone/signature", **(order | changed))["errMsg"]
        for changed in ({}, {"url": page + "&x=1"}, {"nonce": "m"}, {"appid": "wx"}, {"url": ""})
    ]
    assert answers == ["config:ok", *["config:invalid signature"] * 4]


def test_codes_address_is_scanned_as_its_scene(phone: Phone) -> None:
    made = phone.api(
        "qrcode/create",
        {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "company:x"}}},
    )
    phone.act("scan", scene=made["url"])
    noted = phone.get("phone/chat", openid=phone.openid)["entries"]
    assert {"code": "scanned", "scene": "company:x"} in [entry["body"] for entry in noted]


def test_one_answer_for_several_templates_is_one_push(phone: Phone) -> None:
    phone.act("consent", templates=["S1", "S2"], accept=True)
    (exchange,) = phone.get("phone/chat", openid=phone.openid)["exchanges"]
    assert exchange["push"].count("<TemplateId>") == 2
