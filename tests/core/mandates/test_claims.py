"""Claiming a company that the register does not have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.files.model import StoredFile
from core.files.rules import FileTypeError
from core.mandates.claims import (
    ClaimInput,
    CompanyRegisteredError,
    LicenceFile,
    list_claims_of,
    submit_claim,
)
from core.mandates.model import CompanyClaim
from core.mandates.rules import ClaimState
from core.people.documents import document_of
from core.people.model import Consent
from core.places.model import Street
from tests.core.mandates.conftest import CODES, NUMBERS, OWNERS, PDF, District, MemoryFiles

LICENCE = LicenceFile(name="执照.pdf", content=PDF)


def claim_of(session: Session, *, place: int = 3, owner: int = 3) -> ClaimInput:
    street_id = session.scalars(select(Street.id)).first()
    return ClaimInput(
        uscc=CODES[place],
        name="上海新设有限公司",
        owner_name=OWNERS[owner],
        document=document_of(NUMBERS[owner], today=date(2020, 3, 28)),
        address="漕溪北路8号",
        street_id=street_id or 0,
        industry="餐饮",
    )


def test_claim_waits_masked_with_its_licence_and_is_on_record(
    district: District, files: MemoryFiles
) -> None:
    card = submit_claim(
        district.session,
        openid="o-chen",
        claim=claim_of(district.session),
        licence=LICENCE,
        files=files,
        now=district.now,
    )
    assert (card.state, card.owner_masked, card.document_masked[3:14]) == (
        ClaimState.WAITING,
        "陈*",
        "*" * 11,
    )
    assert (card.street, card.company_id, card.held_by) == ("徐家汇街道", None, "")
    assert len(files.kept) == 1
    assert list_claims_of(district.session, openid="o-chen", now=district.now) == [card]
    assert list_claims_of(district.session, openid="o-other", now=district.now) == []
    (entry,) = district.recorded("claim_submitted")
    assert (entry.subject, entry.facts) == (f"claim:{card.id}", {"company_id": None})
    assert district.session.scalars(select(Consent.purpose)).all() == ["return_to_work"]
    shown = f"{card}{claim_of(district.session)}{LICENCE}"
    assert NUMBERS[3] not in shown
    assert OWNERS[3] not in shown


def test_claim_sent_twice_is_one_claim_with_one_file(
    district: District, files: MemoryFiles
) -> None:
    cards = [
        submit_claim(
            district.session,
            openid="o-chen",
            claim=claim_of(district.session),
            licence=LICENCE,
            files=files,
            now=district.now,
        )
        for _ in range(2)
    ]
    assert cards[0] == cards[1]
    assert len(files.kept) == 1


def test_company_that_is_registered_cannot_be_claimed(
    district: District, files: MemoryFiles
) -> None:
    with pytest.raises(CompanyRegisteredError):
        submit_claim(
            district.session,
            openid="o-chen",
            claim=claim_of(district.session, place=0),
            licence=LICENCE,
            files=files,
            now=district.now,
        )
    assert files.kept == {}


def test_licence_that_is_no_picture_is_refused_and_nothing_is_kept(
    district: District, files: MemoryFiles
) -> None:
    with pytest.raises(FileTypeError):
        submit_claim(
            district.session,
            openid="o-chen",
            claim=claim_of(district.session),
            licence=replace(LICENCE, content=b"MZ" * 100),
            files=files,
            now=district.now,
        )
    assert files.kept == {}
    assert list_claims_of(district.session, openid="o-chen", now=district.now) == []


def test_claim_sent_at_once_from_two_windows_is_one_claim(
    database: Database, now: datetime, files: MemoryFiles
) -> None:
    with database.transaction() as session:
        District(session=session, now=now).register(0)
        claim = claim_of(session)

    def send(_: int) -> int:
        with database.transaction() as session:
            card = submit_claim(
                session, openid="o-chen", claim=claim, licence=LICENCE, files=files, now=now
            )
            return card.id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CompanyClaim)) == 1
        assert (session.scalar(select(func.count()).select_from(StoredFile)) or 0) >= 1
