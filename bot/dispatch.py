"""Turn → answer: same message once, one message of a person at a time, in time or later.

What is known to be quick is answered in the thread of the request. Any other message is handled
on a thread of a pool, so that the platform is answered within its five seconds whatever the handler
waits for; what is not ready by then follows as a notice.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

import orjson
import structlog
from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from bot import telemetry
from bot.store import (
    POLL_SECONDS,
    Claim,
    ClaimState,
    Store,
    StoreUnavailableError,
    Window,
    new_owner,
)
from bot.texts import Texts
from core.db import Database
from core.errors import DomainError
from core.notices.service import queue_notice
from handlers.chat.routes import Route, route_for
from handlers.turn import KEEP, Conversation, Reply, Turn, TurnKind

log = structlog.get_logger()

BUDGET_SECONDS = 4.5
MESSAGE_WINDOW = (48 * 3600, 5)
TAP_WINDOW = (60, 3)
QUERY_CANCELED: Final = "57014"
TAPS: Final = frozenset({"click", "subscribe", "scan", "scancode_push", "scancode_waitmsg"})


class AnswerKind(StrEnum):
    """What the platform is told."""

    TEXT = "t"
    HANDOVER = "h"
    SILENCE = "s"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform is told about one message."""

    kind: AnswerKind
    text: str = ""  # with a handover: what to say where it can no longer be handed over

    def dump(self) -> str:
        """Return the answer as it is kept for re-sends."""
        return self.kind.value + self.text

    @classmethod
    def load(cls, kept: str) -> Answer:
        """Return a kept answer."""
        return cls(AnswerKind(kept[:1]), kept[1:])


SILENT: Final = Answer(AnswerKind.SILENCE)
_INTERNAL: Final = Reply(template="errors/internal", conversation=KEEP)
_UNAVAILABLE: Final = Reply(template="errors/unavailable", conversation=KEEP)
_OWN: Final = frozenset({ClaimState.MINE, ClaimState.QUEUED})
# The database is away or overloaded; any other error of it is a bug.
_DATABASE_AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)


@dataclass(frozen=True, slots=True)
class _Result:
    """How a message was handled; `memory` as `Store.finish` takes it."""

    route: str
    outcome: str
    answer: Answer
    memory: str | None = None
    is_late: bool = False


_Job: TypeAlias = "Callable[[], None]"


class _Slot:
    """The place where a worker leaves an answer and the waiting request picks it up."""

    __slots__ = ("_gate", "_lock", "answer", "is_late", "owner")

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()
        self._lock = threading.Lock()
        self.answer: Answer | None = None
        self.is_late = False
        self.owner = ""  # set while the message is claimed by this attempt

    def leave(self, answer: Answer) -> bool:
        """Leave the answer; return whether somebody still waits for it."""
        with self._lock:
            self.answer = answer
            in_time = not self.is_late
        self._gate.release()
        return in_time

    def wait(self, seconds: float) -> Answer | None:
        """Return the answer, or None when it is late from now on."""
        if not self._gate.acquire(timeout=seconds):
            with self._lock:
                if self.answer is None:
                    self.is_late = True
        return self.answer


class _Runner(threading.Thread):
    """A thread of the pool; it sleeps on its gate until it is given a job."""

    def __init__(self, pool: _Pool, job: _Job) -> None:
        super().__init__(name="turn", daemon=True)
        self._pool = pool
        self._gate = threading.Lock()
        self._gate.acquire()
        self._job: _Job | None = job

    def take(self, job: _Job | None) -> None:
        """Wake up for a job; None ends the thread."""
        self._job = job
        self._gate.release()

    def run(self) -> None:
        """Run one job after the other."""
        job = self._job
        while job is not None:
            job()
            job = self._pool.next_for(self)
            if job is None:
                # Idle since `next_for`: whatever `take` leaves from then on is behind the gate.
                self._gate.acquire()
                job = self._job


