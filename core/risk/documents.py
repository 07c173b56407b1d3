"""The document of a model version: what it holds, and the rules that it must keep."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, ClassVar, Final

from core.errors import InvalidInputError
from core.risk.rules import (
    FEVER_OPEN,
    JUMP_LEAST,
    JUMP_SHARE,
    MAX_SCORE,
    WEIGHT_TOLERANCE,
    Colour,
    Condition,
    Floor,
    Indicator,
    ModelVersion,
    Quiet,
    Rule,
    Unit,
)

MIN_WEIGHT_PCT: Final = 3.0
MAX_WEIGHT_PCT: Final = 20.0
INDICATOR_COUNT: Final = 13
# Of less than half of what is to be weighed no colour may be made.
MIN_COVERAGE: Final = 0.5
MAX_STALE_DAYS: Final = 3
# Indicators that count down from the last infection look this far back.
QUIET_WINDOW_DAYS: Final = 14
# What counts more cannot be told apart by a curve: its slopes would be no numbers any more.
MAX_POINT_VALUE: Final = 1e9
MAX_LABEL: Final = 40
MAX_UNIT_LABEL: Final = 8

# It names a file and stands in addresses.
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,30}[a-z0-9])?")
# As wide as its column.
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VERSION_KEYS: Final = frozenset(
    {"version", "valid_from", "cuts", "min_coverage", "max_stale_days", "required", "indicators"}
)
_OPTIONAL_KEYS: Final = frozenset({"indicator_count", "floors", "jump"})
_CONDITION_KEYS: Final = frozenset({"of", "least"})
FLOOR_RULES: Final = frozenset({Rule.INFECTION, Rule.CLUSTER})
_RULE_KEYS: Final[Mapping[Rule, frozenset[str]]] = {
    Rule.INFECTION: frozenset({"rule", "colour", "when"}),
    Rule.CLUSTER: frozenset({"rule", "colour", "when"}),
    Rule.SUSPICION: frozenset({"rule", "when"}),
    Rule.QUIET: frozenset({"rule", "quiet_days", "of", "window_days"}),
}
_INDICATOR_KEYS: Final = frozenset({"code", "label", "unit", "unit_label", "weight", "points"})


class InvalidVersionError(InvalidInputError):
    """A document that is not a model version; `problem` names the rule that it breaks."""

    code: ClassVar[str] = "invalid_model_version"


def parse_version(document: Mapping[str, Any]) -> ModelVersion:
    """Return the model version that a document describes.

    Args:
        document: as read from JSON; see `core/risk/versions/`. It has thirteen indicators unless
            its `indicator_count` says another number; `floors` and `jump` may be left out.

    Raises:
        InvalidVersionError: unknown or missing keys, weights outside 3-20 or that do not sum to
            100, points that are not monotone, cuts out of order, a required code that is none, an
            unknown rule among the floors, or another number of indicators. Also what would switch
            a safeguard off without saying so: a floor of an unknown code, floors without a
            required indicator, values that stand in for more than three days, or a colour of less
            than half of the weights. Nothing else is raised, whatever the JSON.
    """
    try:
        version = _parse(document)
        _check_version(version)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise InvalidVersionError(problem=f"malformed: {error}") from error
    if len(version.indicators) != document.get("indicator_count", INDICATOR_COUNT):
        raise InvalidVersionError(problem=f"{len(version.indicators)} indicators")
    return version


def _parse(document: Mapping[str, Any]) -> ModelVersion:
    # First of all: what has no digest is no text that could be shown.
    digest = digest_of(document)
    _check_keys(document, _VERSION_KEYS, optional=_OPTIONAL_KEYS, place="version")
    indicators = tuple(_parse_indicator(one) for one in document["indicators"])
    rules = _parse_rules(document.get("floors", ()))
    jump = document.get("jump", {"share": JUMP_SHARE, "least": JUMP_LEAST})
    _check_keys(jump, frozenset({"share", "least"}), place="jump")
    return ModelVersion(
        name=str(document["version"]),
        digest=digest,
        valid_from=date.fromisoformat(document["valid_from"]),
        indicators=indicators,
        yellow_cut=_number(document["cuts"]["yellow"]),
        red_cut=_number(document["cuts"]["red"]),
        min_coverage=_number(document["min_coverage"]),
        max_stale_days=_count(document["max_stale_days"]),
        required=frozenset(_listed(document["required"])),
        names={one.code: (one.label, one.unit_label) for one in indicators},
        floors=tuple(_floor_of(one) for one in rules if one["rule"] in FLOOR_RULES),
        stays=tuple(
            condition
            for one in rules
            if one["rule"] == Rule.SUSPICION
            for condition in _conditions_of(one)
        ),
        quiet=next((_quiet_of(one) for one in rules if one["rule"] == Rule.QUIET), None),
        jump_share=_number(jump["share"]),
        jump_least=_count(jump["least"]),
    )


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document, whatever its order of keys and its white space."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _parse_indicator(document: Mapping[str, Any]) -> Indicator:
    _check_keys(document, _INDICATOR_KEYS, place="indicator")
    return Indicator(
        code=str(document["code"]),
        label=str(document["label"]),
        unit=Unit(document["unit"]),
        unit_label=str(document["unit_label"]),
        weight=_number(document["weight"]),
        points=tuple((_number(value), _number(norm)) for value, norm in document["points"]),
    )


def _number(found: object) -> float:
    # A boolean is an integer to Python, and JSON of Python knows infinities.
    if isinstance(found, int | float) and not isinstance(found, bool):
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise InvalidVersionError(problem="a number is not finite")


def _count(found: object) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise InvalidVersionError(problem="a count is not whole")


def _listed(found: object) -> list[str]:
    # A text is a sequence too, of letters.
    if isinstance(found, list):
        return [str(one) for one in found]
    raise TypeError("codes are not a list")


def _parse_rules(rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the rules of a document once each has its keys and none is there twice."""
    names = [one["rule"] for one in rules]
    if len(set(names)) < len(names):
        raise InvalidVersionError(problem="a floor appears twice")
    for one in rules:
        if one["rule"] not in _RULE_KEYS:
            raise InvalidVersionError(problem=f"there is no floor {one['rule']}")
        _check_keys(one, _RULE_KEYS[Rule(one["rule"])], place=f"floor {one['rule']}")
    return rules


