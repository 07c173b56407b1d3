"""What real time may show today: worse than a card, and no more at once than may be true."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.risk.floors import BANDS
from core.risk.holding import jump_limit
from core.risk.rules import Colour, ModelVersion

# Where more of the district is infected in a day, it is rather the feed that is wrong.
MAX_INFECTED_SHARE: Final = 0.25

# The band of a computed colour and the score: the worse of two is the greater.
Rank: TypeAlias = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What cards show of a community, for comparing.

    Attributes:
        base: band and score of the days before today; band 0 where nothing is shown.
        shown: of the newest row; `base`, unless today has one.
        is_shown: whether anything is.
        is_final: whether a night or an import has scored today already.
    """

    base: Rank = (0, -1.0)
    shown: Rank = (0, -1.0)
    is_shown: bool = False
    is_final: bool = False

    @property
    def is_raised(self) -> bool:
        """Whether today has another colour than the days before."""
        return 0 < self.base[0] != self.shown[0]

    def lets(self, candidate: Rank, *, is_set: bool) -> bool:
        """Return whether a score of today may take the place of what is shown.

        Args:
            candidate: band and score.
            is_set: whether two people have set a colour, which must be seen on something.
        """
        band, _ = candidate
        if self.is_final or (is_set and not self.is_shown):
            return not self.is_final
        if not self.shown[0]:
            # Harmless by what has come so far is no news; the night knows what has not.
            return band >= BANDS.index(Colour.YELLOW)
        return band > 0 and candidate > self.shown


UNSEEN: Final = Card()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many communities may have another colour today: for infections, and for all else."""

    infected: float
    others: float


def limits_of(version: ModelVersion, cards: Mapping[int, Card], *, is_doubtful: bool) -> Limits:
    """Return how many colours may rise today without a person looking at it.

    A known infection is not to be hidden, but where every fourth community is infected at once
    the feed is to be looked at.

    Args:
        version: with its limit of jumps.
        cards: of the district.
        is_doubtful: whether the newest night is held for its jumps: only infections speak then.
    """
    limit = jump_limit(version, community_count=len(cards))
    if is_doubtful:
        return Limits(infected=limit, others=-1)
    return Limits(infected=max(limit, MAX_INFECTED_SHARE * len(cards)), others=limit)


def let_out(
    cards: Mapping[int, Card],
    worse: Mapping[int, Rank],
    *,
    was: Mapping[int, int],
    floors: Mapping[int, int],
    limits: Limits,
) -> set[int]:
    """Return which of the communities that are worse may be shown so.

    Args:
        cards: of the district.
        worse: bands and scores of those in question.
        was: bands that were shown before, of those that are worked out anew.
        floors: what a known infection demands, by community.
        limits: for the raises of the day together.
    """
    raised = {one for one, card in cards.items() if card.is_raised and one not in worse}

    def count(more: Collection[int]) -> int:
        jumps = {one for one in more if 0 < cards.get(one, UNSEEN).base[0] < worse[one][0]}
        return len(raised | jumps)

    out = {one for one, rank in worse.items() if rank[0] <= was.get(one, 0)}
    infected = {
        one for one in worse if floors[one] > cards.get(one, UNSEEN).shown[0] and one not in out
    }
    if infected and count(out | infected) > limits.infected:
        return out
    out |= infected
    return set(worse) if count(worse) <= limits.others else out
