"""Every error that people are told about has a code, a text and a status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from bot import app
from core.errors import DomainError
from tests.house import tree

tree.import_everything()


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] in tree.FLOORS:
            yield child
        yield from _below(child)


ERRORS = sorted(set(_below(DomainError)), key=lambda kind: kind.__qualname__)
BY_NAME = [pytest.param(kind, id=kind.__qualname__) for kind in ERRORS]


def test_no_two_errors_have_the_same_code() -> None:
    counted = Counter(kind.code for kind in ERRORS)

    assert [code for code, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("kind", BY_NAME)
def test_an_error_names_itself(kind: type[DomainError]) -> None:
    assert kind.__name__.endswith("Error")
    assert "code" in vars(kind), "it has the code of its parent"
    assert kind.code.replace("_", "").isalnum()
    assert kind.code == kind.code.lower()


@pytest.mark.parametrize("kind", BY_NAME)
def test_an_error_has_a_text(kind: type[DomainError]) -> None:
    path = tree.TEMPLATES / "chat" / "errors" / f"{kind.code}.txt"

    assert path.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("kind", BY_NAME)
def test_an_error_has_a_status(kind: type[DomainError]) -> None:
    statuses = _status_table()

    status = next(statuses[parent] for parent in kind.__mro__ if parent in statuses)
    assert 400 <= status < 500


def _status_table() -> Mapping[type, int]:
    """Return the table of `bot/app.py` from errors to statuses, whatever it is called."""
    tables: list[Mapping[type, int]] = [
        value
        for value in vars(app).values()
        if isinstance(value, Mapping)
        and value
        and all(isinstance(key, type) and issubclass(key, DomainError) for key in value)
    ]
    assert len(tables) == 1, "bot/app.py needs one table from domain errors to HTTP statuses"
    return tables[0]
