from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import LogCapture
from wechatpy import parse_message

from bot import wechat
from bot.dispatch import SILENT, Answer, AnswerKind
from bot.envelope import Sealer, signature_of
from bot.settings import aes_key_of
from bot.wechat import Callback, WechatFront
from handlers.turn import Turn, TurnKind
from tests.callback import (
    ACCOUNT,
    AES_KEY,
    APPID,
    NONCE,
    OLD_AES_KEY,
    OPENID,
    TOKEN,
    Answered,
    Push,
    call,
    seal,
    sealed_query,
    signed,
    text_push,
    unseal,
)

ANSWER = "建议佩戴口罩"
UNEXPECTED = "callback failed"


class Account:
    """A callback with a responder that notes what it is asked."""

    def __init__(self, answer: Answer | None = None, **options: Any) -> None:
        self.turns: list[Turn] = []
        self.reply = answer or Answer(AnswerKind.TEXT, ANSWER)
        keys = options.pop("keys", (AES_KEY, OLD_AES_KEY))
        appid = options.pop("appid", APPID)
        sealer = Sealer(keys=[aes_key_of(key) for key in keys], appid=appid) if keys else None
        self.app = Callback(
            **{
                "token": TOKEN,
                "sealer": sealer,
                "account": ACCOUNT,
                "max_age_seconds": 300,
                "needs_encryption": False,
                "responder": self,
                **options,
            }
        )

    def answer(self, turn: Turn) -> Answer:
        self.turns.append(turn)
        return self.reply

    def post(self, body: str | bytes, query: dict[str, str] | None = None, **more: Any) -> Answered:
        raw = body.encode() if isinstance(body, str) else body
        return call(self.app, signed() if query is None else query, raw, **more)

    def post_sealed(self, message: str, *, key: str = AES_KEY, as_json: bool = False) -> Answered:
        sealed = seal(message, key=key)
        envelope = (
            json.dumps({"ToUserName": ACCOUNT, "Encrypt": sealed})
            if as_json
            else f"<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        )
        return self.post(envelope, sealed_query(sealed))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the callback logs."""
    capture = LogCapture()
    monkeypatch.setattr(wechat, "log", structlog.wrap_logger(None, processors=[capture]))
    return capture.entries


def _is_refusal(entry: Any) -> bool:
    return entry["event"] == "callback refused" and entry.keys() == {
        *("event", "log_level", "reason", "status")
    }


# --- GET ----------------------------------------------------------------------------------------


def test_verification_of_the_documentation_is_answered_with_its_echo() -> None:
    # Source: vector v014.
    account = Account(token="AAAAA", max_age_seconds=0)
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "echostr": "4375120948345356249",
        "timestamp": "1714036504",
        "nonce": "1514711492",
    }
    answered = call(account.app, query, method="GET")
    assert (answered.status, answered.text) == (200, "4375120948345356249")
    assert answered.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": "0" * 40},
        {"signature": ""},
        {"timestamp": "1"},
        {"timestamp": "abc"},
        {"timestamp": "9" * 40},
        {"nonce": "x"},
    ],
    ids=str,
)
def test_verification_is_refused_when_anything_signed_is_wrong(
    changed: dict[str, str], logged: list[Any]
) -> None:
    answered = call(Account().app, signed() | {"echostr": "42"} | changed, method="GET")
    assert (answered.status, answered.body) == (403, b"")
    assert [_is_refusal(entry) for entry in logged] == [True]


# --- modes --------------------------------------------------------------------------------------

# Source: vectors v000 (documentation, safe mode, JSON), v002 (the platform's own sample, compatible
# mode, XML) and v006 (wechatpy).
V000 = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUy"
    "us8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNr"
    "lCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/"
    "P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
V002 = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLv"
    "beUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41"
    "IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA"
    "912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJ"
    "pXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJ"
    "SgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)
V006 = (
    "RgqEoJj5A4EMYlLvWO1F86ioRjZfaex/gePD0gOXTxpsq5Yj4GNglrBb8I2BAJVODGajiFnXBu7mCP"
    "atfjsu6IHCrsTyeDXzF6Bv283dGymzxh6ydJRvZsryDyZbLTE7rhnus50qGPMfp2wASFlzEgMW9z1e"
    "f/RD8XzaFYgm7iTdaXpXaG4+BiYyolBug/gYNx410cvkKR2/nPwBiT+P4hIiOAQqGp/TywZBtDh1yC"
    "F2KOd0gpiMZ5jSw3e29mTvmUHzkVQiMS6td7vXUaWOMZnYZlF3So2SjHnwh4jYFxdgpkHHqIrH/54S"
    "NdshoQgWYEvccTKe7FS709/5t6NMxuGhcUGAPOQipvWTT4dShyqio7mlsl5noTrb++x6En749zCpQV"
    "hDpbV6GDnTbcX2e8K9QaNWHp91eBdCRxthuL0="
)
VECTORS = [
    pytest.param(
        ("AAAAA", "A" * 43, "wxba5fad812f8e6fb9"),
        ("1714112445", "415670741", "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        '{"ToUserName": "gh_97417a04a28d", "Encrypt": "' + V000 + '"}',
        {"event": "debug_demo", "account": "gh_97417a04a28d", "kind": TurnKind.EVENT},
        id="v000-safe-json",
    ),
    pytest.param(
        ("spamtest", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx2c2769f8efd9abc2"),
        ("1409735669", "1320562132", "5d197aaffba7e9b25a30732f161a50dee96bd5fa"),
        "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>"
        "<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>"
        "<CreateTime>1409735668</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        "<Content><![CDATA[abcdteT]]></Content><MsgId>6054768590064713728</MsgId>"
        f"<Encrypt><![CDATA[{V002}]]></Encrypt></xml>",
        {"text": "abcdteT", "key": "oyORnuP8q7ou2gfYjqLzSIWZf0rs:6054768590064713728"},
        id="v002-compatible-xml",
    ),
    pytest.param(
        ("123456", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "wx49f0ab532d5d035a"),
        ("1411525903", "461056294", "74d92dfeb87ba7c714f89d98870ae5eb62dff26d"),
        "<xml><ToUserName><![CDATA[wx49f0ab532d5d035a]]></ToUserName>\n"
        f"<Encrypt><![CDATA[{V006}]]></Encrypt>\n<AgentID><![CDATA[1]]></AgentID>\n</xml>",
        {"text": "test", "openid": "messense"},
        id="v006-safe-xml",
    ),
]


@pytest.mark.parametrize(("secrets", "signs", "body", "expected"), VECTORS)
def test_published_message_is_opened(
    secrets: tuple[str, str, str], signs: tuple[str, str, str], body: str, expected: dict[str, Any]
) -> None:
    token, key, appid = secrets
    account = Account(token=token, keys=(key,), appid=appid, account="", max_age_seconds=0)
    query = dict(zip(("timestamp", "nonce", "msg_signature"), signs, strict=True))
    answered = account.post(body, query | {"encrypt_type": "aes"})
    assert answered.status == 200
    (turn,) = account.turns
    assert {name: getattr(turn, name) for name in expected} == expected


@pytest.mark.parametrize(("secrets", "signs", "body", "expected"), VECTORS)
@pytest.mark.parametrize("wrong", ["token", "key", "appid", "timestamp", "msg_signature", "body"])
def test_published_message_is_refused_when_one_thing_is_wrong(
    secrets: tuple[str, str, str],
    signs: tuple[str, str, str],
    body: str,
    expected: dict[str, Any],
    wrong: str,
    logged: list[Any],
) -> None:
    token, key, appid = secrets
    account = Account(
        token="other" if wrong == "token" else token,
        keys=(AES_KEY if wrong == "key" else key,),
        appid="wxother" if wrong == "appid" else appid,
        account="",
        max_age_seconds=0,
    )
    query = dict(zip(("timestamp", "nonce", "msg_signature"), signs, strict=True))
    query["encrypt_type"] = "aes"
    if wrong in query:
        query[wrong] = query[wrong][:-1] + ("1" if query[wrong][-1] == "0" else "0")
    if wrong == "body":
        body = body.replace("+", "A", 1)
    answered = account.post(body, query)
    # A wrong key is the operator's mistake: the message is signed, but cannot be read.
    assert answered.status == (400 if wrong == "key" else 403)
    assert account.turns == []
    assert [_is_refusal(entry) for entry in logged] == [True]


@pytest.mark.parametrize("as_json", [False, True], ids=["xml", "json"])
@pytest.mark.parametrize("message_json", [False, True], ids=["xml-inside", "json-inside"])
@pytest.mark.parametrize("key", [AES_KEY, OLD_AES_KEY], ids=["current-key", "previous-key"])
def test_sealed_message_is_answered_with_the_key_that_sealed_it(
    key: str, message_json: bool, as_json: bool
) -> None:
    account = Account()
    push = text_push("地铁")
    message = push.json() if message_json else push.xml()
    answered = account.post_sealed(message, key=key, as_json=as_json)
    assert answered.status == 200
    assert ("json" in answered.headers["Content-Type"]) is as_json
    reply = unseal(answered.text, key=key)
    found = json.loads(reply) if message_json else {n.tag: n.text for n in _elements(reply)}
    assert found["Content"] == ANSWER
    assert (found["ToUserName"], found["FromUserName"]) == (OPENID, ACCOUNT)
    other = OLD_AES_KEY if key == AES_KEY else AES_KEY
    with pytest.raises(Exception, match=r".*"):
        unseal(answered.text, key=other)


def _elements(reply: str) -> Any:
    return ET.fromstring(reply)


@pytest.mark.parametrize("wrap", [Push.xml, Push.json])
def test_plain_message_is_answered_plainly(wrap: Callable[[Push], str]) -> None:
    account = Account()
    answered = account.post(wrap(text_push("地铁")))
    assert ANSWER in answered.text
    assert ("json" in answered.headers["Content-Type"]) is (wrap is Push.json)
    assert [turn.text for turn in account.turns] == ["地铁"]


@pytest.mark.parametrize("nonce", ["415670741", "a-b_c.d~", "x]]>y", "a b"])
def test_reply_carries_the_nonce_of_the_request(nonce: str) -> None:
    account = Account()
    sealed = seal(text_push("地铁").xml())
    answered = account.post(
        f"<xml><Encrypt>{sealed}</Encrypt></xml>", sealed_query(sealed, nonce=nonce)
    )
    assert _elements(answered.text).findtext("Nonce") == nonce


@pytest.mark.parametrize("count", [1, 40])
def test_words_of_a_person_that_imitate_the_encrypted_field_do_no_harm(count: int) -> None:
    account = Account()
    forged = seal(text_push("伪造").xml())
    push = text_push(f"<Encrypt>{forged}</Encrypt>" * count)
    sealed = seal(push.xml())
    body = push.xml().replace("</xml>", f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>")
    answered = account.post(body, sealed_query(sealed))
    assert answered.status == 200
    assert [turn.text for turn in account.turns] == [push.fields["Content"]]


def test_encrypted_field_is_found_in_time_however_the_body_is_made() -> None:
    query = sealed_query("x")
    blanks = b" " * 60_000
    for body in (
        b"<xml><Encrypt>" + blanks + b"</xml>",
        b"<xml><Encrypt>" + b"A" * 60_000 + b"</xml>",
        b"<xml>" + b"<Encrypt> A" * 5_000 + b"</xml>",
        b"<xml>" + b"<Encrypt>A</Encrypt>" * 3_000 + b"</xml>",
    ):
        started = time.perf_counter()
        assert Account().post(body, query).status in {400, 403}
        assert time.perf_counter() - started < 0.5


def test_safe_mode_refuses_plain_messages_and_still_verifies(logged: list[Any]) -> None:
    account = Account(needs_encryption=True)
    assert account.post(text_push("地铁").xml()).status == 403
    assert account.turns == []
    assert call(account.app, signed() | {"echostr": "42"}, method="GET").text == "42"
    assert account.post_sealed(text_push("地铁").xml()).status == 200


def test_sealed_message_without_a_configured_key_is_refused() -> None:
    account = Account(keys=())
    assert account.post_sealed(text_push("地铁").xml()).status == 403


def test_signature_of_plain_mode_does_not_open_a_sealed_message() -> None:
    account = Account()
    sealed = seal(text_push("地铁").xml())
    query = sealed_query(sealed)
    query["msg_signature"] = query["signature"]
    assert account.post(f"<xml><Encrypt>{sealed}</Encrypt></xml>", query).status == 403


@pytest.mark.parametrize(
    ("configured", "status"), [(ACCOUNT, 200), ("gh_other", 403), ("", 200)], ids=str
)
def test_message_for_another_account_is_refused(configured: str, status: int) -> None:
    account = Account(account=configured)
    assert account.post(text_push("地铁").xml()).status == status
    assert account.post_sealed(text_push("地铁").xml()).status == status


@pytest.mark.parametrize(
    ("age", "max_age", "status"),
    [(0, 300, 200), (280, 300, 200), (320, 300, 403), (-320, 300, 403), (10**9, 0, 200)],
)
def test_signed_time_must_be_near(age: int, max_age: int, status: int) -> None:
    account = Account(max_age_seconds=max_age)
    query = signed(at=time.time() - age)
    assert account.post(text_push("地铁").xml(), query).status == status
    sealed = seal(text_push("地铁").xml())
    body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    assert account.post(body, sealed_query(sealed, at=time.time() - age)).status == status


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [SILENT, Answer(AnswerKind.TEXT, ""), Answer(AnswerKind.TEXT, "\x00\x1d")],
    ids=["silence", "empty", "nothing-that-can-be-shown"],
)
def test_nothing_to_say_is_success_in_clear(answer: Answer) -> None:
    account = Account(answer)
    assert account.post(text_push("x").xml()).body == b"success"
    assert account.post_sealed(text_push("x").xml()).body == b"success"


def test_handover_passes_the_person_on() -> None:
    account = Account(Answer(AnswerKind.HANDOVER, "请拨打电话"))
    reply = unseal(account.post_sealed(text_push("x").xml()).text)
    assert "transfer_customer_service" in reply
    assert "电话" not in reply


@given(text=st.text(min_size=1, max_size=200))
def test_any_answer_reaches_the_person_as_it_is(text: str) -> None:
    account = Account(Answer(AnswerKind.TEXT, f"“{text}]]></Content><MsgType>news"))
    reply = parse_message(account.post(text_push("x").xml()).text)
    shown = wechat.clean(account.reply.text).replace("\r\n", "\n").replace("\r", "\n")
    assert (reply.type, reply.content) == ("text", shown.strip())


# --- no input is a fault ------------------------------------------------------------------------

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "", "post"])
NAMES = [
    "signature",
    "timestamp",
    "nonce",
    "msg_signature",
    "encrypt_type",
    "echostr",
    "openid",
    "",
]
VALUES = st.one_of(
    st.text(max_size=30), st.just("aes"), st.just(str(int(time.time()))), st.just("9" * 400)
)
PIECES = [
    *(
        b"<!DOCTYPE xml>",
        b"<!ENTITY a 'b'>",
        b"&a;",
        b"&#0;",
        b"<?pi?>",
        b"<!--",
        b"]]>",
        b"<![CDATA[",
    ),
    *(
        b"<xml>",
        b"</xml>",
        b"<Encrypt>",
        b"</Encrypt>",
        b"<List>",
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b'"',
        b"\\ud800",
        b"NaN",
        b"1e999",
        b"\xef\xbb\xbf",
        b"<a xmlns:a='b' a:b=''/>",
    ),
]
EDGE = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
SOURCES = [
    text_push("田林十二村什么颜色").xml().encode(),
    text_push("田林十二村什么颜色").json().encode(),
    Push({"MsgType": "event", "Event": "CLICK", "EventKey": "k"}).xml().encode(),
    Push({"MsgType": "location", "Location_X": "31.1", "Location_Y": "121.4"}).xml().encode(),
    Push({"MsgType": "event", "E": {"List": [{"a": "b"}]}, "Latitude": 1.5}).json().encode(),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a valid push after some accidents."""
    body = bytearray(draw(st.sampled_from(SOURCES)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(body) - 1, 0)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["flip", "cut", "drop", "double", "insert", "shout"])):
            case "flip" if body:
                body[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del body[start:]
            case "drop":
                del body[start : start + length]
            case "double":
                body[start:start] = body[start : start + length]
            case "insert":
                body[start:start] = draw(st.sampled_from(PIECES)) * draw(
                    st.sampled_from([1, 1, 300])
                )
            case _:
                body[start : start + length] = bytes(body[start : start + length]).upper()
    return bytes(body)


def _check_polite(answered: Answered, logged: list[Any]) -> None:
    assert answered.status in {200, 400, 403, 405}
    assert UNEXPECTED not in {entry["event"] for entry in logged}
    if answered.status == 200:
        assert logged == []
    else:
        assert [_is_refusal(entry) for entry in logged] == [True]
        assert answered.body == b""
    assert OPENID not in str(logged)
    assert "田林" not in str(logged)


@EDGE
@given(
    method=METHODS,
    query=st.one_of(
        st.dictionaries(st.sampled_from(NAMES), VALUES).map(
            lambda query: urlencode(query, errors="replace")
        ),
        st.text(max_size=100),
        st.just("a=" + "b" * 3000),
    ),
    body=st.one_of(st.binary(max_size=200), mutated()),
    length=st.sampled_from([None, "", "-1", "abc", "１２", "5", "9" * 5000, str(2**40)]),
)
def test_no_request_is_a_fault(
    method: str, query: str, body: bytes, length: str | None, logged: list[Any]
) -> None:
    logged.clear()
    size = str(len(body)) if length is None else length
    answered = call(Account().app, query, body, method=method, CONTENT_LENGTH=size)
    _check_polite(answered, logged)
    if answered.status == 405:
        assert method not in {"GET", "POST"}


@EDGE
@given(body=st.one_of(mutated(), st.binary(max_size=100)))
def test_no_signed_body_is_a_fault(body: bytes, logged: list[Any]) -> None:
    logged.clear()
    account = Account()
    _check_polite(call(account.app, signed(), body), logged)
    assert all(turn.openid and turn.key for turn in account.turns)


@EDGE
@given(body=st.one_of(mutated(), st.binary(max_size=100)), as_json=st.booleans())
def test_no_signed_and_sealed_message_is_a_fault(
    body: bytes, as_json: bool, logged: list[Any]
) -> None:
    logged.clear()
    sealed = Sealer(keys=[aes_key_of(AES_KEY)], appid=APPID).seal(body)
    envelope = (
        json.dumps({"Encrypt": sealed}) if as_json else f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    )
    _check_polite(call(Account().app, sealed_query(sealed), envelope.encode()), logged)


@EDGE
@given(
    cipher_text=st.one_of(
        st.binary(max_size=100),
        st.integers(0, 6).map(lambda blocks: bytes(16 * blocks)),
        st.binary(min_size=64, max_size=64),
    ),
    cut=st.integers(0, 3),
)
def test_no_signed_cipher_text_is_a_fault(cipher_text: bytes, cut: int, logged: list[Any]) -> None:
    logged.clear()
    text = b64encode(cipher_text).decode()
    sealed = text[: len(text) - cut]
    envelope = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    answered = call(Account().app, sealed_query(sealed), envelope.encode())
    _check_polite(answered, logged)
    assert answered.status == 400


@EDGE
@given(body=st.one_of(mutated(), st.binary(max_size=60)), sealed=st.text(max_size=40))
def test_no_envelope_is_a_fault(body: bytes, sealed: str, logged: list[Any]) -> None:
    for envelope in (
        body,
        json.dumps({"Encrypt": sealed}).encode(),
        json.dumps({"Encrypt": [sealed]}).encode(),
        json.dumps([sealed]).encode(),
    ):
        logged.clear()
        query = sealed_query("x")
        _check_polite(call(Account().app, query, envelope), logged)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"x" * 65537, 400, id="too-large"),
        pytest.param(b"<xml>" + b"<a/>" * 100_000 + b"</xml>", 400, id="many-elements"),
        pytest.param(b"<a>" * 20_000, 400, id="deep"),
        pytest.param(b"[]", 400, id="array"),
        pytest.param(b"42", 400, id="number"),
        pytest.param(text_push("x" * 60_000).xml().encode(), 200, id="large"),
        pytest.param(text_push("x", MsgType="file").xml().encode(), 200, id="unknown-kind"),
    ],
)
def test_size_and_shape_of_a_signed_body(body: bytes, status: int, logged: list[Any]) -> None:
    answered = Account().post(body)
    assert answered.status == status
    _check_polite(answered, logged)


