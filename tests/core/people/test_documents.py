"""Numbers of identity documents. Those here belong to nobody: no area or office has their codes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.demo.names import resident_check
from core.people.documents import (
    Document,
    DocumentBirthDateError,
    DocumentCharacterError,
    DocumentCheckDigitError,
    DocumentFormError,
    DocumentKind,
    DocumentLengthError,
    DocumentMissingError,
    DocumentOutdatedError,
    InvalidDocumentError,
    age_on,
    document_of,
    kind_named,
    likely_kind,
    mask_number,
    normal_number,
)

TODAY = date(2020, 3, 28)
kinds = st.sampled_from(DocumentKind)


def numbered(area: str = "310100", born: str = "19800229", sequence: str = "001") -> str:
    body = f"{area}{born}{sequence}"
    return body + resident_check(body)


def read(text: str, kind: DocumentKind | None = None) -> Document:
    return document_of(text, kind=kind, today=TODAY)


@given(
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
    st.sampled_from([("310100", "resident_id"), ("810099", "residence_permit")]),
)
def test_number_of_a_living_person_is_read_with_kind_and_birth_date(
    born_on: date, sequence: int, area: tuple[str, str]
) -> None:
    assume(age_on(TODAY, born_on=born_on) <= 120)
    found = read(numbered(area[0], f"{born_on:%Y%m%d}", f"{sequence:03}"))
    assert (found.kind, found.born_on) == (DocumentKind(area[1]), born_on)
    assert found.birth_year == born_on.year


@given(st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_no_single_wrong_digit_is_accepted(sequence: int, place: int, step: int) -> None:
    number = numbered(sequence=f"{sequence:03}")
    assume(number[place] != "X")
    wrong = str((int(number[place]) + step) % 10)
    with pytest.raises((DocumentBirthDateError, DocumentCheckDigitError)):
        read(number[:place] + wrong + number[place + 1 :])


@given(st.integers(0, 999), st.integers(0, 16))
def test_no_two_exchanged_neighbours_are_accepted(sequence: int, place: int) -> None:
    number = numbered(sequence=f"{sequence:03}")
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(InvalidDocumentError):
        read(swapped)


def test_example_of_the_standard_is_accepted() -> None:
    assert read("11010519491231002X").born_on == date(1949, 12, 31)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("11010519491231002x", id="small x"),
        pytest.param("１１０１０５１９４９１２３１００２Ｘ", id="full width"),
        pytest.param(" 110105 19491231\u3000002-X\n", id="blanks and dashes"),
        pytest.param("110105194912310\u200b02\ufeffX", id="zero width"),
        pytest.param("11010519491231002×", id="multiplication sign"),
        pytest.param("110105–19491231—002X", id="long dashes"),
    ],
)
def test_number_is_read_however_it_was_typed(typed: str) -> None:
    assert read(typed).number == normal_number(typed) == "11010519491231002X"


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("", DocumentMissingError, id="nothing"),
        pytest.param(" \u3000-", DocumentMissingError, id="blanks alone"),
        pytest.param("310100800229001", DocumentOutdatedError, id="fifteen digits"),
        pytest.param("31010019800229001", DocumentLengthError, id="one too few"),
        pytest.param(numbered() + "1", DocumentLengthError, id="one too many"),
        pytest.param("31010019800229OO18", DocumentCharacterError, id="letters O"),
        pytest.param("X10100198002290018", DocumentCharacterError, id="X at the start"),
        pytest.param("٣١٠١٠٠١٩٨٠٠٢٢٩٠٠١٨", DocumentCharacterError, id="other digits"),
        pytest.param(numbered(born="19810229"), DocumentBirthDateError, id="no leap year"),
        pytest.param(numbered(born="19801301"), DocumentBirthDateError, id="month 13"),
        pytest.param(numbered(born="18991231"), DocumentBirthDateError, id="before 1900"),
        pytest.param(numbered(born="19000101")[:6] + "00000000" + "0018", DocumentBirthDateError),
        pytest.param(numbered(born="20200329"), DocumentBirthDateError, id="tomorrow"),
        pytest.param(numbered(born="20990101"), DocumentBirthDateError, id="far future"),
    ],
)
def test_number_that_cannot_be_is_refused_with_its_reason(
    typed: str, error: type[InvalidDocumentError]
) -> None:
    with pytest.raises(InvalidDocumentError) as raised:
        read(typed, DocumentKind.RESIDENT_ID)
    assert raised.type is error


def test_nobody_is_older_than_120_years() -> None:
    number = numbered(born="19000329")
    assert document_of(number, today=date(2021, 3, 28)).birth_year == 1900
    with pytest.raises(DocumentBirthDateError):
        document_of(number, today=date(2021, 3, 29))


def test_birth_of_today_is_plausible() -> None:
    assert read(numbered(born="20200328")).born_on == TODAY


@pytest.mark.parametrize(
    ("area", "kind"),
    [
        ("310100", DocumentKind.RESIDENT_ID),
        ("810099", DocumentKind.RESIDENCE_PERMIT),
        ("820099", DocumentKind.RESIDENCE_PERMIT),
        ("830099", DocumentKind.RESIDENCE_PERMIT),
        ("999999", DocumentKind.PERMANENT_RESIDENCE),
    ],
)
@pytest.mark.parametrize(
    "said",
    [
        None,
        DocumentKind.RESIDENT_ID,
        DocumentKind.RESIDENCE_PERMIT,
        DocumentKind.PERMANENT_RESIDENCE,
    ],
)
def test_number_tells_the_kind_where_people_confuse_them(
    area: str, kind: DocumentKind, said: DocumentKind | None
) -> None:
    assert read(numbered(area), said).kind is kind


@pytest.mark.parametrize(
    ("area", "is_usual"),
    [("310100", True), ("133131", True), ("190000", False), ("000000", False), ("810099", True)],
)
def test_area_is_a_hint_and_no_reason_to_refuse(area: str, is_usual: bool) -> None:
    assert read(numbered(area)).is_area_usual is is_usual


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        pytest.param("ZZZ310080022901", DocumentKind.PERMANENT_RESIDENCE, id="card of 2017"),
        pytest.param("zzz 3100 800229 01", DocumentKind.PERMANENT_RESIDENCE, id="with blanks"),
        pytest.param("H00000001", DocumentKind.TRAVEL_PERMIT, id="Hong Kong"),
        pytest.param("M0000000101", DocumentKind.TRAVEL_PERMIT, id="Macao, with its issue"),
        pytest.param("00000001", DocumentKind.TRAVEL_PERMIT, id="Taiwan"),
        pytest.param("0000000101B", DocumentKind.TRAVEL_PERMIT, id="Taiwan, booklet"),
        pytest.param("zz0000001", DocumentKind.PASSPORT, id="passport"),
    ],
)
def test_documents_without_a_check_digit_are_known_by_their_form(
    typed: str, kind: DocumentKind
) -> None:
    found = read(typed)
    assert (found.kind, found.born_on, found.birth_year) == (kind, None, None)
    assert read(typed, kind) == found
    assert likely_kind(found.number) is kind


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        pytest.param("A00000001", DocumentKind.TRAVEL_PERMIT, id="neither H nor M"),
        pytest.param("H0000001", DocumentKind.TRAVEL_PERMIT, id="too short"),
        pytest.param("ABCDEFG", DocumentKind.PASSPORT, id="no digit"),
        pytest.param("Z001", DocumentKind.PASSPORT, id="four characters"),
        pytest.param("ZZ00000000001", DocumentKind.PASSPORT, id="thirteen characters"),
        pytest.param("ZZ00000,1", DocumentKind.PASSPORT, id="a comma"),
        pytest.param(numbered(), DocumentKind.PASSPORT, id="a resident's number"),
        pytest.param("ZZZ310080132901", DocumentKind.PERMANENT_RESIDENCE, id="month 13"),
    ],
)
def test_document_of_another_form_is_refused(typed: str, kind: DocumentKind) -> None:
    with pytest.raises(DocumentFormError) as raised:
        read(typed, kind)
    assert raised.value.facts == {"kind": kind.value}


@given(st.text(max_size=30), st.none() | kinds)
def test_whatever_is_typed_gives_a_document_or_a_reason_without_the_number(
    typed: str, kind: DocumentKind | None
) -> None:
    try:
        found = read(typed, kind)
    except InvalidDocumentError as error:
        shown = f"{error!r} {error.facts}"
        assert not (normal_number(typed) and len(typed) > 4) or normal_number(typed) not in shown
    else:
        assert found.number == normal_number(found.number)
        assert found.number not in repr(found)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("11010519491231002X", "110***********002X"),
        ("ZZZ310080022901", "ZZZ********2901"),
        ("ZZ0000001", "Z******01"),
        ("00000001", "0*****01"),
        ("Z01", "***"),
        ("", ""),
    ],
)
def test_masked_number_shows_its_ends(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.text("0123456789X", min_size=1, max_size=20))
def test_masked_number_hides_at_least_half(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") * 2 >= len(number)


def test_document_is_masked_as_its_number() -> None:
    assert read("11010519491231002X").masked == "110***********002X"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("居民身份证", DocumentKind.RESIDENT_ID),
        (" 港澳台 居民居住证", DocumentKind.RESIDENCE_PERMIT),
        ("外国人永久居留身份证", DocumentKind.PERMANENT_RESIDENCE),
        ("台湾居民来往大陆通行证", DocumentKind.TRAVEL_PERMIT),
        ("护照", DocumentKind.PASSPORT),
        ("Passport", DocumentKind.PASSPORT),
        ("户口本", None),
        ("", None),
    ],
)
def test_kind_is_known_by_the_words_of_registers(word: str, kind: DocumentKind | None) -> None:
    assert kind_named(word) is kind


def test_age_is_counted_in_full_years() -> None:
    born_on = date(2000, 2, 29)
    assert age_on(date(2001, 2, 28), born_on=born_on) == 0
    assert age_on(date(2001, 3, 1), born_on=born_on) == 1
