"""Compiled templates that the applications of a test run share: each test builds a new one."""

from __future__ import annotations

from typing import Any

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

_SETTINGS = ("autoescape", "finalize", "trim_blocks", "lstrip_blocks", "undefined", "is_async")


class SharedTemplates(BytecodeCache):
    """Keeps what was compiled in memory; other settings or another source compile anew."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def get_bucket(
        self, environment: jinja2.Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        settings = "".join(f"|{getattr(environment, one)!r}" for one in _SETTINGS)
        return super().get_bucket(environment, f"{name}{settings}", filename, source)

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._compiled.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def share_templates() -> None:
    """Have every environment that is made from now on use one cache."""
    shared = SharedTemplates()
    make = jinja2.Environment.__init__

    def init(self: jinja2.Environment, *given: Any, **options: Any) -> None:
        make(self, *given, **options)
        self.bytecode_cache = self.bytecode_cache or shared

    jinja2.Environment.__init__ = init  # type: ignore[method-assign]
