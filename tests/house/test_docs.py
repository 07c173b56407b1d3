"""What the documentation says is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.house import tree
from tests.servers import ROOT

READMES = ["README.md", "README.zh-CN.md"]
PATH = re.compile(
    r"`((?:bot|handlers|core|templates|tests|docs|benchmarks|scripts)/[\w./-]*[\w/])`"
)
SOURCE = re.compile(r"docs/sources\.md#([\w-]+)")
ENVIRONMENT = [name.upper() for name in Settings.model_fields]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(markdown: str) -> list[str]:
    without_code = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^(#+) ", without_code, flags=re.MULTILINE)


def _anchors(markdown: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE)
    named = re.findall(r"<a (?:id|name)=\"([\w-]+)\"", markdown)
    slugs = [re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings]
    return {*slugs, *named}


@pytest.mark.parametrize("readme", READMES)
def test_every_environment_variable_is_explained(readme: str) -> None:
    text = _text(readme)

    assert [name for name in ENVIRONMENT if not re.search(rf"\b{name}\b", text)] == []


def test_both_readmes_have_the_same_sections() -> None:
    assert _headings(_text(READMES[0])) == _headings(_text(READMES[1]))


def test_every_source_that_the_code_names_is_described() -> None:
    anchors = _anchors(_text("docs/sources.md"))
    nowhere = [
        f"{tree.name_of(path)}: {anchor}"
        for path in tree.source_files()
        for anchor in SOURCE.findall(path.read_text(encoding="utf-8"))
        if anchor not in anchors
    ]

    assert nowhere == []


def test_every_path_in_the_documentation_exists() -> None:
    pages = [*READMES, *(tree.name_of(path) for path in (ROOT / "docs").rglob("*.md"))]
    gone = [
        f"{page}: {path}"
        for page in pages
        for path in PATH.findall(_text(page))
        if not (ROOT / path).exists()
    ]

    assert gone == []


def _glossary() -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in _text("docs/glossary.md").splitlines()
        if line.startswith("|") and not re.fullmatch(r"[|:\s-]+", line)
    ]
    return rows[1:]


def test_the_glossary_gives_each_term_once_with_name_type_and_place() -> None:
    rows = _glossary()

    assert rows
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    terms = [row[0] for row in rows]
    assert sorted(set(terms)) == sorted(terms)


def test_every_term_of_the_glossary_is_where_it_says() -> None:
    lost = [
        f"{term}: {name} in {place}"
        for term, name, _type, place in _glossary()
        if not _is_defined(name.strip("`"), place)
    ]

    assert lost == []


def _is_defined(name: str, place: str) -> bool:
    """Return whether a term's English name occurs, as a word or part of one, in its file."""
    path = ROOT / re.sub(r"[`\s]", "", place)
    files = [path] if path.is_file() else sorted(path.rglob("*.py")) if path.is_dir() else []
    words = name.lower().replace(" ", "_")
    return any(_mentions(file, words) for file in files)


def _mentions(file: Path, words: str) -> bool:
    text = file.read_text(encoding="utf-8").lower()
    return words in text or words.replace("_", "") in text or words.replace("_", " ") in text


def test_every_decision_has_the_shape_of_one() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))

    assert names
    assert [name for name in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)] == []
    numbers = [name[:4] for name in names]
    assert len(set(numbers)) == len(numbers)