def _floor_of(document: Mapping[str, Any]) -> Floor:
    return Floor(
        rule=Rule(document["rule"]),
        colour=Colour(document["colour"]),
        when=_conditions_of(document),
    )


def _quiet_of(document: Mapping[str, Any]) -> Quiet:
    return Quiet(
        days=_count(document["quiet_days"]),
        code=str(document["of"]),
        window_days=_count(document["window_days"]),
    )


def _conditions_of(document: Mapping[str, Any]) -> tuple[Condition, ...]:
    if not document["when"]:
        raise InvalidVersionError(problem="a floor has no condition")
    for one in document["when"]:
        _check_keys(one, _CONDITION_KEYS, place="condition")
    return tuple(
        Condition(tuple(_listed(one["of"])), _number(one["least"])) for one in document["when"]
    )


def _check_keys(
    document: Mapping[str, Any],
    keys: frozenset[str],
    *,
    optional: frozenset[str] = frozenset(),
    place: str,
) -> None:
    wrong_keys = (set(document) ^ keys) - optional
    if wrong_keys:
        wrong = ", ".join(sorted(wrong_keys))
        raise InvalidVersionError(problem=f"{place} has missing or unknown keys: {wrong}")


def _check_version(version: ModelVersion) -> None:
    codes = [one.code for one in version.indicators]
    total = math.fsum(one.weight for one in version.indicators)
    problems = {
        "a code appears twice": len(set(codes)) < len(codes),
        f"the weights sum to {total}, not 100": not abs(total - MAX_SCORE) <= WEIGHT_TOLERANCE,
        "the cuts are not 0 < yellow < red <= 100": not (
            0 < version.yellow_cut < version.red_cut <= MAX_SCORE
        ),
        "min_coverage is not between 0.5 and 1": not MIN_COVERAGE <= version.min_coverage <= 1,
        "max_stale_days is not between 0 and 3": not 0 <= version.max_stale_days <= MAX_STALE_DAYS,
        "a required code is not an indicator": not version.required <= set(codes),
        "the name is not of lower-case letters, digits, '.' and '-'": not _NAME.fullmatch(
            version.name
        ),
    } | _problems_of_rules(version, codes)
    for problem, is_present in problems.items():
        if is_present:
            raise InvalidVersionError(problem=problem)
    for indicator in version.indicators:
        _check_indicator(indicator)


