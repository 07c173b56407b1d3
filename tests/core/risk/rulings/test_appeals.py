from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.db import Database
from core.errors import DomainError
from core.files.model import StoredFile
from core.files.rules import FileTypeError
from core.people.staff.rules import Role
from core.places.model import Community, Street
from core.risk.importing import import_indicators
from core.risk.model import IndicatorValue
from core.risk.rules import Colour
from core.risk.rulings.appeals import (
    AppealNotFoundError,
    AppealStandingError,
    decide_appeal,
    recommend_appeal,
    withdraw_appeal,
)
from core.risk.rulings.challenges import AppealIndicatorError, ChallengeNotFoundError
from core.risk.rulings.desk import RulingNotYoursError, RulingPlaceError
from core.risk.rulings.model import Appeal
from core.risk.rulings.rules import (
    AppealDayError,
    ClaimedSameError,
    RulingDecidedError,
    RulingReasonError,
    RulingSamePersonError,
    Verdict,
)
from tests.core.importing_rows import loader_of
from tests.core.risk.rulings.conftest import EVIDENCE, ILL, OTHER, QUIET, REASON, Desk
from tests.core.risk.values import DAY, HARMLESS, TODAY, YELLOW

load = loader_of(import_indicators)


def recommend(
    desk: Desk, appeal_id: int, verdict: Verdict = Verdict.ACCEPT, *, by: str = "wang"
) -> None:
    recommend_appeal(
        desk.session,
        appeal_id=appeal_id,
        verdict=verdict,
        reason=REASON,
        staff_id=desk.staff[by],
        now=desk.now,
    )


def decide(
    desk: Desk,
    appeal_id: int,
    verdict: Verdict = Verdict.ACCEPT,
    *,
    by: str = "li",
    reason: str = "",
) -> None:
    decide_appeal(
        desk.session,
        appeal_id=appeal_id,
        verdict=verdict,
        reason=reason,
        staff_id=desk.staff[by],
        now=desk.now,
    )


def value_of(desk: Desk, code: str = "confirmed") -> tuple[float, str]:
    row = desk.session.execute(
        select(IndicatorValue.value, IndicatorValue.origin).where(
            IndicatorValue.community_id == ILL,
            IndicatorValue.day == DAY,
            IndicatorValue.indicator == code,
        )
    ).one()
    return row.value, row.origin


def state_of(desk: Desk, appeal_id: int) -> str:
    return desk.session.get_one(Appeal, appeal_id).state


# --- three people ---------------------------------------------------------------------------------


def test_accepted_appeal_corrects_the_day_and_whoever_was_told(desk: Desk) -> None:
    desk.follow(ILL)
    appeal_id = desk.object_to(file=EVIDENCE)
    recommend(desk, appeal_id)
    assert (value_of(desk), desk.colour(ILL)) == ((3.0, "imported"), Colour.YELLOW)
    for code in ("recency", "suspected"):
        other = desk.object_to(indicator=code)
        recommend(desk, other)
        decide(desk, other)
    before = desk.row(ILL).score
    decide(desk, appeal_id)
    row = desk.row(ILL)
    assert value_of(desk) == (0.0, "appeal")
    assert before is not None
    assert row.score is not None
    assert row.score == pytest.approx(before - 20)
    assert (row.colour, desk.colour(ILL)) == ("blue", Colour.BLUE)
    assert desk.told() == [("colour_corrected", "o-chen")]
    assert desk.row(QUIET).colour == "blue"
    steps = [(actor, action) for actor, action, _ in desk.recorded()]
    assert steps[:2] == [("zhou", "appeal_raised"), ("wang", "appeal_recommended")]
    assert steps[-1] == ("li", "appeal_accepted")


