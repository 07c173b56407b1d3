"""Colours that people set by hand: one proposes, another decides; a reason and an end, always.

An override holds from its approval to the end of its last day. Every step is a row of the audit
log, and the colour that was computed stays beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.errors import ConflictError, NotFoundError
from core.places.model import Community
from core.risk.listing import in_area
from core.risk.rules import Colour
from core.risk.rulings.desk import (
    RulingNotYoursError,
    area_of,
    get_ruling_place,
    name_of,
    note,
    recolour,
    recolour_and_tell,
)
from core.risk.rulings.model import ColourOverride
from core.risk.rulings.rules import (
    OVERRIDE_AFTER,
    STANDING_OVERRIDES,
    OverrideState,
    RulingDecidedError,
    Verdict,
    check_other_person,
    check_until,
    reason_of,
    state_at,
)
from core.risk.turns import find_standing

# Grey says that nothing is known, which nobody can decide.
SETTABLE: Final = (Colour.RED, Colour.YELLOW, Colour.BLUE)
_STANDING: Final = tuple(state.value for state in sorted(STANDING_OVERRIDES))
_ACTION_OF: Final = {
    Verdict.ACCEPT: "override_approved",
    Verdict.REFUSE: "override_refused",
}


class OverrideNotFoundError(NotFoundError):
    """There is no such override, or its community lies outside of one's area."""

    code = "override_not_found"


class OverrideStandingError(ConflictError):
    """The community has one that waits or holds already; facts `by` and `state`."""

    code = "override_standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDraft:
    """What somebody proposes.

    Attributes:
        community_id: whose colour.
        colour: red, yellow or blue.
        reason: why, as typed.
        until_day: the last local day on which it holds.
    """

    community_id: int
    colour: Colour
    reason: str
    until_day: date


def propose_override(
    session: Session, *, draft: OverrideDraft, staff_id: int, now: datetime
) -> int:
    """Propose a colour and return the override's id; the same proposal again is the first one.

    Raises:
        RulingPlaceError: the community is not in the proposer's area.
        RulingReasonError: the reason is missing, too short or too long.
        OverrideUntilError: the last day is over, or more than 14 days ahead.
        OverrideStandingError: the community has one already.
        ValueError: grey, a bug in the page.
    """
    if draft.colour not in SETTABLE:
        raise ValueError("nobody sets a colour to grey")
    row = _row_of(session, draft, staff_id=staff_id, now=now)
    lapsed = _lapsed(day_of(now)).where(ColourOverride.community_id == row.community_id)
    _close(session, lapsed, now=now)
    standing = find_standing(
        session, _standing(row.community_id), otherwise=lambda: session.add(row)
    )
    if standing is not None:
        return _same_or_refused(session, standing, row)
    until_day = row.until_day.isoformat()
    _note(session, row, "override_proposed", staff_id=staff_id, now=now, until_day=until_day)
    return row.id


def decide_override(
    session: Session,
    *,
    override_id: int,
    verdict: Verdict,
    reason: str,
    staff_id: int,
    now: datetime,
) -> None:
    """Approve a proposal, which colours the community at once, or refuse it.

    The same decision by the same person again is harmless.

    Args:
        session: the session of the request.
        override_id: which one; what was proposed never changes, so it is what the person saw.
        verdict: what they decide.
        reason: why; needed to refuse.
        staff_id: who decides.
        now: aware instant.

    Raises:
        OverrideNotFoundError: there is none in the person's area.
        RulingDecidedError: somebody was quicker, or its last day is over.
        RulingSamePersonError: they proposed it themselves.
        RulingReasonError: the reason.
    """
    row = _locked(session, override_id=override_id, staff_id=staff_id)
    after = OVERRIDE_AFTER[verdict]
    if row.decided_by == staff_id and row.state == after.value:
        return
    _check_state(session, row, OverrideState.PROPOSED, today=day_of(now))
    check_other_person(staff_id, before={row.proposed_by})
    row.closing_reason = reason_of(reason, is_needed=verdict is Verdict.REFUSE)
    row.state, row.decided_by, row.decided_at = after.value, staff_id, now
    _note(session, row, _ACTION_OF[verdict], staff_id=staff_id, now=now)
    if verdict is Verdict.ACCEPT:
        recolour_and_tell(session, now=now)


def withdraw_override(session: Session, *, override_id: int, staff_id: int, now: datetime) -> None:
    """Take one's own proposal back before it is decided; doing it again is harmless.

    Raises:
        OverrideNotFoundError: there is none in the person's area.
        RulingNotYoursError: somebody else proposed it.
        RulingDecidedError: it was decided, or its last day is over.
    """
    row = _locked(session, override_id=override_id, staff_id=staff_id)
    if row.proposed_by != staff_id:
        raise RulingNotYoursError
    if row.state == OverrideState.WITHDRAWN.value:
        return
    _check_state(session, row, OverrideState.PROPOSED, today=day_of(now))
    row.state, row.ended_by, row.ended_at = OverrideState.WITHDRAWN.value, staff_id, now
    _note(session, row, "override_withdrawn", staff_id=staff_id, now=now)


