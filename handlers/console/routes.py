"""The one table of staff pages."""

from __future__ import annotations

from typing import Final

from handlers.console.audit import audit
from handlers.console.communities import communities
from handlers.console.home import home
from handlers.console.sign_in import authenticator, code, password, sign_in, sign_out
from handlers.console.visit import HOME, ConsoleRoute

BOTH: Final = ("GET", "POST")
ROUTES: Final = (
    ConsoleRoute(path=HOME, name="home", view=home),
    ConsoleRoute(path="/console/sign-in", name="sign_in", view=sign_in, methods=BOTH),
    ConsoleRoute(path="/console/code", name="code", view=code, methods=BOTH),
    ConsoleRoute(path="/console/password", name="password", view=password, methods=BOTH),
    ConsoleRoute(
        path="/console/authenticator", name="authenticator", view=authenticator, methods=BOTH
    ),
    ConsoleRoute(path="/console/sign-out", name="sign_out", view=sign_out, methods=("POST",)),
    ConsoleRoute(path="/console/communities", name="communities", view=communities),
    ConsoleRoute(path="/console/audit", name="audit", view=audit),
)
