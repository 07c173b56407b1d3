"""What a person does on the phone: it becomes a callback, and the answer a bubble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from bot.simulator import followers, pushes, scenes
from bot.simulator.followers import Act
from bot.simulator.ledger import Desk, Ledger, packed, unpacked
from bot.simulator.mailbox import Channel, add_entry, claim_reports
from bot.simulator.wire import Exchange, Platform, Trouble

Order: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows from something a person does.

    Attributes:
        push: what the platform pushes.
        act: the window that opens, if one does.
        shown: the person's own bubble, if there is one.
        noted: the code of a grey line in the chat, if there is one.
    """

    push: pushes.Push
    act: Act | None = None
    shown: Mapping[str, Any] | None = None
    noted: Mapping[str, Any] | None = None


class UnknownActionError(ValueError):
    """The phone asked for something that people cannot do."""


class Chat:
    """The conversations of all people with one account."""

    def __init__(self, ledger: Ledger, platform: Platform) -> None:
        """Bring the platform's memory and its sending side together."""
        self._ledger = ledger
        self._platform = platform

    def act(self, *, openid: str, order: Order) -> Exchange:
        """Let a person do something, and put what comes back into their chat.

        Args:
            openid: who.
            order: `do` names the action, the rest are its values, see `ACTIONS`.

        Raises:
            UnknownActionError: no such action, person, or a value is missing.
        """
        with self._ledger.writing() as desk:
            now = self._ledger.now(desk)
            plan = self._plan(desk, now, openid, order)
            if plan.act is not None:
                followers.record_act(desk, now, openid=openid, act=plan.act)
            if plan.shown is not None:
                add_entry(desk, now, openid=openid, channel=Channel.PERSON, body=plan.shown)
            if plan.noted is not None:
                add_entry(desk, now, openid=openid, channel=Channel.SYSTEM, body=plan.noted)
        # The ledger is closed meanwhile: the product may call the API before it answers.
        exchange = self._platform.send(openid, plan.push)
        self._keep(openid, exchange)
        return exchange

    def report(self, *, openid: str) -> int:
        """Tell the product the outcome of the notices on a phone; return how many."""
        with self._ledger.writing() as desk:
            entries = claim_reports(desk, openid=openid)
        for entry in entries:
            if entry.channel is Channel.TEMPLATE:
                push = pushes.template_finished(entry.msgid)
            else:
                push = pushes.subscription_sent(entry.body["template_id"], entry.msgid)
            self._keep(openid, self._platform.send(openid, push))
        return len(entries)

    @staticmethod
    def _plan(desk: Desk, now: float, openid: str, order: Order) -> Plan:
        person = followers.find_follower(desk, openid)
        action = ACTIONS.get(str(order.get("do")))
        if person is None or action is None:
            raise UnknownActionError(order.get("do"))
        try:
            return action(desk, now, person, order)
        except (KeyError, TypeError) as error:
            raise UnknownActionError(order.get("do")) from error

    def _keep(self, openid: str, exchange: Exchange) -> None:
        with self._ledger.writing() as desk:
            now = self._ledger.now(desk)
            desk.execute(
                "INSERT INTO exchange (openid, body, at) VALUES (?, ?, ?)",
                (openid, packed(asdict(exchange)), now),
            )
            for channel, body in _bubbles(exchange):
                add_entry(desk, now, openid=openid, channel=channel, body=body)


def list_exchanges(desk: Desk, *, openid: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Return what went over the wire for a person, oldest first, the newest `limit` of it."""
    rows = desk.execute(
        "SELECT * FROM exchange WHERE openid = ? AND id > ? ORDER BY id DESC LIMIT ?",
        (openid, after, limit),
    ).fetchall()
    return [unpacked(row["body"]) | {"id": row["id"], "at": row["at"]} for row in reversed(rows)]


def _bubbles(exchange: Exchange) -> list[tuple[Channel, dict[str, Any]]]:
    """Return what the person sees of an exchange."""
    if exchange.trouble is not Trouble.NONE:
        return [(Channel.SYSTEM, {"code": "trouble", "trouble": exchange.trouble})]
    kind = exchange.fields.get("MsgType")
    if kind is None:
        return []
    if kind == "text":
        return [(Channel.REPLY, {"kind": "text", "text": exchange.text})]
    if kind == "transfer_customer_service":
        return [(Channel.SYSTEM, {"code": "handover"})]
    return [(Channel.REPLY, {"kind": kind, "content": dict(exchange.fields)})]


def _text(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del desk, now, person
    content, menu_id = str(order["text"]), str(order.get("menu_id") or "")
    return Plan(
        push=pushes.text(content, menu_id=menu_id),
        act=Act.MENU if menu_id else Act.MESSAGE,
        shown={"kind": "text", "text": content},
    )


def _location(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del desk, now, person
    place: dict[str, Any] = {
        "longitude": float(order["longitude"]),
        "latitude": float(order["latitude"]),
        "label": str(order.get("label") or ""),
    }
    return Plan(
        push=pushes.location(**place),
        act=Act.MESSAGE,
        shown={"kind": "location", **place},
    )


def _media(kind: str, make: Callable[[], pushes.Push]) -> Action:
    def plan(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
        del desk, now, person, order
        return Plan(push=make(), act=Act.MESSAGE, shown={"kind": kind})

    return plan


def _click(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del desk, now, person
    return Plan(push=pushes.click(str(order["key"])), act=Act.MENU)


def _view(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del desk, now, person
    # Opening a page opens no window: only `click` and the scanning buttons do.
    return Plan(push=pushes.view(str(order["url"])))


def _scan(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    scene = scenes.scene_of(desk, now, str(order["scene"]))
    if not person.is_following:
        return _follow(desk, now, person, {**order, "scene": scene})
    return Plan(push=pushes.scan(scene), act=Act.SCAN, noted={"code": "scanned", "scene": scene})


def _follow(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    scene = str(order.get("scene") or "")
    followers.follow(desk, now, openid=person.openid, scene=scene)
    return Plan(
        push=pushes.subscribe(scene=scene),
        act=Act.FOLLOW,
        noted={"code": "followed", "scene": scene},
    )


def _unfollow(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del now, order
    followers.unfollow(desk, openid=person.openid)
    return Plan(push=pushes.unsubscribe(), noted={"code": "unfollowed"})


def _consent(desk: Desk, now: float, person: followers.Follower, order: Order) -> Plan:
    del now
    template_ids = [str(one) for one in order.get("templates") or [order["template_id"]]]
    is_accepted = bool(order["accept"])
    record = followers.allow_subscription if is_accepted else followers.refuse_subscription
    for template_id in template_ids:
        record(desk, openid=person.openid, template_id=template_id)
    return Plan(
        push=pushes.subscription_answered(
            *template_ids, answer="accept" if is_accepted else "reject"
        ),
        noted={"code": "consented" if is_accepted else "refused"},
    )


Action: TypeAlias = "Callable[[Desk, float, followers.Follower, Order], Plan]"
ACTIONS: Final[Mapping[str, Action]] = {
    "text": _text,
    "location": _location,
    "image": _media("image", pushes.image),
    "voice": _media("voice", pushes.voice),
    "click": _click,
    "view": _view,
    "scan": _scan,
    "follow": _follow,
    "unfollow": _unfollow,
    "consent": _consent,
}
