from __future__ import annotations

import pytest

from core.people.staff.rules import Role
from handlers.access import Access, access, mark_of, roles_of


@pytest.mark.parametrize("mark", [mark for mark in Access if mark is not Access.STAFF])
def test_mark_is_carried_by_the_view_which_stays_what_it_was(mark: Access) -> None:
    def view(name: str) -> str:
        return f"hello {name}"

    marked = access(mark)(view)
    assert mark_of(marked) is mark
    assert roles_of(marked) == frozenset()
    assert marked is view
    assert marked("x") == "hello x"


def test_view_without_a_mark_has_none() -> None:
    assert mark_of(lambda: None) is None


def test_something_else_of_that_name_is_no_mark() -> None:
    def view() -> None: ...

    view.access = "public"  # type: ignore[attr-defined]
    assert mark_of(view) is None


def test_view_is_marked_once() -> None:
    view = access(Access.PUBLIC)(lambda: None)
    with pytest.raises(ValueError, match="one mark"):
        access(Access.OPERATOR)(view)
    assert mark_of(view) is Access.PUBLIC


def test_mark_for_staff_names_the_roles() -> None:
    def view() -> None: ...

    marked = access(Access.STAFF, Role.AUDITOR, Role.ADMINISTRATOR)(view)
    assert mark_of(marked) is Access.STAFF
    assert roles_of(marked) == {Role.AUDITOR, Role.ADMINISTRATOR}


@pytest.mark.parametrize(("mark", "roles"), [(Access.STAFF, ()), (Access.PUBLIC, (Role.AUDITOR,))])
def test_roles_go_with_staff_and_staff_with_roles(mark: Access, roles: tuple[Role, ...]) -> None:
    with pytest.raises(ValueError, match="names its roles"):
        access(mark, *roles)
