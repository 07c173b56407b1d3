"""The door of the staff pages: cookie → who asks, their role, what the navigation shows.

The cookie holds a random token; the sign-in it stands for is a row, so it can be ended at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from flask import Flask, Request
from werkzeug.wrappers import Response

from bot.pages import Basis, Door, Status, error_page
from bot.services import services_of
from core.people.staff.rules import TOUCH_EVERY, Stage
from core.people.staff.secrets import new_token
from core.people.staff.signing_in import SignedIn, find_signed_in, mark_seen
from handlers.access import Access, mark_of, roles_of
from handlers.console.routes import ROUTES
from handlers.console.sign_in import PATH_OF, SIGN_IN
from handlers.console.visit import HOME, Visit, safe_next, with_next
from handlers.page import Answer, Page, PageRoute, Redirect

COOKIE: Final = "hzl_console"
MAX_TOKEN_CHARACTERS: Final = 64
_NAVIGATION: Final = (
    *("home", "filings", "claims", "registrations", "sites", "cases"),
    *("key_areas", "risk", "arrivals", "exports", "audit"),
    # Below the heading of community risk.
    *("risk_mine", "risk_unplaced", "risk_events", "risk_appeals", "risk_overrides"),
    *("risk_publications", "risk_models"),
)
# Pages of somebody who is not through: there is nowhere else to go.
_WITHOUT_NAVIGATION: Final = frozenset({"sign_in", "code", "authenticator", "recovery"})


def add_console(app: Flask, *, status_of: Status) -> None:
    """Add every staff page to the application.

    Args:
        app: the application; its services are in place.
        status_of: returns the HTTP status of a domain error.
    """
    _Console(services_of(app), status_of=status_of).add_to(app, ROUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """Who sends a request.

    Attributes:
        token: of the cookie; a new one where the browser sent none.
        signed_in: whose token it is, if anybody's.
    """

    token: str
    signed_in: SignedIn | None


class _Console(Door[_Caller, Visit]):
    """The pages of staff."""

    folder: ClassVar[str] = "console"
    cookie: ClassVar[str] = COOKIE

    def caller_of(self, request: Request, *, now: datetime) -> _Caller:
        database = self.services.database
        token = request.cookies.get(COOKIE, "")[:MAX_TOKEN_CHARACTERS]
        signed_in = None
        if token:
            with database.reading() as session:
                signed_in = find_signed_in(session, token=token, now=now)
            if signed_in is not None and now - signed_in.seen_at >= TOUCH_EVERY:
                with database.transaction() as session:
                    mark_seen(session, signed_in=signed_in, now=now)
        return _Caller(token=token or new_token(), signed_in=signed_in)

    def token_of(self, caller: _Caller) -> str:
        return caller.token

    def refusal_of(
        self, route: PageRoute[Visit], request: Request, caller: _Caller
    ) -> Answer | None:
        mark, signed_in = mark_of(route.view), caller.signed_in
        wanted = HOME if request.method == "POST" else request.full_path.rstrip("?")
        if signed_in is None and mark is not Access.PUBLIC:
            return Redirect(path=with_next(SIGN_IN, safe_next(wanted)))
        if request.method == "POST" and not self.is_own_form(request, caller):
            return error_page("form", status=400)
        if signed_in is None or mark is not Access.STAFF:
            return None
        if signed_in.stage is not Stage.DONE:
            return Redirect(path=with_next(PATH_OF[signed_in.stage], safe_next(wanted)))
        if signed_in.role not in roles_of(route.view):
            return error_page("role", status=403)
        return None

    def visit_of(self, basis: Basis, caller: _Caller) -> Visit:
        return Visit(
            **basis,
            signed_in=caller.signed_in,
            public_url=self.services.settings.resolved_public_url,
        )

    def values_for(self, page: Page, caller: _Caller) -> Mapping[str, object]:
        staff = caller.signed_in if page.template not in _WITHOUT_NAVIGATION else None
        return {"staff": staff, "pages": _pages_for(staff)}

    def keep(self, response: Response, caller: _Caller, *, token: str | None) -> None:
        if token == "":
            response.delete_cookie(COOKIE, path=HOME.rstrip("/"))
            return
        response.set_cookie(
            COOKIE,
            token or caller.token,
            path=HOME.rstrip("/"),
            httponly=True,
            samesite="Lax",
            secure=self.services.settings.is_production,
        )


def _pages_for(staff: SignedIn | None) -> list[str]:
    """Return the names of the pages that the navigation shows to somebody, in its order."""
    if staff is None or staff.stage is not Stage.DONE:
        return []
    views = {route.name: route.view for route in ROUTES}
    return [name for name in _NAVIGATION if name in views and staff.role in roles_of(views[name])]
