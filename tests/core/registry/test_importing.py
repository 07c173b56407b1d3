"""Importing the register: counts, differences, other owners; reports name nobody."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.audit.model import AuditEntry
from core.db import Keyring, install_keyring
from core.importing import ImportRow
from core.people.documents import document_of
from core.places.model import Street
from core.registry.importing import NOT_SEEN, OWNER_CHANGED, import_companies, name_missing
from core.registry.model import Company, CompanyChange
from core.registry.service import find_company_by_uscc, match_owner
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_companies)

_random = Random(7)
CODES = sorted(company_code(_random) for _ in range(4))
NUMBER, OTHER = (
    resident_number(_random, born_on=date(1975, 5, day), is_female=True) for day in (5, 6)
)
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))


def cells(uscc: str = CODES[0], **changes: str) -> Cells:
    return {
        "uscc": uscc,
        "name": "上海诚川商务咨询有限公司",
        "legal_person_name": "邱涛燕",
        "legal_person_id": NUMBER,
        "address": "喜泰路1258号611室",
        "street": "龙华街道",
        "industry": "商务咨询",
        "state": "存续",
    } | changes


def only(session: Session) -> Company:
    return session.scalars(select(Company)).one()


def history(session: Session) -> list[tuple[str, str | None, str | None]]:
    rows = session.scalars(select(CompanyChange).order_by(CompanyChange.field))
    return [(row.field, row.old, row.new) for row in rows]


def test_new_company_is_stored_with_its_owner_and_street(session: Session, now: datetime) -> None:
    row = cells(f" {CODES[0].lower()} ", legal_person_name="邱 涛燕", legal_person_id=f"{NUMBER} ")
    assert counts(load(session, now, row)) == (1, 0, 0, 0)
    stored = only(session)
    assert (stored.uscc, stored.name, stored.kind) == (CODES[0], cells()["name"], "enterprise")
    assert (stored.owner_name, stored.owner_id) == ("邱涛燕", NUMBER)
    assert stored.owner_id_kind == "resident_id"
    assert (stored.address, stored.industry, stored.state) == (
        "喜泰路1258号611室",
        "商务咨询",
        "active",
    )
    assert (stored.street.name, stored.street.code) == ("龙华街道", "310104016")
    assert stored.changed_at == stored.first_seen_at == stored.last_seen_at == now
    assert history(session) == []


def test_owner_is_unreadable_in_the_database(session: Session, now: datetime) -> None:
    load(session, now, cells())
    (raw,) = session.execute(text("SELECT * FROM company")).all()
    stored = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in raw)
    assert NUMBER.encode() not in stored
    assert "邱涛燕".encode() not in stored


def test_same_file_again_changes_nothing_but_when_it_was_seen(
    session: Session, now: datetime
) -> None:
    rows = [cells(code) for code in CODES]
    load(session, now, *rows)
    later = now + timedelta(days=1)
    assert counts(load(session, later, *rows)) == (0, 0, 4, 0)
    for company in session.scalars(select(Company)):
        assert (company.first_seen_at, company.changed_at) == (now, now)
        assert company.last_seen_at == later
    assert history(session) == []


def test_reimport_shows_the_difference_by_field(session: Session, now: datetime) -> None:
    load(session, now, *(cells(code) for code in CODES))
    later = now + timedelta(days=1)
    outcome = load(
        session,
        later,
        cells(CODES[0], address="喜泰路1号"),
        cells(CODES[1], address="喜泰路2号", state="歇业", street="田林街道"),
        cells(CODES[2], name="上海诚川咨询有限公司", industry=""),
        cells(CODES[3]),
    )
    assert counts(outcome) == (0, 3, 1, 0)
    assert outcome.field_counts == {
        "address": 2,
        "state": 1,
        "street": 1,
        "name": 1,
        "industry": 1,
    }
    assert outcome.findings == {}
    assert set(history(session)) == {
        ("address", "喜泰路1258号611室", "喜泰路1号"),
        ("address", "喜泰路1258号611室", "喜泰路2号"),
        ("state", "active", "suspended"),
        ("street", "龙华街道", "田林街道"),
        ("name", "上海诚川商务咨询有限公司", "上海诚川咨询有限公司"),
        ("industry", "商务咨询", ""),
    }
    card = find_company_by_uscc(session, uscc=CODES[1])
    assert card is not None
    assert (card.address, card.state.value, card.street) == ("喜泰路2号", "suspended", "田林街道")


def test_another_owner_is_named_by_code_and_history_keeps_no_personal_data(
    session: Session, now: datetime
) -> None:
    load(session, now, cells(CODES[0]), cells(CODES[1]))
    outcome = load(
        session,
        now + timedelta(days=1),
        cells(CODES[0], legal_person_id=OTHER, legal_person_name="吴泽"),
        cells(CODES[1], legal_person_name="邱涛艳"),
    )
    assert counts(outcome) == (0, 2, 0, 0)
    assert outcome.findings == {OWNER_CHANGED: [CODES[0]]}
    assert outcome.field_counts == {"owner": 1, "owner_name": 1}
    assert history(session) == [("owner", None, None), ("owner_name", None, None)]
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "owner_changed")).all()
    identity = session.scalar(select(Company.id).where(Company.uscc == CODES[0]))
    assert [one.subject for one in entries] == [f"company:{identity}"]
    owner = document_of(OTHER, today=date(2020, 3, 28))
    found = match_owner(session, name="吴泽", document=owner, actor="person:1", now=now)
    assert [one.uscc for one in found.companies] == [CODES[0]]


def test_every_import_is_recorded_with_its_counts(session: Session, now: datetime) -> None:
    load(session, now, cells(), cells("x"))
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action) == ("operator:import", "companies_imported")
    assert entry.facts == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}


REFUSED = [
    pytest.param({"uscc": ""}, "cell_empty", id="no code"),
    pytest.param({"uscc": CODES[1][:-1]}, "uscc_length", id="short code"),
    pytest.param({"uscc": CODES[1][:8] + "O" + CODES[1][9:]}, "uscc_character", id="letter O"),
    pytest.param({"name": ""}, "cell_empty", id="no name"),
    pytest.param({"name": "上" * 101}, "cell_too_long", id="long name"),
    pytest.param({"legal_person_name": ""}, "cell_empty", id="no owner"),
    pytest.param({"legal_person_name": "=邱涛燕"}, "name_character", id="formula"),
    pytest.param({"legal_person_name": "邱" * 51}, "name_too_long", id="long owner"),
    pytest.param({"legal_person_id": ""}, "cell_empty", id="no number"),
    pytest.param({"legal_person_id": NUMBER[:-1]}, "document_length", id="short number"),
    pytest.param({"legal_person_id": NUMBER[:6] + NUMBER[8:17]}, "document_outdated", id="old"),
    pytest.param({"legal_person_id": "A" + NUMBER[1:]}, "document_character", id="letter"),
    pytest.param(
        {"legal_person_id": NUMBER[:6] + "2099" + NUMBER[10:]}, "document_birth_date", id="future"
    ),
    pytest.param(
        {"legal_person_id": NUMBER[:16] + str((int(NUMBER[16]) + 1) % 10) + NUMBER[17]},
        "document_check_digit",
        id="slip",
    ),
    pytest.param({"id_kind": "护照"}, "document_form", id="another form"),
    pytest.param({"id_kind": "户口本"}, "document_kind_unknown", id="unknown document"),
    pytest.param({"address": ""}, "cell_empty", id="no address"),
    pytest.param({"street": "火星街道"}, "street_unknown", id="unknown street"),
    pytest.param({"street": "田林"}, "street_unknown_like", id="street without its ending"),
    pytest.param({"state": "清算中"}, "company_state_unknown", id="unknown state"),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_row_that_cannot_be_used_is_named_without_personal_data(
    session: Session, now: datetime, changes: Cells, code: str
) -> None:
    outcome = load(session, now, cells(CODES[0]), cells(CODES[1]) | changes)
    assert [(one.line, one.code) for one in outcome.rejections] == [(3, code)]
    assert counts(outcome) == (1, 0, 0, 1)
    told = str(outcome.rejections[0].facts)
    assert NUMBER[:14] not in told
    assert "邱" not in told


def test_number_that_a_spreadsheet_holds_as_a_number_is_refused(
    session: Session, now: datetime
) -> None:
    rows = [
        ImportRow(2, cells(), frozenset({"legal_person_id"})),
        ImportRow(3, cells(), frozenset({"uscc"})),
    ]
    outcome = import_companies(session, rows, now=now)
    assert [one.code for one in outcome.rejections] == ["document_is_number", "code_is_number"]
    assert NUMBER not in str(outcome.rejections[0].facts)


def test_second_row_of_a_code_is_refused_and_one_after_a_refused_row_is_not(
    session: Session, now: datetime
) -> None:
    outcome = load(
        session, now, cells(state="清算中"), cells(), cells(address="喜泰路1号"), cells(CODES[1])
    )
    assert counts(outcome) == (2, 0, 0, 2)
    assert (outcome.rejections[1].code, outcome.rejections[1].line) == ("code_twice", 4)
    assert outcome.rejections[1].facts == {"value": CODES[0], "first": 3}


def test_state_that_cannot_follow_is_refused(session: Session, now: datetime) -> None:
    load(session, now, cells(state="注销"))
    outcome = load(session, now, cells(state="歇业"))
    assert [(one.code, one.facts) for one in outcome.rejections] == [
        ("company_state_impossible", {"old": "deregistered", "new": "suspended"})
    ]
    assert counts(load(session, now, cells(state="存续"))) == (0, 1, 0, 0)


def test_empty_state_is_active_and_industry_may_be_empty(session: Session, now: datetime) -> None:
    load(session, now, cells(state="", industry=""))
    assert (only(session).state, only(session).industry) == ("active", "")


def test_kind_of_document_is_taken_from_its_column(session: Session, now: datetime) -> None:
    load(
        session,
        now,
        cells(CODES[0], id_kind="护照", legal_person_id="000000012"),
        cells(CODES[1], id_kind="", legal_person_id="H00000001"),
    )
    kinds = session.execute(select(Company.uscc, Company.owner_id_kind).order_by(Company.uscc))
    assert [tuple(row) for row in kinds] == [(CODES[0], "passport"), (CODES[1], "travel_permit")]


def test_full_file_names_what_it_lacks_and_leaves_it_alone(session: Session, now: datetime) -> None:
    load(
        session,
        now,
        cells(CODES[0]),
        cells(CODES[1]),
        cells(CODES[2]),
        cells(CODES[3], state="注销"),
    )
    later = now + timedelta(days=1)
    outcome = load(session, later, cells(CODES[0]), cells(CODES[1], address=""))
    name_missing(session, outcome, now=later)
    # The second is in the file, though its row is refused; the fourth is no more.
    assert outcome.findings[NOT_SEEN] == [CODES[2]]
    assert session.scalars(select(Company.state).where(Company.uscc == CODES[2])).one() == "active"


def test_number_of_statements_does_not_grow_with_the_file(session: Session, now: datetime) -> None:
    random = Random(3)
    codes = [company_code(random) for _ in range(200)]
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    load(session, now, cells(codes[0]))
    few = len(statements)
    load(session, now, *(cells(code) for code in codes[:100]))
    load(session, now, *(cells(code, address="喜泰路1号") for code in codes))
    assert len(statements) - few <= 2 * few + 4


def test_streets_of_the_district_are_created_once(session: Session, now: datetime) -> None:
    load(session, now, cells(CODES[0]), cells(CODES[1]))
    assert session.scalars(select(Street.name)).all() == ["龙华街道"]


def test_new_key_makes_no_new_owner(session: Session, now: datetime) -> None:
    install_keyring(Keyring([OLD_KEY]))
    load(session, now, cells())
    install_keyring(Keyring([NEW_KEY, OLD_KEY]))
    outcome = load(session, now, cells())
    assert (counts(outcome), outcome.findings) == ((0, 0, 1, 0), {})
