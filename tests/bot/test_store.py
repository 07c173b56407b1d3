"""One contract for every home of the state: Redis, a SQLite file, a PostgreSQL database."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from bot import redis_store
from bot.redis_store import RedisStore
from bot.store import (
    Claim,
    ClaimState,
    Store,
    StoreUnavailableError,
    Window,
    new_owner,
    open_store,
    window_of,
)
from bot.table_store import TableStore
from core.db import Database
from core.state.model import StateItem, StateMessage
from tests.bot.conftest import Home
from tests.servers import Process, RedisServer

PERSON, OTHER = "oPERSON", "oOTHER"
SHORT = 0.3  # seconds; of a lease that a test waits for
# Seconds that a test gives a loaded machine, to do something in time and for something to happen.
IN_TIME, PATIENCE = 2.0, 20.0
Found = TypeVar("Found")


def _together(count: int, act: Callable[[int], Found]) -> list[Found]:
    """Return what `count` threads found that started at the same moment."""
    gate = threading.Barrier(count)

    def run(number: int) -> Found:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def _eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, however slow the machine."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- messages -----------------------------------------------------------------------------------


def test_message_is_claimed_once_and_its_answer_kept(store: Store) -> None:
    assert store.claim("m", PERSON, owner="a") == Claim(ClaimState.MINE)
    assert store.claim("m", PERSON, owner="b").state is ClaimState.WORKING
    assert store.check("m", PERSON, owner="b").state is ClaimState.WORKING
    store.finish("m", PERSON, owner="a", answer="t你好", memory=None)
    answered = Claim(ClaimState.ANSWERED, answer="t你好")
    assert store.claim("m", PERSON, owner="b") == answered
    assert store.check("m", PERSON, owner="b") == answered


def test_repeated_command_finds_its_own_claim(store: Store) -> None:
    # As after a connection that broke behind the command.
    assert store.claim("m", PERSON, owner="a").state is ClaimState.MINE
    assert store.claim("m", PERSON, owner="a").state is ClaimState.MINE


def test_of_many_that_claim_together_one_has_it(home: Home) -> None:
    stores = [home.make() for _ in range(4)]
    for message in range(5):
        key = f"m{message}"
        claims = _together(
            4, lambda number, key=key: stores[number].claim(key, key, owner=new_owner())
        )
        states = sorted(claim.state.value for claim in claims)
        assert states == ["mine", "working", "working", "working"]


def test_messages_of_a_person_pass_in_order_and_others_are_not_held_up(store: Store) -> None:
    assert store.claim("1", PERSON, owner="a").state is ClaimState.MINE
    assert store.claim("2", PERSON, owner="b").state is ClaimState.QUEUED
    assert store.claim("3", PERSON, owner="c").state is ClaimState.QUEUED
    assert store.claim("x", OTHER, owner="d").state is ClaimState.MINE
    assert store.check("3", PERSON, owner="c").state is ClaimState.QUEUED
    store.finish("1", PERSON, owner="a", answer="t", memory=None)
    assert store.check("3", PERSON, owner="c").state is ClaimState.QUEUED
    assert store.check("2", PERSON, owner="b").state is ClaimState.MINE
    store.finish("2", PERSON, owner="b", answer="t", memory=None)
    assert store.check("3", PERSON, owner="c").state is ClaimState.MINE


def test_of_different_messages_that_arrive_together_one_is_handled_at_a_time(home: Home) -> None:
    stores = [home.make() for _ in range(4)]
    for round_number in range(8):
        person = f"o{round_number}"
        claims = _together(
            4,
            lambda number, person=person: stores[number].claim(
                f"{person}:{number}", person, owner=new_owner()
            ),
        )
        states = sorted(claim.state.value for claim in claims)
        assert states == ["mine", "queued", "queued", "queued"]


def test_memory_goes_from_message_to_message(store: Store) -> None:
    for key, memory, found in [
        ("1", '{"n":"choose"}', ""),
        ("2", None, '{"n":"choose"}'),
        ("3", "", '{"n":"choose"}'),
        ("4", None, ""),
    ]:
        assert store.claim(key, PERSON, owner="a") == Claim(ClaimState.MINE, memory=found)
        store.finish(key, PERSON, owner="a", answer="t", memory=memory)
    assert store.claim("x", OTHER, owner="a").memory == ""


def test_message_of_a_dead_worker_is_free_after_its_lease(home: Home) -> None:
    patient = home.make()
    patient.claim("x", OTHER, owner="alive")
    home.make(lease_seconds=SHORT).claim("m", PERSON, owner="dead")
    time.sleep(SHORT * 1.3)
    assert patient.check("x", OTHER, owner="a").state is ClaimState.WORKING
    assert patient.check("m", PERSON, owner="a").state is ClaimState.MINE
    assert patient.claim("m", PERSON, owner="b").state is ClaimState.WORKING


def test_of_many_that_take_over_from_a_dead_worker_one_has_it(home: Home) -> None:
    stores = [home.make(lease_seconds=SHORT) for _ in range(4)]
    for message in range(4):
        stores[0].claim(f"m{message}", f"o{message}", owner="dead")
    time.sleep(SHORT * 1.3)
    slow = [home.make() for _ in range(4)]
    for message in range(4):
        key, person = f"m{message}", f"o{message}"
        claims = _together(
            4,
            lambda number, key=key, person=person: (
                slow[number].claim(key, person, owner=new_owner())
                if number % 2
                else slow[number].check(key, person, owner=new_owner())
            ),
        )
        states = [claim.state for claim in claims]
        taken = [state for state in states if state in {ClaimState.MINE, ClaimState.QUEUED}]
        assert len(taken) == 1, states


def test_queue_moves_on_past_a_dead_worker(home: Home) -> None:
    store, short = home.make(), home.make(lease_seconds=IN_TIME)
    assert store.get("connected") is None
    short.claim("dead", PERSON, owner="dead")
    assert store.claim("2", PERSON, owner="a").state is ClaimState.QUEUED
    _eventually(lambda: store.check("2", PERSON, owner="a").state is ClaimState.MINE)
    # The dead one's message comes behind it when it is sent again.
    assert store.claim("dead", PERSON, owner="b").state is ClaimState.QUEUED
    store.finish("2", PERSON, owner="a", answer="t", memory=None)
    assert store.check("dead", PERSON, owner="b").state is ClaimState.MINE


def test_worker_that_stood_still_and_lost_its_message_changes_nothing(home: Home) -> None:
    store = home.make(lease_seconds=SHORT)
    store.claim("m", PERSON, owner="slow")
    time.sleep(SHORT * 1.3)
    patient = home.make()
    assert patient.check("m", PERSON, owner="quick").state is ClaimState.MINE
    store.finish("m", PERSON, owner="slow", answer="tslow", memory="slow")
    assert store.check("m", PERSON, owner="x").state is ClaimState.WORKING
    patient.finish("m", PERSON, owner="quick", answer="tquick", memory="quick")
    store.finish("m", PERSON, owner="slow", answer="tslow", memory="slow")
    assert store.claim("m", PERSON, owner="x").answer == "tquick"
    assert store.claim("n", PERSON, owner="x") == Claim(ClaimState.MINE, memory="quick")


def test_lease_that_ran_out_unnoticed_still_keeps_the_answer(home: Home) -> None:
    store = home.make(lease_seconds=SHORT)
    store.claim("m", PERSON, owner="a")
    time.sleep(SHORT * 1.3)
    store.finish("m", PERSON, owner="a", answer="t", memory="kept")
    assert store.claim("m", PERSON, owner="b").state is ClaimState.ANSWERED
    assert store.claim("n", PERSON, owner="b").memory == "kept"


def test_late_message_outlives_its_lease_and_holds_its_place(home: Home) -> None:
    store = home.make(lease_seconds=SHORT)
    store.claim("m", PERSON, owner="a")
    store.extend("m", owner="a")
    time.sleep(SHORT * 1.3)
    assert store.claim("m", PERSON, owner="b").state is ClaimState.LATE
    assert store.claim("n", PERSON, owner="c").state is ClaimState.QUEUED
    assert store.check("m", PERSON, owner="a").state is ClaimState.MINE
    store.finish("m", PERSON, owner="a", answer="s", memory=None)
    assert store.claim("m", PERSON, owner="b").state is ClaimState.ANSWERED


def test_message_that_waits_behind_another_may_be_late_and_is_still_its_owners(
    store: Store,
) -> None:
    store.claim("1", PERSON, owner="a")
    store.claim("2", PERSON, owner="b")
    store.extend("2", owner="b")
    assert store.check("2", PERSON, owner="b").state is ClaimState.QUEUED
    store.finish("1", PERSON, owner="a", answer="t", memory=None)
    assert store.check("2", PERSON, owner="b").state is ClaimState.MINE
    store.finish("2", PERSON, owner="b", answer="t", memory=None)
    assert store.claim("3", PERSON, owner="c").state is ClaimState.MINE


@pytest.mark.parametrize("moment", ["never-claimed", "another-owner", "answered"])
def test_extending_what_is_not_in_work_does_nothing(store: Store, moment: str) -> None:
    if moment != "never-claimed":
        store.claim("m", PERSON, owner="a")
    if moment == "answered":
        store.finish("m", PERSON, owner="a", answer="tkept", memory=None)
    store.extend("m", owner="b" if moment == "another-owner" else "a")
    if moment == "answered":
        assert store.claim("m", PERSON, owner="c").answer == "tkept"
        # And nobody is held up by it.
        assert store.claim("n", PERSON, owner="c").state is ClaimState.MINE
    else:
        state = store.claim("m", PERSON, owner="c").state
        assert state is (ClaimState.MINE if moment == "never-claimed" else ClaimState.WORKING)


def test_kept_answer_and_memory_expire(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (redis_store, sys.modules["bot.table_store"]):
        monkeypatch.setattr(module, "KEEP_SECONDS", 1)
        monkeypatch.setattr(module, "STATE_SECONDS", 1)
    store = home.make()
    store.claim("m", PERSON, owner="a")
    store.finish("m", PERSON, owner="a", answer="t", memory="kept")
    time.sleep(1.1)
    assert store.claim("m", PERSON, owner="b") == Claim(ClaimState.MINE, memory="")


# --- windows ------------------------------------------------------------------------------------


def test_window_opens_with_a_message_and_is_spent(store: Store) -> None:
    assert store.window(PERSON) is None
    until = time.time() + 3600
    store.claim("m", PERSON, owner="a", window=Window(until=until, left=2))
    for left in (2, 1, 0, 0):
        window = store.window(PERSON)
        assert window is not None
        assert (round(window.until), window.left) == (round(until), left)
        store.spend_window(PERSON)
    assert store.window(OTHER) is None
    store.spend_window(OTHER)
    assert store.window(OTHER) is None


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        pytest.param((3600, 5), (60, 3), 5, id="a-tap-does-not-shorten-it"),
        pytest.param((60, 3), (3600, 5), 5, id="a-message-lengthens-it"),
        pytest.param((3600, 1), (3601, 5), 5, id="a-new-message-fills-it-up"),
    ],
)
def test_longer_window_wins(
    store: Store, first: tuple[int, int], second: tuple[int, int], left: int
) -> None:
    now = time.time()
    for number, (seconds, count) in enumerate((first, second)):
        window = Window(until=now + seconds, left=count)
        store.claim(str(number), PERSON, owner="a", window=window)
        store.finish(str(number), PERSON, owner="a", answer="t", memory=None)
    found = store.window(PERSON)
    assert found is not None
    assert (round(found.until - now), found.left) == (max(first[0], second[0]), left)


def test_window_shuts(store: Store) -> None:
    store.claim("m", PERSON, owner="a", window=Window(until=time.time() + 0.1, left=5))
    time.sleep(0.15)
    assert store.window(PERSON) is None
    store.claim("n", PERSON, owner="b", window=Window(until=time.time() - 9, left=5))
    assert store.window(PERSON) is None


def test_sending_again_does_not_fill_the_window(store: Store) -> None:
    window = Window(until=time.time() + 3600, left=5)
    store.claim("m", PERSON, owner="a", window=window)
    store.spend_window(PERSON)
    store.claim("m", PERSON, owner="b", window=window)
    found = store.window(PERSON)
    assert found is not None
    assert found.left == 4


@pytest.mark.parametrize(
    ("kept", "left"), [(None, None), ("", None), ("1|5", None), ("99999999999.5|3", 3)], ids=str
)
def test_kept_window_is_read(kept: str | None, left: int | None) -> None:
    window = window_of(kept)
    assert (window.left if window else None) == left


# --- values, locks, limits, counters ------------------------------------------------------------


def test_value_is_kept_until_it_expires(store: Store) -> None:
    store.put("k", "一", seconds=60)
    assert store.get("k") == "一"
    store.put("k", "二", seconds=60)
    assert store.get("k") == "二"
    store.put("k", "三", seconds=0.05)
    _eventually(lambda: store.get("k") is None)


def test_new_value_is_kept_only_where_there_is_none(store: Store) -> None:
    assert store.put_new("k", "a", seconds=60)
    assert not store.put_new("k", "b", seconds=60)
    assert store.get("k") == "a"
    store.put("k", "a", seconds=0.05)
    _eventually(lambda: store.put_new("k", "c", seconds=60))
    assert store.get("k") == "c"


def test_of_many_that_keep_a_new_value_one_does(home: Home) -> None:
    stores = [home.make() for _ in range(4)]
    for number in range(4):
        key = f"k{number}"
        kept = _together(4, lambda n, key=key: stores[n].put_new(key, str(n), seconds=60))
        assert kept.count(True) == 1
        assert stores[0].get(key) == str(kept.index(True))


def test_value_is_forgotten_only_if_it_is_the_one_that_is_meant(store: Store) -> None:
    store.put("k", "a", seconds=60)
    store.delete("k", value="b")
    assert store.get("k") == "a"
    store.delete("k", value="a")
    assert store.get("k") is None
    store.put("k", "a", seconds=60)
    store.delete("k")
    assert store.get("k") is None
    store.delete("k")


def test_lock_is_held_by_one_and_let_go(store: Store) -> None:
    with store.lock("l", seconds=60) as held:
        assert held
        with store.lock("l", seconds=60) as second, store.lock("other", seconds=60) as third:
            assert (second, third) == (False, True)
        # One who did not get it has not let it go either.
        with store.lock("l", seconds=60) as fourth:
            assert not fourth
    with store.lock("l", seconds=60) as again:
        assert again


def test_lock_is_let_go_when_the_block_fails(store: Store) -> None:
    with pytest.raises(ValueError, match="bug"), store.lock("l", seconds=60):
        raise ValueError("bug")
    with store.lock("l", seconds=60) as held:
        assert held


def test_holder_that_lost_its_lock_does_not_open_the_next_ones(store: Store) -> None:
    with store.lock("l", seconds=0.05) as first:
        assert first
        second = store.lock("l", seconds=60, wait_seconds=PATIENCE)
        assert second.__enter__()
    with store.lock("l", seconds=60) as third:
        assert not third
    second.__exit__(None, None, None)
    with store.lock("l", seconds=60) as fourth:
        assert fourth


def test_lock_is_waited_for(home: Home) -> None:
    one, other = home.make(), home.make()
    inside: list[int] = []

    def enter(number: int) -> bool:
        with (one, other)[number].lock("l", seconds=60, wait_seconds=5) as held:
            inside.append(number)
            assert len(inside) == 1
            time.sleep(0.05)
            inside.clear()
            return held

    assert _together(2, enter) == [True, True]


def test_limit_lets_so_many_pass_in_a_window(store: Store) -> None:
    assert [store.hit("sms", limit=3, seconds=1000) for _ in range(5)] == [True] * 3 + [False] * 2
    assert store.hit("other", limit=3, seconds=1000)


def test_limit_begins_anew_with_the_next_window(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start)
    assert [store.hit("sms", limit=1, seconds=10) for _ in range(2)] == [True, False]
    monkeypatch.setattr(time, "time", lambda: start + 10)
    assert store.hit("sms", limit=1, seconds=10)


COUNTING = """
import os, sys
from bot.store import open_store
from core.db import Database
store = open_store(os.environ["REDIS_URL"], Database(os.environ["DATABASE_URL"]))
for _ in range(50):
    store.count("visits")
