"""Look-ups by key: whole, inside a text, and one slip of the finger away."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from core.places.naming import numbers_in

_NUMBER_CHARS = frozenset("0123456789-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A key found in a text, from `start` to before `end`, and what it stands for."""

    start: int
    end: int
    ids: tuple[int, ...]


class SpanTable:
    """Keys that are found wherever they stand in a text, the longest first."""

    __slots__ = ("_ids", "_lengths", "_width")

    def __init__(self, keys: Mapping[str, Iterable[int]], *, width: int) -> None:
        """Prepare the keys.

        Args:
            keys: each key with the ids it stands for; none means "known, but
                not to be decided by this table".
            width: how many first characters select the keys to try. Keys
                shorter than that are left out.
        """
        self._width = width
        self._ids = {key: tuple(ids) for key, ids in keys.items() if len(key) >= width}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for key in self._ids:
            lengths[key[:width]].add(len(key))
        self._lengths = {
            start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()
        }

    def get(self, key: str) -> tuple[int, ...]:
        """Return the ids of a key; none if it is unknown."""
        return self._ids.get(key, ())

    def spans_in(self, text: str) -> list[Span]:
        """Return the keys that stand in a text, from left to right, none overlapping.

        A key that begins or ends inside a number of the text does not stand
        there: 2村 is not in 12村.
        """
        spans: list[Span] = []
        width, lengths_of, place = self._width, self._lengths.get, 0
        last = len(text) - width
        while place <= last:
            lengths = lengths_of(text[place : place + width])
            span = self._longest_at(text, place, lengths) if lengths else None
            if span:
                spans.append(span)
            place = span.end if span else place + 1
        return spans

    def _longest_at(self, text: str, start: int, lengths: tuple[int, ...]) -> Span | None:
        for length in lengths:
            end = start + length
            ids = self._ids.get(text[start:end])
            if (
                ids is not None
                and end <= len(text)
                and not (splits_number(text, start) or splits_number(text, end))
            ):
                return Span(start=start, end=end, ids=ids)
        return None


class Neighbours:
    """Names one slip away: a character wrong, missing, added, or two swapped.

    Every name is kept under itself and under itself less each one of its
    characters; two names one slip apart share such a key. So the cost of a
    question depends on its length, not on how many names there are.
    """

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare the folded names."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            for key in _shortened(name):
                found[key].append(name)
        self._names = dict(found)

    def near(self, folded: str) -> list[str]:
        """Return the names one slip from a folded name, without itself, in a fixed order.

        Names with other numbers are left out: another number is another place.
        """
        seen = {name: None for key in _shortened(folded) for name in self._names.get(key, ())}
        seen.pop(folded, None)
        numbers = numbers_in(folded)
        return [
            name for name in seen if OSA.distance(folded, name) <= 1 and numbers_in(name) == numbers
        ]


def splits_number(text: str, place: int) -> bool:
    """Return whether a cut before `place` would go through a number."""
    return (
        0 < place < len(text) and text[place] in _NUMBER_CHARS and text[place - 1] in _NUMBER_CHARS
    )


def _shortened(name: str) -> Iterator[str]:
    yield name
    for place in range(len(name)):
        yield name[:place] + name[place + 1 :]
