"""What people may consent to."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """What a person's data are used for, by their own consent."""

    OWN_COMMUNITY = "own_community"
    COLOUR_NOTICES = "colour_notices"
    RETURN_TO_WORK = "return_to_work"


class ConsentWording(StrEnum):
    """The versions of the texts that people agreed to; a changed text is a new version."""

    OWN_COMMUNITY = "own-community-1"
    COLOUR_NOTICES = "colour-notices-1"
    RETURN_TO_WORK = "return-to-work-1"


WORDING_OF = {
    Purpose.OWN_COMMUNITY: ConsentWording.OWN_COMMUNITY,
    Purpose.COLOUR_NOTICES: ConsentWording.COLOUR_NOTICES,
    Purpose.RETURN_TO_WORK: ConsentWording.RETURN_TO_WORK,
}
