import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from core.places.keys import Neighbours, SpanTable
from core.places.naming import numbers_in

TABLE = SpanTable({"田林2村": (2,), "田林12村": (12,), "云水湾": (5,), "云水湾1期": (6,)}, width=2)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("问田林12村好", [(12,)]),
        ("田林2村和田林12村", [(2,), (12,)]),
        ("云水湾1期", [(6,)]),
        ("云水湾3期", [(5,)]),
        ("云水", []),
        ("", []),
    ],
    ids=["inside", "two", "longest", "shorter", "part", "empty"],
)
def test_spans_in_finds_the_longest_keys(text: str, ids: list[tuple[int, ...]]) -> None:
    assert [span.ids for span in TABLE.spans_in(text)] == ids


def test_spans_in_never_begins_or_ends_inside_a_number() -> None:
    table = SpanTable({"2村": (1,), "柏路10": (2,)}, width=2)
    assert table.spans_in("12村") == []
    assert table.spans_in("柏路100弄") == []
    assert [span.ids for span in table.spans_in("柏路10弄2村")] == [(2,), (1,)]


names = st.text(alphabet="田林梅陇一二12村弄", min_size=1, max_size=6)


@given(st.lists(names, max_size=12), names)
def test_near_is_every_name_one_slip_away_with_the_same_numbers(
    known: list[str], asked: str
) -> None:
    expected = {
        name
        for name in known
        if OSA.distance(name, asked) == 1 and numbers_in(name) == numbers_in(asked)
    }
    assert set(Neighbours(known).near(asked)) == expected
