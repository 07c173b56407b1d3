"""Construction sites in the chat: how today stands, nothing changed, figures in one line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from core.clock import day_of
from core.sites.reporting import (
    NothingReportedError,
    ReportInput,
    ReportReceipt,
    Sending,
    submit_report,
    submit_unchanged,
)
from core.sites.rules import Figures, ReportState, ReportWay
from core.sites.service import Membership, list_memberships
from core.sites.settings import find_due
from handlers.chat.words import choice_of, is_text, says
from handlers.turn import KEEP, Conversation, Json, Reply, Turn

CHOOSE: Final = "site_choice"
"""Name of the conversation in which it is asked which site is meant."""
# An answer holds 2,048 bytes; who reports for more sites finds them on the page.
MAX_SHOWN: Final = 8

_ALL: Final = "全部|都|都是|所有|全部工地|都无变化|全部无变化"
_COUNT: Final = r"[:：]?(\d{1,5})(?:人|名|个)?[,、;。.]*"
_TOTAL: Final = r"(?:今[日天](?:在场|现场|在岗|总?共|总数|人数)?|在场|现场)"
_JOINED: Final = r"(?:新[到进来增]|进场|来了?)"
_LEFT: Final = r"(?:离开|离场|退场|离岗|走了?)"
_FIGURES: Final = re.compile(rf"{_TOTAL}{_COUNT}(?:{_JOINED}{_COUNT})?(?:{_LEFT}{_COUNT})?")

is_sites = says(
    "报工地|工地(?:日报|上报|填报|情况|报告|报人数)?|我的工地|(?:填报?|上报|报)(?:工地)?(?:日报|人数)"
)
is_all = says(_ALL)
_says_unchanged = says(
    "(?:工地|今[日天]|全部|都)?(?:无|没|没有|没什么)(?:变化|变动)|同昨[日天]|(?:和|跟|与)昨[日天](?:一样|相同)"
)


class Outcome(StrEnum):
    """What became of a report; `templates/chat/sites/reported.txt` says it."""

    TAKEN = "taken"
    SAME = "same"  # it was there before
    BEHIND = "behind"  # a later made one stands
    NOTHING_BEFORE = "nothing_before"  # unchanged, but since when?


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One site of which something was reported.

    Attributes:
        receipt: None where nothing could be taken.
    """

    member: Membership
    outcome: Outcome
    receipt: ReportReceipt | None


def is_unchanged(turn: Turn) -> bool:
    """Return whether somebody reports that nothing changed."""
    return is_text(turn) and _says_unchanged(turn)


def is_figures(turn: Turn) -> bool:
    """Return whether somebody reports how many are there today."""
    return is_text(turn) and figures_of(turn.text) is not None


def figures_of(text: str) -> Figures | None:
    """Return the figures of a line like 今日120人 新到2人 离开0人; None where it is none.

    Who came and who left may be left out: nobody did.
    """
    found = _FIGURES.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None:
        return None
    head, joined, left = (int(part or 0) for part in found.groups())
    return Figures(head_count=head, joined_count=joined, left_count=left)


def is_choice(turn: Turn) -> bool:
    """Return whether it is said which site is meant."""
    conversation = turn.conversation
    if conversation is None or conversation.name != CHOOSE or not is_text(turn):
        return False
    return is_all(turn) or choice_of(turn.text) is not None


def answer_sites(turn: Turn, session: Session) -> Reply:
    """Say how the person's sites stand today, and how to report."""
    members = list_memberships(session, openid=turn.openid)
    if not members:
        return Reply(template="sites/none", conversation=KEEP)
    due = find_due(session, day=day_of(turn.now))
    lines = [(one, one.has_reported(turn.now)) for one in members[:MAX_SHOWN]]
    return Reply(
        template="sites/list",
        values={"lines": lines, "count": len(members), "due": f"{due:%H:%M}"},
        conversation=KEEP,
    )


def answer_unchanged(turn: Turn, session: Session) -> Reply:
    """Report that nothing changed, or ask of which site."""
    return _answer(turn, session, figures=None)


