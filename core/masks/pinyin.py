"""Questions typed in pinyin, with or without spaces: `zuo ditie yao dai kouzhao ma`."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from core.masks.cues import Cue
from core.masks.words_ease import EASE_WORDS
from core.masks.words_wear import WEAR_WORDS

_BODY: Final = (
    r"(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])"
    r"(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|ui|uo"
    r"|ue|ve|a|o|e|i|u|v)|ang|eng|ai|ei|ao|ou|an|en|er|a|o|e)"
)
# A syllable ends where another can begin, with a consonant if possible: fan-guan, ban-gong.
_SYLLABLE: Final = re.compile(
    rf"{_BODY}(?=[bpmfdtnlgkhjqxrzcsyw]{{1,2}}[aeiouv]|$)|{_BODY}(?=[aoe])"
)
_RUN: Final = re.compile(r"[a-z][a-z' ]*")
_LONGEST: Final = 5
_SMALL: Final = {
    "bu": "不",
    "mei": "没",
    "qu": "去",
    "zuo": "坐",
    "zai": "在",
    "dai": "戴",
    "yao": "要",
    "ma": "吗",
    "he": "和",
    "gen": "跟",
    "hen": "很",
    "duo": "多",
    "shao": "少",
    "ren": "人",
    "you": "有",
    "li": "里",
    "le": "了",
    "dao": "到",
    "jin": "进",
    "kouzhao": "口罩",
}


@cache
def _dictionary() -> dict[tuple[str, ...], str]:
    """Return the words by their syllables; of homophones the graver cue, named first."""
    # Imported here: it costs more than all the rest of the rules, and few questions need it.
    from pypinyin import lazy_pinyin

    found: dict[tuple[str, ...], str] = {}
    for cue, text in (*WEAR_WORDS.items(), *EASE_WORDS.items()):
        for word in text.split():
            if len(word) > 1 or cue is Cue.SYMPTOM:
                found.setdefault(tuple(lazy_pinyin(word)), word)
    for syllable, character in _SMALL.items():
        found.setdefault((syllable,), character)
    found["kou", "zhao"] = "口罩"
    return found


def load() -> None:
    """Build the dictionary now; a process does so at its start, or its first such question waits.

    It takes about a second where pypinyin is not loaded yet.
    """
    _dictionary()


def from_pinyin(text: str) -> str:
    """Return a sentence with the pinyin of known words replaced by the words.

    Args:
        text: lower case; Latin letters that are no pinyin stay as they are.
    """
    return _RUN.sub(_words_of, text)


def _words_of(run: re.Match[str]) -> str:
    """Return one run of Latin letters with its pinyin replaced."""
    syllables = [
        syllable for part in re.split(r"[' ]+", run.group()) for syllable in _syllables(part)
    ]
    words: list[str] = []
    place = 0
    while place < len(syllables):
        for length in range(min(_LONGEST, len(syllables) - place), 0, -1):
            word = _dictionary().get(tuple(syllables[place : place + length]))
            if word:
                words.append(word)
                place += length
                break
        else:
            words.append(syllables[place])
            place += 1
    return "".join(words)


def _syllables(part: str) -> list[str]:
    """Return the syllables of a word, or the word itself if it is not pinyin throughout."""
    found: list[str] = []
    place = 0
    while place < len(part):
        match = _SYLLABLE.match(part, place)
        if match is None:
            return [part]
        found.append(match.group())
        place = match.end()
    return found
