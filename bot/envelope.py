"""The envelope of the callback: signatures, and the AES layer of safe and compatible mode.

Layout of the plain text inside: 16 random bytes, the length of the message in bytes (big endian,
4 bytes), the message, the appid; padded to a multiple of 32 bytes.

Source: docs/sources.md#wechat-callback
"""

from __future__ import annotations

import binascii
import hmac
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha1

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

RANDOM_BYTES = 16
LENGTH_BYTES = 4
BLOCK_BYTES = 32  # the padding's; AES itself works in 16
AES_BLOCK_BYTES = 16


class EnvelopeError(ValueError):
    """The encrypted body cannot be opened; `reason` is a constant fit for a log line."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class ForeignAppError(EnvelopeError):
    """The body was sealed for another account."""


def signature_of(*parts: str) -> str:
    """Return the platform's signature: SHA-1 of the sorted parts, in lower-case hexadecimal."""
    return sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_signed(signature: str, *parts: str) -> bool:
    """Return whether `signature` is the one of `parts`; takes the same time either way."""
    return hmac.compare_digest(signature.encode(), signature_of(*parts).encode())


class _Lines(threading.local):
    """A thread's running ciphers, two for each key: setting one up takes longer than its work.

    A cipher of this mode mixes each block with the one before, so what comes next on a running one
    is mixed with the end of the last message instead of the fixed block that messages begin with.
    Opening, that block is simply put in front. Sealing, nothing need be done: the first block of a
    message is random, and mixed with whatever block it stays so.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        ciphers = [
            (key[:AES_BLOCK_BYTES], Cipher(AES(key), CBC(key[:AES_BLOCK_BYTES]))) for key in keys
        ]
        self.openers = [(first, cipher.decryptor()) for first, cipher in ciphers]
        self.sealers = [cipher.encryptor() for _, cipher in ciphers]


class Sealer:
    """Opens and seals bodies for one account with the current and the previous AES key."""

    def __init__(self, *, keys: Sequence[bytes], appid: str) -> None:
        """Prepare the ciphers.

        Args:
            keys: 32 bytes each, the current key first.
            appid: the account that messages must be sealed for.
        """
        self._lines = _Lines(keys)
        self._appid = appid.encode()

    def open(self, sealed: bytes) -> tuple[bytes, int]:
        """Return the message and the position of the key that opened it.

        Args:
            sealed: base64 text of the `Encrypt` field.

        Raises:
            ForeignAppError: sealed for another appid.
            EnvelopeError: not base64, not whole blocks, wrong padding or length.
        """
        try:
            body = b64decode(sealed, validate=True)
        except binascii.Error:
            raise EnvelopeError("not base64") from None
        if not body or len(body) % BLOCK_BYTES:
            raise EnvelopeError("not whole blocks")
        error = EnvelopeError("no key")
        for position, (first, opener) in enumerate(self._lines.openers):
            plain = opener.update(first + body)[AES_BLOCK_BYTES:]
            try:
                return self._unpack(plain), position
            except EnvelopeError as fault:
                # The wrong key of two mostly shows as bad padding: the better reason is kept.
                error = fault if not isinstance(error, ForeignAppError) else error
        raise error

    def _unpack(self, plain: bytes) -> bytes:
        padding = plain[-1]
        if not 1 <= padding <= BLOCK_BYTES or plain[-padding:] != plain[-1:] * padding:
            raise EnvelopeError("padding")
        start = RANDOM_BYTES + LENGTH_BYTES
        end = start + int.from_bytes(plain[RANDOM_BYTES:start], "big")
        content_end = len(plain) - padding
        if end > content_end:
            raise EnvelopeError("length")
        if not hmac.compare_digest(plain[end:content_end], self._appid):
            raise ForeignAppError("another appid")
        return plain[start:end]

    def seal(self, message: bytes, *, position: int = 0) -> str:
        """Return the message sealed with the key at `position`, as base64 text."""
        plain = b"".join(
            (
                os.urandom(RANDOM_BYTES),
                len(message).to_bytes(LENGTH_BYTES, "big"),
                message,
                self._appid,
            )
        )
        padding = BLOCK_BYTES - len(plain) % BLOCK_BYTES
        sealed = self._lines.sealers[position].update(plain + bytes([padding]) * padding)
        return b64encode(sealed).decode()
