"""The tree of errors that people are told about.

DomainError
├── NotFoundError       what was named does not exist
├── ForbiddenError      it exists, but not for this person
├── ConflictError       it changed meanwhile, or was done already
└── InvalidInputError   what was typed cannot be used

A concrete error lives beside what raises it, has a unique `code` and carries facts, never prose.
It becomes an answer in two places: the status table of `bot/app.py` and
`templates/chat/errors/<code>.txt`. A bug raises ValueError or RuntimeError instead.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """The root: an answer that a person gets, not a fault of the program."""

    code: ClassVar[str] = "domain_error"

    def __init__(self, **facts: object) -> None:
        """Keep the facts that the text of the error names.

        Args:
            **facts: values for the template of this code; never prose, never personal data.
        """
        super().__init__(self.code)
        self.facts = facts


class NotFoundError(DomainError):
    """What was named does not exist."""

    code = "not_found"


class ForbiddenError(DomainError):
    """It exists, but this person may not see or do it."""

    code = "forbidden"


class ConflictError(DomainError):
    """It changed meanwhile, or was done already."""

    code = "conflict"


class InvalidInputError(DomainError):
    """What was typed cannot be used."""

    code = "invalid_input"
