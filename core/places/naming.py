"""What a person wrote, brought to the one spelling in which names are compared."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate

from opencc import OpenCC

from core.places import words

# Numerals count as numbers only before one of these, or when they are plainly
# numbers (十二, 二〇八): the 五 of 五原路 is a part of a word.
_UNITS = "村弄号支期街区座幢栋楼室坊院路门层块委单邨衖"
_DIGITS = "〇一二三四五六七八九"
_VALUES = {char: value for value, char in enumerate(_DIGITS)} | {"两": 2, "幺": 1}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_LONGEST_NUMERAL = 9
_NUMERAL = re.compile(r"[〇一二三四五六七八九两幺十百千]+")
_COUNTING = re.compile(rf"$|[\W{_UNITS}]|小区|[至到][\d{_DIGITS}十]")
_LONE_DIGIT = re.compile(rf"(?<![0-9a-z,-])([1-9])(?=[^\W0-9a-z_{_UNITS}])(?!小区|[至到]\d)")
_RANGE = re.compile(r"(?<=\d)\s*[-－~～—–―−至到/／、,，]+\s*(?=\d)")
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_NUMBER_GAP = re.compile(r"[\d一二三四五六七八九十][\W_至到]+[\d一二三四五六七八九十]")
_WORDS = re.compile(r"[\w○]+(?:(?<=\d)[-,]+(?=\d)[\w○]+)*")
_SPACED_OUT = re.compile(r"(?<!\S)(\S) (?=\S(?:\s|$))")
_JOINERS = re.compile("[\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")
_NUMBERS = re.compile(r"\d+(?:[-,]\d+)*|[〇一二三四五六七八九十]")
_STOPS = re.compile(r"[，。！？；：、…,.!?;:~\n\r\t“”\"'《》【】\[\]|]+")
_STOP_INSIDE_NUMBER = re.compile(r"(?<=\d)[、,](?=\d)")

_BANKERS = dict(zip("壹贰叁肆伍陆柒捌玖拾佰仟零○", "一二三四五六七八九十百千〇〇", strict=True))
_VARIANTS = {"邨": "村", "衖": "弄"}
_ACCENTS = dict(zip("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü", "aaaaeeeeiiiioooouuuuvvvvv", strict=True))
_SEGMENT_LIMIT = 48


def _simplified_table() -> dict[int, str]:
    """Return the single traditional characters with their simplified form."""
    han = [chr(code) for code in range(0x3400, 0xA000)]
    # One character a line, so that no phrase rule of the converter applies.
    simple = OpenCC("t2s").convert("\n".join(han)).split("\n")
    table = {ord(old): new for old, new in zip(han, simple, strict=True) if old != new}
    # 乾 is a name's own character in simplified script too.
    table.pop(ord("乾"), None)
    return table


_SIMPLE = _simplified_table() | {ord(old): new for old, new in (_VARIANTS | _ACCENTS).items()}
_FOLDS = _SIMPLE | {ord(old): new for old, new in _BANKERS.items()}
_FOLDS[ord("_")] = " "
_FOLDED_CHARS = frozenset(map(chr, _FOLDS))


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in the spelling in which names are compared.

    Attributes:
        text: letters and numbers only; simplified, lower-case, half-width,
            numbers in Arabic numerals, a range of numbers with `-`.
        breaks: positions in `text` before which the writer left a space or
            a punctuation mark.
    """

    text: str
    breaks: frozenset[int]


def simplify(text: str) -> str:
    """Return the text in half-width, lower-case, simplified characters."""
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    return text.lower().translate(_SIMPLE)


def fold(text: str) -> Folded:
    """Return the text in the spelling in which names are compared."""
    text = _clean(text)
    if not text.isalnum():
        parts = _WORDS.findall(text)
        text = " ".join(parts)
        # Most punctuation of a Chinese sentence is no longer there to be normalised.
        if not unicodedata.is_normalized("NFKC", text):
            return fold(unicodedata.normalize("NFKC", text))
    elif not unicodedata.is_normalized("NFKC", text):
        return fold(unicodedata.normalize("NFKC", text))
    text = text.lower()
    if not _FOLDED_CHARS.isdisjoint(text):
        text = text.translate(_FOLDS)
    if " " not in text:
        return Folded(_arabic(text), frozenset())
    parts = _arabic(text).split()
    ends = tuple(accumulate(map(len, parts)))
    return Folded("".join(parts), frozenset(ends[:-1]))


def _clean(text: str) -> str:
    """Return the text without invisible characters, its ranges of numbers with a dash."""
    if not text.isprintable():
        text = _JOINERS.sub("", text)
    if " " in text:
        text = _SPACED_OUT.sub(r"\1", text)
    if _NUMBER_GAP.search(text):
        text = _RANGE.sub("-", _arabic(text.translate(_FOLDS)))
        text = _BETWEEN_NUMBERS.sub(lambda gap: "-" if gap[0] == "-" else ",", text)
    return text


def folded_name(name: str) -> str:
    """Return a registered name in the spelling in which names are compared."""
    return fold(name).text


def numbers_in(folded: str) -> tuple[str, ...]:
    """Return the numbers of a folded name, in order.

    Two names whose numbers differ are two communities, however alike the
    rest is. A numeral that is part of a word (五原路) counts as a number too.
    """
    return tuple(_NUMBERS.findall(folded))


def _arabic(text: str) -> str:
    """Return the text with its numbers, and only those, in Arabic numerals."""
    if _NUMERAL.search(text):
        text = _NUMERAL.sub(_number_of, text)
    # "5原路" is 五原路: a lone digit that counts nothing.
    return _LONE_DIGIT.sub(lambda digit: _DIGITS[int(digit[1])], text)


def _number_of(match: re.Match[str]) -> str:
    numeral = match[0]
    following = match.string[match.end() : match.end() + 2]
    counts = bool(_COUNTING.match(following))
    if len(numeral) == 1:
        if not counts or numeral in "百千两幺":
            return numeral
        return str(_VALUES.get(numeral, 10))
    if len(numeral) > _LONGEST_NUMERAL:
        return numeral
    if not any(char in _SCALES for char in numeral):
        return _spelled_digits(numeral, following)
    value = _cardinal(numeral)
    return numeral if value is None else str(value)


def _spelled_digits(numeral: str, following: str) -> str:
    """Return digits read one by one; villages listed side by side get dashes.

    三四村 is the villages three and four, not the thirty-fourth.
    """
    digits = "".join(str(_VALUES[char]) for char in numeral)
    if following[:1] in ("村", "邨") and "0" not in digits:
        return "-".join(digits)
    return digits


def _cardinal(numeral: str) -> int | None:
    """Return the value of a numeral such as 一百二十, or None if it is none."""
    total, digit, last_scale = 0, None, 10_000
    for char in numeral:
        scale = _SCALES.get(char)
        if scale is None:
            # Two digits side by side (十二二) are no number; a zero joins (一百零二).
            if digit not in (None, 0):
                return None
            digit = _VALUES[char]
            continue
        if (
            scale >= last_scale
            or digit == 0
            or (digit is None and (total or scale != _SCALES["十"]))
        ):
            return None
        total += (1 if digit is None else digit) * scale
        digit, last_scale = None, scale
    return total + (digit or 0)


_EMPTY_END = re.compile(f"(?:{'|'.join(words.EMPTY_ENDINGS)})$")
_KIND_END = re.compile(f"(?:{'|'.join(words.KIND_ENDINGS)})$")
_DISTRICT_START = re.compile(f"(?:{'|'.join(words.DISTRICT)})+")
_BLOCK_END = re.compile(
    r"(?<=.{2})(?:[东南西北中]{1,2}(?:区|楼|块)|(?<![\d路街道-])\d+(?:-\d+)*(?:期|弄)|[a-z甲乙丙丁\d](?:区|块|座))$",
)
# What stands after a name and points at a building or a flat of it.
_BUILDING = (
    r"(?:第?\d+(?:-\d+)*(?:支弄|号楼|号|栋楼|栋|幢|座楼|单元|室|楼|层|门|梯)"
    r"|[a-z甲乙丙丁](?:栋|幢|单元|楼))"
)
BUILDING_START = re.compile(f"(?:{_BUILDING})+")
_BUILDING_END = re.compile(rf"(?<=[a-z村弄苑园寓厦区里坊墅庭楼邸阁城院])(?:{_BUILDING})+$")
_PLAIN_BUILDING_END = re.compile(r"(?<=[^\d路街道号弄-])(?:\d+(?:号楼|栋|幢|单元|室))+$")
_FLAT_END = re.compile(r"(?<=\d号)(?:\d+(?:号楼|楼|室|层|栋|单元|幢))+$")


def without_empty_ending(folded: str) -> str:
    """Return a folded name without 小区 and the like, if two characters stay."""
    short = _EMPTY_END.sub("", folded)
    return short if len(short) > 1 else folded


def kind_of(folded: str) -> str:
    """Return the kind of place at the end of a folded name (公寓), or ""."""
    found = _KIND_END.search(folded)
    return found[0] if found else ""


