"""Short-lived state in Redis, which is spoken to nowhere else.

Every compound step is one Lua script, and each thread has a connection of its own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import hiredis
import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.store import (
    ANSWERED,
    KEEP_SECONDS,
    LATE,
    LATE_LEASE_SECONDS,
    LEASE_SECONDS,
    STATE_SECONDS,
    WORKING,
    Claim,
    ClaimState,
    Store,
    StoreUnavailableError,
    Window,
    claim_of,
    window_of,
)

log = structlog.get_logger()

BREAKER_SECONDS = 1.0

# KEYS: message, queue, memory, window; ARGV: message key, working value, lease ms, window,
# seconds of the window.
_CLAIM: Final = """
local seen = redis.call('GET', KEYS[1])
if seen and seen ~= ARGV[2] then return {seen} end
if not seen then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], 600000)
  if ARGV[4] ~= '' then
    local bar = string.find(ARGV[4], '|', 1, true)
    local old = redis.call('GET', KEYS[4])
    local till = tonumber(string.sub(ARGV[4], 1, bar - 1))
    if not old or tonumber(string.sub(old, 1, string.find(old, '|', 1, true) - 1)) <= till then
      redis.call('SET', KEYS[4], ARGV[4], 'EX', ARGV[5])
    end
  end
end
if redis.call('LINDEX', KEYS[2], 0) == ARGV[1] then
  return {false, redis.call('GET', KEYS[3]) or ''}
end
return {false}
"""

# KEYS: message, queue, memory; ARGV: message key, working value, lease ms, prefix of messages,
# late value.
_CHECK: Final = """
local seen = redis.call('GET', KEYS[1])
if seen and seen ~= ARGV[2] and seen ~= ARGV[5] then return {seen} end
if not seen then
  redis.call('LREM', KEYS[2], 0, ARGV[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], 600000)
end
if seen ~= ARGV[5] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
local head = redis.call('LINDEX', KEYS[2], 0)
while head ~= ARGV[1] do
  local state = redis.call('GET', ARGV[4] .. head)
  if state and string.sub(state, 1, 1) ~= 'a' then return {false} end
  redis.call('LPOP', KEYS[2])
  head = redis.call('LINDEX', KEYS[2], 0)
end
return {false, redis.call('GET', KEYS[3]) or ''}
"""

# KEYS: message; ARGV: working value, late value, late lease s.
_EXTEND: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

# KEYS: message, queue, memory; ARGV: message key, answer, keep s, memory, memory s, owner.
_FINISH: Final = """
local seen = redis.call('GET', KEYS[1])
if seen and string.sub(seen, 2) ~= ARGV[6] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
if redis.call('LINDEX', KEYS[2], 0) == ARGV[1] then redis.call('LPOP', KEYS[2])
else redis.call('LREM', KEYS[2], 0, ARGV[1]) end
if ARGV[4] == '=' then return 1 end
if ARGV[4] == '' then redis.call('DEL', KEYS[3])
else redis.call('SET', KEYS[3], ARGV[4], 'EX', ARGV[5]) end
return 1
"""

_SPEND: Final = """
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local bar = string.find(old, '|', 1, true)
local left = tonumber(string.sub(old, bar + 1)) - 1
redis.call('SET', KEYS[1], string.sub(old, 1, bar) .. math.max(left, 0), 'KEEPTTL')
return left
"""

_DELETE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class _Lines:
    """A connection for each thread that runs scripts.

    The client's own way costs three times as much for every command: it takes a connection from
    a pool, looks whether it is fit, sends one command, and gives it back.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._of_thread = threading.local()

    def call(self, *command: Any) -> Any:
        """Return the reply to one command.

        As the client does, it is sent once more where the connection broke: one that idled may
        have been closed by the server.
        """
        packed = (hiredis.pack_command(command),)
        connection = self._connection()
        try:
            connection.send_packed_command(packed, check_health=False)
            self._read_unread(connection)
            return connection.read_response()
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
            self._drop(connection)
        connection.send_packed_command(packed, check_health=False)
        return connection.read_response()

    def post(self, *command: Any) -> None:
        """Send a command whose reply nobody waits for; the thread's next one reads it."""
        packed = (hiredis.pack_command(command),)
        connection = self._connection()
        try:
            self._read_arrived(connection)
            connection.send_packed_command(packed, check_health=False)
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
            self._drop(connection)
            connection.send_packed_command(packed, check_health=False)
        self._of_thread.unread += 1

    def _connection(self) -> Any:
        connection = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._pool.make_connection()
            self._of_thread.unread = 0
        return connection

    def _read_arrived(self, connection: Any) -> None:
        """Read the replies that are there, so that a thread which only sends piles up none.

        A server that is gone does not make sending fail. Reading shows it, behind the last reply.
        """
        while connection.can_read(timeout=0) and self._of_thread.unread:
            self._read_one(connection)

    def _read_unread(self, connection: Any) -> None:
        while self._of_thread.unread:
            self._read_one(connection)

    def _read_one(self, connection: Any) -> None:
        self._of_thread.unread -= 1
        try:
            connection.read_response()
        except redis.exceptions.ResponseError as error:
            log.warning("command refused", store="redis", error=type(error).__name__)

    def _drop(self, connection: Any) -> None:
        connection.disconnect()
        self._of_thread.unread = 0


