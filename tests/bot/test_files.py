"""Files in a folder, and in an S3-compatible store over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from bot import files as wire
from bot.files import ObjectFiles
from bot.settings import Settings, SettingsError
from core.files.service import FileUnavailableError
from tests.s3 import BUCKET, S3Server

FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A store that listens, and the environment that leads to it."""
    server = S3Server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.fixture(params=["folder", "file-url", "s3", "s3-folder"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectFiles:
    """Each kind of store."""
    url = {
        "folder": "",
        "file-url": f"file://{tmp_path}/another%20place",
        "s3": f"s3://{BUCKET}",
        "s3-folder": f"s3://{BUCKET}/huizhili/files",
    }[request.param]
    if request.param.startswith("s3"):
        request.getfixturevalue("s3")
    return ObjectFiles(Settings.from_env(files_url=url, instance_dir=tmp_path))


def bucket_files(tmp_path: Path) -> ObjectFiles:
    return ObjectFiles(Settings.from_env(files_url=f"s3://{BUCKET}/x", instance_dir=tmp_path))


def test_what_is_put_can_be_got_until_it_is_deleted(files: ObjectFiles) -> None:
    content = bytes(range(256)) * 4096
    files.put("one", content)
    files.put("two", b"2")
    assert files.get("one") == content
    files.put("one", b"1")
    assert files.get("one") == b"1"
    files.delete("one")
    with pytest.raises(FileUnavailableError):
        files.get("one")
    assert files.get("two") == b"2"


def test_deleting_what_is_not_there_is_fine(files: ObjectFiles) -> None:
    files.delete("nothing")
    files.put("one", b"1")
    files.delete("one")
    files.delete("one")


def test_keys_are_listed_by_age(files: ObjectFiles) -> None:
    names = [f"key{number}" for number in range(5)]
    assert list(files.list_keys(before=FUTURE)) == []
    for name in names:
        files.put(name, b"x")
    assert sorted(chain.from_iterable(files.list_keys(before=FUTURE))) == names
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert list(chain.from_iterable(files.list_keys(before=yesterday))) == []


def test_the_default_folder_is_in_the_instance(tmp_path: Path) -> None:
    files = ObjectFiles(Settings.from_env(instance_dir=tmp_path))
    assert not (tmp_path / "files").exists()
    files.put("abc", b"sealed")
    assert (tmp_path / "files" / "abc").read_bytes() == b"sealed"


def test_a_folder_that_cannot_be_written_is_a_store_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    files = ObjectFiles(Settings.from_env(instance_dir=tmp_path))
    with pytest.raises(FileUnavailableError):
        files.put("abc", b"sealed")


def test_objects_are_below_the_folder_of_the_address(s3: S3Server, tmp_path: Path) -> None:
    bucket_files(tmp_path).put("abc", b"sealed")
    assert s3.objects.keys() == {"x/abc"}


def test_an_error_that_passes_is_not_noticed(s3: S3Server, tmp_path: Path) -> None:
    files = bucket_files(tmp_path)
    s3.status, s3.failures = 503, 1
    files.put("abc", b"sealed")
    s3.status, s3.failures = 500, 2
    assert files.get("abc") == b"sealed"


@pytest.mark.parametrize("status", [403, 404, 500, 503, 507])
def test_a_store_that_answers_with_errors_is_unavailable(
    s3: S3Server, tmp_path: Path, status: int
) -> None:
    files = bucket_files(tmp_path)
    s3.status = status
    for call in (
        lambda: files.put("abc", b"sealed"),
        lambda: files.get("abc"),
        lambda: list(files.list_keys(before=FUTURE)),
    ):
        with pytest.raises(FileUnavailableError):
            call()
    assert s3.objects == {}


def test_a_store_that_is_away_is_known_soon(s3: S3Server, tmp_path: Path) -> None:
    files = bucket_files(tmp_path)
    s3.stop()
    begun = time.monotonic()
    with pytest.raises(FileUnavailableError):
        files.put("abc", b"sealed")
    assert time.monotonic() - begun < 10


def test_a_store_that_hangs_is_given_up(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "CALL_SECONDS", 1)
    monkeypatch.setattr(wire, "MAX_RETRIES", 0)
    files = bucket_files(tmp_path)
    s3.delay = 5
    begun = time.monotonic()
    with pytest.raises(FileUnavailableError):
        files.get("abc")
    assert time.monotonic() - begun < 4


def test_a_wrong_key_is_no_way_in(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody-else")
    with pytest.raises(FileUnavailableError):
        bucket_files(tmp_path).put("abc", b"sealed")
    assert s3.objects == {}


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3:///plans", "s3://key:secret@plans", "ftp://files", "files", "file://host/x"],
)
def test_an_address_that_is_no_store_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="FILES_URL"):
        Settings.from_env(files_url=url)
