"""Structured log lines: constant messages with ids, JSON in production, no personal data."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Final

import structlog
from jinja2 import TemplateError

from bot.settings import Settings

# Their messages are written by programs about programs. Any other message may quote what a person
# wrote, or the row that a database refused.
_TELLING: Final = (
    AttributeError,
    ImportError,
    NameError,
    NotImplementedError,
    RuntimeError,
    TemplateError,
    TypeError,
)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def exception_text(exc_info: ExcInfo) -> str:
    """Return a traceback without local variables and without messages that may quote a person."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        message = f": {error}" if isinstance(error, _TELLING) else ""
        parts.append(f"{frames}{type(error).__qualname__}{message}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nafter\n".join(parts)


def configure_logs(settings: Settings) -> None:
    """Set up structlog once per process; lines go to standard error."""
    level = getattr(logging, settings.log_level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.is_production
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(exception_text),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        # A cached logger keeps the level it was first used with, whatever is configured later.
        cache_logger_on_first_use=settings.is_production,
    )
