"""The WeChat account by which somebody on the staff hears: bind it by a code, let it go."""

from __future__ import annotations

from typing import Final

from core.codes.account import find_account_code
from core.codes.drawing import modules_of
from core.people.staff.rules import Role
from core.people.staff.wechat import (
    OfferedCode,
    UnbindReason,
    find_binding,
    offer_code,
    unbind_staff,
)
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.page import Answer, Page, Redirect

PATH: Final = "/console/wechat"
# Uses in seconds.
OFFER_LIMIT: Final = (20, 3600)


@access(Access.STAFF, *Role)
def wechat(visit: Visit) -> Answer:
    """Show whether a WeChat account is bound; offer a code, or let the account go."""
    if not visit.is_post:
        return _page(visit)
    staff_id = visit.staff.staff_id
    if visit.form.get("act") == "unbind":
        unbind_staff(
            visit.writing(),
            staff_id=staff_id,
            reason=UnbindReason.CONSOLE,
            actor=f"staff:{staff_id}",
            now=visit.now,
        )
        return Redirect(path=f"{PATH}?done=unbound")
    if not visit.is_within(f"console-wechat:{staff_id}", *OFFER_LIMIT):
        return _page(visit, fault="too_many", status=429)
    # Shown at once and never again: it is kept as a hash.
    return _page(visit, offered=offer_code(visit.writing(), staff_id=staff_id, now=visit.now))


def _page(
    visit: Visit, *, offered: OfferedCode | None = None, fault: str = "", status: int = 200
) -> Page:
    session = visit.reading()
    account = find_account_code(session, now=visit.now) if offered else None
    return Page(
        template="wechat",
        values={
            "binding": find_binding(session, staff_id=visit.staff.staff_id),
            "offered": offered,
            "qr": modules_of(account.address) if account else None,
            "fault": fault,
            "done": visit.query.get("done", ""),
            "is_asked": "asked" in visit.query,
        },
        status=status,
    )
