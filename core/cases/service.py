"""What officers do about a case: note a contact, add a certificate, close it, open it again.

Each step names the version that was seen, so that no two act unawares of each other; the same
step by the same person twice is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from core.cases.deciding import let_in, take_back
from core.cases.model import Case, CaseEvidence, CaseStep
from core.cases.rules import (
    Certificate,
    Finding,
    StepKind,
    check_certificate,
    check_finding,
    note_of,
)
from core.cases.steps import note_step
from core.clock import day_of
from core.errors import ConflictError, NotFoundError
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.files.store import FileStore
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.registration.answers import read_stay
from core.registration.leaving import end_one
from core.registration.model import Registration
from core.registration.rules import RegistrationState
from core.workplaces.model import Workplace

_STAFF: Final = "staff:"


class CaseNotFoundError(NotFoundError):
    """There is no such case, or its workplace is not in one's area of duty."""

    code = "case_not_found"


class CaseChangedError(ConflictError):
    """Somebody did something since the case was shown; fact `by`, a name, may be empty."""

    code = "case_changed"


class CaseClosedError(ConflictError):
    """The case is closed; it can be opened again."""

    code = "case_closed"


class CaseOpenError(ConflictError):
    """The case is open already."""

    code = "case_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScope:
    """The cases that somebody looks after.

    Attributes:
        area: of duty, by where the workplace stands.
        workplace_ids: these alone, wherever they stand; None: all of the area.
    """

    area: Area
    workplace_ids: frozenset[int] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a case must be; joined with `Workplace`."""
        if self.workplace_ids is not None:
            return [Case.workplace_id.in_(sorted(self.workplace_ids))]
        if self.area.community_ids is not None:
            return [false()]
        if self.area.street_id is not None:
            return [Workplace.street_id == self.area.street_id]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAct:
    """Who acts on which case, as they saw it.

    Attributes:
        version: `Case.version` that was shown.
        scope: the cases that they look after.
    """

    case_id: int
    version: int
    scope: CaseScope
    staff_id: int
    now: datetime

    @property
    def actor(self) -> str:
        """Who acts, as it is on record."""
        return f"{_STAFF}{self.staff_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFile:
    """A picture or scan of a certificate: its name as the browser sent it, and all of it."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


def note_contact(session: Session, *, act: CaseAct, note: str) -> None:
    """Note that the person or the workplace was spoken to, and what was found.

    Raises:
        CaseNotFoundError, CaseClosedError, CaseChangedError: see there.
        CaseNoteError: nothing was noted, or too much.
    """
    text = note_of(note)
    case, _ = _held(session, act)
    if _is_again(session, case, act, StepKind.CONTACT, note=text):
        return
    _check_open(session, case, act)
    case.contact(now=act.now)
    note_step(session, case, StepKind.CONTACT, actor=act.actor, now=act.now, note=text)
    session.flush()


def add_evidence(
    session: Session,
    *,
    act: CaseAct,
    certificate: Certificate,
    file: CertificateFile | None,
    files: FileStore,
) -> None:
    """Add a certificate that fourteen days of isolation are over; the same again is one.

    Raises:
        CaseNotFoundError, CaseClosedError, CaseChangedError: see there.
        CertificateDatesError: its dates cannot be.
        FileEmptyError, FileTooLargeError, FileTypeError, FileBrokenError, PictureTooLargeError,
        FileUnavailableError: the file.
    """
    case, stored = _held(session, act)
    if any(_says_the_same(row, certificate) for row in _list_evidence(session, case.id)):
        return
    _check_open(session, case, act)
    today = day_of(act.now)
    check_certificate(certificate, returned_on=returned_on_of(stored), today=today)
    file_id = None
    if file is not None:
        file_id = keep_file(
            session,
            files=files,
            content=file.content,
            name=file.name,
            purpose=FilePurpose.CASE_EVIDENCE,
            actor=act.actor,
            now=act.now,
        )
    session.add(
        CaseEvidence(
            case_id=case.id,
            number=certificate.number,
            issuer=certificate.issuer,
            isolated_from=certificate.isolated_from,
            isolated_until=certificate.isolated_until,
            issued_on=certificate.issued_on,
            file_id=file_id,
            added_by=act.actor,
            added_at=act.now,
        )
    )
    case.version += 1
    note_step(session, case, StepKind.EVIDENCE, actor=act.actor, now=act.now)
    session.flush()


