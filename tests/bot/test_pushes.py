from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pushes import (
    _ILLEGAL,
    PushError,
    _fields_of_canonical_xml,
    _fields_of_parsed_xml,
    clean,
    fields_of,
    is_json,
    json_reply,
    turn_of,
    xml_reply,
)
from handlers.turn import Turn, TurnKind
from tests.callback import OPENID, Push, text_push

NOW = datetime(2020, 3, 28, tzinfo=UTC)
ILLEGAL = "\x00\x08\x1d\ufffe\uffff"


def _turn(body: str | bytes) -> Turn:
    raw = body.encode() if isinstance(body, str) else body
    return turn_of(fields_of(raw), now=NOW)


def _event(name: str, inside: str = "") -> str:
    return (
        "<xml>\n  <ToUserName><![CDATA[gh_123456789abc]]></ToUserName>\n"
        f"  <FromUserName><![CDATA[{OPENID}]]></FromUserName>\n"
        "  <CreateTime>1395658920</CreateTime>\n  <MsgType><![CDATA[event]]></MsgType>\n"
        f"  <Event><![CDATA[{name}]]></Event>\n{inside}</xml>"
    )


def _message(kind: str, inside: str) -> str:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{OPENID}]]>"
        f"</FromUserName><CreateTime>1348831860</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>"
        f"{inside}<MsgId>1234567890123456</MsgId></xml>"
    )


# --- what is pushed -----------------------------------------------------------------------------

# Source: samples v080 to v117, as wechatpy quotes them from the platform's documentation.
PUSHES: list[Any] = [
    pytest.param(
        _message("text", "<Content><![CDATA[this is a test]]></Content>"),
        {"kind": TurnKind.TEXT, "text": "this is a test", "key": f"{OPENID}:1234567890123456"},
        id="v080-text",
    ),
    pytest.param(
        _message("image", "<PicUrl><![CDATA[url]]></PicUrl><MediaId><![CDATA[m]]></MediaId>"),
        {"kind": TurnKind.IMAGE, "text": ""},
        id="v081-image",
    ),
    pytest.param(
        _message("voice", "<MediaId><![CDATA[m]]></MediaId><Format><![CDATA[amr]]></Format>"),
        {"kind": TurnKind.VOICE},
        id="v082-voice",
    ),
    pytest.param(_message("video", ""), {"kind": TurnKind.VIDEO}, id="v083-video"),
    pytest.param(_message("shortvideo", ""), {"kind": TurnKind.VIDEO}, id="short-video"),
    pytest.param(
        _message(
            "location",
            "<Location_X>23.134521</Location_X><Location_Y>113.358803</Location_Y>"
            "<Scale>20</Scale><Label><![CDATA[位置信息]]></Label>",
        ),
        {
            "kind": TurnKind.LOCATION,
            "latitude": 23.134521,
            "longitude": 113.358803,
            "label": "位置信息",
        },
        id="v084-location",
    ),
    pytest.param(
        _message("link", "<Title><![CDATA[公众平台]]></Title><Url><![CDATA[url]]></Url>"),
        {"kind": TurnKind.LINK},
        id="v085-link",
    ),
    pytest.param(_message("file", ""), {"kind": TurnKind.UNKNOWN, "event": ""}, id="v193-file"),
    pytest.param(_event("subscribe"), {"event": "subscribe", "event_key": ""}, id="v086-follow"),
    pytest.param(
        _event("subscribe", "<EventKey>last_trade_no_4008072001</EventKey>"),
        {"event": "subscribe", "event_key": "last_trade_no_4008072001"},
        id="v087-follow-after-paying",
    ),
    pytest.param(
        _event("subscribe", "<EventKey>qrscene_community:7</EventKey><Ticket>T</Ticket>"),
        {"event": "subscribe", "event_key": "community:7"},
        id="v088-follow-by-code",
    ),
    pytest.param(
        _event("SCAN", "<EventKey>qrscene_x</EventKey>"),
        {"event": "scan", "event_key": "qrscene_x"},
        id="v089-scan",
    ),
    pytest.param(
        _event(
            "LOCATION",
            "<Latitude>31.2</Latitude><Longitude>121.4</Longitude><Precision>1</Precision>",
        ),
        {"event": "location", "latitude": 31.2, "longitude": 121.4},
        id="v090-location",
    ),
    pytest.param(
        _event("CLICK", "<EventKey><![CDATA[colour]]></EventKey>"),
        {"kind": TurnKind.EVENT, "event": "click", "event_key": "colour"},
        id="v091-click",
    ),
    pytest.param(
        _event("VIEW", "<EventKey>http://x</EventKey><MenuId>1</MenuId>"),
        {"event": "view", "event_key": "http://x"},
        id="v092-view",
    ),
    pytest.param(_event("unsubscribe"), {"event": "unsubscribe"}, id="v101-leave"),
    pytest.param(
        _event(
            "scancode_push",
            "<EventKey>6</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType>"
            "<ScanResult>1</ScanResult></ScanCodeInfo>",
        ),
        {"event": "scancode_push", "fields.ScanCodeInfo.ScanResult": "1"},
        id="v104-scan-from-menu",
    ),
    pytest.param(
        _event(
            "location_select",
            "<EventKey>nearby</EventKey><SendLocationInfo><Location_X>23</Location_X>"
            "<Location_Y>113</Location_Y><Poiname></Poiname></SendLocationInfo>",
        ),
        # The chosen place follows as a message of its own.
        {"event": "location_select", "latitude": None, "fields.SendLocationInfo.Poiname": ""},
        id="v109-location-from-menu",
    ),
    pytest.param(
        _event("kf_create_session", "<KfAccount>test1@test</KfAccount>"),
        {"event": "kf_create_session", "fields.KfAccount": "test1@test"},
        id="v111-customer-service",
    ),
    pytest.param(
        _event("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID><Status>success</Status>"),
        {"event": "templatesendjobfinish", "fields.Status": "success", "fields.MsgID": "200163836"},
        id="v114-template-sent",
    ),
    pytest.param(
        _event(
            "subscribe_msg_popup_event",
            "<SubscribeMsgPopupEvent><List><TemplateId>A</TemplateId></List>"
            "<List><TemplateId>B</TemplateId></List></SubscribeMsgPopupEvent>",
        ),
        {
            "fields.SubscribeMsgPopupEvent.List.0.TemplateId": "A",
            "fields.SubscribeMsgPopupEvent.List.1.TemplateId": "B",
        },
        id="v115-consents",
    ),
    pytest.param(
        _event(
            "subscribe_msg_sent_event",
            "<SubscribeMsgSentEvent><List><MsgID>17</MsgID></List></SubscribeMsgSentEvent>",
        ),
        {"fields.SubscribeMsgSentEvent.List.0.MsgID": "17"},
        id="v117-subscription-sent",
    ),
    pytest.param(
        '{"ToUserName": "gh_97417a04a28d", "FromUserName": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",'
        ' "CreateTime": 1714037059, "MsgType": "event", "Event": "debug_demo",'
        ' "debug_str": "hello world"}',
        {
            "kind": TurnKind.EVENT,
            "event": "debug_demo",
            "account": "gh_97417a04a28d",
            "openid": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
            "sent_at": datetime(2024, 4, 25, 9, 24, 19, tzinfo=UTC),
            "fields.debug_str": "hello world",
        },
        id="v015-json-of-the-documentation",
    ),
]


