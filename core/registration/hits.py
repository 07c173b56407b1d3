"""Who is flagged for a stay in a key area: in which areas, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from core.keyareas.rules import KeyAreaHit
from core.keyareas.screening import Screener
from core.keyareas.service import list_areas
from core.people.staff.rules import Area
from core.places.model import Community
from core.registration.answers import Stay, read_stay
from core.registration.listing import StaffQuery, conditions_of
from core.registration.model import Registration
from core.registration.rules import COUNTED_STATES, Flag, stay_window_of
from core.workplaces.model import Workplace
from core.workplaces.rules import Face


@dataclass(frozen=True, slots=True, kw_only=True)
class HitCounts:
    """How many people are flagged for a stay in a key area.

    Attributes:
        by_face: at companies, shops and sites.
        by_list: by the version of the list by which they are flagged; None: by none.
    """

    by_face: Mapping[Face, int]
    by_list: Mapping[int | None, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_face.values())


def find_registration_hits(
    session: Session, *, registration_ids: Collection[int]
) -> Mapping[int, list[KeyAreaHit]]:
    """Return what of the stays of some registrations was in a key area, by the list as it is.

    Args:
        session: may be a reading one.
        registration_ids: a few hundred at most.

    Returns:
        By registration, as `Screener.hits_of`; who has no hit, or ended, is left out.
    """
    rows = session.execute(
        select(Registration.id, Registration.answers).where(Registration.id.in_(registration_ids))
    )
    stays = {row_id: read_stay(answers) for row_id, answers in rows}
    screener = Screener(list_areas(session))
    hits = {row_id: _hits_of(stay, screener) for row_id, stay in stays.items() if stay}
    return {row_id: found for row_id, found in hits.items() if found}


def find_home_questions(
    session: Session, *, regions: Collection[str], day: date
) -> Mapping[str, list[str]]:
    """Return the names of the key areas which to ask people about, because they are at home there.

    Args:
        session: may be a reading one.
        regions: where an ID says that somebody is at home, as digits or as typed.
        day: local day on which they are asked about the 14 days before it.

    Returns:
        By region; who need not be asked is left out.
    """
    since, until = stay_window_of(None, day=day)
    screener = Screener(list_areas(session, since=since, until=until))
    asked = {
        region: screener.home_question_of(region, since=since, until=until)
        for region in dict.fromkeys(regions)
    }
    return {
        region: list(dict.fromkeys(area.name for area in areas))
        for region, areas in asked.items()
        if areas
    }


def count_hits(session: Session, *, area: Area) -> HitCounts:
    """Return how many people of an area of duty are flagged, whatever was decided about them.

    Args:
        session: may be a reading one.
        area: of duty; by workplace or by home.
    """
    rows = session.execute(
        select(Workplace.face, Registration.key_area_list_id, func.count())
        .select_from(Registration)
        .join(Workplace, Workplace.id == Registration.workplace_id)
        .outerjoin(Community, Community.id == Registration.community_id)
        .where(
            cast(Registration.flags, String).contains(f'"{Flag.KEY_AREA.value}"'),
            Registration.state.in_([state.value for state in COUNTED_STATES]),
            *conditions_of(StaffQuery(area=area)),
        )
        .group_by(Workplace.face, Registration.key_area_list_id)
    )
    by_face: Counter[Face] = Counter()
    by_list: Counter[int | None] = Counter()
    for face, list_id, count in rows:
        by_face[Face(face)] += count
        by_list[list_id] += count
    return HitCounts(by_face=by_face, by_list=by_list)


def _hits_of(stay: Stay, screener: Screener) -> list[KeyAreaHit]:
    since, until = stay_window_of(stay.returned_on, day=stay.answered_on)
    return screener.hits_of(stay.places, since=since, until=until)
