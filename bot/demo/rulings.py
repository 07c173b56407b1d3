"""What people decided in the demo district: a colour set by hand, and an objection that waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.scenes import CONTESTED, OVERRIDDEN, Scene
from core.clock import day_of
from core.files.store import FileStore
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account, disable_account
from core.places.model import Community
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
    for name in (*REVIEWERS, OFFICER):
        disable_account(session, name=name, now=now)


def _add(session: Session, staff: NewStaff, *, now: datetime) -> int:
    return add_account(session, staff=staff, password_hash=_NO_PASSWORD, now=now).id


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
