from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, undefer
from structlog.testing import LogCapture

from bot import dispatch
from bot.dispatch import SILENT, Answer, AnswerKind, Dispatcher, Turn, _Pool
from bot.redis_store import RedisStore
from bot.store import Store, StoreUnavailableError
from bot.table_store import TableStore
from bot.texts import MAX_BYTES, Texts
from core.db import Database
from core.errors import ConflictError, DomainError
from core.notices.model import Notice
from handlers.chat.routes import Route
from handlers.turn import KEEP, SILENCE, Conversation, Rendered, Reply, TurnKind
from tests.bot.conftest import Home
from tests.servers import Process, RedisServer

PERSON, OTHER = "oTESTabcdefghijklmnopqrstuvw", "oOTHERbcdefghijklmnopqrstuvw"
NAMES = {"hotline_phone": "12345", "hotline_hours": "每天", "account_name": "汇治理"}
TEXTS = Texts(constants=NAMES)
BUSY, BROKEN = "系统正忙", "抱歉，系统出了点问题"
WINDOW_SECONDS = 48 * 3600

Handler = Callable[[Turn, Session], Reply]


def _says(words: str, **more: Any) -> Reply:
    return Reply(template="service/rest", values={"rest": Rendered(words)}, **more)


def _turn(words: str, number: int = 1, **more: Any) -> Turn:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "key": f"{more.get('openid', PERSON)}:{number}",
        "openid": PERSON,
        "account": "gh_1",
        "kind": TurnKind.TEXT,
        "sent_at": now,
        "now": now,
        "text": words,
    }
    return Turn(**(values | more))


