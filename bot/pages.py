"""The machinery of pages on the wire: sessions, forged requests, one transaction, answers.

A door (`bot/console.py`, `bot/h5.py`) says who asks and whether they may enter; what is the same
behind every door is here.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial, wraps
from typing import ClassVar, Final, Generic, TypeAlias, TypedDict, TypeVar
from urllib.parse import quote

import structlog
from flask import Flask, Request, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from bot.services import Services
from bot.store import StoreUnavailableError
from core.clock import local
from core.db import Database
from core.errors import DomainError
from core.files.store import FileStore
from handlers.page import Answer, Download, Page, PageRoute, PageVisit, Redirect, Upload

log = structlog.get_logger()

FORM_FIELD: Final = "csrf"
REFUSED: Final = 400  # a status from here on undoes what was written
# Two files of ten megabytes, and the fields beside them.
MAX_UPLOAD_BYTES: Final = 22 * 1024 * 1024
# A browser shows these by itself and runs nothing that is in them.
INLINE_TYPES: Final = frozenset({"application/pdf", "image/jpeg", "image/png"})
MAX_FILENAME: Final = 120

Status: TypeAlias = Callable[[DomainError], int]
CallerT = TypeVar("CallerT")
VisitT = TypeVar("VisitT", bound=PageVisit)


class Basis(TypedDict):
    """What the visit of every door is made of; see `PageVisit`."""

    now: datetime
    method: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    lists: Callable[[str], tuple[str, ...]]
    uploads: Mapping[str, Upload]
    params: Mapping[str, str]
    address: str
    reading: Callable[[], Session]
    writing: Callable[[], Session]
    is_within: Callable[[str, int, int], bool]
    file_store: FileStore


class Door(ABC, Generic[CallerT, VisitT]):
    """The pages below one address: who asks, who may enter, and what they are answered."""

    # Of its templates and static files, and the beginning of its endpoints' names.
    folder: ClassVar[str]
    cookie: ClassVar[str]

    def __init__(self, services: Services, *, status_of: Status) -> None:
        """Prepare the door.

        Args:
            services: of the application.
            status_of: returns the HTTP status of a domain error.
        """
        self.services = services
        self._status_of = status_of

    def add_to(self, app: Flask, routes: Sequence[PageRoute[VisitT]]) -> None:
        """Add every page of a table to the application."""
        app.jinja_env.filters["shanghai"] = _wall_clock
        for route in routes:
            name = f"{self.folder}_{route.name}"
            app.add_url_rule(route.path, name, self._entered(route), methods=list(route.methods))

    @abstractmethod
    def caller_of(self, request: Request, *, now: datetime) -> CallerT:
        """Return who sends a request."""

    @abstractmethod
    def token_of(self, caller: CallerT) -> str:
        """Return the token of the caller's browser, which their forms are bound to."""

    @abstractmethod
    def refusal_of(
        self, route: PageRoute[VisitT], request: Request, caller: CallerT
    ) -> Answer | Response | None:
        """Return what somebody is answered who may not enter as they come; None if they may."""

    @abstractmethod
    def visit_of(self, basis: Basis, caller: CallerT) -> VisitT:
        """Return the visit that the pages of this door are given."""

    @abstractmethod
    def values_for(self, page: Page, caller: CallerT) -> Mapping[str, object]:
        """Return what every template of this door may name."""

    @abstractmethod
    def keep(self, response: Response, caller: CallerT, *, token: str | None) -> None:
        """Set the cookies of an answer.

        Args:
            response: the answer.
            caller: who asked.
            token: what the page says of the sign-in: a new one, empty for its end, None for no
                change.
        """

    def response_of(self, answer: Answer, caller: CallerT) -> Response:
        """Return the answer as the browser gets it, with its cookies."""
        token = None if isinstance(answer, Download) else answer.token
        if isinstance(answer, Redirect):
            response = redirect(answer.path, 303)
        elif isinstance(answer, Download):
            response = _download(answer)
        else:
            response = self.shown(answer, caller)
            if answer.keep_seconds:
                return _for_anybody(response, seconds=answer.keep_seconds)
        response.headers["Cache-Control"] = "no-store"
        self.keep(response, caller, token=token)
        return response

    def csrf_of(self, token: str) -> str:
        """Return what a form must carry: it can be made of the cookie's token here alone."""
        key = self.services.settings.secret_key.get_secret_value().encode()
        message = f"{self.folder} form\0{token}".encode()
        return hmac.digest(key, message, "sha256").hex()

    def is_own_form(self, request: Request, caller: CallerT) -> bool:
        """Return whether a form was sent from a page of this door in this browser."""
        sent = request.form.get(FORM_FIELD, "").encode()
        wanted = self.csrf_of(self.token_of(caller)).encode()
        return self.cookie in request.cookies and hmac.compare_digest(sent, wanted)

    def _entered(self, route: PageRoute[VisitT]) -> Callable[..., Response]:
        """Return the view function of a route; it carries the mark of the route's view."""

        @wraps(route.view)
        def view(**params: object) -> Response:
            now = datetime.now(UTC)
            if route.may_upload:
                request.max_content_length = MAX_UPLOAD_BYTES
            caller = self.caller_of(request, now=now)
            with ExitStack() as stack:
                try:
                    answer = self.refusal_of(route, request, caller)
                    if answer is None:
                        answer = self._answer(route, caller, stack, now=now, params=params)
                except RequestEntityTooLarge:
                    answer = error_page("too_large", status=413)
                if isinstance(answer, Response):
                    return answer
                response = self.response_of(answer, caller)
                if response.is_streamed:
                    # What is sent piece by piece may still be read from the database.
                    response.call_on_close(stack.pop_all().close)
                return response

        return view

    def _answer(
        self,
        route: PageRoute[VisitT],
        caller: CallerT,
        stack: ExitStack,
        *,
        now: datetime,
        params: Mapping[str, object],
    ) -> Answer:
        """Return what a view answers; what it wrote is committed, or undone from 400 on."""
        with ExitStack() as until_committed:
            sessions = _Sessions(
                self.services.database, reading_stack=stack, writing_stack=until_committed
            )
            basis = Basis(
                now=now,
                method=request.method,
                query=request.args.to_dict(),
                form=request.form.to_dict(),
                lists=_lists_of(request),
                uploads=_uploads_of(request),
                params={name: str(value) for name, value in params.items()},
                address=address_of(request, proxy_count=self.services.settings.proxy_count),
                reading=sessions.reading,
                writing=sessions.writing,
                is_within=partial(_is_within, self.services),
                file_store=self.services.files,
            )
            try:
                answer = route.view(self.visit_of(basis, caller))
            except DomainError as error:
                message = self._text_of(error)
                answer = error_page("", message=message, status=self._status_of(error))
            if isinstance(answer, Page) and answer.status >= REFUSED:
                sessions.roll_back()
        return answer

    def shown(self, page: Page, caller: CallerT) -> Response:
        """Return a page as the browser gets it."""
        token = page.token or self.token_of(caller)
        values = {
            **page.values,
            **self.values_for(page, caller),
            "errors": {name: self._text_of(fault) for name, fault in page.faults.items()},
            "csrf": self.csrf_of(token),
        }
        text = render_template(f"{self.folder}/{page.template}.html", **values)
        return make_response(text, page.status)

    def _text_of(self, error: DomainError) -> str:
        return self.services.texts.text_of(f"chat/errors/{error.code}.txt", error.facts)