def close_case(session: Session, *, act: CaseAct, finding: Finding, note: str = "") -> None:
    """Close a case, and decide the registration by what was found.

    Who left is ended with the workplace; anybody else may come, if nothing else keeps them.

    Args:
        session: the session of the request.
        act: who closes which one.
        finding: what was found; not `CLEARED`, which nobody finds.
        note: what else there is to say; may be empty.

    Raises:
        CaseNotFoundError, CaseClosedError, CaseChangedError: see there.
        CertificateMissingError: isolated, without a certificate for this stay.
        FindingUnfoundedError: nobody was contacted, and there is no certificate.
        CaseNoteError: too much was noted.
    """
    text = note_of(note, is_needed=False)
    case, stored = _held(session, act)
    if (case.finding, case.closed_by) == (finding.value, act.actor):
        return
    _check_open(session, case, act)
    check_finding(
        finding,
        is_contacted=case.contacted_at is not None,
        begun_on=[row.isolated_from for row in _list_evidence(session, case.id)],
        returned_on=returned_on_of(stored),
    )
    case.close(finding, actor=act.actor, now=act.now)
    note_step(session, case, StepKind.CLOSED, actor=act.actor, now=act.now, note=text)
    if finding is not Finding.LEFT:
        let_in(session, case, stored, actor=act.actor, now=act.now)
    elif stored.state != RegistrationState.ENDED.value:
        end_one(session, stored, actor=act.actor, now=act.now)
    session.flush()


def reopen_case(session: Session, *, act: CaseAct, note: str) -> None:
    """Open a closed case again, with a new deadline; who was let in by it waits again.

    Raises:
        CaseNotFoundError, CaseChangedError: see there.
        CaseOpenError: it is open.
        CaseNoteError: why is not said, or too much is.
    """
    text = note_of(note)
    case, stored = _held(session, act)
    if _is_again(session, case, act, StepKind.REOPENED, note=text):
        return
    if case.is_standing:
        raise CaseOpenError
    _check_version(session, case, act)
    take_back(session, case, stored, actor=act.actor, now=act.now)
    case.reopen(now=act.now)
    note_step(session, case, StepKind.REOPENED, actor=act.actor, now=act.now, note=text)
    session.flush()


def returned_on_of(stored: Registration) -> date | None:
    """Return the local day on which somebody came back; None: not away, or not known any more."""
    stay = read_stay(stored.answers)
    return None if stay is None else stay.returned_on


# ---- what these share ----------------------------------------------------------------------------


def _held(session: Session, act: CaseAct) -> tuple[Case, Registration]:
    """Return a case and its registration, held to the end."""
    registration_id = session.scalar(
        select(Case.registration_id)
        .join(Workplace, Workplace.id == Case.workplace_id)
        .where(Case.id == act.case_id, *act.scope.conditions())
    )
    if registration_id is None:
        raise CaseNotFoundError
    # The registration first, as who reports and who imports a list do.
    stored = session.scalars(
        select(Registration)
        .where(Registration.id == registration_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    case = session.scalars(
        select(Case)
        .where(Case.id == act.case_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return case, stored


def _check_open(session: Session, case: Case, act: CaseAct) -> None:
    if not case.is_standing:
        raise CaseClosedError
    _check_version(session, case, act)


def _check_version(session: Session, case: Case, act: CaseAct) -> None:
    if case.version != act.version:
        raise CaseChangedError(by=_name_of(session, _last_step(session, case.id)))


def _is_again(session: Session, case: Case, act: CaseAct, kind: StepKind, *, note: str) -> bool:
    """Return whether the newest step is the very one that somebody is about to take."""
    last = _last_step(session, case.id)
    return last is not None and (last.kind, last.actor, last.note) == (kind.value, act.actor, note)


def _last_step(session: Session, case_id: int) -> CaseStep | None:
    return session.scalars(
        select(CaseStep).where(CaseStep.case_id == case_id).order_by(CaseStep.id.desc()).limit(1)
    ).first()


def _name_of(session: Session, step: CaseStep | None) -> str:
    if step is None or not step.actor.startswith(_STAFF):
        return ""
    account = session.get(StaffAccount, int(step.actor.removeprefix(_STAFF)))
    return "" if account is None else account.display_name


def _list_evidence(session: Session, case_id: int) -> list[CaseEvidence]:
    rows = select(CaseEvidence).where(CaseEvidence.case_id == case_id).order_by(CaseEvidence.id)
    return list(session.scalars(rows))


def _says_the_same(row: CaseEvidence, certificate: Certificate) -> bool:
    said = (certificate.isolated_from, certificate.isolated_until, certificate.issued_on)
    return (row.number, row.issuer) == (certificate.number, certificate.issuer) and said == (
        row.isolated_from,
        row.isolated_until,
        row.issued_on,
    )
