"""Signing in and out: password, code, own password, authenticator.

A refused password or code answers with 200: its count must be committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from core.codes.drawing import modules_of
from core.people.staff.rules import Stage, login_name_of
from core.people.staff.secrets import hash_password, matches_password, totp_uri_of
from core.people.staff.signing_in import (
    WeakPasswordError,
    change_password,
    check_code,
    check_password,
    enrol_totp,
    find_credentials,
    find_totp_secret,
)
from core.people.staff.signing_in import sign_in as begin_sign_in
from core.people.staff.signing_in import sign_out as end_sign_in
from handlers.access import Access, access
from handlers.console.visit import HOME, Visit, with_next
from handlers.page import Answer, Page, Redirect

SIGN_IN: Final = "/console/sign-in"
PATH_OF: Final = {
    Stage.CODE: "/console/code",
    Stage.PASSWORD: "/console/password",
    Stage.ENROL: "/console/authenticator",
}
ISSUER: Final = "汇治理"
# Tries in seconds: a whole office may share an address, an account has one person.
ADDRESS_LIMIT: Final = (60, 300)
ACCOUNT_LIMIT: Final = (15, 900)
# Longer input is nobody's, and hashing it would only cost time.
MAX_INPUT: Final = 256


@access(Access.PUBLIC)
def sign_in(visit: Visit) -> Answer:
    """Ask for login name and password."""
    if visit.signed_in is not None:
        return Redirect(path=visit.next)
    name = visit.form.get("name", "").strip()[:MAX_INPUT]
    password = visit.form.get("password", "")
    if not visit.is_post:
        return _sign_in_page(visit, fault="locked" if visit.query.get("locked") else "")
    if not name or not password:
        return _sign_in_page(visit, name=name, fault="empty", status=422)
    if not _may_try(visit, name):
        return _sign_in_page(visit, name=name, fault="too_many", status=429)
    credentials = find_credentials(visit.reading(), name=name)
    is_right = len(password) <= MAX_INPUT and matches_password(
        credentials.password_hash if credentials else None, password
    )
    token = begin_sign_in(
        visit.writing(), credentials=credentials, is_right=is_right, now=visit.now
    )
    if token is None:
        return _sign_in_page(visit, name=name, fault="refused")
    return Redirect(path=visit.next, token=token)


def _sign_in_page(visit: Visit, *, name: str = "", fault: str = "", status: int = 200) -> Page:
    values = {"next": visit.next, "name": name, "fault": fault, "has_next": visit.next != HOME}
    return Page(template="sign_in", values=values, status=status)


def _may_try(visit: Visit, name: str) -> bool:
    """Count a try by address and by account, whether or not the account exists."""
    # Somebody may have typed their password as the name: it is not kept, not even as a key.
    digest = hashlib.sha256(login_name_of(name).encode()).hexdigest()[:32]
    by_address = visit.is_within(f"console-address:{visit.address[:64]}", *ADDRESS_LIMIT)
    by_account = visit.is_within(f"console-name:{digest}", *ACCOUNT_LIMIT)
    return by_address and by_account


def _may_try_again(visit: Visit) -> bool:
    return visit.is_within(f"console-staff:{visit.staff.staff_id}", *ACCOUNT_LIMIT)


def _typed_code(visit: Visit, stage: Stage, page: Callable[..., Answer]) -> str | Answer:
    """Return the code that was typed at a stage, or what to answer as long as none may be tried.

    Args:
        visit: the request.
        stage: that asks for a code.
        page: makes the page that does; takes a fault and a status.
    """
    if visit.staff.stage is not stage:
        return Redirect(path=visit.next)
    if not visit.is_post:
        return page(visit)
    if not _may_try_again(visit):
        return page(visit, fault="too_many", status=429)
    return visit.form.get("code", "")[:MAX_INPUT]


@access(Access.SIGNING_IN)
def code(visit: Visit) -> Answer:
    """Ask for the code of the authenticator, or a recovery code."""
    typed = _typed_code(visit, Stage.CODE, _code_page)
    if not isinstance(typed, str):
        return typed
    checked = check_code(visit.writing(), signed_in=visit.staff, code=typed, now=visit.now)
    if checked.is_locked:
        return Redirect(path=f"{SIGN_IN}?locked=1", token="")
    if checked.token is None:
        return _code_page(visit, fault="wrong")
    return Redirect(path=visit.next, token=checked.token)


def _code_page(visit: Visit, *, fault: str = "", status: int = 200) -> Page:
    return Page(template="code", values={"next": visit.next, "fault": fault}, status=status)


@access(Access.SIGNING_IN)
def password(visit: Visit) -> Answer:
    """Let somebody choose their own password: after a one-time one they must, later they may."""
    stage = visit.staff.stage
    if stage not in {Stage.PASSWORD, Stage.DONE}:
        return Redirect(path=with_next(PATH_OF[stage], visit.next))
    fault = _password_fault(visit) if visit.is_post else ""
    if fault or not visit.is_post:
        values = {"next": visit.next, "fault": fault, "is_forced": stage is Stage.PASSWORD}
        status = 429 if fault == "too_many" else 422 if fault else 200
        return Page(template="password", values=values, status=status)
    chosen = visit.form.get("password", "")
    token = change_password(
        visit.writing(),
        signed_in=visit.staff,
        password=chosen,
        password_hash=hash_password(chosen),
        now=visit.now,
    )
    if token is None:
        return Redirect(path=SIGN_IN, token="")
    return Redirect(
        path=visit.next if stage is Stage.PASSWORD else f"{HOME}?done=password", token=token
    )


def _password_fault(visit: Visit) -> str:
    """Return why the passwords that were typed cannot be used; empty if they can."""
    chosen = visit.form.get("password", "")
    try:
        check_password(chosen, name=visit.staff.name)
    except WeakPasswordError as error:
        return str(error.facts["fault"])
    if chosen != visit.form.get("repeat", ""):
        return "not_repeated"
    if not _may_try_again(visit):
        return "too_many"
    credentials = find_credentials(visit.reading(), name=visit.staff.name)
    present = credentials.password_hash if credentials else None
    if matches_password(present, chosen):
        return "same"
    is_forced = visit.staff.stage is Stage.PASSWORD
    typed = visit.form.get("current", "")[:MAX_INPUT]
    return "" if is_forced or matches_password(present, typed) else "current_wrong"


@access(Access.SIGNING_IN)
def authenticator(visit: Visit) -> Answer:
    """Set an authenticator up: show its secret, take its first code, show recovery codes."""
    typed = _typed_code(visit, Stage.ENROL, _authenticator_page)
    if not isinstance(typed, str):
        return typed
    enrolled = enrol_totp(visit.writing(), signed_in=visit.staff, code=typed, now=visit.now)
    if enrolled is None:
        return _authenticator_page(visit, fault="wrong")
    values = {"codes": enrolled.recovery_codes, "next": visit.next}
    return Page(template="recovery", values=values, token=enrolled.token)


def _authenticator_page(visit: Visit, *, fault: str = "", status: int = 200) -> Answer:
    secret = find_totp_secret(visit.reading(), signed_in=visit.staff)
    if secret is None:
        return Redirect(path=visit.next)
    qr = modules_of(totp_uri_of(secret, name=visit.staff.name, issuer=ISSUER))
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    values = {"next": visit.next, "fault": fault, "qr": qr, "groups": groups}
    return Page(template="authenticator", values=values, status=status)


@access(Access.SIGNING_IN)
def sign_out(visit: Visit) -> Answer:
    """End the sign-in of this browser."""
    end_sign_in(visit.writing(), signed_in=visit.staff, now=visit.now)
    return Redirect(path=SIGN_IN, token="")
