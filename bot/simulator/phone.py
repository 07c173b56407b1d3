"""The phone in the browser at /simulator/, with the stand-in of the API below it at /api."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, jsonify, render_template, request

from bot.login import PHONE_COOKIE
from bot.settings import Settings
from bot.simulator import followers, scenes, tokens
from bot.simulator.api import Credentials, create_api, published_menu
from bot.simulator.chat import Chat, UnknownActionError, list_exchanges
from bot.simulator.control import create_control
from bot.simulator.envelope import aes_key_of
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Channel, list_entries, register_template
from bot.simulator.pages import create_pages
from bot.simulator.ticketing import create_ticketing
from bot.simulator.wire import Account, Platform

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
ORIGINAL_ID: Final = "gh_simulator0000"
EXCHANGES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePlace:
    """A place whose code can be scanned, or whose position can be sent.

    Attributes:
        scene: what a scan of its code reports, or the address that the code holds; empty: it has
            no code.
        name: what people call it.
        kind: `community`, `street` or `company`.
        street: the street it lies in.
        longitude: degrees, GCJ-02; None: not known.
        latitude: degrees, GCJ-02; None: not known.
    """

    scene: str
    name: str
    kind: str
    street: str = ""
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOwner:
    """An invented owner of the demo district, whom whoever tries the pages may claim to be.

    Attributes:
        name: to be typed.
        number: of their document; it belongs to nobody.
        company: of which they are the owner.
        has_filed: whether the company has a filing and staff already.
    """

    name: str
    number: str
    company: str
    has_filed: bool


def create_blueprint(
    settings: Settings,
    *,
    places: Callable[[], Sequence[ScenePlace]] = tuple,
    owners: Callable[[], Sequence[KnownOwner]] = tuple,
    ledger_path: Path | None = None,
    callback_url: str = "",
) -> Blueprint:
    """Return the simulator, to be registered in development only.

    Args:
        settings: the product's own settings, which the made-up platform is set up by.
        places: gives the places that have scene codes; called anew at each look.
        owners: gives those whom one may claim to be; called anew at each look.
        ledger_path: the platform's memory; a file in the instance folder by default.
        callback_url: where the platform posts to; `/wechat` on this machine by default.
    """
    ledger = Ledger(ledger_path or settings.instance_dir / "simulator.db")
    _register_templates(ledger, settings)
    account = Account(
        callback_url=callback_url or f"http://127.0.0.1:{settings.port}/wechat",
        original_id=settings.wechat_account or ORIGINAL_ID,
        appid=settings.wechat_appid,
        token=settings.wechat_token.get_secret_value(),
        aes_key=aes_key_of(settings.wechat_aes_key[0].get_secret_value()),
    )
    blueprint = Blueprint(
        "simulator",
        __name__,
        url_prefix="/simulator",
        template_folder=str(TEMPLATES),
        static_folder=str(TEMPLATES / "static" / "simulator"),
        static_url_path="/static",
    )
    _add_views(blueprint, _Phone(ledger, Chat(ledger, Platform(account)), settings, places, owners))
    blueprint.register_blueprint(
        create_pages(ledger, appid=settings.wechat_appid, public_url=settings.resolved_public_url)
    )
    interface = Blueprint("interface", __name__, url_prefix="/api")
    interface.register_blueprint(create_api(ledger, _credentials(settings)))
    interface.register_blueprint(create_control(ledger))
    blueprint.register_blueprint(interface)
    blueprint.register_blueprint(create_ticketing())
    return blueprint


class _Phone:
    """The views of the phone; all but the page answer in JSON."""

    def __init__(
        self,
        ledger: Ledger,
        chat: Chat,
        settings: Settings,
        places: Callable[[], Sequence[ScenePlace]],
        owners: Callable[[], Sequence[KnownOwner]],
    ) -> None:
        self._ledger = ledger
        self._chat = chat
        self._settings = settings
        self._places = places
        self._owners = owners

    def page(self) -> str:
        """The phone itself."""
        self._ensure_people()
        communities = [place.name for place in self._places() if place.kind == "community"]
        return render_template(
            "simulator/phone.html",
            district=self._settings.district_name,
            communities=communities,
            owners=self._owners(),
            home=self._settings.resolved_public_url + "/",
        )

    def people(self) -> Response:
        """Everybody who has a phone."""
        with self._ledger.reading() as desk:
            return jsonify([asdict(person) for person in followers.list_followers(desk)])

    def add_person(self) -> Response:
        """A new person, who does not follow yet."""
        name = str((request.get_json(silent=True) or {}).get("name") or "").strip()
        openid = followers.new_openid()
        with self._ledger.writing() as desk:
            now = self._ledger.now(desk)
            followers.put_follower(
                desk, now, openid=openid, name=name or openid[-4:], is_following=False
            )
        return jsonify({"openid": openid})

    def chat(self) -> Response:
        """What is new in a person's chat since the ids that the page has seen."""
        openid = request.args.get("openid", "")
        after = request.args.get("after", 0, type=int)
        seen = request.args.get("seen", 0, type=int)
        with self._ledger.reading() as desk:
            person = followers.find_follower(desk, openid)
            return jsonify(
                {
                    "person": None if person is None else asdict(person),
                    "menu": published_menu(desk),
                    "entries": [
                        asdict(entry) for entry in list_entries(desk, openid=openid, after=after)
                    ]
                    if person
                    else [],
                    "exchanges": list_exchanges(
                        desk, openid=openid, after=seen, limit=EXCHANGES_SHOWN
                    ),
                }
            )

    def act(self) -> tuple[Response, int]:
        """Something that a person does."""
        order = request.get_json(silent=True) or {}
        try:
            exchange = self._chat.act(openid=str(order.get("openid") or ""), order=order)
        except (UnknownActionError, ValueError):
            return jsonify({"error": "unknown action"}), 400
        return jsonify({"trouble": exchange.trouble, "status": exchange.status}), 200

    def report(self) -> Response:
        """The phone has shown a notice: its sender hears of it."""
        order = request.get_json(silent=True) or {}
        return jsonify({"reported": self._chat.report(openid=str(order.get("openid") or ""))})

    def check_signature(self) -> tuple[Response, int]:
        """WeChat's script asks whether a page is signed for the account, as its address is."""
        order = request.get_json(silent=True) or {}
        url = str(order.get("url") or "")
        with self._ledger.writing() as desk:
            ticket, _ = tokens.ticket(desk, self._ledger.now(desk), "jsapi")
        text = (
            f"jsapi_ticket={ticket}&noncestr={order.get('nonce')}"
            f"&timestamp={order.get('timestamp')}&url={url}"
        )
        wanted = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        is_own = url.startswith(f"{self._settings.resolved_public_url}/")
        is_right = order.get("appid") == self._settings.wechat_appid and is_own
        if not is_right or order.get("signature") != wanted:
            return jsonify({"errMsg": "config:invalid signature"}), 403
        return jsonify({"errMsg": "config:ok"}), 200

    def subscribe(self) -> tuple[Response, int]:
        """Somebody answers the window that a tag of WeChat's script has opened on a page."""
        order = request.get_json(silent=True) or {}
        openid = request.cookies.get(PHONE_COOKIE, "")
        try:
            self._chat.act(openid=openid, order={**order, "do": "consent"})
        except (UnknownActionError, ValueError):
            return jsonify({"error": "unknown action"}), 400
        return jsonify({"errMsg": "subscribe:ok"}), 200

    def scene_places(self) -> Response:
        """Places to scan and to stand at, and codes that the account made."""
        with self._ledger.reading() as desk:
            codes = scenes.list_scene_codes(desk, self._ledger.now(desk))
        return jsonify(
            {
                "places": [asdict(place) for place in self._places()],
                "codes": sorted({code.scene for code in codes}),
                "subscriptions": [
                    {
                        "template_id": template_id,
                        "title": _notices().get(kind, {}).get("title", kind),
                    }
                    for kind, template_id in self._settings.wechat_subscribe_templates.items()
                ],
            }
        )

    def _ensure_people(self) -> None:
        """Bring the first people into an empty ledger."""
        with self._ledger.writing() as desk:
            if followers.list_followers(desk):
                return
            now = self._ledger.now(desk)
            for number, person in enumerate(_first_people()):
                followers.put_follower(
                    desk,
                    now + number / 1000,
                    openid=followers.new_openid(),
                    name=person["name"],
                    is_following=person["is_following"],
                )


