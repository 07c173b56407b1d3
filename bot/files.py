"""The store of files: a folder by default, an S3-compatible store where `FILES_URL` names one.

What it gets is sealed already (core/files): whoever reads the store reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from bot.settings import Settings
from core.files.service import FileUnavailableError

log = structlog.get_logger()

CONNECT_SECONDS: Final = 3
# Of one try: somebody waits for the page, with 10 MiB on their way.
CALL_SECONDS: Final = 15
MAX_RETRIES: Final = 2
RETRY_SECONDS: Final = 10
MAX_LOGGED: Final = 200
LIST_COUNT: Final = 1000

AnyStore: TypeAlias = LocalStore | S3Store


class ObjectFiles:
    """A `FileStore` by obstore."""

    def __init__(self, settings: Settings) -> None:
        """Keep files where the settings say; nothing is opened before the first use."""
        self._url = settings.files_url
        self._folder = settings.instance_dir / "files"

    @cached_property
    def _store(self) -> AnyStore:
        # Opened by the process that uses it: its threads would not survive a fork.
        parts = urlsplit(self._url)
        if parts.scheme != "s3":
            folder = Path(unquote(parts.path)) if parts.scheme else self._folder
            return LocalStore(prefix=folder, mkdir=True)
        return S3Store.from_url(
            self._url,
            # One request a file: not every compatible store has the one for many.
            config={"disable_bulk_delete": True},
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=CALL_SECONDS),
                # For a store on the operator's own network: what goes there is sealed, and the
                # secret key only signs.
                "allow_http": True,
            },
            retry_config={
                "max_retries": MAX_RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            },
        )

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key."""
        with _told("put"):
            # In one piece: a store without multipart uploads will do.
            obstore.put(self._store, key, content, use_multipart=False)

    def get(self, key: str) -> bytes:
        """Return the bytes of a key."""
        with _told("get"):
            return bytes(obstore.get(self._store, key).bytes())

    def delete(self, key: str) -> None:
        """Forget the bytes of a key."""
        with _told("delete"):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    def list_keys(self, *, before: datetime) -> Iterator[list[str]]:
        """Yield the keys whose bytes were last written before an instant, some at a time."""
        with _told("list"):
            for found in obstore.list(self._store, chunk_size=LIST_COUNT):
                if keys := [one["path"] for one in found if one["last_modified"] < before]:
                    yield keys


@contextmanager
def _told(operation: str) -> Iterator[None]:
    """Log what went wrong with the store, and tell the caller that it cannot be used now."""
    try:
        yield
    except (BaseError, OSError) as error:
        # The rest of the message is the library's inside; the first line names no secret.
        reason = str(error).partition("\n")[0][:MAX_LOGGED]
        log.error(  # noqa: TRY400  a stack tells nothing about a store that is down
            "file store failed", operation=operation, error=type(error).__name__, reason=reason
        )
        raise FileUnavailableError from error
