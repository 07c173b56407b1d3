"""Shanghai South: the busy and the quiet hours, in words that everyone may hear, never numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.arrivals.crowds import Crowd
from core.arrivals.public import PublicHours, find_public_hours
from core.arrivals.spans import CrowdSpan, spans_of
from core.clock import day_of, local
from handlers.chat.asked_time import AskedTime, asked_time_of
from handlers.chat.words import asks
from handlers.turn import KEEP, Reply, Turn, TurnKind

MENU_KEY: Final = "arrivals"
HOURS: Final = 24
MAX_CHARACTERS: Final = 60

# Other cities have a station in the south, too.
_STATION: Final = (
    "(?<!北京)(?<!天津)(?<!杭州)(?<!广州)(?<!深圳)(?<!济南)(?<!长沙)(?<!昆明)(?<!成都)(?<!合肥)(?<!南京)"
    "(?<!苏州)(?<!无锡)(?<!常州)(?<!宁波)(?<!温州)(?<!嘉兴)(?<!金华)(?<!义乌)(?<!西安)(?<!重庆)(?<!佛山)"
    "(?:南站|上海南(?![路京浦区汇方边部]))"
)
_CROWD: Final = (
    "人多|人少|人最|人会多|人会不会多|多不多|多少人|几多人|没什么人|没人|人挤|挤[吗么嘛不]|最挤|拥挤|很挤|"
    "客流|人流|高峰|低峰|繁忙|忙[吗么嘛不]|最忙|忙不忙|最空|空[吗么嘛不]|清静|清闲|冷清|排队|排多久|要排|"
    "等多久|几点(?:人|去|到|比较|接)|(?:什么|啥)时(?:候|间)(?:人|去|到|比较|接|最)|何时|错峰|避开"
)
_asks_crowd = asks(_CROWD)
_names_station = asks(_STATION, key=MENU_KEY)
_is_station = asks(
    r"^[\s请问查]*(?:上海火?车?南站|南站|上海南)(?:的?(?:情况|怎么样|怎样|现在|今天|明天|客流|呢))*[\s呢吗啊呀。.!！?？]*$"
)
# What is about a community near by, or about the people of an epidemic.
_OTHER: Final = re.compile(
    "小区|[新花]村|花园|公寓|颜色|风险|确诊|阳性|病例|感染|疫情|密接|封控|口罩|随申码|健康码"
)


def is_arrivals_question(turn: Turn) -> bool:
    """Return whether somebody asks how crowded the station is, typed or tapped."""
    if turn.kind is TurnKind.EVENT or not _names_station(turn):
        return _names_station(turn)
    if len(turn.text) > MAX_CHARACTERS or _OTHER.search(turn.text):
        return False
    return _is_station(turn) or _asks_crowd(turn)


def answer_arrivals(turn: Turn, session: Session) -> Reply:
    """Say when the station is busy and when it is quiet, of the day and the hours asked about."""
    today = day_of(turn.now)
    text = turn.text if turn.kind is TurnKind.TEXT else ""
    asked = asked_time_of(text, today=today)
    is_known = not asked.is_far and asked.day in {None, today, today + timedelta(days=1)}
    if not is_known:
        asked = AskedTime()
    day, public = _public_for(session, turn, asked)
    hour = local(turn.now).hour
    now = spans_of(public.hours, within=(hour, hour + 1)) if public and day == today else ()
    return Reply(
        template="arrivals/hours",
        values={
            "is_known": is_known,
            "is_tomorrow": day != today,
            "asked": asked,
            "asked_spans": spans_of(public.hours, within=asked.hours) if public else (),
            "now": now[0].crowd if now else None,
            "by_crowd": _by_crowd(public),
            "until_hour": _until_hour(public),
            "public": public,
        },
        conversation=KEEP,
    )


def _public_for(session: Session, turn: Turn, asked: AskedTime) -> tuple[date, PublicHours | None]:
    """Return the day that is meant, and what is known of it.

    Without a day it is today as long as anything of what is asked lies ahead.
    """
    today = day_of(turn.now)
    tomorrow = today + timedelta(days=1)
    hour = local(turn.now).hour
    end = asked.hours[1] if asked.hours else HOURS
    is_over = asked.day is None and not asked.is_now and hour >= end - (end == HOURS)
    day = asked.day or (tomorrow if is_over else today)
    return day, find_public_hours(session, now=turn.now, day=day)


def _until_hour(public: PublicHours | None) -> int:
    """Return the hour of the day, 0 to 24, up to which it is known."""
    return local(public.hours[-1].starts_at).hour + 1 if public and public.hours else 0


def _by_crowd(public: PublicHours | None) -> dict[Crowd, list[CrowdSpan]]:
    """Return the spans of a day by their word, the busiest first."""
    spans = spans_of(public.hours) if public else ()
    found = {crowd: [one for one in spans if one.crowd is crowd] for crowd in Crowd}
    return {crowd: some for crowd, some in found.items() if some}
