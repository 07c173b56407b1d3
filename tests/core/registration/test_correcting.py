"""Correcting and ending one's own registration."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.audit.model import AuditEntry
from core.db import Database
from core.people.documents import Document, DocumentKind, mask_number
from core.people.model import Consent
from core.registration.correcting import (
    correct_registration,
    end_registration,
    end_registrations_of,
)
from core.registration.rules import (
    Flag,
    HealthCode,
    Home,
    RegistrationState,
    Symptom,
)
from core.registration.service import (
    RegistrationEndedError,
    RegistrationNotFoundError,
    RegistrationTakenError,
    find_registration,
    get_own_registration,
    list_registrations_of,
)
from tests.core.registration.conftest import NUMBERS, District, at_once, entry_of


@pytest.mark.parametrize("state", ["submitted", "returned", "approved", "rejected"])
def test_correction_goes_before_the_owner_anew(district: District, state: str) -> None:
    receipt = district.submit(0)
    if state != "submitted":
        district.set_state(receipt.card.id, state, "请写清楚")
    district.later(hours=1)
    corrected = correct_registration(
        district.session,
        openid="o-0",
        registration_id=receipt.card.id,
        entry=entry_of(0, health_code=HealthCode.RED),
        now=district.now,
    )

    assert corrected.state is RegistrationState.SUBMITTED
    assert (corrected.version, corrected.reason, corrected.decided_at) == (2, "", None)
    assert corrected.flags == (Flag.CODE_NOT_GREEN,)
    assert corrected.changed_at == district.now
    stored = district.stored(receipt.card.id)
    assert (stored.state, stored.flag_group) == ("submitted", "cannot")
    assert district.recorded()[-1] == "registration_corrected"


def test_document_of_another_kind_with_the_same_number_is_a_correction(district: District) -> None:
    kinds = (DocumentKind.PASSPORT, DocumentKind.TRAVEL_PERMIT)
    passport, permit = (Document(kind=kind, number="12345678") for kind in kinds)
    receipt = district.submit(0, document=passport)
    corrected = correct_registration(
        district.session,
        openid="o-0",
        registration_id=receipt.card.id,
        entry=entry_of(0, document=permit),
        now=district.now,
    )
    assert corrected.version == 2
    assert district.stored(receipt.card.id).document_kind == "travel_permit"


def test_correcting_nothing_changes_nothing(district: District) -> None:
    receipt = district.submit(0)
    district.later(days=1)
    same = correct_registration(
        district.session,
        openid="o-0",
        registration_id=receipt.card.id,
        entry=entry_of(0),
        now=district.now,
    )
    assert same == receipt.card
    district.set_state(receipt.card.id, "returned", "请核对")
    sent_anyway = correct_registration(
        district.session,
        openid="o-0",
        registration_id=receipt.card.id,
        entry=entry_of(0),
        now=district.now,
    )
    assert (sent_anyway.state, sent_anyway.version) == (RegistrationState.SUBMITTED, 2)


def test_sending_the_form_again_replaces_what_was_returned(district: District) -> None:
    receipt = district.submit(0)
    district.set_state(receipt.card.id, "returned", "请核对手机")
    again = district.submit(0, phone="+8613911112222")
    assert again.is_new
    assert again.card.id == receipt.card.id
    assert (again.card.version, again.card.phone_masked) == (2, "139****2222")
    stranger = district.submit(0, phone="+8613911112222", openid="o-other")
    assert not stranger.is_own


def test_document_can_be_corrected_unless_it_is_somebody_elses(district: District) -> None:
    receipt = district.submit(0)
    district.submit(1)
    changed = correct_registration(
        district.session,
        openid="o-0",
        registration_id=receipt.card.id,
        entry=entry_of(2, name="张一"),
        now=district.now,
    )
    assert changed.document_masked == mask_number(NUMBERS[2])
    with pytest.raises(RegistrationTakenError):
        correct_registration(
            district.session,
            openid="o-0",
            registration_id=receipt.card.id,
            entry=entry_of(1, name="张一"),
            now=district.now,
        )
    tried = select(AuditEntry.subject).where(AuditEntry.action == "registration_refused")
    assert district.session.scalars(tried).all() == [f"company:{district.companies[0]}"]


def test_only_the_person_corrects_and_ends(district: District) -> None:
    receipt = district.submit(0)
    with pytest.raises(RegistrationNotFoundError):
        correct_registration(
            district.session,
            openid="o-1",
            registration_id=receipt.card.id,
            entry=entry_of(0),
            now=district.now,
        )
    with pytest.raises(RegistrationNotFoundError):
        end_registration(
            district.session, openid="o-1", registration_id=receipt.card.id, now=district.now
        )


# ---- ending --------------------------------------------------------------------------------------


def test_ending_drops_the_answers_and_keeps_who_it_was(district: District) -> None:
    receipt = district.submit(
        0, symptoms=(Symptom.COUGH,), home=Home(community_id=1, text="田林十二村")
    )
    ended = end_registration(
        district.session, openid="o-0", registration_id=receipt.card.id, now=district.now
    )

    assert ended.state is RegistrationState.ENDED
    assert ended.flags == ()
    stored = district.stored(receipt.card.id)
    assert (stored.answers, stored.community_id, stored.flags) == ("", None, [])
    assert (stored.name, stored.ended_at) == ("张一", district.now)
    own = get_own_registration(district.session, openid="o-0", registration_id=receipt.card.id)
    assert (own.answers, own.home) == (None, None)
    assert (
        find_registration(district.session, openid="o-0", workplace_id=district.companies[0])
        is None
    )
    # Twice is once.
    assert (
        end_registration(
            district.session,
            openid="o-0",
            registration_id=receipt.card.id,
            now=district.later(hours=1),
        )
        == ended
    )
    assert district.recorded() == ["registration_submitted", "registration_ended"]


def test_consent_ends_with_the_last_registration(district: District) -> None:
    cards = [district.submit(0).card, district.submit(0, company=1).card]
    standing = select(func.count()).select_from(Consent).where(Consent.withdrawn_at.is_(None))
    left = []
    for card in cards:
        end_registration(district.session, openid="o-0", registration_id=card.id, now=district.now)
        left.append(district.session.scalar(standing))
    assert left == [1, 0]


def test_ended_registration_begins_anew_by_the_person_alone(district: District) -> None:
    receipt = district.submit(0)
    end_registration(
        district.session, openid="o-0", registration_id=receipt.card.id, now=district.now
    )
    with pytest.raises(RegistrationEndedError):
        district.submit(0, openid=None)
    with pytest.raises(RegistrationEndedError):
        correct_registration(
            district.session,
            openid="o-0",
            registration_id=receipt.card.id,
            entry=entry_of(0),
            now=district.now,
        )
    district.later(days=3)
    again = district.submit(0)
    assert (again.is_new, again.card.id, again.card.version) == (True, receipt.card.id, 3)
    assert again.card.ended_at is None
    assert again.card.submitted_at == district.now


def test_whoever_is_forgotten_ends_everything(district: District) -> None:
    district.submit(0)
    district.submit(0, company=1)
    district.submit(1)
    assert end_registrations_of(district.session, openid="o-0", now=district.now) == 2
    assert end_registrations_of(district.session, openid="o-0", now=district.now) == 0
    cards = list_registrations_of(district.session, openid="o-0")
    assert all(card.is_over for card in cards)


def test_corrections_to_one_document_at_once_leave_one_holder(
    database: Database, stored_district: District
) -> None:
    ids = {}
    for person in (0, 1):
        with database.transaction() as session:
            stored_district.session = session
            ids[person] = stored_district.submit(person).card.id

    def correct(person: int) -> None:
        with database.transaction() as session:
            correct_registration(
                session,
                openid=f"o-{person}",
                registration_id=ids[person],
                entry=entry_of(5, name=entry_of(person).name),
                now=stored_district.now,
            )

    failures = at_once([lambda n=n: correct(n) for n in (0, 1)])  # type: ignore[misc]

    assert [type(failure) for failure in failures] == [RegistrationTakenError]
