"""What a staff page is given besides what every page is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.people.staff.signing_in import SignedIn
from handlers.page import Answer, PageRoute, PageVisit, path_with_next, safe_path

HOME: Final = "/console/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(PageVisit):
    """One request of a staff page.

    Attributes:
        signed_in: who asks; None on public pages alone.
        public_url: where people reach this installation, without a slash at its end; what staff
            hand over leads there.
    """

    signed_in: SignedIn | None
    public_url: str = ""

    @property
    def staff(self) -> SignedIn:
        """Who asks.

        Raises:
            RuntimeError: the page is public, a bug in its mark.
        """
        if self.signed_in is None:
            raise RuntimeError("a public page asked who is signed in")
        return self.signed_in

    @property
    def next(self) -> str:
        """Where to go after signing in: a page of the console, its home unless one is named."""
        return safe_next(self.form.get("next") or self.query.get("next") or HOME)


View: TypeAlias = Callable[[Visit], Answer]


class ConsoleRoute(PageRoute[Visit]):
    """One staff page."""

    __slots__ = ()


def safe_next(path: str) -> str:
    """Return a path if it leads to a page of the console, else the console's home."""
    return safe_path(path, home=HOME)


def with_next(path: str, next_path: str) -> str:
    """Return a path that carries where to go afterwards; nothing where that is the home."""
    return path_with_next(path, next_path, home=HOME)
