"""What a link to a paper must look like."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

MAX_URL_LENGTH: Final = 500


def is_paper_url(url: str) -> bool:
    """Return whether a link can be sent to readers: a web address with a host and no sign-in."""
    if not url.isascii() or len(url) > MAX_URL_LENGTH or any(one <= " " for one in url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  reading it is what checks it
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
