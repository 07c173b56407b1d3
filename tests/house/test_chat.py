"""Every route is tested; every reply has a template, and every template is a reply."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from jinja2 import Environment, meta, nodes

from bot.settings import Settings
from bot.texts import Texts, text_constants
from handlers.chat.routes import ROUTES
from handlers.turn import Turn, TurnKind
from tests.house import tree
from tests.servers import ROOT

CHAT = tree.TEMPLATES / "chat"
ROUTE_NAMES = [route.name for route in ROUTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place in the code that makes a reply."""

    place: str
    template: str
    values: frozenset[str] | None  # None: not written as a literal


def _uses() -> Iterator[Use]:
    for path in tree.source_files("bot", "handlers"):
        for call in tree.calls(tree.syntax_of(path), "Reply"):
            arguments = {keyword.arg: keyword.value for keyword in call.keywords}
            named = call.args[0] if call.args else arguments.get("template")
            for template in tree.strings(named) if named else ():
                if template and not template.endswith("/"):
                    yield Use(
                        place=f"{tree.name_of(path)}:{call.lineno}",
                        template=template,
                        values=_keys(arguments.get("values")),
                    )


def _keys(values: ast.expr | None) -> frozenset[str] | None:
    if values is None:
        return frozenset()
    if not isinstance(values, ast.Dict) or None in values.keys:
        return None
    names = [key.value for key in values.keys if isinstance(key, ast.Constant)]
    return frozenset(map(str, names)) if len(names) == len(values.keys) else None


USES = list(_uses())
BY_PLACE = [pytest.param(use, id=f"{use.place}-{use.template}") for use in USES]


@pytest.fixture(scope="module")
def environment() -> Environment:
    """The environment that replies are rendered in, with what every text may name."""
    return Texts(constants=text_constants(Settings.from_env()))._environment


def test_replies_were_found() -> None:
    assert len({use.template for use in USES}) > 5


def test_no_two_routes_have_the_same_name() -> None:
    assert [name for name, count in Counter(ROUTE_NAMES).items() if count > 1] == []


@pytest.mark.parametrize("kind", TurnKind)
def test_the_last_route_takes_everything(kind: TurnKind, now: datetime) -> None:
    turn = Turn(key="1", openid="o", account="gh", kind=kind, sent_at=now, now=now)

    assert ROUTES[-1].matches(turn)


def test_every_chat_route_has_a_test_that_names_it() -> None:
    named = set[str]().union(
        *(
            tree.strings(tree.syntax_of(path))
            for path in (ROOT / "tests" / "handlers" / "chat").rglob("test_*.py")
        )
    )

    assert [name for name in ROUTE_NAMES if name not in named] == []


@pytest.mark.parametrize("use", BY_PLACE)
def test_every_reply_has_a_template_with_the_values_it_names(
    use: Use, environment: Environment
) -> None:
    assert (CHAT / f"{use.template}.txt").is_file()
    if use.values is not None:
        named = _names_in(f"chat/{use.template}.txt", environment)
        assert named - use.values - environment.globals.keys() == set()


def _names_in(template: str, environment: Environment) -> set[str]:
    """Return the values that a template and what it includes must be given."""
    syntax = environment.parse((tree.TEMPLATES / template).read_text(encoding="utf-8"))
    named = meta.find_undeclared_variables(syntax)
    for include in syntax.find_all(nodes.Include):
        if isinstance(include.template, nodes.Const):
            named |= _names_in(include.template.value, environment)
    return named - {name.name for name in syntax.find_all(nodes.Name) if name.ctx == "store"}


def test_every_chat_template_compiles_and_is_used(environment: Environment) -> None:
    literals = set[str]().union(
        *(tree.strings(tree.syntax_of(path)) for path in tree.source_files())
    )
    unused = []
    for path in sorted(CHAT.rglob("*.txt")):
        name = path.relative_to(CHAT).with_suffix("").as_posix()
        environment.get_template(f"chat/{name}.txt")
        # A part of other templates; or the text of an error, which is found by its code.
        is_named_otherwise = path.name.startswith("_") or (
            path.parent.name == "errors" and path.stem in literals
        )
        if not is_named_otherwise and name not in literals:
            unused.append(name)

    assert unused == []


def test_every_part_of_a_template_is_included_somewhere() -> None:
    pages = [path for path in tree.TEMPLATES.rglob("*.*") if path.suffix in {".txt", ".html"}]
    texts = [path.read_text(encoding="utf-8") for path in [*pages, *tree.source_files("bot")]]
    parts = [path for path in pages if path.name.startswith("_")]

    assert [
        tree.name_of(part) for part in parts if not any(part.name in text for text in texts)
    ] == []
