"""The account that the messages are addressed to, and the people who write them."""

from __future__ import annotations

from typing import Final

TOKEN: Final = "benchmark"
AES_KEY: Final = "benchmark" + "0123456789" * 3 + "abcd"
APPID: Final = "wxbenchmark000000"
ACCOUNT: Final = "gh_benchmark"
PATH: Final = "/wechat"
