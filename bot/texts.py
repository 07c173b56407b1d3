"""Turning a reply's template and values into the text that is sent."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bot.settings import Settings
from core.clock import local
from handlers.turn import Rendered, Reply

DAY_FORMAT: Final = "{0.month}月{0.day}日"
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
MAX_BYTES = 2048  # of a passive text reply and of a customer-service message, in UTF-8
MAX_PAGES_KEPT: Final = 4096
LINE_ENDS: Final = 8  # between the parts of a text that is put together to fit
_BREAKS = re.compile(r"[。！？；，、]")
_LINK = re.compile(r"<a\b.*?(?:</a>|\Z)", re.DOTALL)


def option(number: int, label: str, menu_id: str) -> Rendered:
    """Return one line of a list: a number, and a label that sends the number when it is tapped."""
    shown = _plain(label)
    link = f"weixin://bizmsgmenu?msgmenucontent={number}&msgmenuid={menu_id}"
    return Rendered(f'{number}. <a href="{link}">{shown}</a>')


def say(text: str, menu_id: str = "0") -> Rendered:
    """Return a text that is sent as the person's own message when it is tapped."""
    shown = str(_plain(text))
    sent = shown.replace('"', "＂").replace("&", "＆")  # what would end the address
    return Rendered(
        f'<a href="weixin://bizmsgmenu?msgmenucontent={sent}&msgmenuid={menu_id}">{shown}</a>'
    )


def link(text: str, url: str) -> Rendered:
    """Return a text that opens a page when it is tapped."""
    safe_url = url.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
    return Rendered(f'<a href="{safe_url}">{_plain(text)}</a>')


def _day(value: date) -> str:
    return DAY_FORMAT.format(value)


def _clock(instant: datetime) -> str:
    return f"{local(instant):%H:%M}"


def _plain(value: object) -> object:
    # What people or registers wrote must not become a link in the messenger.
    if (
        isinstance(value, str)
        and ("<" in value or ">" in value)
        and not isinstance(value, Rendered)
    ):
        return value.replace("<", "＜").replace(">", "＞")
    return value


def fitting(lines: Sequence[str], beside: str, more: str) -> list[str]:
    """Return the first lines, as many as fit into one message beside a text.

    Args:
        lines: in the order of what matters most.
        beside: everything else that the message says.
        more: takes the place of those that do not fit.
    """
    room = MAX_BYTES - len(beside.encode()) - len(more.encode()) - LINE_ENDS
    for place, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            return [*lines[:place], more]
    return list(lines)


def text_constants(settings: Settings) -> dict[str, object]:
    """Return what every text may name."""
    return {
        "account_name": f"{settings.district_name}汇治理",
        "district": settings.district_name,
        "hotline_phone": settings.hotline_phone,
        "hotline_hours": settings.hotline_hours,
        "health_code_appid": settings.health_code_appid,
        "health_code_path": settings.health_code_path,
        "health_code_url": settings.health_code_url,
        "public_url": settings.resolved_public_url,
    }


class Texts:
    """The templates of chat replies, compiled once."""

    def __init__(self, *, constants: Mapping[str, object]) -> None:
        """Prepare the environment.

        Args:
            constants: what every template may name, like the hotline's number.
        """
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=False,  # noqa: S701  plain text; `finalize` disarms the one markup there is
            finalize=_plain,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            constants, option=option, say=say, link=link, fitting=fitting
        )
        self._environment.filters["day"] = _day
        self._environment.filters["clock"] = _clock
        # Words that several templates of a subject share: `risk_words.colours` and the like. They
        # are made once; an import inside a template would make them for every message.
        for path in sorted((TEMPLATES / "chat").glob("*/_words.txt")):
            module = self._environment.get_template(f"chat/{path.parent.name}/_words.txt").module
            self._environment.globals[f"{path.parent.name}_words"] = module
        self._compiled: dict[str, Template] = {}
        self._pages: dict[Hashable, tuple[str, str]] = {}
        self._read_on = "\n" + self.render(Reply(template="service/read_on"))

    def render(self, reply: Reply) -> str:
        """Return the text of a reply, without blanks at either end.

        Raises:
            jinja2.TemplateError: the template is missing or names a value that is not given.
        """
        return self.text_of(f"chat/{reply.template}.txt", reply.values)

    def first_page(self, reply: Reply) -> tuple[str, str]:
        """Return the part of a reply's text that fits one message, and the rest."""
        if reply.same is None:
            return cut_text(self.render(reply), mark=self._read_on)
        key = (reply.template, reply.same)
        page = self._pages.get(key)
        if page is None:
            page = cut_text(self.render(reply), mark=self._read_on)
            if len(self._pages) >= MAX_PAGES_KEPT:
                self._pages.clear()
            self._pages[key] = page
        return page

    def text_of(self, path: str, values: Mapping[str, object]) -> str:
        """Return the text of any template below `templates/`."""
        template = self._compiled.get(path)
        if template is None:
            template = self._compiled[path] = self._environment.get_template(path)
            # They are copied for every text, and a chain of mappings is slow to copy.
            template.globals = dict(template.globals)
        return template.render(values).strip()


def cut_text(text: str, *, mark: str) -> tuple[str, str]:
    """Return the part of a text that fits one message, and the rest.

    The cut is made behind a line where there is one, else behind a punctuation mark; neither a
    character nor a link is torn, unless the link alone is longer than a message.

    Args:
        text: what is to be said.
        mark: ends a part that is not the last: how to read on.
    """
    if len(text) * 4 <= MAX_BYTES or len(text.encode()) <= MAX_BYTES:
        return text, ""
    room = MAX_BYTES - len(mark.encode())
    head = text.encode()[:room].decode(errors="ignore")
    # Links lose their marks and line ends, so that none of them is found below.
    masked = _LINK.sub(lambda found: "<" * len(found.group()), head)
    cut = masked.rfind("\n")
    if cut < len(head) // 3:
        marks = [found.end() for found in _BREAKS.finditer(masked)]
        torn = masked.rstrip("<") if head.rfind("<a") > head.rfind("</a>") else masked
        cut = marks[-1] if marks else len(torn) or len(head)
    return text[:cut].rstrip() + mark, text[cut:].strip()
