"""What the queues of a reviewer share: who sees them, who decides, and the answers to a refusal."""

from __future__ import annotations

from typing import Final

from core.people.staff.rules import Role

# A company has a street: who has communities alone sees neither filings nor claims.
SEEN_BY: Final = (
    Role.DISTRICT_REVIEWER,
    Role.ADMINISTRATOR,
    Role.STREET_OFFICER,
    Role.AUDITOR,
)
DECIDED_BY: Final = (Role.DISTRICT_REVIEWER,)
# In the address of a queue: whatever its state.
ANY_STATE: Final = "all"
UNPROCESSABLE: Final = 422
CONFLICT: Final = 409
