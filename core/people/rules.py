"""What people may consent to."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """What a person's data are used for, by their own consent."""

    OWN_COMMUNITY = "own_community"
    COLOUR_NOTICES = "colour_notices"


class ConsentWording(StrEnum):
    """The versions of the texts that people agreed to; a changed text is a new version."""

    OWN_COMMUNITY = "own-community-1"
    COLOUR_NOTICES = "colour-notices-1"


WORDING_OF = {
    Purpose.OWN_COMMUNITY: ConsentWording.OWN_COMMUNITY,
    Purpose.COLOUR_NOTICES: ConsentWording.COLOUR_NOTICES,
}
