"""Screening stays again after the list of key areas changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Final, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.keyareas.service import list_areas, screen
from core.registration.answers import Answers, read_answers
from core.registration.model import Registration
from core.registration.rules import (
    COUNTED_STATES,
    LOOK_BACK,
    Flag,
    group_of,
    stay_window_of,
)
from core.registration.telling import tell_recheck

BATCH: Final = 1000
_COUNTED: Final = tuple(state.value for state in COUNTED_STATES)
_ACTOR: Final = "operator:import"

_Look: TypeAlias = Callable[[Answers], bool]


def rescreen(session: Session, *, now: datetime) -> int:
    """Screen the stays of the last 14 days against the list as it is now.

    Only whether a stay was in a key area is looked at again; a registration whose flags change
    gets a new version, so that a list that an owner has before them no longer holds it. Nothing
    that was decided is taken back: whoever decides is told and looks again.

    Args:
        session: the session of the import, in which the new list is stored.
        now: aware instant.

    Returns:
        How many registrations were flagged, or are not any more.
    """
    seen: dict[tuple[tuple[str, ...], date | None, date], bool] = {}

    areas = list_areas(session, since=now - 3 * LOOK_BACK)

    def is_hit(answers: Answers) -> bool:
        key = (answers.stays, answers.returned_on, answers.answered_on)
        if key not in seen:
            # Many people come from the same places by the same days.
            since, until = stay_window_of(key[1], day=key[2])
            seen[key] = bool(screen(areas, places=key[0], since=since, until=until))
        return seen[key]

    changed_ids = []
    for registration_id, text, flags in _recent(session, now=now):
        answers = read_answers(text)
        if answers is not None and is_hit(answers) is not (Flag.KEY_AREA.value in flags):
            changed_ids.append(registration_id)
    newly: Counter[tuple[int, str]] = Counter()
    for start in range(0, len(changed_ids), BATCH):
        newly += _reflag(session, changed_ids[start : start + BATCH], is_hit=is_hit, now=now)
    session.flush()
    tell_recheck(session, counts=newly, now=now)
    return len(changed_ids)


def _recent(session: Session, *, now: datetime) -> Iterator[tuple[int, str, list[str]]]:
    """Yield id, answers and flags of those who reported within the last 14 days."""
    last_id = 0
    while True:
        rows = session.execute(
            select(Registration.id, Registration.answers, Registration.flags)
            .where(
                Registration.id > last_id,
                Registration.state.in_(_COUNTED),
                Registration.changed_at > now - LOOK_BACK,
            )
            .order_by(Registration.id)
            .limit(BATCH)
        ).all()
        for row in rows:
            yield row.id, row.answers, row.flags
        if len(rows) < BATCH:
            return
        last_id = rows[-1].id


def _reflag(
    session: Session, ids: list[int], *, is_hit: _Look, now: datetime
) -> Counter[tuple[int, str]]:
    """Set or clear the flag of some registrations; return where it is new, by department."""
    newly: Counter[tuple[int, str]] = Counter()
    rows = session.scalars(
        select(Registration)
        .where(Registration.id.in_(ids), Registration.state.in_(_COUNTED))
        .order_by(Registration.id)
        .with_for_update()
    )
    for stored in rows:
        # It is held now: what its person corrected meanwhile counts.
        answers = read_answers(stored.answers)
        flags = {Flag(flag) for flag in stored.flags} - {Flag.KEY_AREA}
        if answers is not None and is_hit(answers):
            flags.add(Flag.KEY_AREA)
            newly[stored.workplace_id, stored.department] += 1
        stored.flags = [flag.value for flag in Flag if flag in flags]
        stored.flag_group = group_of(flags).value
        stored.version += 1
        record(
            session,
            now=now,
            actor=_ACTOR,
            action="registration_rescreened",
            subject=f"registration:{stored.id}",
            workplace_id=stored.workplace_id,
            version=stored.version,
        )
    return newly
