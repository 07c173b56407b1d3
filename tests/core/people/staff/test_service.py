from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Database, Keyring, install_keyring
from core.people.staff.model import StaffAccount, StaffCommunity
from core.people.staff.rules import Area, Role
from core.people.staff.service import (
    NewStaff,
    StaffInputError,
    StaffNameTakenError,
    StaffNotFoundError,
    add_account,
    disable_account,
    get_account,
    list_accounts,
    list_area_names,
    reseal_secrets,
    reset_account,
)
from core.people.staff.signing_in import find_credentials, find_signed_in, sign_in
from core.places.model import Community, Street


def add_places(session: Session, now: datetime) -> None:
    for number, name in ((1, "田林街道"), (2, "凌云路街道")):
        session.add(Street(id=number, code=f"31010400{number}", name=name))
    session.flush()
    for number, street_id in ((1, 1), (2, 1), (3, 2)):
        session.add(
            Community(
                id=number,
                code=f"C{number}",
                name=f"第{number}小区",
                street_id=street_id,
                changed_at=now,
            )
        )
    session.flush()


def add(session: Session, now: datetime, *, role: Role, **values: object) -> StaffAccount:
    staff = NewStaff(**{"name": "wang", "role": role, **values})  # type: ignore[arg-type]
    return add_account(session, staff=staff, password_hash="hash", now=now)


def test_account_is_added_with_its_area_and_must_change_its_password(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        add_places(session, now)
        add(session, now, role=Role.STREET_OFFICER, name="Wang", street="田林街道")
        add(session, now, role=Role.NEIGHBOURHOOD_OFFICER, name="li", community_codes=["C3", "C1"])
        add(session, now, role=Role.AUDITOR, name="zhao", display_name="赵")
    with database.reading() as session:
        li, wang, zhao = list_accounts(session)
        assert [li.name, wang.name, zhao.name] == ["li", "wang", "zhao"]
        assert wang.must_change
        assert wang.area == Area(street_id=1)
        assert li.area == Area(community_ids=frozenset({1, 3}))
        assert zhao.area == Area()
        assert [one.display_name for one in (li, zhao)] == ["li", "赵"]
        assert list_area_names(session, area=wang.area) == ["田林街道"]
        assert list_area_names(session, area=li.area) == ["第1小区", "第3小区"]
        assert list_area_names(session, area=zhao.area) == []
        actions = session.scalars(select(AuditEntry.action)).all()
        assert actions == ["staff_added"] * 3


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"role": Role.STREET_OFFICER}, "area_needed"),
        ({"role": Role.NEIGHBOURHOOD_OFFICER}, "area_needed"),
        ({"role": Role.AUDITOR, "street": "田林街道"}, "area_not_allowed"),
        ({"role": Role.STREET_OFFICER, "community_codes": ["C1"]}, "area_not_allowed"),
        ({"role": Role.STREET_OFFICER, "street": "天平街道"}, "street_unknown"),
        ({"role": Role.NEIGHBOURHOOD_OFFICER, "community_codes": ["C9"]}, "community_unknown"),
        (
            {"role": Role.STREET_OFFICER, "street": "田林街道", "community_codes": ["C1"]},
            "area_twice",
        ),
        ({"role": Role.AUDITOR, "name": "a b"}, "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_account_that_cannot_be_is_refused_with_its_fault(
    session: Session, now: datetime, values: dict[str, object], fault: str
) -> None:
    add_places(session, now)
    with pytest.raises(StaffInputError) as caught:
        add(session, now, **values)  # type: ignore[arg-type]
    assert caught.value.facts["fault"] == fault


def test_street_may_be_named_by_its_code(session: Session, now: datetime) -> None:
    add_places(session, now)
    account = add(session, now, role=Role.STREET_OFFICER, street="310104002")
    assert account.area == Area(street_id=2)


def test_name_is_taken_once_in_whatever_spelling(session: Session, now: datetime) -> None:
    add(session, now, role=Role.AUDITOR)
    with pytest.raises(StaffNameTakenError):
        add(session, now, role=Role.AUDITOR, name=" WANG ")
    assert len(list_accounts(session)) == 1


def test_officer_whose_area_was_lost_sees_nothing_rather_than_everything(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        add_places(session, now)
        add(session, now, role=Role.NEIGHBOURHOOD_OFFICER, community_codes=["C1"])
        for row in session.scalars(select(StaffCommunity)):
            session.delete(row)
    with database.reading() as session:
        assert list_accounts(session)[0].area == Area(community_ids=frozenset())


def test_disabling_ends_sign_ins_at_once_and_is_recorded_once(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        add(session, now, role=Role.AUDITOR)
        found = find_credentials(session, name="wang")
        token = sign_in(session, credentials=found, is_right=True, now=now)
        assert token is not None
    for _ in range(2):
        with database.transaction() as session:
            disable_account(session, name="Wang", now=now)
    with database.transaction() as session:
        assert find_signed_in(session, token=token, now=now) is None
        assert sign_in(session, credentials=found, is_right=True, now=now) is None
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == ["staff_added", "staff_disabled", "sign_in_failed"]


def test_reset_gives_a_new_start(session: Session, now: datetime) -> None:
    account = add(session, now, role=Role.ADMINISTRATOR)
    found = find_credentials(session, name="wang")
    token = sign_in(session, credentials=found, is_right=True, now=now)
    account.must_change, account.is_active, account.failed_count = False, False, 7
    account.locked_until, account.totp_enrolled_at = now + timedelta(hours=1), now
    session.flush()
    reset_account(session, name="wang", password_hash="new", now=now)
    session.flush()
    assert account.must_change
    assert account.is_active
    assert (account.failed_count, account.locked_until) == (0, None)
    assert (account.totp_secret, account.totp_enrolled_at) == (None, None)
    assert account.password_hash == "new"
    assert token is not None
    assert find_signed_in(session, token=token, now=now) is None
    # The comparison was with the old hash, so what it found no longer counts.
    assert sign_in(session, credentials=found, is_right=True, now=now) is None


def test_authenticator_is_sealed_anew_after_a_rotation(database: Database, now: datetime) -> None:
    old_key, new_key = bytes(range(32)), bytes(range(1, 33))
    with database.transaction() as session:
        add(session, now, role=Role.AUDITOR, name="zhao")
        add(session, now, role=Role.ADMINISTRATOR).totp_secret = "JBSWY3DPEHPK3PXP"
    install_keyring(Keyring([new_key, old_key]))
    counts = []
    for _ in range(2):
        with database.transaction() as session:
            counts.append(reseal_secrets(session))
    assert counts == [1, 0]
    install_keyring(Keyring([new_key]))
    with database.transaction() as session:
        assert get_account(session, name="wang").totp_secret == "JBSWY3DPEHPK3PXP"


def test_account_that_is_not_there(session: Session, now: datetime) -> None:
    for use in (
        lambda: get_account(session, name="nobody"),
        lambda: disable_account(session, name="nobody", now=now),
        lambda: reset_account(session, name="nobody", password_hash="x", now=now),
    ):
        with pytest.raises(StaffNotFoundError):
            use()
