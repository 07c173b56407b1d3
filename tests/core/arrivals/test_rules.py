"""Words and limits of the subject."""

from __future__ import annotations

import pytest

from core.arrivals.rules import (
    StationSettings,
    StationSettingsInvalidError,
    TrainClass,
    TrainNumberInvalidError,
    check_settings,
    class_of,
    number_of,
)


@pytest.mark.parametrize(
    ("number", "train_class"),
    [
        ("G1", TrainClass.HIGH_SPEED),
        ("D378", TrainClass.EMU),
        ("C3851", TrainClass.INTERCITY),
        ("Z99", TrainClass.DIRECT),
        ("T77", TrainClass.EXPRESS),
        ("K287", TrainClass.FAST),
        ("1461", TrainClass.OTHER),
        ("Y501", TrainClass.OTHER),
    ],
)
def test_the_letter_of_a_number_is_its_class(number: str, train_class: TrainClass) -> None:
    assert class_of(number) is train_class


def test_a_number_has_one_spelling() -> None:
    assert number_of(" ｇ 1234 ") == "G1234"


@pytest.mark.parametrize("text", ["", "G", "GD12", "G123456", "12G", "G-1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(TrainNumberInvalidError):
        number_of(text)


@pytest.mark.parametrize(
    "changed",
    [
        {"check_seconds": 0.0},
        {"utilisation": 1.0},
        {"post_limit": 0},
        {"wait_share": float("nan")},
        {"egress_median_minutes": 12.0},
    ],
)
def test_a_setting_outside_of_its_limits_is_refused(changed: dict[str, float]) -> None:
    check_settings(StationSettings())
    with pytest.raises(StationSettingsInvalidError) as caught:
        check_settings(StationSettings(**changed))  # type: ignore[arg-type]
    assert caught.value.facts["setting"] in {*changed, "egress_p95_minutes"}
