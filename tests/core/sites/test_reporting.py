"""The daily report: once, settled by rule, checked against the days before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.registration.rules import Travel
from core.sites.model import Site
from core.sites.reporting import (
    NothingReportedError,
    ReportPeopleError,
    submit_unchanged,
)
from core.sites.reports import list_reports
from core.sites.rules import ReportDayError, ReportFlag, ReportState
from core.sites.service import SiteRestingError
from core.sites.settings import set_due
from tests.core.sites.conftest import POINT, Sites, entry_of

YESTERDAY = timedelta(days=1)


def test_report_within_its_hour_that_adds_up_has_no_flag(sites: Sites) -> None:
    sites.report(120, day=sites.today - YESTERDAY)
    receipt = sites.report(121, 2, 1, point=POINT)
    assert receipt.is_new
    assert receipt.card == receipt.standing
    assert receipt.card.flags == ()
    (entry,) = sites.recorded("site_reported")[1:]
    assert (entry.subject, entry.facts["head_count"]) == (f"site:{sites.ids[0]}", 121)


def test_same_press_of_the_button_is_one_report(sites: Sites) -> None:
    first = sites.report(120, key="k")
    again = sites.report(999, key="k")
    assert not again.is_new
    assert again.card == first.card
    assert len(sites.recorded("site_reported")) == 1


def test_of_two_people_the_report_made_last_stands_whenever_it_comes(sites: Sites) -> None:
    sites.report(120, made_at=sites.now - timedelta(minutes=5), actor="person:7")
    second = sites.report(130, made_at=sites.now - timedelta(minutes=3), actor="person:8")
    assert second.card.state is ReportState.STANDING
    late = sites.report(110, made_at=sites.now - timedelta(minutes=4), actor="person:9")
    assert late.card.state is ReportState.REPLACED
    assert late.standing == second.card
    same = sites.report(140, made_at=second.card.reported_at, actor="person:7")
    assert same.standing == same.card
    shown = list_reports(sites.session, site_id=sites.ids[0], day=sites.today)
    assert [(one.figures.head_count, one.state.value) for one in shown] == [
        (140, "standing"),
        (110, "replaced"),
        (130, "replaced"),
        (120, "replaced"),
    ]


def test_report_dated_ahead_counts_as_made_when_it_came(lite: Sites) -> None:
    first = lite.report(120, made_at=lite.now + timedelta(hours=9))
    assert first.card.reported_at == lite.now


def test_changed_yesterday_is_checked_against_today_anew(lite: Sites) -> None:
    lite.report(100, day=lite.today - YESTERDAY)
    assert lite.report(103, 2, 0).card.flags == (ReportFlag.ARITHMETIC,)
    lite.report(101, day=lite.today - YESTERDAY)
    (today,) = list_reports(lite.session, site_id=lite.ids[0], day=lite.today)
    assert today.flags == ()


@pytest.mark.parametrize(
    ("heads", "point", "flag"),
    [
        (160, None, ReportFlag.JUMP),
        (201, None, ReportFlag.ABOVE_PLAN),
        (100, (121.45, 31.20), ReportFlag.FAR_AWAY),
    ],
    ids=["jump", "above the plan", "far away"],
)
def test_report_that_needs_a_look_is_flagged(
    lite: Sites, heads: int, point: tuple[float, float] | None, flag: ReportFlag
) -> None:
    lite.report(100, day=lite.today - YESTERDAY)
    card = lite.report(heads, max(heads - 100, 0), point=point).card
    assert flag in card.flags
    assert ReportFlag.ARITHMETIC not in card.flags


def test_report_after_the_hour_that_the_district_set_is_late(lite: Sites) -> None:
    set_due(lite.session, due=(lite.now - timedelta(hours=1)).time(), actor="staff:1", now=lite.now)
    assert ReportFlag.LATE not in lite.report(100).card.flags  # it holds from tomorrow's hour on
    lite.later(days=1)
    assert ReportFlag.LATE in lite.report(100).card.flags


def test_unchanged_takes_the_figures_of_the_day_before(sites: Sites) -> None:
    site_id = sites.ids[0]
    with pytest.raises(NothingReportedError):
        submit_unchanged(
            sites.session,
            site_id=site_id,
            day=sites.today,
            sending=sites.sending("a"),
            now=sites.now,
        )
    sites.report(88, 3, 1, day=sites.today - YESTERDAY)
    first, second = (
        submit_unchanged(
            sites.session,
            site_id=site_id,
            day=sites.today,
            sending=sites.sending(key),
            now=sites.now,
        )
        for key in "ab"
    )
    assert (first.card.figures.head_count, first.card.is_unchanged) == (88, True)
    # Another tap says the same of the same day.
    assert (second.card, second.is_new) == (first.card, False)


def test_seven_identical_days_are_flagged(lite: Sites) -> None:
    lite.later(days=-7)
    lite.report(50)
    for day in range(7):
        lite.later(days=1)
        receipt = submit_unchanged(
            lite.session,
            site_id=lite.ids[0],
            day=lite.today,
            sending=lite.sending(f"u{day}"),
            now=lite.now,
        )
        assert (ReportFlag.SAME_FOR_DAYS in receipt.card.flags) is (day >= 5)


def test_newcomers_are_registered_and_leavers_end(sites: Sites) -> None:
    sites.add_key_area("420000", "湖北省")
    from_there = entry_of(
        1, stays=("湖北武汉",), travel=Travel.TRAIN, returned_on=sites.today - YESTERDAY
    )
    receipt = sites.report(2, 2, 0, joined=(entry_of(0), from_there))
    fine, looked_at = sites.registrations()
    assert [one.card.id for one in receipt.registrations] == [fine.id, looked_at.id]
    assert (fine.state, fine.decided_at, fine.phone) == ("approved", sites.now, "")
    assert (looked_at.state, looked_at.flags) == ("submitted", ["key_area"])
    left = sites.report(1, 0, 1, left_ids=(fine.id,))
    assert left.left_count == 1
    assert sites.registrations()[0].state == "ended"


def test_more_people_than_counted_are_refused(lite: Sites) -> None:
    with pytest.raises(ReportPeopleError):
        lite.report(1, 0, 0, joined=(entry_of(0),))


def test_report_of_another_day_or_of_a_resting_site_is_refused(lite: Sites) -> None:
    for days in (-3, 1):
        with pytest.raises(ReportDayError):
            lite.report(1, day=lite.today + timedelta(days=days))
    lite.session.get_one(Site, lite.ids[0]).state = "finished"
    lite.session.flush()
    with pytest.raises(SiteRestingError):
        lite.report(1)
