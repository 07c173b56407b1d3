"""Finding companies, matching their owners, and keeping who asked on record."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.audit.model import AuditEntry
from core.db import Database, Keyring, install_keyring
from core.people.documents import Document, DocumentKind, document_of
from core.registry.importing import import_companies
from core.registry.model import Company, CompanyChange
from core.registry.rules import CompanyKind, CompanyState, Field
from core.registry.service import (
    CompanyNotFoundError,
    MatchResult,
    find_company_by_uscc,
    get_company,
    has_owner_changed,
    list_changes,
    list_companies_of,
    list_not_seen,
    match_owner,
    owner_key_of,
    reseal_owners,
)
from tests.core.importing_rows import Cells, loader_of

TODAY = date(2020, 3, 28)
import_rows = loader_of(import_companies)
_random = Random(11)
CODES = [company_code(_random) for _ in range(3)]
MINE, YOURS, NOBODYS = (
    resident_number(_random, born_on=date(1980, 1, day), is_female=False) for day in (1, 2, 3)
)


def row(uscc: str, number: str, owner: str, **changes: str) -> Cells:
    return {
        "uscc": uscc,
        "name": f"上海汇丰{uscc[-2:]}有限公司",
        "legal_person_name": owner,
        "legal_person_id": number,
        "address": "天钥桥路1号",
        "street": "徐家汇街道",
        "industry": "贸易",
        "state": "存续",
    } | changes


def load(session: Session, now: datetime, *rows: Cells) -> None:
    assert import_rows(session, now, *rows).rejections == []


@pytest.fixture
def register(session: Session, now: datetime) -> Session:
    """A session with two companies of one owner and one of another."""
    load(
        session,
        now,
        row(CODES[0], MINE, "阿依古丽·吐尔逊", name="上海甲有限公司"),
        row(CODES[1], MINE, "阿依古丽·吐尔逊", name="上海乙有限公司", state="吊销"),
        row(CODES[2], YOURS, "王伟", name="上海丙有限公司"),
    )
    return session


def document(number: str, kind: DocumentKind | None = None) -> Document:
    return document_of(number, kind=kind, today=TODAY)


def match(session: Session, now: datetime, name: str, number: str) -> MatchResult:
    return match_owner(session, name=name, document=document(number), actor="person:7", now=now)


def entries(session: Session, *actions: str) -> list[AuditEntry]:
    session.flush()
    return list(
        session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)
        )
    )


def test_company_is_found_by_its_code_and_its_owner_is_masked(register: Session) -> None:
    card = find_company_by_uscc(register, uscc=CODES[0])
    assert card is not None
    assert (card.name, card.kind, card.state) == (
        "上海甲有限公司",
        CompanyKind.ENTERPRISE,
        CompanyState.ACTIVE,
    )
    assert (card.street, card.owner_masked) == ("徐家汇街道", "阿**")
    assert get_company(register, company_id=card.id) == card
    assert "吐尔逊" not in repr(card)


def test_company_that_is_not_registered_is_not_found(register: Session) -> None:
    assert find_company_by_uscc(register, uscc=company_code(Random(99))) is None
    with pytest.raises(CompanyNotFoundError):
        get_company(register, company_id=0)


@pytest.mark.parametrize("name", ["阿依古丽·吐尔逊", "阿依古丽吐尔逊"])
def test_owner_is_matched_by_name_and_number_with_all_companies(
    register: Session, now: datetime, name: str
) -> None:
    found = match(register, now, name, MINE)
    assert found.is_matched
    assert {one.name: one.is_in_business for one in found.companies} == {
        "上海甲有限公司": True,
        "上海乙有限公司": False,
    }


def test_order_of_an_owners_companies_is_fixed(register: Session) -> None:
    owner = owner_key_of(name="阿依古丽·吐尔逊", number=MINE)
    names = [one.name for one in list_companies_of(register, owner=owner)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("王伟", MINE, id="wrong name"),
        pytest.param("阿依古丽·吐尔逊", YOURS, id="wrong number"),
        pytest.param("李芳", NOBODYS, id="both unknown"),
    ],
)
def test_wrong_pair_is_refused_the_same_way_whichever_half_is_wrong(
    register: Session, now: datetime, name: str, number: str
) -> None:
    statements: list[str] = []
    event.listen(
        register.get_bind(), "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    assert match(register, now, name, number) == MatchResult(companies=())
    (entry,) = entries(register, "owner_matched", "owner_refused")
    assert sum("SELECT" in one and "owner_id_hash" in one for one in statements) == 1
    assert (entry.action, entry.actor, entry.subject) == (
        "owner_refused",
        "person:7",
        "register:companies",
    )
    assert entry.facts == {"document_kind": "resident_id"}


def test_match_is_recorded_at_every_company_without_personal_data(
    register: Session, now: datetime
) -> None:
    found = match(register, now, "阿依古丽·吐尔逊", MINE)
    recorded = entries(register, "owner_matched", "owner_refused")
    assert [one.subject for one in recorded] == [f"company:{one.id}" for one in found.companies]
    told = "".join(f"{one.action}{one.subject}{one.facts}" for one in recorded)
    assert MINE not in told
    assert "吐尔逊" not in told


def test_refused_look_up_stays_on_record(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        match(session, now, "李芳", NOBODYS)
    with database.reading() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["owner_refused"]


def test_kind_that_the_register_gives_does_not_hinder_a_match(
    session: Session, now: datetime
) -> None:
    load(session, now, row(CODES[0], "H00000001", "陈明", id_kind="passport"))
    permit = document("H00000001", DocumentKind.TRAVEL_PERMIT)
    found = match_owner(session, name="陈明", document=permit, actor="person:1", now=now)
    assert found.is_matched


def test_owner_is_found_while_a_key_is_rotated(register: Session, now: datetime) -> None:
    install_keyring(Keyring([bytes(range(1, 33)), bytes(range(32))]))
    assert match(register, now, "王伟", YOURS).is_matched


def test_resealed_register_needs_no_older_key(register: Session, now: datetime) -> None:
    old, new = bytes(range(32)), bytes(range(1, 33))
    assert reseal_owners(register) == 0
    install_keyring(Keyring([new, old]))
    assert reseal_owners(register) == 3
    assert reseal_owners(register) == 0
    install_keyring(Keyring([new]))
    register.expire_all()
    assert match(register, now, "王伟", YOURS).is_matched
    assert match(register, now, "阿依古丽·吐尔逊", MINE).is_matched
    assert {one.owner_name for one in register.scalars(select(Company))} == {
        "阿依古丽·吐尔逊",
        "王伟",
    }


def test_key_of_an_owner_shows_nothing() -> None:
    key = owner_key_of(name="王伟", number=YOURS)
    assert "hashes" not in repr(key)
    assert key.name_hashes[0] != owner_key_of(name="王伟", number="王伟").id_hashes[0]


def test_change_of_owner_is_known_from_then_on(register: Session, now: datetime) -> None:
    card = find_company_by_uscc(register, uscc=CODES[2])
    assert card is not None
    later = now + timedelta(days=1)
    load(register, later, row(CODES[2], YOURS, "王玮", name="上海丙有限公司"))
    assert not has_owner_changed(register, company_id=card.id, since=now)
    newest = later + timedelta(days=1)
    load(register, newest, row(CODES[2], MINE, "王玮", name="上海丙丙有限公司"))
    assert has_owner_changed(register, company_id=card.id, since=now)
    assert not has_owner_changed(register, company_id=card.id, since=newest)
    told = [
        (one.at, one.field, one.old, one.new) for one in list_changes(register, company_id=card.id)
    ]
    assert {one[0] for one in told[:2]} == {newest}
    assert set(told) == {
        (newest, Field.OWNER, None, None),
        (newest, Field.NAME, "上海丙有限公司", "上海丙丙有限公司"),
        (later, Field.OWNER_NAME, None, None),
    }


def test_companies_that_no_file_named_are_listed_by_code(register: Session, now: datetime) -> None:
    assert list_not_seen(register, since=now) == []
    assert list_not_seen(register, since=now + timedelta(days=1)) == sorted(CODES)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"field": "owner", "new": "王伟"}, id="owner's name in the history"),
        pytest.param({"field": "mood"}, id="field that is none"),
    ],
)
def test_history_refuses_personal_data_and_unknown_fields(
    register: Session, now: datetime, values: dict[str, str]
) -> None:
    company_id = register.scalars(select(Company.id).limit(1)).one()
    register.add(CompanyChange(company_id=company_id, at=now, **values))
    with pytest.raises(IntegrityError):
        register.flush()
