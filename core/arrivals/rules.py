"""The words and limits of the subject: classes of trains, types of days, settings of a station.

Source: docs/sources.md#station-arrivals
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Final
from unicodedata import normalize

from core.errors import InvalidInputError

SLOT_MINUTES: Final = 5
SLOTS: Final = 288
SLOTS_PER_HOUR: Final = 12
MINUTES_PER_DAY: Final = 1440
# Hours before the scheduled arrival at which sales are looked at.
LEAD_HOURS: Final = (0, 1, 2, 4, 8, 12, 18, 24)
DRAWS: Final = 2000
FORECAST_HOURS: Final = 24
# Past forecasts that the width of the intervals is held against.
CALIBRATION_DAYS: Final = 28
# Of what fewer days than these is known is flagged as a short history.
SHORT_HISTORY_DAYS: Final = 14
STALE_MINUTES: Final = 60
LEVELS: Final = (0.80, 0.95)

_NUMBER: Final = re.compile(r"([A-Z]?)(\d{1,5})")


class TrainClass(StrEnum):
    """The class of a train, by the letter of its number."""

    HIGH_SPEED = "high_speed"
    EMU = "emu"
    INTERCITY = "intercity"
    DIRECT = "direct"
    EXPRESS = "express"
    FAST = "fast"
    OTHER = "other"


CLASS_OF_LETTER: Final = {
    "G": TrainClass.HIGH_SPEED,
    "D": TrainClass.EMU,
    "C": TrainClass.INTERCITY,
    "Z": TrainClass.DIRECT,
    "T": TrainClass.EXPRESS,
    "K": TrainClass.FAST,
}


class DayType(StrEnum):
    """What kind of day a local day is; a weekend that is worked is a workday."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class Fallback(StrEnum):
    """What a forecast had to do without, and did otherwise."""

    NO_TICKETS = "no_tickets"
    NO_TIMETABLE = "no_timetable"
    FEED_STALE = "feed_stale"
    SHORT_HISTORY = "short_history"
    DEFAULT_DELAY = "default_delay"
    DEFAULT_EGRESS = "default_egress"


class TrainNumberInvalidError(InvalidInputError):
    """This is not the number of a train."""

    code = "train_number_invalid"


class StationSettingsInvalidError(InvalidInputError):
    """A setting of the station is outside of its limits; the facts name it and them."""

    code = "station_settings_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """People in a window of time: mean, and intervals of 80 and 95 %."""

    mean: float
    low80: float
    high80: float
    low95: float
    high95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainLoad:
    """What is expected of one train.

    Attributes:
        number: of the train.
        origin: where it comes from.
        scheduled_at: the timetable's arrival.
        expected_at: the median of its arrival; as it came, once it has.
        mean: people who get off; 0 for a cancelled train.
        low80: of the 80 % interval.
        high80: of the 80 % interval.
        is_cancelled: nobody comes.
        is_sold_out: at least 98 of 100 places are sold.
        fallback: what was done without for this train; None: nothing.
    """

    number: str
    origin: str
    scheduled_at: datetime
    expected_at: datetime
    mean: float
    low80: float
    high80: float
    is_cancelled: bool
    is_sold_out: bool
    fallback: Fallback | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """What the station decides about its posts, and what is taken where nothing was measured.

    Attributes:
        check_seconds: one person at one post.
        utilisation: share of its time that a post may be busy.
        wait_target_minutes: within these the share `wait_share` of people is to be served.
        wait_share: 0-1.
        min_shift_hours: the shortest shift; whole hours.
        relief_share: people to relieve others, as a share of the posts.
        post_limit: the most posts there is room for; None: no limit.
        peak_share: the peaks are the fewest hours that hold this share of all arrivals.
        egress_median_minutes: from the platform to the check, half of the people.
        egress_p95_minutes: the same, 95 of 100.
        day_shock: by how much whole days differ from what their trains say, one standard
            deviation as a share.
    """

    check_seconds: float = 20.0
    utilisation: float = 0.85
    wait_target_minutes: float = 2.0
    wait_share: float = 0.9
    min_shift_hours: int = 2
    relief_share: float = 0.10
    post_limit: int | None = None
    peak_share: float = 0.40
    egress_median_minutes: float = 5.0
    egress_p95_minutes: float = 12.0
    day_shock: float = 0.08


SETTING_LIMITS: Final[dict[str, tuple[float, float]]] = {
    "check_seconds": (1.0, 600.0),
    "utilisation": (0.3, 0.99),
    "wait_target_minutes": (0.0, 60.0),
    "wait_share": (0.5, 0.999),
    "min_shift_hours": (1, 12),
    "relief_share": (0.0, 1.0),
    "post_limit": (1, 1000),
    "peak_share": (0.05, 0.95),
    "egress_median_minutes": (0.5, 60.0),
    "egress_p95_minutes": (1.0, 120.0),
    "day_shock": (0.0, 0.5),
}


def check_settings(settings: StationSettings) -> None:
    """Raise if a setting is outside of its limits.

    Raises:
        StationSettingsInvalidError: `setting`, `lowest` and `highest` are named.
    """
    for one in fields(StationSettings):
        value = getattr(settings, one.name)
        if value is None and one.name == "post_limit":
            continue
        low, high = SETTING_LIMITS[one.name]
        if not math.isfinite(value) or not low <= value <= high:
            raise StationSettingsInvalidError(setting=one.name, lowest=low, highest=high)
    if settings.egress_p95_minutes <= settings.egress_median_minutes:
        raise StationSettingsInvalidError(
            setting="egress_p95_minutes",
            lowest=settings.egress_median_minutes,
            highest=SETTING_LIMITS["egress_p95_minutes"][1],
        )


def number_of(text: str) -> str:
    """Return a train number in its one spelling: `g 1234` becomes `G1234`.

    Raises:
        TrainNumberInvalidError: not a letter and one to five digits, or digits alone.
    """
    number = "".join(normalize("NFKC", text).upper().split())
    if not _NUMBER.fullmatch(number):
        raise TrainNumberInvalidError
    return number


def class_of(number: str) -> TrainClass:
    """Return the class that the letter of a train number stands for."""
    return CLASS_OF_LETTER.get(number[:1].upper(), TrainClass.OTHER)
