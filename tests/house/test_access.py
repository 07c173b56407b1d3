"""Who may enter: every address carries one mark, so that none is open by oversight."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bot.app import create_app
from bot.settings import Settings
from core.db import Database
from handlers.access import Access, mark_of, roles_of


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    settings = Settings.from_env(
        database_url=sqlite_database.url.render_as_string(hide_password=False),
        instance_dir=tmp_path,
    )
    return create_app(settings)


def _mark(app: Flask, rule: Rule) -> object:
    return getattr(app.view_functions[rule.endpoint], "access", None)


def test_every_address_has_an_access_mark(app: Flask) -> None:
    unmarked = [
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if not isinstance(_mark(app, rule), Access)
    ]

    assert unmarked == []


def test_no_address_is_served_by_two_views(app: Flask) -> None:
    served: dict[tuple[str, str], str] = {}
    twice = []
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            other = served.setdefault((rule.rule, method), rule.endpoint)
            if other != rule.endpoint:
                twice.append(f"{method} {rule.rule}: {other}, {rule.endpoint}")

    assert twice == []


def test_every_staff_page_names_its_roles_and_nothing_else_is_below_console(app: Flask) -> None:
    marks = {Access.PUBLIC: set[str](), Access.SIGNING_IN: set[str](), Access.STAFF: set[str]()}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        mark = mark_of(view)
        is_console = rule.rule.startswith("/console")
        assert is_console or mark not in {Access.SIGNING_IN, Access.STAFF}, rule.rule
        if is_console:
            assert mark is not None, rule.rule
            assert bool(roles_of(view)) is (mark is Access.STAFF), rule.rule
            marks[mark].add(rule.rule)
    assert marks[Access.PUBLIC] == {"/console/sign-in"}
    assert marks[Access.STAFF]


def test_everything_below_h5_is_for_anybody_or_for_somebody_signed_in_through_wechat(
    app: Flask,
) -> None:
    marks = {Access.PUBLIC: set[str](), Access.PERSON: set[str]()}
    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        is_h5 = rule.rule.startswith("/h5")
        assert is_h5 or mark is not Access.PERSON, rule.rule
        if is_h5:
            assert mark is not None, rule.rule
            marks[mark].add(rule.rule)
    # A page that is open to anybody is named here, so that none is open by oversight.
    assert marks[Access.PUBLIC] == {
        *("/h5/sign-in", "/h5/sign-out", "/h5/signed-out"),
        "/h5/account.png",
        *("/h5/c/<token>", "/h5/c/<token>/report", "/h5/community/<int:id>"),
        "/h5/arrivals",
    }
    assert marks[Access.PERSON]
