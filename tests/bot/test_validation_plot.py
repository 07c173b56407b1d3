from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bot.validation_plot import LINES, svg_of
from core.risk.study.validation import Validation, validate
from core.risk.versions import get_version
from tests.core.risk.study.outbreaks import outbreak_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def validation() -> Validation:
    outbreak = outbreak_of({0: dict.fromkeys(range(100), 5)})
    return validate(get_version("sh-2022.1"), outbreak, chosen=np.ones(4, dtype=bool))


def drawn(validation: Validation, title: str = "x") -> ET.Element:
    return ET.fromstring(svg_of(validation, title=title))


def test_each_horizon_has_a_curve_for_each_order(validation: Validation) -> None:
    curves = drawn(validation).findall(f"{SVG}polyline")
    assert len(curves) == 2 * len(LINES)
    assert all(len(curve.attrib["points"].split()) == 26 for curve in curves)


def test_every_colour_that_occurred_has_a_bar_with_its_figures(validation: Validation) -> None:
    texts = [text.text for text in drawn(validation).iter(f"{SVG}text")]
    assert texts.count("100.0%") == 3
    assert texts.count("red 25%") == 3
    assert [name for name in ("growth", "plateau", "decline") if name not in texts] == []


def test_a_title_is_written_as_it_is(validation: Validation) -> None:
    title = drawn(validation, "<徐汇> & co").find(f"{SVG}title")
    assert title is not None
    assert title.text == "<徐汇> & co"


def test_nothing_to_draw_is_said(validation: Validation) -> None:
    empty = replace(validation, days={7: [], 14: []})
    texts = [text.text for text in drawn(empty).iter(f"{SVG}text")]
    assert texts.count("no day of the phases is known") == 2
