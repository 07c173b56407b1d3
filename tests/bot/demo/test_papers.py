from __future__ import annotations

from datetime import date

from bot.demo.papers import ISSUES, make_papers
from core.papers.rules import is_paper_url

TODAY = date(2020, 3, 28)


def test_papers_are_the_same_for_the_same_seed_and_day() -> None:
    assert list(make_papers(1, today=TODAY)) == list(make_papers(1, today=TODAY))


def test_every_street_and_the_district_has_weekly_issues_that_are_out() -> None:
    rows = [row.cells for row in make_papers(1, today=TODAY)]
    assert len({row["street"] for row in rows}) == 14
    assert len(rows) == 14 * ISSUES
    assert all(date.fromisoformat(row["published_on"]) < TODAY for row in rows)


def test_links_are_unique_and_lead_to_nobody() -> None:
    urls = [row.cells["url"] for row in make_papers(1, today=TODAY)]
    assert len(set(urls)) == len(urls)
    assert all(is_paper_url(url) and "//paper.example/" in url for url in urls)
