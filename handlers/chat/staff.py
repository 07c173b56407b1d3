"""Staff in the chat: the code of the console binds their WeChat account, a word unbinds it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sqlalchemy.orm import Session

from core.people.staff.wechat import UnbindReason, bind_staff, unbind_person
from handlers.chat.words import is_text, says
from handlers.turn import KEEP, Reply, Turn

_QUOTES: Final = r"[\s:.!。\"'“”「」【】<>《》]*"
_BINDING: Final = re.compile(
    rf"[绑綁]定(?:微信|工作台)?{_QUOTES}([0-9A-Za-z]{{3}}[\s-]?[0-9A-Za-z]{{3}}){_QUOTES}"
)

is_unbinding = says(
    "(?:解除|取消|退出)工作台(?:的)?(?:绑定)?|(?:工作台)?解绑(?:工作台|微信)|工作台解绑"
)


def is_binding(turn: Turn) -> bool:
    """Return whether a code of the console was sent; a community has no such name."""
    return is_text(turn) and bool(_code_of(turn.text))


def _code_of(text: str) -> str:
    """Return the code in what was typed; empty where there is none: a word, or a number."""
    found = _BINDING.fullmatch(unicodedata.normalize("NFKC", text).strip())
    code = found[1] if found else ""
    is_mixed = any(map(str.isdigit, code)) and any(map(str.isalpha, code))
    return code if is_mixed else ""


def answer_binding(turn: Turn, session: Session) -> Reply:
    """Bind the account of the staff whose code this is, or say why it is not taken."""
    result = bind_staff(session, openid=turn.openid, code=_code_of(turn.text), now=turn.now)
    return Reply(
        template="staff/binding",
        values={"outcome": result.outcome.value, "display_name": result.display_name},
        conversation=KEEP,
    )


def answer_unbinding(turn: Turn, session: Session) -> Reply:
    """Tell this person nothing more that is for the staff."""
    had_one = unbind_person(session, openid=turn.openid, reason=UnbindReason.CHAT, now=turn.now)
    return Reply(template="staff/unbound", values={"had_one": had_one}, conversation=KEEP)
