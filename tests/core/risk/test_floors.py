from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.floors import BANDS, FinalColour, final_colour
from core.risk.rules import Colour, Rule
from tests.core.risk.values import HARMLESS, VERSION

RED, YELLOW, BLUE, GREY = Colour.RED, Colour.YELLOW, Colour.BLUE, Colour.GREY

colours = st.sampled_from(BANDS)
some_values = st.dictionaries(st.sampled_from([*HARMLESS, "fever_open"]), st.integers(0, 4)).map(
    lambda found: {code: float(value) for code, value in found.items()}
)


def found(
    score_colour: Colour, *, before: Colour = GREY, override: Colour | None = None, **values: float
) -> FinalColour:
    return final_colour(
        VERSION,
        score_colour=score_colour,
        values=HARMLESS | values,
        before=before,
        override=override,
    )


def rules_of(colour: FinalColour) -> str:
    return " ".join(rule.value for rule in colour.rules)


@pytest.mark.parametrize(
    ("score_colour", "before", "values", "colour", "rules"),
    [
        pytest.param(BLUE, GREY, {}, BLUE, "", id="nothing happened"),
        pytest.param(BLUE, BLUE, {"confirmed": 1}, YELLOW, "R1", id="one case"),
        pytest.param(BLUE, BLUE, {"asym": 1}, YELLOW, "R1", id="one without symptoms"),
        pytest.param(YELLOW, BLUE, {"confirmed": 1}, YELLOW, "", id="score is yellow by itself"),
        pytest.param(BLUE, BLUE, {"cluster": 1, "asym": 2}, YELLOW, "R1", id="two and a cluster"),
        pytest.param(
            YELLOW, BLUE, {"cluster": 1, "asym": 1, "confirmed": 2}, RED, "R2", id="three in one"
        ),
        pytest.param(BLUE, BLUE, {"confirmed": 3}, YELLOW, "R1", id="three without a cluster"),
        pytest.param(BLUE, YELLOW, {}, BLUE, "", id="falls by one step"),
        pytest.param(BLUE, RED, {}, YELLOW, "R4", id="falls by one of two steps"),
        pytest.param(BLUE, YELLOW, {"recency": 1}, YELLOW, "R4", id="13 days are not enough"),
        pytest.param(YELLOW, RED, {"confirmed": 1, "recency": 5}, RED, "R4", id="still new"),
        pytest.param(BLUE, YELLOW, {"suspected": 1}, YELLOW, "R3", id="somebody suspected"),
        pytest.param(BLUE, YELLOW, {"fever_open": 1}, YELLOW, "R3", id="fever looked into"),
        pytest.param(BLUE, RED, {"suspected": 1, "recency": 3}, RED, "R3 R4", id="both keep it"),
        pytest.param(RED, BLUE, {"recency": 9, "suspected": 2}, RED, "", id="rises at once"),
        pytest.param(GREY, YELLOW, {}, GREY, "", id="not known, nothing to raise"),
        pytest.param(GREY, BLUE, {"confirmed": 1}, YELLOW, "R1", id="not known, a case is"),
        pytest.param(GREY, YELLOW, {"confirmed": 1}, YELLOW, "R1", id="not known, kept fresh"),
        pytest.param(GREY, RED, {"confirmed": 1}, GREY, "", id="not known, a worse one is shown"),
        pytest.param(GREY, GREY, {"confirmed": 9}, GREY, "", id="not known, nothing is shown"),
    ],
)
def test_final_colour(
    score_colour: Colour, before: Colour, values: dict[str, float], colour: Colour, rules: str
) -> None:
    result = found(score_colour, before=before, **values)
    assert (result.colour, rules_of(result)) == (colour, rules)
    assert result.computed is colour


@pytest.mark.parametrize("missing", ["suspected", "recency"])
def test_colour_does_not_fall_while_it_is_not_known_whether_it_may(missing: str) -> None:
    values = {code: value for code, value in HARMLESS.items() if code != missing}
    result = final_colour(VERSION, score_colour=BLUE, values=values, before=YELLOW)
    assert result.colour is YELLOW


def test_without_the_required_feed_even_a_known_infection_is_silent() -> None:
    values = {"asym": 3.0, "cluster": 1.0}
    result = final_colour(VERSION, score_colour=GREY, values=values, before=BLUE)
    assert (result.colour, result.floor) == (GREY, RED)


@pytest.mark.parametrize("override", [RED, YELLOW, BLUE])
@pytest.mark.parametrize("score_colour", BANDS)
def test_override_comes_last_in_both_directions_and_leaves_what_was_computed(
    score_colour: Colour, override: Colour
) -> None:
    result = found(score_colour, override=override, confirmed=1)
    without = found(score_colour, confirmed=1)
    assert result.colour is override
    assert (result.computed, result.rules[:-1]) == (without.colour, without.rules)
    assert result.rules[-1] is Rule.OVERRIDE


@given(score_colour=colours, before=colours, values=some_values)
def test_colour_is_never_better_than_that_of_its_score(
    score_colour: Colour, before: Colour, values: dict[str, float]
) -> None:
    result = final_colour(VERSION, score_colour=score_colour, values=values, before=before)
    band = BANDS.index(result.colour)
    assert band >= BANDS.index(score_colour)
    if score_colour is not GREY:
        # One step a day at most, whatever else.
        assert band >= BANDS.index(before) - 1
        assert bool(result.rules) is (result.colour is not score_colour)


@given(score_colour=colours, before=colours, values=some_values)
def test_without_rules_the_colour_is_that_of_the_score(
    score_colour: Colour, before: Colour, values: dict[str, float]
) -> None:
    plain = replace(VERSION, floors=(), stays=(), quiet=None)
    result = final_colour(plain, score_colour=score_colour, values=values, before=before)
    assert (result.colour, result.rules) == (score_colour, ())
