"""Where things are, and what they may be called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house import tree
from tests.servers import ROOT

EXPECTED = [
    *("wsgi.py", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile"),
    *("Dockerfile", "compose.yaml", "LICENSE", "CHANGELOG.md", "README.md", "README.zh-CN.md"),
    *("docs/adr", "docs/glossary.md", "docs/sources.md", "benchmarks", ".ci/run"),
    *("bot/app.py", "bot/settings.py", "bot/cli.py", "bot/wechat.py", "bot/dispatch.py"),
    *("bot/store.py", "bot/client.py", "bot/deliver.py", "bot/worker.py", "bot/feeds"),
    *("bot/simulator", "handlers/turn.py", "handlers/access.py", "handlers/chat/routes.py"),
    *("core/errors.py", "core/clock.py", "core/db.py", "core/nightly.py", "core/migrations"),
    *("core/people", "core/places", "core/audit", "core/notices", "core/masks", "core/risk"),
    *("templates/chat/errors", "templates/static", "tests/flows", "tests/house"),
]

FORBIDDEN_NAME = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)($|_)")

# Nothing of the machine that something was written on, and no address of a package registry.
MACHINE = re.compile(
    r"/(?:work|root|home/\w+|Users/\w+|opt/(?:pypi|wheels))[/\b]"
    r"|pythonhosted\.org|pypi\.(?:org|python)|registry\.npmjs|deb\.debian\.org"
)

# A page must work on a network without internet: whatever it loads is ours. Links may lead away.
LOADED_FROM_OUTSIDE = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//"
    r"|@import\s+[\"'(]*(?:url\()?[\"']?(?:https?:)?//"
    r"|url\([\"']?(?:https?:)?//",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_house_promises_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_no_file_class_or_function_has_a_name_that_says_nothing() -> None:
    named = [path for path in tree.our_files() if FORBIDDEN_NAME.search(path.stem.lower())]
    folders = {path.parent for path in tree.our_files()}
    named += [folder for folder in folders if FORBIDDEN_NAME.search(folder.name.lower())]

    assert [tree.name_of(path) for path in named] == []


def test_every_test_file_mirrors_a_source_file() -> None:
    strays = [
        tree.name_of(path)
        for path in tree.our_files()
        if path.is_relative_to(ROOT / "tests")
        and path.name.startswith("test_")
        and path.relative_to(ROOT / "tests").parts[0] not in {"flows", "house"}
        and not _source_of(path)
    ]

    assert strays == []


def _source_of(test: Path) -> bool:
    mirrored = ROOT / test.relative_to(ROOT / "tests").parent / test.stem.removeprefix("test_")
    return mirrored.with_suffix(".py").exists() or (mirrored / "__init__.py").exists()


def test_nothing_tells_of_the_machine_it_was_written_on() -> None:
    told = [
        f"{tree.name_of(path)}: {found.group()}"
        for path, text in tree.text_files()
        if path != Path(__file__) and (found := MACHINE.search(text))
    ]

    assert told == []


def test_no_page_loads_anything_from_elsewhere() -> None:
    loading = [
        f"{tree.name_of(path)}: {found.group()}"
        for path, text in tree.text_files()
        if path.is_relative_to(tree.TEMPLATES) and (found := LOADED_FROM_OUTSIDE.search(text))
    ]

    assert loading == []


@pytest.mark.parametrize(
    ("written", "is_outside"),
    [
        ('<script src="https://cdn.example/x.js">', True),
        ("<link rel=stylesheet href=//cdn.example/x.css>", True),
        ("body { background: url('http://x/y.png') }", True),
        ('<a href="https://www.shanghai.gov.cn/">', False),
        ('<img src="/static/logo.png">', False),
    ],
)
def test_loading_from_elsewhere_is_recognised(written: str, is_outside: bool) -> None:
    assert bool(LOADED_FROM_OUTSIDE.search(written)) is is_outside
