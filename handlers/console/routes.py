"""The one table of staff pages."""

from __future__ import annotations

from typing import Final

from handlers.console import claims, filings, registrations
from handlers.console.audit import audit
from handlers.console.communities import communities
from handlers.console.exports import exports
from handlers.console.home import home
from handlers.console.sign_in import authenticator, code, password, sign_in, sign_out
from handlers.console.visit import HOME, ConsoleRoute

BOTH: Final = ("GET", "POST")
POST: Final = ("POST",)
ROUTES: Final = (
    ConsoleRoute(path=HOME, name="home", view=home),
    ConsoleRoute(path="/console/sign-in", name="sign_in", view=sign_in, methods=BOTH),
    ConsoleRoute(path="/console/code", name="code", view=code, methods=BOTH),
    ConsoleRoute(path="/console/password", name="password", view=password, methods=BOTH),
    ConsoleRoute(
        path="/console/authenticator", name="authenticator", view=authenticator, methods=BOTH
    ),
    ConsoleRoute(path="/console/sign-out", name="sign_out", view=sign_out, methods=POST),
    ConsoleRoute(path="/console/filings", name="filings", view=filings.filings),
    ConsoleRoute(
        path="/console/filings/decide",
        name="filings_decide",
        view=filings.decide_chosen,
        methods=POST,
    ),
    ConsoleRoute(path="/console/filings/<int:id>", name="filing", view=filings.filing),
    ConsoleRoute(
        path="/console/filings/<int:id>/decide",
        name="filing_decide",
        view=filings.decide,
        methods=POST,
    ),
    ConsoleRoute(
        path="/console/filings/<int:id>/hold", name="filing_hold", view=filings.hold, methods=POST
    ),
    ConsoleRoute(
        path="/console/filings/<int:id>/plan/<int:file_id>", name="filing_plan", view=filings.plan
    ),
    ConsoleRoute(path="/console/claims", name="claims", view=claims.claims),
    ConsoleRoute(path="/console/claims/<int:id>", name="claim", view=claims.claim),
    ConsoleRoute(
        path="/console/claims/<int:id>/decide",
        name="claim_decide",
        view=claims.decide,
        methods=POST,
    ),
    ConsoleRoute(
        path="/console/claims/<int:id>/licence", name="claim_licence", view=claims.licence
    ),
    ConsoleRoute(
        path="/console/registrations",
        name="registrations",
        view=registrations.registrations,
        methods=BOTH,
    ),
    ConsoleRoute(
        path="/console/registrations/<int:id>",
        name="registration",
        view=registrations.registration,
    ),
    ConsoleRoute(
        path="/console/registrations/enter",
        name="registration_companies",
        view=registrations.companies,
    ),
    ConsoleRoute(
        path="/console/registrations/enter/<int:id>",
        name="registration_enter",
        view=registrations.enter,
        methods=BOTH,
    ),
    ConsoleRoute(path="/console/exports", name="exports", view=exports, methods=BOTH),
    ConsoleRoute(path="/console/communities", name="communities", view=communities),
    ConsoleRoute(path="/console/audit", name="audit", view=audit),
)
