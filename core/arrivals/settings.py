"""Use cases of the station's settings: which are in force, who changed them when and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.arrivals.model import StationSetting
from core.arrivals.rules import StationSettings, check_settings
from core.audit.service import record
from core.errors import ConflictError, InvalidInputError

MAX_REASON: Final = 200


class SettingsReasonError(InvalidInputError):
    """Settings are changed without a reason, or with one that is too long; fact `max`."""

    code: ClassVar[str] = "settings_reason"


class SettingsTakenError(ConflictError):
    """Somebody else changed the settings at this very moment, or they are like that already."""

    code: ClassVar[str] = "settings_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsVersion:
    """Settings, and how they came about.

    Attributes:
        id: of the version; 0 for what holds before anybody decided.
        values: the settings.
        valid_from: aware instant from which they hold; None for those before anybody decided.
        set_by: `staff:3`, or the operator's command.
        reason: as written.
    """

    id: int
    values: StationSettings
    valid_from: datetime | None
    set_by: str
    reason: str


def find_settings(session: Session, *, now: datetime) -> StationSettings:
    """Return the settings in force at an instant; the usual ones before anybody decided."""
    stored = session.scalar(
        select(StationSetting.values)
        .where(StationSetting.valid_from <= now)
        .order_by(StationSetting.valid_from.desc())
        .limit(1)
    )
    return settings_of(stored or {})


def find_change(session: Session, *, now: datetime) -> datetime | None:
    """Return since when the settings of an instant hold; None before anybody decided."""
    return session.scalar(
        select(StationSetting.valid_from)
        .where(StationSetting.valid_from <= now)
        .order_by(StationSetting.valid_from.desc())
        .limit(1)
    )


def list_settings(session: Session, *, limit: int = 50) -> list[SettingsVersion]:
    """Return the versions of the settings, the newest first; empty before anybody decided."""
    rows = session.scalars(
        select(StationSetting).order_by(StationSetting.valid_from.desc()).limit(limit)
    )
    return [
        SettingsVersion(
            id=row.id,
            values=settings_of(row.values),
            valid_from=row.valid_from,
            set_by=row.set_by,
            reason=row.reason,
        )
        for row in rows
    ]


def change_settings(
    session: Session, *, now: datetime, actor: str, values: StationSettings, reason: str
) -> None:
    """Put settings into force from now on.

    Args:
        session: the session of the request.
        now: aware instant.
        actor: `staff:3`.
        values: all of them.
        reason: why, 1-200 characters.

    Raises:
        StationSettingsInvalidError: one of them is outside of its limits.
        SettingsReasonError: the reason is missing or too long.
        SettingsTakenError: these are in force already, or somebody was quicker.
    """
    check_settings(values)
    said = reason.strip()
    if not 1 <= len(said) <= MAX_REASON:
        raise SettingsReasonError(max=MAX_REASON)
    before = find_settings(session, now=now)
    changed = sorted(
        one.name
        for one in fields(StationSettings)
        if getattr(before, one.name) != getattr(values, one.name)
    )
    if not changed:
        raise SettingsTakenError
    try:
        with session.begin_nested():
            row = StationSetting(values=asdict(values), valid_from=now, set_by=actor, reason=said)
            session.add(row)
    except IntegrityError as error:
        raise SettingsTakenError from error
    record(
        session,
        now=now,
        actor=actor,
        action="station_settings_changed",
        subject=f"station_setting:{row.id}",
        changed=", ".join(changed),
        **{name: getattr(values, name) for name in changed},
    )


def settings_of(stored: dict[str, Any]) -> StationSettings:
    """Return stored settings; one that is not stored is the usual one, an unknown one is left."""
    known = {one.name for one in fields(StationSettings)}
    return StationSettings(**{name: value for name, value in stored.items() if name in known})
