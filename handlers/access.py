"""Who may enter: every view carries exactly one mark, and a test fails when one has none."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from core.people.staff.rules import Role

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """The marks."""

    PUBLIC = "public"  # anybody, without signing in
    PLATFORM = "platform"  # signed by WeChat
    OPERATOR = "operator"  # the operator's network: health and metrics
    DEVELOPER = "developer"  # development only
    PERSON = "person"  # somebody signed in through WeChat
    SIGNING_IN = "signing_in"  # staff whose password was right, however far they are
    STAFF = "staff"  # staff who are signed in and have one of the roles of the mark


def access(mark: Access, *roles: Role) -> Callable[[View], View]:
    """Return a decorator that marks a view.

    Args:
        mark: who may enter.
        *roles: of `STAFF`, which roles; at least one.

    Raises:
        ValueError: the view carries a mark already; or roles without `STAFF`, or the reverse.
    """
    if (mark is Access.STAFF) is not bool(roles):
        raise ValueError("a mark for staff names its roles, and no other does")

    def marked(view: View) -> View:
        if getattr(view, "access", None) is not None:
            raise ValueError("a view carries one mark")
        view.access = mark  # type: ignore[attr-defined]
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return marked


def mark_of(view: Callable[..., Any]) -> Access | None:
    """Return the mark of a view."""
    mark = getattr(view, "access", None)
    return mark if isinstance(mark, Access) else None


def roles_of(view: Callable[..., Any]) -> frozenset[Role]:
    """Return the roles that a view is for; none where its mark is not for staff."""
    roles: frozenset[Role] = getattr(view, "roles", frozenset())
    return roles
