from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from core.risk.documents import InvalidVersionError, digest_of, parse_version

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    text = files("core.risk.versions").joinpath("xh-2020.1.json").read_text("utf-8")
    found: Document = json.loads(text)
    return found


def indicator(document: Document, code: str = "confirmed") -> Document:
    found: Document = next(one for one in document["indicators"] if one["code"] == code)
    return found


def test_parse_version_reads_every_field(document: Document) -> None:
    version = parse_version(document)
    assert version.name == "xh-2020.1"
    assert (version.yellow_cut, version.red_cut) == (40, 60)
    assert (version.min_coverage, version.max_stale_days) == (0.8, 3)
    assert version.required == {"confirmed"}
    assert sum(one.weight for one in version.indicators) == 100
    assert version.names["keyarea"] == ("重点地区来沪人员", "‰")
    (suspected,) = (one for one in version.indicators if one.code == "suspected")
    assert (suspected.weight, suspected.points) == (12, ((0, 0), (1, 50), (3, 100)))


def test_version_may_have_another_number_of_indicators(document: Document) -> None:
    document["indicators"] = [
        indicator(document, "confirmed") | {"code": f"study_{number}", "weight": 20}
        for number in range(5)
    ]
    document["required"] = []
    assert len(parse_version(document).indicators) == 5


def change_weights(document: Document, **weights: float) -> None:
    for code, weight in weights.items():
        indicator(document, code)["weight"] = weight


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(
            lambda d: change_weights(d, confirmed=20.5, close=10.5), "weight outside", id="over 20"
        ),
        pytest.param(
            lambda d: change_weights(d, vuln=2.5, homeq=3.5), "weight outside", id="under 3"
        ),
        pytest.param(lambda d: change_weights(d, close=10.9), "sum to 99.9", id="sum under 100"),
        pytest.param(
            lambda d: change_weights(d, close=11.00000001), "sum to 100.0", id="sum just over 100"
        ),
        pytest.param(
            lambda d: change_weights(d, close=float("nan")), "sum to nan", id="weight not a number"
        ),
        pytest.param(
            lambda d: indicator(d).update(points=[[0, 0], [1, 80], [3, 70]]),
            "norms fall",
            id="norms fall",
        ),
        pytest.param(
            lambda d: indicator(d).update(points=[[0, 0], [0, 80]]),
            "values do not rise",
            id="two norms for one value",
        ),
        pytest.param(
            lambda d: indicator(d).update(points=[[0, 0], [1, 101]]), "0-100", id="norm over 100"
        ),
        pytest.param(lambda d: indicator(d).update(points=[[0, 0]]), "two points", id="one point"),
        pytest.param(
            lambda d: indicator(d).update(points=[[0, 0], [float("inf"), 100]]),
            "not finite",
            id="infinite value",
        ),
        pytest.param(lambda d: d["cuts"].update(yellow=60), "cuts", id="cuts equal"),
        pytest.param(lambda d: d["cuts"].update(yellow=70), "cuts", id="cuts swapped"),
        pytest.param(lambda d: d.update(min_coverage=1.2), "min_coverage", id="coverage over 1"),
        pytest.param(lambda d: d.update(required=["sars"]), "required", id="unknown required"),
        pytest.param(
            lambda d: indicator(d, "close").update(code="asym"), "appears twice", id="code twice"
        ),
        pytest.param(lambda d: d.update(colour="red"), "unknown keys: colour", id="unknown key"),
        pytest.param(lambda d: d.pop("cuts"), "unknown keys: cuts", id="missing key"),
        pytest.param(lambda d: indicator(d).update(unit="dozen"), "malformed", id="unknown unit"),
        pytest.param(lambda d: d.update(indicators=7), "malformed", id="wrong type"),
    ],
)
def test_document_that_breaks_a_rule_is_refused(
    document: Document, spoil: Callable[[Document], object], problem: str
) -> None:
    spoil(document)
    with pytest.raises(InvalidVersionError) as caught:
        parse_version(document)
    assert problem in str(caught.value.facts["problem"])


def test_digest_depends_on_the_content_alone(document: Document) -> None:
    shuffled = json.loads(json.dumps(dict(reversed(document.items())), indent=4))
    assert digest_of(shuffled) == digest_of(document)
    change_weights(shuffled, close=10, second=5)
    assert digest_of(shuffled) != digest_of(document)
