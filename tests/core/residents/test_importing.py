"""Importing the register: who is new, who moved, whom nobody can place; reports name nobody."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Database, Keyring, install_keyring
from core.importing import FileRefusedError, ImportRow, Manifest
from core.people.staff.rules import Area
from core.residents.importing import ENDED, UNNAMED, UNPLACED, import_residents
from core.residents.model import Residence, Resident
from core.residents.rules import ALWAYS, MANY_NEW
from core.residents.service import (
    count_unplaced,
    list_unplaced,
    place_resident,
    reseal_places,
)
from tests.core.importing_rows import Cells, counts, loader_of, rows_of
from tests.core.residents.conftest import ANNA, add_places, homes
from tests.core.risk.values import count_statements

load = loader_of(import_residents)

BEN, CARL = "310104197606061234", "shiyou-0003"
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))


def cells(person_id: str = ANNA, code: str = "T1", **changes: str) -> Cells:
    return {"person_id": person_id, "community_code": code} | changes


def test_new_people_live_where_the_register_says_since_ever_or_since_then(
    session: Session, now: datetime, places: None
) -> None:
    outcome = load(
        session,
        now,
        cells(ANNA, birth_year="1975"),
        cells(BEN, "T2", birth_date="1976-06-06", since="2020-03-01"),
    )
    assert counts(outcome) == (2, 0, 0, 0)
    assert homes(session, ANNA) == [(1, ALWAYS, None)]
    assert homes(session, BEN) == [(2, date(2020, 3, 1), None)]
    years = session.scalars(select(Resident.birth_year).order_by(Resident.birth_year))
    assert list(years) == [1975, 1976]
    (entry,) = session.scalars(select(AuditEntry))
    assert (entry.action, entry.facts["created"]) == ("residents_imported", 2)


def test_nothing_of_an_identifier_is_stored(session: Session, now: datetime, places: None) -> None:
    load(session, now, cells(ANNA, "", community="江南路12弄5号302室"))
    rows = [
        *session.execute(text("SELECT * FROM resident")),
        *session.execute(text("SELECT * FROM residence")),
        *session.execute(text("SELECT facts FROM audit_entry")),
    ]
    stored = b"|".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in rows
        for value in row
    )
    for secret in (ANNA, ANNA[6:14], "江南路", "302"):
        assert secret.encode() not in stored


def test_same_file_again_changes_nothing(session: Session, now: datetime, places: None) -> None:
    rows = [
        cells(ANNA, birth_year="1975"),
        cells(BEN, "", community="江南路12弄"),
        cells(CARL, "", community=""),
    ]
    load(session, now, *rows)
    before = session.execute(text("SELECT * FROM residence ORDER BY id")).all()
    assert counts(load(session, now + timedelta(days=1), *rows)) == (0, 0, 3, 0)
    assert session.execute(text("SELECT * FROM residence ORDER BY id")).all() == before


def test_who_moved_lived_in_the_old_place_until_then(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(ANNA), cells(BEN), cells(CARL))
    later = now + timedelta(days=1)
    outcome = load(
        session, later, cells(ANNA, "T2"), cells(BEN, "T3", since="2020-03-20"), cells(CARL)
    )
    assert counts(outcome) == (0, 2, 1, 0)
    assert outcome.field_counts == {"community": 2}
    today = date(2020, 3, 29)
    assert homes(session, ANNA) == [(1, ALWAYS, today), (2, today, None)]
    assert homes(session, BEN) == [(1, ALWAYS, date(2020, 3, 20)), (3, date(2020, 3, 20), None)]


def test_move_from_before_the_standing_residence_corrects_it(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(since="2020-03-10"))
    load(session, now, cells(code="T2", since="2020-03-10"))
    assert homes(session) == [(2, date(2020, 3, 10), None)]


def test_birth_year_is_corrected_and_kept_by_a_file_without_one(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(birth_year="1957"))
    assert load(session, now, cells(birth_year="1975")).field_counts == {"birth_year": 1}
    assert counts(load(session, now, cells(birth_year=""))) == (0, 0, 1, 0)
    assert session.scalar(select(Resident.birth_year)) == 1975


WORDS: dict[str, int | None] = {
    "田林十二村": 1,
    "徐汇区田林十三村5号楼302室": 2,
    "上海市徐汇区龙南路10弄7号601室": 3,  # by the address that the register has
    "田林新村": None,
    "江南路12弄": None,
    "": None,
}


def test_words_place_people_only_where_they_are_sure(
    session: Session, now: datetime, places: None
) -> None:
    rows = [cells(f"p-{words}", "", community=words) for words in WORDS]
    outcome = load(session, now, *rows)
    assert {words: homes(session, f"p-{words}") for words in WORDS} == {
        words: [(community_id, ALWAYS, None)] for words, community_id in WORDS.items()
    }
    assert outcome.findings[UNPLACED] == ["5", "6", "7"]


def test_unknown_code_without_words_is_work_for_an_officer(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(code="T99"))
    (row,) = list_unplaced(session, area=Area()).rows
    assert (row.place, row.person_count) == ("T99", 1)


def test_what_an_officer_placed_is_not_asked_again(
    session: Session, now: datetime, places: None
) -> None:
    place = {"community": "江南路12弄5号"}
    load(session, now, cells(ANNA, "", **place), cells(BEN, "", **place))
    (row,) = list_unplaced(session, area=Area()).rows
    count = place_resident(
        session, residence_id=row.residence_id, community_id=3, area=Area(), staff_id=1, now=now
    )
    assert (row.person_count, count) == (2, 2)
    outcome = load(session, now, cells(ANNA, "", **place), cells(CARL, "", **place))
    assert counts(outcome) == (1, 0, 1, 0)
    assert outcome.findings[UNPLACED] == []
    assert homes(session, ANNA) == homes(session, BEN) == homes(session, CARL)
    assert homes(session, CARL) == [(3, ALWAYS, None)]


def test_register_that_learns_where_somebody_lives_fills_it_in(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(code="", community="江南路12弄"))
    assert counts(load(session, now, cells(code="T2"))) == (0, 1, 0, 0)
    assert homes(session) == [(2, ALWAYS, None)]


IMPOSSIBLE: list[tuple[Cells, str]] = [
    ({"person_id": " "}, "cell_empty"),
    ({"person_id": "9" * 65}, "person_id_too_long"),
    ({"birth_year": "75"}, "number_too_small"),
    ({"birth_year": "2021"}, "number_too_large"),
    ({"birth_year": "1975.5"}, "not_whole"),
    ({"birth_date": "2020-03-29"}, "day_too_late"),
    ({"birth_date": "1875-01-01"}, "birth_too_early"),
    ({"birth_date": "1975-02-30"}, "not_a_day"),
    ({"birth_date": "1975-01-01", "birth_year": "1976"}, "birth_year_differs"),
    ({"since": "2020-03-29"}, "day_too_late"),
    ({"since": "1974-12-31", "birth_year": "1975"}, "before_birth"),
    ({"community_code": "", "community": "村" * 201}, "cell_too_long"),
]


def test_rows_that_cannot_be_are_refused_and_the_others_are_kept(
    session: Session, now: datetime, places: None
) -> None:
    outcome = load(session, now, *(cells() | changes for changes, _ in IMPOSSIBLE), cells(BEN))
    assert counts(outcome) == (1, 0, 0, len(IMPOSSIBLE))
    assert [one.code for one in outcome.rejections] == [code for _, code in IMPOSSIBLE]
    assert [one.line for one in outcome.rejections] == list(range(2, 2 + len(IMPOSSIBLE)))
    told = str([one.facts for one in outcome.rejections])
    assert ANNA not in told
    assert "999" not in told


def test_same_person_twice_is_refused_at_the_later_line(
    session: Session, now: datetime, places: None
) -> None:
    outcome = load(
        session, now, cells(ANNA, since="x"), cells(ANNA), cells(BEN), cells(ANNA.lower(), "T2")
    )
    refused = [(one.line, one.code, dict(one.facts)) for one in outcome.rejections]
    assert [one[:2] for one in refused] == [(2, "not_a_day"), (5, "person_twice")]
    assert refused[1][2] == {"first": 3}
    assert homes(session) == [(1, ALWAYS, None)]


def test_number_of_a_spreadsheet_is_no_identifier(
    session: Session, now: datetime, places: None
) -> None:
    row = ImportRow(2, cells(), frozenset({"person_id"}))
    (refused,) = import_residents(session, [row], now=now).rejections
    assert (refused.code, refused.facts) == ("document_is_number", {"column": "person_id"})


def test_full_file_counts_whom_it_lacks_and_ends_them_only_if_asked(
    session: Session, now: datetime, places: None
) -> None:
    load(session, now, cells(ANNA), cells(BEN), cells(CARL))
    later = now + timedelta(days=1)
    # A row that is refused names its person all the same.
    rows = rows_of([cells(ANNA), cells(BEN, since="x")])
    manifest = Manifest(is_full=True)
    outcome = import_residents(session, rows, now=later, manifest=manifest)
    assert outcome.tallies[UNNAMED] == 1
    assert homes(session, CARL) == [(1, ALWAYS, None)]
    manifest = Manifest(is_full=True, is_missing_ended=True)
    outcome = import_residents(session, rows, now=later, manifest=manifest)
    assert outcome.tallies == {ENDED: 1}
    assert homes(session, CARL) == [(1, ALWAYS, date(2020, 3, 29))]
    assert homes(session, BEN) == [(1, ALWAYS, None)]
    # Who comes back lives there from that day on.
    load(session, later + timedelta(days=1), cells(CARL))
    assert homes(session, CARL)[1] == (1, date(2020, 3, 30), None)


def test_cut_off_file_ends_nobody(session: Session, now: datetime, places: None) -> None:
    load(session, now, *(cells(f"p-{number}") for number in range(30)))
    few, manifest = rows_of([cells("p-0")]), Manifest(is_missing_ended=True)
    later = now + timedelta(days=1)
    with pytest.raises(FileRefusedError) as caught, session.begin_nested():
        import_residents(session, few, now=later, manifest=manifest)
    assert caught.value.rejection.code == "too_many_missing"
    standing = select(func.count(Residence.id)).where(Residence.until_day.is_(None))
    assert session.scalar(standing) == 30
    accepted = Manifest(is_missing_ended=True, is_size_accepted=True)
    import_residents(session, few, now=later, manifest=accepted)
    assert session.scalar(standing) == 1


def test_full_file_does_not_end_those_whom_no_register_ever_placed(
    session: Session, now: datetime, places: None
) -> None:
    # As an event of a stranger leaves it.
    load(session, now, cells(ANNA), cells(BEN, ""))
    later = now + timedelta(days=1)
    manifest = Manifest(is_full=True, is_missing_ended=True)
    outcome = import_residents(session, rows_of([cells(ANNA)]), now=later, manifest=manifest)
    assert outcome.tallies[ENDED] == 0
    assert homes(session, BEN) == [(None, ALWAYS, None)]
    assert count_unplaced(session, area=Area()) == 1


def test_file_with_many_more_new_people_than_a_register_gets_is_refused_unless_accepted(
    session: Session, now: datetime, places: None
) -> None:
    def register(count: int, spelling: str) -> list[ImportRow]:
        return rows_of([cells(f"{spelling}{number}") for number in range(count)])

    # The first register is all new, also beside a stranger of whom an event told.
    load(session, now, cells(BEN, ""))
    import_residents(session, register(MANY_NEW + 1, "p-"), now=now)
    import_residents(session, register(MANY_NEW, "p/"), now=now)
    with pytest.raises(FileRefusedError) as caught, session.begin_nested():
        import_residents(session, register(MANY_NEW + 1, "p."), now=now)
    rejection = caught.value.rejection
    assert (rejection.code, dict(rejection.facts)) == (
        "too_many_new",
        {"count": MANY_NEW + 1, "known": 2 * MANY_NEW + 1, "max": MANY_NEW},
    )
    accepted = Manifest(is_size_accepted=True)
    outcome = import_residents(session, register(MANY_NEW + 1, "p."), now=now, manifest=accepted)
    assert outcome.created_count == MANY_NEW + 1


def test_people_known_by_an_older_key_are_hashed_anew_by_the_next_file(
    session: Session, now: datetime, places: None
) -> None:
    install_keyring(Keyring([OLD_KEY]))
    load(session, now, cells(ANNA), cells(BEN, "", community="江南路12弄"))
    install_keyring(Keyring([NEW_KEY, OLD_KEY]))
    outcome = load(session, now, cells(ANNA), cells(BEN, "", community="江南路12弄"))
    assert counts(outcome) == (0, 0, 2, 0)
    install_keyring(Keyring([NEW_KEY]))
    assert reseal_places(session) == 0
    assert (homes(session, ANNA), homes(session, BEN)) == (
        [(1, ALWAYS, None)],
        [(None, ALWAYS, None)],
    )
    assert list_unplaced(session, area=Area()).rows[0].place == "江南路12弄"


def test_number_of_statements_is_that_of_a_file_of_one(
    session: Session, now: datetime, places: None
) -> None:
    engine = session.get_bind()
    assert isinstance(engine, Engine)

    def statements(count: int) -> int:
        rows = [cells(f"{count}-{number}", "", community="江南路1弄") for number in range(count)]
        return count_statements(engine, lambda: load(session, now, *rows))

    load(session, now, cells())  # reads the register of communities
    assert statements(1) == statements(50)


class _Row(NamedTuple):
    """A line of some file: who, where (0: words that name no community), since how many days."""

    person: int
    place: int
    days_ago: int | None


files = st.lists(
    st.lists(
        st.builds(
            _Row,
            st.integers(1, 3),
            st.integers(0, 3),
            st.none() | st.integers(0, 9),
        ),
        max_size=4,
        unique_by=lambda row: row.person,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=files)
def test_whatever_files_come_people_live_in_one_place_at_a_time_and_where_the_last_one_says(
    sqlite_database: Database, now: datetime, files: list[list[_Row]]
) -> None:
    with Session(sqlite_database.engine) as session:
        add_places(session, now)
        _check_files(session, now, files)
        session.rollback()


def _check_files(session: Session, now: datetime, files: list[list[_Row]]) -> None:
    last: dict[int, int] = {}
    for number, rows in enumerate(files):
        at = now + timedelta(days=number)
        lines = []
        for row in rows:
            since = "" if row.days_ago is None else str(at.date() - timedelta(days=row.days_ago))
            code = f"T{row.place}" if row.place else ""
            lines.append(cells(f"p-{row.person}", code, community="江南路1弄", since=since))
            last[row.person] = row.place
        assert load(session, at, *lines).rejections == []
    for person, place in last.items():
        lived = homes(session, f"p-{person}")
        assert lived[-1][0] == (place or None)
        assert lived[-1][2] is None
        # One place ends on the very day on which the next begins.
        assert [one[2] for one in lived[:-1]] == [one[1] for one in lived[1:]]
        assert all(begin < (end or date.max) for _, begin, end in lived)
