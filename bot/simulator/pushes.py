"""What the platform pushes: the fields of each message and event, without the common ones.

`ToUserName`, `FromUserName`, `CreateTime` and `MsgId` are added on the way out, by `wire.py`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Push: TypeAlias = "dict[str, Any]"


def text(content: str, *, menu_id: str = "") -> Push:
    """Return a typed message, or a tapped option if `menu_id` is given."""
    push: Push = {"MsgType": "text", "Content": content}
    return push | {"bizmsgmenuid": menu_id} if menu_id else push


def image(*, media_id: str = "MEDIA", url: str = "http://mmbiz.qpic.cn/simulated") -> Push:
    """Return a picture."""
    return {"MsgType": "image", "PicUrl": url, "MediaId": media_id}


def voice(*, media_id: str = "MEDIA") -> Push:
    """Return a voice message; its text is no longer recognised by the platform."""
    return {"MsgType": "voice", "MediaId": media_id, "Format": "amr", "Recognition": ""}


def video(*, media_id: str = "MEDIA") -> Push:
    """Return a video."""
    return {"MsgType": "video", "MediaId": media_id, "ThumbMediaId": "THUMB"}


def location(*, longitude: float, latitude: float, label: str = "", scale: int = 16) -> Push:
    """Return a location that the person sent; degrees, GCJ-02."""
    return {
        "MsgType": "location",
        "Location_X": f"{latitude:.6f}",
        "Location_Y": f"{longitude:.6f}",
        "Scale": scale,
        "Label": label,
    }


def link(*, title: str, url: str, description: str = "") -> Push:
    """Return a shared link."""
    return {"MsgType": "link", "Title": title, "Description": description, "Url": url}


def event(name: str, **fields: object) -> Push:
    """Return any event; `fields` carry the platform's own names."""
    return {"MsgType": "event", "Event": name, **fields}


def subscribe(*, scene: str = "", ticket: str = "") -> Push:
    """Return a new follower, by a scene code or without."""
    if not scene:
        return event("subscribe", EventKey="")
    return event("subscribe", EventKey=f"qrscene_{scene}", Ticket=ticket or "TICKET")


def unsubscribe() -> Push:
    """Return a follower who left."""
    return event("unsubscribe", EventKey="")


def scan(scene: str, *, ticket: str = "") -> Push:
    """Return a scene code scanned by someone who follows already."""
    return event("SCAN", EventKey=scene, Ticket=ticket or "TICKET")


def click(key: str) -> Push:
    """Return a tapped menu button of the kind `click`."""
    return event("CLICK", EventKey=key)


def view(url: str) -> Push:
    """Return a tapped menu button that opens a page."""
    return event("VIEW", EventKey=url, MenuId="1")


def position(*, longitude: float, latitude: float, precision: float = 30.0) -> Push:
    """Return the position that a phone reports by itself; degrees."""
    return event(
        "LOCATION",
        Latitude=f"{latitude:.6f}",
        Longitude=f"{longitude:.6f}",
        Precision=f"{precision:.6f}",
    )


def template_finished(msgid: int, *, status: str = "success") -> Push:
    """Return the outcome of a template message.

    Args:
        msgid: as the API returned it.
        status: `success`, `failed:user block` or `failed: system failed`.
    """
    return event("TEMPLATESENDJOBFINISH", MsgID=msgid, Status=status)


def subscription_answered(*template_ids: str, answer: str = "accept", scene: int = 1) -> Push:
    """Return a yes (`accept`) or no (`reject`) to subscription notices, asked for at once."""
    items = [
        {
            "TemplateId": template_id,
            "SubscribeStatusString": answer,
            "PopupScene": str(scene),
        }
        for template_id in template_ids
    ]
    return event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": items})


def subscription_revoked(template_id: str) -> Push:
    """Return a no that was given in the account's settings."""
    item = {"TemplateId": template_id, "SubscribeStatusString": "reject"}
    return event("subscribe_msg_change_event", SubscribeMsgChangeEvent={"List": item})


def subscription_sent(
    template_id: str, msgid: int, *, error_code: int = 0, error_status: str = "success"
) -> Push:
    """Return the outcome of a subscription notice."""
    item = {
        "TemplateId": template_id,
        "MsgID": msgid,
        "ErrorCode": str(error_code),
        "ErrorStatus": error_status,
    }
    return event("subscribe_msg_sent_event", SubscribeMsgSentEvent={"List": item})
