"""Phone numbers at which a person can be reached: mainland mobiles, and mobiles from elsewhere."""

from __future__ import annotations

from typing import Final
from unicodedata import category, normalize

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from core.errors import InvalidInputError

HOME_REGION: Final = "CN"
HOME_CODE: Final = "+86"
_MAX_TYPED: Final = 40
# Some countries give mobiles and fixed lines the same numbers.
_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_SHOWN_HEAD: Final = 3
_SHOWN_TAIL: Final = 4


class InvalidPhoneError(InvalidInputError):
    """No phone number that exists in any country's plan."""

    code = "phone_invalid"


class PhoneMissingError(InvalidPhoneError):
    """Nothing was typed."""

    code = "phone_missing"


class PhoneNotMobileError(InvalidPhoneError):
    """A number that takes no text messages, like a fixed line."""

    code = "phone_not_mobile"


def phone_of(text: str) -> str:
    """Return a mobile number in E.164, for example `+86` and eleven digits.

    Args:
        text: as typed; without a country code it is a number of the mainland.

    Raises:
        PhoneMissingError: nothing was typed.
        PhoneNotMobileError: it exists, but is not that of a mobile.
        InvalidPhoneError: it exists nowhere.
    """
    plain = normalize("NFKC", text)
    typed = "".join(one for one in plain if category(one) != "Cf").strip()
    if not typed:
        raise PhoneMissingError
    if len(typed) > _MAX_TYPED:
        raise InvalidPhoneError
    try:
        number = phonenumbers.parse(typed, HOME_REGION)
    except phonenumbers.NumberParseException:
        raise InvalidPhoneError from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise InvalidPhoneError
    if phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneNotMobileError
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def mask_phone(phone: str) -> str:
    """Return an E.164 number as a page may show it: first 3 and last 4 of the mainland's.

    Of a foreign one the country code and the last 4 are shown, of none nothing.
    """
    if not phone:
        return ""
    if phone.startswith(HOME_CODE):
        national = phone.removeprefix(HOME_CODE)
        return f"{national[:_SHOWN_HEAD]}****{national[-_SHOWN_TAIL:]}"
    code = phonenumbers.parse(phone).country_code
    return f"+{code} ****{phone[-_SHOWN_TAIL:]}"
