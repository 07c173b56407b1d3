"""The paths of api.weixin.qq.com that the product calls, with the platform's own rules."""

from __future__ import annotations

import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, g, jsonify, request

from bot.simulator import followers, mailbox, menus, scenes, tokens
from bot.simulator.faults import Fault, FaultKind, FaultMoment, check_quota, count_call, take_fault
from bot.simulator.ledger import Desk, Ledger, packed, unpacked
from bot.simulator.refusals import RefusalError

Answer: TypeAlias = dict[str, Any]

GATEWAY_PAGE: Final = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
OK: Final[Answer] = {"errcode": 0, "errmsg": "ok"}
CALLBACK_IPS: Final = ["127.0.0.1"]
_PATH: Final = re.compile(r"/(?:cgi-bin|sns)/.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who may call.

    Attributes:
        appid: of the official account.
        secret: of the official account.
        mini_appid: of the mini program; empty: sns/jscode2session takes the account's.
        mini_secret: of the mini program.
    """

    appid: str
    secret: str
    mini_appid: str = ""
    mini_secret: str = ""


def create_api(ledger: Ledger, credentials: Credentials) -> Blueprint:
    """Return the API as a blueprint; its paths begin at /cgi-bin and /sns."""
    blueprint = Blueprint("wechat_api", __name__)
    for path, method, call in _Calls(credentials).table():
        blueprint.add_url_rule(
            path,
            endpoint=path.strip("/").replace("/", "_"),
            view_func=_view(ledger, method, call),
            methods=["GET", "POST"],
        )
    blueprint.before_request(lambda: _before(ledger))
    blueprint.after_request(_after)
    blueprint.register_error_handler(RefusalError, _refused)
    return blueprint


class _Calls:
    """The calls: each takes the open ledger and the platform's time."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def table(self) -> Iterator[tuple[str, str, Callable[[Desk, float], Answer]]]:
        """Give every path with its method and call; those that need a token come wrapped."""
        yield "/cgi-bin/token", "GET", self.token
        yield "/cgi-bin/stable_token", "POST", self.stable_token
        yield "/sns/jscode2session", "GET", self.mini_login
        yield "/sns/oauth2/access_token", "GET", self.page_login
        for path, method, call in (
            ("message/template/send", "POST", _template),
            ("message/subscribe/bizsend", "POST", _subscribe),
            ("message/custom/send", "POST", _custom),
            ("menu/create", "POST", _menu_create),
            ("menu/get", "GET", _menu_get),
            ("menu/delete", "GET", _menu_delete),
            ("qrcode/create", "POST", _scene_code),
            ("ticket/getticket", "GET", _ticket),
            ("user/info", "GET", _user_info),
            ("getcallbackip", "GET", _callback_ips),
        ):
            yield f"/cgi-bin/{path}", method, _with_token(call)

    def token(self, desk: Desk, now: float) -> Answer:
        """cgi-bin/token."""
        self._check_client(request.args, grant="client_credential")
        token, seconds = tokens.plain_token(desk, now)
        return {"access_token": token, "expires_in": seconds}

    def stable_token(self, desk: Desk, now: float) -> Answer:
        """cgi-bin/stable_token."""
        call = _body()
        self._check_client(call, grant="client_credential")
        give = tokens.forced_token if call.get("force_refresh") else tokens.stable_token
        token, seconds = give(desk, now)
        return {"access_token": token, "expires_in": seconds}

    def mini_login(self, desk: Desk, now: float) -> Answer:
        """sns/jscode2session."""
        own = self._credentials
        self._check_pair(request.args, own.mini_appid or own.appid, own.mini_secret or own.secret)
        openid = tokens.use_code(desk, now, kind="mini", code=request.args.get("js_code", ""))
        return {
            "openid": openid,
            "session_key": secrets.token_urlsafe(16),
            "unionid": _unionid(desk, openid),
        }

    def page_login(self, desk: Desk, now: float) -> Answer:
        """sns/oauth2/access_token."""
        self._check_pair(request.args, self._credentials.appid, self._credentials.secret)
        if request.args.get("grant_type") != "authorization_code":
            raise RefusalError(40002)
        openid, is_snapshot = tokens.use_page_code(desk, now, request.args.get("code", ""))
        mark: Answer = {"is_snapshotuser": 1} if is_snapshot else {}
        return mark | {
            "access_token": secrets.token_urlsafe(64),
            "expires_in": tokens.LIFE_SECONDS,
            "refresh_token": secrets.token_urlsafe(64),
            "openid": openid,
            "scope": "snsapi_base",  # which gives no unionid
        }

    def _check_client(self, call: Any, *, grant: str) -> None:
        if call.get("grant_type") != grant:
            raise RefusalError(40002)
        self._check_pair(call, self._credentials.appid, self._credentials.secret)

    @staticmethod
    def _check_pair(call: Any, appid: str, secret: str) -> None:
        if call.get("appid") != appid:
            raise RefusalError(40013)
        if call.get("secret") != secret:
            raise RefusalError(40125)


def _with_token(call: Callable[[Desk, float], Answer]) -> Callable[[Desk, float], Answer]:
    def checked(desk: Desk, now: float) -> Answer:
        tokens.check_token(desk, now, request.args.get("access_token", ""))
        return call(desk, now)

    return checked


def _template(desk: Desk, now: float) -> Answer:
    return OK | {"msgid": mailbox.send_template(desk, now, _body())}


def _subscribe(desk: Desk, now: float) -> Answer:
    return OK | {"msgid": mailbox.send_subscribe(desk, now, _body())}


def _custom(desk: Desk, now: float) -> Answer:
    mailbox.send_custom(desk, now, _body())
    return OK


def _menu_create(desk: Desk, now: float) -> Answer:
    del now
    # The platform shows \uXXXX as it stands, so it refuses bodies that are escaped.
    if rb"\u" in request.get_data():
        raise RefusalError(40033)
    menu = _body()
    publish_menu(desk, menu)
    return OK


def _menu_get(desk: Desk, now: float) -> Answer:
    del now
    menu = published_menu(desk)
    if menu is None:
        raise RefusalError(46003)
    return {"menu": menu}


def _menu_delete(desk: Desk, now: float) -> Answer:
    del now
    desk.execute("DELETE FROM menu")
    return OK


def publish_menu(desk: Desk, menu: Answer) -> None:
    """Make a menu the account's.

    Raises:
        RefusalError: it breaks a limit of the platform.
    """
    menus.check_menu(menu)
    desk.execute("INSERT OR REPLACE INTO menu VALUES (1, ?)", (packed(menu),))


def published_menu(desk: Desk) -> Answer | None:
    """Return the menu as it was created, or None."""
    row = desk.execute("SELECT body FROM menu").fetchone()
    return None if row is None else unpacked(row["body"])


def _scene_code(desk: Desk, now: float) -> Answer:
    code = scenes.create_scene_code(desk, now, _body())
    answer: Answer = {"ticket": code.ticket, "url": code.url}
    if code.expires_at is not None:
        answer["expire_seconds"] = round(code.expires_at - now)
    return answer


def _ticket(desk: Desk, now: float) -> Answer:
    kind = request.args.get("type", "")
    if kind not in {"jsapi", "wx_card"}:
        raise RefusalError(40097)
    ticket, seconds = tokens.ticket(desk, now, kind)
    return OK | {"ticket": ticket, "expires_in": seconds}


def _user_info(desk: Desk, now: float) -> Answer:
    del now
    person = followers.find_follower(desk, request.args.get("openid", ""))
    if person is None:
        raise RefusalError(40003)
    if not person.is_following:
        return {"subscribe": 0, "openid": person.openid, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": person.openid,
        "language": "zh_CN",
        "subscribe_time": int(person.followed_at or 0),
        "unionid": person.unionid,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if person.scene else "ADD_SCENE_SEARCH",
        "qr_scene": int(person.scene) if person.scene.isdigit() else 0,
        "qr_scene_str": "" if person.scene.isdigit() else person.scene,
    }


def _callback_ips(desk: Desk, now: float) -> Answer:
    del desk, now
    return {"ip_list": CALLBACK_IPS}


def _unionid(desk: Desk, openid: str) -> str:
    person = followers.find_follower(desk, openid)
    return person.unionid if person is not None else ""


def _body() -> Answer:
    try:
        call = json.loads(request.get_data())
    except ValueError:
        raise RefusalError(47001) from None
    if not isinstance(call, dict):
        raise RefusalError(47001)
    return call


def _view(
    ledger: Ledger, method: str, call: Callable[[Desk, float], Answer]
) -> Callable[[], Response]:
    def view() -> Response:
        if method == "POST" and request.method != "POST":
            raise RefusalError(43002)
        with ledger.writing() as desk:
            answer = call(desk, ledger.now(desk))
        return jsonify(answer)

    return view


def _before(ledger: Ledger) -> Response | None:
    """Count the call, then let an ordered fault or the quota stop it."""
    found = _PATH.search(request.path)
    path = found.group() if found else request.path
    with ledger.writing() as desk:
        count = count_call(desk, ledger.now(desk), path)
        fault = take_fault(desk, path)
    if fault is not None and fault.moment is FaultMoment.AFTER:
        g.late_fault = fault
    elif fault is not None and (stopped := _meet(fault)) is not None:
        return stopped
    with ledger.reading() as desk:
        check_quota(desk, path=path, count=count)
    return None


def _after(response: Response) -> Response:
    fault: Fault | None = g.pop("late_fault", None)
    stopped = None if fault is None else _meet(fault)
    return response if stopped is None else stopped


def _meet(fault: Fault) -> Response | None:
    """Return what the caller gets instead of an answer; after a silence the call goes on."""
    if fault.kind is FaultKind.ERRCODE:
        return _refused(RefusalError(int(fault.value)))
    if fault.kind is FaultKind.STATUS:
        return Response(GATEWAY_PAGE, status=int(fault.value), content_type="text/html")
    if fault.kind is FaultKind.HTML:
        return Response(GATEWAY_PAGE, status=200, content_type="text/html")
    if fault.kind is FaultKind.HANG:
        time.sleep(fault.value)
        return None
    return _dropped()


def _dropped() -> Response:
    """Cut the connection where the server lets us; elsewhere promise more than is sent."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(b"{", headers={"Content-Length": "4096"}, content_type="application/json")


def _refused(error: RefusalError) -> Response:
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return jsonify({"errcode": error.code, "errmsg": f"{error.text} rid: {rid}"})
