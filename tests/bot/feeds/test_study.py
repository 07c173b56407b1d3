from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.feeds.study import StudyRefusedError, read_study
from tests.bot.feeds.studies import (
    COMMUNITIES,
    DISTRICT_HEAD,
    FIRST_DAY,
    listings_of,
    write_listings,
    write_study,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


def relist(folder: Path, *rows: tuple[object, object, object], **given: str) -> None:
    path = folder / "community_day.parquet"
    path.unlink()
    write_listings(path, rows, **given)


def test_a_folder_becomes_an_outbreak(folder: Path) -> None:
    study = read_study(folder)
    outbreak = study.outbreak
    assert (outbreak.first_day, outbreak.day_count) == (FIRST_DAY, 110)
    assert outbreak.districts == ("乙区", "甲区")
    assert outbreak.district_of.tolist() == [1, 1, 1, 0]
    assert outbreak.address_counts[0].tolist() == [2, 0, 0, 0]
    assert outbreak.address_counts[-1].tolist() == [2, 1, 0, 0]
    assert outbreak.positives_per_100k[0].tolist() == pytest.approx([np.nan, 2], nan_ok=True)
    assert outbreak.screened_per_100k[0, 1] == pytest.approx(0.4)
    assert study.notes == ("district_day.csv says nothing of 乙区",)


def test_streets_of_one_name_in_two_districts_are_two_and_none_is_none(folder: Path) -> None:
    first, second, third, fourth = read_study(folder).outbreak.street_of.tolist()
    assert first == second
    assert third == -1
    assert fourth not in {first, -1}


def test_a_missing_place_is_not_a_number(folder: Path) -> None:
    assert np.isnan(read_study(folder).outbreak.longitudes).tolist() == [False, False, False, True]


def test_a_district_is_chosen_by_name(folder: Path) -> None:
    study = read_study(folder)
    assert study.choose("乙区").tolist() == [False, False, False, True]
    assert study.choose(None).all()
    assert study.choose("乙").tolist() == study.choose("乙区").tolist()


@pytest.mark.parametrize("district", ["丙区", "区", ""])
def test_a_district_that_is_none_is_refused_with_those_there_are(
    folder: Path, district: str
) -> None:
    with pytest.raises(StudyRefusedError, match="there are: 乙区, 甲区"):
        read_study(folder).choose(district)


def test_a_beginning_that_two_districts_share_is_refused(folder: Path) -> None:
    (folder / "communities.csv").write_text(COMMUNITIES.replace("乙区", "甲县"), "utf-8")
    with pytest.raises(StudyRefusedError, match="meant by 甲; there are: 甲区, 甲县"):
        read_study(folder).choose("甲")


def test_an_empty_cell_of_a_district_is_not_zero(folder: Path) -> None:
    (folder / "district_day.csv").write_text(
        f"{DISTRICT_HEAD}\n2022-03-06,甲区,,1,1,1000\n2022-03-07,甲区,5,,1,1000\n", "utf-8"
    )
    outbreak = read_study(folder).outbreak
    assert outbreak.positives_per_100k[:2, 1].tolist() == pytest.approx([np.nan, 500], nan_ok=True)
    assert outbreak.screened_per_100k[:2, 1].tolist() == pytest.approx([200, np.nan], nan_ok=True)


def test_rows_that_cannot_be_placed_or_are_repeated_are_told(folder: Path) -> None:
    relist(
        folder,
        (datetime(2022, 3, 6), 7, 1),  # noqa: DTZ001  the file's own type has no zone
        (datetime(2022, 3, 6), 7, 3),  # noqa: DTZ001
        (datetime(2022, 3, 8), 999, 1),  # noqa: DTZ001
    )
    study = read_study(folder)
    assert study.outbreak.address_counts[:, 0].tolist() == [3, 0, 0]
    repeated, unknown, _ = study.notes
    assert "1 rows repeat" in repeated
    assert "1 rows of communities that communities.csv lacks" in unknown


def test_days_may_be_dates_or_text(folder: Path) -> None:
    relist(
        folder,
        ("2022-03-06", 7, 1),
        ("2022-03-07", 3, 1),
        columns='"date" VARCHAR, community_id INTEGER, n_addresses SMALLINT',
    )
    assert read_study(folder).outbreak.day_count == 2


def test_a_district_outside_of_the_folder_and_other_days_are_ignored(folder: Path) -> None:
    with (folder / "district_day.csv").open("a", encoding="utf-8") as file:
        file.write("2022-03-06,丙区,1,1,1,1000\n2022-01-01,甲区,1,1,1,1000\n")
    assert read_study(folder).outbreak.positives_per_100k[0, 1] == pytest.approx(2)


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, "utf-8")


