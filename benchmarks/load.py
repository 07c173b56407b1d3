"""The load: keep-alive connections that each send the next request as soon as one is answered."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from benchmarks.messages import Exchange, check, is_ok

RECEIVE_BYTES: Final = 65536
STUCK_SECONDS: Final = 10.0
CHECK_EVERY: Final = 50
_LENGTH: Final = b"content-length: "


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of requests took.

    Attributes:
        seconds: from the first request to the last reply.
        latencies: of every request, seconds, in the order of the replies.
    """

    seconds: float
    latencies: list[float]


class _Connection:
    """One connection and the request that is under way on it."""

    __slots__ = ("began", "exchange", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.began = 0.0
        self.exchange: Exchange

    def send(self, exchange: Exchange) -> None:
        """Send a request; it fits the socket's buffer."""
        self.exchange, self.received, self.began = exchange, b"", perf_counter()
        self.socket.sendall(exchange.request)

    def receive(self) -> bool:
        """Take what has come; return whether the reply is complete."""
        chunk = self.socket.recv(RECEIVE_BYTES)
        if not chunk:
            raise RuntimeError("the server closed a connection")
        self.received += chunk
        head_end = self.received.find(b"\r\n\r\n")
        if head_end < 0:
            return False
        head = self.received[:head_end].lower()
        start = head.find(_LENGTH)
        if start < 0:
            raise RuntimeError(f"no length: {head[:200]!r}")
        length = int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0])
        return len(self.received) >= head_end + 4 + length


def run(port: int, exchanges: list[Exchange], *, connections: int) -> Run:
    """Send every request once and wait for every reply.

    All statuses are looked at, and every fiftieth reply is opened and compared afterwards.

    Args:
        port: on 127.0.0.1.
        exchanges: in the order in which they are sent.
        connections: how many requests are under way at once.

    Raises:
        RuntimeError: a reply is wrong, or none comes for ten seconds.
    """
    opened = [_Connection(port) for _ in range(min(connections, len(exchanges)))]
    try:
        began = perf_counter()
        latencies, kept = _drive(opened, exchanges)
        seconds = perf_counter() - began
    finally:
        for one in opened:
            one.socket.close()
    for exchange, response in kept:
        check(exchange, response)
    return Run(seconds, latencies)


def _drive(
    opened: list[_Connection], exchanges: list[Exchange]
) -> tuple[list[float], list[tuple[Exchange, bytes]]]:
    by_file = {one.socket.fileno(): one for one in opened}
    kept: list[tuple[Exchange, bytes]] = []
    latencies: list[float] = []
    waiting = iter(exchanges)
    with select.epoll() as poll:
        for one in opened:
            poll.register(one.socket, select.EPOLLIN)
            one.send(next(waiting))
        while len(latencies) < len(exchanges):
            for one in _ready(poll, by_file):
                latencies.append(perf_counter() - one.began)
                if not is_ok(one.received):
                    raise RuntimeError(f"a bad reply: {one.received[:200]!r}")
                if len(latencies) % CHECK_EVERY == 1:
                    kept.append((one.exchange, one.received))
                following = next(waiting, None)
                if following is not None:
                    one.send(following)
    return latencies, kept


def _ready(poll: select.epoll, by_file: dict[int, _Connection]) -> Iterator[_Connection]:
    """Yield the connections whose reply became complete."""
    events = poll.poll(STUCK_SECONDS)
    if not events:
        raise RuntimeError("the server is stuck")
    for file, _ in events:
        if by_file[file].receive():
            yield by_file[file]
