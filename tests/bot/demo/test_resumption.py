from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.companies import SEED, DemoCompany, make_companies
from bot.demo.key_areas import make_key_areas
from bot.demo.resumption import (
    REVIEWER,
    filing_companies,
    is_loaded,
    load_resumption,
    story_companies,
)
from core.clock import day_of
from core.codes.model import EntryCode
from core.files.service import read_file
from core.keyareas.importing import import_key_areas
from core.mandates.proving import prove_ownership
from core.notices.model import Notice
from core.notices.rules import NoticeState
from core.people.documents import document_of
from core.people.staff.model import StaffAccount
from core.places.model import Community, Street
from core.places.streets import official_codes
from core.registration.model import Registration
from core.registration.rules import Flag
from core.registry.importing import import_companies
from core.registry.rules import CompanyState
from core.resumption.approval.model import Decision
from core.resumption.filing.model import Filing
from tests.core.mandates.conftest import MemoryFiles
from tests.servers import ROOT

COUNT = 60


@pytest.fixture
def companies() -> list[DemoCompany]:
    return make_companies(SEED, count=COUNT)


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def played(
    session: Session, now: datetime, companies: list[DemoCompany], files: MemoryFiles
) -> tuple[int, int]:
    for number, (name, code) in enumerate(official_codes().items(), start=1):
        session.add(Street(id=number, code=code, name=name))
    session.flush()
    for number in range(1, 4):
        session.add(
            Community(
                id=number, code=f"T{number}", name=f"田林{number}村", street_id=1, changed_at=now
            )
        )
    session.flush()
    import_companies(session, (one.row(line) for line, one in enumerate(companies, 2)), now=now)
    import_key_areas(session, make_key_areas(today=day_of(now)), now=now)
    assert not is_loaded(session)
    return load_resumption(session, companies, files=files, now=now)


def test_no_page_is_empty_and_all_of_it_is_past(
    session: Session, played: tuple[int, int], files: MemoryFiles, now: datetime
) -> None:
    """One test, as playing the story takes seconds."""
    _check_no_page_is_empty(session, played)
    _check_all_is_past(session, now)
    plans = session.scalars(select(Filing.plan_id).where(Filing.plan_id.is_not(None))).all()
    found = read_file(session, files=files, file_id=plans[0] or 0, actor="staff:1", now=now)
    assert found.content.startswith(b"%PDF")


def _check_no_page_is_empty(session: Session, played: tuple[int, int]) -> None:
    states = Counter(session.scalars(select(Filing.state)))
    assert set(states) == {"draft", "submitted", "returned", "approved", "rejected"}
    registrations = session.scalars(select(Registration)).all()
    assert played == (states.total(), len(registrations))
    assert {one.flag_group for one in registrations} == {"fine", "look", "cannot"}
    flags = {flag for one in registrations for flag in one.flags}
    assert flags >= {Flag.KEY_AREA, Flag.CODE_NOT_GREEN, Flag.FEVER, Flag.PHONE_OTHER_NAME}
    assert Flag.ABOVE_HEAD_COUNT in flags
    assert set(session.scalars(select(Decision.state))) == {"released"}
    live = select(EntryCode.id).where(EntryCode.retired_at.is_(None))
    assert len(session.scalars(live).all()) == states.total() - states["draft"] - 1
    assert is_loaded(session)


def _check_all_is_past(session: Session, now: datetime) -> None:
    newest = session.scalars(select(Registration.changed_at)).all()
    assert max(newest) < now - timedelta(hours=1)
    # Nobody is told anything.
    assert set(session.scalars(select(Notice.state))) == {NoticeState.SENT}
    played = story_companies()[1]
    proof = prove_ownership(
        session,
        openid="o-player",
        name=played.owner.name,
        document=document_of(played.owner.number, today=day_of(now)),
        now=now,
    )
    # Whoever plays the owner acts at once.
    assert played.uscc in {one.company.uscc for one in proof.mandates}
    (reviewer,) = session.scalars(select(StaffAccount)).all()
    assert reviewer.name == REVIEWER
    assert not reviewer.is_active


def test_the_story_begins_with_a_company_that_has_not_filed(companies: list[DemoCompany]) -> None:
    fresh, filed = story_companies()
    telling = filing_companies(companies)
    assert fresh == companies[0]
    assert filed == telling[0]
    assert fresh.owner not in {one.owner for one in telling}
    assert {one.state for one in telling} == {CompanyState.ACTIVE}
    assert len({one.owner for one in telling}) == len(telling) == 14


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_the_owners_whom_one_may_play(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    for company in story_companies():
        assert company.owner.name in text
        assert company.owner.number in text
