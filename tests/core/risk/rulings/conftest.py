"""Three communities that were scored yesterday, and the staff who rule about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.notices.model import Notice
from core.people.service import register_person
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account
from core.risk.model import RiskScore
from core.risk.rules import Colour
from core.risk.rulings.appeals import AppealDraft, Evidence, raise_appeal
from core.risk.rulings.overrides import OverrideDraft, propose_override
from core.risk.scoring import score_day
from core.risk.service import find_card, subscribe
from tests.core.risk.values import DAY, HARMLESS, TODAY, YELLOW, put

REASON = "与区疾控中心核对过"
QUIET, ILL, OTHER = (1, 2, 3)


class MemoryFiles:
    """Keeps files in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    def list_keys(self, *, before: datetime) -> object:
        raise NotImplementedError


@dataclass(kw_only=True)
class Desk:
    """Who rules, and about what; ids of the staff by login name.

    Community 1 is quiet (blue), 2 has infections (yellow), 3 is quiet. `wang`, `li` and `chen`
    are reviewers of the district; `zhou` looks after community 2 and `wu` after 3.
    """

    session: Session
    now: datetime
    staff: dict[str, int] = field(default_factory=dict)
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def add(self, name: str, role: Role, *codes: str) -> None:
        staff = NewStaff(name=name, role=role, display_name=name, community_codes=codes)
        account = add_account(self.session, staff=staff, password_hash="x", now=self.now)
        self.session.flush()
        self.staff[name] = account.id

    def score(self, values: Mapping[int, Mapping[str, float]], *, day: date = DAY) -> None:
        for community_id, ones in values.items():
            put(self.session, community_id, ones, day=day)
        score_day(self.session, day=day, now=self.now)

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def follow(self, community_id: int, openid: str = "o-chen") -> None:
        """Let somebody subscribe to a community, who so knows the colour that it has."""
        person = register_person(self.session, openid=openid, now=self.now)
        subscribe(self.session, person_id=person.id, community_id=community_id, now=self.now)

    def propose(self, community_id: int, colour: Colour = Colour.RED, **changes: object) -> int:
        values = {"reason": REASON, "until_day": TODAY + timedelta(days=2), "by": "wang"} | changes
        by = self.staff[str(values.pop("by"))]
        draft = OverrideDraft(community_id=community_id, colour=colour, **values)  # type: ignore[arg-type]
        return propose_override(self.session, draft=draft, staff_id=by, now=self.now)

    def object_to(self, claimed: float = 0.0, **changes: object) -> int:
        """Raise an appeal against the infections of community 2."""
        values = {
            "community_id": ILL,
            "day": DAY,
            "indicator": "confirmed",
            "evidence": REASON,
            "by": "zhou",
            "file": None,
        } | changes
        by = self.staff[str(values.pop("by"))]
        draft = AppealDraft(claimed_value=claimed, **values)  # type: ignore[arg-type]
        return raise_appeal(self.session, draft=draft, files=self.files, staff_id=by, now=self.now)

    def colour(self, community_id: int) -> Colour | None:
        """Return what the card of a community shows."""
        self.session.flush()
        card = find_card(self.session, community_id=community_id, today=TODAY)
        return None if card is None else card.colour

    def row(self, community_id: int, day: date = DAY) -> RiskScore:
        """Return the stored score of a community, read anew."""
        statement = select(RiskScore).where(
            RiskScore.community_id == community_id, RiskScore.day == day
        )
        return self.session.scalars(statement.execution_options(populate_existing=True)).one()

    def told(self) -> list[tuple[str, str]]:
        """Return kind and openid of every notice, in order."""
        rows = self.session.execute(select(Notice.kind, Notice.openid).order_by(Notice.id))
        return [(kind, openid) for kind, openid in rows]

    def recorded(self) -> list[tuple[str, str, str]]:
        """Return actor, action and subject of what was recorded of rulings, in order."""
        self.session.flush()
        entries = self.session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject.startswith("community:"))
            .order_by(AuditEntry.id)
        )
        names = {f"staff:{identity}": name for name, identity in self.staff.items()}
        return [(names.get(one.actor, one.actor), one.action, one.subject) for one in entries]

    def area(self, name: str) -> Area:
        return self.session.get_one(StaffAccount, self.staff[name]).area


@pytest.fixture
def desk(session: Session, places: list[int], now: datetime) -> Desk:
    """Community 2 is yellow, the others are blue; nobody has ruled about anything."""
    desk = Desk(session=session, now=now)
    for name in ("wang", "li", "chen"):
        desk.add(name, Role.DISTRICT_REVIEWER)
    desk.add("zhou", Role.NEIGHBOURHOOD_OFFICER, "T2")
    desk.add("wu", Role.NEIGHBOURHOOD_OFFICER, "T3")
    desk.score({QUIET: HARMLESS, ILL: YELLOW, OTHER: HARMLESS})
    return desk


EVIDENCE = Evidence(
    name="核对.pdf", content=b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
)
