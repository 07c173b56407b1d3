"""What the station decides about its posts: the settings in force, a change, the versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from core.arrivals.rules import (
    SETTING_LIMITS,
    StationSettings,
    StationSettingsInvalidError,
)
from core.arrivals.settings import (
    MAX_REASON,
    SettingsReasonError,
    SettingsTakenError,
    SettingsVersion,
    change_settings,
    find_settings,
    list_settings,
)
from core.errors import DomainError
from core.people.staff.rules import Role
from core.risk.rulings.desk import names_of
from handlers.access import Access, access
from handlers.console.arrivals import SEEN_BY
from handlers.console.rulings import status_of
from handlers.console.visit import Visit
from handlers.forms import Form
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/arrivals/settings"
CHANGED_BY: Final = (Role.STATION_MANAGER, Role.ADMINISTRATOR)
NAMES: Final = tuple(one.name for one in fields(StationSettings))
# Shares are typed and shown in percent.
SHARES: Final = frozenset({"utilisation", "wait_share", "relief_share", "peak_share", "day_shock"})
WHOLE: Final = frozenset({"min_shift_hours", "post_limit"})
# May be left empty.
OPTIONAL: Final = frozenset({"post_limit"})
PERCENT: Final = 100
# A share in percent with more places is rounding alone.
PLACES: Final = 6


@access(Access.STAFF, *SEEN_BY)
def settings(visit: Visit) -> Answer:
    """Show the settings in force and every version before them."""
    values = find_settings(visit.reading(), now=visit.now)
    return _page(visit, typed=typed_of(values))


@access(Access.STAFF, *CHANGED_BY)
def change(visit: Visit) -> Answer:
    """Put other settings into force, with a reason."""
    form = Form(visit.form)
    values = read_settings(form)
    reason = form.lines("reason", max_count=MAX_REASON)
    if values is not None and reason is not None:
        try:
            change_settings(
                visit.writing(),
                now=visit.now,
                actor=f"staff:{visit.staff.staff_id}",
                values=values,
                reason=reason,
            )
        except StationSettingsInvalidError as error:
            form.refuse(str(error.facts["setting"]), error)
        except SettingsReasonError as error:
            form.refuse("reason", error)
        except SettingsTakenError as error:
            form.refuse("settings", error)
    if form.faults:
        return _page(visit, typed=form.typed, faults=form.faults)
    return Redirect(path=f"{PATH}?done=change")


def read_settings(form: Form) -> StationSettings | None:
    """Return the settings that a form says, or None with the faults beside its fields."""
    read = {name: _read(form, name) for name in NAMES}
    if form.faults:
        return None
    return StationSettings(**read)  # type: ignore[arg-type]


def typed_of(values: StationSettings) -> dict[str, str]:
    """Return settings as a form shows them; a limit that there is not is empty."""
    shown = {name: getattr(values, name) for name in NAMES}
    return {name: "" if value is None else shown_of(name, value) for name, value in shown.items()}


def shown_of(name: str, value: float) -> str:
    """Return one setting as people read it: shares in percent, no noughts at the end."""
    return f"{round(value * PERCENT, PLACES) if name in SHARES else value:g}"


def _read(form: Form, name: str) -> float | None:
    if name in OPTIONAL and not form.typed.get(name, "").strip():
        return None
    lowest, highest = SETTING_LIMITS[name]
    if name in WHOLE:
        return form.number(name, lowest=int(lowest), highest=int(highest))
    if name not in SHARES:
        return form.decimal(name, lowest=lowest, highest=highest)
    percent = form.decimal(name, lowest=lowest * PERCENT, highest=highest * PERCENT)
    return None if percent is None else round(percent / PERCENT, PLACES)


def _page(
    visit: Visit, *, typed: Mapping[str, str], faults: Mapping[str, DomainError] | None = None
) -> Page:
    session = visit.reading()
    versions = list_settings(session)
    faults = faults or {}
    return Page(
        template="arrivals/settings",
        values={
            "typed": typed,
            "versions": versions,
            "changes": [_changes(versions, place) for place in range(len(versions))],
            "names": names_of(session, actors={one.set_by for one in versions}),
            "usual": typed_of(StationSettings()),
            "may_change": visit.staff.role in CHANGED_BY,
            "max_reason": MAX_REASON,
            "done": visit.query.get("done", ""),
        },
        faults=faults,
        status=status_of(faults.values()),
    )


def _changes(versions: list[SettingsVersion], place: int) -> list[tuple[str, str, str]]:
    """Return what a version changed: the setting, how it was, how it is."""
    before = versions[place + 1].values if place + 1 < len(versions) else StationSettings()
    was, now = typed_of(before), typed_of(versions[place].values)
    return [(name, was[name], now[name]) for name in NAMES if was[name] != now[name]]
