"""The daily report of a site: taken once, settled where several come, flagged at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.errors import ConflictError, InvalidInputError
from core.keyareas.service import hold_list
from core.places.geo import distance_m
from core.registration.cards import Receipt
from core.registration.leaving import end_for
from core.registration.rules import RegistrationInput
from core.registration.service import submit_registration
from core.sites.model import SiteReport
from core.sites.reports import (
    ReportCard,
    figures_of,
    find_standing,
    list_earlier,
    report_card_of,
)
from core.sites.rules import (
    MAX_NOTE,
    MAX_REQUEST_KEY,
    PLACE_DIGITS,
    Figures,
    ReportFacts,
    ReportFlag,
    ReportState,
    ReportWay,
    check_day,
    check_figures,
    due_at,
    flags_of,
    reported_at_for,
    stands_over,
)
from core.sites.service import SiteCard, SiteRestingError, lock_site
from core.sites.settings import find_due
from core.workplaces.rules import Face

# Only these follow from other days; the rest are the report's own.
_OF_DAYS: Final = frozenset({ReportFlag.ARITHMETIC, ReportFlag.SAME_FOR_DAYS, ReportFlag.JUMP})


class NothingReportedError(ConflictError):
    """Nothing changed, but since when? There is no report of an earlier day."""

    code = "site_nothing_reported"


class ReportPeopleError(InvalidInputError):
    """More newcomers or leavers are named than counted; facts: `joined_count`, `left_count`."""

    code = "site_report_people"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """What a site reports of a day.

    Attributes:
        joined: newcomers with all that is asked of them; the others are only counted.
        left_ids: registrations of leavers that were picked from the list.
        note: in the words of who reports; at most 300 characters count.
    """

    figures: Figures
    joined: Sequence[RegistrationInput] = ()
    left_ids: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a report came.

    Attributes:
        actor: who sends it, as `person:7`; may report for the site.
        request_key: of the press of the button, at most 64 characters; twice is once.
        reported_at: aware instant at which it was made, as the sender says.
        point: longitude and latitude of the sender, degrees, GCJ-02; None: not told.
    """

    way: ReportWay
    actor: str
    request_key: str
    reported_at: datetime
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceipt:
    """What became of a report.

    Attributes:
        card: of the report itself.
        standing: of the one that stands for the day, perhaps another.
        is_new: it was stored now; otherwise the same one came before.
        registrations: of the newcomers, in the order given.
        left_count: how many registrations of leavers ended.
    """

    card: ReportCard
    standing: ReportCard
    is_new: bool
    registrations: tuple[Receipt, ...] = ()
    left_count: int = 0


def submit_report(
    session: Session,
    *,
    site_id: int,
    day: date,
    report: ReportInput,
    sending: Sending,
    now: datetime,
) -> ReportReceipt:
    """Take the report of a site for a day; the same press of a button again finds the first one.

    Of several for a day the one that was made last stands, whenever it comes in; of two that were
    made at the same instant the one that came in last.

    Args:
        session: the session of the request.
        site_id: for which the caller may report.
        day: local day; today or one of the two before.
        report: what is reported.
        sending: how it came.
        now: aware instant.

    Raises:
        SiteNotFoundError: there is no such site.
        SiteRestingError: nobody works there.
        ReportDayError: a day to come, or too long ago.
        ReportCountsError: figures that no site has.
        ReportPeopleError: more people are named than counted.
        RegistrationTakenError: a newcomer's document is there with another name.
        RegistrationEndedError: a newcomer ended it themselves; only they can begin anew.
        InvalidInputError: what is told of a newcomer does not agree, see `check_entry`.
    """
    check_day(day, now=now)
    check_figures(report.figures)
    _check_people(report)
    hold_list(session)
    site = _lock_running(session, site_id)
    known = _find_same(session, site_id, sending)
    if known is not None:
        return _again(session, known)
    stored = _store(session, site, report, sending, day=day, is_unchanged=False, now=now)
    registrations = [
        submit_registration(
            session,
            workplace_id=site_id,
            entry=entry,
            openid=None,
            code_id=None,
            actor=sending.actor,
            now=now,
        )
        for entry in report.joined
    ]
    left = end_for(
        session,
        workplace_id=site_id,
        registration_ids=report.left_ids,
        actor=sending.actor,
        now=now,
    )
    return ReportReceipt(
        card=report_card_of(stored),
        standing=_standing_of(session, stored),
        is_new=True,
        registrations=tuple(registrations),
        left_count=len(left),
    )


def submit_unchanged(
    session: Session, *, site_id: int, day: date, sending: Sending, now: datetime
) -> ReportReceipt:
    """Report that nothing changed since the last standing report of an earlier day.

    Where a report of the day stands already and has the same figures, that one is the answer.

    Args:
        session: the session of the request.
        site_id: for which the caller may report.
        day: local day; today or one of the two before.
        sending: how it came.
        now: aware instant.

    Raises:
        NothingReportedError: there is no earlier report.
        SiteNotFoundError, SiteRestingError, ReportDayError: as for `submit_report`.
    """
    check_day(day, now=now)
    site = _lock_running(session, site_id)
    known = _find_same(session, site_id, sending)
    if known is not None:
        return _again(session, known)
    earlier = list_earlier(session, site_id, day)
    if not earlier:
        raise NothingReportedError
    report = ReportInput(figures=Figures(head_count=earlier[0].head_count))
    standing = find_standing(session, site_id, day)
    if standing is not None and figures_of(standing) == report.figures:
        return _again(session, standing)
    stored = _store(session, site, report, sending, day=day, is_unchanged=True, now=now)
    return ReportReceipt(
        card=report_card_of(stored), standing=_standing_of(session, stored), is_new=True
    )


# ---- taking it -------------------------------------------------------------------------------


def _check_people(report: ReportInput) -> None:
    joined, left = len(report.joined), len(set(report.left_ids))
    if joined > report.figures.joined_count or left > report.figures.left_count:
        raise ReportPeopleError(joined_count=joined, left_count=left)


def _lock_running(session: Session, site_id: int) -> SiteCard:
    site = lock_site(session, site_id=site_id)
    if not site.is_running:
        raise SiteRestingError
    return site


def _find_same(session: Session, site_id: int, sending: Sending) -> SiteReport | None:
    return session.scalar(
        select(SiteReport).where(
            SiteReport.site_id == site_id,
            SiteReport.request_key == sending.request_key[:MAX_REQUEST_KEY],
        )
    )


def _again(session: Session, known: SiteReport) -> ReportReceipt:
    return ReportReceipt(
        card=report_card_of(known), standing=_standing_of(session, known), is_new=False
    )


def _store(
    session: Session,
    site: SiteCard,
    report: ReportInput,
    sending: Sending,
    *,
    day: date,
    is_unchanged: bool,
    now: datetime,
) -> SiteReport:
    """Store a report, standing or replaced, and settle what it changes for the next day."""
    reported_at = reported_at_for(sending.reported_at, day=day, now=now)
    standing = find_standing(session, site.id, day)
    stands = standing is None or stands_over(
        reported_at=reported_at, standing_at=standing.reported_at
    )
    if standing is not None and stands:
        standing.state = ReportState.REPLACED.value
        session.flush()
    facts = _facts_for(session, site, report.figures, day=day)
    facts = replace(
        facts,
        is_late=reported_at > due_at(day, due=find_due(session, day=day)),
        distance_m=_distance_of(site, sending),
    )
    longitude, latitude = _rounded(sending.point)
    stored = SiteReport(
        site_id=site.id,
        day=day,
        state=(ReportState.STANDING if stands else ReportState.REPLACED).value,
        way=sending.way.value,
        request_key=sending.request_key[:MAX_REQUEST_KEY],
        head_count=report.figures.head_count,
        joined_count=report.figures.joined_count,
        left_count=report.figures.left_count,
        is_unchanged=is_unchanged,
        flags=[flag.value for flag in flags_of(facts)],
        note=report.note[:MAX_NOTE],
        reported_by=sending.actor,
        reported_at=reported_at,
        received_at=now,
        longitude=longitude,
        latitude=latitude,
    )
    session.add(stored)
    session.flush()
    _record(session, stored, now=now)
    if stands:
        _flag_next(session, site, day)
    return stored


def _record(session: Session, stored: SiteReport, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=stored.reported_by,
        action="site_reported",
        subject=subject_of(stored.site_id, face=Face.SITE),
        report_id=stored.id,
        day=stored.day.isoformat(),
        way=stored.way,
        state=stored.state,
        head_count=stored.head_count,
    )


def _facts_for(session: Session, site: SiteCard, figures: Figures, *, day: date) -> ReportFacts:
    """Return what can be told of figures from the register and the days before."""
    earlier = list_earlier(session, site.id, day)
    in_a_row = [
        figures_of(one)
        for back, one in enumerate(earlier, start=1)
        if one.day == day - timedelta(days=back)
    ]
    return ReportFacts(
        figures=figures,
        before=figures_of(earlier[0]) if earlier else None,
        last_days=in_a_row,
        planned=site.planned,
    )


def _flag_next(session: Session, site: SiteCard, day: date) -> None:
    """Flag anew the standing report that was checked against what stood before."""
    following = session.scalar(
        select(SiteReport)
        .where(
            SiteReport.site_id == site.id,
            SiteReport.day > day,
            SiteReport.state == ReportState.STANDING.value,
        )
        .order_by(SiteReport.day)
        .limit(1)
    )
    if following is None:
        return
    facts = _facts_for(session, site, figures_of(following), day=following.day)
    kept = {ReportFlag(flag) for flag in following.flags} - _OF_DAYS
    flags = kept | (set(flags_of(facts)) & _OF_DAYS)
    following.flags = [flag.value for flag in ReportFlag if flag in flags]
    session.flush()


def _standing_of(session: Session, report: SiteReport) -> ReportCard:
    if report.state == ReportState.STANDING.value:
        return report_card_of(report)
    return report_card_of(find_standing(session, report.site_id, report.day) or report)


def _distance_of(site: SiteCard, sending: Sending) -> float | None:
    if site.point is None or sending.point is None:
        return None
    return distance_m(sending.point, site.point)


def _rounded(point: tuple[float, float] | None) -> tuple[float | None, float | None]:
    if point is None:
        return None, None
    return round(point[0], PLACE_DIGITS), round(point[1], PLACE_DIGITS)
