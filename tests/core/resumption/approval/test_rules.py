from __future__ import annotations

import hashlib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registration.rules import RegistrationState
from core.resumption.approval.rules import (
    MAX_REASON,
    NEED_REASON,
    STATE_AFTER,
    Verdict,
    VerdictReasonMissingError,
    VerdictReasonTooLongError,
    digest_of,
    may_decide,
    short_digest_of,
    verdict_reason_of,
)

ROWS = st.dictionaries(st.integers(1, 10**9), st.integers(1, 10**6), max_size=30)


def test_digest_is_of_a_line_for_each_row_by_number() -> None:
    wanted = hashlib.sha256(b"2:7\n10:1\n").digest()
    assert digest_of([(10, 1), (2, 7)]) == wanted
    assert short_digest_of(wanted) == wanted.hex()[:8].upper()


@given(ROWS, st.randoms())
def test_digest_does_not_depend_on_the_order(rows: dict[int, int], random: object) -> None:
    shuffled = list(rows.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest_of(shuffled) == digest_of(rows.items())


@given(ROWS, ROWS)
def test_digest_tells_two_lists_apart(one: dict[int, int], other: dict[int, int]) -> None:
    assert (digest_of(one.items()) == digest_of(other.items())) == (one == other)


def test_everything_but_what_ended_can_be_decided_anew() -> None:
    refused = {
        (state, verdict)
        for state, verdict in product(RegistrationState, Verdict)
        if not may_decide(state, verdict)
    }
    over = {(RegistrationState.ENDED, verdict) for verdict in Verdict}
    assert refused == over | {(STATE_AFTER[verdict], verdict) for verdict in Verdict}


@pytest.mark.parametrize("verdict", sorted(NEED_REASON))
@pytest.mark.parametrize("text", ["", "  ", "\n\t\u200b"])
def test_who_is_sent_back_is_told_why(verdict: Verdict, text: str) -> None:
    with pytest.raises(VerdictReasonMissingError):
        verdict_reason_of(text, verdict=verdict)


def test_reason_is_one_line_of_bounded_length() -> None:
    kept = verdict_reason_of(" 请补充\r\n返沪日期\x00 ", verdict=Verdict.RETURN)
    assert kept == "请补充 返沪日期"
    longest = "长" * MAX_REASON
    assert verdict_reason_of(longest, verdict=Verdict.REJECT) == longest
    with pytest.raises(VerdictReasonTooLongError) as caught:
        verdict_reason_of(longest + "。", verdict=Verdict.REJECT)
    assert caught.value.facts == {"max_count": MAX_REASON}


def test_who_is_approved_is_told_no_reason() -> None:
    assert verdict_reason_of("体温正常", verdict=Verdict.APPROVE) == ""
