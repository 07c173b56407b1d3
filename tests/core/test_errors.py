from __future__ import annotations

import pytest

from core.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)

KINDS = [NotFoundError, ForbiddenError, ConflictError, InvalidInputError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_is_a_domain_error(kind: type[DomainError]) -> None:
    with pytest.raises(DomainError):
        raise kind


def test_an_error_carries_its_code_and_its_facts() -> None:
    class StreetNotFoundError(NotFoundError):
        code = "test_street_not_found"

    error = StreetNotFoundError(name="X", count=3)

    assert error.facts == {"name": "X", "count": 3}
    assert str(error) == "test_street_not_found"


def test_the_text_of_an_error_shows_no_fact() -> None:
    assert "310104" not in f"{InvalidInputError(code='310104')!s}"
