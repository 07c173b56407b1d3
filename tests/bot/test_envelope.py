from __future__ import annotations

import string
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from bot.envelope import EnvelopeError, ForeignAppError, Sealer, is_signed

KEYS = (bytes(range(32)), bytes(range(32, 64)))
APPID = "wx0123456789abcdef"
SEALER = Sealer(keys=KEYS, appid=APPID)


def _sealed(plain: bytes, key: bytes = KEYS[0]) -> bytes:
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return b64encode(encryptor.update(plain) + encryptor.finalize())


def _packed(
    message: bytes = b"hello",
    *,
    appid: str = APPID,
    length: int | None = None,
    padding: bytes = b"",
) -> bytes:
    size = len(message) if length is None else length
    plain = b"r" * 16 + size.to_bytes(4, "big") + message + appid.encode()
    missing = 32 - len(plain) % 32
    return plain + (padding or bytes([missing]) * missing)


# Source: vectors v014, v016 and v017 of the platform's documentation and of wechatpy's tests.
@pytest.mark.parametrize(
    ("token", "timestamp", "nonce", "signature", "is_right"),
    [
        pytest.param(
            *("AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
            True,
            id="v014-documentation",
        ),
        pytest.param(
            *("test", "1410685589", "test", "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff"),
            True,
            id="v016-wechatpy",
        ),
        pytest.param(
            *("test", "1410685589", "test", "f21891de399b4e33a1a93c9a7b8a8fffb5a443fe"),
            False,
            id="v017-last-digit-wrong",
        ),
        pytest.param(
            *("test", "1410685589", "test", "F21891DE399B4E33A1A93C9A7B8A8FFFB5A443FF"),
            False,
            id="upper-case",
        ),
        pytest.param("test", "1410685589", "test", "", False, id="empty"),
        pytest.param("test", "1410685589", "test", "é" * 40, False, id="not-ascii"),
    ],
)
def test_signature_is_that_of_the_sorted_parts(
    token: str, timestamp: str, nonce: str, signature: str, is_right: bool
) -> None:
    assert is_signed(signature, token, timestamp, nonce) is is_right


@given(message=st.binary(max_size=200), position=st.sampled_from([0, 1]))
def test_what_was_sealed_opens_with_the_key_that_sealed_it(message: bytes, position: int) -> None:
    sealed = SEALER.seal(message, position=position)
    assert SEALER.open(sealed.encode()) == (message, position)
    assert len(b64decode(sealed)) % 32 == 0


def test_the_same_message_is_never_sealed_alike() -> None:
    assert SEALER.seal(b"hello") != SEALER.seal(b"hello")


def _opened(sealed: str, key: bytes = KEYS[0]) -> bytes:
    """Return the plain text as the platform makes it out, with a cipher of its own."""
    decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
    return decryptor.update(b64decode(sealed)) + decryptor.finalize()


def test_every_message_of_a_row_is_sealed_as_if_it_were_the_first() -> None:
    sealer = Sealer(keys=KEYS, appid=APPID)
    plains = [_opened(sealer.seal(b"m%d" % number)) for number in range(50)]

    assert [plain[16:22] for plain in plains[:10]] == [b"\0\0\0\x02m%d" % n for n in range(10)]
    # What stands in front stays random, so that equal messages do not look alike.
    assert len({plain[:16] for plain in plains}) == 50


@given(st.lists(st.one_of(st.binary(max_size=200), st.just(None)), max_size=12))
def test_whatever_was_opened_before_the_next_message_opens(bodies: list[bytes | None]) -> None:
    sealer = Sealer(keys=KEYS, appid=APPID)
    for body in bodies:
        with suppress(EnvelopeError):
            sealer.open(_sealed(_packed()) if body is None else b64encode(body))

    assert sealer.open(_sealed(_packed(b"next"), KEYS[1])) == (b"next", 1)
    assert sealer.open(_sealed(_packed(b"next"))) == (b"next", 0)


def test_threads_do_not_mix_their_messages() -> None:
    sealer = Sealer(keys=KEYS, appid=APPID)

    def there_and_back(number: int) -> bool:
        message = b"%d" % number * (number % 40 + 1)
        return sealer.open(sealer.seal(message).encode())[0] == message

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(2000)))


