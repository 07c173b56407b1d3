"""Which community a person means: an index over the register, and the question put to it.

A wrong community is worse than a question back. So one community is answered
only when the person wrote its registered name or alias, or when a weaker
reading (an ending left out, pinyin, a homophone) leads to one community and
no other is as near. Everything else is asked back.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from core.places import geo, naming, sounds, words
from core.places.candidates import SHORT, SURE, Level, Pool, Register
from core.places.keys import Span, SpanTable

_NUMBERS = re.compile(r"(\d+)")
CHOICES_LIMIT = 8
NEAREST_LIMIT = 3
_TEXT_LIMIT = 1000
_PHRASES_LIMIT = 4
_NAME_LENGTH_LIMIT = 16
_SPELLED_LETTERS = 4
# Two letters side by side that pinyin does not have.
_NOT_PINYIN = re.compile(r"(?![zcs]h|[ngr])[b-df-hj-np-tw-z]{2}|ii|uu|ee|oo")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceName:
    """What the register knows of a community that helps to find it; GCJ-02 degrees."""

    community_id: int
    name: str
    street: str
    aliases: tuple[str, ...] = ()
    longitude: float | None = None
    latitude: float | None = None
    code: str = ""
    address: str = ""


class Fit(StrEnum):
    """How well a text fits the register."""

    ONE = "one"
    SEVERAL = "several"
    NONE = "none"
    NOT_NAMED = "not_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found for a text.

    Attributes:
        fit: ONE is sure; SEVERAL is to be asked back (a single id means "did
            you mean this one?"); NONE, a name that nobody registered;
            NOT_NAMED, no community is named at all.
        ids: one id for ONE, one to eight for SEVERAL, best first; else none.
        nearest: for NONE, at most three communities with the closest names.
        said: the part of the text taken as the name, as written; for names
            that stand in the register in the spelling of `naming.fold`; ""
            for NOT_NAMED.
        street: the street or town that the text names, as registered, or "".
    """

    fit: Fit
    ids: tuple[int, ...] = ()
    nearest: tuple[int, ...] = ()
    said: str = ""
    street: str = ""