class _Pool:
    """Threads that run jobs, the last one that became idle first: its caches are still warm.

    The standard pool takes twice the time to hand a job over and takes its threads in turn. A job
    catches its own exceptions. Threads start when they are needed and do not keep the process
    from ending.
    """

    def __init__(self, size: int) -> None:
        self._room = size
        self._idle: list[_Runner] = []
        self._waiting: deque[_Job] = deque()
        self._runners: list[_Runner] = []
        self._lock = threading.Lock()

    def submit(self, job: _Job) -> None:
        """Have a job run as soon as a thread is free."""
        with self._lock:
            if self._idle:
                self._idle.pop().take(job)
            elif len(self._runners) < self._room:
                runner = _Runner(self, job)
                self._runners.append(runner)
                runner.start()
            else:
                self._waiting.append(job)

    def next_for(self, runner: _Runner) -> _Job | None:
        """Return the job that waits longest, or None: the runner is idle from now on."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(runner)
            return None

    def close(self) -> None:
        """Wait for the jobs that were submitted, and end the threads."""
        while True:
            with self._lock:
                if len(self._idle) == len(self._runners):
                    break
            time.sleep(POLL_SECONDS)
        for runner in self._idle:
            runner.take(None)
        for runner in self._runners:
            runner.join()


class Dispatcher:
    """Answers turns. One per process; holds no state that another process must see."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        texts: Texts,
        wake_delivery: Callable[[], None],
        threads: int = 32,
        budget_seconds: float = BUDGET_SECONDS,
        find_route: Callable[[Turn], Route] = route_for,
    ) -> None:
        """Prepare the pool.

        Args:
            database: where the facts are.
            store: where conversations are.
            texts: the templates.
            wake_delivery: tells a worker that a notice waits; may fail silently.
            threads: how many messages are in work at once in this process.
            budget_seconds: how long the platform is kept waiting.
            find_route: the table of routes.
        """
        self._database = database
        self._store = store
        self._texts = texts
        self._wake_delivery = wake_delivery
        self._budget_seconds = budget_seconds
        self._find_route = find_route
        self._pool = _Pool(threads)
        # Late messages are marked aside: a slow handler may hold up the store itself.
        self._marker = ThreadPoolExecutor(1, thread_name_prefix="late")

    def answer(self, turn: Turn) -> Answer:
        """Return what the platform is told, within the budget."""
        slot = _Slot()
        started = time.perf_counter()
        claim = self._claim_at_once(turn, slot) if self._store.is_quick else None
        answer = None if claim is None else self._answer_at_once(turn, slot, claim, started)
        if answer is None:
            self._pool.submit(lambda: self._work(turn, slot, claim, started))
            answer = slot.wait(self._budget_seconds - (time.perf_counter() - started))
        if answer is not None:
            return answer
        if slot.owner:
            self._marker.submit(self._mark_late, turn.key, slot.owner)
        return SILENT

    def _claim_at_once(self, turn: Turn, slot: _Slot) -> Claim | None:
        try:
            return self._claim(turn, slot)
        except StoreUnavailableError:
            return None

    def _answer_at_once(
        self, turn: Turn, slot: _Slot, claim: Claim, started: float
    ) -> Answer | None:
        """Return the answer of a message that waits for nothing; None: the pool must see to it."""
        name, outcome = "none", "repeated"
        if claim.state is ClaimState.ANSWERED:
            answer = Answer.load(claim.answer)
        elif claim.state is ClaimState.MINE:
            turn = _with_memory(turn, claim.memory)
            try:
                route = self._find_route(turn)
                if not route.is_quick:
                    return None
                with self._database.reading() as session:
                    result = self._answer_in(session, route, turn, slot)
            except Exception:  # noqa: BLE001  the pool meets it again and has the time for it
                return None
            name, outcome, answer = result.route, result.outcome, self._finish(turn, slot, result)
        else:
            return None
        telemetry.replied(name, outcome, time.perf_counter() - started)
        return answer

    def _mark_late(self, key: str, owner: str) -> None:
        try:
            self._store.extend(key, owner=owner)
        except StoreUnavailableError:
            log.warning("late message not extended")

    def _work(self, turn: Turn, slot: _Slot, claim: Claim | None, started: float) -> None:
        route_name, outcome, answer = "none", "error", SILENT
        try:
            route_name, outcome, answer = self._settle(turn, slot, claim)
        except Exception:
            log.exception("message failed", kind=turn.kind.value)
            answer = self._text(_INTERNAL, turn)[0]
        if not slot.leave(answer) and answer.text:
            # The request gave up between the last look and now.
            self._send_later(turn, answer)
            outcome = "late"
        telemetry.replied(route_name, outcome, time.perf_counter() - started)

    def _settle(self, turn: Turn, slot: _Slot, claim: Claim | None) -> tuple[str, str, Answer]:
        try:
            claim = self._wait_for_turn(turn, slot, claim or self._claim(turn, slot))
        except StoreUnavailableError:
            result = self._handle(turn, slot, self._answer_without_memory)
            return result.route, result.outcome, result.answer
        if claim.state is ClaimState.ANSWERED:
            return "none", "repeated", Answer.load(claim.answer)
        if claim.state is not ClaimState.MINE:
            return "none", "repeated", SILENT
        result = self._handle(_with_memory(turn, claim.memory), slot, self._answer_by)
        return result.route, result.outcome, self._finish(turn, slot, result)

    def _claim(self, turn: Turn, slot: _Slot) -> Claim:
        owner = new_owner()
        claim = self._store.claim(turn.key, turn.openid, owner=owner, window=_window_for(turn))
        slot.owner = owner if claim.state in _OWN else ""
        return claim

    def _wait_for_turn(self, turn: Turn, slot: _Slot, claim: Claim) -> Claim:
        while claim.state is ClaimState.QUEUED or (
            claim.state is ClaimState.WORKING and not slot.is_late
        ):
            time.sleep(POLL_SECONDS)
            owner = slot.owner or new_owner()
            claim = self._store.check(turn.key, turn.openid, owner=owner)
            slot.owner = owner if claim.state in _OWN else ""
        if slot.is_late and claim.state is ClaimState.MINE:
            self._mark_late(turn.key, slot.owner)
        return claim

    def _finish(self, turn: Turn, slot: _Slot, result: _Result) -> Answer:
        answer = SILENT if result.is_late else result.answer
        if result.is_late:
            self._wake_delivery()
        try:
            self._store.finish(
                turn.key,
                turn.openid,
                owner=slot.owner,
                answer=answer.dump(),
                memory=result.memory,
            )
        except StoreUnavailableError:
            log.warning("answer not kept", route=result.route)
        return answer

    def _handle(
        self, turn: Turn, slot: _Slot, answer_by: Callable[[Route, Turn, _Slot], _Result]
    ) -> _Result:
        name = "none"
        try:
            route = self._find_route(turn)
            name = route.name
            return answer_by(route, turn, slot)
        except Exception as error:  # noqa: BLE001  a bug too is answered, and logged there
            return self._failure(error, name, turn)

    def _failure(self, error: Exception, route: str, turn: Turn) -> _Result:
        if isinstance(error, DomainError):
            log.info("message refused", code=error.code, route=route)
            reply = Reply(template=f"errors/{error.code}", values=error.facts, conversation=KEEP)
            try:
                return _Result(route, "refused", *self._text(reply, turn))
            except TemplateError as fault:
                error = fault
        if isinstance(error, _DATABASE_AWAY):
            log.warning("database unavailable", route=route, error=type(error).__name__)
            return _Result(route, "error", *self._text(_UNAVAILABLE, turn))
        log.error("message failed", route=route, exc_info=error)
        return _Result(route, "error", *self._text(_INTERNAL, turn))

    def _answer_by(self, route: Route, turn: Turn, slot: _Slot) -> _Result:
        if route.writes:
            with self._database.transaction() as session:
                result = self._answer_in(session, route, turn, slot)
                if result.is_late:
                    _queue_late(session, turn, result.answer)
            return result
        result = self._read(route, turn, slot)
        if result.is_late:
            with self._database.transaction() as session:
                _queue_late(session, turn, result.answer)
        return result

    def _read(self, route: Route, turn: Turn, slot: _Slot) -> _Result:
        try:
            with self._database.reading() as session:
                return self._answer_in(session, route, turn, slot)
        except DBAPIError as error:
            is_slow = getattr(error.orig, "sqlstate", "") == QUERY_CANCELED
            if not (error.connection_invalidated or is_slow):
                raise
        # Only a transaction may wait for as long as it takes. Else the database was restarted
        # since: what idled broke, a new connection may not.
        again = self._database.transaction if is_slow else self._database.reading
        with again() as session:
            return self._answer_in(session, route, turn, slot)

    def _answer_in(self, session: Session, route: Route, turn: Turn, slot: _Slot) -> _Result:
        answer, memory = self._text(route.answer(turn, session), turn)
        is_late = slot.is_late and bool(answer.text)
        return _Result(route.name, "late" if is_late else "answered", answer, memory, is_late)

    def _answer_without_memory(self, route: Route, turn: Turn, slot: _Slot) -> _Result:  # noqa: ARG002
        """Answer what needs neither a claim nor a conversation; ask for patience otherwise."""
        if route.writes:
            log.warning("refused without the store", route=route.name)
            return _Result(route.name, "refused", *self._text(_UNAVAILABLE, turn))
        log.warning("answered without the store", route=route.name)
        with self._database.reading() as session:
            answer, _ = self._text(route.answer(turn, session), turn)
        return _Result(route.name, "answered", answer)

    def _send_later(self, turn: Turn, answer: Answer) -> None:
        try:
            with self._database.transaction() as session:
                _queue_late(session, turn, answer)
        except SQLAlchemyError as error:
            log.error("late answer lost", error=type(error).__name__)  # noqa: TRY400  it holds the text
            return
        self._wake_delivery()

    def _text(self, reply: Reply, turn: Turn) -> tuple[Answer, str | None]:
        """Return the answer and what the conversation remembers (None: leave it as it is)."""
        if reply.handover:
            return Answer(AnswerKind.HANDOVER, self._texts.first_page(reply)[0]), ""
        if not reply.template:
            return SILENT, None if reply.conversation is KEEP else _memory(reply.conversation, "")
        text, rest = self._texts.first_page(reply)
        if reply.conversation is KEEP:
            return Answer(AnswerKind.TEXT, text), _memory(turn.conversation, rest) if rest else None
        return Answer(AnswerKind.TEXT, text), _memory(reply.conversation, rest)

    def close(self) -> None:
        """Wait for the messages in work."""
        self._pool.close()
        self._marker.shutdown(wait=True)


