from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.risk.documents import InvalidVersionError, digest_of, parse_version
from core.risk.floors import final_colour
from core.risk.rules import Colour, Quiet, Reading, score_of

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
    document |= {"required": [], "floors": [], "indicator_count": 5}
    assert len(parse_version(document).indicators) == 5


def test_floors_and_the_limit_of_jumps_may_be_left_out(document: Document) -> None:
    del document["floors"], document["jump"]
    version = parse_version(document)
    assert (version.floors, version.stays, version.quiet) == ((), (), None)
    assert (version.jump_share, version.jump_least) == (0.1, 20)


def test_floors_of_the_district_are_those_that_are_described(document: Document) -> None:
    version = parse_version(document)
    assert [(one.rule.value, one.colour.value, one.when) for one in version.floors] == [
        ("R1", "yellow", ((("confirmed", "asym"), 1),)),
        ("R2", "red", ((("confirmed", "asym"), 3), (("cluster",), 1))),
    ]
    assert version.stays == ((("suspected",), 1), (("fever_open",), 1))
    assert version.quiet == Quiet(days=14, code="recency", window_days=14)


def floor(document: Document, rule: str) -> Document:
    found: Document = next(one for one in document["floors"] if one["rule"] == rule)
    return found


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
            lambda d: change_weights(d, close=float("nan")), "not finite", id="weight not a number"
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
        pytest.param(lambda d: d.update(indicator_count=12), "13 indicators", id="not so many"),
        pytest.param(lambda d: d.update(version="../x"), "the name", id="name that is a path"),
        pytest.param(lambda d: floor(d, "R1").update(rule="R9"), "no floor R9", id="unknown floor"),
        pytest.param(
            lambda d: floor(d, "R1").update(rule="R5"), "no floor R5", id="override as floor"
        ),
        pytest.param(
            lambda d: floor(d, "R2").update(rule="R1"), "floor appears twice", id="floor twice"
        ),
        pytest.param(
            lambda d: floor(d, "R1").update(colour="blue"), "neither yellow", id="floor to blue"
        ),
        pytest.param(lambda d: floor(d, "R1").update(when=[]), "no condition", id="no condition"),
        pytest.param(
            lambda d: floor(d, "R3")["when"][0].update(least=0), "of nothing", id="always held"
        ),
        pytest.param(
            lambda d: floor(d, "R4").update(quiet_days=15), "R4 waits", id="quiet past its window"
        ),
        pytest.param(
            lambda d: floor(d, "R4").update(of="fog"), "R4 counts by", id="quiet of no indicator"
        ),
        pytest.param(lambda d: d.update(jump={"share": 2, "least": 1}), "jumps", id="share over 1"),
        pytest.param(lambda d: d.update(jump={"share": 0.1}), "jump has", id="jump without count"),
        pytest.param(
            lambda d: floor(d, "R1")["when"][0].update(of=["confrimed", "asym"]),
            "not an indicator",
            id="floor of a misspelt code",
        ),
        pytest.param(
            lambda d: floor(d, "R1")["when"][0].update(of=["fever_open"]),
            "not an indicator",
            id="floor of what is not counted for it",
        ),
        pytest.param(
            lambda d: floor(d, "R1")["when"][0].update(least=float("inf")),
            "not finite",
            id="floor that never holds",
        ),
        pytest.param(lambda d: floor(d, "R3").update(when=[]), "no condition", id="R3 of nothing"),
        pytest.param(
            lambda d: floor(d, "R4").update(window_days=28), "more than 14", id="quiet every day"
        ),
        pytest.param(
            lambda d: floor(d, "R4").update(of="close"), "R4 counts by", id="quiet of no days"
        ),
        pytest.param(lambda d: d.update(required=[]), "required", id="nothing required"),
        pytest.param(lambda d: d.update(min_coverage=0), "min_coverage", id="colour of nothing"),
        pytest.param(lambda d: d.update(min_coverage=0.49), "min_coverage", id="of less than half"),
        pytest.param(lambda d: d.update(max_stale_days=4), "between 0 and 3", id="four days old"),
        pytest.param(lambda d: d.update(max_stale_days=10**12), "0 and 3", id="past the calendar"),
        pytest.param(lambda d: d.update(max_stale_days=2.5), "not whole", id="half a day"),
        pytest.param(lambda d: d["cuts"].update(red=float("inf")), "not finite", id="infinite cut"),
        pytest.param(lambda d: d.update(min_coverage=10**400), "not finite", id="400 digits"),
        pytest.param(
            lambda d: change_weights(d, close=1.7e308, vuln=1.7e308),
            "malformed",
            id="weights past every float",
        ),
        pytest.param(
            lambda d: indicator(d, "vuln").update(code="c" * 33),
            "a code is not",
            id="wide code",
        ),
        pytest.param(lambda d: indicator(d).update(label="例" * 41), "a label", id="long label"),
        pytest.param(lambda d: indicator(d).update(label="\ud800"), "malformed", id="no character"),
    ],
)
def test_document_that_breaks_a_rule_is_refused(
    document: Document, spoil: Callable[[Document], object], problem: str
) -> None:
    spoil(document)
    with pytest.raises(InvalidVersionError) as caught:
        parse_version(document)
    assert problem in str(caught.value.facts["problem"])


_NUMBERS = st.integers(-3, 30) | st.sampled_from([10**12, 10**400]) | st.floats()
_SCALARS = st.none() | st.booleans() | _NUMBERS | st.text(max_size=4) | st.sampled_from(["R1"])
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["of", "least", "rule", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places_of(found: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to everything in a document, itself included."""
    yield path
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from places_of(value, (*path, key))


def changed(found: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    copy = found.copy()
    copy[path[0]] = changed(found[path[0]], path[1:], value)
    return copy


BUILT_IN = json.loads(files("core.risk.versions").joinpath("xh-2020.1.json").read_text("utf-8"))
PLACES = sorted(places_of(BUILT_IN), key=lambda path: (len(path), str(path)))


@settings(max_examples=300)
@given(st.sampled_from(PLACES), _JSON)
def test_any_json_is_a_version_that_can_be_used_or_is_refused(
    place: tuple[str | int, ...], value: object
) -> None:
    try:
        version = parse_version(changed(BUILT_IN, place, value))
    except InvalidVersionError as error:
        str(error.facts["problem"]).encode()
        return
    assert date(2020, 2, 10) - timedelta(days=version.max_stale_days) >= date(2020, 2, 7)
    codes = {one.code for one in version.indicators}
    score_of(version, dict.fromkeys(codes, Reading(1.0)))
    for raising in version.floors:
        met = {code: one.least for one in raising.when for code in one.codes}
        assert met.keys() <= codes
        final = final_colour(
            version,
            score_colour=Colour.BLUE,
            values=met | dict.fromkeys(codes - met.keys(), 0.0),
            before=Colour.RED,
        )
        assert raising.rule in final.rules or final.colour is Colour.RED


def test_digest_depends_on_the_content_alone(document: Document) -> None:
    shuffled = json.loads(json.dumps(dict(reversed(document.items())), indent=4))
    assert digest_of(shuffled) == digest_of(document)
    change_weights(shuffled, close=10, second=5)
    assert digest_of(shuffled) != digest_of(document)
