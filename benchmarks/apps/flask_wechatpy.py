"""Flask and wechatpy: an encrypted echo as wechatpy's documentation writes it."""

from flask import Flask, abort, request
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from benchmarks.account import AES_KEY, APPID, PATH, TOKEN

app = Flask(__name__)
crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)


@app.post(PATH)
def wechat() -> str:
    query = request.args
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    try:
        xml = crypto.decrypt_message(
            request.get_data(), query.get("msg_signature", ""), timestamp, nonce
        )
    except InvalidSignatureException:
        abort(403)
    message = parse_message(xml)
    reply = create_reply(message.content, message).render()
    encrypted: str = crypto.encrypt_message(reply, nonce, timestamp)
    return encrypted