def core_of(folded: str) -> str:
    """Return a folded name without its endings, if two characters stay.

    锦隆苑 and 锦隆苑小区 both give 锦隆; "" when the name is nothing but
    endings (公寓, 小区), which names no community.
    """
    short = without_empty_ending(folded)
    if _EMPTY_END.fullmatch(short) or _KIND_END.fullmatch(short):
        return ""
    core = _KIND_END.sub("", short)
    return core if len(core) > 1 else short


def without_district(folded: str) -> str:
    """Return a folded name without 上海市, 徐汇区 and the like at its start."""
    found = _DISTRICT_START.match(folded)
    return folded[found.end() :] if found and len(folded) - found.end() > 1 else folded


def without_block(folded: str) -> str:
    """Return a folded name without a part of it (东区, 二期, c块) at its end."""
    return _BLOCK_END.sub("", folded)


def without_building(folded: str) -> str:
    """Return a folded name without a building or flat after it.

    上中路100弄5号 is 上中路100弄; the number of a road stays (衡山路10号).
    """
    for ending in (_BUILDING_END, _PLAIN_BUILDING_END, _FLAT_END):
        folded = ending.sub("", folded)
    return folded


# 住 asks where somebody lives, except in 住宅小区.
_CUE = re.compile("|".join(sorted(words.CUES, key=len, reverse=True)) + "|住(?!宅)")
_LEAD = re.compile(rf"(?:\W|{'|'.join(sorted(words.LEADING, key=len, reverse=True))})+")
# Ends are trimmed on the reversed text: an anchored match is linear, a search for `$` is not.
_TRAILING = sorted((word[::-1] for word in words.TRAILING), key=len, reverse=True)
_TRAIL = re.compile(rf"(?:[^\w)]|{'|'.join(_TRAILING)})+")
_DATE = re.compile(r"\d{1,2}月\d{1,2}[日号]|\d{4}年")
_SPELLED_CUE = re.compile(
    r"(?<![a-z])(?:"
    + "|".join(
        cue.replace(" ", r"\s*") for cue in sorted(words.SPELLED_CUES, key=len, reverse=True)
    )
    + r")(?![a-z])"
)


def phrases_in(text: str) -> tuple[str, ...]:
    """Return what is left of a sentence when the words of the question go.

    Args:
        text: what the person wrote.

    Returns:
        The phrases that may be a name, most likely first, in the person's own
        characters; each at most 48 characters. Empty when nothing is left.
    """
    plain = unicodedata.normalize("NFKC", text)
    simple = simplify(plain)
    if len(simple) != len(plain):  # a letter whose lower case is longer
        plain = simple
    cuts = sorted({(found.start(), found.end()) for found in _cuts_in(simple)})
    pieces: list[str] = []
    start = 0
    for cut, resume in [*cuts, (len(simple), len(simple))]:
        if cut > start:
            low, high = _trimmed(simple, start, cut)
            piece = plain[low:high][:_SEGMENT_LIMIT].strip()
            if fold(piece).text:
                pieces.append(piece)
        start = max(start, resume)
    return tuple(sorted(pieces, key=_name_likeness, reverse=True))


def name_in(text: str) -> str:
    """Return the part of a sentence that may name a community.

    "请问田林十二村现在是什么风险呀" gives "田林十二村".

    Returns:
        The part in the person's own characters; "" when nothing is left but
        the words of a question.
    """
    phrases = phrases_in(text)
    return phrases[0] if phrases else ""


def looks_like_name(folded: str) -> bool:
    """Return whether a folded phrase is built like the name of a community."""
    return folded[-1:] in words.NAME_ENDINGS and len(core_of(folded)) > 1


def _cuts_in(simple: str) -> list[re.Match[str]]:
    cuts = [*_CUE.finditer(simple), *_DATE.finditer(simple), *_SPELLED_CUE.finditer(simple)]
    inside = {found.start() for found in _STOP_INSIDE_NUMBER.finditer(simple)}
    cuts += [found for found in _STOPS.finditer(simple) if found.start() not in inside]
    return cuts


def _trimmed(simple: str, start: int, end: int) -> tuple[int, int]:
    lead = _LEAD.match(simple, start, end)
    if lead:
        start = lead.end()
    tail = _TRAIL.match(simple[start:end][::-1])
    if tail and end - tail.end() != start + 1:  # one character is no name: 岳阳 keeps its 阳
        end -= tail.end()
    return start, end


def _name_likeness(phrase: str) -> tuple[bool, bool, int]:
    folded = folded_name(phrase)
    return looks_like_name(folded), bool(core_of(folded)), min(len(folded), 12)
