"""A community's colour, and why: by name, by place, the person's own; being told of changes."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from core.clock import day_of
from core.people.rules import Purpose
from core.people.service import (
    find_own_community_id,
    find_person,
    give_consent,
    register_writer,
    withdraw_consent,
)
from core.places.matching import Fit
from core.places.service import Place, current_book, find_places, list_nearest
from core.risk.changes import Changes, find_changes
from core.risk.rules import Colour
from core.risk.service import (
    ColourCard,
    find_card,
    find_named_card,
    list_subscriptions,
    subscribe,
    unsubscribe,
)
from handlers.chat import places
from handlers.chat.words import asks, is_text
from handlers.turn import KEEP, Conversation, Reply, Turn, TurnKind

COLOUR = "colour"
SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
WHY = "why"
REASONS_SHOWN = 3
MIN_REASON_POINTS = 0.05  # what would be shown as 0.0 explains nothing
MAX_NAME_CHARACTERS = 60

is_colour_question = asks(
    "颜色|顏色|风险|風險|yanse|fengxian|等级|什么色|啥色|[红黄蓝绿灰][色码]?[的]?(?:区|小区)|安全[吗么嘛不]|"
    "疫情|确诊|阳性|封了|封控|(?:是|变)[红黄蓝绿]",
    key="colour",
)
_WHY: Final = "为什么|為什麼|为啥|為啥|为何|原因|怎么会是|凭什么|依据|怎么算"
_asks_why = asks(_WHY)
_WHY_WORDS: Final = re.compile(f"的?(?:{_WHY})")
# What may stand beside it in a question that names no place.
_ONLY_WHY: Final = re.compile(
    f"(?:那|请问|这|个|我|们|家|咱|小区|的|它|现在|今天|风险|等级|颜色|评分|分|会|是|不|变|成|为|了|"
    f"[红黄蓝绿灰高中低]|一般|色|什么|呢|啊|呀|吗|出来|{_WHY}|[\\s，。？！?!~～])+"
)
_MINE: Final = re.compile("我|咱")
is_subscription_list = asks("^(?:我的订阅|订阅列表|我订阅了(?:什么|哪些).*)$", key="subscriptions")
is_subscribing = asks("^(?:我要|我想|请|帮我)?(?:订阅|訂閱|关注颜色|提醒我)")
is_unsubscribing = asks("^(?:我要|我想|请|帮我)?(?:退订|退訂|取消订阅|取消訂閱|不再提醒|取消提醒)")
_COMMAND = re.compile(
    "^(?:我要|我想|请|帮我)?(?:取消)?(?:订阅|訂閱|关注颜色|提醒我?|退订|退訂|不再提醒)"
)
_ALL = re.compile("(?:全部|所有|全都|都)(?:的|小区|订阅|退订|取消)*")
_NAME_ENDS = re.compile(
    "(?:苑|园|村|坊|弄|小区|公寓|花园|新村|大厦|里|邨|府|庭|城|家园|华庭|名邸|别墅|大楼)[\\s。？！?!]*$"
)


def colour_of(place: Place, turn: Turn, session: Session) -> Reply:
    """Return the colour of one community with its weightiest reasons."""
    today = day_of(turn.now)
    return _card(place, find_card(session, community_id=place.id, today=today), today)


def reasons_of(place: Place, turn: Turn, session: Session) -> Reply:
    """Return every indicator behind the colour of one community, and what changed."""
    today = day_of(turn.now)
    card = find_card(session, community_id=place.id, today=today)
    if card is None or card.colour is Colour.GREY:
        return _card(place, card, today)
    return why_reply(place, card, find_changes(session, card=card), today=today)


def why_reply(place: Place, card: ColourCard, changes: Changes | None, *, today: date) -> Reply:
    """Return what is behind a card; as many indicators as fit into one message."""
    known = [reason for reason in card.reasons if reason.disclosed]
    return Reply(
        template="risk/why",
        values={
            "place": place,
            "card": card,
            "today": today,
            "changes": changes,
            "listed": [one for one in known if one.contribution >= MIN_REASON_POINTS],
            "harmless": [one for one in known if one.contribution < MIN_REASON_POINTS],
            "missing": [reason for reason in card.reasons if not reason.disclosed],
        },
        conversation=_shown(place),
    )


def is_why_question(turn: Turn) -> bool:
    """Return whether somebody asks why; the answer finds out what they mean."""
    return _asks_why(turn) and len(turn.text) <= MAX_NAME_CHARACTERS


def answer_why(turn: Turn, session: Session) -> Reply:
    """Explain the colour of the community that is named, was shown last, or is one's own."""
    text = _WHY_WORDS.sub("为什么", turn.text)
    finding, book = find_places(session, text=text)
    if finding.fit is Fit.ONE:
        return reasons_of(book.places[finding.ids[0]], turn, session)
    if _ONLY_WHY.fullmatch(turn.text):
        place = _place_shown(turn, session)
        return places.ask_name(purpose=WHY) if place is None else reasons_of(place, turn, session)
    if finding.fit is Fit.SEVERAL:
        return places.ask_which(finding, book, purpose=WHY)
    if is_colour_question(turn):
        return places.not_found(finding, book, purpose=WHY)
    return Reply(template="help/not_understood", conversation=KEEP)


