from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import DomainError
from core.people.staff.rules import Role
from core.places.model import Community, Street
from core.risk.realtime import score_nights
from core.risk.rules import Colour, Rule
from core.risk.rulings.desk import RulingNotYoursError, RulingPlaceError
from core.risk.rulings.model import ColourOverride
from core.risk.rulings.override_cards import count_overrides
from core.risk.rulings.overrides import (
    OverrideNotFoundError,
    OverrideStandingError,
    close_lapsed,
    decide_override,
    end_override,
    withdraw_override,
)
from core.risk.rulings.rules import (
    OverrideUntilError,
    RulingDecidedError,
    RulingReasonError,
    RulingSamePersonError,
    Verdict,
)
from tests.core.risk.rulings.conftest import ILL, OTHER, QUIET, REASON, Desk
from tests.core.risk.values import DAY, HARMLESS, TODAY, put


def decide(
    desk: Desk,
    override_id: int,
    verdict: Verdict = Verdict.ACCEPT,
    *,
    by: str = "li",
    reason: str = "",
) -> None:
    decide_override(
        desk.session,
        override_id=override_id,
        verdict=verdict,
        reason=reason,
        staff_id=desk.staff[by],
        now=desk.now,
    )


def state_of(desk: Desk, override_id: int) -> str:
    return desk.session.get_one(ColourOverride, override_id).state


# --- two people -----------------------------------------------------------------------------------


def test_proposal_colours_nothing_before_another_person_approves(desk: Desk) -> None:
    desk.follow(QUIET)
    override_id = desk.propose(QUIET)
    assert desk.colour(QUIET) is Colour.BLUE
    with pytest.raises(RulingSamePersonError):
        decide(desk, override_id, by="wang")
    decide(desk, override_id)
    row = desk.row(QUIET)
    assert (row.colour, row.computed_colour, row.floors[-1]) == ("red", "blue", Rule.OVERRIDE)
    assert desk.told() == [("colour_changed", "o-chen")]
    assert count_overrides(desk.session, today=TODAY) == 1
    assert desk.recorded() == [
        ("wang", "override_proposed", "community:1"),
        ("li", "override_approved", "community:1"),
    ]


def test_override_lowers_as_well_as_it_raises(desk: Desk) -> None:
    decide(desk, desk.propose(ILL, Colour.BLUE))
    assert desk.colour(ILL) is Colour.BLUE
    assert desk.row(ILL).computed_colour == "yellow"


