"""This product's callback with an echo behind it: signature, decryption, parsing, encryption."""

from __future__ import annotations

from flask import Flask

from bot.app import callback_of
from bot.dispatch import Answer, AnswerKind
from bot.settings import Settings
from bot.wechat import WechatFront
from handlers.turn import Turn


class Echo:
    """Answers with what was said."""

    def answer(self, turn: Turn) -> Answer:
        """Return the text."""
        return Answer(AnswerKind.TEXT, turn.text)


app = WechatFront(Flask(__name__).wsgi_app, callback_of(Settings.from_env(), Echo()))