def test_previous_key_opens_until_it_is_taken_away() -> None:
    old = Sealer(keys=KEYS[1:], appid=APPID).seal(b"hello").encode()
    assert SEALER.open(old) == (b"hello", 1)
    with pytest.raises(EnvelopeError):
        Sealer(keys=KEYS[:1], appid=APPID).open(old)


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        pytest.param(b"", "not whole blocks", id="empty"),
        pytest.param(b"!!!!", "not base64", id="other-characters"),
        pytest.param(b"QUJD\nQUJD", "not base64", id="line-break"),
        pytest.param(b"QUJ", "not base64", id="base64-cut-off"),
        pytest.param(b64encode(bytes(17)), "not whole blocks", id="not-whole-blocks"),
        pytest.param(_sealed(_packed())[:24].ljust(24, b"="), "not whole blocks", id="truncated"),
        pytest.param(_sealed(bytes(32)), "padding", id="padding-0"),
        pytest.param(
            _sealed(_packed(padding=b"\x21" * 33 + b"\x00" * 14)[:64]), "padding", id="33"
        ),
        pytest.param(_sealed(_packed(padding=b"\x04" * 17 + b"\x05" * 4)), "padding", id="mixed"),
        pytest.param(_sealed(_packed(padding=b"\x05" * 5)), "not whole blocks", id="padded-to-16"),
        pytest.param(_sealed(b"\x10" * 32), "length", id="nothing-but-padding"),
        pytest.param(_sealed(b"\x20" * 32), "length", id="nothing-but-a-block-of-padding"),
        pytest.param(_sealed(_packed(length=6000)), "length", id="length-beyond-the-end"),
        pytest.param(_sealed(_packed(length=2**32 - 1)), "length", id="length-huge"),
        pytest.param(_sealed(_packed(), key=bytes(32)), None, id="unknown-key"),
    ],
)
def test_what_is_not_an_envelope_is_refused(sealed: bytes, reason: str | None) -> None:
    with pytest.raises(EnvelopeError) as caught:
        Sealer(keys=KEYS[:1], appid=APPID).open(sealed)
    assert not isinstance(caught.value, ForeignAppError)
    assert reason is None or caught.value.reason == reason


@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(_sealed(_packed(appid="wxfedcba9876543210")), id="other-appid"),
        pytest.param(_sealed(_packed(appid="")), id="no-appid"),
        pytest.param(_sealed(_packed(appid=APPID + "x")), id="longer-appid"),
        pytest.param(_sealed(_packed(length=4)), id="length-too-short"),
        pytest.param(_sealed(_packed(length=0)), id="length-0"),
        pytest.param(_sealed(_packed(appid="wxother"), key=KEYS[1]), id="with-the-previous-key"),
    ],
)
def test_message_for_another_account_is_told_apart(sealed: bytes) -> None:
    with pytest.raises(ForeignAppError):
        SEALER.open(sealed)


@given(
    message=st.binary(max_size=60),
    place=st.integers(0, 10_000),
    letter=st.sampled_from(string.ascii_letters + string.digits + "+/=\n é"),
)
def test_altered_body_raises_nothing_else(message: bytes, place: int, letter: str) -> None:
    sealed = bytearray(SEALER.seal(message).encode())
    sealed[place % len(sealed)] = letter.encode()[0]
    try:
        opened, _ = SEALER.open(bytes(sealed))
    except EnvelopeError:
        return
    # Without a signature the platform's cipher cannot notice every change; its length it does.
    assert len(opened) == len(message)
