"""What a filing's row allows, whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.resumption.filing.model import Filing
from core.resumption.filing.rules import TRANSITIONS, FilingState, FilingVerdict
from tests.core.resumption.filing.conftest import Desk


@pytest.mark.parametrize("state", FilingState)
def test_a_row_goes_only_where_the_rules_allow(desk: Desk, state: FilingState) -> None:
    filing = Filing(id=1, state=state.value, revision=1, head_count=5)
    if FilingState.SUBMITTED in TRANSITIONS[state]:
        with pytest.raises(ValueError, match="cannot become"):
            filing.decide(FilingVerdict.APPROVE, reason="", now=desk.now, actor="staff:1")
        filing.submit(now=desk.now, actor="person:1")
        assert filing.state == "submitted"
    else:
        with pytest.raises(ValueError, match="cannot become"):
            filing.submit(now=desk.now, actor="person:1")


def test_a_hold_is_over_at_its_end(desk: Desk) -> None:
    filing = Filing(id=1, state="submitted")
    assert filing.holder(now=desk.now) is None
    filing.hold(staff_id=7, now=desk.now)
    assert filing.holder(now=desk.now + timedelta(minutes=9, seconds=59)) == 7
    assert filing.holder(now=desk.now + timedelta(minutes=10)) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "approved", "number": None},
        {"state": "submitted", "plan_id": None},
        {"state": "elsewhere"},
        {"head_count": 0},
        {"returning_count": 26},
        {"returning_count": -1},
        {"draft_head_count": 0},
        {"draft_returning_count": -1},
        {"held_by": None, "held_until": "now"},
    ],
    ids=str,
)
def test_the_database_refuses_what_the_rules_forbid(desk: Desk, broken: dict[str, object]) -> None:
    filing = desk.row(desk.submit(desk.company(), head_count=25, returning_count=3))
    for name, value in broken.items():
        setattr(filing, name, desk.now if value == "now" else value)
    with pytest.raises(IntegrityError):
        desk.session.flush()


def test_a_company_has_one_filing(desk: Desk) -> None:
    filing = desk.submit(desk.company())
    desk.session.add(
        Filing(
            company_id=filing.company.id, state="draft", created_at=desk.now, changed_at=desk.now
        )
    )
    with pytest.raises(IntegrityError):
        desk.session.flush()
