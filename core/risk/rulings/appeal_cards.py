"""Appeals as pages show them: a list, and one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.risk.listing import in_area
from core.risk.model import RiskScore
from core.risk.rules import ModelVersion
from core.risk.rulings.appeals import AppealNotFoundError
from core.risk.rulings.desk import RulingPlace
from core.risk.rulings.model import Appeal
from core.risk.rulings.paging import PAGE_SIZE, RulingPage, is_called, page_of
from core.risk.rulings.rules import STANDING_APPEALS, AppealState, Verdict
from core.risk.versions.service import find_stored_version

_RAISER: Final = aliased(StaffAccount)
_ADVISER: Final = aliased(StaffAccount)
_DECIDER: Final = aliased(StaffAccount)
_STANDING: Final = tuple(state.value for state in sorted(STANDING_APPEALS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealQuery:
    """What appeals to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        state: None: any.
        text: part of the community's name or code; empty: any.
    """

    area: Area
    state: AppealState | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealCard:
    """An appeal with the names of those who had a part in it; empty for nobody.

    Attributes:
        id: of the row.
        place: whose value.
        day: that was scored.
        indicator: its code.
        label: its name for people; the code where the version is not known here.
        unit_label: the unit as written after the number.
        computed_value: when the appeal was raised; None where it was missing.
        claimed_value: what it should have been.
        evidence: as typed.
        file_id: what shows it; None without.
        state: how far it is.
        raised_by_id: who may neither recommend nor decide.
        raised_by: their name.
        raised_at: when.
        recommended: what the first reviewer said.
        recommended_by_id: who may not decide either.
        recommended_by: their name.
        recommended_at: when.
        recommendation_reason: why.
        decided_by: the second reviewer.
        decided_at: when it was decided or withdrawn.
        decision_reason: why.
    """

    id: int
    place: RulingPlace
    day: date
    indicator: str
    label: str
    unit_label: str
    computed_value: float | None
    claimed_value: float
    evidence: str
    file_id: int | None
    state: AppealState
    raised_by_id: int
    raised_by: str
    raised_at: datetime
    recommended: Verdict | None
    recommended_by_id: int | None
    recommended_by: str
    recommended_at: datetime | None
    recommendation_reason: str
    decided_by: str
    decided_at: datetime | None
    decision_reason: str


def list_appeals(
    session: Session, *, query: AppealQuery, number: int = 1, page_size: int = PAGE_SIZE
) -> RulingPage[AppealCard]:
    """Return one page of appeals: what waits first, the oldest first; then the rest, the newest.

    Args:
        session: may be a reading one.
        query: what to list.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    has_state = [] if query.state is None else [Appeal.state == query.state.value]
    waits = Appeal.state.in_(_STANDING)
    return page_of(
        session,
        _cards(query.area).where(*has_state, *is_called(query.text)),
        order_by=(case((waits, 0), else_=1), case((waits, Appeal.id), else_=-Appeal.id)),
        card_of=lambda row: _card_of(session, row),
        number=number,
        page_size=page_size,
    )


def get_appeal(session: Session, *, appeal_id: int, area: Area) -> AppealCard:
    """Return an appeal of an area of duty.

    Raises:
        AppealNotFoundError: there is none.
    """
    row = session.execute(_cards(area).where(Appeal.id == appeal_id)).one_or_none()
    if row is None:
        raise AppealNotFoundError
    return _card_of(session, row)


def count_appeals(session: Session, *, area: Area) -> dict[AppealState, int]:
    """Return how many appeals of an area are in which state."""
    rows = session.execute(
        select(Appeal.state, func.count())
        .join(Community, Community.id == Appeal.community_id)
        .where(*in_area(area))
        .group_by(Appeal.state)
    )
    counts = dict.fromkeys(AppealState, 0)
    return counts | {AppealState(state): count for state, count in rows}


def _cards(area: Area) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Appeal,
            Community.code,
            Community.name,
            Street.name.label("street"),
            _RAISER.display_name.label("raiser"),
            _ADVISER.display_name.label("adviser"),
            _DECIDER.display_name.label("decider"),
            RiskScore.version,
        )
        .join(Community, Community.id == Appeal.community_id)
        .join(Street, Street.id == Community.street_id)
        .join(_RAISER, _RAISER.id == Appeal.raised_by)
        .outerjoin(_ADVISER, _ADVISER.id == Appeal.recommended_by)
        .outerjoin(_DECIDER, _DECIDER.id == Appeal.decided_by)
        .outerjoin(
            RiskScore,
            (RiskScore.community_id == Appeal.community_id)
            & (RiskScore.day == Appeal.day)
            & RiskScore.is_published,
        )
        .where(*in_area(area))
    )


def _card_of(session: Session, row: Row[*tuple[Any, ...]]) -> AppealCard:
    one: Appeal = row[0]
    version = find_stored_version(session, name=row.version) if row.version else None
    label, unit_label = _words_of(one.indicator, version)
    return AppealCard(
        id=one.id,
        place=RulingPlace(id=one.community_id, code=row.code, name=row.name, street=row.street),
        day=one.day,
        indicator=one.indicator,
        label=label,
        unit_label=unit_label,
        computed_value=one.computed_value,
        claimed_value=one.claimed_value,
        evidence=one.evidence,
        file_id=one.file_id,
        state=AppealState(one.state),
        raised_by_id=one.raised_by,
        raised_by=row.raiser,
        raised_at=one.raised_at,
        recommended=Verdict(one.recommended) if one.recommended else None,
        recommended_by_id=one.recommended_by,
        recommended_by=row.adviser or "",
        recommended_at=one.recommended_at,
        recommendation_reason=one.recommendation_reason,
        decided_by=row.decider or "",
        decided_at=one.decided_at,
        decision_reason=one.decision_reason,
    )


def _words_of(code: str, version: ModelVersion | None) -> tuple[str, str]:
    return (version.names.get(code) if version else None) or (code, "")