@pytest.mark.parametrize(("body", "expected"), PUSHES)
def test_push_is_read(body: str, expected: dict[str, Any]) -> None:
    turn = _turn(body)
    read = {
        name: turn.fields[name.removeprefix("fields.")]
        if name.startswith("fields.")
        else getattr(turn, name)
        for name in expected
    }
    assert read == expected


@pytest.mark.parametrize("listed", [{"TemplateId": "A"}, [{"TemplateId": "A"}]])
def test_one_item_of_a_json_list_may_come_without_the_list(listed: Any) -> None:
    fields = fields_of(Push({"SubscribeMsgPopupEvent": {"List": listed}}).json().encode())
    assert fields["SubscribeMsgPopupEvent.List.0.TemplateId"] == "A"


@given(content=st.text(st.characters(codec="utf-8"), max_size=80))
def test_xml_and_json_of_the_same_message_are_the_same_turn(content: str) -> None:
    push = text_push(content, CreateTime=1348831860)
    from_json = _turn(push.json())
    # An XML parser reads every line end as \n.
    from_xml = _turn(push.xml())
    assert from_xml.text == from_json.text.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert from_xml.key == from_json.key


@pytest.mark.parametrize("wrap", [Push.xml, Push.json])
def test_control_characters_that_xml_cannot_carry_are_dropped(wrap: Any) -> None:
    turn = _turn(wrap(text_push(f" 田林{ILLEGAL}十二村\t号 ")))
    assert turn.text == "田林十二村\t号"


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \r\n\t", b"\x00\n", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize(("wrap", "speaks_json"), [(Push.xml, False), (Push.json, True)])
def test_what_stands_before_the_body_does_no_harm(
    wrap: Any, speaks_json: bool, before: bytes
) -> None:
    body = before + wrap(text_push("你好")).encode()
    assert _turn(body).text == "你好"
    assert is_json(body) is speaks_json


