"""Who is compared with whom, and on what."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, Self

from benchmarks import account, messages
from benchmarks.district import COLOUR_WORDS, fill
from benchmarks.messages import Exchange, Question
from bot.settings import ROOT
from core.db import Database, Keyring, install_keyring
from tests.servers import GranianServer, PostgresServer, RedisServer

DATA_KEY: Final = bytes(range(100, 132))
FLASK: Final = "flask"
WEROBOT_ECHO: Final = "werobot"
WEROBOT_SQLITE: Final = "werobot-sqlite"
WEROBOT_POSTGRES: Final = "werobot-postgres"

MakeExchange = Callable[[int], Exchange]


class Server(Protocol):
    """What can be stopped again."""

    def stop(self) -> None:
        """End it and remove what it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One row of the table.

    Attributes:
        name: what rivals call it.
        title: what the table shows.
        server: where it is served; several rows may share one.
        make: number of the message in its round → the exchange.
        rival: name of the WeRoBot row that it is compared with; empty for none.
        stores: pids of the Redis and PostgreSQL that work for it.
    """

    name: str
    title: str
    server: GranianServer
    make: MakeExchange
    rival: str = ""
    stores: tuple[int, ...] = ()

    @property
    def port(self) -> int:
        """Return the port on 127.0.0.1."""
        return int(self.server.url.rpartition(":")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """The databases and the Redis that the contenders share, filled.

    Attributes:
        colours: colour of each community by name, the same in every database.
    """

    sqlite_url: str
    lone_sqlite_url: str
    postgres_url: str
    redis_url: str
    redis_pid: int
    postgres_pid: int
    colours: Mapping[str, str]


class Arena:
    """Everything that runs for a benchmark; leaving it stops all of it."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Describe where and how the applications are served.

        Args:
            folder: for databases and logs; the caller removes it.
            threads: of each application's one worker.
        """
        self._folder = folder
        self._threads = threads
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Return itself; servers are started by `contenders`."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop every server."""
        self._stack.close()

    def back(self) -> Backing:
        """Start Redis and PostgreSQL and fill the databases."""
        install_keyring(Keyring([DATA_KEY]))
        redis, postgres = RedisServer(), None
        self._stack.callback(redis.stop)
        postgres = PostgresServer()
        self._stack.callback(postgres.stop)
        urls = [f"sqlite:///{self._folder / name}.db" for name in ("shared", "alone")]
        filled = [self._fill(url) for url in (*urls, postgres.url)]
        if any(colours != filled[0] for colours in filled):
            raise RuntimeError("the databases differ")
        return Backing(
            sqlite_url=urls[0],
            lone_sqlite_url=urls[1],
            postgres_url=postgres.url,
            redis_url=redis.url,
            redis_pid=redis.process.pid,
            postgres_pid=postgres.process.pid,
            colours=filled[0],
        )

    @staticmethod
    def _fill(url: str) -> dict[str, str]:
        database = Database(url)
        try:
            return fill(database, now=datetime.now(UTC))
        finally:
            database.dispose()

    def contenders(self, backing: Backing) -> list[Contender]:
        """Start every application and return the rows in the order of the table."""
        return [*self._echoes(), *self._werobots(backing), *self._products(backing)]

    def _serve(self, target: str, **environment: str) -> GranianServer:
        server = GranianServer(
            target,
            env={"PYTHONPATH": str(ROOT), **environment},
            folder=self._folder,
            threads=self._threads,
            probe=account.PATH,
        )
        self._stack.callback(server.stop)
        return server

    def _echoes(self) -> list[Contender]:
        serve, echo = self._serve, _asking(_echo_question)
        return [
            Contender(
                name=FLASK,
                title="bare Flask, “hello”",
                server=serve("benchmarks.apps.flask_hello:app"),
                make=messages.hello,
            ),
            Contender(
                name="wechatpy",
                title="Flask + wechatpy, encrypted echo",
                server=serve("benchmarks.apps.flask_wechatpy:app"),
                make=echo,
                rival=WEROBOT_ECHO,
            ),
            Contender(
                name=WEROBOT_ECHO,
                title="WeRoBot, encrypted echo",
                server=serve("benchmarks.apps.werobot_echo:app"),
                make=echo,
                rival=WEROBOT_ECHO,
            ),
            Contender(
                name="echo",
                title="**汇治理**, encrypted echo",
                server=serve("benchmarks.apps.huizhili_echo:app", **self._environment("echo")),
                make=echo,
                rival=WEROBOT_ECHO,
            ),
        ]

    def _werobots(self, backing: Backing) -> list[Contender]:
        make = _asking(_colour_question(backing.colours))
        places = (
            (WEROBOT_SQLITE, "SQLite", backing.sqlite_url, ()),
            (WEROBOT_POSTGRES, "PostgreSQL", backing.postgres_url, (backing.postgres_pid,)),
        )
        return [
            Contender(
                name=name,
                title=f"WeRoBot, claim in Redis + ORM look-up, {database}",
                server=self._serve(
                    "benchmarks.apps.werobot_lookup:app",
                    DATABASE_URL=url,
                    REDIS_URL=backing.redis_url,
                ),
                make=make,
                rival=name,
                stores=(backing.redis_pid, *pids),
            )
            for name, database, url, pids in places
        ]

    def _products(self, backing: Backing) -> list[Contender]:
        redis, postgres = backing.redis_pid, backing.postgres_pid
        places = (
            ("SQLite + Redis", backing.sqlite_url, backing.redis_url, WEROBOT_SQLITE, (redis,)),
            (
                "PostgreSQL + Redis",
                backing.postgres_url,
                backing.redis_url,
                WEROBOT_POSTGRES,
                (redis, postgres),
            ),
            ("SQLite alone", backing.lone_sqlite_url, "", WEROBOT_SQLITE, ()),
        )
        questions = (
            ("mask question", _asking(_mask_question)),
            ("colour question", _asking(_colour_question(backing.colours))),
        )
        rows = []
        for title, database_url, redis_url, rival, pids in places:
            server = self._serve(
                "wsgi:app",
                **self._environment(title, DATABASE_URL=database_url, REDIS_URL=redis_url),
            )
            rows += [
                Contender(
                    name=f"{asked}, {title}",
                    title=f"**汇治理**, {asked}, {title}",
                    server=server,
                    make=make,
                    rival=rival,
                    stores=pids,
                )
                for asked, make in questions
            ]
        return rows

    def _environment(self, name: str, **more: str) -> dict[str, str]:
        instance = self._folder / name.replace(" ", "-")
        metrics = instance / "metrics"
        metrics.mkdir(parents=True)
        return {
            "APP_ENV": "production",
            "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
            "DATA_KEYS": base64.b64encode(DATA_KEY).decode(),
            "PUBLIC_URL": "https://benchmark.invalid",
            "DATABASE_URL": f"sqlite:///{instance / 'none.db'}",
            "REDIS_URL": "",
            "WECHAT_TOKEN": account.TOKEN,
            "WECHAT_AES_KEY": account.AES_KEY,
            "WECHAT_APPID": account.APPID,
            "WECHAT_SECRET": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
            "WECHAT_ACCOUNT": account.ACCOUNT,
            "WECHAT_MODE": "safe",
            "LOG_LEVEL": "warning",
            "INSTANCE_DIR": str(instance),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            **more,
        }


def _asking(question: Question) -> MakeExchange:
    return lambda number: messages.sealed(number, question)


def _echo_question(number: int) -> tuple[str, str]:
    said = f"第{number}次问好"
    return said, said


def _mask_question(number: int) -> tuple[str, str]:
    return messages.MASK_QUESTIONS[number % len(messages.MASK_QUESTIONS)], messages.MASK_ANSWER


def _colour_question(colours: Mapping[str, str]) -> Question:
    names = list(colours)

    def ask(number: int) -> tuple[str, str]:
        name = names[number * 7 % len(names)]
        return f"{name}什么颜色", f"{name}：{COLOUR_WORDS[colours[name]]}"

    return ask
