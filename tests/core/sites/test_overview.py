"""Sites as staff see them: marks, sums by street, the curve; within the area of duty."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from core.people.staff.rules import Area
from core.registration.rules import RegistrationInput, Travel
from core.sites.members import list_members
from core.sites.model import Site
from core.sites.overview import SiteQuery, find_board, get_site_view
from core.sites.rules import SiteMark
from core.sites.service import SiteNotFoundError
from tests.core.sites.conftest import Sites, entry_of

EVERYWHERE = Area()


def marks(sites: Sites, **query: object) -> dict[int, SiteMark]:
    found = find_board(
        sites.session,
        query=SiteQuery(**{"area": EVERYWHERE, **query}),  # type: ignore[arg-type]
        now=sites.now,
    )
    return {line.card.id: line.mark for line in found.lines}


def test_board_tells_who_reported_who_is_late_and_who_rests(sites: Sites) -> None:
    first, second = sites.ids
    third = sites.add()
    sites.session.get_one(Site, third).state = "finished"
    sites.report(100, 2, 0, day=sites.today - timedelta(days=1))
    sites.report(100)
    assert marks(sites) == {
        first: SiteMark.REPORTED,
        second: SiteMark.WAITING,
        third: SiteMark.RESTING,
    }
    sites.later(hours=3)
    assert marks(sites)[second] is SiteMark.LATE
    sites.report(90)
    assert marks(sites, mark=SiteMark.FLAGGED) == {first: SiteMark.FLAGGED}
    board = find_board(sites.session, query=SiteQuery(area=EVERYWHERE), now=sites.now)
    told = [
        (one.street, one.site_count, one.running_count, one.reported_count, one.head_count)
        for one in (*board.streets, board.total)
    ]
    assert told == [
        ("田林街道", 2, 1, 1, 90),
        ("虹梅路街道", 1, 1, 0, 0),
        ("", 3, 2, 1, 90),
    ]
    assert [one.id for one in board.total.missing] == [second]


def test_case_that_is_open_is_seen_first(sites: Sites) -> None:
    sites.add_key_area("420000", "湖北省")
    sites.report(1, 1, 0, joined=(_from_there(sites),))
    (line,) = find_board(
        sites.session, query=SiteQuery(area=EVERYWHERE, text="第1"), now=sites.now
    ).lines
    assert (line.mark, line.open_case_count, line.registered_count) == (SiteMark.OPEN_CASE, 1, 1)


def _from_there(sites: Sites) -> RegistrationInput:
    return entry_of(
        0, stays=("湖北武汉",), travel=Travel.TRAIN, returned_on=sites.today - timedelta(days=2)
    )


def test_area_of_duty_bounds_what_is_seen(sites: Sites) -> None:
    first, second = sites.ids
    assert list(marks(sites, area=Area(street_id=2))) == [second]
    assert marks(sites, area=Area(community_ids=frozenset({1}))) == {}
    with pytest.raises(SiteNotFoundError):
        get_site_view(sites.session, site_id=first, area=Area(street_id=2), now=sites.now)


def test_site_is_shown_with_its_curve_its_contracts_and_its_people(sites: Sites) -> None:
    sites.bind("o-zhao")
    sites.report(80, day=sites.today - timedelta(days=2))
    sites.report(81)
    view = get_site_view(sites.session, site_id=sites.ids[0], area=EVERYWHERE, now=sites.now)
    heads = [None if one.figures is None else one.figures.head_count for one in view.curve]
    assert (len(heads), heads[-3:]) == (30, [80, None, 81])
    assert [one.contractor for one in view.contracts] == ["总包甲"]
    assert list(view.members) == list_members(sites.session, site_id=sites.ids[0], now=sites.now)
    assert view.line.head_count == 81


def test_board_takes_as_many_statements_for_many_sites_as_for_two(lite: Sites) -> None:
    def count() -> int:
        lite.session.expire_all()
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        engine = lite.session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        find_board(lite.session, query=SiteQuery(area=EVERYWHERE), now=lite.now)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    lite.report(10)
    few = count()
    for _ in range(5):
        lite.add()
        lite.report(10, site=len(lite.ids) - 1)
    assert count() == few == 6
