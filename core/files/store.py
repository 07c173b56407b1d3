"""What keeps the bytes of files; the wire has the one that there is."""

from __future__ import annotations

from typing import Protocol


class FileStore(Protocol):
    """Keeps sealed bytes under a key; knows nothing of what is in them."""

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key; the same key again replaces them."""

    def get(self, key: str) -> bytes:
        """Return the bytes of a key.

        Raises:
            FileUnavailableError: there are none, or the store does not answer.
        """

    def delete(self, key: str) -> None:
        """Forget the bytes of a key; one that is unknown is fine."""