def _problems_of_rules(version: ModelVersion, codes: list[str]) -> dict[str, bool]:
    raising = [one for floor in version.floors for one in floor.when]
    conditions = [*raising, *version.stays]
    has_rules = bool(conditions) or version.quiet is not None
    return {
        "floors without a required indicator": has_rules and not version.required,
        "a floor raises to neither yellow nor red": any(
            floor.colour not in {Colour.YELLOW, Colour.RED} for floor in version.floors
        ),
        "a condition is of no code": any(not one.codes for one in conditions),
        "a condition holds of nothing": any(not one.least > 0 for one in conditions),
        "a condition is of what is not an indicator": not (
            {code for one in raising for code in one.codes} <= set(codes)
            # Fevers are counted for what keeps a colour alone.
            and {code for one in version.stays for code in one.codes} <= {*codes, FEVER_OPEN}
        ),
        "the limit of jumps is not a share and a count": not (
            0 <= version.jump_share <= 1 and version.jump_least >= 0
        ),
    } | _problems_of_quiet(version)


def _problems_of_quiet(version: ModelVersion) -> dict[str, bool]:
    quiet = version.quiet
    if quiet is None:
        return {}
    units = {one.code: one.unit for one in version.indicators}
    return {
        "R4 counts by what is not an indicator": units.get(quiet.code) is not Unit.DAYS,
        "R4 waits for no day of its window": not 0 < quiet.days <= quiet.window_days,
        # In a longer window than the indicator's own every day would be quiet.
        "R4 has a window of more than 14 days": quiet.window_days > QUIET_WINDOW_DAYS,
    }


def _check_indicator(indicator: Indicator) -> None:
    values = [value for value, _ in indicator.points]
    norms = [norm for _, norm in indicator.points]
    problems = {
        "a code is not of lower-case letters, digits and '_'": not _CODE.fullmatch(indicator.code),
        "a label is empty or too long": not (
            _is_label(indicator.label, widest=MAX_LABEL)
            and _is_label(indicator.unit_label, widest=MAX_UNIT_LABEL)
        ),
        "weight outside 3-20": not MIN_WEIGHT_PCT <= indicator.weight <= MAX_WEIGHT_PCT,
        "fewer than two points": len(values) < 2,  # noqa: PLR2004  two points make a line
        "values do not rise": not all(a < b for a, b in _pairs(values)),
        "norms fall": not all(a <= b for a, b in _pairs(norms)),
        "norms outside 0-100": not all(0 <= norm <= MAX_SCORE for norm in norms),
        "values outside 0-1000000000": not all(0 <= value <= MAX_POINT_VALUE for value in values),
    }
    for problem, is_present in problems.items():
        if is_present:
            raise InvalidVersionError(problem=f"{indicator.code}: {problem}")


def _is_label(text: str, *, widest: int) -> bool:
    return 0 < len(text.strip()) <= len(text) <= widest and text.isprintable()


def _pairs(numbers: list[float]) -> Iterable[tuple[float, float]]:
    return pairwise(numbers)
