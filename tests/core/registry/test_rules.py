"""Codes, kinds and states of companies; what makes another owner."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.demo.names import company_code, unified_check
from core.registry.rules import (
    ENDED_STATES,
    CompanyKind,
    CompanyState,
    Field,
    InvalidUsccError,
    UsccCharacterError,
    UsccCheckDigitError,
    UsccLengthError,
    UsccMissingError,
    is_in_business,
    kind_of,
    may_become,
    owner_changes_of,
    state_of,
    uscc_of,
)

LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PUBLISHED = "91110000600037341L"  # the example of the standard's explanations

codes = st.integers(0, 2**32).map(lambda seed: company_code(Random(seed)))


@given(codes)
def test_right_code_is_accepted(code: str) -> None:
    assert uscc_of(code) == code


@given(codes, st.integers(0, 17), st.sampled_from(LETTERS))
def test_no_single_wrong_character_is_accepted(code: str, place: int, letter: str) -> None:
    assume(code[place] != letter)
    with pytest.raises((UsccCheckDigitError, UsccCharacterError)):
        uscc_of(code[:place] + letter + code[place + 1 :])


@pytest.mark.parametrize(
    "typed",
    [
        PUBLISHED,
        "91110000600037341l",
        "９１１１００００６０００３７３４１Ｌ",
        " 9111 0000-6000 3734 1L\u200b\n",
    ],
)
def test_code_is_read_however_it_was_typed(typed: str) -> None:
    assert uscc_of(typed) == PUBLISHED


@pytest.mark.parametrize("start", ["91", "92", "52", "12", "N1", "Y1", "A1"])
def test_code_of_every_registration_office_is_accepted(start: str) -> None:
    body = f"{start}310199MA1EXAMPL"
    assert uscc_of(body + unified_check(body)).startswith(start)


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("", UsccMissingError, id="nothing"),
        pytest.param(" - ", UsccMissingError, id="blanks alone"),
        pytest.param("310199000000001", UsccLengthError, id="number of an old licence"),
        pytest.param(PUBLISHED + "1", UsccLengthError, id="one too many"),
        pytest.param("9111OOOO600037341L", UsccCharacterError, id="letters O"),
        pytest.param("91110000600O37341L", UsccCharacterError, id="letter O behind the area"),
        pytest.param("9111A000600037341L", UsccCharacterError, id="letter in the area"),
        pytest.param("91110000600037341码", UsccCharacterError, id="a word"),
        pytest.param("91110000600037341M", UsccCheckDigitError, id="another check character"),
    ],
)
def test_code_that_cannot_be_is_refused_with_its_reason(
    typed: str, error: type[InvalidUsccError]
) -> None:
    with pytest.raises(InvalidUsccError) as raised:
        uscc_of(typed)
    assert raised.type is error


@given(st.text(max_size=25))
def test_whatever_is_typed_gives_a_code_or_a_reason(typed: str) -> None:
    try:
        code = uscc_of(typed)
    except InvalidUsccError:
        return
    assert uscc_of(code) == code


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("91", CompanyKind.ENTERPRISE),
        ("92", CompanyKind.SOLE_TRADER),
        ("93", CompanyKind.COOPERATIVE),
        ("99", CompanyKind.OTHER),
        ("51", CompanyKind.SOCIAL),
        ("52", CompanyKind.SOCIAL),
        ("12", CompanyKind.PUBLIC),
        ("N1", CompanyKind.OTHER),
    ],
)
def test_kind_is_told_by_the_code(start: str, kind: CompanyKind) -> None:
    assert kind_of(f"{start}310199MA1EXAMPL0") is kind


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("存续", CompanyState.ACTIVE),
        ("存续（在营、开业、在册）", CompanyState.ACTIVE),
        ("在营（开业）企业", CompanyState.ACTIVE),
        ("歇业", CompanyState.SUSPENDED),
        ("迁出", CompanyState.MOVED),
        ("吊销，未注销", CompanyState.REVOKED),
        ("吊销，已注销", CompanyState.DEREGISTERED),
        ("注销企业", CompanyState.DEREGISTERED),
        ("Active", CompanyState.ACTIVE),
        ("清算中", None),
        ("", None),
    ],
)
def test_state_is_known_by_the_words_of_registers(word: str, state: CompanyState | None) -> None:
    assert state_of(word) is state


def test_what_ended_comes_back_only_when_its_end_is_annulled() -> None:
    impossible = {
        (old, new) for old, new in product(CompanyState, CompanyState) if not may_become(old, new)
    }
    ended = {CompanyState.SUSPENDED, CompanyState.MOVED}
    assert impossible == {
        *((CompanyState.REVOKED, new) for new in ended),
        *((CompanyState.DEREGISTERED, new) for new in ended | {CompanyState.REVOKED}),
    }


def test_only_companies_in_business_may_file() -> None:
    in_business = {state for state in CompanyState if is_in_business(state)}
    assert in_business == {CompanyState.ACTIVE, CompanyState.SUSPENDED}
    assert not in_business & ENDED_STATES


OWNER = ("王伟", "ZZ0000001", "passport")


@pytest.mark.parametrize(
    ("new", "changed"),
    [
        pytest.param(OWNER, set(), id="nothing"),
        pytest.param(("王玮", *OWNER[1:]), {Field.OWNER_NAME}, id="another name"),
        pytest.param((*OWNER[:2], "travel_permit"), {Field.OWNER_ID_KIND}, id="another kind"),
        pytest.param(("王伟", "ZZ0000002", "passport"), {Field.OWNER}, id="another number"),
        pytest.param(("李芳", "ZZ0000002", "resident_id"), {Field.OWNER}, id="all of it"),
        pytest.param(
            ("王玮", "ZZ0000001", "travel_permit"),
            {Field.OWNER_NAME, Field.OWNER_ID_KIND},
            id="same number",
        ),
    ],
)
def test_another_number_is_another_owner(new: tuple[str, str, str], changed: set[Field]) -> None:
    assert owner_changes_of(old=OWNER, new=new) == changed