class PlaceIndex:
    """The communities of a register, ready to be found; rebuilt when the register changes."""

    def __init__(self, places: Sequence[PlaceName]) -> None:
        """Prepare the communities; `build` says the same in a word that reads better."""
        self._places = {place.community_id: place for place in places}
        self._register = Register(
            {
                place.community_id: [*map(naming.folded_name, (place.name, *place.aliases))]
                for place in places
            }
        )
        self._streets = _street_words(places)
        self._before = (*words.BEFORE, *self._streets)
        self._scan = SpanTable(self._register.sentence_keys(), width=SHORT)
        self._sounds = SpanTable(self._register.keys.long_sound, width=_SPELLED_LETTERS)
        self._by_latitude = sorted(
            (place.latitude, place.longitude, place.community_id)
            for place in places
            if place.latitude is not None and place.longitude is not None
        )

    @classmethod
    def build(cls, places: Sequence[PlaceName]) -> Self:
        """Return an index over the communities of a register."""
        return cls(places)

    def __len__(self) -> int:
        """Return how many communities are indexed."""
        return len(self._places)

    def find(self, text: str, *, near: tuple[float, float] | None = None) -> Finding:
        """Return the community or communities that a text means.

        Args:
            text: what the person wrote; the first 1,000 characters count.
            near: longitude and latitude of the person, GCJ-02 degrees; brings
                several choices into the order of their distance.

        Returns:
            The finding; never an error, whatever the text.
        """
        text = text[:_TEXT_LIMIT]
        folded = naming.fold(text)
        spans = self._scan.spans_in(folded.text)
        finding = self._named(text, folded, spans) or self._searched(text, folded, spans)
        if near and geo.is_point(*near) and len(finding.ids) > 1:
            return replace(finding, ids=self._nearest_first(finding.ids, near))
        return finding

    def nearest(
        self, longitude: float, latitude: float, limit: int = 5, within_m: float = 1500.0
    ) -> tuple[tuple[int, float], ...]:
        """Return the communities around a point, nearest first.

        Args:
            longitude: GCJ-02 degrees.
            latitude: GCJ-02 degrees.
            limit: how many at most.
            within_m: how far away at most, metres.

        Returns:
            Ids with their distance in metres; empty when nothing is that near
            or the numbers are no point on Earth.
        """
        if not geo.is_point(longitude, latitude):
            return ()
        span = geo.latitude_span(within_m)
        low = bisect_left(self._by_latitude, latitude - span, key=_latitude_of)
        high = bisect_right(self._by_latitude, latitude + span, key=_latitude_of)
        here = (longitude, latitude)
        around = (
            (geo.distance_m(here, (east, north)), community_id)
            for north, east, community_id in self._by_latitude[low:high]
        )
        kept = sorted(found for found in around if found[0] <= within_m)
        return tuple((community_id, metres) for metres, community_id in kept[:limit])

    # ---- the registered name, as it stands ---------------------------------------------------

    def _named(self, text: str, folded: naming.Folded, spans: list[Span]) -> Finding | None:
        """Return the finding for registered names that stand alone in the text, or None."""
        if not spans:
            return None
        for span in spans:
            if not (span.ids and self._begins(folded, span) and self._ends(folded, span)):
                return None
        street = self._street_in(folded.text)
        ids = tuple(dict.fromkeys(found for span in spans for found in span.ids))
        said = folded.text[spans[0].start : spans[0].end]
        there = self._in_street(ids, street) if street else ids
        if len(there) > 1:
            there = self._written_alike(there, text) or there
        if len(there) == 1:
            return Finding(fit=Fit.ONE, ids=there, said=said, street=street)
        # No id left: the street speaks against the name, and that is asked back.
        ids = (there or ids)[:CHOICES_LIMIT]
        return Finding(fit=Fit.SEVERAL, ids=ids, said=said, street=street)

    def _written_alike(self, ids: tuple[int, ...], text: str) -> tuple[int, ...]:
        """Return the one id whose name is in the text to the letter, if only writing differs."""
        names = {found: self._places[found].name for found in ids}
        if len(set(map(naming.folded_name, names.values()))) > 1:
            return ()
        plain = _unspaced(text)
        alike = tuple(found for found in ids if _unspaced(names[found]) in plain)
        return alike if len(alike) == 1 else ()

    def _begins(self, folded: naming.Folded, span: Span) -> bool:
        """Return whether nothing before a name in a text can belong to it."""
        if span.start == 0:
            return True
        text, start = folded.text, span.start
        # 徐汇 + 星河园 may be 星河园 or the registered 徐汇星河园: only a firm word parts them.
        if self._register.may_go_on_before(text[start : span.end]):
            return text.endswith(words.FIRMLY_BEFORE, 0, start)
        return text.endswith(self._before, 0, start) or start in folded.breaks

    def _ends(self, folded: naming.Folded, span: Span) -> bool:
        """Return whether nothing after a name in a text can belong to it."""
        text, end = folded.text, span.end
        building = naming.BUILDING_START.match(text, end)
        if building and text[end - 1] not in "路号":
            end = building.end()
        if end == len(text) or text.startswith(words.AFTER, end):
            return True
        if end not in folded.breaks or text[end] in words.EXTENSIONS:
            return False
        return not self._register.goes_on_after(text[span.start : span.end])

    # ---- anything else -----------------------------------------------------------------------

    def _searched(self, text: str, folded: naming.Folded, spans: list[Span]) -> Finding:
        """Return the finding for a text that is not plainly a registered name."""
        street = self._street_in(folded.text)
        phrases = [*filter(self._is_more_than_street, naming.phrases_in(text)[:_PHRASES_LIMIT])]
        inside = self._standing_inside(folded, spans)
        for phrase in phrases:
            pool = Pool(inside)
            for variant in self._variants(phrase):
                self._register.fill(pool, variant)
            if pool:
                return self._weighed(pool, phrase, street)
        inside = inside or self._sounding_inside(folded)
        if inside:
            return self._weighed(inside, phrases[0] if phrases else text.strip(), street)
        if phrases and _may_be_name(phrases[0]):
            name = naming.without_building(naming.folded_name(phrases[0]))
            nearest = self._register.closest(naming.without_district(name), limit=NEAREST_LIMIT)
            return Finding(fit=Fit.NONE, nearest=nearest, said=phrases[0], street=street)
        return Finding(fit=Fit.NOT_NAMED, street=street)

    def _weighed(self, pool: Pool, said: str, street: str) -> Finding:
        """Return one community if it is sure, else the question which is meant."""
        ids = tuple(pool.best_first())
        there = self._in_street(ids, street) if street else ids
        is_everyday_word = naming.folded_name(said) in words.COMMON_WORDS
        if len(there) == 1 and pool[there[0]] in SURE and not is_everyday_word:
            return Finding(fit=Fit.ONE, ids=there, said=said, street=street)
        listed = sorted(there or ids, key=lambda one: (pool[one], self._in_numbers_of(one)))
        ids = tuple(listed[:CHOICES_LIMIT])
        return Finding(fit=Fit.SEVERAL, ids=ids, said=said, street=street)

    def _in_numbers_of(self, community_id: int) -> tuple[str | int, ...]:
        """Return what puts 二村 before 十村: the name with its numbers as numbers."""
        parts = _NUMBERS.split(naming.folded_name(self._places[community_id].name))
        return tuple(int(part) if part.isdecimal() else part for part in parts)

    def _standing_inside(self, folded: naming.Folded, spans: list[Span]) -> Pool:
        """Return the communities whose name stands in the text, beside something unknown."""
        pool = Pool()
        for span in spans:
            name = folded.text[span.start : span.end]
            stands = self._begins(folded, span) and not _extends(folded.text, span.end)
            ids = span.ids or self._register.keys.same.get(name, ())
            pool.put(ids, Level.STANDS if stands else Level.INSIDE)
            # 星河湾 stands there, and what is meant may be 星河湾一期.
            pool.put(self._register.beginning_with(name), Level.PART)
        return pool

    def _sounding_inside(self, folded: naming.Folded) -> Pool:
        """Return the communities of which the sound stands in the text."""
        syllables = [sounds.syllable_of(char) for char in folded.text]
        spelled = "".join(syllables)
        chars, place = {0: 0}, 0  # of each place in the spelling, the character that begins there
        for index, syllable in enumerate(syllables, start=1):
            place += len(syllable)
            chars[place] = index
        pool = Pool()
        for span in self._sounds.spans_in(spelled):
            if span.start in chars and span.end in chars:
                whole = self._begins_spelled(
                    folded, spelled[: span.start], chars[span.start]
                ) and _ends_spelled(folded, spelled[span.end :], chars[span.end])
                pool.put(span.ids, Level.SOUND if whole else Level.INSIDE)
        return pool

    def _begins_spelled(self, folded: naming.Folded, spelled_before: str, char: int) -> bool:
        text = folded.text
        if char == 0 or text.endswith(self._before, 0, char):
            return True
        # Pinyin has spaces inside a name as well: between letters they end nothing.
        if char in folded.breaks and not text[char - 1].isascii():
            return True
        return spelled_before.endswith(words.SPELLED_BEFORE)

    def _variants(self, phrase: str) -> list[str]:
        """Return the folded names that a phrase may stand for, the phrase itself first."""
        whole = naming.without_building(naming.folded_name(phrase))
        bare = naming.without_district(whole)
        for word in self._streets:
            if word[-1] in "道镇" and bare.startswith(word) and len(bare) - len(word) > 1:
                bare = bare[len(word) :]
                break
        return [
            name for name in dict.fromkeys((whole, bare)) if len(name) > 1 and naming.core_of(name)
        ]

    # ---- streets and distances ---------------------------------------------------------------

    def _street_in(self, folded: str) -> str:
        """Return the registered name of the street or town that a folded text names, or ""."""
        if "街道" not in folded and "镇" not in folded:
            return ""
        named = (word for word in self._streets if word[-1] in "道镇" and word in folded)
        return self._streets.get(next(named, ""), "")

    def _in_street(self, ids: tuple[int, ...], street: str) -> tuple[int, ...]:
        return tuple(found for found in ids if self._places[found].street == street)

    def _is_more_than_street(self, phrase: str) -> bool:
        """Return whether a phrase is more than the district, a street, or a kind of place."""
        name = naming.without_district(naming.folded_name(phrase))
        if name in words.DISTRICT or not naming.core_of(name):
            return False
        if name not in self._streets:
            return True
        return name[-1] not in "道镇" and self._register.goes_on_after(name)

    def _nearest_first(self, ids: tuple[int, ...], near: tuple[float, float]) -> tuple[int, ...]:
        def metres(community_id: int) -> float:
            place = self._places[community_id]
            if place.longitude is None or place.latitude is None:
                return float("inf")
            return geo.distance_m(near, (place.longitude, place.latitude))

        return tuple(sorted(ids, key=metres))


