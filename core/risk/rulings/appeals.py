"""Appeals: an officer's objection to one value of a day; one recommends and another decides.

An appeal that is accepted puts its value in the place of the computed one, and bears on
the days after as long as the same events are counted (`core.risk.indicators.appealed`); the day
and those since are scored again, and whoever was told a wrong colour is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.db import upsert
from core.errors import ConflictError, NotFoundError
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.files.store import FileStore
from core.places.model import Community
from core.risk.listing import in_area
from core.risk.model import IndicatorValue
from core.risk.rulings.challenges import AppealIndicatorError, get_challenge
from core.risk.rulings.desk import (
    RulingNotYoursError,
    area_of,
    correct,
    name_of,
    note,
)
from core.risk.rulings.model import Appeal
from core.risk.rulings.rules import (
    APPEAL_AFTER,
    STANDING_APPEALS,
    AppealState,
    RulingDecidedError,
    Verdict,
    check_appeal_day,
    check_claimed,
    check_other_person,
    reason_of,
)
from core.risk.turns import find_standing, stand_in_line

_VALUE_KEYS: Final = ("day", "community_id", "indicator")
_STANDING: Final = tuple(state.value for state in sorted(STANDING_APPEALS))
_ACTION_OF: Final = {
    Verdict.ACCEPT: "appeal_accepted",
    Verdict.REFUSE: "appeal_refused",
}


class AppealNotFoundError(NotFoundError):
    """There is no such appeal, or its community lies outside of one's area."""

    code = "appeal_not_found"


class AppealStandingError(ConflictError):
    """This value of this day is appealed already; fact `by`."""

    code = "appeal_standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that shows what an appeal says: its name as the browser sent it, and all of it."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDraft:
    """What an officer objects to.

    Attributes:
        community_id: whose value.
        day: a local day that was published, of the last 14.
        indicator: its code.
        claimed_value: what it should have been, in the indicator's unit.
        evidence: how they know, as typed.
        file: what shows it; None without.
    """

    community_id: int
    day: date
    indicator: str
    claimed_value: float
    evidence: str
    file: Evidence | None = None


def raise_appeal(
    session: Session, *, draft: AppealDraft, files: FileStore, staff_id: int, now: datetime
) -> int:
    """Raise an appeal and return its id; the same one again is the first one.

    Raises:
        RulingPlaceError: the community is not in the officer's area.
        AppealDayError: the day is not over, or longer ago than 14 days.
        ChallengeNotFoundError: nothing was published for the community on that day.
        AppealIndicatorError: that day was not scored by such an indicator.
        ClaimedSameError: it is the computed value.
        RulingReasonError: the evidence is missing, too short or too long.
        AppealStandingError: somebody appealed this value before, and it waits.
        FileEmptyError, FileTooLargeError, FileTypeError, FileBrokenError, PictureTooLargeError,
        FileUnavailableError: the file.
    """
    row = _row_of(session, draft, staff_id=staff_id, now=now)

    def add() -> None:
        row.file_id = _keep(session, draft.file, files=files, staff_id=staff_id, now=now)
        session.add(row)

    standing = find_standing(session, _standing(draft), otherwise=add)
    if standing is not None:
        return _same_or_refused(session, standing, row)
    _note(session, row, "appeal_raised", staff_id=staff_id, now=now)
    return row.id


