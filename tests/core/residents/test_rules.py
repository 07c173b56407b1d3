from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.residents.rules import mask_place, most_new_for, person_key_of


@given(text=st.text(max_size=30))
def test_spelling_a_person_twice_changes_nothing(text: str) -> None:
    key = person_key_of(text)
    assert person_key_of(key) == key
    assert not any(one.isspace() for one in key)


@pytest.mark.parametrize(
    "typed",
    [
        "31010419750505123x",
        " 310104 19750505 123X",
        "３１０１０４１９７５０５０５１２３Ｘ",
        "31010419750505123X\u200b",
    ],
)
def test_one_person_has_one_spelling(typed: str) -> None:
    assert person_key_of(typed) == "31010419750505123X"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("田林路65弄3号501室", "田林路65弄3号***"),
        ("田林路65弄3号501", "田林路65弄3号***"),
        ("田林十二村8号楼 1203", "田林十二村8号楼***"),
        ("302室", "***室"),
        ("衡山路10号", "衡山路10号"),
        ("田林十二村", "田林十二村"),
        ("", ""),
    ],
)
def test_the_flat_of_an_address_is_not_shown(written: str, shown: str) -> None:
    assert mask_place(written) == shown


@pytest.mark.parametrize(
    ("known_count", "most"), [(0, None), (1, 1_000), (10_000, 1_000), (1_100_000, 110_000)]
)
def test_a_register_grows_by_a_tenth_at_most(known_count: int, most: int | None) -> None:
    assert most_new_for(known_count) == most
