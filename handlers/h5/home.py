"""The page that people come to: what can be done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.access import Access, access
from handlers.h5.visit import HOME, Visit
from handlers.page import Answer, Page, Redirect


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One thing to do; `templates/h5/home.html` has its words under its name."""

    name: str
    path: str


# Each subject adds its card here, in the order in which people see them.
CARDS: Final[tuple[Card, ...]] = (
    Card(name="registrations", path="/h5/registrations"),
    Card(name="owner", path="/h5/owner"),
    Card(name="sites", path="/h5/sites"),
)
SIGNED_OUT: Final = "/h5/signed-out"


@access(Access.PERSON)
def home(visit: Visit) -> Answer:  # noqa: ARG001  every view takes the visit
    """Show what can be done here."""
    return Page(template="home", values={"cards": CARDS})


@access(Access.PUBLIC)
def sign_out(visit: Visit) -> Answer:  # noqa: ARG001
    """End the sign-in of this browser."""
    return Redirect(path=SIGNED_OUT, token="")


@access(Access.PUBLIC)
def signed_out(visit: Visit) -> Answer:
    """Say that nobody is signed in here; somebody who is goes home."""
    # The home itself would sign in again at once.
    return Redirect(path=HOME) if visit.openid else Page(template="signed_out")
