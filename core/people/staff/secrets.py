"""What only the person has: passwords, the codes of an authenticator, recovery codes, tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from functools import cache
from hmac import compare_digest
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.people.staff.rules import password_of

STEP_SECONDS: Final = 30
# A code of the half minute before or after is taken too: clocks differ.
DRIFT_STEPS: Final = (0, -1, 1)
RECOVERY_CODE_COUNT: Final = 10
TOKEN_BYTES: Final = 32
# Without what is mistaken for something else: 0 and o, 1 and l and i.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUP: Final = 4
_BINDING_CHARACTERS: Final = 6
# Told by its digits from a word, by its letters from a number.
_BINDING_DIGITS: Final = range(2, 5)

# argon2id with the library's parameters: RFC 9106, the profile for little memory (64 MiB).
_HASHER: Final = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash to store. Takes some 50 ms on purpose: not in a transaction."""
    return _HASHER.hash(password_of(password))


def matches_password(password_hash: str | None, password: str) -> bool:
    """Return whether a password is right; takes as long where there is no account.

    Args:
        password_hash: of the account; None where the name is nobody's.
        password: as typed.
    """
    try:
        is_right = _HASHER.verify(password_hash or _nobodys_hash(), password_of(password))
    except (VerificationError, InvalidHashError):
        return False
    return is_right and password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))


def new_password() -> str:
    """Return a one-time password that can be read out: 16 characters, 79 bits."""
    return "-".join(_group() for _ in range(4))


def new_recovery_codes() -> list[str]:
    """Return ten codes of 12 characters, 59 bits each."""
    return ["-".join(_group() for _ in range(3)) for _ in range(RECOVERY_CODE_COUNT)]


def recovery_code_of(text: str) -> str:
    """Return the one spelling of a recovery code."""
    return "".join(one for one in password_of(text).casefold() if one.isalnum())


def new_binding_code() -> str:
    """Return a code to send in a chat: six characters, two to four of them digits; 28 bits."""
    while True:
        code = "".join(secrets.choice(_LETTERS) for _ in range(_BINDING_CHARACTERS))
        if sum(one.isdigit() for one in code) in _BINDING_DIGITS:
            return code.upper()


def binding_code_of(text: str) -> str:
    """Return the one spelling of such a code."""
    return recovery_code_of(text)


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))


def new_totp_secret() -> str:
    """Return a secret of 160 bits for an authenticator, in base32."""
    return pyotp.random_base32()


def totp_uri_of(secret: str, *, name: str, issuer: str) -> str:
    """Return the address that an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def find_totp_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """Return the half minute that a code is for, or None if it is wrong or was taken before.

    Args:
        secret: in base32.
        code: six digits, as typed.
        now: aware instant.
        after: the newest half minute whose code was taken; older ones are refused.
    """
    digits = "".join(one for one in password_of(code) if one.isascii() and one.isdigit())
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = None
    for drift in DRIFT_STEPS:
        step = current + drift
        if compare_digest(totp.generate_otp(step), digits) and step > after and found is None:
            found = step
    return found


def new_token() -> str:
    """Return a token of 256 bits for a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash_of(token: str) -> bytes:
    """Return what is kept of a token; it is random, so a plain digest cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()
