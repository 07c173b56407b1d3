"""The handle of the stand-in: what a test or a developer sets up and reads off, as JSON.

GET  /_control/followers                      everybody
POST /_control/followers                      {openid?, name?, is_following?}
POST /_control/acts                           {openid, act: message|menu|follow|scan|payment}
POST /_control/templates                      {template_id, channel?, title?, fields?, choices?}
POST /_control/consents                       {openid, template_id, times?, is_long_term?, refuse?}
POST /_control/codes                          {openid, kind: mini|page|snapshot} -> {code}
GET  /_control/messages[?openid=]             {total, by_openid, messages}
GET  /_control/calls                          path -> count
POST /_control/quotas                         {path, per_day}
POST /_control/faults                         {path, kind, value?, moment?, times?}
POST /_control/faults/clear
POST /_control/tokens/expire, /_control/tokens/revoke
POST /_control/clock                          {seconds}: jump ahead
POST /_control/reset                          forget everything
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, jsonify, request

from bot.simulator import faults, followers, mailbox, tokens
from bot.simulator.ledger import Desk, Ledger

Order: TypeAlias = "dict[str, Any]"
Action: TypeAlias = "Callable[[Desk, float, Order], object]"


def create_control(ledger: Ledger) -> Blueprint:
    """Return the control surface as a blueprint; its paths begin at /_control."""
    blueprint = Blueprint("wechat_control", __name__, url_prefix="/_control")
    for path, method, action in ACTIONS:
        blueprint.add_url_rule(
            path,
            endpoint=f"{method.lower()}_{path.strip('/').replace('/', '_')}",
            view_func=_view(ledger, action),
            methods=[method],
        )
    blueprint.add_url_rule("/clock", view_func=_clock(ledger), methods=["POST"])
    blueprint.add_url_rule("/reset", view_func=_reset(ledger), methods=["POST"])
    blueprint.register_error_handler(KeyError, _bad_order)
    blueprint.register_error_handler(ValueError, _bad_order)
    return blueprint


def _view(ledger: Ledger, action: Action) -> Callable[[], Response]:
    def view() -> Response:
        order = request.get_json(silent=True) or {}
        with ledger.writing() as desk:
            result = action(desk, ledger.now(desk), order)
        return jsonify({"ok": True} if result is None else result)

    return view


def _clock(ledger: Ledger) -> Callable[[], Response]:
    def clock() -> Response:
        ledger.advance(float(request.get_json()["seconds"]))
        with ledger.reading() as desk:
            return jsonify({"now": ledger.now(desk)})

    return clock


def _reset(ledger: Ledger) -> Callable[[], Response]:
    def reset() -> Response:
        ledger.reset()
        return jsonify({"ok": True})

    return reset


def _bad_order(error: Exception) -> tuple[Response, int]:
    return jsonify({"error": repr(error)}), 400


def _list_followers(desk: Desk, now: float, order: Order) -> object:
    del now, order
    return [asdict(person) for person in followers.list_followers(desk)]


def _put_follower(desk: Desk, now: float, order: Order) -> object:
    openid = order.get("openid") or followers.new_openid()
    if order.get("is_following", True):
        followers.put_follower(desk, now, openid=openid, name=order.get("name", ""))
    else:
        followers.put_follower(
            desk, now, openid=openid, name=order.get("name", ""), is_following=False
        )
        followers.unfollow(desk, openid=openid)
    return {"openid": openid}


def _act(desk: Desk, now: float, order: Order) -> object:
    followers.record_act(desk, now, openid=order["openid"], act=followers.Act(order["act"]))
    return None


def _template(desk: Desk, now: float, order: Order) -> object:
    del now
    mailbox.register_template(
        desk,
        template_id=order["template_id"],
        channel=mailbox.Channel(order.get("channel", "template")),
        title=order.get("title", ""),
        fields=order.get("fields"),
        choices=order.get("choices"),
    )
    return None


def _consent(desk: Desk, now: float, order: Order) -> object:
    del now
    openid, template_id = order["openid"], order["template_id"]
    if order.get("refuse"):
        followers.refuse_subscription(desk, openid=openid, template_id=template_id)
    else:
        followers.allow_subscription(
            desk,
            openid=openid,
            template_id=template_id,
            times=int(order.get("times", 1)),
            is_long_term=bool(order.get("is_long_term")),
        )
    return None


def _code(desk: Desk, now: float, order: Order) -> object:
    return {"code": tokens.issue_code(desk, now, kind=order["kind"], openid=order["openid"])}


def _messages(desk: Desk, now: float, order: Order) -> object:
    del now, order
    entries = mailbox.list_delivered(desk, openid=request.args.get("openid", ""))
    return {
        "total": len(entries),
        "by_openid": Counter(entry.openid for entry in entries),
        "messages": [asdict(entry) | {"msgid": entry.msgid} for entry in entries],
    }


def _calls(desk: Desk, now: float, order: Order) -> object:
    del now, order
    return faults.call_counts(desk)


def _quota(desk: Desk, now: float, order: Order) -> object:
    del now
    faults.set_quota(desk, path=order["path"], per_day=int(order["per_day"]))
    return None


def _fault(desk: Desk, now: float, order: Order) -> object:
    del now
    fault = faults.Fault(
        kind=faults.FaultKind(order["kind"]),
        value=float(order.get("value", 0)),
        moment=faults.FaultMoment(order.get("moment", "before")),
    )
    faults.order_fault(desk, path=order["path"], fault=fault, times=int(order.get("times", 1)))
    return None


def _clear_faults(desk: Desk, now: float, order: Order) -> object:
    del now, order
    faults.clear_faults(desk)
    return None


def _expire_tokens(desk: Desk, now: float, order: Order) -> object:
    del order
    tokens.expire_tokens(desk, now)
    return None


def _revoke_tokens(desk: Desk, now: float, order: Order) -> object:
    del now, order
    tokens.revoke_tokens(desk)
    return None


ACTIONS: Final[tuple[tuple[str, str, Action], ...]] = (
    ("/followers", "GET", _list_followers),
    ("/followers", "POST", _put_follower),
    ("/acts", "POST", _act),
    ("/templates", "POST", _template),
    ("/consents", "POST", _consent),
    ("/codes", "POST", _code),
    ("/messages", "GET", _messages),
    ("/calls", "GET", _calls),
    ("/quotas", "POST", _quota),
    ("/faults", "POST", _fault),
    ("/faults/clear", "POST", _clear_faults),
    ("/tokens/expire", "POST", _expire_tokens),
    ("/tokens/revoke", "POST", _revoke_tokens),
)
