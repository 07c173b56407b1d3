"""Owners prove who they are, from one phone or another, and take over from one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from core.codes.rules import RetiredReason, subject_of
from core.codes.service import find_live_code, find_newest_code, issue_code
from core.db import Base, Database, Keyring, install_keyring
from core.errors import DomainError
from core.mandates.elsewhere import (
    grant_to_elsewhere,
    object_to_elsewhere,
    settle_waiting,
)
from core.mandates.inviting import confirm_mandate
from core.mandates.model import Mandate
from core.mandates.proving import (
    confirm_takeover,
    find_takeover,
    hand_over_changed_owners,
    list_takeovers,
)
from core.mandates.rules import MandateKind, MandateState
from core.mandates.service import (
    MandateCard,
    NoMandateError,
    OwnerChangedError,
    TakeOverPendingError,
    end_mandate,
    get_mandate,
    list_mandates,
)
from core.migrations import load_models
from core.people.model import Consent
from core.registry.rules import CompanyState
from tests.core.mandates.conftest import CODES, LI, OWNERS, WANG, District

NOBODY = 3


def names(cards: Any) -> list[str]:
    return [card.company.name for card in cards]


def test_owner_is_bound_to_every_company_in_business(district: District) -> None:
    proof = district.prove("o-wang")
    assert proof.is_matched
    assert names(proof.mandates) == ["上海第1有限公司", "上海第2有限公司"]
    assert {one.kind for one in proof.mandates} == {MandateKind.OWNER}
    assert (proof.takeovers, proof.refused) == ((), ())
    assert [one.subject for one in district.recorded("owner_bound")] == [
        subject_of(place) for place in district.ids[:2]
    ]
    assert OWNERS[WANG] not in "".join(str(one.facts) for one in district.recorded("owner_bound"))
    assert district.session.scalars(select(Consent.purpose)).all() == ["return_to_work"]


def test_pair_that_matches_nothing_binds_nobody_and_stays_on_record(district: District) -> None:
    assert not district.prove("o-nobody", NOBODY).is_matched
    assert list_mandates(district.session, openid="o-nobody") == []
    assert len(district.recorded("owner_refused")) == 1
    assert district.session.scalars(select(Consent)).all() == []


def test_company_that_is_not_in_business_is_named_as_such(district: District) -> None:
    district.register(WANG, state="吊销，未注销")
    proof = district.prove("o-wang")
    assert names(proof.mandates) == ["上海第2有限公司"]
    assert [(one.company.name, one.state) for one in proof.refused] == [
        ("上海第1有限公司", CompanyState.REVOKED)
    ]


def test_proving_again_changes_nothing(district: District) -> None:
    first = district.prove("o-wang")
    district.later(hours=1)
    assert district.prove("o-wang") == first
    assert len(district.recorded("owner_bound")) == 2


def test_owner_with_another_phone_waits_then_ends_the_former_one_and_keeps_the_fillers(
    district: District,
) -> None:
    district.prove("o-wang")
    invitation = district.invite(district.owner())
    confirm_mandate(
        district.session, openid="o-zhang", token=invitation.token, name="张敏", now=district.now
    )
    proof = district.prove("o-wang-new")
    assert (proof.mandates, len(proof.waiting)) == ((), 2)
    assert len(list_mandates(district.session, openid="o-wang")) == 2
    assert district.told()[1:] == [("owner_asked_elsewhere", "o-wang")] * 2
    district.later(days=1)
    assert len(district.prove("o-wang-new").mandates) == 2
    assert list_mandates(district.session, openid="o-wang") == []
    assert (
        district.told()[3:]
        == [
            ("owner_proved_elsewhere", "o-wang"),
            ("owner_granted_elsewhere", "o-wang-new"),
        ]
        * 2
    )
    reasons = {one.facts["reason"] for one in district.recorded("mandate_ended")}
    assert reasons == {"proved_elsewhere"}
    assert len(list_mandates(district.session, openid="o-zhang")) == 1


def test_filler_who_proves_to_be_the_owner_acts_as_the_owner_alone(district: District) -> None:
    district.prove("o-wang")
    invitation = district.invite(district.owner())
    confirm_mandate(
        district.session, openid="o-second", token=invitation.token, name="张敏", now=district.now
    )
    district.prove("o-second")
    assert [one.kind for one in list_mandates(district.session, openid="o-second")] == [
        MandateKind.FILLER
    ]
    district.later(days=1)
    district.prove("o-second")
    kinds = [one.kind for one in list_mandates(district.session, openid="o-second")]
    assert kinds == [MandateKind.OWNER, MandateKind.OWNER]


# --- another owner --------------------------------------------------------------------------


@pytest.fixture
def sold(district: District) -> District:
    """王伟's first company with a filler, an invitation and a code; it is 李芳's since."""
    district.prove("o-wang")
    invitation = district.invite(district.owner())
    confirm_mandate(
        district.session, openid="o-zhang", token=invitation.token, name="张敏", now=district.now
    )
    district.invite(district.owner(), name="赵一鸣")
    issue_code(
        district.session, subject=subject_of(district.ids[0]), actor="person:1", now=district.now
    )
    district.later(days=1)
    district.register(LI, WANG)
    return district


def test_hand_over_ends_mandates_retires_the_code_and_tells_those_concerned(
    sold: District,
) -> None:
    before = len(sold.told())
    assert hand_over_changed_owners(sold.session, now=sold.now) == 1
    assert sold.told()[before:] == [("owner_changed", "o-wang"), ("owner_changed", "o-zhang")]
    for openid in ("o-wang", "o-zhang"):
        with pytest.raises(OwnerChangedError):
            get_mandate(sold.session, openid=openid, company_id=sold.ids[0])
    code = find_newest_code(sold.session, subject=subject_of(sold.ids[0]))
    assert code is not None
    assert code.retired_reason is RetiredReason.OWNER_CHANGED
    ended = sold.recorded("mandate_ended")
    assert [one.facts["reason"] for one in ended] == ["owner_changed"] * 3
    assert {one.subject for one in ended} == {subject_of(sold.ids[0])}
    assert len(sold.recorded("company_handed_over")) == 1


def test_hand_over_twice_changes_nothing_and_leaves_other_companies_alone(sold: District) -> None:
    hand_over_changed_owners(sold.session, now=sold.now)
    told = sold.told()
    assert hand_over_changed_owners(sold.session, now=sold.now) == 0
    assert sold.told() == told
    assert names(list_mandates(sold.session, openid="o-wang")) == ["上海第2有限公司"]


def test_new_owner_takes_over_only_on_confirmation(sold: District) -> None:
    hand_over_changed_owners(sold.session, now=sold.now)
    proof = sold.prove("o-li", LI)
    assert names(proof.mandates) == ["上海第3有限公司"]
    assert [one.name for one in proof.takeovers] == ["上海第1有限公司"]
    with pytest.raises(TakeOverPendingError):
        sold.owner("o-li")
    found = find_takeover(sold.session, openid="o-li", company_id=sold.ids[0])
    assert found == proof.takeovers[0]
    for openid in ("o-wang", "o-zhang"):
        assert list_takeovers(sold.session, openid=openid) == []
        with pytest.raises(NoMandateError):
            confirm_takeover(sold.session, openid=openid, company_id=sold.ids[0], now=sold.now)
    later = sold.later(hours=1)
    cards = [
        confirm_takeover(sold.session, openid="o-li", company_id=sold.ids[0], now=later)
        for _ in range(2)
    ]
    assert cards[0] == cards[1] == sold.owner("o-li")
    assert cards[0].confirmed_at == later
    assert len(sold.recorded("company_taken_over")) == 1
    assert list_takeovers(sold.session, openid="o-li") == []


def test_new_owner_who_is_first_hands_over_before_the_operator_does(sold: District) -> None:
    proof = sold.prove("o-li", LI)
    assert [one.name for one in proof.takeovers] == ["上海第1有限公司"]
    assert ("owner_changed", "o-wang") in sold.told()
    subject = subject_of(sold.ids[0])
    assert find_live_code(sold.session, subject=subject, now=sold.now) is None
    assert hand_over_changed_owners(sold.session, now=sold.now) == 0


def test_new_owner_with_another_phone_still_confirms(sold: District) -> None:
    sold.prove("o-li", LI)
    sold.prove("o-li-new", LI)
    assert list_takeovers(sold.session, openid="o-li") == []
    assert len(list_takeovers(sold.session, openid="o-li-new")) == 1
    confirm_takeover(sold.session, openid="o-li-new", company_id=sold.ids[0], now=sold.now)
    # Once taken over it is that phone's, and another one waits.
    proof = sold.prove("o-li", LI)
    assert proof.takeovers == ()
    assert [one.company.name for one in proof.waiting] == ["上海第1有限公司"]


def test_company_that_is_sold_again_before_it_is_taken_over_is_the_third_owners(
    sold: District,
) -> None:
    sold.prove("o-li", LI)
    sold.later(days=1)
    sold.register(2, WANG)
    assert list_takeovers(sold.session, openid="o-li") == []
    with pytest.raises(NoMandateError):
        confirm_takeover(sold.session, openid="o-li", company_id=sold.ids[0], now=sold.now)
    assert hand_over_changed_owners(sold.session, now=sold.now) == 1
    assert [one.name for one in sold.prove("o-third", 2).takeovers] == ["上海第1有限公司"]


def test_former_owner_who_buys_back_proves_and_confirms_again(sold: District) -> None:
    sold.later(days=1)
    sold.register(WANG, WANG)
    with pytest.raises(OwnerChangedError):
        sold.owner()
    proof = sold.prove("o-wang")
    assert [one.name for one in proof.takeovers] == ["上海第1有限公司"]
    confirm_takeover(sold.session, openid="o-wang", company_id=sold.ids[0], now=sold.now)
    assert sold.owner().company.id == sold.ids[0]
    with pytest.raises(OwnerChangedError):
        get_mandate(sold.session, openid="o-zhang", company_id=sold.ids[0])


def test_new_owner_of_a_company_for_which_nobody_acted_takes_nothing_over(
    district: District,
) -> None:
    district.later(days=1)
    district.register(LI)
    proof = district.prove("o-li", LI)
    assert names(proof.mandates) == ["上海第1有限公司", "上海第3有限公司"]
    assert proof.takeovers == ()


def test_change_that_was_recorded_before_the_proof_but_written_after_it_counts(
    district: District,
) -> None:
    """An import takes a while: its changes carry the instant at which it began."""
    began = district.now
    district.later(seconds=30)
    district.prove("o-wang")
    district.now = began
    district.register(LI)
    district.later(minutes=5)
    with pytest.raises(OwnerChangedError):
        district.owner()
    assert hand_over_changed_owners(district.session, now=district.now) == 1


# --- at once --------------------------------------------------------------------------------


def test_two_phones_at_once_leave_one_owner(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        District(session=session, now=now).register(WANG)

    def prove(openid: str) -> int:
        with database.transaction() as session:
            return len(District(session=session, now=now).prove(openid).mandates)

    with ThreadPoolExecutor(4) as pool:
        bound = list(pool.map(prove, [f"o-{place % 2}" for place in range(8)]))
    assert sorted(bound) == [0] * 4 + [1] * 4
    with database.reading() as session:
        states = session.scalars(select(Mandate.state).order_by(Mandate.state)).all()
        assert states == [MandateState.ACTIVE.value, MandateState.OFFERED.value]


class _Mandates(RuleBasedStateMachine):
    """Phones that prove, invite, confirm, end and leave, while companies are sold."""

    def __init__(self) -> None:
        super().__init__()
        load_models()
        install_keyring(Keyring([bytes(range(32))]))
        engine = create_engine("sqlite://", poolclass=StaticPool)
        Base.metadata.create_all(engine)
        self.session = Session(engine, expire_on_commit=False)
        self.district = District(session=self.session, now=datetime(2020, 3, 28, tzinfo=UTC))
        self.owners = [WANG, LI]
        self.district.register(*self.owners)
        self.tokens: list[str] = []
        self.seen: dict[int, MandateCard] = {}

    def teardown(self) -> None:
        self.session.close()
        self.session.get_bind().dispose()  # type: ignore[union-attr]

    phones = st.sampled_from(["o-1", "o-2", "o-3"])
    places = st.sampled_from([0, 1])

    def _see(self, openid: str) -> list[MandateCard]:
        cards = list_mandates(self.session, openid=openid)
        self.seen |= {card.id: card for card in cards}
        return cards

    @rule(openid=phones, owner=st.sampled_from([WANG, LI, 2]))
    def prove(self, openid: str, owner: int) -> None:
        self.district.later(minutes=1)
        proof = self.district.prove(openid, owner)
        bound = {
            *(one.company.uscc for one in (*proof.mandates, *proof.waiting)),
            *(one.uscc for one in (*proof.takeovers, *proof.objected)),
        }
        assert bound == {
            CODES[place] for place, registered in enumerate(self.owners) if registered == owner
        }
        self._see(openid)

    @rule(place=places, owner=st.sampled_from([WANG, LI, 2]), is_told=st.booleans())
    def sell(self, place: int, owner: int, is_told: bool) -> None:
        self.district.later(minutes=1)
        self.owners[place] = owner
        self.district.register(*self.owners)
        if is_told:
            hand_over_changed_owners(self.session, now=self.district.now)

    @rule(openid=phones, place=places)
    def take_over(self, openid: str, place: int) -> None:
        company_id = self.district.ids[place]
        expected = find_takeover(self.session, openid=openid, company_id=company_id)
        try:
            card = confirm_takeover(
                self.session, openid=openid, company_id=company_id, now=self.district.now
            )
        except NoMandateError:
            assert expected is None
        else:
            self.seen[card.id] = card

    @rule(hours=st.sampled_from([1, 30]))
    def wait(self, hours: int) -> None:
        settle_waiting(self.session, now=self.district.later(hours=hours))

    @rule(openid=phones, is_owner=st.booleans())
    def answer(self, openid: str, is_owner: bool) -> None:
        for card in self._see(openid):
            if card.kind is not MandateKind.OWNER:
                continue
            reply = grant_to_elsewhere if is_owner else object_to_elsewhere
            reply(self.session, by=card, now=self.district.now)

    @rule(openid=phones, department=st.sampled_from(["", "物流部"]))
    def invite(self, openid: str, department: str) -> None:
        for card in self._see(openid):
            if card.kind is MandateKind.OWNER:
                self.tokens.append(self.district.invite(card, department=department).token)

    @precondition(lambda self: self.tokens)
    @rule(openid=phones, data=st.data())
    def confirm(self, openid: str, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self.tokens[-4:]))
        before = self.district.now
        try:
            card = confirm_mandate(
                self.session, openid=openid, token=token, name="张敏", now=before
            )
        except DomainError:
            return
        self.seen[card.id] = card

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def end_somebody(self, data: st.DataObject) -> None:
        by = data.draw(st.sampled_from([*self.seen.values()]))
        mandate_id = data.draw(st.sampled_from([*self.seen]))
        row = self.session.get_one(Mandate, by.id)
        was_over = row.state == MandateState.ENDED.value
        try:
            end_mandate(self.session, by=by, mandate_id=mandate_id, now=self.district.now)
        except DomainError:
            return
        assert not was_over, "a mandate that is over ended another"

    @invariant()
    def never_two_owners_and_each_is_the_registers(self) -> None:
        for place, owner in enumerate(self.owners):
            company_id = self.district.ids[place]
            active = self.session.scalars(
                select(Mandate).where(
                    Mandate.company_id == company_id,
                    Mandate.kind == MandateKind.OWNER.value,
                    Mandate.state == MandateState.ACTIVE.value,
                )
            ).all()
            assert len(active) <= 1
            holding = [
                one.id
                for openid in ("o-1", "o-2", "o-3")
                for one in list_mandates(self.session, openid=openid)
                if one.company.id == company_id and one.kind is MandateKind.OWNER
            ]
            assert len(holding) <= 1
            if holding:
                assert active[0].name == OWNERS[owner]

    @invariant()
    def what_is_over_never_acts(self) -> None:
        for openid in ("o-1", "o-2", "o-3"):
            listed = {one.company.id: one for one in list_mandates(self.session, openid=openid)}
            for company_id in self.district.ids:
                try:
                    card = get_mandate(self.session, openid=openid, company_id=company_id)
                except DomainError:
                    assert company_id not in listed
                else:
                    assert listed[company_id] == card
                    row = self.session.get_one(Mandate, card.id)
                    assert row.state == MandateState.ACTIVE.value


TestMandates = _Mandates.TestCase
TestMandates.settings = settings(max_examples=15, stateful_step_count=20)
