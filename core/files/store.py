"""What keeps the bytes of files; the wire has the one that there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol


class FileStore(Protocol):
    """Keeps sealed bytes under a key; knows nothing of what is in them.

    Every method raises `FileUnavailableError` (core/files/service.py) when the store does not
    answer, does not let us in, or has no room.
    """

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key; the same key again replaces them."""

    def get(self, key: str) -> bytes:
        """Return the bytes of a key.

        Raises:
            FileUnavailableError: there are none, or the store does not answer.
        """

    def delete(self, key: str) -> None:
        """Forget the bytes of a key; one that is unknown is fine."""

    def list_keys(self, *, before: datetime) -> Iterator[list[str]]:
        """Yield the keys whose bytes were last written before an instant, some at a time.

        Args:
            before: aware instant.
        """
