"""The list of key areas as of an hour, its versions, and how many people it concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from core.clock import SHANGHAI, local
from core.keyareas.service import list_rows_at
from core.keyareas.versions import KeyAreaListNotFoundError, Version, list_changes, list_versions
from core.people.staff.rules import Role
from core.registration.hits import count_hits
from core.workplaces.rules import Face
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.forms import number_field
from handlers.page import Answer, Page

PATH: Final = "/console/key-areas"
SEEN_BY: Final = (
    Role.ADMINISTRATOR,
    Role.DISTRICT_REVIEWER,
    Role.STREET_OFFICER,
    Role.AUDITOR,
)


@access(Access.STAFF, *SEEN_BY)
def key_areas(visit: Visit) -> Answer:
    """Show the list as of an hour, what changed between two versions, and whom it concerns."""
    session = visit.reading()
    asked_at = hour_field(visit.query, "at")
    at = asked_at or visit.now
    versions = list_versions(session)
    after, before = _compared(visit.query, versions)
    return Page(
        template="key_areas/list",
        values={
            "areas": list_rows_at(session, at=at),
            "at": local(at),
            "is_asked": asked_at is not None,
            "versions": versions,
            "after": after,
            "before": before,
            "changes": _changes(visit, before=before, after=after),
            "hits": count_hits(session, area=visit.staff.area),
            "faces": list(Face),
        },
    )


def hour_field(fields: Mapping[str, str], name: str) -> datetime | None:
    """Return an instant written as a browser sends it, in Asia/Shanghai: 2020-03-28T08:00.

    What cannot be used counts as not given; so do the far ends of the calendar.
    """
    try:
        at = datetime.fromisoformat(fields.get(name, ""))
        # Whoever asks says the hour of their clock, and no zone.
        return at.replace(tzinfo=SHANGHAI) if 1900 <= at.year <= 2100 else None  # noqa: PLR2004
    except ValueError:
        return None


def _compared(
    fields: Mapping[str, str], versions: Sequence[Version]
) -> tuple[Version | None, Version | None]:
    """Return the later and the earlier version to compare: the newest two, unless others are named.

    The first version of all is compared with an empty list: the earlier one is None.
    """
    by_id = {version.id: version for version in versions}
    after = by_id.get(number_field(fields, "after") or 0, next(iter(versions), None))
    if after is None:
        return None, None
    earlier = [version for version in versions if version.id < after.id]
    before = by_id.get(number_field(fields, "before") or 0)
    if before not in earlier:
        before = next(iter(earlier), None)
    return after, before


def _changes(visit: Visit, *, before: Version | None, after: Version | None) -> Sequence[object]:
    if after is None:
        return ()
    try:
        return list_changes(
            visit.reading(), before_id=before.id if before else None, after_id=after.id
        )
    except KeyAreaListNotFoundError:
        return ()