def test_refusal_needs_a_reason_and_colours_nothing(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    with pytest.raises(RulingReasonError):
        decide(desk, override_id, Verdict.REFUSE)
    decide(desk, override_id, Verdict.REFUSE, reason="依据不足，先补充")
    assert (desk.colour(QUIET), state_of(desk, override_id)) == (Colour.BLUE, "refused")
    assert desk.propose(QUIET) != override_id, "another one may be proposed"


def test_second_click_is_the_first_one(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    assert desk.propose(QUIET) == override_id
    decide(desk, override_id)
    before = desk.recorded()
    decide(desk, override_id)
    assert desk.recorded() == before
    end_override(
        desk.session,
        override_id=override_id,
        reason=REASON,
        staff_id=desk.staff["li"],
        now=desk.now,
    )
    before = desk.recorded()
    end_override(
        desk.session, override_id=override_id, reason="", staff_id=desk.staff["li"], now=desk.now
    )
    assert desk.recorded() == before


def test_whoever_comes_second_is_told_by_whom(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    for changes in ({"by": "li"}, {"reason": "另外一个理由"}, {"colour": Colour.YELLOW}):
        with pytest.raises(OverrideStandingError) as standing:
            desk.propose(QUIET, **changes)
        assert standing.value.facts == {"by": "wang", "state": "proposed"}
    decide(desk, override_id)
    for verdict in Verdict:
        with pytest.raises(RulingDecidedError) as decided:
            decide(desk, override_id, verdict, by="chen", reason=REASON)
        assert decided.value.facts == {"by": "li", "state": "in_force"}


def test_proposer_alone_takes_a_proposal_back(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    with pytest.raises(RulingNotYoursError):
        withdraw_override(
            desk.session, override_id=override_id, staff_id=desk.staff["li"], now=desk.now
        )
    for _ in range(2):
        withdraw_override(
            desk.session, override_id=override_id, staff_id=desk.staff["wang"], now=desk.now
        )
    assert state_of(desk, override_id) == "withdrawn"
    with pytest.raises(RulingDecidedError):
        decide(desk, override_id)


def test_community_outside_ones_area_does_not_exist(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    with pytest.raises(RulingPlaceError):
        desk.propose(OTHER, by="zhou")
    with pytest.raises(OverrideNotFoundError):
        decide(desk, override_id, by="zhou")
    with pytest.raises(OverrideNotFoundError):
        decide(desk, 999)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reason": "嗯"}, RulingReasonError),
        ({"until_day": TODAY - timedelta(days=1)}, OverrideUntilError),
        ({"until_day": TODAY + timedelta(days=15)}, OverrideUntilError),
        ({"community_id": 99}, RulingPlaceError),
    ],
)
def test_proposal_that_cannot_be_leaves_nothing(
    desk: Desk, changes: dict[str, object], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        desk.propose(**({"community_id": QUIET} | changes))  # type: ignore[arg-type]
    assert desk.recorded() == []
    assert desk.session.scalars(select(ColourOverride)).all() == []


# --- its end --------------------------------------------------------------------------------------


def test_override_that_is_ended_gives_the_computed_colour_back_at_once(desk: Desk) -> None:
    override_id = desk.propose(QUIET)
    decide(desk, override_id)
    desk.follow(QUIET)
    with pytest.raises(RulingReasonError):
        end_override(
            desk.session,
            override_id=override_id,
            reason="",
            staff_id=desk.staff["chen"],
            now=desk.now,
        )
    end_override(
        desk.session,
        override_id=override_id,
        reason="核酸结果全部阴性",
        staff_id=desk.staff["chen"],
        now=desk.later(hours=2),
    )
    row = desk.row(QUIET)
    assert (row.colour, row.floors) == ("blue", [])
    assert [openid for _, openid in desk.told()] == ["o-chen"]
    assert count_overrides(desk.session, today=TODAY) == 0
    assert desk.recorded()[-1] == ("chen", "override_ended", "community:1")


def test_override_holds_through_its_last_day_and_not_a_day_longer(desk: Desk) -> None:
    override_id = desk.propose(QUIET, until_day=TODAY)
    decide(desk, override_id)
    desk.follow(QUIET)
    assert close_lapsed(desk.session, now=desk.later(hours=15)) == 0
    assert desk.colour(QUIET) is Colour.RED
    after_midnight = desk.later(hours=1, minutes=7)
    assert close_lapsed(desk.session, now=after_midnight) == 1
    assert close_lapsed(desk.session, now=after_midnight) == 0
    row = desk.row(QUIET)
    assert (row.colour, row.floors, state_of(desk, override_id)) == ("blue", [], "ended")
    assert desk.told() == [], "the night tells"
    assert desk.recorded()[-1] == ("system:nightly", "override_expired", "community:1")


def test_night_ends_an_override_that_nobody_closed(desk: Desk) -> None:
    decide(desk, desk.propose(QUIET, until_day=TODAY))
    put(desk.session, QUIET, HARMLESS, day=TODAY)
    score_nights(desk.session, days=[TODAY], now=desk.later(days=1))
    assert desk.row(QUIET, TODAY).colour == "blue"
    assert desk.row(QUIET).colour == "red", "history keeps what was shown"
    assert count_overrides(desk.session, today=TODAY + timedelta(days=1)) == 0
    assert desk.propose(QUIET, until_day=TODAY + timedelta(days=3)), "it stands in nobody's way"


def test_proposal_that_waited_too_long_cannot_be_approved(desk: Desk) -> None:
    override_id = desk.propose(QUIET, until_day=TODAY)
    desk.later(days=1)
    with pytest.raises(RulingDecidedError) as over:
        decide(desk, override_id)
    assert over.value.facts == {"by": "", "state": "withdrawn"}
    close_lapsed(desk.session, now=desk.now)
    assert state_of(desk, override_id) == "withdrawn"


def test_override_holds_from_night_to_night(desk: Desk) -> None:
    decide(desk, desk.propose(QUIET))
    for days in (1, 2):
        day = DAY + timedelta(days=days)
        put(desk.session, QUIET, HARMLESS, day=day)
        score_nights(desk.session, days=[day], now=desk.later(days=1))
        assert desk.row(QUIET, day).colour == "red"


# --- at once --------------------------------------------------------------------------------------


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        desk = _district(session, now)
        override_id = desk.propose(1)
    gate = Barrier(2)

    def act(name: str, verdict: Verdict) -> str:
        gate.wait()
        try:
            with database.transaction() as session:
                decide_override(
                    session,
                    override_id=override_id,
                    verdict=verdict,
                    reason=REASON,
                    staff_id=desk.staff[name],
                    now=now,
                )
        except RulingDecidedError as error:
            return str(error.facts["by"])
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(act, ("li", "chen"), (Verdict.ACCEPT, Verdict.REFUSE)))
    with database.reading() as session:
        row = session.get_one(ColourOverride, override_id)
        winner = {"in_force": "li", "refused": "chen"}[row.state]
    assert sorted(told) == ["", winner]


def test_two_who_propose_at_once_leave_one_proposal(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        desk = _district(session, now)
    gate = Barrier(2)

    def propose(name: str) -> str:
        gate.wait()
        try:
            with database.transaction() as session:
                own = Desk(session=session, now=now, staff=desk.staff)
                own.propose(1, by=name)
        except OverrideStandingError as error:
            return str(error.facts["by"])
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(propose, ("li", "chen")))
    with database.reading() as session:
        rows = session.scalars(select(ColourOverride)).all()
        names = {identity: name for name, identity in desk.staff.items()}
        assert sorted(told) == ["", names[rows[0].proposed_by]]
    assert len(rows) == 1


def _district(session: Session, now: datetime) -> Desk:
    session.add(Street(id=1, code="1", name="田林街道"))
    session.flush()
    session.add(Community(id=1, code="T1", name="新村", street_id=1, changed_at=now))
    session.flush()
    desk = Desk(session=session, now=now)
    for name in ("wang", "li", "chen"):
        desk.add(name, Role.DISTRICT_REVIEWER)
    desk.score({1: HARMLESS}, day=date(2020, 3, 27))
    return desk
