"""The rounds: every contender in turn, again and again, and what came of it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Final

from benchmarks import load, processor
from benchmarks.contenders import Contender

CONNECTIONS: Final = 16
WARM_UP: Final = 300
MAX_REQUESTS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One contender's figures of one round.

    Attributes:
        rate: requests per second.
        p50_ms: median latency.
        p99_ms: latency that one request in a hundred exceeds.
        cpu_us: processor time of the application's processes per request, microseconds.
        store_us: the same of Redis and PostgreSQL.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    store_us: float


@dataclass(slots=True)
class Record:
    """A contender with the figures of its rounds."""

    contender: Contender
    figures: list[Figure] = field(default_factory=list)

    def values(self, name: str) -> list[float]:
        """Return one figure of every round."""
        return [getattr(figure, name) for figure in self.figures]

    def middle(self, name: str) -> float:
        """Return the median of one figure."""
        return median(self.values(name))

    def times(self, other: Record, name: str) -> float:
        """Return the median over the rounds of this figure divided by the other's."""
        pairs = zip(self.values(name), other.values(name), strict=True)
        return median(own / theirs for own, theirs in pairs)


def measure(
    contenders: list[Contender],
    *,
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> list[Record]:
    """Run the rounds and return a record of each contender.

    Args:
        contenders: in the order in which they take their turns.
        rounds: how many.
        seconds: roughly how long one turn lasts.
        tell: is told what is going on.
    """
    records = [Record(one) for one in contenders]
    sizes = [_requests_in(one, seconds) for one in contenders]
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        for record, size in zip(records, sizes, strict=True):
            record.figures.append(_turn(record.contender, size))
    return records


def _requests_in(contender: Contender, seconds: float) -> int:
    # Twice: the first requests of an application open its connections.
    for _ in range(2):
        taken = load.run(
            contender.port, [*map(contender.make, range(WARM_UP))], connections=CONNECTIONS
        )
    return min(max(int(seconds * WARM_UP / taken.seconds), WARM_UP), MAX_REQUESTS)


def _turn(contender: Contender, size: int) -> Figure:
    exchanges = [*map(contender.make, range(size))]
    gc.collect()
    gc.disable()
    try:
        before = processor.seconds_of(contender.server.process.pid)
        stores_before = sum(map(processor.seconds_of, contender.stores))
        taken = load.run(contender.port, exchanges, connections=CONNECTIONS)
        used = processor.seconds_of(contender.server.process.pid) - before
        stores_used = sum(map(processor.seconds_of, contender.stores)) - stores_before
    finally:
        gc.enable()
    cuts = quantiles(taken.latencies, n=100)
    return Figure(
        rate=size / taken.seconds,
        p50_ms=cuts[49] * 1e3,
        p99_ms=cuts[98] * 1e3,
        cpu_us=used / size * 1e6,
        store_us=stores_used / size * 1e6,
    )
