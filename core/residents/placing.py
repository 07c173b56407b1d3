"""Which community the words of a register mean, if that is sure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.places.matching import Finding, Fit
from core.places.model import Community
from core.places.naming import folded_name, without_building, without_district
from core.places.service import current_book

# A register repeats the addresses of a building for everybody who lives there.
MAX_KEPT: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Where words place somebody.

    Attributes:
        community_id: the community that is meant; None: not sure.
        likely_id: the one that officers are asked about; None if nothing is like it.
        likely_street_id: its street, or the one that the words name.
    """

    community_id: int | None = None
    likely_id: int | None = None
    likely_street_id: int | None = None


NOWHERE: Final = Placing()


class Placer:
    """Places words, as the chat does, and by the addresses of the register."""

    def __init__(self, session: Session) -> None:
        """Read the register of communities."""
        self._book = current_book(session)
        self._addresses = _addresses(session)
        self._streets = {place.street: place.street_id for place in self._book.places.values()}
        self._kept: dict[str, Placing] = {}

    def place(self, words: str) -> Placing:
        """Return what a name or an address means; the flat in it does not matter."""
        key = without_building(folded_name(words))
        kept = self._kept.get(key)
        if kept is None:
            kept = self._placed(words, key)
            if len(self._kept) < MAX_KEPT:
                self._kept[key] = kept
        return kept

    def _placed(self, words: str, key: str) -> Placing:
        by_address = self._addresses.get(without_district(key))
        if by_address is not None:
            return Placing(community_id=by_address)
        finding = self._book.index.find(words)
        if finding.fit is Fit.ONE:
            return Placing(community_id=finding.ids[0])
        return self._likely(finding)

    def _likely(self, finding: Finding) -> Placing:
        street_id = self._streets.get(finding.street)
        # What is only spelled alike, somewhere in the district, says nothing of where it is.
        for likely in finding.ids or (finding.nearest if street_id else ()):
            place = self._book.places[likely]
            if street_id in {None, place.street_id}:
                return Placing(likely_id=likely, likely_street_id=place.street_id)
        return Placing(likely_street_id=street_id)


def _addresses(session: Session) -> dict[str, int]:
    """Return the communities by the one spelling of their address, where only one has it."""
    rows = session.execute(
        select(Community.id, Community.address).where(Community.address != "")
    ).all()
    folded = [(identity, without_district(folded_name(address))) for identity, address in rows]
    counts = Counter(address for _, address in folded)
    return {address: identity for identity, address in folded if address and counts[address] == 1}
