"""Whether a sentence asks about masks at all."""

from __future__ import annotations

import re
from typing import Final

from core.masks.reading import normalized

# Nearly every message is no mask question: one look at the raw text rules it out.
_MAY_ASK: Final = re.compile(
    r"[口囗扣叩面][罩照兆召]|[戴带帶代待呆]|n-?9[59]|kou\s*zhao|mask|摘|😷|zhao", re.IGNORECASE
)
_MASK: Final = re.compile(r"口罩|n95|n99|mask|四戴三不戴|三不戴")
_PUT_ON: Final = re.compile(
    r"#[^,]{0,2}戴|戴#|^[^,]{0,12}#[,吗呢啊]?$|戴不|(?:要|用|需要|该|必须|得|能)不?戴(?:着)?(?:吗|么|嘛|伐|不|啊|呢|吧|,|$)"
    r"|不戴(?:可以|行|成)|可以不戴|戴吗|用戴"
)
_CHOICE: Final = re.compile(
    r"要不要|用不用|需不需要|该不该|戴不戴|使唔使|要唔要|能不能|可不可以|是不是|要勿要"
)
_OTHER_THING: Final = re.compile(
    r"戴(?:着)?(?:手套|眼镜|墨镜|帽|头盔|护目镜|隐形|手表|耳机|戒指|项链|首饰|面具|手环|胸牌|红领巾|牙套|助听器)"
    r"|证|材料|资料|身份|户口|[码卡](?!口)|手机|照片|报告|复印|行李|钥匙|雨伞|现金|图书|表格|合同"
)


def is_mask_question(text: str) -> bool:
    """Return whether a sentence is about masks, named or meant (坐地铁要戴吗).

    带 counts as 戴 unless another thing is to be brought (要不要带身份证).

    Args:
        text: what a person wrote, as it came.
    """
    if not _MAY_ASK.search(text):
        return False
    plain = normalized(text)
    if _MASK.search(plain):
        return True
    if _OTHER_THING.search(plain):
        return False
    return _PUT_ON.search(_CHOICE.sub("#", plain)) is not None