def test_comments_are_overlooked_and_the_first_of_two_fields_counts() -> None:
    body = text_push("one").xml().replace("</xml>", "<!-- x --><Content>two</Content></xml>")
    assert _turn(body).text == "one"


# --- what is refused ----------------------------------------------------------------------------

BOMB = (
    '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
GOOD = text_push("PLACE").xml()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("hello", id="neither"),
        pytest.param("<xml>", id="truncated"),
        pytest.param("<xml/>", id="no-fields"),
        pytest.param("<html><body/></html>", id="another-root"),
        pytest.param(GOOD + GOOD, id="two-roots"),
        pytest.param(BOMB + GOOD.replace("<![CDATA[PLACE]]>", "&c;"), id="bomb"),
        pytest.param(
            '<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
            + GOOD.replace("<![CDATA[PLACE]]>", "&e;"),
            id="external-entity",
        ),
        pytest.param('<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd">' + GOOD, id="external-dtd"),
        pytest.param("<!DOCTYPE xml>" + GOOD, id="doctype"),
        pytest.param(
            '<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE xml+AD4-' + GOOD,
            id="doctype-in-utf-7",
        ),
        pytest.param(GOOD.replace("<![CDATA[PLACE]]>", "&nope;"), id="unknown-entity"),
        pytest.param(GOOD.replace("<![CDATA[PLACE]]>", "&#1;"), id="illegal-reference"),
        pytest.param(GOOD.replace("<![CDATA[PLACE]]>", "<?php x?>"), id="instruction"),
        pytest.param('<?xml version="1.0" encoding="nonsense"?>' + GOOD, id="unknown-encoding"),
        pytest.param("<xml>" + "<a>" * 8 + "</a>" * 8 + "</xml>", id="nested"),
        pytest.param("<a>" * 5000, id="deep"),
        pytest.param(GOOD.replace("</xml>", "<a/>" * 5000 + "</xml>"), id="many-elements"),
        pytest.param(
            GOOD.replace("</xml>", "".join(f"<a{n}/>" for n in range(300)) + "</xml>"),
            id="many-fields",
        ),
        pytest.param("[1, 2]", id="json-array"),
        pytest.param("{", id="json-truncated"),
        pytest.param('{"MsgType": NaN}', id="json-nan"),
        pytest.param('{"a":' * 2000 + "1" + "}" * 2000, id="json-deep"),
        pytest.param(json.dumps({str(n): 1 for n in range(300)}), id="json-many-fields"),
        pytest.param('{"Content": "\\ud800"}', id="json-half-a-character"),
        pytest.param(text_push("x", MsgType="").xml(), id="no-kind"),
        pytest.param(text_push("x", FromUserName="").xml(), id="no-sender"),
        pytest.param(text_push("x", FromUserName="o x").xml(), id="sender-with-blank"),
        pytest.param(text_push("x", FromUserName="o" * 65).xml(), id="sender-too-long"),
        pytest.param(text_push("x", FromUserName={"a": "b"}).json(), id="sender-nested"),
        pytest.param(text_push("x", CreateTime="").xml(), id="no-time"),
        pytest.param(text_push("x", CreateTime=-1).xml(), id="time-negative"),
        pytest.param(text_push("x", CreateTime=10**30).xml(), id="time-huge"),
        pytest.param(text_push("x", CreateTime=10**30).json(), id="json-time-huge"),
        pytest.param(text_push("x", CreateTime="１２３").xml(), id="time-in-other-digits"),
    ],
)
def test_what_is_no_push_is_refused(body: str) -> None:
    with pytest.raises(PushError):
        _turn(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(GOOD.encode().replace(b"PLACE", b"\xff\xfe"), id="not-utf-8"),
        pytest.param(GOOD.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"Content": "\xff"}', id="json-not-utf-8"),
    ],
)
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    with pytest.raises(PushError):
        _turn(body)


