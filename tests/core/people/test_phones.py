"""Phone numbers. Those here are the examples that every country's plan sets aside or prints."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from core.people.phones import (
    InvalidPhoneError,
    PhoneMissingError,
    PhoneNotMobileError,
    mask_phone,
    phone_of,
)

MAINLAND = "13123456789"
E164 = f"+86{MAINLAND}"


def printed(region: str, kind: int = PhoneNumberType.MOBILE) -> str:
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


@pytest.mark.parametrize(
    "typed",
    [
        MAINLAND,
        "131 2345 6789",
        "131-2345-6789",
        "１３１２３４５６７８９",
        f"+86 {MAINLAND}",
        f"＋８６ {MAINLAND}",
        f"0086{MAINLAND}",
        f"86{MAINLAND}",
        f"\u200b{MAINLAND}\n",
    ],
)
def test_mainland_mobile_is_read_however_it_was_typed(typed: str) -> None:
    assert phone_of(typed) == E164


@pytest.mark.parametrize("region", ["HK", "MO", "TW", "JP", "DE", "GB", "US", "FR"])
def test_mobile_from_elsewhere_needs_its_country_code(region: str) -> None:
    number = printed(region)
    assert phone_of(number) == "+" + "".join(one for one in number if one.isdigit())


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("", PhoneMissingError, id="nothing"),
        pytest.param(" \u3000\u200b", PhoneMissingError, id="blanks alone"),
        pytest.param("1312345678", InvalidPhoneError, id="one digit too few"),
        pytest.param("131234567890", InvalidPhoneError, id="one digit too many"),
        pytest.param("12345678901", InvalidPhoneError, id="no such prefix"),
        pytest.param("电话", InvalidPhoneError, id="words"),
        pytest.param(f"{MAINLAND} ext. 5", InvalidPhoneError, id="extension"),
        pytest.param(f"{MAINLAND}{' ' * 40}1", InvalidPhoneError, id="too long"),
        pytest.param("+999 12345678", InvalidPhoneError, id="no such country"),
        pytest.param("1" * 300, InvalidPhoneError, id="far too long"),
        pytest.param(printed("CN", PhoneNumberType.FIXED_LINE), PhoneNotMobileError, id="landline"),
        pytest.param(printed("HK", PhoneNumberType.FIXED_LINE), PhoneNotMobileError, id="HK line"),
    ],
)
def test_number_that_takes_no_messages_is_refused_with_its_reason(
    typed: str, error: type[InvalidPhoneError]
) -> None:
    with pytest.raises(InvalidPhoneError) as raised:
        phone_of(typed)
    assert raised.type is error
    assert raised.value.facts == {}
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@given(st.text(max_size=50))
def test_whatever_is_typed_gives_a_number_or_a_reason(typed: str) -> None:
    try:
        phone = phone_of(typed)
    except InvalidPhoneError:
        return
    assert phone_of(phone) == phone


@pytest.mark.parametrize(
    ("phone", "masked"), [(E164, "131****6789"), ("+85251234567", "+852 ****4567")]
)
def test_masked_phone_shows_its_ends(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked
