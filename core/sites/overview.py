"""Sites as staff see them: how each stands today, street by street, and one with its curve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import Session, aliased

from core.bulk import table_of
from core.cases.model import Case
from core.cases.rules import CaseState
from core.clock import day_of
from core.people.staff.rules import Area
from core.registration.model import Registration
from core.registration.rules import COUNTED_STATES
from core.sites.members import MemberCard, list_members
from core.sites.model import Site, SiteContract, SiteReport
from core.sites.reports import ReportCard, list_reports, report_card_of
from core.sites.rules import CURVE_DAYS, Figures, ReportFlag, ReportState, SiteMark, due_at, mark_of
from core.sites.service import SiteCard, SiteNotFoundError, card_of, site_rows
from core.sites.settings import find_due

_COUNTED: Final = tuple(state.value for state in COUNTED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuery:
    """What sites to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        street_id: None: any.
        supervisor_id: account of who watches them; None: anybody's.
        mark: None: any.
        text: part of number, name, project, address or contractor; empty: any.
    """

    area: Area
    street_id: int | None = None
    supervisor_id: int | None = None
    mark: SiteMark | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """A site on a day.

    Attributes:
        report: the one that stands for the day; None: it has not reported.
        last: the last standing report before the day; None: there is none.
        open_case_count: cases of people there that are not closed.
        registered_count: people registered with it who did not leave.
    """

    card: SiteCard
    mark: SiteMark
    report: ReportCard | None
    last: ReportCard | None
    open_case_count: int
    registered_count: int

    @property
    def is_missing(self) -> bool:
        """Whether a report of the day is due from it and has not come."""
        return self.card.is_running and self.report is None

    @property
    def head_count(self) -> int | None:
        """People there as reported last; None: never."""
        newest = self.report or self.last
        return None if newest is None else newest.figures.head_count


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetLine:
    """What there is of sites in a street, or in the whole area of duty.

    Attributes:
        street_id: None: of all streets together.
        running_count: of those that report.
        missing: those that have not reported, by name.
        head_count: people as reported for the day.
        flagged_count: reports of which something needs a look.
    """

    street_id: int | None
    street: str
    site_count: int
    running_count: int
    reported_count: int
    missing: tuple[SiteCard, ...]
    head_count: int
    joined_count: int
    left_count: int
    flagged_count: int
    open_case_count: int
    registered_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBoard:
    """The sites of an area of duty on a day.

    Attributes:
        due_at: aware instant by which they report.
        lines: those that were asked for, by street and number.
        streets: of the whole area of duty, whatever was asked for, by name.
        total: of the whole area of duty.
    """

    day: date
    due_at: datetime
    lines: tuple[SiteLine, ...]
    streets: tuple[StreetLine, ...]
    total: StreetLine


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDay:
    """One day of a site.

    Attributes:
        figures: of the report that stands; None: there is none.
    """

    day: date
    figures: Figures | None
    flags: tuple[ReportFlag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLine:
    """A contract of a site.

    Attributes:
        until: the first local day on which it did not run any more; None: it runs.
    """

    id: int
    contractor: str
    uscc: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """One site with all that there is of it but its people.

    Attributes:
        reports: all that came for the day, the one that stands first.
        curve: thirty days up to this one, each there.
        contracts: the newest first.
        members: who reports or reported, the newest first.
    """

    line: SiteLine
    due_at: datetime
    reports: tuple[ReportCard, ...]
    curve: tuple[CurveDay, ...]
    contracts: tuple[ContractLine, ...]
    members: tuple[MemberCard, ...]


def find_board(
    session: Session, *, query: SiteQuery, now: datetime, day: date | None = None
) -> SiteBoard:
    """Return how the sites of an area of duty stand, in six statements.

    Args:
        session: may be a reading one.
        query: what to list.
        now: aware instant.
        day: local day; None: that of `now`.
    """
    day = day or day_of(now)
    due = due_at(day, due=find_due(session, day=day))
    everything = _lines(session, [_in_area(query.area)], day=day, is_over=now > due)
    return SiteBoard(
        day=day,
        due_at=due,
        lines=tuple(line for line in everything if _is_asked_for(line, query)),
        streets=tuple(_by_street(everything)),
        total=_sum_of(everything, street_id=None, street=""),
    )


def get_site_view(session: Session, *, site_id: int, area: Area, now: datetime) -> SiteView:
    """Return one site of an area of duty.

    Raises:
        SiteNotFoundError: there is none, or it is outside the area.
    """
    day = day_of(now)
    due = due_at(day, due=find_due(session, day=day))
    lines = _lines(session, [_in_area(area), Site.id == site_id], day=day, is_over=now > due)
    if not lines:
        raise SiteNotFoundError
    return SiteView(
        line=lines[0],
        due_at=due,
        reports=tuple(list_reports(session, site_id=site_id, day=day)),
        curve=tuple(list_curve(session, site_id=site_id, day=day)),
        contracts=tuple(list_contracts(session, site_id=site_id)),
        members=tuple(list_members(session, site_id=site_id, now=now)),
    )


def list_curve(
    session: Session, *, site_id: int, day: date, days: int = CURVE_DAYS
) -> list[CurveDay]:
    """Return what a site reported of some days up to one, each day there, the oldest first."""
    first = day - timedelta(days=days - 1)
    rows = session.scalars(
        select(SiteReport).where(
            SiteReport.site_id == site_id,
            SiteReport.day.between(first, day),
            SiteReport.state == ReportState.STANDING.value,
        )
    )
    cards = {row.day: report_card_of(row) for row in rows}
    found = []
    for one in (first + timedelta(days=place) for place in range(days)):
        card = cards.get(one)
        found.append(
            CurveDay(
                day=one,
                figures=None if card is None else card.figures,
                flags=() if card is None else card.flags,
            )
        )
    return found


def list_contracts(session: Session, *, site_id: int) -> list[ContractLine]:
    """Return who builds and built at a site, the newest first."""
    rows = session.scalars(
        select(SiteContract)
        .where(SiteContract.site_id == site_id)
        .order_by(SiteContract.since.desc(), SiteContract.id.desc())
    )
    return [
        ContractLine(
            id=row.id, contractor=row.contractor, uscc=row.uscc, since=row.since, until=row.until
        )
        for row in rows
    ]


# ---- reading -----------------------------------------------------------------------------------


def _in_area(area: Area) -> ColumnElement[bool]:
    if area.community_ids is not None:
        return false()
    return Site.id.is_not(None) if area.street_id is None else Site.street_id == area.street_id


def _lines(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, day: date, is_over: bool
) -> list[SiteLine]:
    """Return the sites that fulfil conditions, by street and number, in five statements."""
    ids = select(Site.id).where(*conditions)
    today = _standing_on(session, ids, day)
    last = _standing_before(session, ids, day)
    cases = _counts(
        session,
        select(Case.workplace_id, func.count())
        .where(Case.workplace_id.in_(ids), Case.state != CaseState.CLOSED.value)
        .group_by(Case.workplace_id),
    )
    registered = _counts(
        session,
        select(Registration.workplace_id, func.count())
        .where(Registration.workplace_id.in_(ids), Registration.state.in_(_COUNTED))
        .group_by(Registration.workplace_id),
    )
    rows = session.execute(site_rows().where(*conditions).order_by(Site.street_id, Site.number))
    lines = []
    for card in map(card_of, rows):
        report = today.get(card.id)
        mark = mark_of(
            is_running=card.is_running,
            has_report=report is not None,
            has_flags=report is not None and bool(report.flags),
            has_case=card.id in cases,
            is_over=is_over,
        )
        lines.append(
            SiteLine(
                card=card,
                mark=mark,
                report=report,
                last=last.get(card.id),
                open_case_count=cases.get(card.id, 0),
                registered_count=registered.get(card.id, 0),
            )
        )
    return lines


def _standing_on(session: Session, ids: Select[int], day: date) -> Mapping[int, ReportCard]:
    rows = session.scalars(
        select(SiteReport).where(
            SiteReport.site_id.in_(ids),
            SiteReport.day == day,
            SiteReport.state == ReportState.STANDING.value,
        )
    )
    return {row.site_id: report_card_of(row) for row in rows}


def _standing_before(session: Session, ids: Select[int], day: date) -> Mapping[int, ReportCard]:
    # Site by site along the index: a join with the newest day of each site is thousands of times
    # slower while the database has not yet counted the table.
    earlier, site_id = aliased(SiteReport), table_of(Site).c.id
    newest = (
        select(earlier.id)
        .where(
            earlier.site_id == site_id,
            earlier.state == ReportState.STANDING.value,
            earlier.day < day,
        )
        .order_by(earlier.day.desc())
        .limit(1)
        .correlate(table_of(Site))
        .scalar_subquery()
    )
    rows = session.scalars(
        select(SiteReport).where(
            SiteReport.id.in_(ids.with_only_columns(newest, maintain_column_froms=True))
        )
    )
    return {row.site_id: report_card_of(row) for row in rows}


def _counts(session: Session, statement: Select[int, int]) -> Mapping[int, int]:
    return dict(session.execute(statement).all())


# ---- sorting -----------------------------------------------------------------------------------


def _is_asked_for(line: SiteLine, query: SiteQuery) -> bool:
    card, text = line.card, query.text.strip().casefold()
    told = (card.number, card.name, card.project, card.address, card.contractor)
    return (
        query.street_id in {None, card.street_id}
        and query.supervisor_id in {None, card.supervisor_id}
        and query.mark in {None, line.mark}
        and (not text or any(text in one.casefold() for one in told))
    )


def _by_street(lines: Iterable[SiteLine]) -> list[StreetLine]:
    streets: dict[tuple[str, int], list[SiteLine]] = {}
    for line in lines:
        streets.setdefault((line.card.street, line.card.street_id), []).append(line)
    return [
        _sum_of(found, street_id=street_id, street=street)
        for (street, street_id), found in sorted(streets.items())
    ]


def _sum_of(lines: Sequence[SiteLine], *, street_id: int | None, street: str) -> StreetLine:
    reports = [line.report for line in lines if line.report is not None]
    missing = sorted((line.card for line in lines if line.is_missing), key=lambda one: one.name)
    return StreetLine(
        street_id=street_id,
        street=street,
        site_count=len(lines),
        running_count=sum(line.card.is_running for line in lines),
        reported_count=len(reports),
        missing=tuple(missing),
        head_count=sum(one.figures.head_count for one in reports),
        joined_count=sum(one.figures.joined_count for one in reports),
        left_count=sum(one.figures.left_count for one in reports),
        flagged_count=sum(bool(one.flags) for one in reports),
        open_case_count=sum(line.open_case_count for line in lines),
        registered_count=sum(line.registered_count for line in lines),
    )
