"""Distances between points on the map, in metres."""

from math import asin, cos, degrees, isfinite, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
_LATITUDE_LIMIT = 90.0
_LONGITUDE_LIMIT = 180.0


def is_point(longitude: float, latitude: float) -> bool:
    """Return whether two numbers, in degrees, are a point on Earth."""
    return (
        isfinite(longitude)
        and isfinite(latitude)
        and abs(longitude) <= _LONGITUDE_LIMIT
        and abs(latitude) <= _LATITUDE_LIMIT
    )


def distance_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the great-circle distance between two points.

    Args:
        start: longitude and latitude, degrees.
        end: the same, in the same system. Two GCJ-02 points of one city are
            as far apart as the places themselves, to within a metre per
            kilometre.

    Returns:
        Metres on a sphere of the mean radius of the Earth; within 0.6 % of
        the ellipsoid.

    Raises:
        ValueError: a point that is not on Earth, a bug in the caller.

    Source: docs/sources.md#haversine
    """
    if not (is_point(*start) and is_point(*end)):
        msg = "not a point on Earth"
        raise ValueError(msg)
    (start_east, start_north), (end_east, end_north) = start, end
    north, other_north = radians(start_north), radians(end_north)
    rise = sin((other_north - north) / 2) ** 2
    run = sin(radians(end_east - start_east) / 2) ** 2
    # Rounding may carry the sum of two opposite points past one.
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(rise + cos(north) * cos(other_north) * run)))


def latitude_span(distance_m: float) -> float:
    """Return how many degrees of latitude a distance in metres is."""
    return degrees(distance_m / EARTH_RADIUS_M)
