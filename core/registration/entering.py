"""Entering many people at once for who answers for their workplaces: a roster, a list of staff.

The same as entering one after the other, in a number of statements that does not grow with them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.audit.service import record_all
from core.cases.opening import follow_report
from core.clock import day_of
from core.errors import DomainError
from core.keyareas.model import KeyAreaList
from core.keyareas.screening import Screener
from core.keyareas.service import hold_list, list_areas
from core.registration.gate import Door, check_open, list_doors
from core.registration.model import Registration
from core.registration.rules import (
    COUNTED_STATES,
    Facts,
    Flag,
    Group,
    RegistrationInput,
    RegistrationState,
    check_entry,
    flags_of,
    stay_window_of,
)
from core.registration.screening import Identity, Screened, identity_of
from core.registration.service import (
    RegistrationEndedError,
    RegistrationTakenError,
    submit_registration,
)
from core.registration.storing import Sent, columns_of, new_values_of
from core.workplaces.service import WorkplaceNotFoundError

# Values in one statement; both databases bound how many one may have.
_CHUNK: Final = 5000
_Value = TypeVar("_Value", int, bytes)
_COUNTED: Final = tuple(state.value for state in COUNTED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFor:
    """Somebody whom somebody else enters for a workplace."""

    workplace_id: int
    entry: RegistrationInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What became of one of many.

    Attributes:
        registration_id: what stands; None: nothing was stored, for the reason `fault`.
        group: in which it stands.
        fault: a `RegistrationTakenError` or `RegistrationEndedError`; None: none.
    """

    registration_id: int | None = None
    group: Group | None = None
    fault: DomainError | None = None


