"""Daily reports of sites as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.sites.model import SiteReport
from core.sites.rules import (
    SAME_DAYS,
    Figures,
    ReportFlag,
    ReportState,
    ReportWay,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCard:
    """A report as pages and conversations may show it.

    Attributes:
        flags: in the order of `ReportFlag`.
        reported_by: as the audit log calls who sent it.
    """

    id: int
    site_id: int
    day: date
    state: ReportState
    way: ReportWay
    figures: Figures
    is_unchanged: bool
    flags: tuple[ReportFlag, ...]
    note: str
    reported_by: str
    reported_at: datetime
    received_at: datetime


def find_last_figures(session: Session, *, site_id: int, day: date) -> Figures | None:
    """Return the figures of the last standing report before a day; None: there is none."""
    earlier = list_earlier(session, site_id, day)
    return figures_of(earlier[0]) if earlier else None


def list_reports(session: Session, *, site_id: int, day: date) -> list[ReportCard]:
    """Return all reports of a site for a day, the one that stands first, then the newest."""
    rows = session.scalars(
        select(SiteReport)
        .where(SiteReport.site_id == site_id, SiteReport.day == day)
        .order_by(SiteReport.state.desc(), SiteReport.received_at.desc(), SiteReport.id.desc())
    )
    return [report_card_of(row) for row in rows]


def report_card_of(report: SiteReport) -> ReportCard:
    """Return a report as pages may show it."""
    return ReportCard(
        id=report.id,
        site_id=report.site_id,
        day=report.day,
        state=ReportState(report.state),
        way=ReportWay(report.way),
        figures=figures_of(report),
        is_unchanged=report.is_unchanged,
        flags=tuple(ReportFlag(flag) for flag in report.flags),
        note=report.note,
        reported_by=report.reported_by,
        reported_at=report.reported_at,
        received_at=report.received_at,
    )


def list_earlier(session: Session, site_id: int, day: date) -> Sequence[SiteReport]:
    """Return the standing reports before a day that a new one is checked against, newest first."""
    return session.scalars(
        select(SiteReport)
        .where(
            SiteReport.site_id == site_id,
            SiteReport.day < day,
            SiteReport.state == ReportState.STANDING.value,
        )
        .order_by(SiteReport.day.desc())
        .limit(SAME_DAYS - 1)
    ).all()


def find_standing(session: Session, site_id: int, day: date) -> SiteReport | None:
    """Return the report of a site that stands for a day."""
    return session.scalar(
        select(SiteReport).where(
            SiteReport.site_id == site_id,
            SiteReport.day == day,
            SiteReport.state == ReportState.STANDING.value,
        )
    )


def figures_of(report: SiteReport) -> Figures:
    """Return the numbers of a report."""
    return Figures(
        head_count=report.head_count,
        joined_count=report.joined_count,
        left_count=report.left_count,
    )
