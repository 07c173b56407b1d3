from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.study.measures import (
    auc_of,
    average_precision_of,
    lift_of,
    ranks_of,
    spearman_of,
)
from core.risk.table import Flags, Floats

# Few different values, so that most of them tie.
pairs = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)
points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=40)


def arrays(rows: Sequence[tuple[float, bool]]) -> tuple[Floats, Flags]:
    return np.array([float(a) for a, _ in rows]), np.array([b for _, b in rows])


def test_auc_by_hand() -> None:
    # Hits 4, 2, 1 against misses 3, 2, 0: 4 wins thrice; 2 wins once and ties once; 1 wins once.
    rows = [(4, True), (3, False), (2, True), (2, False), (1, True), (0, False)]
    assert auc_of(*arrays(rows)) == pytest.approx((3 + 1.5 + 1) / 9)


@given(pairs)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    hits = [score for score, is_hit in rows if is_hit]
    misses = [score for score, is_hit in rows if not is_hit]
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(hits, misses)]
    found = auc_of(*arrays(rows))
    assert found == (pytest.approx(sum(wins) / len(wins)) if wins else None)


def brute_rank(values: Sequence[float], value: float) -> float:
    return sum(one < value for one in values) + (sum(one == value for one in values) + 1) / 2


@given(st.lists(st.floats(-5, 5) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=30))
def test_ranks_share_the_mean_of_a_tie(values: list[float]) -> None:
    assert ranks_of(np.array(values)).tolist() == [brute_rank(values, one) for one in values]


@given(points)
def test_spearman_is_the_correlation_of_ranks(rows: list[tuple[int, int]]) -> None:
    left, right = ([float(row[side]) for row in rows] for side in (0, 1))
    found = spearman_of(np.array(left), np.array(right))
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert found is None
    else:
        ranks = [[brute_rank(side, one) for one in side] for side in (left, right)]
        assert found == pytest.approx(np.corrcoef(ranks)[0, 1])


def test_spearman_by_hand() -> None:
    assert spearman_of(np.array([1.0, 2, 3, 4]), np.array([10.0, 30, 20, 40])) == pytest.approx(0.8)


@given(pairs)
def test_average_precision_steps_from_threshold_to_threshold(
    rows: list[tuple[float, bool]],
) -> None:
    hit_count = sum(is_hit for _, is_hit in rows)
    expected, recall = 0.0, 0.0
    for cut in sorted({score for score, _ in rows}, reverse=True):
        taken = [is_hit for score, is_hit in rows if score >= cut]
        new_recall = sum(taken) / max(1, hit_count)
        expected += (new_recall - recall) * sum(taken) / len(taken)
        recall = new_recall
    found = average_precision_of(*arrays(rows))
    assert found == (pytest.approx(expected) if hit_count else None)


def test_lift_by_hand() -> None:
    # Of twenty, the highest two are taken; both are hit, and four are hit in all.
    rows = [(20.0 - place, place in {0, 1, 8, 9}) for place in range(20)]
    assert lift_of(*arrays(rows)) == pytest.approx(5)


def test_lift_shares_the_last_place_among_those_that_tie() -> None:
    # One of twenty is above; ten tie for the other place, and five of these are hit.
    rows = [(2.0, True), *((1.0, place < 5) for place in range(10)), *([(0.0, False)] * 9)]
    assert lift_of(*arrays(rows)) == pytest.approx((1 + 0.5) / 2 / (6 / 20))


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_scores_that_are_all_the_same_are_no_better_than_chance(hits: list[bool]) -> None:
    scores, flags = np.ones(len(hits)), np.array(hits)
    assert auc_of(scores, flags) == (0.5 if any(hits) and not all(hits) else None)
    assert lift_of(scores, flags) == (pytest.approx(1) if any(hits) else None)
    assert average_precision_of(scores, flags) == (
        pytest.approx(sum(hits) / len(hits)) if any(hits) else None
    )