def _place_shown(turn: Turn, session: Session) -> Place | None:
    """Return the community whose card was shown last, or one's own; of "mine" one's own first."""
    book = current_book(session)
    shown = book.by_code.get(_shown_code(turn))
    if shown is not None and not _MINE.search(turn.text):
        return shown
    own_id = find_own_community_id(session, openid=turn.openid)
    return shown if own_id is None else book.places.get(own_id)


def _shown(place: Place) -> Conversation:
    return Conversation(name=places.SHOWN, data={"shown": place.code})


def _shown_code(turn: Turn) -> str:
    """Return the code of the community whose card was shown last; empty if none was."""
    conversation = turn.conversation
    if conversation is None or conversation.name not in {places.SHOWN, places.CHOOSE}:
        return ""
    return str(conversation.data.get("shown", ""))


def keep_list(listed: Conversation | None, reply: Reply) -> Reply:
    """Return the answer to a choice whose list stays, with what was shown on record."""
    shown = reply.conversation
    if listed is None or listed.name != places.CHOOSE:
        return reply if listed is None else replace(reply, conversation=listed)
    if isinstance(shown, Conversation) and shown.name == places.SHOWN:
        listed = replace(listed, data={**listed.data, **shown.data})
    return replace(reply, conversation=listed)


def _card(place: Place, card: ColourCard | None, today: date) -> Reply:
    reasons = [
        reason
        for reason in (card.reasons[:REASONS_SHOWN] if card else ())
        if reason.contribution >= MIN_REASON_POINTS
    ]
    return Reply(
        template="risk/colour",
        values={"place": place, "card": card, "reasons": reasons, "today": today},
        conversation=_shown(place),
        same=(place, today, _mark_of(card)),
    )


def _mark_of(card: ColourCard | None) -> Hashable:
    """Return what is another one as soon as a card says anything else."""
    if card is None:
        return None
    # A score that changes is scored anew at another instant; people change the colour alone.
    by_hand = (card.rules, card.override_until)
    return (card.scored_at, card.version, card.day, card.colour, card.is_provisional, by_hand)


def answer_colour(turn: Turn, session: Session) -> Reply:
    """Answer a question for a colour, whoever's community it is about."""
    if turn.kind is TurnKind.EVENT:
        return _own_colour(turn, session)
    today = day_of(turn.now)
    named = find_named_card(session, text=turn.text, today=today)
    if named.finding.fit is not Fit.ONE and places.means_own(turn.text):
        return _own_colour(turn, session)
    found = places.settle(named.finding, named.book, purpose=COLOUR)
    return found if isinstance(found, Reply) else _card(found, named.card, today)


def _own_colour(turn: Turn, session: Session) -> Reply:
    own_id = find_own_community_id(session, openid=turn.openid)
    place = current_book(session).places.get(own_id) if own_id is not None else None
    if place is None:
        return places.ask_name(purpose=COLOUR)
    return colour_of(place, turn, session)


def answer_own(turn: Turn, session: Session) -> Reply:
    """Show the person's own community, or ask for it so that it can be bound."""
    own_id = find_own_community_id(session, openid=turn.openid)
    place = current_book(session).places.get(own_id) if own_id is not None else None
    if place is None:
        return Reply(
            template="people/no_community",
            conversation=Conversation(name=places.NAME, data={"for": "bind"}),
        )
    return colour_of(place, turn, session)


def answer_named(turn: Turn, session: Session) -> Reply:
    """Answer a text that is nothing but a name, or say what can be asked."""
    today = day_of(turn.now)
    named = find_named_card(session, text=turn.text, today=today)
    finding, book = named.finding, named.book
    if finding.fit is Fit.ONE:
        return _card(book.places[finding.ids[0]], named.card, today)
    if (listed := places.narrowed(turn, session)) is not None:
        return colour_of(listed, turn, session)
    if finding.fit is Fit.SEVERAL:
        return places.ask_which(finding, book, purpose=COLOUR)
    if finding.fit is Fit.NONE and _NAME_ENDS.search(turn.text):
        return places.not_found(finding, book, purpose=COLOUR)
    return Reply(template="help/not_understood", conversation=KEEP)