def end_override(
    session: Session, *, override_id: int, reason: str, staff_id: int, now: datetime
) -> None:
    """End an override before its last day, which gives back the computed colour at once.

    One person is enough: what it goes back to is nobody's choice. Again is harmless.

    Raises:
        OverrideNotFoundError: there is none in the person's area.
        RulingDecidedError: it does not hold: not yet approved, or ended by somebody else.
        RulingReasonError: the reason is missing, too short or too long.
    """
    row = _locked(session, override_id=override_id, staff_id=staff_id)
    if row.state == OverrideState.ENDED.value and row.ended_by == staff_id:
        return
    _check_state(session, row, OverrideState.IN_FORCE, today=day_of(now))
    row.closing_reason = reason_of(reason)
    row.state, row.ended_by, row.ended_at = OverrideState.ENDED.value, staff_id, now
    _note(session, row, "override_ended", staff_id=staff_id, now=now)
    recolour_and_tell(session, now=now)


def close_lapsed(session: Session, *, now: datetime) -> int:
    """Close the overrides whose last day is over, and return how many held until then.

    Their communities get back the colour that was computed. Nobody is told yet: this runs after
    midnight, and the night that follows tells the colour that it comes to. Running it again
    closes nothing.
    """
    return _close(session, _lapsed(day_of(now)), now=now)


# ---- what these share -----------------------------------------------------------------------


def _row_of(
    session: Session, draft: OverrideDraft, *, staff_id: int, now: datetime
) -> ColourOverride:
    """Return what is proposed, checked and not yet added."""
    area = area_of(session, staff_id=staff_id)
    place = get_ruling_place(session, community_id=draft.community_id, area=area)
    check_until(draft.until_day, today=day_of(now))
    return ColourOverride(
        community_id=place.id,
        colour=draft.colour.value,
        reason=reason_of(draft.reason),
        until_day=draft.until_day,
        state=OverrideState.PROPOSED.value,
        proposed_by=staff_id,
        proposed_at=now,
    )


def _standing(community_id: int) -> Select[ColourOverride]:
    return (
        select(ColourOverride)
        .where(ColourOverride.community_id == community_id, ColourOverride.state.in_(_STANDING))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _same_or_refused(session: Session, standing: ColourOverride, asked: ColourOverride) -> int:
    """Return the id of what stands, if it is what was asked for: a second tap.

    Raises:
        OverrideStandingError: it is not.
    """
    same = ("state", "proposed_by", "colour", "reason", "until_day")
    if all(getattr(standing, name) == getattr(asked, name) for name in same):
        return standing.id
    by = standing.proposed_by if standing.decided_by is None else standing.decided_by
    raise OverrideStandingError(by=name_of(session, by), state=standing.state)


def _locked(session: Session, *, override_id: int, staff_id: int) -> ColourOverride:
    """Return an override of somebody's area, locked and read anew."""
    row = session.scalar(
        select(ColourOverride)
        .join(Community, Community.id == ColourOverride.community_id)
        .where(ColourOverride.id == override_id, *in_area(area_of(session, staff_id=staff_id)))
        .with_for_update(of=ColourOverride)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise OverrideNotFoundError
    return row


def _check_state(
    session: Session, row: ColourOverride, wanted: OverrideState, *, today: date
) -> None:
    state = state_at(OverrideState(row.state), until_day=row.until_day, today=today)
    if state is not wanted:
        by = row.ended_by if row.ended_at is not None else row.decided_by
        raise RulingDecidedError(by=name_of(session, by), state=state.value)


def _lapsed(today: date) -> Select[ColourOverride]:
    """Return the statement that finds and locks what is over although its row stands, by id."""
    return (
        select(ColourOverride)
        .where(ColourOverride.state.in_(_STANDING), ColourOverride.until_day < today)
        .order_by(ColourOverride.id)
        .with_for_update()
    )


def _close(session: Session, lapsed: Select[ColourOverride], *, now: datetime) -> int:
    """Close what is over, give back the computed colours, and return how many held until then."""
    held = 0
    for row in session.scalars(lapsed).all():
        state = OverrideState(row.state)
        if state is OverrideState.IN_FORCE:
            held += 1
        row.state = state_at(state, until_day=row.until_day, today=day_of(now)).value
        row.ended_at = now
        _note(session, row, "override_expired", staff_id=None, now=now)
    if held:
        recolour(session, now=now)
    return held


def _note(
    session: Session,
    row: ColourOverride,
    action: str,
    *,
    staff_id: int | None,
    now: datetime,
    **facts: str,
) -> None:
    note(
        session,
        action,
        community_id=row.community_id,
        staff_id=staff_id,
        now=now,
        override_id=row.id,
        colour=row.colour,
        **facts,
    )
