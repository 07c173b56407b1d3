"""Kinds of shops, and whether one is open."""

from __future__ import annotations

from enum import StrEnum


class ShopKind(StrEnum):
    """What a shop lives by."""

    FOOD = "food"
    RETAIL = "retail"
    PHARMACY = "pharmacy"
    HAIRDRESSER = "hairdresser"
    SERVICE = "service"
    LODGING = "lodging"
    OTHER = "other"


class Opening(StrEnum):
    """Whether a shop is open."""

    OPEN = "open"
    PAUSED = "paused"  # closed for a while
    CLOSED = "closed"  # for good
