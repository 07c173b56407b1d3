from __future__ import annotations

from handlers.access import Access, mark_of
from handlers.h5.routes import ROUTES


def test_pages_have_addresses_and_names_of_their_own_below_h5() -> None:
    assert len({route.path for route in ROUTES}) == len(ROUTES)
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.path.startswith("/h5/") for route in ROUTES)


def test_every_page_is_for_anybody_or_for_somebody_signed_in_through_wechat() -> None:
    marks = {route.name: mark_of(route.view) for route in ROUTES}
    assert set(marks.values()) <= {Access.PUBLIC, Access.PERSON}
    assert marks["home"] is Access.PERSON
