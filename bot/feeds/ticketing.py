"""The live feed of the ticketing system: what an adapter offers, and the one that asks over HTTP.

`docs/operations.md` describes the protocol. Neither the address nor the token reaches a log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as HttpTimeoutError

from core.arrivals.feeding import MAX_WATERMARK, Delivery, FeedFault
from core.arrivals.importing.arrivals import ARRIVAL_COLUMNS, ARRIVAL_OPTIONAL_COLUMNS
from core.arrivals.importing.cells import FIRST_DAY
from core.arrivals.importing.tickets import TICKET_COLUMNS
from core.arrivals.importing.trains import TRAIN_COLUMNS, TRAIN_OPTIONAL_COLUMNS
from core.importing import ImportRow

SOURCE_NAME: Final = "ticketing"
TIMEOUT_SECONDS: Final = (3.05, 5.0)
# A source that sends a byte now and then would never run into the timeout of a read.
ANSWER_SECONDS: Final = 15.0
MAX_BYTES: Final = 8 * 1024 * 1024
MAX_ITEMS: Final = 5000
ASKED_ITEMS: Final = 2000
ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 0.5
# A source that wants to be left alone for longer is asked again by the next poll.
LONGEST_PAUSE_SECONDS: Final = 5.0
CHUNK_BYTES: Final = 65_536

OK: Final = 200
GONE: Final = 410
SERVER_ERROR: Final = 500
_FAULT_OF_STATUS: Final[Mapping[int, FeedFault]] = {
    401: FeedFault.REFUSED,
    403: FeedFault.REFUSED,
    GONE: FeedFault.WATERMARK_GONE,
    429: FeedFault.BUSY,
    503: FeedFault.BUSY,
}
# What the next attempt may not meet again.
_PASSING: Final = frozenset(
    {
        *(FeedFault.TIMEOUT, FeedFault.UNREACHABLE, FeedFault.BUSY, FeedFault.BROKEN),
        FeedFault.NOT_JSON,
    }
)
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": (*TRAIN_COLUMNS, *TRAIN_OPTIONAL_COLUMNS),
    "ticket": TICKET_COLUMNS,
    "arrival": (*ARRIVAL_COLUMNS, *ARRIVAL_OPTIONAL_COLUMNS),
}


class FeedError(Exception):
    """A source cannot be read.

    Attributes:
        fault: why.
        retry_after: seconds that the source wants to be left alone; 0: it did not say.
    """

    def __init__(self, fault: FeedFault, *, retry_after: float = 0.0) -> None:
        """Keep the facts; see the class."""
        super().__init__(fault.value)
        self.fault = fault
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source.

    Attributes:
        delivery: what it tells.
        has_more: whether more can be had at once.
    """

    delivery: Delivery
    has_more: bool


class TicketSource(Protocol):
    """A system that tells of trains and tickets, a page at a time."""

    @property
    def name(self) -> str:
        """At most 32 characters; how far it has been read is kept by it."""

    def fetch(self, watermark: str) -> Page:
        """Return what came after a watermark.

        Args:
            watermark: of the page before; empty: from the beginning.

        Raises:
            FeedError: it cannot be read now.
        """


