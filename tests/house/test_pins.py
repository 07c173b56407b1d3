"""What is installed is pinned, with hashes, and named without saying where it came from."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.servers import ROOT

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def _pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text()))


def _wanted(group: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = (
        project["project"]["dependencies"]
        if group == "runtime"
        else project["dependency-groups"][group]
    )
    return {re.split(r"[\[<>=!~ ;]", text)[0].lower().replace("_", "-") for text in wanted}


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.txt", ["runtime"]),
        ("requirements-dev.txt", ["runtime", "dev"]),
        ("requirements-spark.txt", ["runtime", "dev", "spark"]),
    ],
)
def test_everything_that_is_asked_for_is_pinned(name: str, groups: list[str]) -> None:
    wanted = set[str]().union(*(_wanted(group) for group in groups))

    assert wanted - _pins(name).keys() == set()


def test_the_tests_run_what_operators_run() -> None:
    runtime, development = _pins("requirements.txt"), _pins("requirements-dev.txt")

    assert runtime.items() <= development.items()
    assert development.items() <= _pins("requirements-spark.txt").items()


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-spark.txt"]
)
def test_every_pin_has_a_hash_and_no_file_names_a_registry(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if PIN.match(entry)]

    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
