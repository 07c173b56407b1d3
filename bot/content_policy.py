"""What a browser may load for a page: ours alone, and WeChat's script where a page uses it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_FIXED: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The script's tags draw themselves in frames of these addresses.
_TAG_FRAMES: Final = "frame-src https://*.qq.com webcompt:"

OWN_ALONE: Final = f"{_FIXED}; script-src 'self'"


def with_script(script_url: str) -> str:
    """Return the policy of a page that uses WeChat's script.

    Args:
        script_url: where the script is; below this application, nothing more is allowed.

    Source: docs/sources.md#wechat-script
    """
    parts = urlsplit(script_url)
    if not parts.netloc:
        return OWN_ALONE
    return f"{_FIXED}; script-src 'self' {parts.scheme}://{parts.netloc}; {_TAG_FRAMES}"
