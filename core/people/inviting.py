"""Invitations by a token: shown once, kept as a hash, good for two days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.db import keyring, lookup_hash
from core.errors import ConflictError, InvalidInputError, NotFoundError

LIFETIME: Final = timedelta(hours=48)
_TOKEN_BYTES: Final = 24
_MAX_TOKEN_CHARACTERS: Final = 64


class InvitationNotFoundError(NotFoundError):
    """There is no such invitation."""

    code = "invitation_not_found"


class InvitationOverError(ConflictError):
    """The invitation was used, taken back, or ended by itself."""

    code = "invitation_over"


class InvitationNameError(InvalidInputError):
    """The name is not the one that whoever invites gave."""

    code = "invitation_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A new invitation as it is handed over and as it is kept.

    Attributes:
        text: shown once and kept nowhere.
        digest: what is stored of it.
        ends_at: until when it can be confirmed.
    """

    text: str = field(repr=False)
    digest: bytes = field(repr=False)
    ends_at: datetime


def new_token(*, column: str, now: datetime) -> Token:
    """Return a token that nobody guesses; `column` is where its hash is kept."""
    text = secrets.token_urlsafe(_TOKEN_BYTES)
    return Token(text=text, digest=lookup_hash(text, column=column), ends_at=now + LIFETIME)


def token_hashes_of(text: str, *, column: str) -> list[bytes]:
    """Return the hashes under which a token may be kept, whatever somebody typed."""
    return list(keyring().lookup_hashes(text[:_MAX_TOKEN_CHARACTERS], column=column))


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What whoever invites hands over: the token is shown once and kept nowhere.

    Attributes:
        id: of the row that waits for its confirmation.
        ends_at: until when it can be confirmed.
    """

    id: int
    token: str = field(repr=False)
    ends_at: datetime