def _queue_late(session: Session, turn: Turn, answer: Answer) -> None:
    queue_notice(
        session,
        now=turn.now,
        kind="late_reply",
        openid=turn.openid,
        key=f"late:{turn.key}",
        values={},
        body=answer.text,
    )


def _window_for(turn: Turn) -> Window | None:
    if turn.kind is not TurnKind.EVENT:
        seconds, left = TAP_WINDOW if turn.menu_id not in {"", "0"} else MESSAGE_WINDOW
    elif turn.event in TAPS:
        seconds, left = TAP_WINDOW
    else:
        return None
    return Window(until=turn.now.timestamp() + seconds, left=left)


def _memory(conversation: Conversation | None, rest: str) -> str:
    if conversation is None and not rest:
        return ""
    value: dict[str, Any] = {"r": rest} if rest else {}
    if conversation is not None:
        value |= {"n": conversation.name, "d": dict(conversation.data)}
    return orjson.dumps(value).decode()


def _with_memory(turn: Turn, memory: str) -> Turn:
    if not memory:
        return turn
    try:
        value = orjson.loads(memory)
        rest = value.get("r", "")
        conversation = Conversation(name=value["n"], data=value["d"]) if "n" in value else None
    except (ValueError, KeyError, AttributeError):
        # Another release wrote it: the person starts anew.
        log.warning("conversation unreadable")
        return turn
    return replace(turn, conversation=conversation, rest=rest)
