"""Names as people and registers write them."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.people.names import (
    InvalidNameError,
    NameCharacterError,
    NameMissingError,
    NameTooLongError,
    mask_name,
    name_key,
    name_of,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("邱涛燕", "邱涛燕", id="Chinese"),
        pytest.param("王", "王", id="one character"),
        pytest.param(" 王\u3000伟 ", "王伟", id="blank between characters"),
        pytest.param("𬭎䶮", "𬭎䶮", id="rare characters"),
        pytest.param("李〇", "李〇", id="zero as a character"),
        pytest.param("葛\U000e0100城", "葛城", id="variation selector"),
        pytest.param("José", "José", id="accent"),
        pytest.param("Jose\u0301", "José", id="combining accent"),
        pytest.param("Ｌｉ　Ｍｉｎｇ", "Li Ming", id="full width"),
        pytest.param("Marie-Claire van der  Muster", "Marie-Claire van der Muster", id="Latin"),
        pytest.param("Marie‑Claire", "Marie-Claire", id="another hyphen"),
        pytest.param("O’Sample", "O'Sample", id="curly apostrophe"),
        pytest.param("O´Sample", "O'Sample", id="accent as apostrophe"),
        pytest.param("邱\u200b涛\ufeff燕", "邱涛燕", id="zero width"),
        pytest.param("王" * 50, "王" * 50, id="fifty characters"),
    ],
)
def test_name_has_one_spelling(typed: str, name: str) -> None:
    assert name_of(typed) == name


@pytest.mark.parametrize("dot", "·・･•‧∙⋅●᛫ᐧ．.")
def test_every_dot_of_a_name_becomes_the_same(dot: str) -> None:
    assert name_of(f"阿依古丽{dot}吐尔逊") == "阿依古丽·吐尔逊"
    assert name_of(f"阿依古丽 {dot} 吐尔逊") == "阿依古丽·吐尔逊"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("王5", id="digit"),
        pytest.param("王⑤", id="digit in a circle"),
        pytest.param("=1+1", id="formula"),
        *(pytest.param(f"{start}SUM", id=f"starts with {start}") for start in "=+-@＝＋－＠"),
        pytest.param("王\t伟", id="tab"),
        pytest.param("王\n伟", id="line break"),
        pytest.param("王\x00伟", id="null"),
        pytest.param("王\x7f伟", id="delete"),
        pytest.param("王，伟", id="comma"),
        pytest.param("王(伟)", id="brackets"),
        pytest.param("<b>", id="markup"),
        pytest.param("王*", id="masked by somebody else"),
        pytest.param("王😀", id="emoji"),
        pytest.param("王\ue863", id="private use"),
        pytest.param("·王", id="dot first"),
        pytest.param("王·", id="dot last"),
        pytest.param("王··伟", id="two dots"),
        pytest.param("\u0301王", id="accent of nothing"),
        pytest.param("Dr. Muster", id="title with a full stop"),
    ],
)
def test_what_stands_in_no_name_is_refused(typed: str) -> None:
    with pytest.raises(NameCharacterError):
        name_of(typed)


@pytest.mark.parametrize("typed", ["", "  ", "\u3000", "\u200b"])
def test_nothing_is_no_name(typed: str) -> None:
    with pytest.raises(NameMissingError):
        name_of(typed)


@pytest.mark.parametrize("typed", ["王" * 51, "a" * 501, "ﷺ" * 500])
def test_name_has_at_most_fifty_characters(typed: str) -> None:
    with pytest.raises((NameTooLongError, NameCharacterError)) as raised:
        name_of(typed)
    assert typed not in f"{raised.value!r}{raised.value.facts}"


@given(st.text(max_size=60))
@example("=cmd")
def test_whatever_is_typed_gives_a_name_that_is_its_own_spelling(typed: str) -> None:
    try:
        name = name_of(typed)
    except InvalidNameError:
        return
    assert 1 <= len(name) <= 50
    assert name_of(name) == name
    assert category(name[0])[0] == "L" or name[0] == "〇"
    assert not any(category(one)[0] in "CNPSZ" for one in name if one not in " ·'-〇")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿依古丽·吐尔逊", "阿依古丽吐尔逊"),
        ("O'Sample Anna", "OSAMPLE ANNA"),
        ("Marie-Claire Muster", "MARIE CLAIRE MUSTER"),
        ("José Muster", "Jose Muster"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(name_of(one)) == name_key(name_of(other))


@pytest.mark.parametrize(("one", "other"), [("王伟", "王玮"), ("が", "か"), ("王", "王伟")])
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("邱涛燕", "邱**"),
        ("王伟", "王*"),
        ("王", "*"),
        ("𬭎城", "𬭎*"),
        ("阿依古丽·吐尔逊", "阿**"),
        ("Anna Example", "A**"),
        ("", "*"),
    ],
)
def test_masked_name_shows_one_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked
