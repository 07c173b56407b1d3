"""The document of a model version: what it holds, and the rules that it must keep."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, ClassVar, Final

from core.errors import InvalidInputError
from core.risk.rules import MAX_SCORE, WEIGHT_TOLERANCE, Indicator, ModelVersion, Unit

MIN_WEIGHT_PCT: Final = 3.0
MAX_WEIGHT_PCT: Final = 20.0

_VERSION_KEYS: Final = frozenset(
    {"version", "valid_from", "cuts", "min_coverage", "max_stale_days", "required", "indicators"}
)
_INDICATOR_KEYS: Final = frozenset({"code", "label", "unit", "unit_label", "weight", "points"})


class InvalidVersionError(InvalidInputError):
    """A document that is not a model version; `problem` names the rule that it breaks."""

    code: ClassVar[str] = "invalid_model_version"


def parse_version(document: Mapping[str, Any]) -> ModelVersion:
    """Return the model version that a document describes.

    Args:
        document: as read from JSON; see `core/risk/versions/`.

    Raises:
        InvalidVersionError: unknown or missing keys, weights outside 3-20 or that do not sum to
            100, points that are not monotone, cuts out of order, or a required code that is none.
    """
    _check_keys(document, _VERSION_KEYS, place="version")
    try:
        indicators = tuple(_parse_indicator(one) for one in document["indicators"])
        version = ModelVersion(
            name=str(document["version"]),
            digest=digest_of(document),
            valid_from=date.fromisoformat(document["valid_from"]),
            indicators=indicators,
            yellow_cut=float(document["cuts"]["yellow"]),
            red_cut=float(document["cuts"]["red"]),
            min_coverage=float(document["min_coverage"]),
            max_stale_days=int(document["max_stale_days"]),
            required=frozenset(document["required"]),
            names={one.code: (one.label, one.unit_label) for one in indicators},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidVersionError(problem=f"malformed: {error}") from error
    _check_version(version)
    return version


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
        weight=float(document["weight"]),
        points=tuple((float(value), float(norm)) for value, norm in document["points"]),
    )


def _check_keys(document: Mapping[str, Any], keys: frozenset[str], *, place: str) -> None:
    if set(document) != keys:
        wrong = ", ".join(sorted(set(document) ^ keys))
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
        "min_coverage is not between 0 and 1": not 0 <= version.min_coverage <= 1,
        "max_stale_days is negative": version.max_stale_days < 0,
        "a required code is not an indicator": not version.required <= set(codes),
    }
    for problem, is_present in problems.items():
        if is_present:
            raise InvalidVersionError(problem=problem)
    for indicator in version.indicators:
        _check_indicator(indicator)


def _check_indicator(indicator: Indicator) -> None:
    values = [value for value, _ in indicator.points]
    norms = [norm for _, norm in indicator.points]
    problems = {
        "weight outside 3-20": not MIN_WEIGHT_PCT <= indicator.weight <= MAX_WEIGHT_PCT,
        "fewer than two points": len(values) < 2,  # noqa: PLR2004  two points make a line
        "values do not rise": not all(a < b for a, b in _pairs(values)),
        "norms fall": not all(a <= b for a, b in _pairs(norms)),
        "norms outside 0-100": not all(0 <= norm <= MAX_SCORE for norm in norms),
        "values are not finite": not all(map(math.isfinite, values)),
    }
    for problem, is_present in problems.items():
        if is_present:
            raise InvalidVersionError(problem=f"{indicator.code}: {problem}")


def _pairs(numbers: list[float]) -> Iterable[tuple[float, float]]:
    return pairwise(numbers)