def _add_views(blueprint: Blueprint, phone: _Phone) -> None:
    for path, method, view in (
        ("/", "GET", phone.page),
        ("/phone/people", "GET", phone.people),
        ("/phone/people", "POST", phone.add_person),
        ("/phone/chat", "GET", phone.chat),
        ("/phone/act", "POST", phone.act),
        ("/phone/report", "POST", phone.report),
        ("/phone/signature", "POST", phone.check_signature),
        ("/phone/subscribe", "POST", phone.subscribe),
        ("/phone/places", "GET", phone.scene_places),
    ):
        blueprint.add_url_rule(path, endpoint=view.__name__, view_func=view, methods=[method])


def _credentials(settings: Settings) -> Credentials:
    return Credentials(
        appid=settings.wechat_appid,
        secret=settings.wechat_secret.get_secret_value(),
        mini_appid=settings.mini_appid,
        mini_secret=settings.mini_secret.get_secret_value(),
    )


def _register_templates(ledger: Ledger, settings: Settings) -> None:
    """Make the product's templates known, as the account's console would have them.

    A kind of notice without a row in notices.json may have any field whose name says its kind.
    """
    notices = _notices()
    with ledger.writing() as desk:
        for channel, templates in (
            (Channel.TEMPLATE, settings.wechat_templates),
            (Channel.SUBSCRIBE, settings.wechat_subscribe_templates),
        ):
            for kind, template_id in templates.items():
                register_template(
                    desk, template_id=template_id, channel=channel, **notices.get(kind, {})
                )


def _first_people() -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = _read("people.json")
    return people


def _notices() -> dict[str, dict[str, Any]]:
    notices: dict[str, dict[str, Any]] = _read("notices.json")
    return notices


def _read(name: str) -> Any:
    return json.loads((TEMPLATES / "simulator" / name).read_text(encoding="utf-8"))
