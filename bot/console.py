"""The staff pages on the wire: cookie → who asks, marks, forged requests, transactions, answers.

The cookie holds a random token; the sign-in it stands for is a row, so it can be ended at once.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Final, TypeAlias

import structlog
from flask import Flask, Request, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot.services import Services, services_of
from bot.store import StoreUnavailableError
from core.clock import local
from core.errors import DomainError
from core.people.staff.rules import TOUCH_EVERY, Stage
from core.people.staff.secrets import new_token
from core.people.staff.signing_in import SignedIn, find_signed_in, mark_seen
from handlers.access import Access, mark_of, roles_of
from handlers.console.audit import AUDITED_BY
from handlers.console.communities import SEEN_BY
from handlers.console.routes import ROUTES
from handlers.console.sign_in import PATH_OF, SIGN_IN
from handlers.console.visit import (
    HOME,
    Answer,
    ConsoleRoute,
    Page,
    Redirect,
    Visit,
    safe_next,
    with_next,
)

log = structlog.get_logger()

COOKIE: Final = "hzl_console"
MAX_TOKEN_CHARACTERS: Final = 64
FORM_FIELD: Final = "csrf"
# Pages of somebody who is not through: there is nowhere else to go.
_WITHOUT_NAVIGATION: Final = frozenset({"sign_in", "code", "authenticator", "recovery"})

Status: TypeAlias = Callable[[DomainError], int]


def add_console(app: Flask, *, status_of: Status) -> None:
    """Add every staff page to the application.

    Args:
        app: the application; its services are in place.
        status_of: returns the HTTP status of a domain error.
    """
    app.jinja_env.filters["shanghai"] = _wall_clock
    for route in ROUTES:
        view = _entered(app, route, status_of)
        name = f"console_{route.name}"
        app.add_url_rule(route.path, name, view, methods=list(route.methods))


def _wall_clock(instant: datetime) -> str:
    return f"{local(instant):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """Who sends a request.

    Attributes:
        token: of the cookie; a new one where the browser sent none.
        csrf: what a form of this browser must carry.
        signed_in: whose token it is, if anybody's.
    """

    token: str
    csrf: str
    signed_in: SignedIn | None


class _Sessions:
    """The sessions of one request, opened when a page first asks for them."""

    def __init__(self, services: Services, stack: ExitStack) -> None:
        self._database = services.database
        self._stack = stack
        self._reading: Session | None = None
        self._writing: Session | None = None

    def reading(self) -> Session:
        if self._reading is None:
            self._reading = self._stack.enter_context(self._database.reading())
        return self._reading

    def writing(self) -> Session:
        if self._writing is None:
            self._writing = self._stack.enter_context(self._database.transaction())
        return self._writing

    def roll_back(self) -> None:
        if self._writing is not None:
            self._writing.rollback()


def _entered(app: Flask, route: ConsoleRoute, status_of: Status) -> Callable[[], Response]:
    """Return the view function of a route; it carries the mark of the route's view."""
    services = services_of(app)

    @wraps(route.view)
    def view() -> Response:
        now = datetime.now(UTC)
        caller = _caller(services, request, now=now)
        answer = _refusal(route, request, caller)
        if answer is None:
            answer = _answer(services, route, caller, now=now, status_of=status_of)
        return _respond(services, answer, caller)

    return view


def _caller(services: Services, request: Request, *, now: datetime) -> _Caller:
    token = request.cookies.get(COOKIE, "")[:MAX_TOKEN_CHARACTERS]
    signed_in = None
    if token:
        with services.database.reading() as session:
            signed_in = find_signed_in(session, token=token, now=now)
        if signed_in is not None and now - signed_in.seen_at >= TOUCH_EVERY:
            with services.database.transaction() as session:
                mark_seen(session, signed_in=signed_in, now=now)
    token = token or new_token()
    return _Caller(token=token, csrf=_csrf_of(services, token), signed_in=signed_in)


def _csrf_of(services: Services, token: str) -> str:
    """Return what a form must carry: it can be made of the cookie here alone."""
    key = services.settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, b"console form\0" + token.encode(), "sha256").hex()