class _Sessions:
    """The sessions of one request, opened when a page first asks for them."""

    def __init__(
        self, database: Database, *, reading_stack: ExitStack, writing_stack: ExitStack
    ) -> None:
        self._database = database
        self._reading_stack, self._writing_stack = reading_stack, writing_stack
        self._reading: Session | None = None
        self._writing: Session | None = None

    def reading(self) -> Session:
        if self._reading is None:
            self._reading = self._reading_stack.enter_context(self._database.reading())
        return self._reading

    def writing(self) -> Session:
        if self._writing is None:
            self._writing = self._writing_stack.enter_context(self._database.transaction())
        return self._writing

    def roll_back(self) -> None:
        if self._writing is not None:
            self._writing.rollback()


def error_page(reason: str, *, status: int, message: str = "", **values: object) -> Page:
    """Return the page that says why something was not done.

    Args:
        reason: which of the texts of the door's `error.html`; empty: `message` says it.
        status: of the answer.
        message: the text of a domain error.
        **values: what else the text names.
    """
    known = {"reason": reason, "message": message, **values}
    return Page(template="error", values=known, status=status)


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


def disposition_of(filename: str, *, is_inline: bool) -> str:
    """Return the header that names a file, for browsers that read UTF-8 and for those that do not.

    Args:
        filename: as people shall see it; what no file may have in its name is left out.
        is_inline: the browser shows it rather than saves it.

    Source: RFC 6266, RFC 5987
    """
    kept = "".join(one for one in filename if one.isprintable() and one not in '/\\:*?"<>|')
    kept = kept.strip(" .")[-MAX_FILENAME:] or "file"
    plain = "".join(one if one.isascii() and one != "%" else "_" for one in kept)
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"


def _for_anybody(response: Response, *, seconds: int) -> Response:
    """Return a page that may be kept: without a cookie, and not sent again while it is the same."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    return response.make_conditional(request)


def _download(download: Download) -> Response:
    response = make_response(Response(download.content, mimetype=download.media_type))
    is_inline = download.is_inline and download.media_type in INLINE_TYPES
    disposition = disposition_of(download.filename, is_inline=is_inline)
    response.headers["Content-Disposition"] = disposition
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _lists_of(request: Request) -> Callable[[str], tuple[str, ...]]:
    form = request.form
    return lambda name: tuple(form.getlist(name))


def _uploads_of(request: Request) -> dict[str, Upload]:
    """Return the files of a form; a field in which none was chosen comes without a name."""
    return {
        name: Upload(
            # Some browsers send the folders of the person's own disk.
            filename=(sent.filename or "").replace("\\", "/").rsplit("/", 1)[-1],
            media_type=sent.mimetype,
            content=sent.read(),
        )
        for name, sent in request.files.items()
        if sent.filename
    }


def _is_within(services: Services, name: str, limit: int, seconds: int) -> bool:
    try:
        return services.store.hit(name, limit=limit, seconds=seconds)
    except StoreUnavailableError:
        # What must hold without the store, as the lock of an account, is in the database.
        log.warning("page without limits")
        return True


def _wall_clock(instant: datetime) -> str:
    return f"{local(instant):%Y-%m-%d %H:%M:%S}"
