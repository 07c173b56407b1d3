from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.notices.rules import (
    LATE_REPLY,
    LONGEST_RETRY_SECONDS,
    MAX_ATTEMPTS,
    NOTICE_LIFETIME,
    TRANSITIONS,
    Channel,
    NoticeState,
    Reach,
    Receipt,
    candidates_for,
    channels_for,
    client_msg_id_for,
    may_become,
    receipt_of,
    retry_delay_for,
)

T, S, C = Channel.TEMPLATE, Channel.SUBSCRIBE, Channel.CUSTOM

reaches = st.builds(
    Reach,
    is_following=st.none() | st.booleans(),
    has_template=st.booleans(),
    consents_left=st.integers(0, 3),
    is_window_open=st.none() | st.booleans(),
)
kinds = st.sampled_from([LATE_REPLY, "colour_changed"])


def _reach(
    *, follows: bool | None = True, template: bool = True, consents: int = 0, window: bool | None
) -> Reach:
    return Reach(
        is_following=follows, has_template=template, consents_left=consents, is_window_open=window
    )


@pytest.mark.parametrize(
    ("kind", "reach", "expected"),
    [
        pytest.param("news", _reach(window=False), [T], id="a follower: template message"),
        pytest.param("news", _reach(window=True, consents=1), [T, C, S], id="a consent last"),
        pytest.param("news", _reach(window=True, template=False), [C], id="no template: the chat"),
        pytest.param("news", _reach(window=None), [T], id="window unknown: not for a notice"),
        pytest.param(
            "news", _reach(follows=False, window=True, consents=1), [S], id="gone, but agreed"
        ),
        pytest.param("news", _reach(follows=False, window=True), [], id="gone"),
        pytest.param("news", _reach(follows=None, window=False), [T], id="never heard of: tried"),
        pytest.param(LATE_REPLY, _reach(window=True), [C, T], id="an answer: the chat first"),
        pytest.param(
            LATE_REPLY,
            _reach(follows=False, window=True),
            [C, T],
            id="an answer to somebody who was thought to have left",
        ),
        pytest.param(LATE_REPLY, _reach(window=False), [T], id="an answer, window shut"),
        pytest.param(LATE_REPLY, _reach(window=None), [C, T], id="an answer, window unknown"),
    ],
)
def test_channels_fit_the_person(kind: str, reach: Reach, expected: list[Channel]) -> None:
    assert list(channels_for(kind, reach)) == expected


@given(
    kinds, reaches, st.frozensets(st.sampled_from(Channel)), st.none() | st.sampled_from(Channel)
)
def test_candidates_never_hold_a_refused_channel_nor_one_that_does_not_fit(
    kind: str, reach: Reach, refused: frozenset[Channel], unsure: Channel | None
) -> None:
    found = candidates_for(kind, reach, refused=refused, unsure=unsure)
    assert not set(found) & refused
    assert set(found) <= set(channels_for(kind, reach))
    assert len(set(found)) == len(found)


@given(kinds, reaches, st.sampled_from(Channel))
def test_repeat_after_an_unknown_outcome_stays_where_the_platform_drops_doubles(
    kind: str, reach: Reach, unsure: Channel
) -> None:
    fits = channels_for(kind, reach)
    found = candidates_for(kind, reach, refused=frozenset(), unsure=unsure)
    if unsure not in fits:
        assert found == fits
    elif unsure is C:
        assert found[-1] is C
        assert set(found) == set(fits)
    else:
        assert found == (unsure,)


@given(st.integers(1, 200), st.floats(0, 1))
def test_delay_grows_within_bounds(attempts: int, jitter: float) -> None:
    delay = retry_delay_for(attempts, jitter=jitter).total_seconds()
    assert 5 * 0.75 <= delay <= LONGEST_RETRY_SECONDS * 1.25
    assert delay <= retry_delay_for(attempts + 1, jitter=jitter).total_seconds()


@pytest.mark.parametrize(("attempts", "jitter"), [(0, 0.5), (1, 1.1), (1, -0.1)])
def test_delay_refuses_nonsense(attempts: int, jitter: float) -> None:
    with pytest.raises(ValueError, match="attempts"):
        retry_delay_for(attempts, jitter=jitter)


def test_all_attempts_fit_into_the_life_of_a_notice_but_outlast_half_a_day() -> None:
    total = sum((retry_delay_for(n, jitter=1) for n in range(1, MAX_ATTEMPTS)), timedelta())
    assert timedelta(hours=12) < total < NOTICE_LIFETIME


def test_every_open_notice_can_come_to_an_end_and_final_ones_stay() -> None:
    assert not TRANSITIONS[NoticeState.DELIVERED]
    assert not TRANSITIONS[NoticeState.DEAD]
    assert not may_become(NoticeState.DELIVERED, NoticeState.QUEUED)
    reached, frontier = set(), {NoticeState.QUEUED}
    while frontier:
        reached |= frontier
        frontier = {new for state in frontier for new in TRANSITIONS[state]} - reached
    assert reached == set(NoticeState)


@given(st.text(max_size=160), st.text(max_size=160))
def test_message_ids_are_as_different_as_the_keys(one: str, other: str) -> None:
    assert (client_msg_id_for(one) == client_msg_id_for(other)) == (one == other)
    assert len(client_msg_id_for(one)) == 32


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("success", Receipt.SUCCESS),
        ("failed:user block", Receipt.BLOCKED),
        ("failed: user block", Receipt.BLOCKED),
        ("failed: system failed", Receipt.FAILED),
        ("failed:system failed", Receipt.FAILED),
        ("Failed", Receipt.FAILED),
        ("", Receipt.FAILED),
    ],
)
def test_receipt_is_read_in_any_spelling(status: str, expected: Receipt) -> None:
    assert receipt_of(status) is expected
