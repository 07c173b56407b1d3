"""What a staff page is given, and what it answers; the wire does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from core.people.staff.signing_in import SignedIn

HOME = "/console/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a page.

    Attributes:
        now: aware instant; the only clock of a page.
        method: `GET` or `POST`; a `POST` has passed the check against forged requests.
        query: the fields of the address.
        form: the fields that were sent.
        address: where the request came from.
        signed_in: who asks; None on public pages alone.
        reading: returns the session of this request that only reads.
        writing: returns the one whose work is committed if the answer's status is below 400.
        is_within: counts a use of a name; whether it is within (limit, seconds).
    """

    now: datetime
    method: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    address: str
    signed_in: SignedIn | None
    reading: Callable[[], Session]
    writing: Callable[[], Session]
    is_within: Callable[[str, int, int], bool]

    @property
    def is_post(self) -> bool:
        """Whether something was sent."""
        return self.method == "POST"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page to show.

    Attributes:
        template: below `templates/console/`, without its ending.
        values: what the template names.
        status: of the answer; 400 and above undoes what was written.
        token: the new token of the sign-in, if it has one.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A page to go to.

    Attributes:
        path: of this application.
        token: the new token of the sign-in, if it has one; empty: there is none any more.
    """

    path: str
    token: str | None = None


Answer: TypeAlias = Page | Redirect
View: TypeAlias = Callable[[Visit], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleRoute:
    """One page: its address, its name, and what answers."""

    path: str
    name: str
    view: View
    methods: tuple[str, ...] = ("GET",)


def safe_next(path: str) -> str:
    """Return a path if it leads to a page of the console, else the console's home.

    A path from the address bar must not lead to another site, whatever a browser makes of
    backslashes, blanks or control characters.
    """
    # The text itself: a parser may leave out blanks that a browser does not.
    is_ours = path.startswith(HOME)
    is_plain = path.isprintable() and "\\" not in path and "//" not in path and ".." not in path
    return path if is_ours and is_plain else HOME


def with_next(path: str, next_path: str) -> str:
    """Return a path that carries where to go afterwards; nothing where that is the home."""
    if next_path == HOME:
        return path
    return f"{path}?{urlencode({'next': next_path})}"