def _refusal(route: ConsoleRoute, request: Request, caller: _Caller) -> Answer | None:
    """Return what somebody is answered who may not enter as they come; None if they may."""
    mark, signed_in = mark_of(route.view), caller.signed_in
    wanted = request.full_path.rstrip("?") if request.method == "GET" else HOME
    if signed_in is None and mark is not Access.PUBLIC:
        return Redirect(path=with_next(SIGN_IN, safe_next(wanted)))
    if request.method == "POST" and not _is_own_form(request, caller):
        return Page(template="error", values={"message": "", "reason": "form"}, status=400)
    if signed_in is None or mark is not Access.STAFF:
        return None
    if signed_in.stage is not Stage.DONE:
        return Redirect(path=with_next(PATH_OF[signed_in.stage], safe_next(wanted)))
    if signed_in.role not in roles_of(route.view):
        return Page(template="error", values={"message": "", "reason": "role"}, status=403)
    return None


def _is_own_form(request: Request, caller: _Caller) -> bool:
    sent = request.form.get(FORM_FIELD, "").encode()
    return COOKIE in request.cookies and hmac.compare_digest(sent, caller.csrf.encode())


def _answer(
    services: Services,
    route: ConsoleRoute,
    caller: _Caller,
    *,
    now: datetime,
    status_of: Status,
) -> Answer:
    with ExitStack() as stack:
        sessions = _Sessions(services, stack)
        visit = Visit(
            now=now,
            method=request.method,
            query=request.args.to_dict(),
            form=request.form.to_dict(),
            address=address_of(request, proxy_count=services.settings.proxy_count),
            signed_in=caller.signed_in,
            reading=sessions.reading,
            writing=sessions.writing,
            is_within=partial(_is_within, services),
        )
        try:
            answer = route.view(visit)
        except DomainError as error:
            message = services.texts.text_of(f"chat/errors/{error.code}.txt", error.facts)
            values = {"message": message, "reason": ""}
            answer = Page(template="error", values=values, status=status_of(error))
        if isinstance(answer, Page) and answer.status >= 400:  # noqa: PLR2004  as every page
            sessions.roll_back()
    return answer


def _is_within(services: Services, name: str, limit: int, seconds: int) -> bool:
    try:
        return services.store.hit(name, limit=limit, seconds=seconds)
    except StoreUnavailableError:
        # The lock of an account is in the database and holds without the store.
        log.warning("console without limits")
        return True


def address_of(request: Request, *, proxy_count: int) -> str:
    """Return where a request came from.

    Args:
        request: as the server gives it.
        proxy_count: proxies in front, each of which adds what it saw to `X-Forwarded-For`; what
            stands before that was sent by the caller and may be anything.
    """
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxy_count and len(seen) >= proxy_count and seen[-proxy_count]:
        return seen[-proxy_count]
    return request.remote_addr or ""


def _respond(services: Services, answer: Answer, caller: _Caller) -> Response:
    if isinstance(answer, Redirect):
        response = redirect(answer.path, 303)
    else:
        staff = caller.signed_in if answer.template not in _WITHOUT_NAVIGATION else None
        response = make_response(
            render_template(
                f"console/{answer.template}.html",
                **answer.values,
                staff=staff,
                pages=_pages_for(staff),
                csrf=_csrf_of(services, answer.token or caller.token),
            ),
            answer.status,
        )
    response.headers["Cache-Control"] = "no-store"
    if answer.token == "":
        response.delete_cookie(COOKIE, path=HOME.rstrip("/"))
        return response
    response.set_cookie(
        COOKIE,
        answer.token or caller.token,
        path=HOME.rstrip("/"),
        httponly=True,
        samesite="Lax",
        secure=services.settings.is_production,
    )
    return response


def _pages_for(staff: SignedIn | None) -> list[str]:
    """Return the names of the pages that the navigation shows to somebody."""
    if staff is None or staff.stage is not Stage.DONE:
        return []
    pages = {"communities": SEEN_BY, "audit": AUDITED_BY}
    return ["home", *(name for name, roles in pages.items() if staff.role in roles)]
