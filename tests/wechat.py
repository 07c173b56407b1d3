"""The stand-in for WeChat's API and sign-in as the tests of delivery use it: over real HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.settings import Settings
from bot.simulator import faults, followers, mailbox, tokens
from bot.simulator.ledger import Ledger
from bot.simulator.standin import LEDGER, create_standin, serving

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef" * 2
TEMPLATE, SUBSCRIBE = "/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"
CUSTOM, TOKEN = "/cgi-bin/message/custom/send", "/cgi-bin/stable_token"
_HAPPENINGS = (
    *("token", "forced_refresh", "ticket", "code", "follower", "window", "consent", "entry"),
    *("menu", "scene_code", "fault", "call", "quota"),
)
COLOUR_TEMPLATE, COLOUR_SUBSCRIPTION, ANSWER_TEMPLATE = "tmpl-colour", "sub-colour", "tmpl-answer"


class Platform:
    """The stand-in, with a shorter way to its controls than HTTP."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self.url = url
        self.ledger = ledger

    def settings(self, **overrides: Any) -> Settings:
        """Return settings that call this stand-in."""
        values: dict[str, Any] = {
            "wechat_appid": APPID,
            "wechat_secret": SECRET,
            "wechat_api_url": self.url,
            "wechat_open_url": self.url,
            "wechat_templates": {
                "colour_changed": COLOUR_TEMPLATE,
                "late_reply": ANSWER_TEMPLATE,
            },
            "wechat_subscribe_templates": {"colour_changed": COLOUR_SUBSCRIPTION},
        }
        return Settings(**(values | overrides))

    def forget_all(self) -> None:
        """Forget whatever happened; the templates stay."""
        with self.ledger.writing() as desk:
            for table in _HAPPENINGS:
                desk.execute(f"DELETE FROM {table}")

    def follow(self, openid: str, *, is_following: bool = True) -> None:
        with self.ledger.writing() as desk:
            now = self.ledger.now(desk)
            followers.put_follower(desk, now, openid=openid, is_following=is_following)
            if not is_following:
                followers.unfollow(desk, openid=openid)

    def open_window(self, openid: str) -> None:
        with self.ledger.writing() as desk:
            now = self.ledger.now(desk)
            followers.record_act(desk, now, openid=openid, act=followers.Act.MESSAGE)

    def consent(self, openid: str, template_id: str = COLOUR_SUBSCRIPTION, times: int = 1) -> None:
        with self.ledger.writing() as desk:
            followers.allow_subscription(desk, openid=openid, template_id=template_id, times=times)

    def fault(
        self, path: str, kind: str, value: float = 0, *, times: int = 1, moment: str = "before"
    ) -> None:
        fault = faults.Fault(
            kind=faults.FaultKind(kind), value=value, moment=faults.FaultMoment(moment)
        )
        with self.ledger.writing() as desk:
            faults.order_fault(desk, path=path, fault=fault, times=times)

    def code(self, kind: str, openid: str) -> str:
        with self.ledger.writing() as desk:
            return tokens.issue_code(desk, self.ledger.now(desk), kind=kind, openid=openid)

    def expire_tokens(self) -> None:
        with self.ledger.writing() as desk:
            tokens.expire_tokens(desk, self.ledger.now(desk))

    def revoke_tokens(self) -> None:
        with self.ledger.writing() as desk:
            tokens.revoke_tokens(desk)

    def register(self, template_id: str) -> None:
        with self.ledger.writing() as desk:
            mailbox.register_template(desk, template_id=template_id)

    def drop_template(self, template_id: str) -> None:
        with self.ledger.writing() as desk:
            desk.execute("DELETE FROM template WHERE template_id = ?", (template_id,))

    def calls(self, path: str) -> int:
        with self.ledger.reading() as desk:
            return faults.call_counts(desk).get(path, 0)

    def delivered(self, openid: str = "") -> list[mailbox.Entry]:
        with self.ledger.reading() as desk:
            return mailbox.list_delivered(desk, openid=openid)

    def channels(self, openid: str) -> list[str]:
        """Return how each message came to a person, in order."""
        return [entry.channel.value for entry in self.delivered(openid)]

    def counts(self) -> Counter[str]:
        """Return how many messages each person has."""
        return Counter(entry.openid for entry in self.delivered())


@contextmanager
def running_platform(folder: Path) -> Iterator[Platform]:
    """Serve a stand-in that knows the templates of the tests."""
    app = create_standin(folder / "standin.db", appid=APPID, secret=SECRET)
    ledger: Ledger = app.extensions[LEDGER]
    with ledger.writing() as desk:
        for template_id in (COLOUR_TEMPLATE, ANSWER_TEMPLATE):
            mailbox.register_template(desk, template_id=template_id)
        mailbox.register_template(
            desk, template_id=COLOUR_SUBSCRIPTION, channel=mailbox.Channel.SUBSCRIBE
        )
    with serving(app) as url:
        yield Platform(url, ledger)
