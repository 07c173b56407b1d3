"""The person's own community: bind it, change it, forget it."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from core.people.service import bind_community, register_writer, unbind_community
from core.places.matching import Fit
from core.places.service import Place, find_places
from handlers.chat import places
from handlers.chat.words import asks, says
from handlers.turn import Conversation, Reply, Turn

BIND = "bind"

is_own = says("(?:查|看|查询)?(?:一下)?我的?(?:小区|社区)", key="my_community")
is_binding = asks(
    "^(?:我要|我想|请|帮我)?(?:绑定|綁定|更换小区|换小区|更改小区|修改小区|设置我?的?小区)|"
    "^我(?:的小区是|家在|住在|住)(?!.*(?:什么|哪|啥|几|吗|么|风险|颜色)).{2,}$"
)
is_unbinding = says("(?:解除|取消)(?:小区)?绑定|解绑(?:我的)?(?:小区)?|删除我的小区")
_COMMAND = re.compile(
    "^(?:我要|我想|请|帮我)?(?:绑定|綁定|更换|换|更改|修改|设置)(?:我的?)?(?:小区)?|^我(?:的小区是|家在|住在|住)"
)


def answer_binding(turn: Turn, session: Session) -> Reply:
    """Bind the community that is named, or ask for it."""
    rest = _COMMAND.sub("", turn.text)
    finding, book = find_places(session, text=rest)
    if not rest.strip(" ：:") or finding.fit is Fit.NOT_NAMED:
        return Reply(
            template="people/bind", conversation=Conversation(name=places.NAME, data={"for": BIND})
        )
    found = places.settle(finding, book, purpose=BIND)
    return found if isinstance(found, Reply) else bound(found, turn, session)


def bound(place: Place, turn: Turn, session: Session) -> Reply:
    """Bind one community."""
    register_writer(session, openid=turn.openid, now=turn.now)
    bind_community(session, openid=turn.openid, community_id=place.id, now=turn.now)
    return Reply(template="people/bound", values={"place": place})


def answer_unbinding(turn: Turn, session: Session) -> Reply:
    """Forget the person's own community."""
    had_one = unbind_community(session, openid=turn.openid, now=turn.now)
    return Reply(template="people/unbound", values={"had_one": had_one})
