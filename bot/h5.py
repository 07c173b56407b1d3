"""The door of the pages inside WeChat: cookie → openid, and the way to the platform and back.

Somebody without a sign-in who opens a page is sent to the platform, which sends them back to
`/h5/sign-in` with a code and our state, and from there to the page, without a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Final
from urllib.parse import urlsplit

from flask import Flask, Request, redirect, request
from werkzeug.wrappers import Response

from bot.account import PlatformAccount
from bot.client import WeChatClient
from bot.content_policy import with_script
from bot.h5_cookies import (
    ATTEMPT_LIFE,
    FIRST_TRY,
    RENEW_AFTER,
    SECOND_TRY,
    Attempt,
    H5Session,
    find_session,
    list_attempts,
    new_attempt,
    new_session,
    sealed_attempts,
    used,
)
from bot.h5_held import HeldForm, find_held, hold
from bot.login import PHONE_COOKIE, LoginError, authorize_url, find_openid, is_inside_wechat
from bot.pages import FORM_FIELD, Basis, Door, Status, error_page
from bot.services import Services, services_of
from core.codes.drawing import modules_of
from handlers.access import Access, access, mark_of
from handlers.h5.routes import ROUTES
from handlers.h5.visit import HOME, Visit, safe_next
from handlers.page import Answer, Page, PageRoute, Redirect

COOKIE: Final = "hzl_h5"
ATTEMPTS_COOKIE: Final = "hzl_h5_way"
COOKIE_PATH: Final = HOME.rstrip("/")
SIGN_IN: Final = "/h5/sign-in"
AGAIN: Final = "/h5/again/"


def add_h5(app: Flask, *, status_of: Status) -> None:
    """Add every page inside WeChat to the application, and the way in.

    Args:
        app: the application; its services are in place.
        status_of: returns the HTTP status of a domain error.
    """
    door = _H5(services_of(app), status_of=status_of)
    door.add_to(app, ROUTES)

    @access(Access.PUBLIC)
    def sign_in() -> Response:
        return door.sign_in(request)

    @access(Access.PERSON)
    def again(key: str) -> Response:
        return door.again(key, request)

    app.add_url_rule(SIGN_IN, "h5_sign_in", sign_in, methods=["GET"])
    app.add_url_rule(f"{AGAIN}<key>", "h5_again", again, methods=["GET"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    """Who sends a request.

    Attributes:
        session: of the browser; a new one where it sent none of ours.
        openid: who is signed in; empty if nobody is, or not any more.
        is_stale: whether the cookie has to be set (again).
        is_in_wechat: whether WeChat shows the page.
        now: aware instant of the request.
    """

    session: H5Session
    openid: str
    is_stale: bool
    is_in_wechat: bool
    now: datetime


class _H5(Door[_Caller, Visit]):
    """The pages inside WeChat."""

    folder: ClassVar[str] = "h5"
    cookie: ClassVar[str] = COOKIE

    def __init__(self, services: Services, *, status_of: Status) -> None:
        super().__init__(services, status_of=status_of)
        self.client = WeChatClient(services.settings, services.store)
        self.account = PlatformAccount(services.settings, self.client)

    def caller_of(self, request: Request, *, now: datetime) -> _Caller:
        is_production = self.services.settings.is_production
        phone = "" if is_production else request.cookies.get(PHONE_COOKIE, "")
        found = find_session(request.cookies.get(COOKIE, ""))
        session = found or new_session(openid="", now=now)
        # The simulator hands one browser to many people in turn.
        is_other_phone = bool(phone) and phone != session.openid
        is_in = not is_other_phone and not session.is_over(now)
        return _Caller(
            session=session,
            openid=session.openid if is_in else "",
            # A cookie whose sign-in is over stays: the forms of the browser hang on its token.
            is_stale=found is None or (is_in and now - session.issued_at >= RENEW_AFTER),
            is_in_wechat=is_inside_wechat(
                request.headers.get("User-Agent", ""),
                has_phone_cookie=bool(phone),
                is_production=is_production,
            ),
            now=now,
        )

    def token_of(self, caller: _Caller) -> str:
        return caller.session.token

    def refusal_of(
        self, route: PageRoute[Visit], request: Request, caller: _Caller
    ) -> Answer | Response | None:
        is_nobody = mark_of(route.view) is not Access.PUBLIC and not caller.openid
        if request.method == "POST":
            if is_nobody:
                return self._ended_page(route, request, caller)
            return None if self.is_own_form(request, caller) else error_page("form", status=400)
        return self.way_in(_wanted(request), caller) if is_nobody else None

    def _ended_page(self, route: PageRoute[Visit], request: Request, caller: _Caller) -> Page:
        """Return the page for somebody whose sign-in ended before they sent a form.

        A form may not lead to another site, so the way on is a link.
        """
        page = _page_of_form(route, request)
        if caller.session.openid and self.is_own_form(request, caller):
            held = HeldForm(
                openid=caller.session.openid,
                path=_wanted(request),
                page=page,
                fields=tuple(
                    (name, value)
                    for name, value in request.form.items(multi=True)
                    if name != FORM_FIELD
                ),
                had_files=any(sent.filename for sent in request.files.values()),
            )
            if key := hold(self.services.store, held):
                return error_page("held", status=403, next=f"{AGAIN}{key}")
        return error_page("ended", status=403, next=page)

    def again(self, key: str, request: Request) -> Response:
        """Let somebody who is back send what they had sent before."""
        caller = self.caller_of(request, now=datetime.now(UTC))
        if not caller.openid:
            return self.way_in(_wanted(request), caller)
        held = find_held(self.services.store, key, openid=caller.openid)
        if held is None:
            return self.response_of(error_page("ended", status=404, next=HOME), caller)
        return self.response_of(Page(template="again", values={"held": held}), caller)

    def way_in(self, path: str, caller: _Caller, *, attempt_try: str = FIRST_TRY) -> Response:
        """Return the answer that leads somebody who is not signed in to the platform.

        Args:
            path: where they want to go afterwards.
            caller: who they are; outside of WeChat they are told how to come in.
            attempt_try: which try it is.
        """
        if not caller.is_in_wechat:
            return self.response_of(self._outside_page(path), caller)
        attempt = new_attempt(path=path, attempt_try=attempt_try, now=caller.now)
        url = authorize_url(self.services.settings, return_to=SIGN_IN, state=attempt.state)
        response = redirect(url)
        response.headers["Cache-Control"] = "no-store"
        self.keep(response, caller, token=None)
        self._keep_attempts(response, [*self._attempts_of(request, caller), attempt])
        return response

    def sign_in(self, request: Request) -> Response:
        """Take in somebody who comes back from the platform; send there whoever does not."""
        caller = self.caller_of(request, now=datetime.now(UTC))
        state, code = request.args.get("state", ""), request.args.get("code", "")
        attempts = self._attempts_of(request, caller)
        attempt = next((one for one in attempts if one.state == state), None)
        if attempt is None or attempt.is_used:
            path = attempt.path if attempt else safe_next(request.args.get("next", ""))
            if caller.openid:
                # A browser may ask twice for one address: the first time did it.
                return self.response_of(Redirect(path=path), caller)
            return self._begin_anew(path, caller, state=state)
        try:
            openid = find_openid(self.client, code=code)
        except LoginError as error:
            if error.is_spent:
                return self._begin_anew(attempt.path, caller, state=state)
            response = self.response_of(_failure_page(error, path=attempt.path), caller)
        else:
            response = self._let_in(caller, openid=openid, path=attempt.path)
        self._keep_attempts(response, used(attempts, state))
        return response

    def _begin_anew(self, path: str, caller: _Caller, *, state: str) -> Response:
        """Return the way to the platform; an error if this was the second try already.

        Somebody whose browser keeps no cookies would go back and forth for ever. The state itself
        says which try it is, as such a browser cannot.
        """
        if state.startswith(SECOND_TRY):
            return self.response_of(error_page("sign_in", status=400, next=path), caller)
        return self.way_in(path, caller, attempt_try=SECOND_TRY if state else FIRST_TRY)

    def _let_in(self, caller: _Caller, *, openid: str, path: str) -> Response:
        """Return the answer to somebody who has signed in."""
        session = new_session(openid=openid, now=caller.now)
        if caller.session.openid == openid:
            # The same person as before: what they have open may still be sent.
            session = replace(session, token=caller.session.token)
        response = redirect(path, 303)
        response.headers["Cache-Control"] = "no-store"
        self._set_cookie(response, COOKIE, session.sealed())
        return response

    def _attempts_of(self, request: Request, caller: _Caller) -> list[Attempt]:
        return list_attempts(request.cookies.get(ATTEMPTS_COOKIE, ""), now=caller.now)

    def _keep_attempts(self, response: Response, attempts: list[Attempt]) -> None:
        self._set_cookie(response, ATTEMPTS_COOKIE, sealed_attempts(attempts))

    def _outside_page(self, path: str) -> Page:
        url = self.services.settings.resolved_public_url + safe_next(path)
        is_production = self.services.settings.is_production
        values = {"url": url, "qr": modules_of(url), "is_production": is_production}
        return Page(template="outside", values=values)

    def visit_of(self, basis: Basis, caller: _Caller) -> Visit:
        return Visit(
            **basis,
            openid=caller.openid,
            is_in_wechat=caller.is_in_wechat,
            public_url=self.services.settings.resolved_public_url,
            account=self.account,
        )

    def shown(self, page: Page, caller: _Caller) -> Response:
        response = super().shown(page, caller)
        if page.has_script:
            policy = with_script(self.account.script_url)
            response.headers["Content-Security-Policy"] = policy
        return response

    def values_for(self, page: Page, caller: _Caller) -> Mapping[str, object]:
        is_anybodys = page.keep_seconds > 0
        is_signed_in = bool(caller.openid) and page.token != "" and not is_anybodys
        is_in_wechat = caller.is_in_wechat and not is_anybodys
        return {"is_signed_in": is_signed_in, "is_in_wechat": is_in_wechat}

    def keep(self, response: Response, caller: _Caller, *, token: str | None) -> None:
        if token == "":
            response.delete_cookie(COOKIE, path=COOKIE_PATH)
        elif caller.is_stale:
            renewed = replace(caller.session, issued_at=caller.now)
            self._set_cookie(response, COOKIE, renewed.sealed())

    def _set_cookie(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=ATTEMPT_LIFE if name == ATTEMPTS_COOKIE else None,
            path=COOKIE_PATH,
            httponly=True,
            samesite="Lax",
            secure=self.services.settings.is_production,
        )


def _wanted(request: Request) -> str:
    """Return the page that somebody asks for, with its query."""
    return safe_next(request.full_path.rstrip("?"))


def _failure_page(error: LoginError, *, path: str) -> Page:
    """Return the page for somebody whom the platform did not name."""
    if error.is_retryable:
        return error_page("platform", status=503, next=path)
    return error_page("account", status=403, next=path)


def _page_of_form(route: PageRoute[Visit], request: Request) -> str:
    """Return the page on which a form stands."""
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if sent_from.netloc == request.host:
        query = f"?{sent_from.query}" if sent_from.query else ""
        return safe_next(sent_from.path + query)
    return safe_next(request.path) if "GET" in route.methods else HOME