"""


def test_counter_counts_what_two_processes_count(home: Home, tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTING]
    processes = [
        Process(command, log=tmp_path / f"{number}.log", env=home.env) for number in range(2)
    ]
    while any(process.is_running() for process in processes):
        time.sleep(0.02)
    assert [process.stop() for process in processes] == [0, 0], processes[0].output()
    store = home.make()
    assert store.count("visits") == 101
    assert store.count("visits", by=9) == 110
    assert store.count("other", by=0) == 0


def test_sweep_deletes_what_expired_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start)
    store = TableStore(database, lease_seconds=10)
    store.put("old", "x", seconds=10)
    store.put("new", "x", seconds=60)
    store.claim("old", PERSON, owner="a")
    store.count("visits")
    assert store.sweep() == 0
    monkeypatch.setattr(time, "time", lambda: start + 10)
    assert store.sweep() == 2
    assert store.sweep() == 0
    assert store.get("new") == "x"
    assert store.count("visits") == 2
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(StateMessage)) == 0
        assert session.scalars(select(StateItem.key)).all() == ["new"]


def test_reading_does_not_wait_for_a_writer(database: Database) -> None:
    store = TableStore(database)
    store.put("k", "x", seconds=60)
    with database.transaction() as session:
        session.connection()  # the transaction begins, and on SQLite takes the lock
        assert store.get("k") == "x"
        assert store.window(PERSON) is None


def test_redis_sweeps_by_itself(redis_url: str) -> None:
    assert RedisStore(redis_url).sweep() == 0


def test_store_is_where_the_settings_say(sqlite_database: Database, redis_url: str) -> None:
    assert isinstance(open_store("", sqlite_database), TableStore)
    assert isinstance(open_store(redis_url, sqlite_database), RedisStore)


def test_owners_differ_within_and_between_threads() -> None:
    owners = [
        owner
        for batch in _together(4, lambda _: [new_owner() for _ in range(50)])
        for owner in batch
    ]
    assert len(set(owners)) == 200


# --- when it is gone ----------------------------------------------------------------------------


def test_redis_that_dies_is_unavailable_at_once_and_comes_back(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    store.ping()
    store.claim("m", PERSON, owner="a")
    redis_server.process.kill()
    for act in (
        store.ping,
        lambda: store.claim("n", PERSON, owner="a"),
        lambda: store.check("n", PERSON, owner="a"),
        lambda: store.finish("m", PERSON, owner="a", answer="t", memory=None),
        lambda: store.extend("m", owner="a"),
        lambda: store.get("k"),
        lambda: store.put("k", "v", seconds=1),
        lambda: store.put_new("k", "v", seconds=1),
        lambda: store.delete("k"),
        lambda: store.delete("k", value="v"),
        lambda: store.hit("h", limit=1, seconds=1),
        lambda: store.count("c"),
        lambda: store.window(PERSON),
        lambda: store.spend_window(PERSON),
    ):
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            act()
        assert time.monotonic() - started < 1
    redis_server.start()
    deadline = time.monotonic() + 5
    while True:
        try:
            # The new server knows no script either.
            claim = store.claim("m", PERSON, owner="b")
            break
        except StoreUnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert claim.state is ClaimState.MINE


def test_work_under_a_lock_is_not_undone_when_the_store_dies(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    with store.lock("l", seconds=60) as held:
        assert held
        redis_server.process.kill()


def test_database_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    store = TableStore(Database(f"sqlite:///{tmp_path}/missing/folder.db"))
    with pytest.raises(StoreUnavailableError):
        store.ping()
    with pytest.raises(StoreUnavailableError):
        store.claim("m", PERSON, owner="a")


def test_thread_that_only_sends_notices_a_restarted_server_and_piles_up_no_replies(
    redis_server: RedisServer,
) -> None:
    store = RedisStore(redis_server.url, timeout_seconds=0.3)
    other = RedisStore(redis_server.url, timeout_seconds=0.3)
    with ThreadPoolExecutor(1) as sender:

        def finish(number: int) -> None:
            store.finish(f"m{number}", PERSON, owner="a", answer=f"t{number}", memory=None)

        for number in range(50):
            assert other.claim(f"m{number}", PERSON, owner="a").state is ClaimState.MINE
            sender.submit(finish, number).result(5)
            _until(lambda n=number: other.claim(f"m{n}", PERSON, owner="b").answer == f"t{n}")
        assert sender.submit(lambda: store._lines._of_thread.unread).result(5) <= 1
        redis_server.process.kill()
        redis_server.start()
        _until(lambda: other.claim("m50", PERSON, owner="a").state is ClaimState.MINE)
        sender.submit(finish, 50).result(5)
        _until(lambda: other.claim("m50", PERSON, owner="b").answer == "t50")


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(StoreUnavailableError):
            if is_so():
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)
