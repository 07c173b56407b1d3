import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.places.geo import distance_m, is_point, latitude_span

points = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def test_distance_of_one_degree_of_latitude_is_111_km() -> None:
    assert distance_m((121.4, 31.0), (121.4, 32.0)) == pytest.approx(111_195, abs=1)


def test_distance_along_a_parallel_shrinks_with_the_cosine_of_the_latitude() -> None:
    at_equator = distance_m((121.0, 0.0), (121.01, 0.0))
    at_sixty = distance_m((121.0, 60.0), (121.01, 60.0))
    assert at_sixty == pytest.approx(at_equator / 2, rel=1e-4)


def test_distance_across_the_date_line_is_short() -> None:
    assert distance_m((179.999, 0.0), (-179.999, 0.0)) == pytest.approx(222.4, abs=0.1)


def test_distance_of_opposite_points_is_half_the_circumference() -> None:
    assert distance_m((0.0, 0.0), (180.0, 0.0)) == pytest.approx(math.pi * 6_371_008.8)


@given(points, points)
def test_distance_is_symmetric_and_never_negative(
    start: tuple[float, float], end: tuple[float, float]
) -> None:
    there, back = distance_m(start, end), distance_m(end, start)
    assert there >= 0
    assert there == pytest.approx(back, abs=1e-3)


@pytest.mark.parametrize(
    "point",
    [(181.0, 0.0), (0.0, 90.5), (math.nan, 0.0), (0.0, math.inf)],
    ids=["longitude", "latitude", "nan", "infinite"],
)
def test_distance_refuses_what_is_no_point(point: tuple[float, float]) -> None:
    assert not is_point(*point)
    with pytest.raises(ValueError, match="not a point"):
        distance_m(point, (121.4, 31.1))


def test_latitude_span_covers_the_distance() -> None:
    span = latitude_span(1000)
    assert distance_m((121.4, 31.0), (121.4, 31.0 + span)) == pytest.approx(1000, abs=0.01)
