from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.rules import StationSettings, StationSettingsInvalidError
from core.arrivals.settings import (
    SettingsReasonError,
    SettingsTakenError,
    change_settings,
    find_settings,
    list_settings,
    settings_of,
)
from core.audit.model import AuditEntry

USUAL = StationSettings()
FASTER = replace(USUAL, check_seconds=12.0, post_limit=14)
HOUR = timedelta(hours=1)


def change(
    session: Session, now: datetime, values: StationSettings, reason: str = "两人一岗"
) -> None:
    change_settings(session, now=now, actor="staff:3", values=values, reason=reason)


def test_settings_hold_from_when_they_were_set_and_every_version_stays(
    session: Session, now: datetime
) -> None:
    change(session, now, FASTER)
    change(session, now + HOUR, USUAL, "恢复")
    assert find_settings(session, now=now - HOUR) == USUAL
    assert find_settings(session, now=now) == FASTER
    assert find_settings(session, now=now + 2 * HOUR) == USUAL
    assert [(one.values, one.set_by, one.reason) for one in list_settings(session)] == [
        (USUAL, "staff:3", "恢复"),
        (FASTER, "staff:3", "两人一岗"),
    ]
    first = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).first()
    assert first is not None
    assert first.facts == {
        "changed": "check_seconds, post_limit",
        "check_seconds": 12.0,
        "post_limit": 14,
    }


@pytest.mark.parametrize("reason", ["", "  ", "因" * 201])
def test_settings_are_not_changed_without_a_reason(
    session: Session, now: datetime, reason: str
) -> None:
    with pytest.raises(SettingsReasonError):
        change(session, now, FASTER, reason)


def test_settings_that_are_impossible_or_the_same_are_refused(
    session: Session, now: datetime
) -> None:
    with pytest.raises(StationSettingsInvalidError):
        change(session, now, replace(USUAL, utilisation=1.2))
    with pytest.raises(SettingsTakenError):
        change(session, now, USUAL)


def test_two_changes_of_the_same_moment_are_one(session: Session, now: datetime) -> None:
    change(session, now, FASTER)
    with pytest.raises(SettingsTakenError):
        change(session, now, replace(FASTER, post_limit=15))
    assert find_settings(session, now=now) == FASTER


def test_stored_settings_of_another_time_are_read_as_far_as_they_are_known() -> None:
    assert settings_of({"check_seconds": 12.0, "post_limit": 14, "of_old": 1}) == FASTER