def _street_words(places: Iterable[PlaceName]) -> dict[str, str]:
    """Return how people call the streets (天平路街道, 天平街道, 天平路, 天平), longest first."""
    spoken: dict[str, str] = {}
    for street in dict.fromkeys(place.street for place in places):
        folded = naming.folded_name(street)
        short = folded.removesuffix("街道").removesuffix("镇")
        shorter = short.removesuffix("路").removesuffix("新村")
        for word in (folded, f"{shorter}街道", short, shorter):
            if len(word) > 1 and word != "街道":
                spoken.setdefault(word, street)
    return dict(sorted(spoken.items(), key=lambda item: len(item[0]), reverse=True))


def _extends(text: str, end: int) -> bool:
    """Return whether what follows a name may make it the name of another place."""
    return (
        end < len(text) and text[end] in words.EXTENSIONS and not text.startswith(words.AFTER, end)
    )


def _ends_spelled(folded: naming.Folded, spelled_after: str, char: int) -> bool:
    text = folded.text
    if char == len(text) or text.startswith(words.AFTER, char):
        return True
    if char in folded.breaks and not text[char].isascii():
        return True
    return spelled_after.startswith(words.SPELLED_AFTER)


def _may_be_name(phrase: str) -> bool:
    """Return whether a phrase that fits no community may still be meant as one."""
    folded = naming.folded_name(phrase)
    if folded in words.COMMON_WORDS or folded.isdecimal() or len(folded) < SHORT:
        return False
    if folded.isascii():
        return len(folded) > _SPELLED_LETTERS and not _NOT_PINYIN.search(folded)
    if naming.looks_like_name(folded):
        return True
    return len(folded) <= _NAME_LENGTH_LIMIT and words.TALK.isdisjoint(folded)


def _unspaced(text: str) -> str:
    return "".join(naming.simplify(text).split())


def _latitude_of(row: tuple[float, float, int]) -> float:
    return row[0]
