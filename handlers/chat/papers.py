"""The community paper: mine, another community's, the newest."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from core.clock import day_of
from core.papers.service import list_newest_papers, list_papers
from core.people.service import find_own_community_id
from core.places.matching import Fit
from core.places.service import Place, current_book, find_places, list_streets
from handlers.chat import places
from handlers.chat.words import asks
from handlers.turn import KEEP, Reply, Turn, TurnKind

PAPER = "paper"
PAPERS_SHOWN = 5

is_paper_question = asks("社区报|社區報|小区报|街道报|报纸|shequbao|最新一期|看报", key="paper")
_COMMAND = re.compile(
    "社区报|社區報|小区报|街道报|报纸|shequbao|看报|最新一期|最新|我的|其他|别的|看看?|的|一期"
)
_NEWEST = re.compile("最新|全部|所有|其他|别的")


def papers_of(place: Place, turn: Turn, session: Session) -> Reply:
    """Return the papers of a community's street."""
    found = list_papers(
        session, street_id=place.street_id, today=day_of(turn.now), limit=PAPERS_SHOWN
    )
    return Reply(template="papers/list", values={"heading": place.street, "papers": found})


def answer_papers(turn: Turn, session: Session) -> Reply:
    """Return the papers that are asked for: of a community or street, one's own, the newest."""
    text = turn.text if turn.kind is TurnKind.TEXT else ""
    for street in list_streets(session):
        core_name = street.name.removesuffix("街道").removesuffix("镇")
        if street.name in text or f"{core_name}社区报" in text:
            found = list_papers(session, street_id=street.id, today=day_of(turn.now))
            return Reply(template="papers/list", values={"heading": street.name, "papers": found})
    rest = _COMMAND.sub("", text).strip()
    if rest:
        finding, book = find_places(session, text=rest)
        if finding.fit is not Fit.NOT_NAMED:
            found_place = places.settle(finding, book, purpose=PAPER)
            if isinstance(found_place, Reply):
                return found_place
            return papers_of(found_place, turn, session)
    own_id = find_own_community_id(session, openid=turn.openid)
    own = current_book(session).places.get(own_id) if own_id is not None else None
    if own is not None and not _NEWEST.search(text):
        return papers_of(own, turn, session)
    newest = list_newest_papers(session, today=day_of(turn.now), limit=PAPERS_SHOWN)
    return Reply(
        template="papers/newest",
        values={"papers": newest, "has_community": own is not None},
        conversation=KEEP,
    )