def test_days_since_the_appealed_one_follow(desk: Desk) -> None:
    last = DAY + timedelta(days=1)
    # Without a value of its own the later day carries the one of the day before.
    desk.later(days=1)
    desk.score(
        {ILL: YELLOW | {"confirmed": 3.0}} | dict.fromkeys((QUIET, OTHER), HARMLESS), day=last
    )
    desk.session.delete(
        desk.session.get_one(
            IndicatorValue, {"day": last, "community_id": ILL, "indicator": "confirmed"}
        )
    )
    appeal_id = desk.object_to()
    recommend(desk, appeal_id)
    decide(desk, appeal_id)
    for day in (DAY, last):
        parts = {part[0]: part[1] for part in desk.row(ILL, day).parts}
        assert parts["confirmed"] == 0.0, day


def test_nobody_has_two_parts_in_an_appeal(desk: Desk) -> None:
    appeal_id = desk.object_to()
    with pytest.raises(RulingSamePersonError):
        recommend(desk, appeal_id, by="zhou")
    with pytest.raises(RulingDecidedError):
        decide(desk, appeal_id)
    recommend(desk, appeal_id)
    for by in ("zhou", "wang"):
        with pytest.raises(RulingSamePersonError):
            decide(desk, appeal_id, by=by)
    assert state_of(desk, appeal_id) == "recommended"


def test_whoever_comes_second_is_told_by_whom(desk: Desk) -> None:
    appeal_id = desk.object_to()
    recommend(desk, appeal_id)
    with pytest.raises(RulingDecidedError) as recommended:
        recommend(desk, appeal_id, Verdict.REFUSE, by="chen")
    assert recommended.value.facts == {"by": "wang", "state": "recommended"}
    decide(desk, appeal_id, Verdict.REFUSE, reason=REASON)
    for verdict in Verdict:
        with pytest.raises(RulingDecidedError) as decided:
            decide(desk, appeal_id, verdict, by="chen", reason=REASON)
        assert decided.value.facts == {"by": "li", "state": "refused"}
    assert value_of(desk) == (3.0, "imported")


def test_second_click_is_the_first_one(desk: Desk) -> None:
    appeal_id = desk.object_to(file=EVIDENCE)
    assert desk.object_to(file=EVIDENCE) == appeal_id
    assert len(desk.session.scalars(select(StoredFile)).all()) == 1
    for _ in range(2):
        recommend(desk, appeal_id)
    for _ in range(2):
        decide(desk, appeal_id)
    assert [action for _, action, _ in desk.recorded()] == [
        "appeal_raised",
        "appeal_recommended",
        "appeal_accepted",
    ]


def test_refusing_and_going_against_the_advice_need_a_reason(desk: Desk) -> None:
    advised, refused = desk.object_to(), desk.object_to(indicator="suspected")
    recommend(desk, advised, Verdict.REFUSE)
    recommend(desk, refused)
    for appeal_id, verdict in ((advised, Verdict.ACCEPT), (refused, Verdict.REFUSE)):
        with pytest.raises(RulingReasonError):
            decide(desk, appeal_id, verdict)
        decide(desk, appeal_id, verdict, reason=REASON)
    assert value_of(desk)[1] == "appeal"
    assert value_of(desk, "suspected")[1] == "imported"


def test_officer_takes_their_own_appeal_back(desk: Desk) -> None:
    appeal_id = desk.object_to()
    recommend(desk, appeal_id)
    with pytest.raises(RulingNotYoursError):
        withdraw_appeal(
            desk.session, appeal_id=appeal_id, staff_id=desk.staff["wang"], now=desk.now
        )
    for _ in range(2):
        withdraw_appeal(
            desk.session, appeal_id=appeal_id, staff_id=desk.staff["zhou"], now=desk.now
        )
    with pytest.raises(RulingDecidedError) as withdrawn:
        decide(desk, appeal_id)
    assert withdrawn.value.facts == {"by": "", "state": "withdrawn"}
    assert desk.object_to() != appeal_id, "it may be raised again"


