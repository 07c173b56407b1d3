"""Use cases of model versions: who colours a day, who is scored beside it, proposing, deciding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.db import take_turn
from core.errors import ConflictError, ForbiddenError, NotFoundError
from core.risk.documents import parse_version
from core.risk.model import RiskModel
from core.risk.rules import ModelVersion
from core.risk.versions import find_built_in, find_version, get_version, learn_version

# Any number that no other queue of the application has.
_PROPOSING: Final = 0x4D4F444C


class ModelRole(StrEnum):
    """What a version is for: colouring the district, or being scored beside in silence."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class ModelState(StrEnum):
    """How far a proposal is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    RETIRED = "retired"


class ModelDecision(StrEnum):
    """What the second person says."""

    APPROVE = "approve"
    REFUSE = "refuse"


class ModelNotFoundError(NotFoundError):
    """There is no such proposal."""

    code: ClassVar[str] = "model_not_found"


class ModelNameTakenError(ConflictError):
    """Another document has this name already: a changed document needs a name of its own."""

    code: ClassVar[str] = "model_name_taken"


class ModelStandsError(ConflictError):
    """The version has this role already, or was proposed for it."""

    code: ClassVar[str] = "model_stands"


class ModelDecidedError(ConflictError):
    """Somebody has decided this proposal already; facts `by` (an actor, may be empty), `state`."""

    code: ClassVar[str] = "model_decided"


class ModelSamePersonError(ForbiddenError):
    """Whoever proposed a version may not approve it."""

    code: ClassVar[str] = "model_same_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """A proposal and what became of it.

    Attributes:
        id: of the row; 0 for the version that comes with the software.
        version: the model.
        role: what it was proposed for.
        state: how far it is.
        valid_from: the first day that it scores.
        proposed_by: an actor, `staff:3`; empty for what comes with the software.
        proposed_at: when; None likewise.
        decided_by: an actor; empty while nobody has decided.
        decided_at: when.
    """

    id: int
    version: ModelVersion
    role: ModelRole
    state: ModelState
    valid_from: date
    proposed_by: str = ""
    proposed_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None


def champion(session: Session, *, day: date) -> ModelVersion:
    """Return the version that colours a day: the newest approved one, else that of the software.

    Args:
        session: may be a reading one.
        day: the local day that is scored.
    """
    row = session.execute(
        select(RiskModel.name, RiskModel.digest)
        .where(
            RiskModel.role == ModelRole.CHAMPION.value,
            RiskModel.state == ModelState.APPROVED.value,
            RiskModel.valid_from <= day,
        )
        .order_by(RiskModel.valid_from.desc(), RiskModel.decided_at.desc(), RiskModel.id.desc())
        .limit(1)
    ).first()
    return get_version() if row is None else _version_of(session, name=row[0], digest=row[1])


def challengers(session: Session, *, day: date) -> list[ModelVersion]:
    """Return the versions that are scored in silence on a day, by name; never the champion.

    Args:
        session: may be a reading one.
        day: the local day that is scored.
    """
    rows = session.execute(
        select(RiskModel.name, RiskModel.digest)
        .where(
            RiskModel.role == ModelRole.CHALLENGER.value,
            RiskModel.state == ModelState.APPROVED.value,
            RiskModel.valid_from <= day,
        )
        .order_by(RiskModel.name)
        .distinct()
    ).all()
    found = [_version_of(session, name=name, digest=digest) for name, digest in rows]
    if not found:
        return []
    reigning = champion(session, day=day)
    return [version for version in found if version.name != reigning.name]


def find_stored_version(session: Session, *, name: str) -> ModelVersion | None:
    """Return the version with this name, from this process or else from the database; or None.

    Documents never change, so that a process reads each of them once.
    """
    known = find_version(name)
    if known is not None:
        return known
    document = session.scalar(
        select(RiskModel.document).where(RiskModel.name == name).order_by(RiskModel.id).limit(1)
    )
    return None if document is None else learn_version(parse_version(document))


def _version_of(session: Session, *, name: str, digest: str) -> ModelVersion:
    known = find_version(name)
    if known is not None and known.digest == digest:
        return known
    document = session.scalars(
        select(RiskModel.document)
        .where(RiskModel.name == name, RiskModel.digest == digest)
        .order_by(RiskModel.id)
        .limit(1)
    ).one()
    return learn_version(parse_version(document))


def list_models(session: Session) -> list[ModelRecord]:
    """Return every proposal, the newest first, and last the version of the software."""
    built_in = get_version()
    rows = session.scalars(select(RiskModel).order_by(RiskModel.id.desc()))
    return [
        *(_record_of(row) for row in rows),
        ModelRecord(
            id=0,
            version=built_in,
            role=ModelRole.CHAMPION,
            state=ModelState.APPROVED,
            valid_from=built_in.valid_from,
        ),
    ]


def _record_of(row: RiskModel) -> ModelRecord:
    return ModelRecord(
        id=row.id,
        version=learn_version(parse_version(row.document)),
        role=ModelRole(row.role),
        state=ModelState(row.state),
        valid_from=row.valid_from,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
    )


def propose_model(
    session: Session,
    *,
    document: Mapping[str, Any],
    role: ModelRole,
    staff_id: int,
    now: datetime,
) -> ModelRecord:
    """Propose a version for a role; another person decides.

    Args:
        session: the session of the request.
        document: as read from JSON; see `core/risk/versions/`.
        role: what it is to be.
        staff_id: who proposes.
        now: aware instant.

    Raises:
        InvalidVersionError: the document breaks a rule of the model.
        ModelNameTakenError: its name belongs to another document.
        ModelStandsError: it has the role already, or waits for it.
    """
    version = parse_version(document)
    take_turn(session, number=_PROPOSING)
    _check_name(session, version)
    _check_role(session, version, role, day=day_of(now))
    row = RiskModel(
        name=version.name,
        digest=version.digest,
        document=dict(document),
        role=role.value,
        state=ModelState.PROPOSED.value,
        valid_from=version.valid_from,
        proposed_by=f"staff:{staff_id}",
        proposed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise ModelStandsError(name=version.name, role=role.value) from error
    _record(session, row, "model_proposed", actor=row.proposed_by, now=now)
    return _record_of(row)


def decide_model(
    session: Session, *, model_id: int, decision: ModelDecision, staff_id: int, now: datetime
) -> ModelRecord:
    """Approve or refuse a proposal; what was scored before keeps the version it was scored with.

    An approved version scores from its document's `valid_from`, but never a day before that of
    the approval. Whoever proposed it may take it back by refusing it. The same decision by the
    same person again is harmless.

    Raises:
        ModelNotFoundError: there is no such proposal.
        ModelDecidedError: somebody was quicker.
        ModelSamePersonError: they proposed it themselves and now approve it.
    """
    row = _locked(session, model_id=model_id)
    actor = f"staff:{staff_id}"
    wanted = ModelState.APPROVED if decision is ModelDecision.APPROVE else ModelState.REFUSED
    if row.state != ModelState.PROPOSED.value:
        if (row.state, row.decided_by or row.proposed_by) == (wanted.value, actor):
            return _record_of(row)
        raise ModelDecidedError(by=row.decided_by or "", state=row.state)
    is_own = row.proposed_by == actor
    if is_own and decision is ModelDecision.APPROVE:
        raise ModelSamePersonError
    row.state = wanted.value
    # A proposal that is taken back has no second person.
    row.decided_by, row.decided_at = None if is_own else actor, now
    if decision is ModelDecision.APPROVE:
        row.valid_from = max(row.valid_from, day_of(now))
    _record(session, row, f"model_{wanted.value}", actor=actor, now=now)
    return _record_of(row)


def retire_model(session: Session, *, model_id: int, staff_id: int, now: datetime) -> ModelRecord:
    """Stop scoring a challenger; its scores stay. Again is harmless.

    A champion is replaced by approving another one, so that every day has one.

    Raises:
        ModelNotFoundError: there is no such challenger.
        ModelDecidedError: it was not approved.
    """
    row = _locked(session, model_id=model_id)
    if row.role != ModelRole.CHALLENGER.value:
        raise ModelNotFoundError
    if row.state == ModelState.RETIRED.value:
        return _record_of(row)
    if row.state != ModelState.APPROVED.value:
        raise ModelDecidedError(by=row.decided_by or "", state=row.state)
    row.state = ModelState.RETIRED.value
    _record(session, row, "model_retired", actor=f"staff:{staff_id}", now=now)
    return _record_of(row)


def _locked(session: Session, *, model_id: int) -> RiskModel:
    row = session.scalar(
        select(RiskModel)
        .where(RiskModel.id == model_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise ModelNotFoundError
    return row


def _check_name(session: Session, version: ModelVersion) -> None:
    built_in = find_built_in(version.name)
    digests = set(
        session.scalars(select(RiskModel.digest).where(RiskModel.name == version.name).distinct())
    )
    if built_in is not None:
        digests.add(built_in.digest)
    if digests - {version.digest}:
        raise ModelNameTakenError(name=version.name)


def _check_role(session: Session, version: ModelVersion, role: ModelRole, *, day: date) -> None:
    standing = (
        {champion(session, day=day).name}
        if role is ModelRole.CHAMPION
        else {one.name for one in challengers(session, day=date.max)}
    )
    if version.name in standing:
        raise ModelStandsError(name=version.name, role=role.value)


def _record(session: Session, row: RiskModel, action: str, *, actor: str, now: datetime) -> None:
    session.flush()
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=f"risk_model:{row.id}",
        name=row.name,
        digest=row.digest,
        role=row.role,
        valid_from=row.valid_from.isoformat(),
    )
