from __future__ import annotations

from sqlalchemy import select, update

from core.notices.model import Notice
from core.resumption.approval.releasing import Delivery, get_delivery, release_due
from core.resumption.approval.rules import DecisionState, Verdict
from core.resumption.approval.service import release_decision, undo_decision
from tests.core.resumption.approval.conftest import Office


def test_nobody_is_told_before_the_time_to_undo_is_over(office: Office) -> None:
    ids = [office.add(), office.add()]
    card = office.decide()
    office.later(minutes=29, seconds=59)
    assert release_due(office.session, now=office.now) == 0
    office.later(seconds=1)
    assert release_due(office.session, now=office.now) == 1
    assert release_due(office.session, now=office.now) == 0
    assert office.told() == [("registration_approved", f"decision:{card.id}:{one}") for one in ids]
    (_, entry) = office.recorded()
    assert (entry.action, entry.actor, entry.facts["count"]) == (
        *("decision_released", "system:worker"),
        2,
    )


def test_owner_can_have_the_people_told_at_once(office: Office) -> None:
    one = office.add()
    card = office.decide(verdict=Verdict.RETURN)
    for _ in range(2):
        card = release_decision(
            office.session, mandate=office.owner, decision_id=card.id, now=office.now
        )
    assert (card.state, card.released_at) == (DecisionState.RELEASED, office.now)
    assert office.told() == [("registration_returned", f"decision:{card.id}:{one}")]
    office.later(hours=1)
    assert release_due(office.session, now=office.now) == 0


def test_notice_opens_the_registration_and_names_nobody(office: Office) -> None:
    one = office.add(name="张三丰")
    card = office.decide(verdict=Verdict.REJECT)
    release_decision(office.session, mandate=office.owner, decision_id=card.id, now=office.now)
    notice = office.session.scalars(select(Notice)).one()
    assert notice.kind == "registration_rejected"
    assert notice.link == f"/h5/registration/{one}"
    assert notice.values == {"company": "上海万人制造有限公司", "number": office.row(one).number}


def test_who_has_no_wechat_and_who_changed_since_is_told_nothing(office: Office) -> None:
    told, silent, corrected, ended = (
        office.add(),
        office.add(has_wechat=False),
        office.add(),
        office.add(),
    )
    card = office.decide()
    office.correct(corrected)
    office.end(ended)
    office.later(minutes=30)
    release_due(office.session, now=office.now)
    assert [key for _, key in office.told()] == [f"decision:{card.id}:{told}"]
    assert office.states(silent) == ["approved"]
    assert get_delivery(office.session, decision_id=card.id) == Delivery(
        sent_count=0, waiting_count=1, failed_count=0, silent_count=3
    )


def test_only_the_decision_that_stands_is_told(office: Office) -> None:
    one = office.add()
    office.decide()
    office.later(minutes=10)
    second = office.decide(office.pick(one), Verdict.REJECT)
    office.later(minutes=20)
    release_due(office.session, now=office.now)
    assert office.told() == []
    office.later(minutes=10)
    release_due(office.session, now=office.now)
    assert office.told() == [("registration_rejected", f"decision:{second.id}:{one}")]


def test_decision_that_stands_again_after_an_undo_is_told_then(office: Office) -> None:
    one = office.add()
    first = office.decide()
    office.later(minutes=20)
    second = office.decide(office.pick(one), Verdict.REJECT)
    office.later(minutes=10)
    release_due(office.session, now=office.now)
    undo_decision(office.session, mandate=office.owner, decision_id=second.id, now=office.now)
    assert office.told() == [("registration_approved", f"decision:{first.id}:{one}")]


def test_nobody_is_told_twice_of_a_decision_that_stands_again(office: Office) -> None:
    one = office.add()
    first = office.decide()
    office.later(minutes=30)
    release_due(office.session, now=office.now)
    second = office.decide(office.pick(one), Verdict.REJECT)
    undo_decision(office.session, mandate=office.owner, decision_id=second.id, now=office.now)
    assert office.told() == [("registration_approved", f"decision:{first.id}:{one}")]


def test_longest_due_decisions_are_released_first(office: Office) -> None:
    cards = []
    for _ in range(3):
        cards.append(office.decide(office.pick(office.add())))
        office.later(minutes=1)
    office.later(hours=1)
    assert release_due(office.session, now=office.now, limit=2) == 2
    told = [key.rsplit(":", 1)[0] for _, key in office.told()]
    assert told == [f"decision:{card.id}" for card in cards[:2]]


def test_delivery_counts_what_was_sent_waits_and_failed(office: Office) -> None:
    states = ["queued", "sent", "delivered", "delivered", "dead"]
    ids = [office.add() for _ in states]
    card = office.decide()
    assert get_delivery(office.session, decision_id=card.id).silent_count == len(states)
    other = office.decide(office.pick(office.add()))
    for one in (card, other):
        release_decision(office.session, mandate=office.owner, decision_id=one.id, now=office.now)
    for one, state in zip(ids, states, strict=True):
        is_sent = state in {"sent", "delivered"}
        office.session.execute(
            update(Notice)
            .where(Notice.key == f"decision:{card.id}:{one}")
            .values(
                state=state,
                sent_at=office.now if is_sent else None,
                channel="template" if is_sent else None,
                dead_reason="unreachable" if state == "dead" else None,
            )
        )
    assert get_delivery(office.session, decision_id=card.id) == Delivery(
        sent_count=3, waiting_count=1, failed_count=1, silent_count=0
    )
