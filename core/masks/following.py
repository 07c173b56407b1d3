"""Short questions that follow up on a mask answer: 那坐公交呢, 在家呢, 那一个人呢."""

from __future__ import annotations

import re
from typing import Final

from core.masks.reading import normalized
from core.masks.rules import names_place, situation_of

_MAX_CHARS: Final = 18
"""A follow-up is short; what is longer says what it is about."""
_OPENING: Final = re.compile(r"^(?:哦|噢|好的|嗯|,)*(?:那|如果|要是|假如|万一|换成|换做)")
_CLOSING: Final = re.compile(
    r"(?:呢|[也还都]?需?要(?:戴)?[吗么嘛]|用[吗么嘛]|#(?:需?要|用)?|要不要|需不需要|(?:可以|行|一样)[吗么嘛])[啊呀,]*$"
)
# Other subjects of the account, and what is named like a community.
_ELSEWHERE: Final = re.compile(
    r"颜色|查|材料|资料|证|[码卡]|什么|怎么|哪|多少|几点|电话|地址|登记|申报|申请|备案|复工|开工|订阅|退订"
    r"|绑定|解绑|人工|客服|工作人员|谢|再见|取消|社区报|通知"
    r"|[^,那在去的]小区(?![里内])|[^,农乡渔山]村|[苑坊邸庭墅]|公寓|[\d一二三四五六七八九十]弄|(?<![那在去区])花园|家园"
)
_SITUATION: Final = frozenset("SKLMCRWQ%HOXDGBP&FEAY-")


def follows_up(text: str) -> bool:
    """Return whether a message, after a mask answer, asks about another situation.

    Args:
        text: what a person wrote, as it came; that the last answer was about masks is known.
    """
    if len(text) > _MAX_CHARS:
        return False
    plain = normalized(text)
    if not (_OPENING.search(plain) or _CLOSING.search(plain)) or _ELSEWHERE.search(plain):
        return False
    return not _SITUATION.isdisjoint(situation_of(plain))


def leans_on_before(text: str) -> bool:
    """Return whether a full mask question (那一个人要戴吗) leaves the place to the one before."""
    plain = normalized(text)
    return _OPENING.search(plain) is not None and not names_place(situation_of(plain))
