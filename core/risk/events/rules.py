"""The kinds of epidemic events, how they end, and the feeds that bring them."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What is known of a person."""

    CONFIRMED = "confirmed"
    ASYMPTOMATIC = "asymptomatic"
    SUSPECTED = "suspected"
    CLOSE_CONTACT = "close"
    SECOND_CONTACT = "second"
    FEVER = "fever"
    KEY_AREA_ARRIVAL = "keyarea"
    OVERSEAS_ARRIVAL = "overseas"
    HOME_ISOLATION = "homeq"


class Ending(StrEnum):
    """Why an event is over: released or recovered, excluded, or turned into a worse kind."""

    RELEASED = "released"
    EXCLUDED = "excluded"
    CONVERTED = "converted"


class Feed(StrEnum):
    """A source of events; a day of it is complete up to its watermark."""

    CASES = "cases"
    CONTACTS = "contacts"
    FEVER_CLINICS = "fever"
    ARRIVALS = "arrivals"
    ISOLATION = "isolation"
    RESIDENTS = "residents"
