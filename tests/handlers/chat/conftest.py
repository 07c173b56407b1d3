"""A person who talks to the account through the real routes, with a register behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.settings import Settings
from bot.texts import Texts, text_constants
from core.clock import day_of
from core.db import Database
from core.places.model import Community, CommunityAlias, Street
from core.places.service import mark_changed
from core.risk.model import IndicatorValue
from core.risk.scoring import score_day
from core.risk.versions import get_version
from handlers.chat.routes import route_for
from handlers.turn import KEEP, Conversation, Reply, Turn, TurnKind

STREETS = {"310104011": "田林街道", "310104015": "凌云路街道", "310104103": "华泾镇"}
COMMUNITIES = [
    # code, name, street, longitude, latitude, aliases
    ("T12", "田林十二村", "310104011", 121.4200, 31.1700, ("田十二",)),
    ("T11", "田林十一村", "310104011", 121.4210, 31.1710, ()),
    ("T13", "田林十三村", "310104011", 121.4220, 31.1720, ()),
    ("L01", "锦泰苑", "310104015", 121.4300, 31.1400, ()),
    ("L02", "阳光公寓", "310104015", 121.4310, 31.1410, ()),
    ("H01", "阳光公寓", "310104103", 121.4600, 31.1200, ()),
    ("H02", "华泾绿苑", "310104103", 121.4610, 31.1210, ()),
]


def fill(session: Session, now: datetime) -> None:
    """Register three streets, seven communities, and yesterday's scores of six of them."""
    streets = {code: Street(code=code, name=name) for code, name in STREETS.items()}
    session.add_all(streets.values())
    session.flush()
    for code, name, street, longitude, latitude, aliases in COMMUNITIES:
        session.add(
            Community(
                code=code,
                name=name,
                street_id=streets[street].id,
                longitude=longitude,
                latitude=latitude,
                changed_at=now,
                aliases=[CommunityAlias(name=alias) for alias in aliases],
            )
        )
    session.flush()
    mark_changed(session)
    yesterday = day_of(now) - timedelta(days=1)
    levels = {"T12": 0.0, "T11": 2.0, "T13": 50.0, "L01": 0.0, "L02": 0.0, "H01": 0.0}
    for community in session.query(Community).filter(Community.code.in_(levels)):
        for indicator in get_version().indicators:
            values = [value for value, _ in indicator.points]
            value = min(
                levels[community.code] and values[-1] * (levels[community.code] / 50), values[-1]
            )
            session.add(
                IndicatorValue(
                    day=yesterday,
                    community_id=community.id,
                    indicator=indicator.code,
                    value=value,
                )
            )
    session.flush()
    score_day(session, day=yesterday, now=now)


class Talk:
    """One person's talk: says things, keeps the conversation, shows the text."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database = database
        self._texts = Texts(constants=text_constants(Settings.from_env()))
        self._numbers = count(1)
        self.now = now
        self.openid = "o-resident"
        self.conversation: Conversation | None = None
        self.reply = Reply(template="")
        self.route = ""

    def say(self, text: str, **fields: Any) -> str:
        """Return what a typed or tapped text is answered."""
        return self.send(TurnKind.TEXT, text=text, **fields)

    def event(self, name: str, key: str = "", **fields: Any) -> str:
        """Return what an event is answered."""
        return self.send(TurnKind.EVENT, event=name, event_key=key, **fields)

    def send(self, kind: TurnKind, **fields: Any) -> str:
        """Return what any turn is answered, empty for silence."""
        turn = Turn(
            key=f"k{next(self._numbers)}",
            openid=self.openid,
            account="gh_test",
            kind=kind,
            sent_at=self.now,
            now=self.now,
            conversation=self.conversation,
        )
        turn = replace(turn, **fields)
        route = route_for(turn)
        self.route = route.name
        opened = self._database.transaction if route.writes else self._database.reading
        with opened() as session:
            self.reply = route.answer(turn, session)
        if self.reply.conversation is not KEEP:
            self.conversation = self.reply.conversation
        return self._texts.render(self.reply) if self.reply.template else ""

    def first_line(self, text: str, **fields: Any) -> str:
        """Return the first line of what a text is answered."""
        return self.say(text, **fields).partition("\n")[0]


@pytest.fixture
def talk(database: Database, now: datetime) -> Talk:
    """A resident of a district with seven communities."""
    with database.transaction() as session:
        fill(session, now)
    return Talk(database, now)


@pytest.fixture
def another(database: Database, talk: Talk) -> Callable[[str], Talk]:
    """A function that returns another person of the same district."""

    def make(openid: str) -> Talk:
        other = Talk(database, talk.now)
        other.openid = openid
        return other

    return make
