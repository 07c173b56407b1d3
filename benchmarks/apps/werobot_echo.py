"""WeRoBot: an encrypted echo, without its sessions, which would cost it a database write."""

from typing import Any

from werobot import WeRoBot  # type: ignore[import-untyped]

from benchmarks.account import AES_KEY, APPID, TOKEN

robot = WeRoBot(token=TOKEN, encoding_aes_key=AES_KEY, app_id=APPID, enable_session=False)


def echo(message: Any) -> str:
    return str(message.content)


robot.add_handler(echo, type="text")
app = robot.wsgi
