"""The one table of staff pages."""

from __future__ import annotations

from typing import Final

from handlers.console import (
    appeals,
    arrivals,
    arrivals_grades,
    arrivals_settings,
    cases,
    claims,
    events,
    filings,
    key_areas,
    models,
    overrides,
    publications,
    registrations,
    risk,
    risk_community,
    risk_unplaced,
    site,
    sites,
    wechat,
)
from handlers.console.audit import audit
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
    ConsoleRoute(path=wechat.PATH, name="wechat", view=wechat.wechat, methods=BOTH),
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
    ConsoleRoute(path=sites.PATH, name="sites", view=sites.sites),
    ConsoleRoute(path=f"{sites.PATH}/points", name="sites_points", view=sites.points),
    ConsoleRoute(path=f"{sites.PATH}/<int:id>", name="site", view=site.site),
    ConsoleRoute(
        path=f"{sites.PATH}/<int:id>/invite", name="site_invite", view=site.invite, methods=POST
    ),
    ConsoleRoute(
        path=f"{sites.PATH}/<int:id>/members/<int:member_id>/end",
        name="site_member_end",
        view=site.end,
        methods=POST,
    ),
    ConsoleRoute(path=cases.PATH, name="cases", view=cases.cases),
    ConsoleRoute(path=f"{cases.PATH}/<int:id>", name="case", view=cases.case),
    ConsoleRoute(
        path=f"{cases.PATH}/<int:id>/contact",
        name="case_contact",
        view=cases.contact,
        methods=POST,
    ),
    ConsoleRoute(
        path=f"{cases.PATH}/<int:id>/certificate",
        name="case_certificate",
        view=cases.certificate,
        methods=POST,
        may_upload=True,
    ),
    ConsoleRoute(
        path=f"{cases.PATH}/<int:id>/close", name="case_close", view=cases.close, methods=POST
    ),
    ConsoleRoute(
        path=f"{cases.PATH}/<int:id>/reopen", name="case_reopen", view=cases.reopen, methods=POST
    ),
    ConsoleRoute(
        path=f"{cases.PATH}/<int:id>/evidence/<int:file_id>",
        name="case_evidence",
        view=cases.evidence,
    ),
    ConsoleRoute(path=key_areas.PATH, name="key_areas", view=key_areas.key_areas),
    ConsoleRoute(path="/console/exports", name="exports", view=exports, methods=BOTH),
    ConsoleRoute(path="/console/communities", name="communities", view=risk.communities),
    ConsoleRoute(path="/console/risk", name="risk", view=risk.risk),
    ConsoleRoute(path="/console/risk/points", name="risk_points", view=risk.points),
    ConsoleRoute(path="/console/risk/mine", name="risk_mine", view=risk.mine),
    ConsoleRoute(
        path="/console/risk/community/<int:id>",
        name="risk_community",
        view=risk_community.community,
    ),
    ConsoleRoute(path="/console/risk/unplaced", name="risk_unplaced", view=risk_unplaced.unplaced),
    ConsoleRoute(
        path="/console/risk/unplaced/place",
        name="risk_place",
        view=risk_unplaced.place,
        methods=POST,
    ),
    ConsoleRoute(path="/console/risk/events", name="risk_events", view=events.events),
    ConsoleRoute(
        path="/console/risk/events/search",
        name="risk_event_search",
        view=events.search,
        methods=POST,
    ),
    ConsoleRoute(
        path="/console/risk/events/new", name="risk_event_new", view=events.enter, methods=BOTH
    ),
    ConsoleRoute(path="/console/risk/events/<int:id>", name="risk_event", view=events.event),
    ConsoleRoute(
        path="/console/risk/events/<int:id>/withdraw",
        name="risk_event_withdraw",
        view=events.withdraw,
        methods=POST,
    ),
    ConsoleRoute(path="/console/risk/overrides", name="risk_overrides", view=overrides.overrides),
    ConsoleRoute(
        path="/console/risk/overrides/new",
        name="risk_override_new",
        view=overrides.propose,
        methods=BOTH,
    ),
    ConsoleRoute(
        path="/console/risk/overrides/<int:id>", name="risk_override", view=overrides.override
    ),
    ConsoleRoute(
        path="/console/risk/overrides/<int:id>/decide",
        name="risk_override_decide",
        view=overrides.decide,
        methods=POST,
    ),
    ConsoleRoute(path="/console/risk/appeals", name="risk_appeals", view=appeals.appeals),
    ConsoleRoute(
        path="/console/risk/appeals/new",
        name="risk_appeal_new",
        view=appeals.raise_one,
        methods=BOTH,
        may_upload=True,
    ),
    ConsoleRoute(path="/console/risk/appeals/<int:id>", name="risk_appeal", view=appeals.appeal),
    ConsoleRoute(
        path="/console/risk/appeals/<int:id>/decide",
        name="risk_appeal_decide",
        view=appeals.decide,
        methods=POST,
    ),
    ConsoleRoute(
        path="/console/risk/appeals/<int:id>/withdraw",
        name="risk_appeal_withdraw",
        view=appeals.withdraw,
        methods=POST,
    ),
    ConsoleRoute(
        path="/console/risk/appeals/<int:id>/evidence",
        name="risk_appeal_evidence",
        view=appeals.evidence,
    ),
    ConsoleRoute(
        path="/console/risk/publications",
        name="risk_publications",
        view=publications.publications,
    ),
    ConsoleRoute(
        path="/console/risk/publications/release",
        name="risk_publication_release",
        view=publications.release,
        methods=POST,
    ),
    ConsoleRoute(path="/console/risk/models", name="risk_models", view=models.models),
    ConsoleRoute(
        path="/console/risk/models/new",
        name="risk_model_new",
        view=models.propose,
        methods=BOTH,
        may_upload=True,
    ),
    ConsoleRoute(
        path="/console/risk/models/compare", name="risk_model_compare", view=models.compare
    ),
    ConsoleRoute(path="/console/risk/models/<int:id>", name="risk_model", view=models.model),
    ConsoleRoute(
        path="/console/risk/models/<int:id>/decide",
        name="risk_model_decide",
        view=models.decide,
        methods=POST,
    ),
    ConsoleRoute(path="/console/arrivals", name="arrivals", view=arrivals.arrivals),
    ConsoleRoute(path="/console/arrivals/roster", name="arrivals_roster", view=arrivals.roster),
    ConsoleRoute(
        path="/console/arrivals/grades", name="arrivals_grades", view=arrivals_grades.grades
    ),
    ConsoleRoute(
        path="/console/arrivals/settings",
        name="arrivals_settings",
        view=arrivals_settings.settings,
    ),
    ConsoleRoute(
        path="/console/arrivals/settings/change",
        name="arrivals_settings_change",
        view=arrivals_settings.change,
        methods=POST,
    ),
    ConsoleRoute(path="/console/audit", name="audit", view=audit),
)
