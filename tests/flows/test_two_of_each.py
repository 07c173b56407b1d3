"""Two web servers and two workers on one database, in production mode, as one service."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.simulator import pushes
from bot.simulator.wire import Account, Exchange, Mode
from bot.simulator.wire import Platform as Wire
from core.clock import day_of
from core.db import Database
from core.notices.model import Notice
from core.notices.rules import NoticeState
from core.people.model import Person
from core.risk.versions import get_version
from tests.conftest import DATA_KEY
from tests.servers import ROOT, GranianServer, Process
from tests.wechat import APPID, COLOUR_TEMPLATE, SECRET, Platform, running_platform

AES_KEY = "Z2hpcyBpcyBub3QgYSByZWFsIGtleSBhdCBhbGwgb2s"
TOKEN = "a-token-of-the-tests"
COMMUNITIES = """code,name,street,longitude,latitude,aliases
T12,田林十二村,田林街道,121.4200,31.1700,田十二
T13,田林十三村,田林街道,121.4220,31.1720,
L01,阳光公寓,凌云路街道,121.4310,31.1410,
H01,阳光公寓,华泾镇,121.4600,31.1200,
"""
QUIET = {"vuln": 0.2}
SPREADING = {"confirmed": 3, "suspected": 3, "close": 10, "cluster": 2, "asym": 3, "recency": 14}
INDICATORS = [indicator.code for indicator in get_version().indicators]


@dataclass(frozen=True, slots=True)
class District:
    """An installation with two web servers and two workers."""

    env: Mapping[str, str]
    database: Database
    platform: Platform
    wires: tuple[Wire, Wire]
    folder: Path

    def say(self, openid: str, text: str, *, server: int = 0) -> Exchange:
        return self.wires[server].send(openid, pushes.text(text))

    def flask(self, *arguments: str) -> str:
        """Run a command of the operator and return what it printed."""
        result = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            env={**self.env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def indicators(self, name: str, day: str, values: Mapping[str, Mapping[str, float]]) -> str:
        lines = ["day,community_code,indicator,value"]
        for code, known in values.items():
            lines += [f"{day},{code},{one},{known.get(one, 0)}" for one in INDICATORS]
        return self.write(name, "\n".join(lines) + "\n")


def _environment(
    database: Database, redis_url: str, platform: Platform, tmp: Path
) -> dict[str, str]:
    return dict(os.environ) | {
        "APP_ENV": "production",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://wx.example.gov.cn",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
        "DATA_KEYS": base64.b64encode(DATA_KEY).decode(),
        "WECHAT_TOKEN": TOKEN,
        "WECHAT_AES_KEY": AES_KEY,
        "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SECRET,
        "WECHAT_ACCOUNT": "gh_two_of_each",
        "WECHAT_API_URL": platform.url,
        "WECHAT_TEMPLATES": f'{{"colour_changed": "{COLOUR_TEMPLATE}"}}',
        "INSTANCE_DIR": str(tmp / "instance"),
    }


@pytest.fixture(params=["postgresql+redis", "sqlite"])
def district(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[District]:
    with_servers = request.param == "postgresql+redis"
    name = "postgres_database" if with_servers else "sqlite_database"
    database: Database = request.getfixturevalue(name)
    redis_url = request.getfixturevalue("redis_url") if with_servers else ""
    with running_platform(tmp_path) as platform:
        env = _environment(database, redis_url, platform, tmp_path)
        servers = [GranianServer(env=env, folder=tmp_path, threads=2) for _ in range(2)]
        workers = [
            Process(
                [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
                log=tmp_path / f"worker-{number}.log",
                env=env,
            )
            for number in range(2)
        ]
        account = {
            "original_id": "gh_two_of_each",
            "appid": APPID,
            "token": TOKEN,
            "aes_key": base64.b64decode(AES_KEY + "="),
        }
        wires = [
            Wire(Account(callback_url=f"{server.url}/wechat", **account), mode=Mode.SAFE)
            for server in servers
        ]
        yield District(env, database, platform, (wires[0], wires[1]), tmp_path)
        for process in [*workers, *servers]:
            process.stop()


def _delivered(platform: Platform, count: int) -> bool:
    """Return whether so many messages arrived before half a minute was over."""
    deadline = time.monotonic() + 30
    while len(platform.delivered()) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(platform.delivered()) >= count


def test_two_of_each_are_one_service(district: District) -> None:
    # The operator imports through the command line; both servers see it with the next message.
    assert district.say("o-first", "田林十二村什么颜色").text.startswith("没有找到")
    district.flask("import", "communities", district.write("communities.csv", COMMUNITIES))
    for server in (0, 1):
        answer = district.say("o-first", "田林十二村什么颜色", server=server).text
        assert answer.startswith("田林十二村：暂无数据（灰色）")
    today = day_of(datetime.now(UTC))
    days = [str(today - timedelta(days=ago)) for ago in (2, 1)]
    quiet = district.indicators("quiet.csv", days[0], {"T12": QUIET, "T13": QUIET})
    district.flask("import", "indicators", quiet)
    for server in (0, 1):
        answer = district.say("o-first", "田林12村现在是什么风险呀", server=server).text
        assert answer.startswith("田林十二村：一般风险（蓝色）")

    # A conversation that begins on one server goes on on the other.
    assert district.say("o-first", "阳光公寓", server=0).text.startswith("您要查的是")
    assert district.say("o-first", "2", server=1).text.startswith("阳光公寓：")
    district.say("o-first", "绑定小区", server=1)
    assert district.say("o-first", "田林十二村", server=0).text.startswith("已绑定：田林十二村")

    # The same message at both servers at once is handled once and answered alike.
    message = district.wires[0].message("o-twice", pushes.text("订阅田林十二村"))
    with ThreadPoolExecutor(2) as pool:
        texts = {one.text for one in pool.map(lambda wire: wire.deliver(message), district.wires)}
    assert len(texts) == 1
    assert texts.pop().startswith("已订阅")
    assert district.say("o-twice", "退订").text.startswith("已退订")

    # Followers on either server, told by either worker, each exactly once.
    openids = [f"o-{number}" for number in range(20)]
    for number, openid in enumerate(openids):
        district.platform.follow(openid)
        district.wires[number % 2].send(openid, pushes.subscribe())
        answer = district.say(openid, "订阅田林十二村", server=(number + 1) % 2).text
        assert answer.startswith("已订阅")
    red = district.indicators("red.csv", days[1], {"T12": SPREADING, "T13": QUIET})
    district.flask("import", "indicators", red)
    assert district.say("o-0", "田林十二村", server=1).text.startswith("田林十二村：高风险（红色）")
    assert _delivered(district.platform, len(openids))
    time.sleep(1)  # a second copy would come now
    assert district.platform.counts() == dict.fromkeys(openids, 1)
    with district.database.reading() as session:
        states = session.execute(select(Notice.state, func.count()).group_by(Notice.state)).all()
        assert {state for state, _ in states} <= {NoticeState.SENT, NoticeState.DELIVERED}
        followers = session.scalar(
            select(func.count()).select_from(Person).where(Person.is_following)
        )
        # Two more wrote to the account without ever having sent a follow event.
        assert followers == len(openids) + 2
