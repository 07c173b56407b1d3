"""create_app(): settings → database → store → callback → pages → error table."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from posixpath import normpath
from typing import Any, Final

import structlog
from flask import Flask, Response, current_app, jsonify, render_template, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from bot import cli, telemetry
from bot.console import add_console
from bot.content_policy import OWN_ALONE
from bot.dispatch import Dispatcher
from bot.envelope import Sealer
from bot.files import ObjectFiles
from bot.h5 import add_h5
from bot.logs import configure_logs
from bot.services import Services, services_of
from bot.settings import Settings
from bot.store import Store, StoreUnavailableError, open_store
from bot.texts import TEMPLATES, Texts, text_constants
from bot.wakeups import Bell
from bot.wechat import Callback, WechatFront
from core.arrivals.issued import find_last_made
from core.clock import day_of
from core.codes.fonts import install_poster_font
from core.db import Database, Keyring, install_keyring
from core.errors import ConflictError, DomainError, ForbiddenError, InvalidInputError, NotFoundError
from core.notices.rules import NoticeState
from core.notices.service import get_outbox_status
from core.risk.publishing import count_held
from core.risk.rulings.override_cards import count_overrides
from core.risk.service import count_colours
from handlers.access import Access, access

log = structlog.get_logger()

# Where a domain error leaves a page or an API; the nearest ancestor decides.
STATUS_OF: Final[dict[type[DomainError], int]] = {
    NotFoundError: 404,
    ForbiddenError: 403,
    ConflictError: 409,
    InvalidInputError: 422,
    DomainError: 400,
}
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": OWN_ALONE,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SIMULATOR_FILES: Final = "simulator/"  # of the static ones; not for the public
MAX_PAGE_BYTES = 2 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Return the application, ready for any WSGI server.

    Nothing connects before the first request, so workers may be forked or started anywhere.
    """
    configure_logs(settings)
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    install_keyring(Keyring(settings.data_key_bytes()))
    install_poster_font(settings.poster_font)
    app = Flask("bot", template_folder=str(TEMPLATES), static_folder=str(TEMPLATES / "static"))
    app.secret_key = settings.secret_key.get_secret_value()
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_PAGE_BYTES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
    )
    database = Database(settings.resolved_database_url)
    store = open_store(settings.redis_url, database)
    texts = Texts(constants=text_constants(settings))
    dispatcher = Dispatcher(
        database=database, store=store, texts=texts, wake_delivery=Bell(settings).ring
    )
    app.extensions["huizhili"] = Services(
        settings, database, store, texts, dispatcher, ObjectFiles(settings)
    )
    app.jinja_env.globals.update(text_constants(settings))
    _add_pages(app, settings)
    add_console(app, status_of=status_of)
    add_h5(app, status_of=status_of)
    _add_error_table(app)
    app.after_request(_harden)
    cli.register(app)
    if not settings.is_production:
        _add_simulator(app, settings)
    front = WechatFront(app.wsgi_app, callback_of(settings, dispatcher))
    app.wsgi_app = front  # type: ignore[method-assign]
    # What is loaded now stays: the collector need not look at it while people wait.
    gc.freeze()
    return app


def callback_of(settings: Settings, responder: Any) -> Callback:
    """Return the callback that these settings describe."""
    keys = settings.aes_keys()
    return Callback(
        token=settings.wechat_token.get_secret_value(),
        sealer=Sealer(keys=keys, appid=settings.wechat_appid) if keys else None,
        account=settings.wechat_account,
        max_age_seconds=settings.wechat_max_age_seconds,
        needs_encryption=settings.wechat_mode == "safe",
        responder=responder,
    )


def _add_pages(app: Flask, settings: Settings) -> None:
    app.add_url_rule("/", view_func=front_page)
    app.add_url_rule("/favicon.ico", view_func=favicon)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    app.add_url_rule("/metrics", view_func=metrics)
    static = app.view_functions["static"]
    app.view_functions["static"] = access(Access.PUBLIC)(_static(static, settings))