# --- identity -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(text_push("a", 1), text_push("a", 2), id="message-ids"),
        pytest.param(text_push("a"), text_push("a", FromUserName="oOTHER"), id="senders"),
        pytest.param(
            Push({"MsgType": "event", "Event": "CLICK", "EventKey": "a", "CreateTime": 1}),
            Push({"MsgType": "event", "Event": "CLICK", "EventKey": "b", "CreateTime": 1}),
            id="two-taps-in-one-second",
        ),
        pytest.param(
            Push({"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 1}),
            Push({"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 2}),
            id="two-reports-in-one-second",
        ),
        pytest.param(
            Push(
                {
                    "MsgType": "event",
                    "Event": "subscribe_msg_sent_event",
                    "SubscribeMsgSentEvent": {"List": [{"MsgID": "1"}]},
                }
            ),
            Push(
                {
                    "MsgType": "event",
                    "Event": "subscribe_msg_sent_event",
                    "SubscribeMsgSentEvent": {"List": [{"MsgID": "2"}]},
                }
            ),
            id="two-nested-reports-in-one-second",
        ),
        pytest.param(text_push("甲", ""), text_push("乙", ""), id="no-message-id"),
    ],
)
def test_different_messages_have_different_identities(one: Push, other: Push) -> None:
    assert _turn(one.json()).key == _turn(one.json()).key
    assert _turn(one.json()).key != _turn(other.json()).key


@given(
    message_id=st.text(max_size=300), event=st.text(max_size=300), event_key=st.text(max_size=300)
)
def test_identity_is_short_plain_and_begins_with_the_person(
    message_id: str, event: str, event_key: str
) -> None:
    kind = "event" if event else "text"
    fields = {"FromUserName": OPENID, "CreateTime": "1", "MsgType": kind, "MsgId": message_id}
    key = turn_of(fields | {"Event": event, "EventKey": event_key}, now=NOW).key
    assert key.startswith(OPENID + ":")
    assert len(key) <= 150
    assert key.isascii()
    assert " " not in key


@pytest.mark.parametrize(
    ("longitude", "latitude", "expected"),
    [
        ("121.43", "31.17", (121.43, 31.17)),
        ("", "31.17", (None, None)),
        ("nan", "31.17", (None, None)),
        ("181", "31.17", (None, None)),
        ("121.43", "inf", (None, None)),
        ("abc", "31.17", (None, None)),
    ],
)
def test_location_is_whole_and_on_earth_or_none(
    longitude: str, latitude: str, expected: tuple[float | None, float | None]
) -> None:
    turn = _turn(
        Push({"MsgType": "location", "Location_X": latitude, "Location_Y": longitude}).xml()
    )
    assert (turn.longitude, turn.latitude) == expected


# --- what is answered ---------------------------------------------------------------------------

NASTY = st.lists(
    st.one_of(st.characters(), st.sampled_from(["]]>", "<![CDATA[", "&amp;", *ILLEGAL])),
    max_size=60,
).map("".join)


@given(text=NASTY)
def test_reply_says_exactly_the_text_in_xml_and_json(text: str) -> None:
    turn = _turn(GOOD)
    said = clean(text)
    root = ET.fromstring(xml_reply(turn, text=said, created=7))
    found = {child.tag: child.text or "" for child in root}
    expected = {
        "ToUserName": OPENID,
        "FromUserName": turn.account,
        "CreateTime": "7",
        "MsgType": "text",
        "Content": said.replace("\r\n", "\n").replace("\r", "\n"),
    }
    assert found == expected
    as_json = json.loads(json_reply(turn, text=said, created=7))
    assert as_json == expected | {"CreateTime": 7, "Content": said}


def test_handover_carries_no_text() -> None:
    turn = _turn(GOOD)
    root = ET.fromstring(xml_reply(turn, text=None, created=7))
    assert root.findtext("MsgType") == "transfer_customer_service"
    assert root.find("Content") is None
    as_json = json.loads(json_reply(turn, text=None, created=7))
    assert as_json["MsgType"] == "transfer_customer_service"
    assert "Content" not in as_json


_FRAGMENTS = st.sampled_from(
    [
        *[
            "<xml>",
            "</xml>",
            "<A>",
            "</A>",
            "<Content>",
            "</Content>",
            "<List>",
            "</List>",
            "<A/>",
            "<![CDATA[",
            "]]>",
            "]",
            ">",
            "<",
        ],
        *["&lt;", "&#x41;", "&nope;", "x", "中", "<!--c-->", "<?p?>"],
        *("<!DOCTYPE xml>", '<A b="c">', "\ufffe", "\x1d", " ", "\n", "\r"),
    ]
)


@given(st.lists(_FRAGMENTS, max_size=14).map("".join))
def test_the_quick_reading_of_xml_is_the_parser_s(inner: str) -> None:
    body = f"<xml><A>{inner}</A></xml>".encode().translate(None, _ILLEGAL)

    quick = _fields_of_canonical_xml(body)

    if quick is not None:
        assert quick == _fields_of_parsed_xml(body)


def test_a_usual_push_is_read_quickly() -> None:
    body = b"<xml><A><![CDATA[a]b]]]]></A>\n<B>17</B><C><![CDATA[]]></C><A>later</A></xml>\n"

    assert _fields_of_canonical_xml(body) == {"A": "a]b]]", "B": "17", "C": ""}
    assert _fields_of_parsed_xml(body) == {"A": "a]b]]", "B": "17", "C": ""}


def test_hostile_openings_take_no_time() -> None:
    with pytest.raises(PushError):
        fields_of(b"<xml>" + b"<a><![CDATA[" * 5000 + b"</xml>")
