"""A site and a shop in one street, a key area, and an officer."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from tests.cases import Desk, add_key_area, add_shop, add_site
from tests.core.registration.conftest import add_places


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    """A site and a shop that take people, and an officer of the street."""
    add_places(session, now)
    staff = NewStaff(name="li", role=Role.STREET_OFFICER, display_name="李明", street="田林街道")
    account = add_account(session, staff=staff, password_hash="x", now=now)
    add_key_area(session, now=now)
    return Desk(
        session=session,
        now=now,
        site_id=add_site(session, street_id=1, now=now),
        shop_id=add_shop(session, street_id=1, now=now),
        staff_id=account.id,
    )
