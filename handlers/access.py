"""Who may enter: every view carries exactly one mark, and a test fails when one has none."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """The marks."""

    PUBLIC = "public"  # anybody, without signing in
    PLATFORM = "platform"  # signed by WeChat
    OPERATOR = "operator"  # the operator's network: health and metrics
    DEVELOPER = "developer"  # development only


def access(mark: Access) -> Callable[[View], View]:
    """Return a decorator that marks a view.

    Raises:
        ValueError: the view carries a mark already.
    """

    def marked(view: View) -> View:
        if getattr(view, "access", None) is not None:
            raise ValueError("a view carries one mark")
        view.access = mark  # type: ignore[attr-defined]
        return view

    return marked


def mark_of(view: Callable[..., Any]) -> Access | None:
    """Return the mark of a view."""
    mark = getattr(view, "access", None)
    return mark if isinstance(mark, Access) else None
