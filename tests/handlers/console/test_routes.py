from __future__ import annotations

from handlers.access import Access, mark_of, roles_of
from handlers.console.routes import ROUTES


def test_pages_have_addresses_and_names_of_their_own_below_console() -> None:
    assert len({route.path for route in ROUTES}) == len({route.name for route in ROUTES})
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.path.startswith("/console/") for route in ROUTES)


def test_sign_in_alone_is_public_and_its_steps_are_no_pages_of_work() -> None:
    marks = {route.name: mark_of(route.view) for route in ROUTES}
    assert [name for name, mark in marks.items() if mark is Access.PUBLIC] == ["sign_in"]
    steps = {name for name, mark in marks.items() if mark is Access.SIGNING_IN}
    assert steps == {"code", "password", "authenticator", "sign_out"}
    assert all(roles_of(route.view) for route in ROUTES if mark_of(route.view) is Access.STAFF)
