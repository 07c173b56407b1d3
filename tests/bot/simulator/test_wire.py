from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response

from bot.simulator import pushes
from bot.simulator.envelope import BodyFormat, written
from bot.simulator.standin import serving
from bot.simulator.wire import Account, Exchange, Mode, Platform, Trouble
from tests.bot.simulator.echo import APPID, KEY, TOKEN, create_echo, reply_to, sealed

OPENID = "oSIM0000000000000000000000aa"
Product = tuple[Flask, str]


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    app = create_echo()
    with serving(app) as url:
        yield app, url


@pytest.fixture
def make_platform(product: Product) -> Callable[..., Platform]:
    app, url = product
    app.pushes.clear()
    app.plans.clear()

    def make(*, token: str = TOKEN, **options: Any) -> Platform:
        account = Account(
            callback_url=f"{url}/wechat",
            original_id="gh_1",
            appid=APPID,
            token=token,
            aes_key=KEY,
        )
        return Platform(account, **options)

    return make


def answer_of(product: Product, platform: Platform, *plans: Any) -> Exchange:
    product[0].plans.extend(plans)
    return platform.send(OPENID, pushes.text("hi"))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("body_format", BodyFormat)
def test_a_text_goes_there_and_back(
    product: Product, make_platform: Callable[..., Platform], mode: Mode, body_format: BodyFormat
) -> None:
    exchange = make_platform(mode=mode, body_format=body_format).send(
        OPENID, pushes.text("田林 ]]> <b>&", menu_id="7")
    )
    assert exchange.trouble is Trouble.NONE
    assert exchange.text == "收到：田林 ]]> <b>& [7]"
    assert (exchange.status, exchange.attempts) == (200, 1)
    (push,) = product[0].pushes
    assert push["FromUserName"] == OPENID
    assert int(push["MsgId"]) > 0


def test_the_handshake_succeeds_with_the_right_token_only(
    make_platform: Callable[..., Platform],
) -> None:
    assert make_platform().verify()
    assert not make_platform(token="other").verify()


def test_an_event_has_no_msgid(product: Product, make_platform: Callable[..., Platform]) -> None:
    exchange = make_platform().send(OPENID, pushes.subscribe(scene="c:1"))
    assert exchange.text == "欢迎关注 qrscene_c:1"
    assert "MsgId" not in product[0].pushes[0]


def test_success_is_silence(product: Product, make_platform: Callable[..., Platform]) -> None:
    exchange = answer_of(product, make_platform(), lambda _push: Response("success"))
    assert (exchange.reply, exchange.trouble) == ("", Trouble.NONE)


def test_a_bad_status_is_sent_again_three_times(
    product: Product, make_platform: Callable[..., Platform]
) -> None:
    exchange = answer_of(product, make_platform(), *[lambda _push: Response("", 500)] * 9)
    assert (exchange.attempts, exchange.trouble) == (4, Trouble.BAD_STATUS)
    assert len({push["MsgId"] for push in product[0].pushes}) == 1


def test_a_resend_that_is_answered_ends_it(
    product: Product, make_platform: Callable[..., Platform]
) -> None:
    exchange = answer_of(product, make_platform(), lambda _push: Response("", 201), None)
    assert (exchange.attempts, exchange.trouble, exchange.status) == (2, Trouble.NONE, 200)


def test_a_resend_has_a_fresh_nonce_and_a_redirect_is_not_followed(
    product: Product, make_platform: Callable[..., Platform]
) -> None:
    platform = make_platform()
    message = platform.message(OPENID, pushes.text("hi"))
    assert platform.sealed(message)[0]["nonce"] != platform.sealed(message)[0]["nonce"]
    away = Response("", 302, headers={"Location": "/elsewhere"})
    assert answer_of(product, platform, *[lambda _push: away] * 4).status == 302


def test_silence_past_the_patience_is_no_answer(
    product: Product, make_platform: Callable[..., Platform]
) -> None:
    def sleep(_push: Any) -> Response:
        time.sleep(0.4)
        return Response("success")

    exchange = answer_of(product, make_platform(answer_seconds=0.1), *[sleep] * 4)
    assert (exchange.status, exchange.attempts, exchange.trouble) == (0, 4, Trouble.NO_ANSWER)


def plain(push: dict[str, Any]) -> Response:
    return Response(written(reply_to(push, "clear"), BodyFormat.XML))


def encrypted_with(**changes: Any) -> Callable[[dict[str, Any]], Response]:
    return lambda push: Response(sealed(reply_to(push, "x") | changes))


def signed_wrong(push: dict[str, Any]) -> Response:
    body = sealed(reply_to(push, "x"))
    return Response(body.replace("<MsgSignature><![CDATA[", "<MsgSignature><![CDATA[0"))


@pytest.mark.parametrize(
    ("plan", "trouble"),
    [
        (lambda _push: Response("error"), Trouble.MALFORMED),
        (lambda _push: Response(" <xml></xml>"), Trouble.MALFORMED),
        (lambda _push: Response("<xml><a></xml>"), Trouble.MALFORMED),
        (lambda _push: Response("<xml><Encrypt>!</Encrypt></xml>"), Trouble.MALFORMED),
        (plain, Trouble.NOT_ENCRYPTED),
        (signed_wrong, Trouble.BAD_SIGNATURE),
        (encrypted_with(FromUserName="gh_2"), Trouble.WRONG_NAMES),
        (encrypted_with(ToUserName="o-other"), Trouble.WRONG_NAMES),
        (encrypted_with(Content=""), Trouble.EMPTY_CONTENT),
        (encrypted_with(Content="十" * 683), Trouble.TOO_LONG),
    ],
    ids=[
        "no markup", "leading blank", "broken", "not base64", "in clear", "signature",
        "wrong sender", "wrong receiver", "empty", "too long",
    ],
)  # fmt: skip
def test_what_the_platform_cannot_use_is_trouble(
    product: Product,
    make_platform: Callable[..., Platform],
    plan: Callable[[dict[str, Any]], Response],
    trouble: Trouble,
) -> None:
    assert answer_of(product, make_platform(), plan).trouble is trouble


def test_a_reply_in_clear_is_allowed_in_compatible_mode(
    product: Product, make_platform: Callable[..., Platform]
) -> None:
    exchange = answer_of(product, make_platform(mode=Mode.COMPATIBLE), plain)
    assert (exchange.text, exchange.trouble) == ("clear", Trouble.NONE)


def test_nobody_at_the_other_end_is_no_answer() -> None:
    account = Account(
        callback_url="http://127.0.0.1:9/wechat",
        original_id="gh_1",
        appid=APPID,
        token=TOKEN,
        aes_key=KEY,
    )
    assert Platform(account).send(OPENID, pushes.text("hi")).trouble is Trouble.NO_ANSWER
