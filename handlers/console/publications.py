"""Which days went out, which are held and why, and letting one go."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.clock import day_of
from core.errors import DomainError
from core.people.staff.rules import Role
from core.risk.holding import PublicationState
from core.risk.pausing import find_pause
from core.risk.publishing import (
    PublicationNotFoundError,
    PublicationNotHeldError,
    list_publications,
    release_publication,
)
from core.risk.rules import MAX_CARD_AGE_DAYS
from core.risk.rulings.desk import names_of
from core.risk.rulings.rules import MAX_REASON, RulingReasonError, reason_of
from handlers.access import Access, access
from handlers.console.rulings import RULED_BY, status_of
from handlers.console.visit import Visit
from handlers.forms import day_field
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/risk/publications"
SEEN_BY: Final = (*RULED_BY, Role.AUDITOR)


@access(Access.STAFF, *SEEN_BY)
def publications(visit: Visit) -> Answer:
    """List what became of the newest days; the held ones that cards could show come first."""
    return _page(visit)


@access(Access.STAFF, *RULED_BY)
def release(visit: Visit) -> Answer:
    """Let the colours of a held day go out."""
    day = day_field(visit.form, "day")
    if day is None:
        raise PublicationNotFoundError
    try:
        release_publication(
            visit.writing(),
            day=day,
            reason=reason_of(visit.form.get("reason", "")),
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except (PublicationNotHeldError, RulingReasonError) as error:
        return _page(visit, fault=_named(visit, error))
    return Redirect(path=f"{PATH}?done={day.isoformat()}")


def _named(visit: Visit, error: DomainError) -> DomainError:
    """Return an error that names people as pages call them."""
    if not isinstance(error, PublicationNotHeldError):
        return error
    by = str(error.facts.get("by", ""))
    name = names_of(visit.reading(), actors=[by]).get(by, "")
    return PublicationNotHeldError(**{**error.facts, "by": name})


def _page(visit: Visit, *, fault: DomainError | None = None) -> Page:
    session, today = visit.reading(), day_of(visit.now)
    rows = list_publications(session)
    first = today - timedelta(days=MAX_CARD_AGE_DAYS)
    faults = {"reason": fault} if fault else {}
    return Page(
        template="risk/publications",
        values={
            "rows": rows,
            "held": [
                row for row in rows if row.state == PublicationState.HELD.value and row.day >= first
            ],
            "pause": find_pause(session, today=today),
            "names": names_of(session, actors={row.released_by or "" for row in rows}),
            "may_release": visit.staff.role in RULED_BY,
            "done": day_field(visit.query, "done"),
            "asked": day_field(visit.form, "day"),
            "reason": visit.form.get("reason", ""),
            "max_reason": MAX_REASON,
        },
        faults=faults,
        status=status_of(faults.values()),
    )