class HttpTicketSource:
    """Asks an HTTP address for what is new: `GET …?after=<watermark>&limit=<items>`."""

    name = SOURCE_NAME

    def __init__(
        self,
        url: str,
        *,
        token: str,
        timeout: tuple[float, float] = TIMEOUT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the adapter; nothing connects yet.

        Args:
            url: whole address, without `after` and `limit`.
            token: sent as a bearer token.
            timeout: seconds to connect, seconds without a byte.
            answer_seconds: for a whole answer.
            sleep: waits between attempts.
            clock: seconds of any beginning.
        """
        self._url = url
        self._timeout = timeout
        self._answer_seconds = answer_seconds
        self._sleep = sleep
        self._clock = clock
        self._http = requests.Session()
        # What is packed may unpack to any size.
        self._http.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def fetch(self, watermark: str) -> Page:
        """Return what came after a watermark; passing faults are met again before they count.

        Raises:
            FeedError: it cannot be read now.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return page_of(self._ask(watermark))
            except FeedError as error:
                if error.fault not in _PASSING or error.retry_after > LONGEST_PAUSE_SECONDS:
                    raise
                pause = max(error.retry_after, BACKOFF_SECONDS * 2**attempt)
            self._sleep(pause)
        return page_of(self._ask(watermark))

    def _ask(self, watermark: str) -> bytes:
        fault = FeedFault.UNREACHABLE
        try:
            with self._http.get(
                self._url,
                params={"after": watermark, "limit": str(ASKED_ITEMS)},
                timeout=self._timeout,
                # The token is for this address alone.
                allow_redirects=False,
                stream=True,
            ) as response:
                _check_status(response)
                return self._body_of(response)
        except (requests.Timeout, HttpTimeoutError):
            fault = FeedFault.TIMEOUT
        except (requests.RequestException, HTTPError, OSError):
            pass
        # Outside of the handlers: the old error holds the address.
        raise FeedError(fault)

    def _body_of(self, response: requests.Response) -> bytes:
        body, until = bytearray(), self._clock() + self._answer_seconds
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            body += chunk
            if len(body) > MAX_BYTES:
                raise FeedError(FeedFault.TOO_LARGE)
            if self._clock() > until:
                raise FeedError(FeedFault.TIMEOUT)
        return bytes(body)


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == OK:
        return
    fault = _FAULT_OF_STATUS.get(status)
    if fault is None:
        fault = FeedFault.BROKEN if status >= SERVER_ERROR else FeedFault.STATUS
    seconds = response.headers.get("Retry-After", "")
    raise FeedError(fault, retry_after=float(seconds) if seconds.isdecimal() else 0.0)


# ---- reading an answer ----------------------------------------------------------------------


def page_of(body: bytes) -> Page:
    """Return what an answer tells.

    Raises:
        FeedError: no JSON, or not in the form of the protocol.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if answer is None:
        raise FeedError(FeedFault.NOT_JSON)
    if not isinstance(answer, dict):
        raise FeedError(FeedFault.WRONG_SHAPE)
    has_more = answer.get("has_more", False)
    rows, skipped_count = _rows_of(answer.get("items"))
    if not isinstance(has_more, bool):
        raise FeedError(FeedFault.WRONG_SHAPE)
    delivery = Delivery(
        watermark=_watermark_of(answer.get("watermark")),
        complete_at=None if has_more else _instant_of(answer.get("complete_until")),
        trains=rows["train"],
        tickets=rows["ticket"],
        arrivals=rows["arrival"],
        skipped_count=skipped_count,
    )
    return Page(delivery=delivery, has_more=has_more)


def _rows_of(items: object) -> tuple[dict[str, list[ImportRow]], int]:
    """Return the items of an answer by kind, and how many cannot be understood."""
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise FeedError(FeedFault.WRONG_SHAPE)
    rows: dict[str, list[ImportRow]] = {kind: [] for kind in _COLUMNS}
    skipped_count = 0
    for place, item in enumerate(items, start=1):
        kind = item.get("kind") if isinstance(item, dict) else None
        columns = _COLUMNS.get(kind) if isinstance(kind, str) else None
        cells = None if columns is None else _cells_of(item, columns)
        if cells is None:
            skipped_count += 1
        else:
            rows[str(kind)].append(ImportRow(place, cells))
    return rows, skipped_count


def _cells_of(item: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, str] | None:
    """Return an item as a file would hold it; None when a value is no text, number, yes or no."""
    values = {name: item[name] for name in columns if item.get(name) is not None}
    if not all(isinstance(value, str | int | float) for value in values.values()):
        return None
    return {name: _text_of(value).strip() for name, value in values.items()}


def _text_of(value: str | float) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _watermark_of(value: object) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= MAX_WATERMARK and value.isprintable()):
        raise FeedError(FeedFault.WRONG_SHAPE)
    return value


def _instant_of(value: object) -> datetime | None:
    """Return up to when a source says that it is complete; None where it does not say.

    Raises:
        FeedError: no instant with a zone, or before 2000.
    """
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year < FIRST_DAY.year:
        raise FeedError(FeedFault.WRONG_SHAPE)
    return at
