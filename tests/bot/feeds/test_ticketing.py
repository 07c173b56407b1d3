"""The adapter against a real server on this machine that does what servers do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response, request

from bot.feeds import ticketing
from bot.feeds.ticketing import FeedError, HttpTicketSource, page_of
from core.arrivals.feeding import FeedFault
from tests.servers import ThreadServer

ITEMS = [
    {"kind": "train", "number": "G7301", "origin": "杭州东", "capacity": 540, "cancelled": False},
    {"kind": "ticket", "number": "G7301", "day": "2020-03-28", "at": "2020-03-28 07:00", "sold": 4},
    {"kind": "arrival", "number": "G7301", "day": "2020-03-28", "alighted": None},
]
ANSWER = {
    "watermark": "17",
    "has_more": False,
    "complete_until": "2020-03-28T08:00:00+08:00",
    "items": ITEMS,
}


def ok(**changes: Any) -> Response:
    return Response(json.dumps(ANSWER | changes), mimetype="application/json")


def status(code: int, **headers: str) -> Response:
    return Response("not now", code, headers=headers)


def cut_off() -> Response:
    """An answer that promises more than comes."""
    body = json.dumps(ANSWER).encode()

    def parts() -> Any:
        yield body[: len(body) // 2]

    return Response(parts(), headers={"Content-Length": str(len(body))})


def dripping() -> Response:
    def parts() -> Any:
        for byte in json.dumps(ANSWER).encode():
            time.sleep(0.02)
            yield bytes([byte])

    return Response(parts(), mimetype="application/json")


@dataclass
class Source:
    """A server that gives its answers in turn, the last one for ever."""

    url: str = ""
    answers: list[Callable[[], Response]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def adapter(self, *answers: Callable[[], Response], **options: Any) -> HttpTicketSource:
        self.answers = list(answers)
        options = {"timeout": (1.0, 0.3)} | options
        return HttpTicketSource(
            self.url + "/changes", token="a-token", sleep=self.slept.append, **options
        )

    def fault_of(self, *answers: Callable[[], Response], **options: Any) -> FeedError:
        with pytest.raises(FeedError) as caught:
            self.adapter(*answers, **options).fetch("5")
        return caught.value


@pytest.fixture(scope="module")
def server() -> Any:
    app, source = Flask(__name__), Source()

    @app.get("/changes")
    def changes() -> Response:
        source.asked.append(
            dict(request.args) | {"token": request.headers.get("Authorization", "")}
        )
        answer = source.answers[0]
        if len(source.answers) > 1:
            source.answers.pop(0)
        return answer()

    served = ThreadServer(app)
    source.url = served.url
    yield source
    served.stop()


@pytest.fixture
def source(server: Source) -> Source:
    server.asked.clear()
    server.slept.clear()
    return server


def test_what_is_new_is_asked_for_with_watermark_and_token(source: Source) -> None:
    page = source.adapter(ok).fetch("5 &after=1")

    assert source.asked == [
        {"after": "5 &after=1", "limit": "2000", "token": "Bearer a-token"},
    ]
    assert (page.has_more, page.delivery.skipped_count) == (False, 0)
    delivery = page.delivery
    assert delivery.watermark == "17"
    assert delivery.complete_at == datetime(2020, 3, 28, 0, 0, tzinfo=UTC)
    assert [one.cells for one in delivery.trains] == [
        {"number": "G7301", "origin": "杭州东", "capacity": "540", "cancelled": "0"}
    ]
    assert [(one.line, one.cells["sold"]) for one in delivery.tickets] == [(2, "4")]
    assert [dict(one.cells) for one in delivery.arrivals] == [
        {"number": "G7301", "day": "2020-03-28"}
    ]


@pytest.mark.parametrize(
    "fault",
    [lambda: status(500), lambda: status(503), cut_off, lambda: Response('{"watermark": "1')],
    ids=["500", "503", "cut off", "half a JSON"],
)
def test_what_may_pass_is_tried_again(source: Source, fault: Callable[[], Response]) -> None:
    assert source.adapter(fault, fault, ok).fetch("").delivery.watermark == "17"
    assert source.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("answer", "fault", "tries"),
    [
        (lambda: status(500), FeedFault.BROKEN, 3),
        (lambda: Response("<html>"), FeedFault.NOT_JSON, 3),
        (lambda: status(429), FeedFault.BUSY, 3),
        (lambda: status(401), FeedFault.REFUSED, 1),
        (lambda: status(404), FeedFault.STATUS, 1),
        (lambda: status(410), FeedFault.WATERMARK_GONE, 1),
        (lambda: status(302, Location="/changes"), FeedFault.STATUS, 1),
        (lambda: ok(watermark=""), FeedFault.WRONG_SHAPE, 1),
    ],
)
def test_fault_that_stays_is_told_apart(
    source: Source, answer: Callable[[], Response], fault: FeedFault, tries: int
) -> None:
    error = source.fault_of(answer)
    assert (error.fault, len(source.asked)) == (fault, tries)
    assert source.url not in str(error)
    # Neither the address nor the token may be in a trace.
    assert error.__cause__ is None
    assert error.__context__ is None


def test_pause_that_the_source_asks_for_is_kept_if_it_is_short(source: Source) -> None:
    source.adapter(lambda: status(503, **{"Retry-After": "3"}), ok).fetch("")
    assert source.slept == [3.0]
    assert source.fault_of(lambda: status(429, **{"Retry-After": "60"})).retry_after == 60
    assert source.slept == [3.0]


def test_silence_and_a_drip_end_in_a_timeout(source: Source) -> None:
    def silent() -> Response:
        time.sleep(0.5)
        return ok()

    assert source.fault_of(silent).fault is FeedFault.TIMEOUT
    assert source.fault_of(dripping, answer_seconds=0.1).fault is FeedFault.TIMEOUT


def test_nobody_there_is_unreachable(source: Source) -> None:
    adapter = HttpTicketSource("http://127.0.0.1:1/x", token="", sleep=source.slept.append)
    with pytest.raises(FeedError) as caught:
        adapter.fetch("")
    assert caught.value.fault is FeedFault.UNREACHABLE


def test_answer_without_end_is_cut_off(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticketing, "MAX_BYTES", 200_000)
    sent: list[int] = []

    def endless() -> Response:
        def parts() -> Any:
            for _ in range(100_000):
                sent.append(65_536)
                yield b" " * 65_536

        return Response(parts(), mimetype="application/json")

    assert source.fault_of(endless).fault is FeedFault.TOO_LARGE
    assert sum(sent) < 50_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"watermark": None},
        {"watermark": 5},
        {"watermark": "x" * 201},
        {"watermark": "a\nb"},
        {"has_more": "no"},
        {"items": None},
        {"items": {}},
        {"items": [{}] * 5001},
        {"complete_until": "yesterday"},
        {"complete_until": "2020-03-28T08:00:00"},
        {"complete_until": 1585353600},
        {"complete_until": "0001-01-01T00:00:00+08:00"},
    ],
)
def test_answer_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FeedError, match="wrong_shape"):
        page_of(json.dumps(ANSWER | changes).encode())


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(FeedError, match="not_json"):
        page_of(body)


def test_list_is_no_answer() -> None:
    with pytest.raises(FeedError, match="wrong_shape"):
        page_of(b"[]")


def test_items_that_nobody_understands_are_counted() -> None:
    odd = [None, "x", {"kind": "weather"}, {"kind": ["train"]}, {"kind": "ticket", "sold": [1]}]
    page = page_of(json.dumps(ANSWER | {"items": [*odd, *ITEMS]}).encode())
    assert page.delivery.skipped_count == 5
    assert [one.line for one in page.delivery.trains] == [6]


def test_page_of_several_says_nothing_of_how_complete_it_is() -> None:
    page = page_of(json.dumps(ANSWER | {"has_more": True}).encode())
    assert (page.has_more, page.delivery.complete_at) == (True, None)
