from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.errors import DomainError
from core.places.model import Community, Street
from core.risk import versions
from core.risk.documents import InvalidVersionError
from core.risk.model import RiskScore
from core.risk.scoring import score_day
from core.risk.versions.service import (
    ModelDecidedError,
    ModelDecision,
    ModelNameTakenError,
    ModelNotFoundError,
    ModelRecord,
    ModelRole,
    ModelSamePersonError,
    ModelStandsError,
    ModelState,
    challengers,
    champion,
    decide_model,
    find_stored_version,
    list_models,
    propose_model,
    retire_model,
)
from tests.core.risk.values import DAY, TODAY, VERSION, YELLOW, put

ANNA, BERT = 3, 4
CHAMPION, CHALLENGER = ModelRole.CHAMPION, ModelRole.CHALLENGER
APPROVE, REFUSE = ModelDecision.APPROVE, ModelDecision.REFUSE
Document = dict[str, Any]


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read no version from a database yet."""
    monkeypatch.setattr(versions, "_learned", {})


def document(name: str = "xh-2020.2", **changes: Any) -> Document:
    text = files("core.risk.versions").joinpath("xh-2020.1.json").read_text("utf-8")
    found: Document = json.loads(text) | {"version": name} | changes
    return found


def propose(
    session: Session, now: datetime, role: ModelRole = CHALLENGER, *, by: int = ANNA, **changes: Any
) -> ModelRecord:
    return propose_model(session, document=document(**changes), role=role, staff_id=by, now=now)


def approve(session: Session, now: datetime, record: ModelRecord, *, by: int = BERT) -> ModelRecord:
    return decide_model(session, model_id=record.id, decision=APPROVE, staff_id=by, now=now)


def names_on(session: Session, day: date) -> tuple[str, list[str]]:
    found = [version.name for version in challengers(session, day=day)]
    return champion(session, day=day).name, found


def test_a_version_scores_from_the_day_of_its_approval_and_history_keeps_its_own(
    session: Session, now: datetime
) -> None:
    record = propose(session, now, CHAMPION)
    assert (record.state, names_on(session, TODAY)) == (ModelState.PROPOSED, ("xh-2020.1", []))
    assert approve(session, now, record).valid_from == TODAY
    assert names_on(session, DAY)[0] == "xh-2020.1"
    assert names_on(session, TODAY)[0] == "xh-2020.2"
    # Back to the former one, which is a proposal like any other.
    back = propose(session, now, CHAMPION, name="xh-2020.1")
    approve(session, now + timedelta(days=2), back)
    found = [names_on(session, TODAY + timedelta(days=ahead))[0] for ahead in (1, 2)]
    assert found == ["xh-2020.2", "xh-2020.1"]


def test_a_version_of_a_later_day_waits_for_it(session: Session, now: datetime) -> None:
    approve(session, now, propose(session, now, CHAMPION, valid_from="2020-04-01"))
    found = [names_on(session, date(2020, month, day))[0] for month, day in ((3, 31), (4, 1))]
    assert found == ["xh-2020.1", "xh-2020.2"]


def test_a_challenger_stays_beside_until_it_is_champion_or_retired(
    session: Session, now: datetime
) -> None:
    first = approve(session, now, propose(session, now))
    approve(session, now, propose(session, now, name="xh-2020.3"))
    assert names_on(session, TODAY) == ("xh-2020.1", ["xh-2020.2", "xh-2020.3"])
    assert names_on(session, DAY) == ("xh-2020.1", [])
    approve(session, now, propose(session, now, CHAMPION, name="xh-2020.3"))
    assert names_on(session, TODAY) == ("xh-2020.3", ["xh-2020.2"])
    for _ in range(2):
        retired = retire_model(session, model_id=first.id, staff_id=ANNA, now=now)
        assert retired.state is ModelState.RETIRED
    assert names_on(session, TODAY) == ("xh-2020.3", [])


@pytest.mark.parametrize("role", ModelRole)
def test_whoever_proposes_does_not_approve_but_may_take_it_back(
    session: Session, now: datetime, role: ModelRole
) -> None:
    record = propose(session, now, role)
    with pytest.raises(ModelSamePersonError):
        approve(session, now, record, by=ANNA)
    for _ in range(2):
        taken = decide_model(session, model_id=record.id, decision=REFUSE, staff_id=ANNA, now=now)
        assert taken.state is ModelState.REFUSED
    assert propose(session, now, role).id != record.id


def test_of_two_who_decide_the_second_is_told_and_the_first_may_ask_again(
    session: Session, now: datetime
) -> None:
    record = propose(session, now)
    approve(session, now, record)
    assert approve(session, now, record).state is ModelState.APPROVED
    with pytest.raises(ModelDecidedError) as caught:
        decide_model(session, model_id=record.id, decision=REFUSE, staff_id=5, now=now)
    assert caught.value.facts == {"by": "staff:4", "state": "approved"}
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["model_proposed", "model_approved"]


@pytest.mark.parametrize(
    ("changes", "role", "error"),
    [
        pytest.param({"min_coverage": 0.7}, CHALLENGER, ModelNameTakenError, id="changed document"),
        pytest.param(
            {"name": "xh-2020.1", "min_coverage": 0.7},
            CHAMPION,
            ModelNameTakenError,
            id="name of the software's own",
        ),
        pytest.param({"name": "xh-2020.1"}, CHAMPION, ModelStandsError, id="champion already"),
        pytest.param({}, CHALLENGER, ModelStandsError, id="challenger already"),
        pytest.param({"indicators": []}, CHALLENGER, InvalidVersionError, id="no version"),
    ],
)
def test_what_cannot_be_proposed(
    session: Session,
    now: datetime,
    changes: Document,
    role: ModelRole,
    error: type[DomainError],
) -> None:
    approve(session, now, propose(session, now))
    with pytest.raises(error):
        propose(session, now, role, **changes)


def test_a_version_waits_for_a_role_once(session: Session, now: datetime) -> None:
    propose(session, now)
    with pytest.raises(ModelStandsError):
        propose(session, now, by=BERT)
    assert propose(session, now, CHAMPION).state is ModelState.PROPOSED


def test_only_a_challenger_is_retired(session: Session, now: datetime) -> None:
    record = approve(session, now, propose(session, now, CHAMPION))
    for model_id in (record.id, 99):
        with pytest.raises(ModelNotFoundError):
            retire_model(session, model_id=model_id, staff_id=ANNA, now=now)


def test_a_process_reads_a_version_once_and_then_knows_it_by_name(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = propose(session, now)
    monkeypatch.setattr(versions, "_learned", {})
    assert versions.find_version("xh-2020.2") is None
    assert find_stored_version(session, name="xh-2020.2") == record.version
    assert versions.find_version("xh-2020.2") == record.version
    assert find_stored_version(session, name="xh-1999.1") is None


def test_the_list_ends_with_the_version_of_the_software(session: Session, now: datetime) -> None:
    propose(session, now)
    newest, built_in = list_models(session)
    assert (newest.version.name, newest.proposed_by) == ("xh-2020.2", "staff:3")
    assert (built_in.version, built_in.state) == (VERSION, ModelState.APPROVED)


def test_a_night_scores_the_challenger_in_silence_by_its_own_colours(
    session: Session, now: datetime
) -> None:
    session.add(Street(id=1, code="1", name="田林街道"))
    session.flush()
    session.add(Community(id=1, code="T1", name="新村", street_id=1, changed_at=now))
    session.flush()
    cuts = {"yellow": 90, "red": 95}
    approve(session, now, propose(session, now, cuts=cuts, floors=[]))
    for day in (TODAY, TODAY + timedelta(days=1)):
        put(session, 1, YELLOW, day=day)
        score_day(session, day=day, now=now)
    rows = session.execute(
        select(RiskScore.version, RiskScore.colour, RiskScore.is_published).order_by(
            RiskScore.day, RiskScore.version
        )
    )
    assert [tuple(row) for row in rows] == [
        ("xh-2020.1", "yellow", True),
        ("xh-2020.2", "blue", False),
    ] * 2
