"""What every invitation shares: whoever opens it sees to what, and confirms by their name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from core.people.inviting import InvitationNameError
from core.people.names import name_of
from handlers.forms import Form
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# Uses in seconds.
OPEN_LIMIT: Final = (60, 3600)
NAME_LIMIT: Final = (5, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inviting:
    """What people are invited to.

    Attributes:
        name: in the names of the limits.
        templates: the folder of its pages `invitation` and `too_many`.
        find_confirmed: the path for whoever confirmed this very invitation before; None: nobody.
        get: what somebody who opened an invitation may see of it.
        confirm: takes the name that was typed, and returns where to go.
        values: what its pages need besides.
    """

    name: str
    templates: str
    find_confirmed: Callable[[Visit, str], str | None]
    get: Callable[[Visit, str], object]
    confirm: Callable[[Visit, str, str], str]
    values: Mapping[str, object] = field(default_factory=dict)


def answer_invitation(visit: Visit, inviting: Inviting) -> Answer:
    """Show to what the token of the address invites, and let the invited confirm by their name."""
    token = visit.params["token"]
    if not visit.is_within(f"{inviting.name}-open:{visit.openid}", *OPEN_LIMIT):
        return Page(template=f"{inviting.templates}/too_many", values=inviting.values, status=429)
    confirmed = inviting.find_confirmed(visit, token)
    if confirmed is not None:
        return Redirect(path=confirmed)
    if not visit.is_post:
        return _page(visit, inviting, Form({}))
    return _confirmed(visit, inviting, Form(visit.form))


def _confirmed(visit: Visit, inviting: Inviting, form: Form) -> Answer:
    token = visit.params["token"]
    name = form.read("name", name_of)
    if name is None:
        return _page(visit, inviting, form, status=422)
    digest = hashlib.sha256(token.encode()).hexdigest()[:32]
    if not visit.is_within(f"{inviting.name}-name:{digest}", *NAME_LIMIT):
        return _page(visit, inviting, form, problem="too_many", status=429)
    try:
        return Redirect(path=inviting.confirm(visit, token, name))
    except InvitationNameError as error:
        form.refuse("name", error)
        return _page(visit, inviting, form, status=422)


def _page(
    visit: Visit, inviting: Inviting, form: Form, *, problem: str = "", status: int = 200
) -> Page:
    values = {
        **inviting.values,
        "invitation": inviting.get(visit, visit.params["token"]),
        "typed": form.typed,
        "problem": problem,
    }
    return Page(
        template=f"{inviting.templates}/invitation",
        values=values,
        faults=form.faults,
        status=status,
    )
