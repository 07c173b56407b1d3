"""Opening what people handed in."""

from __future__ import annotations

from core.files.service import read_file
from handlers.console.visit import Visit
from handlers.page import Download


def open_file(visit: Visit, *, file_id: int) -> Download:
    """Return a file in the window of whoever asks, and record that they looked.

    Raises:
        FileNotKeptError: it is not kept, or not any more.
        FileUnavailableError: the store does not answer.
    """
    found = read_file(
        visit.writing(),
        files=visit.files,
        file_id=file_id,
        actor=f"staff:{visit.staff.staff_id}",
        now=visit.now,
    )
    return Download(
        content=found.content,
        media_type=found.media_type.value,
        filename=found.name,
        is_inline=True,
    )