def test_value_that_was_won_stays_when_the_file_is_imported_again(desk: Desk) -> None:
    appeal_id = desk.object_to()
    recommend(desk, appeal_id)
    decide(desk, appeal_id)
    row = {"day": str(DAY), "community_code": "T2", "indicator": "confirmed", "value": "3"}
    outcome = load(desk.session, desk.now, row)
    assert (outcome.unchanged_count, outcome.days, outcome.rejections) == (1, set(), [])
    assert value_of(desk) == (0.0, "appeal")


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.flush()
        session.add(Community(id=ILL, code="T2", name="新村", street_id=1, changed_at=now))
        session.flush()
        desk = Desk(session=session, now=now)
        for name in ("wang", "li", "chen", "zhou"):
            desk.add(name, Role.DISTRICT_REVIEWER)
        desk.score({ILL: YELLOW})
        appeal_id = desk.object_to()
        recommend(desk, appeal_id)
    gate = Barrier(2)

    def act(name: str, verdict: Verdict) -> str:
        gate.wait()
        try:
            with database.transaction() as session:
                own = Desk(session=session, now=now, staff=desk.staff)
                decide(own, appeal_id, verdict, by=name, reason=REASON)
        except RulingDecidedError as error:
            return str(error.facts["by"])
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(act, ("li", "chen"), (Verdict.ACCEPT, Verdict.REFUSE)))
    with database.reading() as session:
        state = session.get_one(Appeal, appeal_id).state
        value = session.scalar(
            select(IndicatorValue.value).where(IndicatorValue.indicator == "confirmed")
        )
    winner, kept = {"accepted": ("li", 0.0), "refused": ("chen", 3.0)}[state]
    assert (sorted(told), value) == (["", winner], kept)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"by": "wu"}, RulingPlaceError),
        ({"community_id": 99, "by": "wang"}, RulingPlaceError),
        ({"day": TODAY}, AppealDayError),
        ({"day": TODAY - timedelta(days=15)}, AppealDayError),
        ({"day": DAY - timedelta(days=1)}, ChallengeNotFoundError),
        ({"indicator": "weather"}, AppealIndicatorError),
        ({"claimed": 3.0}, ClaimedSameError),
        ({"evidence": "嗯"}, RulingReasonError),
        ({"file": EVIDENCE.__class__(name="x.pdf", content=b"MZ")}, FileTypeError),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else one.__name__,
)
def test_appeal_that_cannot_be_leaves_nothing(
    desk: Desk, changes: dict[str, object], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        desk.object_to(**changes)  # type: ignore[arg-type]
    assert desk.recorded() == []
    assert desk.session.scalars(select(Appeal)).all() == []


def test_value_that_is_appealed_is_not_appealed_again(desk: Desk) -> None:
    desk.object_to()
    for changes in ({"by": "wang"}, {"claimed": 1.0}):
        with pytest.raises(AppealStandingError) as standing:
            desk.object_to(**changes)  # type: ignore[arg-type]
        assert standing.value.facts == {"by": "zhou"}
    assert desk.object_to(indicator="suspected")


def test_appeal_outside_ones_area_does_not_exist(desk: Desk) -> None:
    appeal_id = desk.object_to()
    for act in (recommend, decide):
        with pytest.raises(AppealNotFoundError):
            act(desk, appeal_id, by="wu")
    with pytest.raises(AppealNotFoundError):
        withdraw_appeal(desk.session, appeal_id=appeal_id, staff_id=desk.staff["wu"], now=desk.now)
    assert state_of(desk, appeal_id) == "open"


def test_missing_value_can_be_appealed(desk: Desk) -> None:
    night = DAY - timedelta(days=1)
    values = {code: value for code, value in YELLOW.items() if code != "vuln"}
    desk.score({ILL: values}, day=night)
    appeal_id = desk.object_to(0.4, indicator="vuln", day=night)
    assert desk.session.get_one(Appeal, appeal_id).computed_value is None
    recommend(desk, appeal_id)
    decide(desk, appeal_id)
    assert {part[0]: part[1] for part in desk.row(ILL, night).parts}["vuln"] == 0.4


def test_audit_names_the_appeal_and_not_how_many_people_it_is_about(desk: Desk) -> None:
    appeal_id = desk.object_to(claimed=2.0)
    desk.session.flush()
    facts = desk.session.scalars(
        select(AuditEntry.facts).where(AuditEntry.action == "appeal_raised")
    ).one()
    assert facts == {"appeal_id": appeal_id, "day": DAY.isoformat(), "indicator": "confirmed"}
