from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.papers.importing import import_papers
from core.papers.model import Paper
from core.places.model import Street
from tests.core.importing_rows import Cells, loader_of

load = loader_of(import_papers)


@pytest.fixture(autouse=True)
def _street(session: Session) -> None:
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.flush()


def cells(**changes: str) -> Cells:
    return {
        "street": "田林街道",
        "title": "田林社区报第120期",
        "published_on": "2020-03-27",
        "url": "https://paper.example/120",
    } | changes


def stored(session: Session) -> list[tuple[object, ...]]:
    rows = select(Paper.street_id, Paper.title, Paper.published_on, Paper.url).order_by(Paper.id)
    return [(one[0], one[1], str(one[2]), one[3][-3:]) for one in session.execute(rows)]


def test_papers_are_stored_with_and_without_a_street(session: Session, now: datetime) -> None:
    outcome = load(session, now, cells(), cells(street="", url="https://paper.example/121"))
    assert (outcome.created_count, outcome.rejections) == (2, [])
    assert stored(session) == [
        (1, "田林社区报第120期", "2020-03-27", "120"),
        (None, "田林社区报第120期", "2020-03-27", "121"),
    ]


def test_known_link_is_updated_without_a_double(session: Session, now: datetime) -> None:
    load(session, now, cells())
    assert load(session, now, cells()).unchanged_count == 1
    outcome = load(session, now, cells(title="田林社区报第一百二十期"))
    assert (outcome.created_count, outcome.updated_count) == (0, 1)
    assert [one[1] for one in stored(session)] == ["田林社区报第一百二十期"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"street": "田林"}, "street_unknown_like"),
        ({"street": "火星街道"}, "street_unknown"),
        ({"title": ""}, "cell_empty"),
        ({"published_on": "2020-05-01"}, "day_too_late"),
        ({"url": "javascript:alert(1)"}, "not_a_link"),
        ({"url": "https://paper.example/1"}, "code_twice"),
    ],
)
def test_row_that_cannot_be_used_is_refused(
    session: Session, now: datetime, changes: Cells, code: str
) -> None:
    first = cells(url="https://paper.example/1")
    outcome = load(session, now, first, cells(**changes))
    assert [(one.line, one.code) for one in outcome.rejections] == [(3, code)]
    assert outcome.created_count == 1


def test_issue_of_next_week_may_be_entered(session: Session, now: datetime) -> None:
    assert load(session, now, cells(published_on="2020-04-04")).created_count == 1