def recommend_appeal(
    session: Session,
    *,
    appeal_id: int,
    verdict: Verdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> None:
    """Look at an appeal first, and say what to do with it; the same again is harmless.

    Raises:
        AppealNotFoundError: there is none in the reviewer's area.
        RulingDecidedError: somebody else recommended, or it was decided or withdrawn.
        RulingSamePersonError: they raised it themselves.
        RulingReasonError: the reason is missing, too short or too long.
    """
    row = _locked(session, appeal_id=appeal_id, staff_id=staff_id)
    if (row.recommended_by, row.recommended) == (staff_id, verdict.value):
        return
    _check_state(session, row, AppealState.OPEN)
    check_other_person(staff_id, before={row.raised_by})
    row.recommendation_reason = reason_of(reason)
    row.state, row.recommended = AppealState.RECOMMENDED.value, verdict.value
    row.recommended_by, row.recommended_at = staff_id, now
    _note(session, row, "appeal_recommended", staff_id=staff_id, now=now, verdict=verdict.value)
    session.flush()


def decide_appeal(
    session: Session,
    *,
    appeal_id: int,
    verdict: Verdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> None:
    """Accept an appeal, which corrects the day at once, or refuse it; again is harmless.

    Args:
        session: the session of the request.
        appeal_id: which one.
        verdict: what they decide.
        reason: why; needed to refuse, and to accept what was recommended to be refused.
        staff_id: neither who raised it nor who recommended.
        now: aware instant.

    Raises:
        AppealNotFoundError: there is none in the reviewer's area.
        RulingDecidedError: nobody recommended yet, or it was decided or withdrawn.
        RulingSamePersonError: they raised it, or recommended.
        RulingReasonError: the reason.
    """
    row = _locked(session, appeal_id=appeal_id, staff_id=staff_id)
    after = APPEAL_AFTER[verdict]
    if row.decided_by == staff_id and row.state == after.value:
        return
    _check_state(session, row, AppealState.RECOMMENDED)
    check_other_person(staff_id, before={row.raised_by, row.recommended_by})
    is_plain = verdict is Verdict.ACCEPT and row.recommended == verdict.value
    row.decision_reason = reason_of(reason, is_needed=not is_plain)
    row.state, row.decided_by, row.decided_at = after.value, staff_id, now
    _note(session, row, _ACTION_OF[verdict], staff_id=staff_id, now=now)
    if verdict is Verdict.ACCEPT:
        _replace_value(session, row)
        correct(session, community_id=row.community_id, since=row.day, now=now)
    session.flush()


def withdraw_appeal(session: Session, *, appeal_id: int, staff_id: int, now: datetime) -> None:
    """Take one's own appeal back before it is decided; doing it again is harmless.

    Raises:
        AppealNotFoundError: there is none in the officer's area.
        RulingNotYoursError: somebody else raised it.
        RulingDecidedError: it was decided.
    """
    row = _locked(session, appeal_id=appeal_id, staff_id=staff_id)
    if row.raised_by != staff_id:
        raise RulingNotYoursError
    if row.state == AppealState.WITHDRAWN.value:
        return
    _check_state(session, row, *STANDING_APPEALS)
    row.state, row.decided_at = AppealState.WITHDRAWN.value, now
    _note(session, row, "appeal_withdrawn", staff_id=staff_id, now=now)
    session.flush()


# ---- what these share -----------------------------------------------------------------------


def _row_of(session: Session, draft: AppealDraft, *, staff_id: int, now: datetime) -> Appeal:
    """Return what is appealed, checked and not yet added."""
    check_appeal_day(draft.day, today=day_of(now))
    challenge = get_challenge(
        session,
        community_id=draft.community_id,
        day=draft.day,
        today=day_of(now),
        area=area_of(session, staff_id=staff_id),
    )
    part = challenge.parts.get(draft.indicator)
    if part is None:
        raise AppealIndicatorError
    check_claimed(draft.claimed_value, computed=part.value)
    return Appeal(
        community_id=draft.community_id,
        day=draft.day,
        indicator=draft.indicator,
        computed_value=part.value,
        claimed_value=draft.claimed_value,
        evidence=reason_of(draft.evidence),
        state=AppealState.OPEN.value,
        raised_by=staff_id,
        raised_at=now,
    )


def _standing(draft: AppealDraft) -> Select[Appeal]:
    return (
        select(Appeal)
        .where(
            Appeal.community_id == draft.community_id,
            Appeal.day == draft.day,
            Appeal.indicator == draft.indicator,
            Appeal.state.in_(_STANDING),
        )
        .execution_options(populate_existing=True)
    )


def _same_or_refused(session: Session, standing: Appeal, asked: Appeal) -> int:
    """Return the id of what stands, if it is what was asked for: a second tap.

    Raises:
        AppealStandingError: it is not.
    """
    same = ("raised_by", "claimed_value", "evidence")
    if all(getattr(standing, name) == getattr(asked, name) for name in same):
        return standing.id
    raise AppealStandingError(by=name_of(session, standing.raised_by))


def _keep(
    session: Session, file: Evidence | None, *, files: FileStore, staff_id: int, now: datetime
) -> int | None:
    if file is None:
        return None
    return keep_file(
        session,
        files=files,
        content=file.content,
        name=file.name,
        purpose=FilePurpose.APPEAL_EVIDENCE,
        actor=f"staff:{staff_id}",
        now=now,
    )


def _locked(session: Session, *, appeal_id: int, staff_id: int) -> Appeal:
    """Return an appeal of somebody's area, locked and read anew."""
    row = session.scalar(
        select(Appeal)
        .join(Community, Community.id == Appeal.community_id)
        .where(Appeal.id == appeal_id, *in_area(area_of(session, staff_id=staff_id)))
        .with_for_update(of=Appeal)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise AppealNotFoundError
    return row


def _check_state(session: Session, row: Appeal, *wanted: AppealState) -> None:
    state = AppealState(row.state)
    if state in wanted:
        return
    by = row.decided_by if row.decided_by is not None else row.recommended_by
    raise RulingDecidedError(
        by="" if state is AppealState.WITHDRAWN else name_of(session, by), state=state.value
    )


def _replace_value(session: Session, row: Appeal) -> None:
    """Put the claimed value in the place of the one of that day.

    Whoever scores is waited for first: they may write values of this day, too.
    """
    stand_in_line(session)
    columns = ("value", "numerator", "denominator", "origin")
    statement = upsert(session, IndicatorValue, keys=_VALUE_KEYS, update=columns)
    value = {
        "day": row.day,
        "community_id": row.community_id,
        "indicator": row.indicator,
        "value": row.claimed_value,
        "numerator": None,
        "denominator": None,
        "origin": "appeal",
    }
    session.connection().execute(statement, [value])


def _note(
    session: Session,
    row: Appeal,
    action: str,
    *,
    staff_id: int,
    now: datetime,
    **facts: str,
) -> None:
    note(
        session,
        action,
        community_id=row.community_id,
        staff_id=staff_id,
        now=now,
        appeal_id=row.id,
        day=row.day.isoformat(),
        indicator=row.indicator,
        **facts,
    )
