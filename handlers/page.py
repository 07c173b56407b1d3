"""What a page is given and what it answers, whichever door it stands behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from core.errors import DomainError
from core.files.store import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent with a form.

    Attributes:
        filename: as the browser names it, without folders; never a name to store it by.
        media_type: what the browser takes it for; the content decides.
        content: the whole file; empty if no file was chosen.
    """

    filename: str
    media_type: str
    content: bytes


def _none_sent(_: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVisit:
    """One request of a page.

    Attributes:
        now: aware instant; the only clock of a page.
        method: `GET` or `POST`; a `POST` has passed the check against forged requests.
        query: the fields of the address.
        form: the fields that were sent; of a repeated one the first value.
        lists: returns every value of a repeated field of the form, in order.
        uploads: the files that were sent, by field; a field without a chosen file is not there.
        params: the variable parts of the path, as `token` of `/h5/c/<token>`.
        address: where the request came from.
        reading: returns the session of this request that only reads.
        writing: returns the one whose work is committed if the answer's status is below 400.
        is_within: counts a use of a name; whether it is within (limit, seconds).
        file_store: where files are kept; a page takes it as `files`.
    """

    now: datetime
    method: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    lists: Callable[[str], tuple[str, ...]] = _none_sent
    uploads: Mapping[str, Upload] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    address: str
    reading: Callable[[], Session]
    writing: Callable[[], Session]
    is_within: Callable[[str, int, int], bool]
    file_store: FileStore | None = None

    @property
    def is_post(self) -> bool:
        """Whether something was sent."""
        return self.method == "POST"

    @property
    def files(self) -> FileStore:
        """Where files are kept.

        Raises:
            RuntimeError: the application keeps none, a bug in its start.
        """
        if self.file_store is None:
            raise RuntimeError("there is no store of files")
        return self.file_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page to show.

    Attributes:
        template: below the folder of its door, as `templates/h5/`, without its ending.
        values: what the template names.
        faults: by field, why what was typed there cannot be used; the template finds the texts
            as `errors`, by field and in this order.
        status: of the answer; 400 and above undoes what was written.
        token: the new token of the sign-in, if it has one; empty: there is none any more.
        has_script: whether it uses WeChat's script, which its door then lets in.
        keep_seconds: how long browsers and proxies may show it again without asking, to anybody:
            nothing of it depends on who asks. 0: not at all.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    faults: Mapping[str, DomainError] = field(default_factory=dict)
    status: int = 200
    token: str | None = None
    has_script: bool = False
    keep_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A page to go to, by `GET`.

    Attributes:
        path: of this application.
        token: the new token of the sign-in, if it has one; empty: there is none any more.
    """

    path: str
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to hand out.

    Attributes:
        content: the whole file, or its parts in order; parts may read from the visit's `reading`
            session while they are sent, what was written is committed before the first of them.
        media_type: as `application/pdf`.
        filename: may be Chinese.
        is_inline: show it in the browser where that is safe (pictures, PDF), else save it.
    """

    content: bytes | Iterable[bytes]
    media_type: str
    filename: str
    is_inline: bool = False


Answer: TypeAlias = Page | Redirect | Download
Visitor = TypeVar("Visitor", bound=PageVisit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute(Generic[Visitor]):
    """One page: its address, its name, and what answers.

    Attributes:
        path: may have variable parts, as `/h5/c/<token>` or `/console/filings/<int:id>`.
        name: of its own within its door; `url_for("h5_<name>")` is its address in a template.
        view: carries a mark of `handlers/access.py`.
        methods: `GET`, `POST` or both.
        may_upload: whether its form sends files, and so much more than other pages.
    """

    path: str
    name: str
    view: Callable[[Visitor], Answer]
    methods: tuple[str, ...] = ("GET",)
    may_upload: bool = False


def safe_path(path: str, *, home: str) -> str:
    """Return a path if it leads to a page below `home`, else `home`.

    A path from the address bar must not lead to another site, whatever a browser makes of
    backslashes, blanks or control characters.

    Args:
        path: as it came in, with its query.
        home: the first page of a door; begins and ends with a slash.
    """
    # The text itself: a parser may leave out blanks that a browser does not.
    is_ours = path.startswith(home)
    is_plain = path.isprintable() and "\\" not in path and "//" not in path and ".." not in path
    return path if is_ours and is_plain else home


def path_with_next(path: str, next_path: str, *, home: str) -> str:
    """Return a path that carries where to go afterwards; nothing where that is the home."""
    if next_path == home:
        return path
    return f"{path}?{urlencode({'next': next_path})}"
