"""Names in Latin letters: each long enough to be one, none of a place that is not known."""

from __future__ import annotations

from core.keyareas.divisions import divisions
from core.keyareas.latin import latin_names


def test_names_are_small_letters_of_known_provinces_and_cities() -> None:
    names = divisions().names
    found = list(latin_names(names))
    assert len({code for _, code in found}) > 340
    for written, code in found:
        assert written == written.lower()
        assert written.isascii()
        assert len(written) >= 4
        assert code in names
        assert code.endswith("00")


def test_names_of_their_own_need_their_place() -> None:
    assert set(latin_names({"540000": "西藏自治区"})) == {
        ("xizang", "540000"),
        ("xi zang", "540000"),
        ("tibet", "540000"),
    }
