"""The final colour: the score's, raised or kept by the rules R1-R4, or set by two people (R5).

The score is never altered. `table.py` has the same rules for whole columns.

Source: docs/sources.md#risk-floors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.risk.rules import Colour, Condition, ModelVersion, Quiet, Rule

# The place of a colour here is how bad it is; grey is not known, which is not a degree.
BANDS: Final = (Colour.GREY, Colour.BLUE, Colour.YELLOW, Colour.RED)
_BAND: Final[Mapping[Colour, int]] = {colour: band for band, colour in enumerate(BANDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalColour:
    """What a community's colour is, and why it is not that of its score.

    Attributes:
        colour: what people see; grey where nothing may be published.
        computed: what it would be without an override.
        rules: those that made it another colour than that of the score, in their order.
        floor: what a known infection alone demands (R1, R2); grey where it demands nothing.
    """

    colour: Colour
    computed: Colour
    rules: tuple[Rule, ...]
    floor: Colour


def final_colour(
    version: ModelVersion,
    *,
    score_colour: Colour,
    values: Mapping[str, float],
    before: Colour = Colour.GREY,
    override: Colour | None = None,
) -> FinalColour:
    """Return the final colour of a community on a day.

    A score that may not be published has no colour that could be raised or kept: grey stays grey.
    But the card goes on showing the colour of the days before, and that must not look better than
    what is known: where it does, an infection gives its colour, since whatever is missing could
    only make it worse. Without what the version requires nothing does.

    Args:
        version: whose floors hold.
        score_colour: of the score alone; grey where it may not be published.
        values: of the day by code, without those that are missing.
        before: the computed colour that is shown from the days before; grey where none is.
        override: set by two people and in force; None: none.

    Source: docs/sources.md#risk-floors
    """
    demands = [
        (one.rule, _BAND[one.colour])
        for one in version.floors
        if all(holds(condition, values) for condition in one.when)
    ]
    floor = max((band for _, band in demands), default=0)
    own, shown = _BAND[score_colour], _BAND[before]
    if own:
        demands += _kept(version, values, own=own, shown=shown)
        computed = max([own, *(band for _, band in demands)])
    else:
        speaks = floor >= shown > 0 and version.required <= values.keys()
        computed = floor if speaks else 0
    rules = tuple(rule for rule, band in demands if band == computed > own)
    colour = BANDS[computed]
    if override is not None:
        return FinalColour(
            colour=override, computed=colour, rules=(*rules, Rule.OVERRIDE), floor=BANDS[floor]
        )
    return FinalColour(colour=colour, computed=colour, rules=rules, floor=BANDS[floor])


def holds(condition: Condition, values: Mapping[str, float]) -> bool:
    """Return whether a condition holds; a value that is missing adds nothing."""
    return sum(values.get(code, 0.0) for code in condition.codes) >= condition.least


def is_suspect(version: ModelVersion, values: Mapping[str, float]) -> bool:
    """Return whether somebody may be infected, or whether that is not known."""
    own = {one.code for one in version.indicators}
    return any(
        holds(condition, values)
        or any(code in own and code not in values for code in condition.codes)
        for condition in version.stays
    )


def is_quiet(quiet: Quiet, values: Mapping[str, float]) -> bool:
    """Return whether it is known that nobody was infected for long enough."""
    recency = values.get(quiet.code)
    return recency is not None and quiet.window_days - recency >= quiet.days


def _kept(
    version: ModelVersion, values: Mapping[str, float], *, own: int, shown: int
) -> list[tuple[Rule, int]]:
    """Return how far the colour of the days before holds a lower one up."""
    if own >= shown:
        return []
    kept = [(Rule.SUSPICION, shown)] if is_suspect(version, values) else []
    if version.quiet is not None:
        kept.append((Rule.QUIET, shown - is_quiet(version.quiet, values)))
    return kept
