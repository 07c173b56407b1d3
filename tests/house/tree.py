"""What the house tests look at: the files of the repository, and the code as syntax trees."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from tests.servers import ROOT

FLOORS = ("bot", "handlers", "core")
TEMPLATES = ROOT / "templates"

# Neither written by us nor part of what is published.
_NOT_OURS = {".git", ".venv-spark", "instance", "__pycache__", "htmlcov", ".coverage"}
_NOT_OURS_ENDINGS = ("venv", "_cache", ".hypothesis")


def name_of(path: Path) -> str:
    """Return a path as it is written in the documentation."""
    return path.relative_to(ROOT).as_posix()


@cache
def our_files() -> list[Path]:
    """Return every file of the repository, in a fixed order."""
    return sorted(_walk(ROOT))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _NOT_OURS or path.name.endswith(_NOT_OURS_ENDINGS):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def text_files() -> Iterator[tuple[Path, str]]:
    """Yield every file that is text, with its text."""
    for path in our_files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def source_files(*floors: str) -> list[Path]:
    """Return the Python files of the floors, all three of them by default; no migrations."""
    return [
        path
        for path in our_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in (floors or FLOORS)
        and "migrations" not in path.parts
    ]


@cache
def syntax_of(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of a function by its last name: `x.y.name(...)` or `name(...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if last in names:
                yield node


def strings(tree: ast.AST) -> set[str]:
    """Return every string constant below a node."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def import_everything() -> list[ModuleType]:
    """Import every module of the three floors, so that every class exists."""
    found = []
    for floor in FLOORS:
        package = importlib.import_module(floor)
        found.append(package)
        for module in pkgutil.walk_packages(package.__path__, f"{floor}."):
            # Alembic runs its own scripts; a `__main__` would run at once.
            if not module.name.startswith("core.migrations.") and "__main__" not in module.name:
                found.append(importlib.import_module(module.name))  # noqa: PERF401
    return found