class _Script:
    """A Lua script that is sent by its digest, and in full once after Redis forgot it."""

    def __init__(self, client: redis.Redis, lines: _Lines, text: str) -> None:
        self._client = client
        self._lines = lines
        self._text = text
        self._digest = ""

    def __call__(self, *keys_and_arguments: Any, keys: int) -> Any:
        if self._digest:
            try:
                return self._lines.call("EVALSHA", self._digest, keys, *keys_and_arguments)
            except redis.exceptions.NoScriptError:
                pass
        self._digest = self._client.script_load(self._text)
        return self._lines.call("EVALSHA", self._digest, keys, *keys_and_arguments)

    def post(self, *keys_and_arguments: Any, keys: int) -> None:
        """Run the script without waiting for what it returns.

        It is sent in full: nobody would hear that Redis forgot its digest.
        """
        self._lines.post("EVAL", self._text, keys, *keys_and_arguments)


class RedisStore(Store):
    """State in Redis; every compound step is one script, so it is atomic and one round trip."""

    is_quick = True

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "hzl:",
        timeout_seconds: float = 0.5,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """Prepare the connection; nothing connects yet.

        Args:
            url: `redis://…`, `rediss://…` or `unix://…`.
            prefix: before every key.
            timeout_seconds: of connecting and of each command.
            lease_seconds: after which the message of a dead worker is free.
        """
        self._lease_ms = int(lease_seconds * 1000)
        self._prefix = prefix
        self._client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # One more try at once: a connection that idled may have been closed by the server.
            retry=Retry(NoBackoff(), 1),
            health_check_interval=0,
        )
        self._lines = lines = _Lines(self._client)
        self._claim_script = _Script(self._client, lines, _CLAIM)
        self._check_script = _Script(self._client, lines, _CHECK)
        self._extend_script = _Script(self._client, lines, _EXTEND)
        self._finish_script = _Script(self._client, lines, _FINISH)
        self._spend_script = _Script(self._client, lines, _SPEND)
        self._delete_script = _Script(self._client, lines, _DELETE)
        self._closed_until = 0.0

    def _run(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        # A dead server must not cost every message the full timeout.
        if time.monotonic() < self._closed_until:
            raise StoreUnavailableError("redis")
        try:
            return command(*arguments, **options)
        except (redis.exceptions.RedisError, OSError) as error:
            self._closed_until = time.monotonic() + BREAKER_SECONDS
            log.warning("store unavailable", store="redis", error=type(error).__name__)
            raise StoreUnavailableError("redis") from error

    def _keys(self, key: str, openid: str) -> tuple[str, str, str]:
        prefix = self._prefix
        return f"{prefix}m:{key}", f"{prefix}q:{openid}", f"{prefix}p:{openid}"

    def claim(self, key: str, openid: str, *, owner: str, window: Window | None = None) -> Claim:  # noqa: D102
        found = self._run(
            self._claim_script,
            *self._keys(key, openid),
            f"{self._prefix}w:{openid}",
            key,
            WORKING + owner,
            self._lease_ms,
            f"{window.until}|{window.left}" if window else "",
            max(math.ceil(window.until - time.time()), 1) if window else 0,
            keys=4,
        )
        return self._read(found, owner)

    def check(self, key: str, openid: str, *, owner: str) -> Claim:  # noqa: D102
        found = self._run(
            self._check_script,
            *self._keys(key, openid),
            key,
            WORKING + owner,
            self._lease_ms,
            f"{self._prefix}m:",
            LATE + owner,
            keys=3,
        )
        return self._read(found, owner)

    @staticmethod
    def _read(found: list[Any], owner: str) -> Claim:
        if found[0]:
            return claim_of(found[0], owner) or Claim(ClaimState.WORKING)
        if len(found) == 1:
            return Claim(ClaimState.QUEUED)
        return Claim(ClaimState.MINE, memory=found[1])

    def extend(self, key: str, *, owner: str) -> None:  # noqa: D102
        self._run(
            self._extend_script,
            f"{self._prefix}m:{key}",
            WORKING + owner,
            LATE + owner,
            int(LATE_LEASE_SECONDS),
            keys=1,
        )

    def finish(  # noqa: D102
        self, key: str, openid: str, *, owner: str, answer: str, memory: str | None
    ) -> None:
        # The platform need not wait for Redis to say yes: what is sent now is done before any
        # later command of this thread, and a re-send that overtakes it only looks again.
        self._run(
            self._finish_script.post,
            *self._keys(key, openid),
            key,
            ANSWERED + answer,
            KEEP_SECONDS,
            "=" if memory is None else memory,
            STATE_SECONDS,
            owner,
            keys=3,
        )

    def get(self, key: str) -> str | None:  # noqa: D102
        value: str | None = self._run(self._client.get, self._prefix + key)
        return value

    def put(self, key: str, value: str, *, seconds: float) -> None:  # noqa: D102
        self._run(self._client.set, self._prefix + key, value, px=max(int(seconds * 1000), 1))

    def put_new(self, key: str, value: str, *, seconds: float) -> bool:  # noqa: D102
        return bool(
            self._run(
                self._client.set, self._prefix + key, value, px=max(int(seconds * 1000), 1), nx=True
            )
        )

    def delete(self, key: str, *, value: str | None = None) -> None:  # noqa: D102
        if value is None:
            self._run(self._client.delete, self._prefix + key)
        else:
            self._run(self._delete_script, self._prefix + key, value, keys=1)

    def hit(self, name: str, *, limit: int, seconds: int) -> bool:  # noqa: D102
        key = f"{self._prefix}hit:{name}:{int(time.time()) // seconds}"
        pipeline = self._client.pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds + 1)
        return bool(self._run(pipeline.execute)[0] <= limit)

    def count(self, name: str, by: int = 1) -> int:  # noqa: D102
        return int(self._run(self._client.incrby, f"{self._prefix}count:{name}", by))

    def window(self, openid: str) -> Window | None:  # noqa: D102
        value = self._run(self._client.get, f"{self._prefix}w:{openid}")
        return window_of(value)

    def spend_window(self, openid: str) -> None:  # noqa: D102
        self._run(self._spend_script, f"{self._prefix}w:{openid}", keys=1)

    def ping(self) -> None:  # noqa: D102
        self._run(self._client.ping)

    def sweep(self) -> int:  # noqa: D102
        return 0
