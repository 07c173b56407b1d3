from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from core.registration.answers import NO_ANSWERS, Answers, answers_of, read_answers
from core.registration.rules import HealthCode, Symptom, Travel
from tests.core.registration.conftest import entry_of

answers = st.builds(
    Answers,
    home=st.text(max_size=60),
    stays=st.lists(st.text(max_size=40), max_size=10).map(tuple),
    returned_on=st.none() | st.dates(),
    travel=st.sampled_from(Travel),
    health_code=st.sampled_from(HealthCode),
    temperature=st.none() | st.decimals("34", "43", places=1),
    symptoms=st.lists(st.sampled_from(Symptom), unique=True).map(tuple),
    answered_on=st.dates(),
)


@given(answers)
def test_answers_are_read_as_they_were_stored(answers: Answers) -> None:
    assert read_answers(answers.text()) == answers


def test_answers_that_were_dropped_are_none() -> None:
    assert read_answers(NO_ANSWERS) is None


def test_answers_hold_neither_name_nor_document_nor_phone() -> None:
    entry = entry_of(3)
    text = answers_of(entry, day=date(2020, 3, 28)).text()
    assert entry.name not in text
    assert entry.document.number not in text
    assert entry.phone not in text
