from __future__ import annotations

import pytest

from core.risk.raising import Card, let_out, limits_of
from tests.core.risk.values import VERSION

BLUE, YELLOW, RED = (1, 5.0), (2, 45.0), (3, 70.0)
CARDS = {one: Card(base=BLUE, shown=BLUE, is_shown=True) for one in range(1000)}
INFECTED_BAND = YELLOW[0]


def let_out_of(
    count: int, *, infected: int = 0, was: int = 0, is_doubtful: bool = False
) -> set[int]:
    """Raise the first communities; the first of them for an infection, or as shown before."""
    return let_out(
        CARDS,
        dict.fromkeys(range(count), YELLOW),
        was=dict.fromkeys(range(was), YELLOW[0]),
        floors={one: INFECTED_BAND if one < infected else 0 for one in range(count)},
        limits=limits_of(VERSION, CARDS, is_doubtful=is_doubtful),
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param({"count": 100}, 100, id="up to the limit"),
        pytest.param({"count": 101}, 0, id="more than the limit"),
        pytest.param({"count": 101, "infected": 3}, 3, id="infections all the same"),
        pytest.param({"count": 250, "infected": 250}, 250, id="an outbreak"),
        pytest.param({"count": 251, "infected": 251}, 0, id="a feed that confirms everybody"),
        pytest.param({"count": 260, "infected": 255}, 0, id="nor anything else then"),
        pytest.param({"count": 300, "was": 260}, 260, id="what was shown before"),
        pytest.param({"count": 5, "is_doubtful": True}, 0, id="in doubt"),
        pytest.param({"count": 5, "was": 2, "is_doubtful": True}, 2, id="in doubt, shown before"),
        pytest.param({"count": 5, "infected": 2, "is_doubtful": True}, 2, id="in doubt, infected"),
        pytest.param(
            {"count": 101, "infected": 101, "is_doubtful": True}, 0, id="in doubt, too many"
        ),
    ],
)
def test_what_may_be_shown_at_once(case: dict[str, int], expected: int) -> None:
    assert let_out_of(**case) == set(range(expected))  # type: ignore[arg-type]
