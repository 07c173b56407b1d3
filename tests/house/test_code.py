"""Rules of the code that neither the linter nor the import contracts can see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

from tests.house import tree

HAN = re.compile(r"[\u3400-\u9fff]")

# A sentence that a person reads, as opposed to a word that is matched.
SENTENCE = re.compile(r"[\u3400-\u9fff]{2}.*[，。！？；：（]|[，。！？；：（].*[\u3400-\u9fff]{2}")

# Where words are matched: single words may stand anywhere, tables of patterns in constants.
MATCHES_WORDS = ("core/", "handlers/chat/")
# Invented names of streets, companies and people are what these files are for.
MADE_UP = ("bot/demo/",)
PRODUCT = "汇治理"

CLOCKS = {"now", "today", "utcnow", "time", "monotonic", "time_ns"}
CLOCK_OWNERS = {"datetime", "date", "time", "dt"}


def test_prose_is_in_templates_alone() -> None:
    found = [
        f"{tree.name_of(path)}:{node.lineno}: {node.value[:20]!r}"
        for path in tree.source_files()
        if not tree.name_of(path).startswith(MADE_UP)
        for node in _prose(path)
    ]

    assert found == []


def _prose(path: Path) -> Iterator[_Text]:
    """Yield the Chinese strings of a file that belong into a template."""
    module = tree.syntax_of(path)
    constants, docstrings = _constants(module), _docstrings(module)
    matches_words = tree.name_of(path).startswith(MATCHES_WORDS)
    for node in ast.walk(module):
        if not _is_chinese(node) or id(node) in docstrings:
            continue
        is_sentence = bool(SENTENCE.search(node.value))
        is_data = matches_words or not is_sentence
        if not (is_data if id(node) in constants else matches_words and not is_sentence):
            yield node


class _Text(ast.Constant):
    value: str


def _is_chinese(node: ast.AST) -> TypeGuard[_Text]:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and HAN.search(node.value.replace(PRODUCT, "")) is not None
    )


@pytest.mark.parametrize(
    ("written", "is_prose"),
    [
        ("请稍后再试。", True),
        ("（内容较长，回复“继续”看下文）", True),
        ("街道", False),
        (r"\d{4}年\d{1,2}月", False),
    ],
)
def test_a_sentence_is_told_from_a_word(written: str, is_prose: bool) -> None:
    assert bool(SENTENCE.search(written)) is is_prose


def _docstrings(module: ast.Module) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _constants(module: ast.Module) -> set[int]:
    """Return the nodes of what is assigned in a module or a class, outside of functions."""
    inside: set[int] = set()
    bodies: list[list[ast.stmt]] = [module.body]
    while bodies:
        for statement in bodies.pop():
            if isinstance(statement, ast.ClassDef):
                bodies.append(statement.body)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                inside.update(id(node) for node in ast.walk(statement))
    return inside


@pytest.mark.parametrize("floor", ["core", "handlers"])
def test_nothing_below_the_wire_reads_the_clock(floor: str) -> None:
    readings = [
        f"{tree.name_of(path)}:{call.lineno}"
        for path in tree.source_files(floor)
        for call in tree.calls(tree.syntax_of(path), *CLOCKS)
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in CLOCK_OWNERS
    ]

    assert readings == []


@pytest.mark.parametrize("floor", ["core", "handlers"])
def test_nothing_below_the_wire_ends_a_transaction(floor: str) -> None:
    ends = [
        f"{tree.name_of(path)}:{call.lineno}"
        for path in tree.source_files(floor)
        for call in tree.calls(tree.syntax_of(path), "commit", "rollback")
        if isinstance(call.func, ast.Attribute)
    ]

    assert ends == []


def test_use_cases_take_the_session_first_and_the_rest_by_name() -> None:
    others = [
        f"{tree.name_of(path)}: {function.name}"
        for path in tree.source_files("core")
        if path.name == "service.py"
        for function in tree.syntax_of(path).body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        if "session" in (names := [argument.arg for argument in function.args.args])
        and names != ["session"]
    ]

    assert others == []


def test_handlers_hold_no_sql() -> None:
    querying = [
        tree.name_of(path)
        for path in tree.source_files("handlers")
        for node in ast.walk(tree.syntax_of(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("sqlalchemy")
        and {name.name for name in node.names} != {"Session"}
    ]

    assert querying == []
