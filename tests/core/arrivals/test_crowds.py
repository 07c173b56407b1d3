from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrivals.crowds import Crowd, crowds_of

PEOPLE = st.lists(st.floats(0, 5000), min_size=1, max_size=24)


@pytest.mark.parametrize(
    ("hours", "usual", "words"),
    [
        pytest.param([0, 24, 25, 59, 60, 80, 100], 100, "QQSSB**", id="bounds"),
        pytest.param([5, 9, 10, 8], 100, "QQQQ", id="hardly-anybody-travels"),
        pytest.param([0, 0, 0], 0, "QQQ", id="nobody"),
        pytest.param([10, 20, 50, 100], 0, "QQS*", id="nothing-is-usual-yet"),
        pytest.param([100, 100, 100], 100, "**B", id="of-equals-the-first-two"),
    ],
)
def test_words_measure_an_hour_by_what_is_usual(
    hours: list[float], usual: float, words: str
) -> None:
    letters = {Crowd.QUIET: "Q", Crowd.STEADY: "S", Crowd.BUSY: "B", Crowd.BUSIEST: "*"}
    assert "".join(letters[one] for one in crowds_of(hours, usual_peak=usual)) == words


@given(hours=PEOPLE, usual=st.floats(0, 5000))
def test_more_people_never_get_a_quieter_word(hours: list[float], usual: float) -> None:
    rank = list(reversed(Crowd))
    words = [rank.index(one) for one in crowds_of(hours, usual_peak=usual)]
    ordered = sorted(zip(hours, words, strict=True))
    levels = [min(word, 2) for _, word in ordered]  # the two busiest are busy ones
    assert levels == sorted(levels)
    assert words.count(3) <= 2
