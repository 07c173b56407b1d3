"""Hearing of one's registration in WeChat: the account's code, and one consent for its result.

Whoever follows the account hears by itself. Anybody else is asked once, by a tag of WeChat's
script; where the script cannot run, the page says in words how to follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from core.codes.account import find_account_code
from core.codes.drawing import png_of
from core.codes.service import CodeNotFoundError
from core.notices.feedback import accept_messages
from core.registration.service import RegistrationNotFoundError, get_own_registration
from core.registration.telling import RESULT_KINDS, ToldBy, told_by_of
from handlers.access import Access, access
from handlers.forms import number_field
from handlers.h5.visit import HOME, Visit
from handlers.page import Answer, Download, Page, Redirect

# Uses in seconds. A page asks once each time that it is opened.
SIGN_LIMIT: Final = (120, 3600)
ANSWER_LIMIT: Final = (20, 3600)
PICTURE_PIXELS: Final = 480
MAX_ANSWER: Final = 2000


def told_values(visit: Visit) -> dict[str, object]:
    """Return what a page says about how somebody hears of their registration."""
    session = visit.reading()
    templates = visit.account.templates_for(RESULT_KINDS)
    told_by = told_by_of(session, openid=visit.openid, template_ids=templates)
    is_asked = told_by is ToldBy.NOTHING
    return {
        "told_by": told_by.value,
        "templates": templates if is_asked and visit.is_in_wechat else (),
        "script_url": visit.account.script_url,
        "has_account_code": is_asked and find_account_code(session, now=visit.now) is not None,
    }


@access(Access.PERSON)
def sdk(visit: Visit) -> Answer:
    """Hand out what WeChat's script wants to know of one of these pages, as JSON."""
    url = visit.query.get("url", "")
    if not url.startswith(f"{visit.public_url}{HOME}") or "#" in url:
        return Page(template="error", values={"reason": "", "message": ""}, status=404)
    config = None
    if visit.is_within(f"sign:{visit.openid}", *SIGN_LIMIT):
        config = visit.account.sign(url, now=visit.now)
    told: dict[str, object] = {"is_signed": config is not None}
    if config is not None:
        told |= {
            "appId": config.appid,
            "timestamp": config.timestamp,
            "nonceStr": config.nonce,
            "signature": config.signature,
        }
    return Download(content=orjson.dumps(told), media_type="application/json", filename="sdk.json")


@access(Access.PERSON)
def answered(visit: Visit) -> Answer:
    """Record what somebody answered when they were asked for a consent to one message."""
    registration_id = number_field(visit.params, "id")
    if registration_id is None:
        raise RegistrationNotFoundError
    get_own_registration(visit.reading(), openid=visit.openid, registration_id=registration_id)
    templates = set(visit.account.templates_for(RESULT_KINDS))
    accepted = templates & accepted_in(visit.form.get("details", ""))
    is_within = visit.is_within(f"messages:{visit.openid}", *ANSWER_LIMIT)
    if accepted and is_within:
        accept_messages(visit.writing(), now=visit.now, openid=visit.openid, template_ids=accepted)
    return Redirect(path=f"/h5/registration/{registration_id}?told={int(bool(accepted))}#told")


@access(Access.PUBLIC)
def account_picture(visit: Visit) -> Answer:
    """Hand out the account's own code as a picture."""
    code = find_account_code(visit.reading(), now=visit.now)
    if code is None:
        raise CodeNotFoundError
    return Download(
        content=png_of(code.address, pixels=PICTURE_PIXELS),
        media_type="image/png",
        filename="account.png",
        is_inline=True,
    )


def accepted_in(details: str) -> set[str]:
    """Return the templates to which the tag says that somebody said yes.

    Args:
        details: `subscribeDetails` of the tag's event: an object with an answer by template,
            `{"status": "accept"}`, each of which is JSON in a text again.

    Source: docs/sources.md#wechat-script
    """
    answers = _object_in(details[:MAX_ANSWER])
    return {
        template_id
        for template_id, answer in answers.items()
        if _object_in(answer).get("status") == "accept"
    }


def _object_in(text: object) -> Mapping[str, object]:
    """Return the object that a text holds, or is; empty if it is none."""
    try:
        found = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
