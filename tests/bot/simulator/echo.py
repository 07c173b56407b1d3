"""A small product for the simulator's own tests: it answers at /wechat in every mode."""

from __future__ import annotations

import time

from flask import Flask, Response, request

from bot.simulator.envelope import (
    BodyFormat,
    aes_key_of,
    decrypted,
    encrypted,
    read,
    signature_of,
    written,
)

TOKEN = "echo-token"
ENCODED_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
KEY = aes_key_of(ENCODED_KEY)
APPID = "wxecho0000000000"
OPTION = '<a href="weixin://bizmsgmenu?msgmenucontent=2&msgmenuid=7">2. 田林十二村</a>'
TRICKS = (
    '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script><a href="javascript:1">x</a>'
)


def create_echo() -> Flask:
    """Return the product; `app.pushes` keeps what came, `app.plans` what goes wrong next."""
    app = Flask(__name__)
    app.pushes = []
    app.plans = []

    @app.get("/wechat")
    def shake() -> str:
        values = request.args
        expected = signature_of(TOKEN, values["timestamp"], values["nonce"])
        return values["echostr"] if values["signature"] == expected else "no"

    @app.post("/wechat")
    def answer() -> Response:
        body = request.get_data(as_text=True)
        body_format = BodyFormat.JSON if body.startswith("{") else BodyFormat.XML
        push = _opened(body)
        app.pushes.append(push)
        if app.plans and (plan := app.plans.pop(0)) is not None:
            return plan(push)
        content = _content(push)
        if content is None:
            return Response("success")
        return Response(sealed(reply_to(push, content), body_format))

    return app


def reply_to(push: dict[str, object], content: str) -> dict[str, object]:
    return {
        "ToUserName": push["FromUserName"],
        "FromUserName": push["ToUserName"],
        "CreateTime": int(time.time()),
        "MsgType": "text",
        "Content": content,
    }


def sealed(reply: dict[str, object], body_format: BodyFormat = BodyFormat.XML) -> str:
    """Return the reply in the mode in which the request came."""
    plain = written(reply, body_format)
    if "msg_signature" not in request.args:
        return plain
    cipher = encrypted(plain.encode(), key=KEY, appid=APPID)
    timestamp, nonce = str(int(time.time())), request.args["nonce"]
    return written(
        {
            "Encrypt": cipher,
            "MsgSignature": signature_of(TOKEN, timestamp, nonce, cipher),
            "TimeStamp": timestamp,
            "Nonce": nonce,
        },
        body_format,
    )


def _opened(body: str) -> dict[str, object]:
    outer = read(body)
    values = request.args
    if "msg_signature" not in values:
        assert values["signature"] == signature_of(TOKEN, values["timestamp"], values["nonce"])
        return outer
    cipher = outer["Encrypt"]
    expected = signature_of(TOKEN, values["timestamp"], values["nonce"], cipher)
    assert values["msg_signature"] == expected
    return read(decrypted(cipher, key=KEY, appid=APPID).decode())


def _content(push: dict[str, object]) -> str | None:
    if push["MsgType"] == "event":
        key = str(push.get("EventKey", ""))
        return {
            "subscribe": f"欢迎关注 {key}",
            "SCAN": f"扫码 {key}",
            "CLICK": f"菜单 {key}",
        }.get(str(push["Event"]))
    if push["MsgType"] == "location":
        return f"位置 {push['Location_Y']},{push['Location_X']}"
    if push["MsgType"] != "text":
        return f"类型 {push['MsgType']}"
    return {
        "选": f"您要查的是：\n1. 田林十一村\n{OPTION}\n回复数字即可",
        "链接": '见 <a href="https://example.test/paper?a=1">社区报</a>，或 https://example.test/b。',
        "坏": TRICKS,
        "静": None,
    }.get(str(push["Content"]), f"收到：{push['Content']} [{push.get('bizmsgmenuid', '')}]")