@dataclass
class Desk:
    """Dispatchers on one home, with routes named by the first word of a message."""

    database: Database
    make_store: Callable[[], Store]
    routes: dict[str, Handler] = field(default_factory=dict)
    handled: list[str] = field(default_factory=list)
    rings: list[float] = field(default_factory=list)
    dispatchers: list[Dispatcher] = field(default_factory=list)

    def find_route(self, turn: Turn) -> Route:
        name = turn.text.split()[0]

        def answer(turn: Turn, session: Session) -> Reply:
            self.handled.append(turn.text)
            return self.routes[name](turn, session)

        return Route(
            name,
            lambda _: True,
            answer,
            writes=name.startswith("write"),
            is_quick=name.startswith("quick"),
        )

    def open(self, **options: Any) -> Dispatcher:
        made = Dispatcher(
            database=options.pop("database", self.database),
            store=options.pop("store", None) or self.make_store(),
            texts=TEXTS,
            wake_delivery=lambda: self.rings.append(time.monotonic()),
            **{"find_route": self.find_route, **options},
        )
        self.dispatchers.append(made)
        return made

    def notices(self) -> list[Notice]:
        with self.database.reading() as session:
            rows = select(Notice).options(undefer(Notice.body)).order_by(Notice.id)
            return list(session.scalars(rows))

    def wait_for_notices(self, count: int) -> list[Notice]:
        deadline = time.monotonic() + 5
        while len(found := self.notices()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def close(self) -> None:
        while self.dispatchers:
            self.dispatchers.pop().close()


@contextmanager
def _desk(database: Database, make_store: Callable[[], Store]) -> Iterator[Desk]:
    desk = Desk(database, make_store)
    desk.routes["echo"] = lambda turn, _: _says(f"re: {turn.text}")
    desk.routes["write"] = lambda turn, _: _says(f"written: {turn.text}")
    yield desk
    desk.close()


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with _desk(home.database, home.make) as desk:
        yield desk


@pytest.fixture
def small_desk(sqlite_database: Database) -> Iterator[Desk]:
    """For what does not depend on the home of the state."""
    with _desk(sqlite_database, lambda: TableStore(sqlite_database)) as desk:
        yield desk


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the dispatcher logs."""
    capture = LogCapture()
    monkeypatch.setattr(dispatch, "log", structlog.wrap_logger(None, processors=[capture]))
    return capture.entries


def _in_background(act: Callable[[], Answer]) -> Future[Answer]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(act)
    pool.shutdown(wait=False)
    return future


class Gate:
    """A handler that stops in the middle until it is told to go on."""

    def __init__(self, words: str = "done") -> None:
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.words = words

    def __call__(self, turn: Turn, session: Session) -> Reply:
        session.execute(text("SELECT 1"))  # now a transaction that writes holds SQLite
        self.entered.set()
        assert self.go_on.wait(10)
        return _says(self.words)


# --- twice is once ------------------------------------------------------------------------------


def test_same_message_is_handled_once_and_answered_alike(desk: Desk) -> None:
    one, other = desk.open(), desk.open()
    first = one.answer(_turn("echo hello"))
    assert first == Answer(AnswerKind.TEXT, "re: echo hello")
    assert one.answer(_turn("echo hello")) == first
    assert other.answer(_turn("echo hello")) == first
    assert desk.handled == ["echo hello"]


def test_sent_again_while_the_first_works_waits_for_the_same_answer(desk: Desk) -> None:
    gate = desk.routes["slow"] = Gate()
    one, other = desk.open(), desk.open()
    first = _in_background(lambda: one.answer(_turn("slow")))
    assert gate.entered.wait(5)
    again = [_in_background(lambda d=d: d.answer(_turn("slow"))) for d in (one, other)]
    time.sleep(0.1)
    assert not any(future.done() for future in [first, *again])
    gate.go_on.set()
    answers = {future.result(5) for future in [first, *again]}
    assert answers == {Answer(AnswerKind.TEXT, "done")}
    assert desk.handled == ["slow"]


def test_four_deliveries_at_once_are_handled_once(desk: Desk) -> None:
    dispatchers = [desk.open() for _ in range(2)]
    for number in range(4):
        turn = _turn(f"echo {number}", number)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda n, turn=turn: dispatchers[n % 2].answer(turn), range(4)))
        assert set(answers) == {Answer(AnswerKind.TEXT, f"re: echo {number}")}
    assert desk.handled == [f"echo {number}" for number in range(4)]


# --- at once ------------------------------------------------------------------------------------


def test_quick_question_is_answered_in_the_thread_of_the_request(
    sqlite_database: Database, redis_url: str
) -> None:
    threads = []

    def note(turn: Turn, _session: Session) -> Reply:
        threads.append(threading.current_thread())
        return _says(turn.text)

    with _desk(sqlite_database, lambda: RedisStore(redis_url)) as desk:
        desk.routes |= {"quick": note, "slow": note}
        one = desk.open()
        assert one.answer(_turn("quick a", 1)).text == "quick a"
        assert one.answer(_turn("slow b", 2)).text == "slow b"
        assert one.answer(_turn("quick a", 1)).text == "quick a"
    assert threads[0] is threading.current_thread()
    assert threads[1] is not threading.current_thread()
    assert len(threads) == 2


def test_quick_question_that_fails_is_tried_again_by_the_pool(desk: Desk) -> None:
    failures = [OperationalError("SELECT", {}, Exception("gone")), None]

    def fail_once(_turn: Turn, _session: Session) -> Reply:
        if (failure := failures.pop(0)) is not None:
            raise failure
        return _says("again")

    desk.routes["quick"] = fail_once
    dispatcher = desk.open()
    said = dispatcher.answer(_turn("quick")).text
    # Without Redis nothing is done at once, so the failure is what is told.
    assert said == "again" if isinstance(desk.make_store(), RedisStore) else BUSY in said


def test_quick_question_waits_behind_the_earlier_message_of_its_person(desk: Desk) -> None:
    gate = desk.routes["write"] = Gate()
    desk.routes["quick"] = lambda turn, _: _says(f"after {turn.text}")
    one, other = desk.open(), desk.open()
    first = _in_background(lambda: one.answer(_turn("write", 1)))
    assert gate.entered.wait(5)
    second = _in_background(lambda: other.answer(_turn("quick", 2)))
    time.sleep(0.1)
    assert not second.done()
    gate.go_on.set()
    assert first.result(5).text == "done"
    assert second.result(5).text == "after quick"
    assert desk.handled == ["write", "quick"]


def test_read_that_waits_for_a_locked_table_is_answered_late_and_right(
    postgres_database: Database, redis_url: str
) -> None:
    def read(_turn: Turn, session: Session) -> Reply:
        return _says(f"{session.scalar(select(Notice.id).limit(1))} read")

    with _desk(postgres_database, lambda: RedisStore(redis_url)) as desk:
        desk.routes["quick"] = read
        dispatcher = desk.open(budget_seconds=3.0)
        with postgres_database.transaction() as blocker:
            blocker.execute(text("LOCK TABLE notice IN ACCESS EXCLUSIVE MODE"))
            began = time.monotonic()
            assert dispatcher.answer(_turn("quick")) == SILENT
            assert time.monotonic() - began < 4
        assert [notice.body for notice in desk.wait_for_notices(1)] == ["None read"]


CHILD = """
import os, sys, time, types
from collections import namedtuple
from pathlib import Path
from datetime import datetime, UTC

# The real table takes seconds to load, and is not what is tried here.
table = sys.modules["handlers.chat.routes"] = types.ModuleType("handlers.chat.routes")
table.Route, table.route_for = namedtuple("Route", "name answer writes is_quick"), None

from bot.dispatch import Dispatcher
from bot.redis_store import RedisStore
from bot.table_store import TableStore
from bot.texts import Texts
from core.db import Database
from handlers.turn import Rendered, Reply, Turn, TurnKind
import core.notices.model, core.people.model, core.places.model

person, mode, marks = sys.argv[1], sys.argv[2], Path(sys.argv[3])
database = Database(os.environ["DATABASE_URL"])
lease = {"lease_seconds": 1.0}
url = os.environ["REDIS_URL"]
store = RedisStore(url, **lease) if url else TableStore(database, **lease)

def answer(turn, session):
    with marks.open("a") as file:
        file.write(turn.text + "\\n")
    time.sleep(60 if mode == "hang" else 0.02)
    return Reply(template="service/rest", values={"rest": Rendered("by " + mode)})

d = Dispatcher(database=database, store=store, texts=Texts(constants=%r),
    wake_delivery=lambda: None, find_route=lambda turn: table.Route("r", answer, False, False))
marks.with_suffix("." + mode).touch()
if mode != "hang":
    while not marks.with_suffix(".start").exists():
        time.sleep(0.005)
for number in range(1 if mode == "hang" else 12):
    now = datetime.now(UTC)
    turn = Turn(key=f"{person}:{number}", openid=person, account="gh", kind=TurnKind.TEXT,
        sent_at=now, now=now, text=str(number))
    print(d.answer(turn).text, flush=True)
d.close()
""" % (NAMES,)  # noqa: UP031  braces are the program's


def _child(home: Home, tmp_path: Path, mode: str) -> Process:
    program = tmp_path / "child.py"
    program.write_text(CHILD)
    command = [sys.executable, str(program), PERSON, mode, str(tmp_path / "marks.txt")]
    return Process(
        command,
        log=tmp_path / f"{mode}.log",
        env=home.env | {"PYTHONPATH": str(Path(dispatch.__file__).parent.parent)},
    )


def _wait_for(is_ready: Callable[[], bool], *children: Process) -> None:
    deadline = time.monotonic() + 30
    while not is_ready():
        assert time.monotonic() < deadline, [child.output() for child in children]
        time.sleep(0.02)


def test_two_processes_handle_each_message_once_in_order(home: Home, tmp_path: Path) -> None:
    children = [_child(home, tmp_path, mode) for mode in ("one", "two")]
    marks = tmp_path / "marks.txt"
    _wait_for(
        lambda: all(marks.with_suffix(f".{mode}").exists() for mode in ("one", "two")), *children
    )
    marks.with_suffix(".start").touch()
    _wait_for(lambda: not any(child.is_running() for child in children), *children)
    said = [child.output().splitlines() for child in children]
    assert [child.stop() for child in children] == [0, 0], said
    assert said[0] == said[1]
    assert len(said[0]) == 12
    assert marks.read_text().split() == [str(number) for number in range(12)]


def test_message_of_a_killed_process_is_handled_when_it_is_sent_again(
    home: Home, tmp_path: Path
) -> None:
    child = _child(home, tmp_path, "hang")
    _wait_for((tmp_path / "marks.txt").exists, child)
    child.kill()
    with _desk(home.database, home.make) as desk:
        again = replace(_turn("echo again"), key=f"{PERSON}:0")
        assert desk.open().answer(again).text == "re: echo again"


# --- order --------------------------------------------------------------------------------------


def test_messages_of_one_person_are_handled_one_after_the_other(desk: Desk) -> None:
    inside: list[str] = []
    overlaps: list[str] = []

    def handle(turn: Turn, session: Session) -> Reply:
        inside.append(turn.text)
        if len(inside) > 1:
            overlaps.append(turn.text)
        time.sleep(0.02)
        inside.remove(turn.text)
        count = turn.conversation.data["count"] if turn.conversation else 0
        assert isinstance(count, int)
        going_on = Conversation(name="counting", data={"count": count + 1})
        return _says(f"{count + 1}", conversation=going_on)

    desk.routes["count"] = handle
    dispatchers = [desk.open(), desk.open()]
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda n: dispatchers[n % 2].answer(_turn(f"count {n}", n)), range(6))
        )
    assert overlaps == []
    # Each saw what the one before it remembered.
    assert sorted(int(answer.text) for answer in answers) == [1, 2, 3, 4, 5, 6]


def test_messages_pass_in_the_order_in_which_they_came(desk: Desk) -> None:
    gate = desk.routes["slow"] = Gate()
    one, other = desk.open(), desk.open()
    futures = [_in_background(lambda: one.answer(_turn("slow", 0)))]
    assert gate.entered.wait(5)
    for number in (1, 2, 3):
        turn = _turn(f"echo {number}", number)
        dispatcher = (one, other)[number % 2]
        futures.append(_in_background(lambda d=dispatcher, turn=turn: d.answer(turn)))
        time.sleep(0.08)
    # Another person is not held up.
    assert other.answer(_turn("echo x", 9, openid=OTHER)).text == "re: echo x"
    gate.go_on.set()
    assert [future.result(5).text for future in futures][1:] == [f"re: echo {n}" for n in (1, 2, 3)]
    assert desk.handled == ["slow", "echo x", "echo 1", "echo 2", "echo 3"]


# --- in time or later ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["slow", "write_slow"])
def test_slow_answer_is_success_in_time_and_one_notice_later(desk: Desk, name: str) -> None:
    gate = desk.routes[name] = Gate("found after all")
    dispatcher = desk.open(budget_seconds=0.25)
    started = time.monotonic()
    assert dispatcher.answer(_turn(name)).kind is AnswerKind.SILENCE
    assert time.monotonic() - started < 1.5
    assert desk.notices() == []
    if name == "slow" or isinstance(desk.make_store(), RedisStore):
        # Sent again meanwhile, perhaps to another process: it keeps the peace. (A handler that
        # writes to SQLite keeps the state beside it busy too.)
        assert desk.open(budget_seconds=0.25).answer(_turn(name)).kind is AnswerKind.SILENCE
    gate.go_on.set()
    (notice,) = desk.wait_for_notices(1)
    assert (notice.kind, notice.openid) == ("late_reply", PERSON)
    assert notice.body == "found after all"
    desk.close()
    assert desk.open().answer(_turn(name)).kind is AnswerKind.SILENCE
    assert len(desk.notices()) == 1
    assert desk.handled == [name]
    assert len(desk.rings) == 1


def test_budget_is_below_the_five_seconds_of_the_platform() -> None:
    assert dispatch.BUDGET_SECONDS == 4.5


def test_message_that_waits_too_long_behind_a_slow_one_is_answered_later(desk: Desk) -> None:
    gate = desk.routes["slow"] = Gate("first")
    dispatcher = desk.open(budget_seconds=0.25)
    first = _in_background(lambda: dispatcher.answer(_turn("slow", 1)))
    assert gate.entered.wait(5)
    assert dispatcher.answer(_turn("echo second", 2)).kind is AnswerKind.SILENCE
    assert first.result(5).kind is AnswerKind.SILENCE
    gate.go_on.set()
    assert [notice.body for notice in desk.wait_for_notices(2)] == ["first", "re: echo second"]
    # And nobody is held up by it afterwards.
    started = time.monotonic()
    assert desk.open().answer(_turn("echo third", 3)).text == "re: echo third"
    assert time.monotonic() - started < 2


def test_slow_handover_is_made_up_for_with_words(small_desk: Desk) -> None:
    gate = Gate()

    def hand_over(turn: Turn, session: Session) -> Reply:
        gate(turn, session)
        return _says("请拨打 12345", handover=True)

    small_desk.routes["human"] = hand_over
    assert small_desk.open(budget_seconds=0.2).answer(_turn("human")).kind is AnswerKind.SILENCE
    gate.go_on.set()
    assert [notice.body for notice in small_desk.wait_for_notices(1)] == ["请拨打 12345"]


def test_slow_failure_is_told_later_too(small_desk: Desk) -> None:
    gate = Gate()

    def fail(turn: Turn, session: Session) -> Reply:
        gate(turn, session)
        raise ConflictError

    small_desk.routes["write_fail"] = fail
    dispatcher = small_desk.open(budget_seconds=0.2)
    assert dispatcher.answer(_turn("write_fail")).kind is AnswerKind.SILENCE
    gate.go_on.set()
    (notice,) = small_desk.wait_for_notices(1)
    assert notice.body is not None
    assert notice.body.startswith("情况刚刚有变化")


def test_slow_silence_sends_nothing(small_desk: Desk) -> None:
    gate = Gate()

    def keep_quiet(turn: Turn, session: Session) -> Reply:
        gate(turn, session)
        return SILENCE

    small_desk.routes["write_quiet"] = keep_quiet
    assert small_desk.open(budget_seconds=0.2).answer(_turn("write_quiet")).text == ""
    gate.go_on.set()
    small_desk.close()
    assert small_desk.notices() == []


def test_message_that_found_no_free_thread_is_answered_later(small_desk: Desk) -> None:
    gate = small_desk.routes["slow"] = Gate("first")
    dispatcher = small_desk.open(budget_seconds=0.2, threads=1)
    assert dispatcher.answer(_turn("slow", 1)).text == ""
    assert dispatcher.answer(_turn("echo x", 2, openid=OTHER)).text == ""
    gate.go_on.set()
    found = {(notice.openid, notice.body) for notice in small_desk.wait_for_notices(2)}
    assert found == {(PERSON, "first"), (OTHER, "re: echo x")}


# --- failures -----------------------------------------------------------------------------------


def _raising(error: Exception) -> Handler:
    def fail(turn: Turn, session: Session) -> Reply:
        raise error

    return fail


class _NoTextError(DomainError):
    code = "has_no_template_at_all"


@pytest.mark.parametrize(
    ("error", "words", "event"),
    [
        pytest.param(ValueError(f"bug with {PERSON}"), BROKEN, "message failed", id="bug"),
        pytest.param(KeyError("x"), BROKEN, "message failed", id="key"),
        pytest.param(ConflictError(), "情况刚刚有变化", "message refused", id="domain"),
        pytest.param(_NoTextError(), BROKEN, "message failed", id="domain-without-text"),
        pytest.param(
            OperationalError("SELECT", {}, Exception("gone")),
            BUSY,
            "database unavailable",
            id="database-away",
        ),
        pytest.param(
            IntegrityError("INSERT", {}, Exception("twice")),
            BROKEN,
            "message failed",
            id="integrity",
        ),
    ],
)
@pytest.mark.parametrize("name", ["fail", "write_fail"])
def test_failure_is_answered_kept_and_leaves_the_conversation(
    small_desk: Desk, logged: list[Any], name: str, error: Exception, words: str, event: str
) -> None:
    small_desk.routes["begin"] = lambda *_: _says(
        "which one?", conversation=Conversation(name="choose", data={"options": [1, 2]})
    )
    seen: list[Conversation | None] = []

    def look(turn: Turn, session: Session) -> Reply:
        seen.append(turn.conversation)
        return _says("seen")

    small_desk.routes["look"] = look
    small_desk.routes[name] = _raising(error)
    dispatcher = small_desk.open()
    dispatcher.answer(_turn("begin", 1))
    first = dispatcher.answer(_turn(name, 2))
    assert first.text.startswith(words)
    assert dispatcher.answer(_turn(name, 2)) == first
    assert small_desk.handled == ["begin", name]
    assert logged[-1]["event"] == event
    assert PERSON not in str({k: v for k, v in logged[0].items() if k != "exc_info"})
    dispatcher.answer(_turn("look", 3))
    assert seen == [Conversation(name="choose", data={"options": [1, 2]})]


def test_bug_in_the_table_of_routes_is_answered_and_holds_nobody_up(
    small_desk: Desk, logged: list[Any]
) -> None:
    def broken(turn: Turn) -> Route:
        raise IndexError

    dispatcher = small_desk.open(find_route=broken)
    started = time.monotonic()
    assert dispatcher.answer(_turn("x", 1)).text.startswith(BROKEN)
    assert dispatcher.answer(_turn("y", 2)).text.startswith(BROKEN)
    assert time.monotonic() - started < 3
    assert [entry["event"] for entry in logged] == ["message failed"] * 2


def test_failed_handler_leaves_nothing_half_done(small_desk: Desk) -> None:
    with small_desk.database.transaction() as session:
        session.execute(text("CREATE TABLE note (words TEXT)"))

    def write_and_fail(turn: Turn, session: Session) -> Reply:
        session.execute(text("INSERT INTO note VALUES ('half')"))
        raise ConflictError

    def write(turn: Turn, session: Session) -> Reply:
        session.execute(text("INSERT INTO note VALUES ('whole')"))
        return _says("written")

    small_desk.routes |= {"write_fail": write_and_fail, "write": write}
    dispatcher = small_desk.open()
    dispatcher.answer(_turn("write_fail", 1))
    dispatcher.answer(_turn("write", 2))
    with small_desk.database.reading() as session:
        assert session.execute(text("SELECT words FROM note")).scalars().all() == ["whole"]


def test_unreadable_memory_of_another_release_is_forgotten(
    small_desk: Desk, logged: list[Any]
) -> None:
    store = small_desk.make_store()
    dispatcher = small_desk.open(store=store)
    for number, memory in enumerate(("not json", "[]", '{"n": "choose"}', '"x"')):
        store.claim(f"old{number}", PERSON, owner="a")
        store.finish(f"old{number}", PERSON, owner="a", answer="t", memory=memory)
        assert dispatcher.answer(_turn(f"echo {number}", number)).text == f"re: echo {number}"
    assert logged


# --- without the store or the database ----------------------------------------------------------


def test_redis_that_dies_is_noted_and_what_only_reads_goes_on(
    redis_server: RedisServer, sqlite_database: Database, logged: list[Any]
) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    with _desk(sqlite_database, lambda: store) as desk:
        dispatcher = desk.open()
        assert dispatcher.answer(_turn("write one", 1)).text == "written: write one"
        redis_server.process.kill()
        assert dispatcher.answer(_turn("echo two", 2)).text == "re: echo two"
        assert dispatcher.answer(_turn("write three", 3)).text.startswith(BUSY)
        assert desk.handled == ["write one", "echo two"]
        assert [(entry["event"], entry["route"]) for entry in logged] == [
            ("answered without the store", "echo"),
            ("refused without the store", "write"),
        ]
        redis_server.start()
        _recover(store)
        assert dispatcher.answer(_turn("write three", 3)).text == "written: write three"
        assert dispatcher.answer(_turn("echo four", 4)).text == "re: echo four"


def _recover(store: Store) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            store.ping()
        except StoreUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("name", ["slow", "write_slow"])
def test_redis_that_dies_while_a_message_is_in_work_does_not_undo_it(
    redis_server: RedisServer, sqlite_database: Database, logged: list[Any], name: str
) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    with _desk(sqlite_database, lambda: store) as desk:
        gate = desk.routes[name] = Gate()
        dispatcher = desk.open()
        first = _in_background(lambda: dispatcher.answer(_turn(name)))
        assert gate.entered.wait(5)
        redis_server.process.kill()
        gate.go_on.set()
        assert first.result(5).text == "done"
        assert [entry["event"] for entry in logged] == ["answer not kept"]


def test_failure_without_the_store_is_answered_politely(
    small_desk: Desk, redis_server: RedisServer, logged: list[Any]
) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    redis_server.process.kill()
    small_desk.routes["bug"] = _raising(ValueError("x"))
    small_desk.routes["refuse"] = _raising(ConflictError())
    small_desk.routes["away"] = _raising(OperationalError("SELECT", {}, Exception("gone")))
    dispatcher = small_desk.open(store=store)
    assert dispatcher.answer(_turn("bug", 1)).text.startswith(BROKEN)
    assert dispatcher.answer(_turn("refuse", 2)).text.startswith("情况刚刚有变化")
    assert dispatcher.answer(_turn("away", 3)).text.startswith(BUSY)


@pytest.mark.parametrize("name", ["read", "write"])
def test_database_that_is_down_is_answered_politely(
    small_desk: Desk, redis_url: str, tmp_path: Path, logged: list[Any], name: str
) -> None:
    away = Database(f"sqlite:///{tmp_path}/missing/folder.db")

    def query(turn: Turn, session: Session) -> Reply:
        session.execute(text("SELECT 1"))
        return _says("never")

    small_desk.routes[name] = query
    for store in (RedisStore(redis_url), TableStore(away)):
        dispatcher = small_desk.open(database=away, store=store)
        assert dispatcher.answer(_turn(name)).text.startswith(BUSY)
    assert logged
    assert all(entry["log_level"] == "warning" for entry in logged)


def test_postgresql_that_ends_in_the_middle_is_answered_politely(
    postgres_database: Database, redis_url: str, logged: list[Any]
) -> None:
    def cut_off(turn: Turn, session: Session) -> Reply:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return _says("never")

    with _desk(postgres_database, lambda: RedisStore(redis_url)) as desk:
        desk.routes |= {"cut": cut_off, "write_cut": cut_off}
        dispatcher = desk.open()
        assert dispatcher.answer(_turn("cut", 1)).text.startswith(BUSY)
        assert dispatcher.answer(_turn("write_cut", 2)).text.startswith(BUSY)
        assert dispatcher.answer(_turn("echo x", 3)).text == "re: echo x"


# --- what is said -------------------------------------------------------------------------------


def test_long_answer_is_cut_and_read_on(small_desk: Desk) -> None:
    lines = [f"{number:03d} 田林十二村：一般风险（蓝色）" for number in range(150)]
    rests: list[str] = []

    def read_on(turn: Turn, session: Session) -> Reply:
        rests.append(turn.rest)
        return _says(turn.rest, conversation=turn.conversation)

    waiting = Conversation(name="choose", data={})
    small_desk.routes["list"] = lambda *_: _says("\n".join(lines), conversation=waiting)
    small_desk.routes["more"] = read_on
    dispatcher = small_desk.open()
    pages = [dispatcher.answer(_turn("list", 0)).text]
    while "继续" in pages[-1]:
        pages.append(dispatcher.answer(_turn("more", len(pages))).text)
    assert len(pages) > 2
    assert all(len(page.encode()) <= MAX_BYTES for page in pages)
    said = [line for page in pages for line in page.splitlines() if "继续" not in line]
    assert said == lines


@pytest.mark.parametrize(
    ("conversation", "after"),
    [
        pytest.param(KEEP, Conversation(name="before", data={}), id="kept"),
        pytest.param(None, None, id="ended"),
        pytest.param(
            Conversation(name="next", data={"a": 1}),
            Conversation(name="next", data={"a": 1}),
            id="next",
        ),
    ],
)
@pytest.mark.parametrize("template", ["service/thanks", ""], ids=["words", "silence"])
def test_reply_decides_what_becomes_of_the_conversation(
    small_desk: Desk, template: str, conversation: Any, after: Conversation | None
) -> None:
    seen: list[Conversation | None] = []

    def look(turn: Turn, session: Session) -> Reply:
        seen.append(turn.conversation)
        return _says("seen")

    begun = Conversation(name="before", data={})
    small_desk.routes["begin"] = lambda *_: _says("begun", conversation=begun)
    small_desk.routes["go"] = lambda *_: Reply(template=template, conversation=conversation)
    small_desk.routes["look"] = look
    dispatcher = small_desk.open()
    for number, words in enumerate(("begin", "go", "look")):
        dispatcher.answer(_turn(words, number))
    assert seen == [after]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(AnswerKind.TEXT, "h\nx"),
        Answer(AnswerKind.HANDOVER, "s"),
        Answer(AnswerKind.SILENCE),
    ],
)
def test_kept_answer_is_read_as_it_was_written(answer: Answer) -> None:
    assert Answer.load(answer.dump()) == answer


@pytest.mark.parametrize(
    ("more", "seconds", "left"),
    [
        pytest.param({}, WINDOW_SECONDS, 5, id="message"),
        pytest.param({"kind": TurnKind.IMAGE}, WINDOW_SECONDS, 5, id="picture"),
        pytest.param({"menu_id": "0"}, WINDOW_SECONDS, 5, id="tap-of-a-test-account"),
        pytest.param({"menu_id": "choose"}, 60, 3, id="tapped-option"),
        pytest.param({"kind": TurnKind.EVENT, "event": "click"}, 60, 3, id="menu"),
        pytest.param({"kind": TurnKind.EVENT, "event": "subscribe"}, 60, 3, id="follow"),
        pytest.param({"kind": TurnKind.EVENT, "event": "scan"}, 60, 3, id="scan"),
        pytest.param({"kind": TurnKind.EVENT, "event": "view"}, 0, 0, id="link-of-the-menu"),
        pytest.param({"kind": TurnKind.EVENT, "event": "unsubscribe"}, 0, 0, id="leave"),
        pytest.param({"kind": TurnKind.EVENT, "event": "location"}, 0, 0, id="place-reported"),
    ],
)
def test_window_for_customer_service_opens_as_the_platform_says(
    small_desk: Desk, more: dict[str, Any], seconds: int, left: int
) -> None:
    store = small_desk.make_store()
    turn = _turn("echo x", **more)
    small_desk.open(store=store).answer(turn)
    window = store.window(PERSON)
    if not seconds:
        assert window is None
    else:
        assert window is not None
        assert round(window.until - turn.now.timestamp()) == seconds
        assert window.left == left


def test_no_message_is_lost_however_the_threads_take_turns() -> None:
    pool = _Pool(4)
    done: list[int] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(3000):
            pool.submit(lambda number=number: done.append(number))
        pool.close()
    finally:
        sys.setswitchinterval(interval)

    assert sorted(done) == list(range(3000))
