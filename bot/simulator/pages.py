"""Pages as the messenger opens them: which phone a browser stands for, and the authorize page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from bot.login import PHONE_COOKIE
from bot.simulator import followers, tokens
from bot.simulator.ledger import Ledger

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
PARAMETERS: Final = ("appid", "redirect_uri", "response_type", "scope", "state")
STATE_CHARACTERS: Final = 128


class LinkFault(StrEnum):
    """Why the platform shows an error instead of a page; the number is its own."""

    ORDER = "order"
    APPID = "40013"
    REDIRECT = "10003"
    RESPONSE_TYPE = "response_type"
    SCOPE = "10005"
    STATE = "state"
    ADDRESS = "address"
    PERSON = "person"


def create_pages(ledger: Ledger, *, appid: str, public_url: str = "") -> Blueprint:
    """Return the authorize page and the way in for phones.

    Args:
        ledger: the platform's memory.
        appid: the account whose pages may ask.
        public_url: the address of the installation that has this blueprint; empty: it stands
            alone, and every page on this machine is the product's.
    """
    blueprint = Blueprint("pages", __name__, template_folder=str(TEMPLATES))
    pages = _Pages(ledger, appid=appid, public_url=public_url)
    for path, view in (
        ("/connect/oauth2/authorize", pages.authorize),
        ("/phone/open", pages.open_page),
    ):
        blueprint.add_url_rule(path, endpoint=view.__name__, view_func=view, methods=["GET"])
    return blueprint


class _Pages:
    """The two views."""

    def __init__(self, ledger: Ledger, *, appid: str, public_url: str) -> None:
        self._ledger = ledger
        self._appid = appid
        self._public_url = public_url
        self._host = urlsplit(public_url).netloc

    def authorize(self) -> Response:
        """open.weixin.qq.com/connect/oauth2/authorize: who holds this phone comes back as a code.

        A browser that is nobody's phone is asked whose it is.
        """
        if fault := self._link_fault():
            return _error(fault)
        with self._ledger.writing() as desk:
            person = followers.find_follower(desk, request.cookies.get(PHONE_COOKIE, ""))
            if person is None:
                return self._choice(followers.list_followers(desk))
            now = self._ledger.now(desk)
            code = tokens.issue_code(desk, now, kind="page", openid=person.openid)
        return _found(_with_answer(request.args["redirect_uri"], code, request.args["state"]))

    def open_page(self) -> Response:
        """Make this browser a person's phone, and open a page of the product on it."""
        openid, address = request.args.get("openid", ""), request.args.get("url", "")
        target = self._public(urljoin(request.host_url, address))
        if not self._is_own(target):
            return _error(LinkFault.ADDRESS)
        if self._is_elsewhere(target):
            # Cookies belong to one host: set where the page is, `localhost` or `127.0.0.1`.
            query = urlencode({"openid": openid, "url": target, "moved": 1})
            return _found(f"{self._public_url}{request.path}?{query}")
        with self._ledger.reading() as desk:
            person = followers.find_follower(desk, openid)
        if person is None:
            return _error(LinkFault.PERSON)
        answer = _found(target)
        answer.set_cookie(PHONE_COOKIE, openid, path="/", httponly=True, samesite="Lax")
        return answer

    def _link_fault(self) -> LinkFault | None:
        sent = parse_qsl(request.query_string.decode("ascii", "replace"), keep_blank_values=True)
        if tuple(name for name, _ in sent[: len(PARAMETERS)]) != PARAMETERS:
            return LinkFault.ORDER
        rules: Mapping[LinkFault, Callable[[Mapping[str, str]], bool]] = {
            LinkFault.APPID: lambda values: values["appid"] == self._appid,
            LinkFault.REDIRECT: lambda values: self._is_own(values["redirect_uri"]),
            LinkFault.RESPONSE_TYPE: lambda values: values["response_type"] == "code",
            LinkFault.SCOPE: lambda values: values["scope"] == "snsapi_base",
            LinkFault.STATE: lambda values: _is_state(values["state"]),
        }
        return next((fault for fault, holds in rules.items() if not holds(request.args)), None)

    def _is_own(self, address: str) -> bool:
        """Return whether an address is the product's: on this machine, or the public one."""
        # Browsers read a backslash as a slash, and so another host than Python does.
        if any(character in "\\@" or character <= " " for character in address):
            return False
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        is_ours = parts.hostname in LOOPBACK or (parts.netloc == self._host and self._host != "")
        return parts.scheme in {"http", "https"} and is_ours

    def _public(self, address: str) -> str:
        """Return an address below the host that this was called by under the public one."""
        if self._host and address.startswith(request.host_url):
            return f"{self._public_url}/{address.removeprefix(request.host_url)}"
        return address

    def _is_elsewhere(self, target: str) -> bool:
        is_public = self._host != "" and urlsplit(target).netloc == self._host
        return is_public and request.host != self._host and "moved" not in request.args

    @staticmethod
    def _choice(people: list[followers.Follower]) -> Response:
        phones = [
            {
                "name": person.name,
                "is_following": person.is_following,
                "address": url_for(".open_page", openid=person.openid, url=request.url),
            }
            for person in people
        ]
        return _page("simulator/choose.html", phones=phones)


def _is_state(state: str) -> bool:
    return 0 < len(state) <= STATE_CHARACTERS and state.isascii() and state.isalnum()


def _with_answer(address: str, code: str, state: str) -> str:
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, urlencode({"code": code, "state": state}))))
    return parts._replace(query=query).geturl()


def _found(address: str) -> Response:
    answer = make_response(redirect(address))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _error(fault: LinkFault) -> Response:
    answer = _page("simulator/refused.html", fault=fault.value)
    answer.status_code = 400
    return answer


def _page(template: str, **values: object) -> Response:
    answer = make_response(render_template(template, **values))
    answer.headers["Cache-Control"] = "no-store"
    return answer
