"""The scenes of the demo's epidemic: who falls ill in one community, and whom they met.

Days are counted from the story's own day 0: yesterday, when the district was first loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from bot.demo.places import DemoCommunity
from bot.demo.residents import resident_id
from core.places.geo import distance_m
from core.risk.events.rules import Ending, EventKind

# The community that guides and simulator ask about: known to everybody, and quiet.
QUIET: Final = "田林十二村"
OUTBREAK_STREET: Final = "康健新村街道"
OUTBREAK: Final = "outbreak"
RECOVERED: Final = "recovered"
HELD_BACK: Final = "held_back"
OVERRIDDEN: Final = "overridden"
CONTESTED: Final = "contested"
# So many residents of a community, the first of them, are for its scene.
CAST: Final = 30
OUTBREAKS_A_DAY: Final = 0.3
# The first of an outbreak is suspected so long before they are confirmed.
SUSPECTED_DAYS: Final = 2

_CLOSE_DAYS: Final = 14
_SECOND_DAYS: Final = 7
_WELL_DAYS: Final = 3
_FEVER_DAYS: Final = 2


class DemoEvent(NamedTuple):
    """An event as a feed reports it: on `day`, and again with its ending on the day it ends."""

    person_id: str
    kind: EventKind
    day: int
    ended: int | None = None
    ending: Ending | None = None
    cluster: str = ""
    route: str = ""
    community_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What happens in one community.

    Attributes:
        code: of the community.
        confirmed: days on which somebody was confirmed; the first of them came to a clinic.
        asym: days on which somebody without symptoms was found.
        suspected: days on which somebody was suspected who was well after all.
        close: close contacts.
        second: contacts of contacts.
        fever: days on which somebody had a fever.
        cluster: name that the linked infections share; empty where they are not linked.
    """

    code: str
    confirmed: Sequence[int] = ()
    asym: Sequence[int] = ()
    suspected: Sequence[int] = ()
    close: int = 0
    second: int = 0
    fever: Sequence[int] = ()
    cluster: str = ""

    def events(self) -> Iterator[DemoEvent]:
        """Yield the events, each of another resident but for those who turned out worse."""
        cast = (resident_id(self.code, number) for number in range(CAST))
        began = min([*self.confirmed, *self.asym], default=0)
        for day in sorted(self.confirmed):
            yield from self._confirmed(next(cast), day, began=began)
        for day in self.asym:
            yield DemoEvent(
                next(cast), EventKind.ASYMPTOMATIC, day, cluster=self.cluster, route="screening"
            )
        for day in self.suspected:
            yield _over(next(cast), EventKind.SUSPECTED, day, _WELL_DAYS, Ending.EXCLUDED)
        for day in self.fever:
            yield _over(next(cast), EventKind.FEVER, day, _FEVER_DAYS, Ending.EXCLUDED)
        for _ in range(self.close):
            yield _over(
                next(cast), EventKind.CLOSE_CONTACT, began + 1, _CLOSE_DAYS, Ending.RELEASED
            )
        for _ in range(self.second):
            yield _over(
                next(cast), EventKind.SECOND_CONTACT, began + 2, _SECOND_DAYS, Ending.RELEASED
            )

    def _confirmed(self, person_id: str, day: int, *, began: int) -> Iterator[DemoEvent]:
        is_first = day == began
        if is_first:
            yield _over(
                person_id,
                EventKind.SUSPECTED,
                day - SUSPECTED_DAYS,
                SUSPECTED_DAYS,
                Ending.CONVERTED,
            )
        elif day > began + 1:
            known = began + 1
            yield _over(person_id, EventKind.CLOSE_CONTACT, known, day - known, Ending.CONVERTED)
        route = "clinic" if is_first else "quarantine"
        yield DemoEvent(person_id, EventKind.CONFIRMED, day, cluster=self.cluster, route=route)


def _over(person_id: str, kind: EventKind, day: int, lasts: int, ending: Ending) -> DemoEvent:
    return DemoEvent(person_id, kind, day, ended=day + lasts, ending=ending)