def answer_figures(turn: Turn, session: Session) -> Reply:
    """Report the figures of a line, or ask of which site."""
    return _answer(turn, session, figures=figures_of(turn.text))


def answer_choice(turn: Turn, session: Session) -> Reply:
    """Go on with the site that was chosen, or with all that were listed."""
    data = turn.conversation.data if turn.conversation is not None else {}
    ids, numbers = _numbers(data.get("ids")), _numbers(data.get("figures"))
    members = {one.site.id: one for one in list_memberships(session, openid=turn.openid)}
    listed = [members[one] for one in ids if one in members]
    figures = Figures(**dict(zip(_FIELDS, numbers, strict=True))) if numbers else None
    if is_all(turn) and figures is None:
        return _reported(turn, session, listed, figures=None)
    place = choice_of(turn.text) or 0
    if not 1 <= place <= len(ids) or ids[place - 1] not in members:
        return _ask_which(listed, figures=figures)
    return _reported(turn, session, [members[ids[place - 1]]], figures=figures)


_FIELDS: Final = ("head_count", "joined_count", "left_count")


def _numbers(value: Json) -> list[int]:
    return [one for one in value if isinstance(one, int)] if isinstance(value, list) else []


def _answer(turn: Turn, session: Session, *, figures: Figures | None) -> Reply:
    members = list_memberships(session, openid=turn.openid)
    if not members:
        return Reply(template="sites/none", conversation=KEEP)
    running = [one for one in members if one.site.is_running] or members
    if len(running) > 1:
        waiting = [one for one in running if not one.has_reported(turn.now)]
        # With all but one reported, that one is meant; to correct another there is the list.
        return (
            _reported(turn, session, waiting, figures=figures)
            if len(waiting) == 1
            else _ask_which(waiting or running, figures=figures)
        )
    return _reported(turn, session, running, figures=figures)


def _ask_which(members: Sequence[Membership], *, figures: Figures | None) -> Reply:
    shown = members[:MAX_SHOWN]
    data: dict[str, Json] = {"ids": [one.site.id for one in shown]}
    if figures is not None:
        data["figures"] = [figures.head_count, figures.joined_count, figures.left_count]
    return Reply(
        template="sites/which",
        values={"members": shown, "figures": figures, "count": len(members)},
        conversation=Conversation(name=CHOOSE, data=data),
    )


def _reported(
    turn: Turn, session: Session, members: Sequence[Membership], *, figures: Figures | None
) -> Reply:
    results = [_report(turn, session, one, figures=figures) for one in members]
    if len(results) == 1 and results[0].outcome is Outcome.NOTHING_BEFORE:
        raise NothingReportedError
    return Reply(template="sites/reported", values={"results": results})


def _report(
    turn: Turn, session: Session, member: Membership, *, figures: Figures | None
) -> Reported:
    """Report for one site; a re-sent message finds what it reported before."""
    sending = Sending(
        way=ReportWay.CHAT,
        actor=member.actor,
        request_key=f"chat:{turn.key}",
        reported_at=turn.sent_at,
    )
    site_id, day = member.site.id, day_of(turn.sent_at)
    if figures is not None:
        receipt = submit_report(
            session,
            site_id=site_id,
            day=day,
            report=ReportInput(figures=figures),
            sending=sending,
            now=turn.now,
        )
        return Reported(member=member, outcome=_outcome_of(receipt), receipt=receipt)
    try:
        receipt = submit_unchanged(session, site_id=site_id, day=day, sending=sending, now=turn.now)
    except NothingReportedError:
        return Reported(member=member, outcome=Outcome.NOTHING_BEFORE, receipt=None)
    return Reported(member=member, outcome=_outcome_of(receipt), receipt=receipt)


def _outcome_of(receipt: ReportReceipt) -> Outcome:
    if not receipt.is_new:
        return Outcome.SAME
    is_standing = receipt.card.state is ReportState.STANDING
    return Outcome.TAKEN if is_standing else Outcome.BEHIND