def is_maybe_named(turn: Turn) -> bool:
    """Return whether a text that nothing else understood may be a community's name."""
    return is_text(turn) and len(turn.text) <= MAX_NAME_CHARACTERS


def has_location(turn: Turn) -> bool:
    """Return whether a location was sent by the person, not reported by the client."""
    return turn.kind is TurnKind.LOCATION and turn.longitude is not None


def answer_location(turn: Turn, session: Session) -> Reply:
    """List the communities nearest to a location, to be chosen from."""
    if turn.longitude is None or turn.latitude is None:
        return Reply(template="help/not_understood")
    nearest = list_nearest(session, longitude=turn.longitude, latitude=turn.latitude)
    if not nearest:
        return Reply(template="places/none_near")
    purpose = places.purpose_of(turn) or COLOUR
    codes = [place.code for place, _ in nearest]
    first = None
    if purpose == COLOUR:
        first = find_card(session, community_id=nearest[0][0].id, today=day_of(turn.now))
    return Reply(
        template="risk/nearby",
        values={"nearest": nearest, "purpose": purpose, "card": first},
        conversation=Conversation(
            name=places.CHOOSE, data={"for": purpose, "codes": codes, "shown": codes[0]}
        ),
    )


def answer_subscribing(turn: Turn, session: Session) -> Reply:
    """Subscribe to the community that is named, or to the person's own."""
    rest = _COMMAND.sub("", turn.text)
    finding, book = find_places(session, text=rest)
    if finding.fit is Fit.NOT_NAMED and places.means_own(rest):
        own_id = find_own_community_id(session, openid=turn.openid)
        if own_id is not None and own_id in book.places:
            return subscribed(book.places[own_id], turn, session)
    found = places.settle(finding, book, purpose=SUBSCRIBE)
    return found if isinstance(found, Reply) else subscribed(found, turn, session)


def subscribed(place: Place, turn: Turn, session: Session) -> Reply:
    """Subscribe a person to one community; asking is the consent, which is recorded."""
    person = register_writer(session, openid=turn.openid, now=turn.now)
    is_new = subscribe(session, person_id=person.id, community_id=place.id, now=turn.now)
    give_consent(session, person_id=person.id, purpose=Purpose.COLOUR_NOTICES, now=turn.now)
    return Reply(template="risk/subscribed", values={"place": place, "is_new": is_new})


def answer_unsubscribing(turn: Turn, session: Session) -> Reply:
    """End one subscription, or all of them where there is one or all were meant."""
    person = find_person(session, openid=turn.openid)
    subscriptions = list_subscriptions(session, person_id=person.id) if person else []
    if person is None or not subscriptions:
        return Reply(template="risk/no_subscription")
    rest = _COMMAND.sub("", turn.text)
    means_all = _ALL.fullmatch(rest.strip()) is not None
    finding, book = find_places(session, text=rest)
    if means_all or finding.fit is Fit.NOT_NAMED:
        is_clear = means_all or (len(subscriptions) == 1 and places.means_own(rest))
        if not is_clear:
            return _ask_which_to_end(session, subscriptions)
        unsubscribe(session, person_id=person.id)
        withdraw_consent(session, person_id=person.id, purpose=Purpose.COLOUR_NOTICES, now=turn.now)
        return Reply(
            template="risk/unsubscribed", values={"names": [name for _, name in subscriptions]}
        )
    found = places.settle(finding, book, purpose=UNSUBSCRIBE)
    return found if isinstance(found, Reply) else unsubscribed(found, turn, session)


def _ask_which_to_end(session: Session, subscriptions: list[tuple[int, str]]) -> Reply:
    book = current_book(session)
    listed = [book.places[identity] for identity, _ in subscriptions if identity in book.places]
    return Reply(
        template="risk/which_subscription",
        values={"places": listed, "purpose": UNSUBSCRIBE},
        conversation=Conversation(
            name=places.CHOOSE,
            data={"for": UNSUBSCRIBE, "codes": [place.code for place in listed]},
        ),
    )


def unsubscribed(place: Place, turn: Turn, session: Session) -> Reply:
    """End a person's subscription to one community."""
    person = find_person(session, openid=turn.openid)
    ended = person and unsubscribe(session, person_id=person.id, community_id=place.id)
    if not ended:
        return Reply(template="risk/no_subscription")
    return Reply(template="risk/unsubscribed", values={"names": [place.name]})


def answer_subscription_list(turn: Turn, session: Session) -> Reply:
    """List what a person is told about."""
    person = find_person(session, openid=turn.openid)
    subscriptions = list_subscriptions(session, person_id=person.id) if person else []
    if not subscriptions:
        return Reply(template="risk/no_subscription")
    return Reply(
        template="risk/subscriptions", values={"names": [name for _, name in subscriptions]}
    )
