"""The words of a notice: the text of a chat message, the fields of a template message.

A kind of notice has two files in `templates/notices`: `<kind>.txt`, sent in the chat, and
`<kind>.fields.txt`, one `field: value` a line, with the field names of the account's template.
"""

from __future__ import annotations

from typing import Final

from bot.template_fields import fit_fields
from bot.texts import MAX_BYTES, Texts
from core.clock import local
from core.notices.delivery import Attempt

# In the wording of the platform's own time fields, which refuse anything else.
_WHEN: Final = "%Y-%m-%d %H:%M"


class NoticeTextError(ValueError):
    """A notice has nothing that could be sent on its channel."""


def text_of(texts: Texts, attempt: Attempt) -> str:
    """Return what to say in the chat: the answer itself, or the wording of the notice.

    Raises:
        NoticeTextError: there is no text.
        jinja2.TemplateError: the template is missing or names a value that is not given.
    """
    if attempt.body is not None:
        text = attempt.body
    else:
        text = texts.text_of(f"notices/{attempt.kind}.txt", _values(attempt))
    if not text.strip():
        raise NoticeTextError("no text")
    # An answer was cut when it was made; this keeps a mistake from being refused as a whole.
    return text.encode()[:MAX_BYTES].decode(errors="ignore")


def fields_of(texts: Texts, attempt: Attempt) -> dict[str, dict[str, str]]:
    """Return the `data` of the template message, fitted to the rules of its fields.

    Raises:
        NoticeTextError: a line is not `field: value`, or there is none.
        FieldValueError: a value cannot be made to fit.
        jinja2.TemplateError: the template is missing or names a value that is not given.
    """
    text = texts.text_of(f"notices/{attempt.kind}.fields.txt", _values(attempt))
    fields = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            raise NoticeTextError("a line without a field")
        fields[name.strip()] = value.strip()
    if not fields:
        raise NoticeTextError("no fields")
    return fit_fields(fields)


def _values(attempt: Attempt) -> dict[str, object]:
    return {**attempt.values, "queued_at": local(attempt.queued_at).strftime(_WHEN)}