@dataclass(frozen=True, slots=True)
class _Trace:
    """What is there of a person, of which nothing can be read."""

    workplace_id: int
    name_hash: bytes
    document_hash: bytes
    is_standing: bool


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Who is there already, those among them who came before in the same list."""

    by_document: defaultdict[bytes, list[_Trace]] = field(default_factory=lambda: defaultdict(list))
    by_phone: defaultdict[bytes, list[_Trace]] = field(default_factory=lambda: defaultdict(list))
    counted: Counter[int] = field(default_factory=Counter)

    def of_documents(self, identity: Identity) -> Iterator[_Trace]:
        """Yield who has the document of a person."""
        return (trace for one in identity.documents for trace in self.by_document[one])

    def of_phones(self, identity: Identity) -> Iterator[_Trace]:
        """Yield who has the phone of a person."""
        return (trace for one in identity.phones for trace in self.by_phone[one])

    def add(self, sent: Sent) -> None:
        """Note somebody who came in just now."""
        identity = sent.identity
        trace = _Trace(
            sent.door.workplace_id, identity.names[0], identity.documents[0], is_standing=True
        )
        self.by_document[trace.document_hash].append(trace)
        for phone in identity.phones[:1]:
            self.by_phone[phone].append(trace)
        self.counted[trace.workplace_id] += 1


def enter_many(
    session: Session, *, people: Sequence[EntryFor], actor: str, now: datetime
) -> list[Entered]:
    """Store what somebody tells of many people; who is there already is settled one by one.

    Args:
        session: the session of the request.
        people: of workplaces for which the caller may act; a document once per workplace.
        actor: who enters them, as `person:7`.
        now: aware instant.

    Returns:
        What became of each, in the order given.

    Raises:
        RegistrationClosedError: one of the workplaces takes no registrations now.
        WorkplaceNotFoundError: one of them does not exist.
        InvalidInputError: the fields of one do not agree, see `check_entry`.
    """
    hold_list(session)
    sents = _sent(session, people, actor=actor, now=now)
    seen = _see(session, sents)
    is_there = [_is_there(sent, seen) for sent in sents]
    fresh = [sent for sent, known in zip(sents, is_there, strict=True) if not known]
    stored = iter(_store(session, fresh, seen))
    return [
        _submit(session, sent) if known else next(stored)
        for sent, known in zip(sents, is_there, strict=True)
    ]


def _sent(session: Session, people: Sequence[EntryFor], *, actor: str, now: datetime) -> list[Sent]:
    doors = list_doors(session, workplace_ids={one.workplace_id for one in people})
    today = day_of(now)
    sents = []
    for one in people:
        check_entry(one.entry, today=today)
        sents.append(
            Sent(
                door=_open_door(doors.get(one.workplace_id)),
                entry=one.entry,
                identity=identity_of(
                    name=one.entry.name, number=one.entry.document.number, phone=one.entry.phone
                ),
                person=None,
                code_id=None,
                actor=actor,
                now=now,
            )
        )
    return sents


def _open_door(door: Door | None) -> Door:
    if door is None:
        raise WorkplaceNotFoundError
    check_open(door)
    return door


# ---- who is there already ----------------------------------------------------------------------


def _see(session: Session, sents: Sequence[Sent]) -> _Seen:
    seen = _Seen()
    documents = {one for sent in sents for one in sent.identity.documents}
    phones = {one for sent in sents for one in sent.identity.phones}
    for row in _traces(session, Registration.document_hash, documents):
        seen.by_document[row[0]].append(_Trace(*row[1:]))
    for row in _traces(session, Registration.phone_hash, phones):
        seen.by_phone[row[0]].append(_Trace(*row[1:]))
    limited = {sent.door.workplace_id for sent in sents if sent.door.head_count is not None}
    for chunk in _chunks(limited):
        rows = session.execute(
            select(Registration.workplace_id, func.count())
            .where(Registration.workplace_id.in_(chunk), Registration.state.in_(_COUNTED))
            .group_by(Registration.workplace_id)
        )
        seen.counted.update(dict(rows.all()))
    return seen


def _traces(
    session: Session, column: InstrumentedAttribute[bytes], hashes: Collection[bytes]
) -> Iterator[tuple[bytes, int, bytes, bytes, bool]]:
    for chunk in _chunks(hashes):
        rows = session.execute(
            select(
                column,
                Registration.workplace_id,
                Registration.name_hash,
                Registration.document_hash,
                Registration.state,
            ).where(column.in_(chunk))
        )
        for found, workplace_id, name, document, state in rows:
            yield found, workplace_id, name, document, state != RegistrationState.ENDED.value


def _chunks(values: Collection[_Value]) -> Iterator[list[_Value]]:
    kept = list(values)
    for start in range(0, len(kept), _CHUNK):
        yield kept[start : start + _CHUNK]


def _is_there(sent: Sent, seen: _Seen) -> bool:
    own = sent.door.workplace_id
    return any(trace.workplace_id == own for trace in seen.of_documents(sent.identity))


# ---- storing ------------------------------------------------------------------------------------


def _store(session: Session, sents: Sequence[Sent], seen: _Seen) -> list[Entered]:
    """Store those of whom the workplaces have nothing."""
    if not sents:
        return []
    screened = _screen_all(session, sents, seen)
    values = [
        new_values_of(sent, columns_of(one)) for sent, one in zip(sents, screened, strict=True)
    ]
    try:
        with session.begin_nested():
            session.execute(insert(Registration), values)
    except IntegrityError:
        # Somebody scanned in this very instant: one by one they find who it was.
        return [_submit(session, sent) for sent in sents]
    ids = _ids_of(session, sents)
    record_all(
        session,
        now=sents[0].now,
        actor=sents[0].actor,
        action="registration_submitted",
        facts_by_subject={
            f"registration:{identity}": {"workplace_id": sent.door.workplace_id, "version": 1}
            for identity, sent in zip(ids, sents, strict=True)
        },
    )
    entered = []
    for identity, sent, one, row in zip(ids, sents, screened, values, strict=True):
        if Flag.KEY_AREA in one.flags:
            stored = Registration(id=identity, **row)
            follow_report(
                session, stored=stored, face=sent.door.face, actor=sent.actor, now=sent.now
            )
        entered.append(Entered(registration_id=identity, group=Group(row["flag_group"])))
    return entered


def _ids_of(session: Session, sents: Sequence[Sent]) -> list[int]:
    """Return what was just stored, in the order given."""
    ids: dict[tuple[int, bytes], int] = {}
    for chunk in _chunks([sent.identity.documents[0] for sent in sents]):
        rows = session.execute(
            select(Registration.workplace_id, Registration.document_hash, Registration.id).where(
                Registration.document_hash.in_(chunk)
            )
        )
        ids.update({(place, document): identity for place, document, identity in rows})
    return [ids[sent.door.workplace_id, sent.identity.documents[0]] for sent in sents]


def _screen_all(session: Session, sents: Sequence[Sent], seen: _Seen) -> list[Screened]:
    """Return what of each needs a look; each sees those who stand before them in the list."""
    screener = Screener(list_areas(session))
    list_id = session.scalar(select(func.max(KeyAreaList.id)))
    found = []
    for sent in sents:
        found.append(Screened(flags=flags_of(_facts_of(sent, seen, screener)), list_id=list_id))
        seen.add(sent)
    return found


def _facts_of(sent: Sent, seen: _Seen, screener: Screener) -> Facts:
    entry, identity, door = sent.entry, sent.identity, sent.door
    since, until = stay_window_of(entry.returned_on, day=day_of(sent.now))
    return Facts(
        health_code=entry.health_code,
        temperature=entry.temperature,
        symptoms=entry.symptoms,
        has_key_area=bool(screener.hits_of(entry.stays, since=since, until=until)),
        is_document_shared=any(
            trace.name_hash not in identity.names for trace in seen.of_documents(identity)
        ),
        is_phone_shared=any(
            trace.name_hash not in identity.names for trace in seen.of_phones(identity)
        ),
        is_above_head_count=door.head_count is not None
        and seen.counted[door.workplace_id] >= door.head_count,
        is_duplicate=any(
            trace.is_standing
            and trace.workplace_id == door.workplace_id
            and trace.name_hash in identity.names
            and trace.document_hash not in identity.documents
            for trace in seen.of_phones(identity)
        ),
    )


def _submit(session: Session, sent: Sent) -> Entered:
    """Enter somebody of whom the workplace has something already."""
    try:
        receipt = submit_registration(
            session,
            workplace_id=sent.door.workplace_id,
            entry=sent.entry,
            openid=None,
            code_id=None,
            actor=sent.actor,
            now=sent.now,
        )
    except (RegistrationTakenError, RegistrationEndedError) as fault:
        return Entered(fault=fault)
    return Entered(registration_id=receipt.card.id, group=receipt.card.flag_group)
