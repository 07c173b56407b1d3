"""The one table of pages inside WeChat.

What sign-in itself needs (`/h5/sign-in`, where WeChat sends people back) is on the wire.
"""

from __future__ import annotations

from typing import Final

from handlers.h5 import (
    claim,
    company,
    decisions,
    following,
    mandates,
    messages,
    owner,
    sheet,
    site_joining,
    site_report,
    site_roster,
    sites,
)
from handlers.h5.arrivals import arrivals
from handlers.h5.codes import code, drawing, picture, poster, report, retire, rotate, scanned
from handlers.h5.community import community
from handlers.h5.filing import filing, filing_plan
from handlers.h5.home import SIGNED_OUT, home, sign_out, signed_out
from handlers.h5.registrations import correct, end, enter, receipt, register, registrations
from handlers.h5.visit import HOME, H5Route

BOTH: Final = ("GET", "POST")
ROUTES: Final = (
    H5Route(path=HOME, name="home", view=home),
    H5Route(path="/h5/sign-out", name="sign_out", view=sign_out, methods=("POST",)),
    H5Route(path=SIGNED_OUT, name="signed_out", view=signed_out),
    H5Route(path="/h5/community/<int:id>", name="community", view=community),
    H5Route(path="/h5/arrivals", name="arrivals", view=arrivals),
    H5Route(path="/h5/c/<token>", name="scanned", view=scanned),
    H5Route(path="/h5/c/<token>/report", name="code_report", view=report, methods=BOTH),
    H5Route(path="/h5/company/<int:company_id>/code", name="code", view=code),
    H5Route(
        path="/h5/company/<int:company_id>/code/rotate",
        name="code_rotate",
        view=rotate,
        methods=BOTH,
    ),
    H5Route(
        path="/h5/company/<int:company_id>/code/retire",
        name="code_retire",
        view=retire,
        methods=BOTH,
    ),
    H5Route(path="/h5/company/<int:company_id>/code.png", name="code_picture", view=picture),
    H5Route(path="/h5/company/<int:company_id>/code.svg", name="code_drawing", view=drawing),
    H5Route(path="/h5/company/<int:company_id>/code.pdf", name="code_poster", view=poster),
    H5Route(
        path="/h5/company/<int:company_id>/follow",
        name="follow_code",
        view=following.code,
        methods=BOTH,
    ),
    H5Route(
        path="/h5/company/<int:company_id>/follow.png",
        name="follow_picture",
        view=following.picture,
    ),
    H5Route(
        path="/h5/company/<int:company_id>/follow.pdf",
        name="follow_poster",
        view=following.poster,
    ),
    H5Route(path="/h5/account.png", name="account_picture", view=messages.account_picture),
    H5Route(path="/h5/sdk", name="sdk", view=messages.sdk),
    H5Route(path="/h5/c/<token>/register", name="register", view=register, methods=BOTH),
    H5Route(path="/h5/registrations", name="registrations", view=registrations),
    H5Route(path="/h5/registration/<int:id>", name="registration", view=receipt),
    H5Route(
        path="/h5/registration/<int:id>/correct",
        name="registration_correct",
        view=correct,
        methods=BOTH,
    ),
    H5Route(
        path="/h5/registration/<int:id>/told",
        name="registration_told",
        view=messages.answered,
        methods=("POST",),
    ),
    H5Route(path="/h5/registration/<int:id>/end", name="registration_end", view=end, methods=BOTH),
    H5Route(path="/h5/company/<int:id>/enter", name="enter", view=enter, methods=BOTH),
    H5Route(path="/h5/owner", name="owner", view=owner.owner, methods=BOTH),
    H5Route(path="/h5/claim", name="claim", view=claim.claim, methods=BOTH, may_upload=True),
    H5Route(path="/h5/claims", name="claims", view=claim.claims),
    H5Route(path="/h5/mandate/<token>", name="invitation", view=mandates.invitation, methods=BOTH),
    H5Route(path="/h5/company/<int:id>", name="company", view=company.company),
    H5Route(
        path="/h5/company/<int:id>/filing",
        name="filing",
        view=filing,
        methods=BOTH,
        may_upload=True,
    ),
    H5Route(path="/h5/company/<int:id>/filing/plan", name="filing_plan", view=filing_plan),
    H5Route(
        path="/h5/company/<int:id>/takeover",
        name="takeover",
        view=company.take_over,
        methods=("POST",),
    ),
    H5Route(
        path="/h5/company/<int:id>/elsewhere",
        name="elsewhere",
        view=company.answer_elsewhere,
        methods=("POST",),
    ),
    H5Route(path="/h5/company/<int:id>/people", name="people", view=mandates.people, methods=BOTH),
    H5Route(
        path="/h5/company/<int:id>/people/<int:mandate_id>/end",
        name="mandate_end",
        view=mandates.end,
        methods=("POST",),
    ),
    H5Route(path="/h5/company/<int:id>/sheet", name="sheet", view=sheet.sheet, methods=BOTH),
    H5Route(
        path="/h5/company/<int:id>/sheet/<int:registration_id>",
        name="sheet_row",
        view=sheet.row,
        methods=BOTH,
    ),
    H5Route(
        path="/h5/company/<int:id>/decision/<int:decision_id>",
        name="decision",
        view=decisions.decision,
        methods=BOTH,
    ),
    H5Route(path="/h5/sites", name="sites", view=sites.sites),
    H5Route(path="/h5/sites/join/<token>", name="site_join", view=site_joining.join, methods=BOTH),
    H5Route(path="/h5/site/<int:id>", name="site", view=sites.site),
    H5Route(
        path="/h5/site/<int:id>/unchanged",
        name="site_unchanged",
        view=sites.unchanged,
        methods=("POST",),
    ),
    H5Route(
        path="/h5/site/<int:id>/report",
        name="site_report",
        view=site_report.report,
        methods=BOTH,
    ),
    H5Route(path="/h5/site/<int:id>/people", name="site_people", view=sites.people, methods=BOTH),
    H5Route(
        path="/h5/site/<int:id>/roster",
        name="site_roster",
        view=site_roster.roster,
        methods=BOTH,
        may_upload=True,
    ),
    H5Route(path="/h5/site/<int:id>/code", name="site_code", view=site_joining.code, methods=BOTH),
)
