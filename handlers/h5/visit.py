"""What a page inside WeChat is given besides what every page is given."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from core.codes.account import AccountCodes
from handlers.page import Answer, PageRoute, PageVisit, path_with_next, safe_path

HOME: Final = "/h5/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptConfig:
    """What WeChat's script wants to know of a page before it does anything there.

    Attributes:
        timestamp: seconds since 1970.
        nonce: any text.
        signature: of the page's address, by the account's ticket.
    """

    appid: str
    timestamp: int
    nonce: str
    signature: str


class Account(AccountCodes, Protocol):
    """The official account; the wire has the one that there is."""

    @property
    def script_url(self) -> str:
        """Where WeChat's script is."""

    def templates_for(self, kinds: Collection[str]) -> tuple[str, ...]:
        """Return the subscription templates that are set up for some kinds of notice."""

    def sign(self, url: str, *, now: datetime) -> ScriptConfig | None:
        """Return what WeChat's script wants to know of a page; None while it cannot be signed.

        Args:
            url: the page's whole address as the browser has it, without what follows a `#`.
            now: aware instant.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(PageVisit):
    """One request of a page inside WeChat.

    Attributes:
        openid: who asks; never empty behind `Access.PERSON`, empty on a public page when nobody
            is signed in.
        is_in_wechat: whether WeChat shows the page; the simulator's phone counts.
        public_url: where people reach this installation, without a slash at its end; codes and
            posters name it.
        account: makes codes, and signs pages for WeChat's script.
    """

    openid: str
    is_in_wechat: bool
    public_url: str
    account: Account


View: TypeAlias = Callable[[Visit], Answer]


class H5Route(PageRoute[Visit]):
    """One page inside WeChat."""

    __slots__ = ()


def safe_next(path: str) -> str:
    """Return a path if it leads to a page inside WeChat, else the home of these."""
    return safe_path(path, home=HOME)


def with_next(path: str, next_path: str) -> str:
    """Return a path that carries where to go afterwards; nothing where that is the home."""
    return path_with_next(path, next_path, home=HOME)