def _static(view: Any, settings: Settings) -> Any:
    def static(filename: str) -> Any:
        # The view resolves dots after this look at the path.
        if settings.is_production and normpath(filename).startswith(SIMULATOR_FILES):
            raise NotFound
        return view(filename=filename)

    return static


@access(Access.PUBLIC)
def front_page() -> str:
    """Show the public figures."""
    services = services_of(current_app)
    today = day_of(datetime.now(UTC))
    with services.database.reading() as session:
        counts = count_colours(session, today=today)
        override_count = count_overrides(session, today=today)
    return render_template("public/front.html", counts=counts, override_count=override_count)


@access(Access.PUBLIC)
def favicon() -> Response:
    """Hand out the sign that browsers show beside a title; they ask for it unasked."""
    return current_app.send_static_file("favicon.svg")


@access(Access.OPERATOR)
def healthz() -> Response:
    """Say that the process is up; nothing behind it is asked."""
    return jsonify(status="ok")


@access(Access.OPERATOR)
def readyz() -> tuple[Response, int]:
    """Say whether the database and the store answer."""
    services = services_of(current_app)
    checks = {
        "database": _database_answers(services.database),
        "store": _store_answers(services.store),
    }
    is_ready = all(checks.values())
    status = "ok" if is_ready else "unavailable"
    return jsonify(status=status, checks=checks), 200 if is_ready else 503


def _database_answers(database: Database) -> bool:
    try:
        with database.reading() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
    except SQLAlchemyError:
        return False
    return True


def _store_answers(store: Store) -> bool:
    try:
        store.ping()
    except StoreUnavailableError:
        return False
    return True


@access(Access.OPERATOR)
def metrics() -> Response:
    """Show what Prometheus reads."""
    services = services_of(current_app)
    gauges: dict[str, tuple[str, float]] = {
        "huizhili_database_up": ("The database answers", 0.0),
        "huizhili_store_up": ("The store answers", float(_store_answers(services.store))),
    }
    try:
        with services.database.reading() as session:
            status = get_outbox_status(session, now=datetime.now(UTC))
            held = count_held(session, today=day_of(datetime.now(UTC)))
            forecast_at = find_last_made(session)
        gauges["huizhili_risk_days_held"] = ("Days whose colours are held back", held)
        if forecast_at is not None:
            age = (datetime.now(UTC) - forecast_at).total_seconds()
            gauges["huizhili_arrivals_forecast_seconds"] = ("Age of the newest forecast", age)
        gauges["huizhili_database_up"] = ("The database answers", 1.0)
        gauges["huizhili_outbox_due"] = ("Notices that could be sent now", status.due_count)
        gauges["huizhili_outbox_oldest_due_seconds"] = (
            "How long the longest due notice has waited",
            status.oldest_due_seconds,
        )
        for state in NoticeState:
            gauges[f"huizhili_outbox_{state.value}"] = (
                f"Notices in state {state.value}",
                status.counts.get(state, 0),
            )
    except SQLAlchemyError:
        log.warning("outbox not measured")
    return Response(telemetry.exposition(gauges), mimetype="text/plain; version=0.0.4")


def _add_error_table(app: Flask) -> None:
    @app.errorhandler(DomainError)
    def domain_error(error: DomainError) -> tuple[str, int]:
        status = status_of(error)
        texts = services_of(app).texts
        message = texts.text_of(f"chat/errors/{error.code}.txt", error.facts)
        return render_template("public/error.html", status=status, message=message), status

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> AnyResponse:
        response = error.get_response()  # with its own headers, like `Allow`
        if error.response is None and error.code is not None:
            response.data = render_template("public/error.html", status=error.code, message="")
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> tuple[str, int]:
        log.error("page failed", endpoint=request.endpoint, exc_info=error)
        return render_template("public/error.html", status=500, message=""), 500


def status_of(error: DomainError) -> int:
    """Return the HTTP status of a domain error, by its nearest ancestor in the table."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def _harden(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _add_simulator(app: Flask, settings: Settings) -> None:
    from bot.simulator.mount import mount

    mount(app, settings)
