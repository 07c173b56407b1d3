"""What a page inside WeChat is given besides what every page is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from handlers.page import Answer, PageRoute, PageVisit, path_with_next, safe_path

HOME: Final = "/h5/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(PageVisit):
    """One request of a page inside WeChat.

    Attributes:
        openid: who asks; never empty behind `Access.PERSON`, empty on a public page when nobody
            is signed in.
        is_in_wechat: whether WeChat shows the page; the simulator's phone counts.
        public_url: where people reach this installation, without a slash at its end; codes and
            posters name it.
    """

    openid: str
    is_in_wechat: bool
    public_url: str


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
