"""Reviewers decide on claims: within their area, one at a time, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.mandates.claims import ClaimCard, CompanyRegisteredError, submit_claim
from core.mandates.reviewing import (
    ClaimDecidedError,
    ClaimDecision,
    ClaimHeldError,
    ClaimNameError,
    ClaimNotFoundError,
    ClaimQuery,
    ClaimReasonError,
    decide_claim,
    get_claim,
    hold_claim,
    list_claims,
    release_claim,
)
from core.mandates.rules import ClaimState, ClaimVerdict, MandateKind
from core.mandates.service import list_mandates
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Street
from core.registry.model import Company
from core.registry.rules import CompanyKind, CompanyState
from core.registry.service import find_company_by_uscc
from tests.core.mandates.conftest import CODES, OWNERS, District, MemoryFiles
from tests.core.mandates.test_claims import LICENCE, claim_of

DISTRICT = Area()
ACCEPT = ClaimDecision(verdict=ClaimVerdict.ACCEPT, name_on_licence=OWNERS[3])


@pytest.fixture
def claim(district: District, files: MemoryFiles) -> ClaimCard:
    """A claim of 陈静 that waits."""
    return submit_claim(
        district.session,
        openid="o-chen",
        claim=claim_of(district.session),
        licence=LICENCE,
        files=files,
        now=district.now,
    )


@pytest.fixture
def reviewers(district: District) -> list[StaffAccount]:
    """Two reviewers of the whole district."""
    return [
        add_account(
            district.session,
            staff=NewStaff(name=name, role=Role.DISTRICT_REVIEWER, display_name=shown),
            password_hash="x",
            now=district.now,
        )
        for name, shown in (("lin", "林老师"), ("wu", "吴老师"))
    ]


def decide(
    district: District, claim: ClaimCard, staff: StaffAccount, decision: ClaimDecision = ACCEPT
) -> ClaimCard:
    return decide_claim(
        district.session,
        claim_id=claim.id,
        area=DISTRICT,
        decision=decision,
        staff_id=staff.id,
        now=district.now,
    )


def test_accepted_claim_is_a_company_with_its_owner_bound_and_told(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    done = decide(district, claim, reviewers[0])
    company = find_company_by_uscc(district.session, uscc=CODES[3])
    assert company is not None
    assert (done.state, done.company_id) == (ClaimState.ACCEPTED, company.id)
    assert (company.kind, company.state, company.owner_masked) == (
        CompanyKind.ENTERPRISE,
        CompanyState.ACTIVE,
        "陈*",
    )
    (mandate,) = list_mandates(district.session, openid="o-chen")
    assert (mandate.kind, mandate.company) == (MandateKind.OWNER, company)
    assert district.told() == [("claim_accepted", "o-chen")]
    (entry,) = district.recorded("claim_accepted")
    assert (entry.actor, entry.facts) == (
        f"staff:{reviewers[0].id}",
        {"company_id": company.id},
    )


def test_accepted_company_is_found_by_its_owner_and_updated_by_the_next_import(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    decide(district, claim, reviewers[0])
    assert [one.company.uscc for one in district.prove("o-chen", 3).mandates] == [CODES[3]]
    district.later(days=1)
    district.register(0, 0, 1, 3, address="虹桥路1号")
    rows = district.session.scalars(select(Company).where(Company.uscc == CODES[3])).all()
    assert [(one.name, one.address) for one in rows] == [("上海第4有限公司", "虹桥路1号")]
    assert district.owner("o-chen", 3).company.address == "虹桥路1号"


def test_refusal_needs_a_reason_that_the_person_is_told(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    for reason in ("", "  ", "长" * 301):
        with pytest.raises(ClaimReasonError):
            decide(
                district,
                claim,
                reviewers[0],
                ClaimDecision(verdict=ClaimVerdict.REFUSE, reason=reason),
            )
    refusal = ClaimDecision(verdict=ClaimVerdict.REFUSE, reason="执照照片不清楚")
    done = decide(district, claim, reviewers[0], refusal)
    assert (done.state, done.reason, done.company_id) == (
        ClaimState.REFUSED,
        "执照照片不清楚",
        None,
    )
    assert find_company_by_uscc(district.session, uscc=CODES[3]) is None
    assert district.told() == [("claim_refused", "o-chen")]
    assert list_mandates(district.session, openid="o-chen") == []


def test_refused_person_may_claim_again(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount], files: MemoryFiles
) -> None:
    refusal = ClaimDecision(verdict=ClaimVerdict.REFUSE, reason="执照照片不清楚")
    decide(district, claim, reviewers[0], refusal)
    again = submit_claim(
        district.session,
        openid="o-chen",
        claim=claim_of(district.session),
        licence=LICENCE,
        files=files,
        now=district.later(hours=1),
    )
    assert again.id != claim.id
    assert decide(district, again, reviewers[0]).state is ClaimState.ACCEPTED


@pytest.mark.parametrize("name", ["", "陈 明", "王伟"])
def test_licence_that_names_somebody_else_is_not_accepted(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount], name: str
) -> None:
    decision = ClaimDecision(verdict=ClaimVerdict.ACCEPT, name_on_licence=name)
    with pytest.raises(ClaimNameError):
        decide(district, claim, reviewers[0], decision)
    assert find_company_by_uscc(district.session, uscc=CODES[3]) is None


def test_claim_is_decided_once(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    decide(district, claim, reviewers[0])
    with pytest.raises(ClaimDecidedError) as refused:
        decide(district, claim, reviewers[1])
    assert refused.value.facts == {"state": "accepted"}
    with pytest.raises(ClaimDecidedError):
        hold_claim(
            district.session,
            claim_id=claim.id,
            area=DISTRICT,
            staff_id=reviewers[1].id,
            now=district.now,
        )


def test_company_that_came_into_the_register_meanwhile_is_not_made_twice(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    district.register(0, 0, 1, 3)
    with pytest.raises(CompanyRegisteredError):
        decide(district, claim, reviewers[0])
    still = get_claim(district.session, claim_id=claim.id, area=DISTRICT, now=district.now)
    assert still.state is ClaimState.WAITING


def test_two_reviewers_are_never_on_the_same_claim_unawares(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    first, second = reviewers

    def hold(staff: StaffAccount) -> ClaimCard:
        return hold_claim(
            district.session,
            claim_id=claim.id,
            area=DISTRICT,
            staff_id=staff.id,
            now=district.now,
        )

    assert hold(first).held_by == "林老师"
    for act in (hold, lambda staff: decide(district, claim, staff)):
        with pytest.raises(ClaimHeldError) as refused:
            act(second)
        assert refused.value.facts == {"by": "林老师"}
    release_claim(district.session, claim_id=claim.id, staff_id=second.id)
    district.later(minutes=9)
    assert hold(first).held_by == "林老师"
    district.later(minutes=10)
    assert hold(second).held_by == "吴老师"
    release_claim(district.session, claim_id=claim.id, staff_id=second.id)
    assert decide(district, claim, first).held_by == ""


def test_claims_outside_of_an_area_do_not_exist(
    district: District, claim: ClaimCard, reviewers: list[StaffAccount]
) -> None:
    other = Street(code="310104099", name="别处街道")
    district.session.add(other)
    district.session.flush()
    inside, outside = Area(street_id=claim.street_id), Area(street_id=other.id)
    communities = Area(community_ids=frozenset({1}))

    def listed(area: Area) -> int:
        query = ClaimQuery(area=area)
        return list_claims(district.session, query=query, number=1, now=district.now).count

    assert [listed(area) for area in (DISTRICT, inside, outside, communities)] == [1, 1, 0, 0]
    for area in (outside, communities):
        with pytest.raises(ClaimNotFoundError):
            get_claim(district.session, claim_id=claim.id, area=area, now=district.now)
        with pytest.raises(ClaimNotFoundError):
            decide_claim(
                district.session,
                claim_id=claim.id,
                area=area,
                decision=ACCEPT,
                staff_id=reviewers[0].id,
                now=district.now,
            )


def test_claims_are_listed_oldest_first_by_state_and_text_in_pages(
    district: District,
    claim: ClaimCard,
    reviewers: list[StaffAccount],
    files: MemoryFiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    district.later(hours=1)
    second = submit_claim(
        district.session,
        openid="o-other",
        claim=claim_of(district.session),
        licence=LICENCE,
        files=files,
        now=district.now,
    )

    def ids(query: ClaimQuery, number: int = 1) -> list[int]:
        page = list_claims(district.session, query=query, number=number, now=district.now)
        return [one.id for one in page.claims]

    waiting = ClaimQuery(area=DISTRICT)
    assert ids(waiting) == [claim.id, second.id]
    assert ids(ClaimQuery(area=DISTRICT, text=CODES[3].lower())) == [claim.id, second.id]
    assert ids(ClaimQuery(area=DISTRICT, text="新设")) == [claim.id, second.id]
    assert ids(ClaimQuery(area=DISTRICT, text="%")) == []
    monkeypatch.setattr("core.mandates.reviewing.PAGE_SIZE", 1)
    assert [ids(waiting, number) for number in (0, 1, 2, 9)] == [
        [claim.id],
        [claim.id],
        [second.id],
        [second.id],
    ]
    decide(district, claim, reviewers[0])
    assert ids(waiting) == [second.id]
    assert ids(ClaimQuery(area=DISTRICT, state=ClaimState.ACCEPTED)) == [claim.id]
    assert timedelta(0) < second.created_at - claim.created_at
