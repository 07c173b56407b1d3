"""Screening stays again after the list of key areas changed.

Where somebody was stands nowhere but in their encrypted answers, so those of the last 14 days are
all read: codes beside them would tell the same, and would miss each name that only the new list
has (ADR 0031).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import String, cast, select, update
from sqlalchemy.orm import Session

from core.audit.service import record_all
from core.keyareas.rules import Area
from core.keyareas.screening import Screener
from core.keyareas.service import change_list, list_areas
from core.keyareas.versions import find_newest_id
from core.registration.answers import read_stay
from core.registration.model import Registration
from core.registration.rules import (
    COUNTED_STATES,
    LOOK_BACK,
    Flag,
    group_of,
    stay_window_of,
)
from core.registration.telling import tell_recheck

# Rows that are read at once, and ids in one statement; both databases bound how many it may have.
BATCH: Final = 5000
_COUNTED: Final = tuple(state.value for state in COUNTED_STATES)
_ACTOR: Final = "operator:import"

Codes: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescreened:
    """Whom a changed list concerns, by the ids of their registrations.

    Attributes:
        list_id: the version of the list; None: none was kept.
        newly: who is flagged now and was not before, with the codes of the areas.
        standing: who was flagged before and still is, with the codes of today's areas.
        cleared: who is not flagged any more.
    """

    list_id: int | None
    newly: Mapping[int, Codes]
    standing: Mapping[int, Codes]
    cleared: tuple[int, ...]


def rescreen(session: Session, *, now: datetime) -> Rescreened:
    """Screen the stays of the last 14 days, at whatever workplace, against the list as it is now.

    Only whether a stay was in a key area is looked at again; a registration whose flags change
    gets a new version, so that a list that an owner has before them no longer holds it. Nothing
    that was decided is taken back: whoever decides is told and looks again.

    Args:
        session: the session of the import, in which the new list is stored.
        now: aware instant.
    """
    session.flush()
    # Nobody reports or corrects anything until this is stored; what is read below stays true.
    change_list(session)
    look = _Look(list_areas(session, since=now - 3 * LOOK_BACK))
    changed: dict[int, Codes] = {}
    standing: dict[int, Codes] = {}
    for registration_id, text, is_flagged in _recent(session, now=now):
        codes = look.codes_of(text)
        if bool(codes) is not is_flagged:
            changed[registration_id] = codes
        elif codes:
            standing[registration_id] = codes
    again = _Again(session, list_id=find_newest_id(session), now=now)
    for batch in _batches(sorted(changed)):
        again.reflag({one: changed[one] for one in batch})
    for batch in _batches(sorted(standing)):
        again.keep(batch)
    if again.newly_at:
        tell_recheck(session, counts=again.newly_at, now=now)
    # What the session holds of these rows is older than what the statements wrote.
    session.flush()
    session.expire_all()
    return Rescreened(
        list_id=again.list_id,
        newly=again.newly,
        standing=standing,
        cleared=tuple(again.cleared),
    )


class _Look:
    """Looks at stored answers, for all people against one list."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._screener = Screener(areas)

    def codes_of(self, text: str) -> Codes:
        """Return the codes of the key areas that somebody was in; empty: none."""
        stay = read_stay(text)
        if stay is None or not self._screener.may_hit(stay.places):
            return ()
        since, until = stay_window_of(stay.returned_on, day=stay.answered_on)
        hits = self._screener.hits_of(stay.places, since=since, until=until)
        return tuple(dict.fromkeys(hit.code for hit in hits))


class _Again:
    """Writes what a changed list changes, in a fixed number of statements for each batch."""

    def __init__(self, session: Session, *, list_id: int | None, now: datetime) -> None:
        self.list_id = list_id
        self.newly: dict[int, Codes] = {}
        self.newly_at: Counter[tuple[int, str]] = Counter()
        self.cleared: list[int] = []
        self._session, self._now = session, now

    def reflag(self, found: Mapping[int, Codes]) -> None:
        """Set or clear the flag of some registrations that did not end meanwhile.

        Args:
            found: the codes of the areas by registration; empty: it is to be cleared.
        """
        rows = self._session.execute(
            select(
                Registration.id,
                Registration.workplace_id,
                Registration.department,
                Registration.version,
                Registration.flags,
            )
            .where(Registration.id.in_(found), Registration.state.in_(_COUNTED))
            .order_by(Registration.id)
            .with_for_update()
        ).all()
        ids_by_flags: defaultdict[tuple[Flag, ...], list[int]] = defaultdict(list)
        for row in rows:
            codes = found[row.id]
            flags = {Flag(flag) for flag in row.flags} - {Flag.KEY_AREA}
            if codes:
                flags.add(Flag.KEY_AREA)
                self.newly[row.id] = codes
                self.newly_at[row.workplace_id, row.department] += 1
            else:
                self.cleared.append(row.id)
            ids_by_flags[tuple(flag for flag in Flag if flag in flags)].append(row.id)
        for flags_now, ids_now in ids_by_flags.items():
            self._write(ids_now, flags=flags_now)
        record_all(
            self._session,
            now=self._now,
            actor=_ACTOR,
            action="registration_rescreened",
            facts_by_subject={
                f"registration:{row.id}": {
                    "workplace_id": row.workplace_id,
                    "version": row.version + 1,
                    "list": self.list_id,
                }
                for row in rows
            },
        )

    def keep(self, ids: Sequence[int]) -> None:
        """Note that this list is now what some registrations are flagged by."""
        self._session.execute(
            update(Registration)
            .where(Registration.id.in_(ids))
            .values(key_area_list_id=self.list_id)
            .execution_options(synchronize_session=False)
        )

    def _write(self, ids: Collection[int], *, flags: tuple[Flag, ...]) -> None:
        self._session.execute(
            update(Registration)
            .where(Registration.id.in_(ids))
            .values(
                flags=[flag.value for flag in flags],
                flag_group=group_of(flags).value,
                version=Registration.version + 1,
                key_area_list_id=self.list_id,
            )
            .execution_options(synchronize_session=False)
        )


def _recent(session: Session, *, now: datetime) -> Iterator[tuple[int, str, bool]]:
    """Yield id, answers and whether they are flagged, of those who reported within 14 days."""
    is_flagged = cast(Registration.flags, String).contains(f'"{Flag.KEY_AREA.value}"')
    rows = session.execute(
        select(Registration.id, Registration.answers, is_flagged)
        .where(Registration.state.in_(_COUNTED), Registration.changed_at > now - LOOK_BACK)
        .execution_options(yield_per=BATCH)
    )
    for registration_id, answers, is_hit in rows:
        yield registration_id, answers, bool(is_hit)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
