from __future__ import annotations

from collections import Counter

from bot.demo import SEED
from bot.demo.places import make_communities
from bot.demo.scenes import (
    CAST,
    OUTBREAK,
    OUTBREAK_STREET,
    OUTBREAKS_A_DAY,
    QUIET,
    Scene,
    make_outbreaks,
    make_scenes,
)
from core.places.geo import distance_m
from core.risk.events.rules import Ending, EventKind

COMMUNITIES = {one.code: one for one in make_communities(SEED)}
SCENES = make_scenes([*COMMUNITIES.values()], seed=SEED)


def test_whoever_was_suspected_first_was_confirmed_two_days_later() -> None:
    first, second = Scene(code="A", confirmed=(3,)).events()
    assert (first.kind, first.day, first.ended) == (EventKind.SUSPECTED, 1, 3)
    assert first.ending is Ending.CONVERTED
    assert (second.kind, second.day, second.ended) == (EventKind.CONFIRMED, 3, None)
    assert first.person_id == second.person_id


def test_whoever_falls_ill_later_was_a_close_contact_until_then() -> None:
    events = [*Scene(code="A", confirmed=(0, 4), close=1).events()]
    ill = next(one for one in events if (one.kind, one.day) == (EventKind.CONFIRMED, 4))
    before = [one for one in events if one.person_id == ill.person_id and one is not ill]
    assert [(one.kind, one.day, one.ended, one.ending) for one in before] == [
        (EventKind.CLOSE_CONTACT, 1, 4, Ending.CONVERTED)
    ]
    kinds = Counter(one.kind for one in events)
    assert kinds[EventKind.CLOSE_CONTACT] == 2


def test_an_outbreak_reaches_two_neighbours_of_its_street_by_one_cluster() -> None:
    centre = COMMUNITIES[SCENES[OUTBREAK].code]
    linked = [one for one in SCENES.values() if one.cluster == SCENES[OUTBREAK].cluster]
    places = [COMMUNITIES[one.code] for one in linked]
    assert len(linked) == 3
    assert {one.street for one in places} == {OUTBREAK_STREET}
    here = (centre.longitude, centre.latitude)
    assert all(distance_m((one.longitude, one.latitude), here) <= 500 for one in places)


def test_every_scene_is_of_another_community_and_none_of_the_quiet_one() -> None:
    codes = [one.code for one in SCENES.values()]
    assert len(set(codes)) == len(codes)
    assert QUIET not in {COMMUNITIES[code].name for code in codes}


def test_outbreaks_of_a_longer_story_are_those_of_a_shorter_one_and_more() -> None:
    communities = [*COMMUNITIES.values()]
    short = make_outbreaks(communities, SCENES, seed=SEED, first=-30, last=0)
    long = make_outbreaks(communities, SCENES, seed=SEED, first=-300, last=300)
    assert [one for one in long if one in short] == short
    assert 0.6 * OUTBREAKS_A_DAY < len(long) / 601 < 1.4 * OUTBREAKS_A_DAY
    told = {one.code for one in SCENES.values()}
    assert not [one for one in long if one.code in told]
    # The people of a scene are enough for the largest of them.
    assert max(len({event.person_id for event in one.events()}) for one in long) <= CAST
