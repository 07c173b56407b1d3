"""Several who decide at the same instant, and a worker that dies between deciding and telling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.notices.model import Notice
from core.registration.model import Registration
from core.resumption.approval.cards import DecisionCard
from core.resumption.approval.model import Decision, DecisionRow
from core.resumption.approval.preparing import Filtered, prepare_decision
from core.resumption.approval.releasing import release_due
from core.resumption.approval.rules import Outcome, Verdict
from core.resumption.approval.service import UndoOverError, apply_decision, undo_decision
from tests.core.resumption.approval.conftest import Office

PEOPLE = 40


@pytest.fixture
def filled(database: Database, now: datetime) -> Office:
    """A company that other sessions see, in which many wait."""
    with database.transaction() as session:
        office = Office(session=session, now=now)
        for _ in range(PEOPLE):
            office.add(department="生产部")
    return office


def at_once(database: Database, acts: Sequence[Callable[[Session], object]]) -> None:
    """Do everything at the same instant, each in a transaction of its own."""
    start = Barrier(len(acts))

    def do(act: Callable[[Session], object]) -> None:
        start.wait(10)
        with database.transaction() as session:
            act(session)

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(do, act) for act in acts]:
            done.result(60)


def applying(office: Office, card: DecisionCard, mandate: str) -> Callable[[Session], object]:
    return lambda session: apply_decision(
        session,
        mandate=getattr(office, mandate),
        decision_id=card.id,
        digest=card.digest,
        now=office.now,
    )


def prepared(database: Database, office: Office, mandate: str, verdict: Verdict) -> DecisionCard:
    with database.transaction() as session:
        office.session = session
        return office.prepare(Filtered(), verdict, mandate=getattr(office, mandate))


def test_each_row_is_in_one_of_two_decisions_that_are_applied_at_once(
    database: Database, filled: Office
) -> None:
    cards = [
        prepared(database, filled, "owner", Verdict.APPROVE),
        prepared(database, filled, "manager", Verdict.REJECT),
    ]
    at_once(
        database,
        [applying(filled, cards[0], "owner"), applying(filled, cards[1], "manager")],
    )
    with database.reading() as session:
        applied = session.execute(
            select(DecisionRow.registration_id, DecisionRow.decision_id).where(
                DecisionRow.outcome == Outcome.APPLIED.value
            )
        ).all()
        standing = session.execute(select(Registration.id, Registration.decision_id)).all()
        others = session.scalar(
            select(func.count()).where(DecisionRow.outcome == Outcome.DECIDED.value)
        )
    assert sorted(applied) == sorted(standing)
    assert len(applied) == others == PEOPLE


def test_many_clicks_at_once_apply_a_decision_once(database: Database, filled: Office) -> None:
    card = prepared(database, filled, "owner", Verdict.APPROVE)
    at_once(database, [applying(filled, card, "owner")] * 4)
    with database.reading() as session:
        versions = set(session.scalars(select(Registration.version)))
        decision = session.scalars(select(Decision)).one()
    assert versions == {2}
    assert decision.applied_count == PEOPLE


def test_same_form_sent_many_times_at_once_is_one_decision(
    database: Database, filled: Office
) -> None:
    def prepare(session: Session) -> None:
        prepare_decision(
            session,
            mandate=filled.owner,
            verdict=Verdict.APPROVE,
            reason="",
            selection=Filtered(),
            request_key="k",
            now=filled.now,
        )

    at_once(database, [prepare] * 4)
    with database.reading() as session:
        assert session.scalars(select(Decision.listed_count)).all() == [PEOPLE]
        assert session.scalar(select(func.count()).select_from(DecisionRow)) == PEOPLE


def test_person_who_corrects_at_the_same_instant_is_either_decided_or_named(
    database: Database, filled: Office
) -> None:
    card = prepared(database, filled, "owner", Verdict.APPROVE)
    with database.reading() as session:
        ids = list(session.scalars(select(Registration.id).order_by(Registration.id)))[:3]

    def correct(session: Session) -> None:
        rows = session.scalars(
            select(Registration)
            .where(Registration.id.in_(ids))
            .order_by(Registration.id)
            .with_for_update()
        ).all()
        for row in rows:
            row.send_again(now=filled.now)

    at_once(database, [applying(filled, card, "owner"), correct])
    with database.reading() as session:
        rows = session.execute(
            select(Registration.state, Registration.version, DecisionRow.outcome)
            .join(DecisionRow, DecisionRow.registration_id == Registration.id)
            .where(Registration.id.in_(ids))
        ).all()
    # Corrected after the decision, or before it and so not decided: waiting in any case.
    assert {tuple(row) for row in rows} in (
        {("submitted", 3, "applied")},
        {("submitted", 2, "changed")},
    )


def test_undo_and_telling_at_the_same_instant_exclude_each_other(
    database: Database, filled: Office
) -> None:
    card = prepared(database, filled, "owner", Verdict.APPROVE)
    at_once(database, [applying(filled, card, "owner")])

    def undo(session: Session) -> None:
        undo_decision(session, mandate=filled.owner, decision_id=card.id, now=filled.now)

    def release(session: Session) -> None:
        release_due(session, now=filled.now + timedelta(minutes=30))

    try:
        at_once(database, [undo, release])
        is_undone = True
    except UndoOverError:
        is_undone = False
    with database.reading() as session:
        states = set(session.scalars(select(Registration.state)))
        notices = session.scalar(select(func.count()).select_from(Notice))
    if is_undone:
        assert (states, notices) == ({"submitted"}, 0)
    else:
        assert (states, notices) == ({"approved"}, PEOPLE)


def test_worker_that_dies_while_telling_loses_nobody_and_tells_nobody_twice(
    database: Database, filled: Office
) -> None:
    card = prepared(database, filled, "owner", Verdict.APPROVE)
    at_once(database, [applying(filled, card, "owner")])
    due = filled.now + timedelta(minutes=30)

    def die_while_telling(session: Session) -> None:
        release_due(session, now=due)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once(database, [die_while_telling])
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 0
    at_once(database, [lambda session: release_due(session, now=due)] * 2)
    with database.reading() as session:
        people = session.scalars(select(Notice.openid)).all()
    assert len(people) == len(set(people)) == PEOPLE