def make_scenes(communities: Sequence[DemoCommunity], *, seed: int) -> dict[str, Scene]:
    """Return the scenes that every demo district tells of, by their names.

    An outbreak in one street reaches two neighbours; others have a single case, the last one
    fourteen days ago or a fever that somebody doubts.
    """
    random = Random(f"{seed}:scenes")
    street = [one for one in communities if one.street == OUTBREAK_STREET]
    centre = max(street, key=lambda one: len(_near(one, street)))
    reached = _near(centre, street)[:2]
    told = {QUIET, centre.name, *(one.name for one in reached)}
    others = [one for one in communities if one.name not in told and one.street != OUTBREAK_STREET]
    codes = iter(one.code for one in random.sample(others, 9))
    first = Scene(
        code=centre.code,
        confirmed=(-9, -7, -4),
        asym=(-6,),
        suspected=(-1, -1),
        close=9,
        second=12,
        cluster="demo-family",
    )
    scenes = {
        OUTBREAK: first,
        RECOVERED: Scene(code=next(codes), confirmed=(-16,), close=4, second=6),
        HELD_BACK: Scene(code=next(codes), confirmed=(-15,), suspected=(-1,), close=3),
        OVERRIDDEN: Scene(code=next(codes), fever=(-3, -2)),
        CONTESTED: Scene(code=next(codes), fever=(-2, -1, -1)),
        "screened": Scene(code=next(codes), asym=(-5,), close=5, second=8),
        "yesterday": Scene(code=next(codes), confirmed=(0,), suspected=(0,)),
    }
    for place, (one, day) in enumerate(zip(reached, (-5, -3), strict=True)):
        scenes[f"reached_{place}"] = Scene(
            code=one.code, confirmed=(day,), close=4, second=5, cluster=first.cluster
        )
    for place, day in enumerate((-3, -8, -11)):
        scenes[f"single_{place}"] = Scene(code=next(codes), confirmed=(day,), close=2, second=3)
    return scenes


def make_outbreaks(
    communities: Sequence[DemoCommunity],
    told: Mapping[str, Scene],
    *,
    seed: int,
    first: int,
    last: int,
) -> list[Scene]:
    """Return the small outbreaks of the days in between, in communities of which none is told.

    Args:
        communities: of the district.
        told: the scenes that there are already.
        seed: of the district; an outbreak of a day is the same however long the story is.
        first: the first day on which one may begin.
        last: the last.
    """
    taken = {one.code for one in told.values()}
    free = [one.code for one in communities if one.code not in taken and one.name != QUIET]
    found = []
    for day in range(first, last + 1):
        random = Random(f"{seed}:outbreak:{day}")
        if random.random() < OUTBREAKS_A_DAY:
            found.append(_outbreak(random, random.choice(free), began=day))
    return found


def _outbreak(random: Random, code: str, *, began: int) -> Scene:
    size = random.choices((1, 2, 3), (62, 30, 8))[0]
    days = [began, *(began + random.randint(2, 6) for _ in range(size - 1))]
    has_asym = size > 1 and random.random() < 0.3
    return Scene(
        code=code,
        confirmed=days[:-1] if has_asym else days,
        asym=days[-1:] if has_asym else (),
        suspected=(began + 1,) if random.random() < 0.4 else (),
        close=random.randint(1, 4) * size,
        second=random.randint(1, 4) * size,
        cluster=f"demo-{code}-{began}" if size > 1 else "",
    )


def _near(centre: DemoCommunity, others: Sequence[DemoCommunity]) -> list[DemoCommunity]:
    """Return those within 500 m of a community, the nearest first."""
    place = (centre.longitude, centre.latitude)
    found = [
        (distance, one.code, one)
        for one in others
        if one is not centre
        and (distance := distance_m((one.longitude, one.latitude), place)) <= 500
    ]
    return [one for *_, one in sorted(found, key=lambda entry: entry[:2])]
