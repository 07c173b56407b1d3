from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import update

from core.mandates.model import Mandate
from core.notices.feedback import clear_consent, record_consent
from core.registration.telling import (
    REGISTRATION_RECEIVED,
    Decider,
    ToldBy,
    list_deciders,
    told_by_of,
)
from tests.core.registration.conftest import District


def test_follower_is_told_once_that_the_registration_arrived(district: District) -> None:
    district.follow("o-0")
    receipt = district.submit(0)
    district.submit(0)
    (notice,) = district.notices(REGISTRATION_RECEIVED)
    assert notice.openid == "o-0"
    assert notice.values == {"company": receipt.card.workplace_name, "number": receipt.card.number}
    assert notice.link == f"/h5/registration/{receipt.card.id}"


def test_whoever_cannot_be_reached_is_not_queued(district: District) -> None:
    district.submit(0)
    district.submit(1, openid=None)
    assert district.notices(REGISTRATION_RECEIVED) == []
    for openid in ("o-0", "o-nobody"):
        assert told_by_of(district.session, openid=openid, template_ids=["T1"]) is ToldBy.NOTHING


def test_consent_to_messages_is_enough(district: District) -> None:
    record_consent(district.session, now=district.now, openid="o-0", template_id="T1")
    district.submit(0)
    assert len(district.notices(REGISTRATION_RECEIVED)) == 1
    told_by = partial(told_by_of, district.session, openid="o-0")
    assert told_by(template_ids=["T1", "T2"]) is ToldBy.ONE_MESSAGE
    assert told_by(template_ids=["T2"]) is ToldBy.NOTHING
    clear_consent(district.session, now=district.now, openid="o-0", template_id="T1")
    district.session.expire_all()
    assert told_by(template_ids=["T1"]) is ToldBy.NOTHING
    district.follow("o-0")
    assert told_by(template_ids=[]) is ToldBy.ACCOUNT


def test_owner_decides_about_all_and_a_manager_about_the_department(district: District) -> None:
    company_id = district.companies[0]
    district.add_mandate("o-owner")
    district.add_mandate("o-filler", kind="filler")
    district.add_mandate("o-store", kind="manager", department="仓库")
    deciders = list_deciders(district.session, workplace_ids=[company_id])
    assert [(one.openid, one.department) for one in deciders] == [
        ("o-owner", None),
        ("o-store", "仓库"),
    ]
    owner, manager = deciders
    assert owner.decides(company_id, "")
    assert not owner.decides(company_id + 1, "")
    assert manager.decides(company_id, "仓库")
    assert not manager.decides(company_id, "")
    assert list_deciders(district.session, workplace_ids=[district.companies[1]]) == []


@pytest.mark.parametrize("state", ["offered", "ended"])
def test_whoever_does_not_act_any_more_decides_nothing(district: District, state: str) -> None:
    district.add_mandate("o-owner")
    district.session.execute(update(Mandate).values(state=state))
    found: list[Decider] = list_deciders(district.session, workplace_ids=district.companies)
    assert found == []
