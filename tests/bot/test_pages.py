"""What is the same behind every door, tried on the one inside WeChat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select, text
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from bot import h5, pages
from bot.app import create_app
from bot.h5 import COOKIE
from bot.h5_cookies import new_session
from bot.pages import MAX_UPLOAD_BYTES, address_of, disposition_of
from bot.services import services_of
from bot.settings import Settings
from bot.store import StoreUnavailableError
from core.db import Database, Keyring, install_keyring
from core.errors import ConflictError, NotFoundError
from core.places.model import Street
from handlers.access import Access, access
from handlers.forms import FieldMissingError, Form, ids_of
from handlers.h5.routes import ROUTES
from handlers.h5.visit import H5Route, Visit
from handlers.page import Answer, Download, Page, Redirect
from tests.h5 import WECHAT, csrf_of, enter, submit

OPENID = "oTESTabcdefghijklmnopqrstuvw"
PAGE = """<form method="post">{{ typed }}|{{ errors }}|{{ shown }}
<input type="hidden" name="csrf" value="{{ csrf }}"></form>"""
MIB = 1024 * 1024


def _add_street(visit: Visit) -> None:
    visit.writing().add(Street(code=visit.form["code"], name="田林街道"))
    visit.writing().flush()


@access(Access.PERSON)
def _form(visit: Visit) -> Answer:
    form = Form(visit.form, uploads=visit.uploads)
    if not visit.is_post:
        return Page(template="test_form", values={"typed": form.typed})
    _add_street(visit)
    form.text("name")
    if form.faults:
        values = {"typed": form.typed["code"]}
        return Page(template="test_form", values=values, faults=form.faults, status=422)
    return Redirect(path="/h5/")


@access(Access.PERSON)
def _sent(visit: Visit) -> Answer:
    if not visit.is_post:
        return Page(template="test_form")
    uploads = {
        name: (one.filename, one.media_type, len(one.content))
        for name, one in visit.uploads.items()
    }
    shown = f"{ids_of(visit.lists('ids'))} {uploads} {visit.params} {visit.form.get('ids')}"
    return Page(template="test_form", values={"shown": shown})


@access(Access.PERSON)
def _fail(visit: Visit) -> Answer:
    _add_street(visit)
    raise {"conflict": ConflictError, "missing": NotFoundError, "bug": ValueError}[
        visit.form["how"]
    ]


@access(Access.PUBLIC)
def _streets(visit: Visit) -> Answer:
    """Write one street, then stream all that there are."""
    visit.writing().add(Street(code="9", name="流"))
    reading = visit.reading()

    def parts() -> Iterator[bytes]:
        for name in reading.scalars(select(Street.name).order_by(Street.code)):
            yield name.encode()

    return Download(content=parts(), media_type="text/csv", filename="街镇 2020.csv")


@access(Access.PUBLIC)
def _file(visit: Visit) -> Answer:
    return Download(
        content=b"<script>1</script>",
        media_type=visit.query["type"],
        filename="方案.pdf",
        is_inline="inline" in visit.query,
    )


@access(Access.PUBLIC)
def _limited(visit: Visit) -> Answer:
    is_within = visit.is_within(f"test:{visit.address}", 2, 60)
    return Page(template="test_form", values={"shown": is_within})


BOTH = ("GET", "POST")
EXTRA = (
    H5Route(path="/h5/form", name="form", view=_form, methods=BOTH),
    H5Route(path="/h5/sent/<token>/<int:number>", name="sent", view=_sent, methods=BOTH),
    H5Route(path="/h5/upload", name="upload", view=_sent, methods=BOTH, may_upload=True),
    H5Route(path="/h5/fail", name="fail", view=_fail, methods=("POST",)),
    H5Route(path="/h5/streets", name="streets", view=_streets),
    H5Route(path="/h5/file", name="file", view=_file),
    H5Route(path="/h5/limited", name="limited", view=_limited),
)


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(h5, "ROUTES", (*ROUTES, *EXTRA))
    app = create_app(
        Settings.from_env(
            database_url=database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            log_level="error",
        )
    )
    assert app.jinja_loader is not None
    app.jinja_loader = ChoiceLoader([DictLoader({"h5/test_form.html": PAGE}), app.jinja_loader])
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return enter(app.test_client(), OPENID)


def street_codes(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Street.code).order_by(Street.code)))


# --- what is written ----------------------------------------------------------------------------


def test_what_a_page_wrote_is_kept_when_it_leads_on(
    client: FlaskClient, database: Database
) -> None:
    answer = submit(client, "/h5/form", code="1", name="王静")
    assert (answer.status_code, answer.location) == (303, "/h5/")
    assert street_codes(database) == ["1"]


def test_faults_undo_what_was_written_and_stand_beside_what_was_typed(
    client: FlaskClient, database: Database
) -> None:
    answer = submit(client, "/h5/form", code="一", name="")
    assert answer.status_code == 422
    assert "一|{&#39;name&#39;: &#39;这一项还没有填写。&#39;}" in answer.text
    assert FieldMissingError.code not in answer.text
    assert street_codes(database) == []


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("conflict", 409, "conflict"), ("missing", 404, "not_found"), ("bug", 500, "")],
)
def test_error_undoes_what_was_written_and_says_what_happened(
    client: FlaskClient, app: Flask, database: Database, how: str, status: int, code: str
) -> None:
    csrf = csrf_of(client.get("/h5/").text)
    answer = client.post("/h5/fail", data={"csrf": csrf, "code": "1", "how": how})
    assert answer.status_code == status
    assert street_codes(database) == []
    if code:
        message = services_of(app).texts.text_of(f"chat/errors/{code}.txt", {})
        assert message in answer.text
        assert 'href="/h5/"' in answer.text


# --- what is sent -------------------------------------------------------------------------------


def test_repeated_fields_and_parts_of_the_path_reach_the_page(client: FlaskClient) -> None:
    answer = submit(client, "/h5/sent/ab%20c/7", ids=["3", "1", "x", "3"])
    assert "[3, 1] {} {&#39;token&#39;: &#39;ab c&#39;, &#39;number&#39;: &#39;7&#39;} 3" in (
        answer.text
    )


def test_files_reach_the_page_without_the_folders_of_their_owner(client: FlaskClient) -> None:
    answer = submit(
        client,
        "/h5/upload",
        plan=(BytesIO(b"x" * (10 * MIB)), "C:/plans/方案.pdf", "application/pdf"),
        picture=(BytesIO(b"y" * (10 * MIB)), "../../etc/passwd", "image/png"),
        none=(BytesIO(b""), ""),
    )
    assert (
        "&#39;plan&#39;: (&#39;方案.pdf&#39;, &#39;application/pdf&#39;, 10485760)" in answer.text
    )
    assert "&#39;picture&#39;: (&#39;passwd&#39;, &#39;image/png&#39;, 10485760)" in answer.text
    assert "none" not in answer.text


@pytest.mark.parametrize(
    ("path", "size"), [("/h5/sent/a/1", 2 * MIB), ("/h5/upload", MAX_UPLOAD_BYTES)]
)
def test_more_than_a_page_takes_is_refused_in_words(
    client: FlaskClient, path: str, size: int
) -> None:
    answer = submit(client, path, plan=(BytesIO(b"x" * size), "plan.pdf"))
    assert answer.status_code == 413
    assert "提交的内容太大了" in answer.text


def test_limits_are_counted_by_name(client: FlaskClient) -> None:
    shown = [client.get("/h5/limited").text.split("|")[2] for _ in range(3)]
    assert [one.split("\n")[0] for one in shown] == ["True", "True", "False"]


def test_pages_answer_while_the_store_is_away(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise StoreUnavailableError("redis")

    monkeypatch.setattr(services_of(app).store, "hit", fail)
    monkeypatch.setattr(pages.log, "warning", lambda *_: None, raising=False)
    assert "|True" in client.get("/h5/limited").text


# --- what is handed out -------------------------------------------------------------------------


def test_stream_reads_what_was_committed_before_its_first_part(
    client: FlaskClient, database: Database, app: Flask
) -> None:
    with database.transaction() as session:
        session.add(Street(code="1", name="田林"))
    answer = client.get("/h5/streets")
    assert answer.text == "田林流"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"__ 2020.csv\"; filename*=UTF-8''%E8%A1%97%E9%95%87%202020.csv"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    answer.close()
    assert len(services_of(app).database._readers._idle) == 1


def test_stream_that_nobody_reads_to_its_end_gives_its_session_back(
    client: FlaskClient, app: Flask
) -> None:
    answer = client.get("/h5/streets", buffered=False)
    answer.close()
    with services_of(app).database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM street")) == 1
    assert len(services_of(app).database._readers._idle) == 1


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("type=application/pdf&inline=1", "inline"),
        ("type=image/png&inline=1", "inline"),
        ("type=application/pdf", "attachment"),
        ("type=text/html&inline=1", "attachment"),
        ("type=image/svg%2Bxml&inline=1", "attachment"),
    ],
)
def test_only_what_cannot_run_is_shown_in_the_browser(
    client: FlaskClient, query: str, kind: str
) -> None:
    answer = client.get(f"/h5/file?{query}")
    assert answer.headers["Content-Disposition"].startswith(f"{kind}; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == "18"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


@given(st.text(max_size=200))
def test_any_name_of_a_file_is_one_header_without_folders(filename: str) -> None:
    header = disposition_of(filename, is_inline=False)
    assert header.isascii()
    assert header.isprintable()
    plain, _, quoted = header.removeprefix('attachment; filename="').partition(
        "\"; filename*=UTF-8''"
    )
    assert '"' not in plain
    name = unquote(quoted)
    assert 0 < len(name) <= 120
    assert not set(name) & set('/\\:*?"<>|\r\n\0')


def test_name_of_a_file_keeps_its_ending() -> None:
    assert disposition_of("长" * 300 + ".xlsx", is_inline=True).endswith(".xlsx")
    assert (
        disposition_of("..", is_inline=True) == "inline; filename=\"file\"; filename*=UTF-8''file"
    )


# --- where it comes from ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "proxies", "address"),
    [
        ("", 0, "10.0.0.1"),
        ("1.1.1.1", 0, "10.0.0.1"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"),
        ("", 1, "10.0.0.1"),
        ("1.1.1.1", 2, "10.0.0.1"),
    ],
)
def test_address_is_what_the_own_proxies_saw(header: str, proxies: int, address: str) -> None:
    headers = {"X-Forwarded-For": header} if header else {}
    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert address_of(Request(environ.get_environ()), proxy_count=proxies) == address  # type: ignore[arg-type]


# --- as in production ---------------------------------------------------------------------------


def test_upload_that_is_far_too_large_is_answered_by_the_real_server(
    sqlite_database: Database, live_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = live_server(
        env={
            "DATABASE_URL": sqlite_database.url.render_as_string(hide_password=False),
            "INSTANCE_DIR": str(tmp_path / "instance"),
        },
        threads=2,
    )
    install_keyring(Keyring(Settings.from_env().data_key_bytes()))
    session = new_session(openid=OPENID, now=datetime.now(UTC))
    answer = requests.post(
        f"{server.url}/h5/sign-out",
        data=b"x" * (40 * MIB),
        headers={
            "User-Agent": WECHAT,
            "Cookie": f"{COOKIE}={session.sealed()}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout=20,
    )
    assert answer.status_code == 413
    assert "提交的内容太大了" in answer.text
