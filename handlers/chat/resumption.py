"""Return to work in the chat: how many wait in one's companies, and where to go on."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.mandates.proving import list_takeovers
from core.resumption.approval.sheet import count_sheet
from handlers.chat.words import asks
from handlers.turn import KEEP, Reply, Turn

# An answer holds 2,048 bytes; who acts for more companies finds them on the page.
MAX_SHOWN = 5

is_resumption = asks(
    "企业复工|企業復工|单位复工|公司复工|复工(?:备案|報備|报备|申请|申报|登记|审批|审核|证明|手续|流程)|"
    "(?:申请|办理|怎么|如何|要)复工(?!.*口罩)|^\\s*复工\\s*$|待审批|待審批|"
    "我(?:是|们)(?:的?单位|的?公司)?(?:的)?(?:法人|法定代表人|经办人)|法人(?:核验|认证|绑定|登记)|我的(?:单位|公司|企业)",
    key="resumption",
)


def answer_resumption(turn: Turn, session: Session) -> Reply:
    """Say how many wait for a decision in the person's companies; who has none is led to proof."""
    waiting = count_sheet(session, openid=turn.openid)
    takeovers = list_takeovers(session, openid=turn.openid)
    return Reply(
        template="resumption/companies",
        values={
            "takeovers": takeovers[:MAX_SHOWN],
            "companies": [(one, sum(one.counts.values())) for one in waiting[:MAX_SHOWN]],
            "count": len(takeovers) + len(waiting),
            "shown_count": len(takeovers[:MAX_SHOWN]) + len(waiting[:MAX_SHOWN]),
        },
        conversation=KEEP,
    )
