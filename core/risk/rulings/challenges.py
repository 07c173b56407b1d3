"""What an officer may object to: the values that a published day of a community was scored with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.errors import InvalidInputError, NotFoundError
from core.people.staff.rules import Area
from core.risk.model import RiskScore
from core.risk.rules import (
    Colour,
    Indicator,
    ModelVersion,
    Reading,
    Score,
    Status,
    score_of,
)
from core.risk.rulings.desk import RulingPlace, get_ruling_place
from core.risk.rulings.model import Appeal
from core.risk.rulings.rules import STANDING_APPEALS
from core.risk.versions.service import find_stored_version

_STANDING: Final = tuple(state.value for state in sorted(STANDING_APPEALS))


class ChallengeNotFoundError(NotFoundError):
    """Nothing was published for the community on that day, or nothing that can be explained."""

    code = "challenge_not_found"


class AppealIndicatorError(InvalidInputError):
    """The day was not scored by such an indicator."""

    code = "appeal_indicator"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengePart:
    """One value of a day.

    Attributes:
        indicator: with its label, unit and curve.
        value: in its unit; None when it was missing.
        status: how fresh it was.
        contribution: points of the score.
        appeal_id: of the appeal against it that waits; None without one.
    """

    indicator: Indicator
    value: float | None
    status: Status
    contribution: float
    appeal_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A published day of a community.

    Attributes:
        place: whose day.
        day: that was scored.
        version: that scored it.
        colour: as published.
        score: 0-100.
        parts: by the code of the indicator, in the order of the version.
    """

    place: RulingPlace
    day: date
    version: ModelVersion
    colour: Colour
    score: float
    parts: Mapping[str, ChallengePart]

    def score_with(self, indicator: str, value: float) -> Score:
        """Return what the score would be if one value were another; its colour is the score's."""
        readings = {
            code: Reading(part.value, int(part.status is Status.STALE))
            for code, part in self.parts.items()
            if part.value is not None
        }
        return score_of(self.version, readings | {indicator: Reading(value)})


def get_challenge(
    session: Session, *, community_id: int, day: date | None = None, today: date, area: Area
) -> Challenge:
    """Return what was published for a community of an area.

    Args:
        session: may be a reading one.
        community_id: whose.
        day: that was scored, before today; None: the newest one.
        today: the local day of the question; what is scored during it is not final.
        area: of duty.

    Raises:
        RulingPlaceError: the community is not in the area.
        ChallengeNotFoundError: nothing was published.
    """
    place = get_ruling_place(session, community_id=community_id, area=area)
    statement = (
        select(RiskScore.day, RiskScore.version, RiskScore.colour, RiskScore.score, RiskScore.parts)
        .where(
            RiskScore.community_id == community_id,
            RiskScore.is_published,
            RiskScore.day < today,
        )
        .order_by(RiskScore.day.desc())
        .limit(1)
    )
    if day is not None:
        statement = statement.where(RiskScore.day == day)
    row = session.execute(statement).one_or_none()
    version = None if row is None else find_stored_version(session, name=row.version)
    if row is None or version is None or row.score is None:
        raise ChallengeNotFoundError
    challenge = Challenge(
        place=place,
        day=row.day,
        version=version,
        colour=Colour(row.colour),
        score=row.score,
        parts=_parts_of(row, version),
    )
    return _with_appeals(session, challenge)


def _parts_of(row: Row[*tuple[Any, ...]], version: ModelVersion) -> dict[str, ChallengePart]:
    indicators = {one.code: one for one in version.indicators}
    return {
        code: ChallengePart(
            indicator=indicators[code],
            value=value,
            status=Status(status),
            contribution=contribution,
        )
        for code, value, _norm, _weight, contribution, status in row.parts
        if code in indicators
    }


def _with_appeals(session: Session, challenge: Challenge) -> Challenge:
    waiting = session.execute(
        select(Appeal.indicator, Appeal.id).where(
            Appeal.community_id == challenge.place.id,
            Appeal.day == challenge.day,
            Appeal.state.in_(_STANDING),
        )
    )
    found: dict[str, int] = dict(waiting.all())
    parts = {
        code: replace(part, appeal_id=found.get(code)) for code, part in challenge.parts.items()
    }
    return replace(challenge, parts=parts)
