"""Registering once, taking over, correcting, ending, and what each side finds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from core.audit.model import AuditEntry
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import retire_code
from core.db import Database, Keyring, install_keyring
from core.people.documents import mask_number
from core.people.model import Consent
from core.registration.correcting import correct_registration, end_registration
from core.registration.drafts import find_draft, save_draft
from core.registration.gate import RegistrationClosedError
from core.registration.model import Registration
from core.registration.rules import (
    Flag,
    Group,
    HealthCode,
    Home,
    RegistrationState,
    StaysMissingError,
    Symptom,
    Travel,
)
from core.registration.service import (
    RegistrationExistsError,
    RegistrationNotFoundError,
    RegistrationTakenError,
    count_registrations,
    find_registration,
    get_own_registration,
    list_people_who_used,
    list_registrations_of,
    submit_registration,
)
from core.workplaces.service import WorkplaceNotFoundError
from tests.conftest import DATA_KEY
from tests.core.registration.conftest import NUMBERS, District, at_once, entry_of

MAX_STATEMENTS = 13


def rows(district: District) -> int:
    return district.session.scalar(select(func.count()).select_from(Registration)) or 0


# ---- once ------------------------------------------------------------------------------------


def test_registration_is_stored_with_its_answers_and_shown_masked(district: District) -> None:
    receipt = district.submit(
        0,
        home=Home(community_id=1, text="田林十二村"),
        stays=("江苏昆山",),
        travel=Travel.TRAIN,
        returned_on=district.today - timedelta(days=2),
        temperature=Decimal("36.5"),
        department="仓库",
    )

    assert (receipt.is_new, receipt.is_own) == (True, True)
    assert receipt.card.state is RegistrationState.SUBMITTED
    assert receipt.card.flag_group is Group.FINE
    assert (receipt.card.name_masked, receipt.card.phone_masked) == ("张*", "138****0100")
    assert receipt.card.document_masked == mask_number(NUMBERS[0])
    own = get_own_registration(district.session, openid="o-0", registration_id=receipt.card.id)
    assert own.card == receipt.card
    assert (own.name, own.phone, own.home) == (
        "张一",
        "+8613800000100",
        Home(community_id=1, text="田林十二村"),
    )
    assert own.answers is not None
    assert own.answers.stays == ("江苏昆山",)
    assert own.answers.temperature == Decimal("36.5")
    assert own.card.department == "仓库"
    assert own.document.number not in repr(own)
    assert "张一" not in repr(own)
    assert district.recorded() == ["registration_submitted"]


def test_sending_twice_stores_once_and_returns_the_first_receipt(district: District) -> None:
    first = district.submit(0)
    district.later(minutes=1)
    again = district.submit(0, temperature=Decimal("36.6"))

    assert again.card == first.card
    assert (again.is_new, again.is_own) == (False, True)
    assert rows(district) == 1
    assert district.recorded() == ["registration_submitted"]


def test_person_registers_with_two_companies_and_each_is_its_own(district: District) -> None:
    first, second = district.submit(0), district.submit(0, company=1)

    assert first.card.id != second.card.id
    assert first.card.number != second.card.number
    for company, receipt in enumerate((first, second)):
        found = find_registration(
            district.session, openid="o-0", workplace_id=district.companies[company]
        )
        assert found == receipt.card
    assert len(list_registrations_of(district.session, openid="o-0")) == 2
    assert {receipt.card.flag_group for receipt in (first, second)} == {Group.FINE}


def test_same_document_from_another_phone_is_received_and_shows_nothing_to_it(
    district: District,
) -> None:
    first = district.submit(0)
    other = district.submit(0, openid="o-other")

    assert (other.is_new, other.is_own) == (False, False)
    assert other.card.id == first.card.id
    assert district.stored(first.card.id).person_id is not None
    assert (
        find_registration(district.session, openid="o-other", workplace_id=district.companies[0])
        is None
    )
    with pytest.raises(RegistrationNotFoundError):
        get_own_registration(district.session, openid="o-other", registration_id=first.card.id)


@pytest.mark.parametrize("changed", [{"name": "李四"}, {"phone": "+8613911112222"}])
@pytest.mark.parametrize("openid", ["o-other", None])
def test_document_of_somebody_else_is_refused(
    district: District, changed: dict[str, str], openid: str | None
) -> None:
    district.submit(0)
    with pytest.raises(RegistrationTakenError):
        district.submit(0, openid=openid, **changed)
    (tried,) = district.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "registration_refused")
    ).all()
    assert tried.subject == f"company:{district.companies[0]}"
    assert tried.facts == {"reason": "document_taken"}


def test_person_with_another_document_is_told_to_correct_instead(district: District) -> None:
    district.submit(0)
    with pytest.raises(RegistrationExistsError):
        district.submit(1, openid="o-0")
    assert rows(district) == 1


def test_database_refuses_a_second_registration_of_a_person(district: District) -> None:
    first = district.stored(district.submit(0).card.id)
    second = district.stored(district.submit(1).card.id)
    second.person_id = first.person_id
    with pytest.raises(IntegrityError):
        district.session.flush()


# ---- entered for somebody ----------------------------------------------------------------------


def test_what_was_entered_for_somebody_becomes_theirs_when_they_send_it(
    district: District,
) -> None:
    entered = district.submit(0, openid=None)
    assert (entered.is_new, entered.is_own) == (True, False)
    assert district.stored(entered.card.id).entered_by == "person:999"
    assert district.stored(entered.card.id).code_id is None
    sent = district.submit(0)

    assert (sent.is_new, sent.is_own) == (False, True)
    assert sent.card.id == entered.card.id
    own = get_own_registration(district.session, openid="o-0", registration_id=entered.card.id)
    assert own.card.version == 1
    assert district.recorded() == ["registration_submitted", "registration_taken_over"]
    assert district.session.scalar(select(func.count()).select_from(Consent)) == 1


def test_entering_twice_for_somebody_stores_once(district: District) -> None:
    entered = district.submit(0, openid=None)
    assert not district.submit(0, openid=None).is_new
    district.set_state(entered.card.id, "returned", "体温没有填")
    again = district.submit(0, openid=None, temperature=Decimal("36.4"))
    assert again.is_new
    assert again.card.state is RegistrationState.SUBMITTED
    assert again.card.reason == ""
    assert rows(district) == 1


def test_entering_needs_somebody_who_enters(district: District) -> None:
    with pytest.raises(ValueError, match="somebody enters"):
        submit_registration(
            district.session,
            workplace_id=district.companies[0],
            entry=entry_of(),
            openid=None,
            code_id=None,
            now=district.now,
        )


# ---- closed doors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "filing", "reason"),
    [
        ("active", "", "not_filed"),
        ("active", "draft", "not_filed"),
        ("active", "rejected", "rejected"),
        ("revoked", "approved", "company"),
        ("moved", "approved", "company"),
    ],
)
def test_closed_company_takes_nobody_and_says_why(
    district: District, state: str, filing: str, reason: str
) -> None:
    district.add_company(state=state, filing=filing)
    with pytest.raises(RegistrationClosedError) as closed:
        district.submit(0, company=2)
    assert closed.value.facts == {"reason": reason}


def test_returned_filing_keeps_the_door_open(district: District) -> None:
    district.add_company(filing="returned")
    assert district.submit(0, company=2).is_new


def test_retired_expired_and_foreign_codes_take_nobody(district: District) -> None:
    district.codes[0], district.codes[1] = district.codes[1], district.codes[0]
    with pytest.raises(RegistrationClosedError) as foreign:
        district.submit(0)
    district.codes.reverse()
    subject = subject_of(district.companies[0])
    retire_code(
        district.session,
        subject=subject,
        reason=RetiredReason.REPORTED,
        actor="person:1",
        now=district.now,
    )
    with pytest.raises(RegistrationClosedError) as retired:
        district.submit(0)
    district.later(days=91)
    with pytest.raises(RegistrationClosedError) as expired:
        district.submit(0, company=1)
    assert {one.value.facts["reason"] for one in (foreign, retired, expired)} == {"code"}
    assert rows(district) == 0
    # Without a code, by somebody who may, the company itself decides.
    assert district.submit(0, openid=None).is_new


def test_unknown_company_is_not_found(district: District) -> None:
    district.companies[0] = 999_999
    with pytest.raises(WorkplaceNotFoundError):
        district.submit(0)


def test_fields_that_contradict_each_other_are_refused(district: District) -> None:
    with pytest.raises(StaysMissingError):
        district.submit(0, travel=Travel.PLANE)


# ---- flags ---------------------------------------------------------------------------------------


def test_health_flags_come_with_the_answers(district: District) -> None:
    ill = district.submit(
        0,
        health_code=HealthCode.YELLOW,
        temperature=Decimal("37.3"),
        symptoms=(Symptom.COUGH,),
    )
    assert ill.card.flags == (Flag.CODE_NOT_GREEN, Flag.SYMPTOMS, Flag.FEVER)
    assert ill.card.flag_group is Group.CANNOT
    without = district.submit(1, health_code=HealthCode.NONE)
    assert without.card.flags == (Flag.NO_HEALTH_CODE,)
    assert without.card.flag_group is Group.LOOK


def test_stay_in_a_key_area_is_flagged_as_of_its_days(district: District) -> None:
    district.add_key_area("420100", "武汉市")
    away = {
        "stays": ("湖北武汉",),
        "travel": Travel.TRAIN,
        "returned_on": district.today - timedelta(days=3),
    }
    assert district.submit(0, **away).card.flags == (Flag.KEY_AREA,)
    # One that became a key area only after the person had left it does not count against them.
    district.add_key_area("330300", "温州市", days_ago=1)
    assert district.submit(1, **away | {"stays": ("浙江温州",)}).card.flags == ()
    assert district.submit(2, **away | {"stays": ("江苏昆山",)}).card.flags == ()


def test_document_seen_with_another_name_elsewhere_is_flagged(district: District) -> None:
    district.submit(0)
    other = district.submit(0, company=1, openid="o-x", name="李四", phone="+8613911112222")
    assert other.card.flags == (Flag.DOCUMENT_OTHER_NAME,)


def test_phone_seen_with_another_name_is_flagged_and_spelling_is_no_other_name(
    district: District,
) -> None:
    district.submit(0, name="阿依古丽·吐尔逊")
    same = district.submit(0, company=1, name="阿依古丽吐尔逊")
    assert same.card.flags == ()
    other = district.submit(1, phone="+8613800000100")
    assert other.card.flags == (Flag.PHONE_OTHER_NAME,)


def test_same_name_and_phone_with_another_document_is_a_duplicate(district: District) -> None:
    first = district.submit(0)
    twin = {"name": "张一", "phone": "+8613800000100"}
    # Elsewhere it may be another person of the same name who shares the phone.
    assert district.submit(2, company=1, **twin).card.flags == ()
    end_registration(
        district.session, openid="o-0", registration_id=first.card.id, now=district.now
    )
    assert district.submit(1, **twin).card.flags == ()
    assert district.submit(3, **twin).card.flags == (Flag.DUPLICATE,)


def test_whoever_comes_after_the_declared_head_count_is_flagged(district: District) -> None:
    for person in range(3):
        assert district.submit(person).card.flags == ()
    assert district.submit(3).card.flags == (Flag.ABOVE_HEAD_COUNT,)
    # Sending again does not count oneself.
    first = find_registration(district.session, openid="o-0", workplace_id=district.companies[0])
    assert first is not None
    corrected = correct_registration(
        district.session,
        openid="o-0",
        registration_id=first.id,
        entry=entry_of(0, department="前台"),
        now=district.now,
    )
    assert corrected.flags == (Flag.ABOVE_HEAD_COUNT,)
    end_registration(
        district.session,
        openid="o-1",
        registration_id=list_registrations_of(district.session, openid="o-1")[0].id,
        now=district.now,
    )
    assert district.submit(4).card.flags == (Flag.ABOVE_HEAD_COUNT,)


# ---- for others ----------------------------------------------------------------------------------


def test_registrations_are_counted_by_state_and_group(district: District) -> None:
    district.submit(0)
    district.submit(1, health_code=HealthCode.RED)
    approved = district.submit(2)
    district.submit(3, company=1)
    district.set_state(approved.card.id, "approved")
    assert count_registrations(district.session, workplace_id=district.companies[0]) == {
        (RegistrationState.SUBMITTED, Group.FINE): 1,
        (RegistrationState.SUBMITTED, Group.CANNOT): 1,
        (RegistrationState.APPROVED, Group.FINE): 1,
    }


def test_those_who_used_a_code_are_found_while_their_registration_stands(
    district: District,
) -> None:
    district.submit(0)
    ended = district.submit(1)
    district.submit(2, openid=None)
    end_registration(
        district.session, openid="o-1", registration_id=ended.card.id, now=district.now
    )
    assert list_people_who_used(district.session, code_id=district.codes[0]) == ["o-0"]


def test_registrations_are_found_after_the_key_was_changed(district: District) -> None:
    first = district.submit(0)
    install_keyring(Keyring([bytes(range(1, 33)), DATA_KEY]))
    again = district.submit(0)
    assert (again.is_new, again.card.id) == (False, first.card.id)
    other = district.submit(0, company=1, openid="o-x", name="李四", phone="+8613911112222")
    assert Flag.DOCUMENT_OTHER_NAME in other.card.flags


def test_draft_is_gone_once_the_registration_is_there(district: District) -> None:
    company_id = district.companies[0]
    save_draft(
        district.session,
        openid="o-0",
        workplace_id=company_id,
        typed={"name": "张"},
        code_id=None,
        now=district.now,
    )
    district.submit(0)
    assert (
        find_draft(district.session, openid="o-0", workplace_id=company_id, now=district.now)
        is None
    )


def test_submission_takes_few_statements_however_many_are_there(district: District) -> None:
    for person in range(10):
        district.submit(person)
    district.follow("o-11")
    counted = []
    event.listen(
        district.session.get_bind(),
        "before_cursor_execute",
        lambda *arguments: counted.append(arguments[2]),
    )
    district.submit(
        11,
        stays=("江苏昆山", "湖北武汉"),
        travel=Travel.TRAIN,
        returned_on=district.today,
    )
    district.session.flush()
    assert len(counted) <= MAX_STATEMENTS, counted


# ---- at the same time ----------------------------------------------------------------------------


@pytest.mark.parametrize("openids", [["o-0"] * 6, [f"o-{n}" for n in range(6)]])
def test_six_submissions_of_a_person_at_once_are_one_registration(
    database: Database, stored_district: District, openids: list[str]
) -> None:
    receipts = []

    def submit(openid: str) -> None:
        with database.transaction() as session:
            receipt = submit_registration(
                session,
                workplace_id=stored_district.companies[0],
                entry=entry_of(0),
                openid=openid,
                code_id=stored_district.codes[0],
                now=stored_district.now,
            )
        receipts.append(receipt)

    failures = at_once([lambda openid=openid: submit(openid) for openid in openids])  # type: ignore[misc]

    assert failures == []
    assert sum(receipt.is_new for receipt in receipts) == 1
    assert len({receipt.card.id for receipt in receipts}) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Registration)) == 1


def test_two_documents_of_a_person_at_once_are_one_registration(
    database: Database, stored_district: District
) -> None:
    def submit(person: int) -> None:
        with database.transaction() as session:
            submit_registration(
                session,
                workplace_id=stored_district.companies[0],
                entry=entry_of(person),
                openid="o-0",
                code_id=stored_district.codes[0],
                now=stored_district.now,
            )

    failures = at_once([lambda n=n: submit(n) for n in range(4)])  # type: ignore[misc]

    assert [type(failure) for failure in failures] == [RegistrationExistsError] * 3
