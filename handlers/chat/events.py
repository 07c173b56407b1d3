"""What the platform reports by itself: follows, scans, deliveries, consents."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.clock import day_of
from core.codes.rules import SCENE
from core.mandates.service import end_mandates_of
from core.notices.feedback import (
    clear_consent,
    confirm_delivery,
    forget_notices,
    record_consent,
)
from core.notices.rules import Channel
from core.papers.service import list_papers
from core.people.service import forget_person, mark_following, mark_left
from core.people.staff.wechat import UnbindReason, unbind_person
from core.places.service import Place, current_book, find_street
from core.registration.correcting import end_registrations_of
from core.risk.service import find_card
from core.sites.members import end_memberships_of
from handlers.chat import registration
from handlers.chat.words import has_event
from handlers.turn import SILENCE, Reply, Turn, TurnKind

COMMUNITY_SCENE = "community:"
STREET_SCENE = "street:"
PAPERS_SHOWN = 1
MAX_LIST_ITEMS = 20

is_follow = has_event("subscribe")
is_scan = has_event("scan")
is_leave = has_event("unsubscribe")
is_delivery_report = has_event("templatesendjobfinish", "subscribe_msg_sent_event")
is_consent = has_event("subscribe_msg_popup_event", "subscribe_msg_change_event")
is_withdrawal = has_event("user_authorization_revoke", "user_authorization_cancellation")


def is_other_event(turn: Turn) -> bool:
    """Return whether the turn is an event that nothing else takes."""
    return turn.kind is TurnKind.EVENT


def answer_follow(turn: Turn, session: Session) -> Reply:
    """Greet a new follower; one who scanned a code sees what it stands for: a place, a company."""
    is_company = turn.event_key.startswith(SCENE)
    # The rest of a company's scene is the token of its code, which stands nowhere in the clear.
    came_by = SCENE if is_company else turn.event_key
    mark_following(session, openid=turn.openid, came_by=came_by, now=turn.now)
    return _greeting(turn, session, is_new=True)


def answer_scan(turn: Turn, session: Session) -> Reply:
    """Show a follower what the code that they scanned stands for."""
    return _greeting(turn, session, is_new=False)


def _greeting(turn: Turn, session: Session, *, is_new: bool) -> Reply:
    scene = turn.event_key
    if scene.startswith(SCENE):
        token = scene.removeprefix(SCENE)
        return registration.answer_scene(turn, session, token=token, is_new=is_new)
    place: Place | None = None
    card = street_name = street_id = None
    if scene.startswith(COMMUNITY_SCENE):
        place = current_book(session).by_code.get(scene.removeprefix(COMMUNITY_SCENE))
    elif scene.startswith(STREET_SCENE):
        street = find_street(session, code=scene.removeprefix(STREET_SCENE))
        if street is not None:
            street_name, street_id = street.name, street.id
    if place is not None:
        card = find_card(session, community_id=place.id, today=day_of(turn.now))
        street_name, street_id = place.street, place.street_id
    found = (
        list_papers(session, street_id=street_id, today=day_of(turn.now), limit=PAPERS_SHOWN)
        if street_id is not None
        else []
    )
    return Reply(
        template="events/greeting",
        values={
            "is_new": is_new,
            "place": place,
            "card": card,
            "street_name": street_name,
            "papers": found,
        },
    )


def answer_leave(turn: Turn, session: Session) -> Reply:
    """Record that a person left; nobody reads an answer."""
    mark_left(session, openid=turn.openid, now=turn.now)
    return SILENCE


def answer_delivery_report(turn: Turn, session: Session) -> Reply:
    """Record how the delivery of a notice ended."""
    fields = turn.fields
    if turn.event == "templatesendjobfinish":
        _confirm(turn, session, fields.get("MsgID", ""), fields.get("Status", ""), Channel.TEMPLATE)
        return SILENCE
    for item in _items(turn, "SubscribeMsgSentEvent"):
        status = "success" if item.get("ErrorCode", "0") == "0" else "failed"
        _confirm(turn, session, item.get("MsgID", ""), status, Channel.SUBSCRIBE)
    return SILENCE


def _confirm(turn: Turn, session: Session, message_id: str, status: str, channel: Channel) -> None:
    if message_id:
        confirm_delivery(
            session,
            now=turn.now,
            openid=turn.openid,
            platform_msg_id=message_id,
            status=status,
            channel=channel,
        )


def answer_consent(turn: Turn, session: Session) -> Reply:
    """Record that subscription messages were accepted or refused."""
    parent = (
        "SubscribeMsgPopupEvent"
        if turn.event == "subscribe_msg_popup_event"
        else "SubscribeMsgChangeEvent"
    )
    for item in _items(turn, parent):
        template_id = item.get("TemplateId", "")
        if not template_id:
            continue
        if item.get("SubscribeStatusString") == "accept":
            record_consent(session, now=turn.now, openid=turn.openid, template_id=template_id)
        else:
            clear_consent(session, now=turn.now, openid=turn.openid, template_id=template_id)
    return SILENCE


def answer_withdrawal(turn: Turn, session: Session) -> Reply:
    """Delete what is known of a person who withdrew their authorisation."""
    openid = turn.fields.get("OpenID") or turn.openid
    forget_notices(session, openid=openid)
    end_mandates_of(session, openid=openid, now=turn.now)
    end_memberships_of(session, openid=openid, now=turn.now)
    end_registrations_of(session, openid=openid, now=turn.now)
    unbind_person(session, openid=openid, reason=UnbindReason.WITHDRAWN, now=turn.now)
    forget_person(session, openid=openid, now=turn.now)
    return SILENCE


def answer_nothing(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Take note of an event that asks for nothing."""
    return SILENCE


def _items(turn: Turn, parent: str) -> list[dict[str, str]]:
    """Return the numbered items of an event's list, wherever the push nests it."""
    items = []
    for place in range(MAX_LIST_ITEMS):
        found: dict[str, str] = {}
        for prefix in (f"{parent}.List.{place}.", f"List.{place}."):
            found |= {
                name.removeprefix(prefix): value
                for name, value in turn.fields.items()
                if name.startswith(prefix)
            }
        if not found:
            break
        items.append(found)
    return items
