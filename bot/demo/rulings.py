"""What people did in the demo district: a colour by hand, an objection that waits, two events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.residents import resident_id
from bot.demo.scenes import CONTESTED, OVERRIDDEN, Scene
from core.clock import day_of
from core.files.store import FileStore
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account, disable_account
from core.places.model import Community
from core.risk.events.entering import EventEntry, enter_event, withdraw_event
from core.risk.events.rules import EventKind
from core.risk.rules import Colour
from core.risk.rulings.appeals import AppealDraft, raise_appeal
from core.risk.rulings.model import Appeal, ColourOverride
from core.risk.rulings.overrides import OverrideDraft, decide_override, propose_override
from core.risk.rulings.rules import Verdict

OFFICER: Final = "demo-officer"
REVIEWERS: Final = ("demo-risk-reviewer", "demo-risk-reviewer-2")
# Nobody hashes to it, and the accounts are shut besides.
_NO_PASSWORD: Final = "!"  # noqa: S105
_OVERRIDE_DAYS: Final = 6


def are_loaded(session: Session) -> bool:
    """Return whether anybody ever set a colour or objected."""
    found = select(ColourOverride.id).limit(1), select(Appeal.id).limit(1)
    return any(session.execute(one).first() is not None for one in found)


def load_rulings(
    session: Session, scenes: Mapping[str, Scene], *, files: FileStore, now: datetime
) -> None:
    """Let two reviewers set a colour, and an officer object to yesterday's value of a fever.

    One of the reviewers enters what no file brought: an isolation that was lifted at once, and a
    slip.

    Args:
        session: with yesterday's scores.
        scenes: of the story; two of them are about this.
        files: where evidence would go.
        now: aware instant of the loading.
    """
    codes = [scenes[name].code for name in (OVERRIDDEN, CONTESTED)]
    ids = dict(
        session.execute(select(Community.code, Community.id).where(Community.code.in_(codes))).all()
    )
    first, second = (
        _add(session, NewStaff(name=name, role=Role.DISTRICT_REVIEWER, display_name=shown), now=now)
        for name, shown in zip(REVIEWERS, ("演示研判员甲", "演示研判员乙"), strict=True)
    )
    officer = _add(
        session,
        NewStaff(
            name=OFFICER,
            role=Role.NEIGHBOURHOOD_OFFICER,
            display_name="演示居委干部",
            community_codes=codes[1:],
        ),
        now=now,
    )
    _override(session, ids[codes[0]], proposed_by=first, decided_by=second, now=now)
    draft = AppealDraft(
        community_id=ids[codes[1]],
        day=day_of(now) - timedelta(days=1),
        indicator="fever",
        claimed_value=0.0,
        evidence="两位居民系普通感冒低热，社区医院当日已排除，另一位不住在本小区。",
    )
    raise_appeal(session, draft=draft, files=files, staff_id=officer, now=now)
    _enter(session, codes[0], staff_id=first, now=now)
    for name in (*REVIEWERS, OFFICER):
        disable_account(session, name=name, now=now)


def _add(session: Session, staff: NewStaff, *, now: datetime) -> int:
    return add_account(session, staff=staff, password_hash=_NO_PASSWORD, now=now).id


def _enter(session: Session, code: str, *, staff_id: int, now: datetime) -> None:
    """Enter two events of residents of a community; neither moves a colour."""
    today = day_of(now)
    given: dict[str, Any] = {"area": Area(), "staff_id": staff_id, "now": now}
    yesterday = today - timedelta(days=1)
    # Over on the day it began: it stands at the end of no day that was told of already.
    lifted = EventEntry(
        person_id=resident_id(code, 0),
        kind=EventKind.HOME_ISOLATION,
        reported_on=yesterday,
        ended_on=yesterday,
    )
    enter_event(session, entry=lifted, **given)
    slip = EventEntry(
        person_id=resident_id(code, 1), kind=EventKind.OVERSEAS_ARRIVAL, reported_on=today
    )
    event_id = enter_event(session, entry=slip, **given)
    reason = "重名，入境的不是这一位，社区已当面核实。"
    withdraw_event(session, event_id=event_id, reason=reason, **given)


def _override(
    session: Session, community_id: int, *, proposed_by: int, decided_by: int, now: datetime
) -> None:
    draft = OverrideDraft(
        community_id=community_id,
        colour=Colour.YELLOW,
        reason="小区内的工地宿舍集中返沪，同住人员较多，核酸结果出齐前按中等风险管理。",
        until_day=day_of(now) + timedelta(days=_OVERRIDE_DAYS),
    )
    override_id = propose_override(session, draft=draft, staff_id=proposed_by, now=now)
    decide_override(
        session,
        override_id=override_id,
        verdict=Verdict.ACCEPT,
        reason="",
        staff_id=decided_by,
        now=now,
    )