def listed(*rows: tuple[object, object, object], **given: str) -> Callable[[Path], object]:
    return lambda folder: relist(folder, *rows, **given)


TEXT_COLUMNS = '"date" VARCHAR, community_id VARCHAR, n_addresses VARCHAR'
CSV = "communities.csv"
DAYS = "district_day.csv"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(without(CSV), r"has no communities\.csv", id="no communities"),
        pytest.param(without("community_day.parquet"), r"has no community_day", id="no listings"),
        pytest.param(without(DAYS), r"has no district_day", id="no districts"),
        pytest.param(
            written(CSV, COMMUNITIES.replace(",lon,", ",x,")),
            r"communities\.csv lacks the column lon",
            id="no longitude",
        ),
        pytest.param(written(CSV, ""), "lacks the column community_id", id="empty file"),
        pytest.param(
            written(CSV, COMMUNITIES.splitlines()[0] + "\n"), "has no communities", id="only a head"
        ),
        pytest.param(
            written(CSV, COMMUNITIES.replace("121.50", "east")),
            r"line 4: lon cannot be 'east'",
            id="longitude in words",
        ),
        pytest.param(
            written(CSV, COMMUNITIES.replace("121.50", "221.5")), "line 4: lon", id="off the earth"
        ),
        pytest.param(
            written(CSV, COMMUNITIES.replace("121.50", "nan")), "line 4: lon", id="not a number"
        ),
        pytest.param(
            written(CSV, COMMUNITIES.replace("\n5,", "\n7,")),
            "community_id 7 more than once",
            id="one id twice",
        ),
        pytest.param(
            written(CSV, COMMUNITIES.replace("\n5,", "\nx,")), "line 4: community_id", id="no id"
        ),
        pytest.param(
            written(CSV, COMMUNITIES + "1,甲区\n"), "line 6: too many or too few", id="cut"
        ),
        pytest.param(
            lambda folder: (folder / CSV).write_bytes(b"\xff\xfe\x00"), "cannot be read", id="bytes"
        ),
        pytest.param(
            written("community_day.parquet", "PAR1 no"), "cannot be read", id="no parquet"
        ),
        pytest.param(
            listed(columns='"date" DATE, community_id INTEGER, n INTEGER'),
            "community_day.parquet lacks the column n_addresses",
            id="no count",
        ),
        pytest.param(listed(), "has no rows", id="no rows"),
        pytest.param(
            listed(("soon", "7", "1"), columns=TEXT_COLUMNS), "1 rows have", id="day in words"
        ),
        pytest.param(
            listed(("2022-03-06", "x", "1"), columns=TEXT_COLUMNS), "1 rows have", id="id in words"
        ),
        pytest.param(
            listed(("2022-03-06", "7", "x"), columns=TEXT_COLUMNS), "1 rows have", id="no number"
        ),
        pytest.param(
            listed(*listings_of({FIRST_DAY: {7: -1}})), "1 rows have", id="fewer than none"
        ),
        pytest.param(
            listed(*listings_of({FIRST_DAY: {7: 1}, date(1922, 3, 6): {7: 1}})),
            "more than 1000 days",
            id="a century",
        ),
        pytest.param(
            written(DAYS, f"{DISTRICT_HEAD}\n2022-03-06,甲区,x,1,1,9\n"),
            "line 2: positive cannot be 'x'",
            id="positives in words",
        ),
        pytest.param(
            written(DAYS, f"{DISTRICT_HEAD}\n2022-03-06,甲区,-1,1,1,9\n"), "positive", id="below 0"
        ),
        pytest.param(
            written(DAYS, f"{DISTRICT_HEAD}\n2022-03-06,甲区,1,1,1,0\n"), "pop_2020", id="nobody"
        ),
        pytest.param(
            written(DAYS, f"{DISTRICT_HEAD}\nMarch,甲区,1,1,1,9\n"), "line 2: date", id="no date"
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_the_place(
    folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(folder)
    with pytest.raises(StudyRefusedError, match=message):
        read_study(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyRefusedError, match=r"there is no folder .*nowhere"):
        read_study(tmp_path / "nowhere")