def test_old_message_cannot_be_sent_again_with_a_new_time() -> None:
    account = Account()
    sealed = seal(text_push("地铁").xml())
    query = sealed_query(sealed, at=time.time() - 3600) | {"timestamp": str(int(time.time()))}
    assert account.post(f"<xml><Encrypt>{sealed}</Encrypt></xml>", query).status == 403


def test_sealed_for_another_account_of_ours_is_refused() -> None:
    sealed = seal(text_push("地铁").xml(), appid="wxfedcba9876543210")
    answered = Account().post(f"<xml><Encrypt>{sealed}</Encrypt></xml>", sealed_query(sealed))
    assert answered.status == 403


def test_a_fault_of_ours_is_success_to_the_platform_and_logged(logged: list[Any]) -> None:
    class Broken(Account):
        def answer(self, turn: Turn) -> Answer:
            raise ValueError("a bug")

    answered = Broken().post(text_push("x").xml())
    assert (answered.status, answered.body) == (200, b"success")
    assert [entry["event"] for entry in logged] == [UNEXPECTED]


def test_envelope_of_the_reply_is_signed_over_its_own_values() -> None:
    answered = Account().post_sealed(text_push("x").xml(), as_json=True)
    reply = json.loads(answered.body)
    parts = (TOKEN, str(reply["TimeStamp"]), reply["Nonce"], reply["Encrypt"])
    assert reply["MsgSignature"] == signature_of(*parts)
    assert reply["Nonce"] == NONCE
    assert abs(reply["TimeStamp"] - time.time()) < 5
    assert len(b64decode(reply["Encrypt"])) % 32 == 0


def test_front_takes_the_path_of_the_callback_alone() -> None:
    def behind(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("204 No Content", [])
        return [b""]

    front = WechatFront(behind, Account().app)
    assert call(front, {}, method="GET").status == 403
    assert call(front, {}, method="GET", PATH_INFO="/wechat/").status == 204
    assert call(front, {}, method="GET", PATH_INFO="/").status == 204
