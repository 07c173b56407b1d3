"""What Prometheus reads: replies by route and outcome, latency, delivery, tokens.

Several processes share one folder of counters (`PROMETHEUS_MULTIPROC_DIR`), so a scrape of any of
them shows all. The folder must be emptied when the whole installation starts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# The counters are files: without their folder every count would raise.
if _folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(_folder).mkdir(parents=True, exist_ok=True)

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.5)

_replies = Counter("huizhili_replies", "Replies to messages", ["route", "outcome"])
_latency = Histogram(
    "huizhili_reply_seconds", "Time from arrival to reply", ["route"], buckets=LATENCY_BUCKETS
)
_refused = Counter("huizhili_callbacks_refused", "Callbacks refused", ["reason"])
_notices = Counter("huizhili_notices", "Attempts to deliver a notice", ["channel", "outcome"])
_tokens = Counter("huizhili_token_refreshes", "Fetches of an access token", ["outcome"])
_api_calls = Counter("huizhili_api_calls", "Calls of WeChat's API", ["name", "outcome"])
_api_seconds = Histogram("huizhili_api_seconds", "Time of calls of WeChat's API", ["name"])

# A labelled child costs more to find than to change: each is looked up once.
_reply_children: dict[tuple[str, str], tuple[Counter, Histogram]] = {}


def replied(route: str, outcome: str, seconds: float) -> None:
    """Count one reply.

    Args:
        route: name of the route, or `none` where the message never reached one.
        outcome: `answered`, `repeated`, `late`, `refused` or `error`.
        seconds: from arrival to reply.
    """
    children = _reply_children.get((route, outcome))
    if children is None:
        children = (_replies.labels(route, outcome), _latency.labels(route))
        _reply_children[route, outcome] = children
    children[0].inc()
    children[1].observe(seconds)


def callback_refused(reason: str) -> None:
    """Count one callback that was turned away."""
    _refused.labels(reason).inc()


def notice_attempted(channel: str, outcome: str) -> None:
    """Count one attempt to deliver a notice."""
    _notices.labels(channel, outcome).inc()


def token_refreshed(outcome: str) -> None:
    """Count one fetch of an access token."""
    _tokens.labels(outcome).inc()


def api_called(name: str, outcome: str, seconds: float) -> None:
    """Count and time one call of WeChat's API."""
    _api_calls.labels(name, outcome).inc()
    _api_seconds.labels(name).observe(seconds)


class _Gauges(Collector):
    def __init__(self, gauges: Mapping[str, tuple[str, float]]) -> None:
        self._gauges = gauges

    def collect(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily(n, text, value=v) for n, (text, v) in self._gauges.items()]


def exposition(gauges: Mapping[str, tuple[str, float]]) -> bytes:
    """Return the text that Prometheus reads.

    Args:
        gauges: name → (description, value) of what is measured at the scrape, like outbox depth.
    """
    registry = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in (_replies, _latency, _refused, _notices, _tokens, _api_calls, _api_seconds):
            registry.register(metric)
    registry.register(_Gauges(gauges))
    return generate_latest(registry)


def empty_folder(folder: Path) -> None:
    """Begin anew: called once, before the processes of the installation start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
