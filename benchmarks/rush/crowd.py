"""The people: each comes at an instant of their own, whether the servers keep up or not."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Final
from urllib.parse import urlencode

from bot.h5 import COOKIE
from tests.guests import Guest, Place
from tests.h5 import WECHAT, csrf_of

PATIENCE_SECONDS: Final = 120.0
BARE_EVERY_SECONDS: Final = 0.1
BARE: Final = "/healthz"
_ASSET: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_RECEIPT: Final = re.compile(r"/h5/registration/(\d+)\?sent=([01])")


class BadAnswerError(Exception):
    """Somebody was answered something else than what they came for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone was sent."""

    status: int
    location: str
    text: str


@dataclass(slots=True)
class Tally:
    """What came of a rush.

    Attributes:
        seconds: of each kind of request, from the instant at which it was due to its last byte.
        receipts: ids of the registrations whose receipt each person was sent to, by openid.
        new_count: how often somebody was told that their registration is new.
        errors: how often something went wrong, by what it was.
        took: from the first arrival to the last answer, seconds.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    receipts: dict[str, set[int]] = field(default_factory=dict)
    new_count: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    took: float = 0.0

    def note(self, what: str, since: float) -> None:
        """Keep how long something took that was due at an instant of `perf_counter`."""
        self.seconds.setdefault(what, []).append(perf_counter() - since)


class Phone:
    """One keep-alive connection of somebody's browser."""

    def __init__(self, port: int, cookie: str) -> None:
        """Describe it; it connects with the first request."""
        self._port = port
        self._cookie = cookie
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, fields: Mapping[str, str] | None = None) -> Answer:
        """Send a request, with a form if there are fields, and wait for the whole answer."""
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # the server hung up on a connection that was idle for long
            self._streams = None
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = b"" if fields is None else urlencode(fields).encode()
        head = [
            f"{'GET' if fields is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"User-Agent: {WECHAT}",
            f"Cookie: {COOKIE}={self._cookie}",
        ]
        if fields is not None:
            head += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
            ]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        return await _answer(reader)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if "content-length" not in headers:
        raise BadAnswerError("no length")
    body = await reader.readexactly(int(headers["content-length"]))
    return Answer(
        status=int(lines[0].split()[1]),
        location=headers.get("location", ""),
        text=body.decode(errors="replace"),
    )


def rush(
    port: int, place: Place, guests: Sequence[Guest], *, within: float, sends: int, random: Random
) -> Tally:
    """Let everybody come, and return what came of it.

    The arrivals are those of a Poisson process of which the count is known: each person's
    instant is drawn by itself.

    Args:
        port: on 127.0.0.1.
        place: whose code they scan.
        guests: who comes.
        within: seconds in which they come.
        sends: how often each sends the form, at once and on connections of their own.
        random: where chance comes from.
    """
    return asyncio.run(_rush(port, place, guests, within=within, sends=sends, random=random))


async def _rush(
    port: int, place: Place, guests: Sequence[Guest], *, within: float, sends: int, random: Random
) -> Tally:
    tally = Tally()
    began = perf_counter()
    probe = asyncio.create_task(_probe(port, tally))
    async with asyncio.TaskGroup() as group:
        for guest in guests:
            due = began + random.uniform(0, within)
            group.create_task(_visit(port, place, guest, due=due, sends=sends, tally=tally))
    tally.took = perf_counter() - began
    probe.cancel()
    return tally


async def _probe(port: int, tally: Tally) -> None:
    """Ask for the barest page again and again: what a request costs at that moment."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_ask_bare(port, tally))
            await asyncio.sleep(BARE_EVERY_SECONDS)


async def _ask_bare(port: int, tally: Tally) -> None:
    phone, since = Phone(port, ""), perf_counter()
    try:
        answer = await phone.ask(BARE)
        tally.note("bare", since)
        if answer.status != 200:
            tally.errors[f"bare {answer.status}"] += 1
    finally:
        phone.close()


async def _visit(
    port: int, place: Place, guest: Guest, *, due: float, sends: int, tally: Tally
) -> None:
    await asyncio.sleep(due - perf_counter())
    phones = [Phone(port, guest.cookie) for _ in range(sends)]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _register(phones, place, guest, due=due, tally=tally)
    except BadAnswerError as error:
        tally.errors[str(error)] += 1
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        tally.errors[type(error).__name__] += 1
    finally:
        for phone in phones:
            phone.close()


async def _register(
    phones: Sequence[Phone], place: Place, guest: Guest, *, due: float, tally: Tally
) -> None:
    phone, path = phones[0], f"/h5/c/{place.token}"
    page = _checked(await phone.ask(path), 200, "code page")
    tally.note("code", due)
    for asset in _ASSET.findall(page.text):
        _checked(await phone.ask(asset), 200, "asset")
    since = perf_counter()
    form = _checked(await phone.ask(f"{path}/register"), 200, "form")
    tally.note("form", since)
    fields = {"csrf": csrf_of(form.text), **guest.fields}
    answers = await asyncio.gather(
        *(_send(one, f"{path}/register", fields, guest, tally) for one in phones)
    )
    since = perf_counter()
    receipt = _checked(await phone.ask(answers[0].location), 200, "receipt")
    tally.note("receipt", since)
    if "登记已经收到" not in receipt.text and "不用重复提交" not in receipt.text:
        raise BadAnswerError("the receipt says something else")


async def _send(
    phone: Phone, path: str, fields: Mapping[str, str], guest: Guest, tally: Tally
) -> Answer:
    since = perf_counter()
    answer = _checked(await phone.ask(path, fields), 303, "submission")
    tally.note("submission", since)
    found = _RECEIPT.fullmatch(answer.location)
    if found is None:
        raise BadAnswerError("the submission led elsewhere")
    tally.receipts.setdefault(guest.openid, set()).add(int(found[1]))
    tally.new_count += int(found[2])
    return answer


def _checked(answer: Answer, status: int, what: str) -> Answer:
    if answer.status != status:
        raise BadAnswerError(f"{what}: {answer.status}")
    return answer
