from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.papers.model import Paper
from core.papers.service import list_newest_papers, list_papers
from core.places.model import Street

TODAY = date(2020, 3, 28)


@pytest.fixture(autouse=True)
def _papers(session: Session, now: datetime) -> None:
    """Two issues of 田林 and of the district, one of 长桥, and one that is not out yet."""
    session.add_all(
        [Street(id=1, code="310104011", name="田林街道"), Street(id=2, code="2", name="长桥街道")]
    )
    session.flush()
    for street_id, age in ((1, 9), (1, 2), (2, 5), (None, 3), (None, 10), (1, -1)):
        session.add(
            Paper(
                street_id=street_id,
                title=f"{street_id} {age}",
                published_on=TODAY - timedelta(days=age),
                url=f"https://paper.example/{street_id}/{age}",
                changed_at=now,
            )
        )
    session.flush()


def test_papers_of_a_street_come_newest_first_and_not_before_their_day(session: Session) -> None:
    papers = list_papers(session, street_id=1, today=TODAY)
    assert [paper.title for paper in papers] == ["1 2", "1 9"]
    assert (papers[0].street, papers[0].published_on) == ("田林街道", date(2020, 3, 26))
    assert papers[0].url == "https://paper.example/1/2"
    tomorrow = list_papers(session, street_id=1, today=TODAY + timedelta(days=1))
    assert tomorrow[0].title == "1 -1"


def test_papers_of_the_district_have_no_street(session: Session) -> None:
    papers = list_papers(session, street_id=None, today=TODAY)
    assert [(paper.title, paper.street) for paper in papers] == [("None 3", ""), ("None 10", "")]


def test_street_without_papers_has_none(session: Session) -> None:
    assert list_papers(session, street_id=99, today=TODAY) == []


def test_newest_papers_are_of_all_streets(session: Session) -> None:
    papers = list_newest_papers(session, today=TODAY, limit=3)
    assert [paper.title for paper in papers] == ["1 2", "None 3", "2 5"]
