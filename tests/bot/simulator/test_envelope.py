"""The messages and signatures are those that the platform's own documentation prints."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.envelope import (
    BadEnvelopeError,
    BodyFormat,
    aes_key_of,
    decrypted,
    encrypted,
    read,
    signature_of,
    written,
)

TOKEN = "AAAAA"
KEY = aes_key_of("A" * 43)
APPID = "wxba5fad812f8e6fb9"
PUSH = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzD"
    "pVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2I"
    "uQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F"
    "9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


def test_the_documented_push_is_signed_and_opens() -> None:
    signature = signature_of(TOKEN, "1714112445", "415670741", PUSH)
    assert signature == "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
    fields = read(decrypted(PUSH, key=KEY, appid=APPID).decode())
    assert (fields["Event"], fields["debug_str"]) == ("debug_demo", "hello world")


def test_the_documented_reply_is_encrypted_to_the_byte() -> None:
    plain = b'{"demo_resp":"good luck"}'
    made = encrypted(plain, key=KEY, appid=APPID, salt=b"707722b803182950")
    assert made == REPLY
    assert (
        signature_of(TOKEN, "1713424427", "415670741", made)
        == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
    )


def test_another_accounts_message_is_refused() -> None:
    with pytest.raises(BadEnvelopeError):
        decrypted(PUSH, key=KEY, appid="wx0000000000000000")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(BadEnvelopeError):
        decrypted(PUSH, key=bytes(32), appid=APPID[:-1])


@pytest.mark.parametrize(
    "cipher",
    ["", "!", "AAAA", base64.b64encode(bytes(32)).decode(), PUSH[:-4], PUSH + "AAAA"],
    ids=["empty", "not base64", "no block", "zeros", "cut", "more"],
)
def test_what_is_not_encrypted_is_refused(cipher: str) -> None:
    with pytest.raises(BadEnvelopeError):
        decrypted(cipher, key=KEY, appid=APPID)


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_whatever_is_encrypted_comes_back(plain: bytes, key: bytes) -> None:
    made = encrypted(plain, key=key, appid=APPID)
    assert decrypted(made, key=key, appid=APPID) == plain
    assert len(base64.b64decode(made)) % 32 == 0


texts = st.text(st.characters(exclude_categories=["C"])).map(lambda text: f"a{text}")


@given(st.dictionaries(st.sampled_from(["Content", "Label", "Title"]), texts, min_size=1))
@pytest.mark.parametrize("body_format", BodyFormat)
def test_whatever_is_written_is_read(body_format: BodyFormat, fields: dict[str, str]) -> None:
    assert read(written(fields, body_format)) == fields


def test_a_list_is_repeated_elements() -> None:
    body = written({"E": {"List": [{"A": "1"}, {"A": "2"}]}}, BodyFormat.XML)
    assert body.count("<List>") == 2


def test_articles_are_read_as_a_list() -> None:
    body = "<xml><Articles><item><Title>a</Title></item></Articles></xml>"
    assert read(body) == {"Articles": [{"Title": "a"}]}
