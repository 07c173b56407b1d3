"""What an operator reads of an import: counts, refused rows, what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final

from bot.texts import Texts
from core.arrivals.importing.settling import CANCELLED_CAME, OVER_CAPACITY, SALES_FELL
from core.importing import Rejection
from core.keyareas.importing import ENDED as AREA_ENDED
from core.keyareas.importing import UNLISTED
from core.registry.importing import NOT_SEEN, OWNER_CHANGED
from core.residents.importing import ENDED, UNNAMED, UNPLACED
from core.risk.events.importing import WITHDRAWN
from core.sites.importing import CONTRACTOR_CHANGED

MAX_SHOWN_CODES: Final = 20

# What an operator reads before the codes of a finding.
_FINDINGS: Final[Mapping[str, str]] = {
    OWNER_CHANGED: "another legal person",
    NOT_SEEN: "not in this file, left as they are",
    CONTRACTOR_CHANGED: "another contractor, whose people are invited anew",
    UNPLACED: "without a known community, on the work-list, lines",
    OVER_CAPACITY: "more people than the train holds, taken as full",
    SALES_FELL: "many tickets were given back at once",
    CANCELLED_CAME: "came though it was cancelled",
    UNLISTED: "not in this file, left as they are",
    AREA_ENDED: "not in this file, no key areas any more from now on",
}
# What they read before a number, where nothing may be named.
RESCORED: Final = "rescored"
UNPLACED_AGAIN: Final = "unplaced_again"
_TALLIES: Final[Mapping[str, str]] = {
    UNNAMED: "not in this file, left as they are",
    ENDED: "not in this file, residence ended today",
    UNPLACED_AGAIN: "of these with an event that matters still, on the work-list",
    WITHDRAWN: "withdrawn here before, left so",
    RESCORED: "communities whose colour of today was worked out again, until the night",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file.

    Attributes:
        kind: of the file.
        is_applied: whether anything was kept; False when the file was refused as a whole.
        created_count: rows that are new.
        updated_count: rows that changed something.
        unchanged_count: rows that were known.
        rejections: rows that were refused, by line; line and reason code.
        scored_days: days that were scored again.
        field_counts: rows that changed each field, where the kind tells them apart.
        findings: codes of things to look at, by what there is to see.
        tallies: how many there are of what nothing may name, by what there is to see.
        unscored_days: first and last of the scored days that the file concerns and that are not
            scored again by themselves; None if there is none.
    """

    kind: str
    is_applied: bool
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    rejections: tuple[Rejection, ...] = ()
    scored_days: tuple[date, ...] = ()
    field_counts: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tallies: Mapping[str, int] = field(default_factory=dict)
    unscored_days: tuple[date, date] | None = None

    @property
    def is_failed(self) -> bool:
        """Whether nothing of the file was kept."""
        return not self.is_applied

    def lines(self) -> list[str]:
        """Return the refused rows for an operator, one line each."""
        return [f"{one.line}: {_reason_of(one)}" for one in self.rejections]

    def summary(self) -> str:
        """Return the counts for an operator, in one line."""
        counts = (
            f"{self.kind}: {self.created_count} created, {self.updated_count} updated, "
            f"{self.unchanged_count} unchanged, {len(self.rejections)} rejected"
        )
        if not self.is_applied:
            return f"{counts}; nothing was kept"
        if not self.scored_days:
            return counts
        return f"{counts}; scored again: {self.scored_days[0]} to {self.scored_days[-1]}"

    def notes(self) -> list[str]:
        """Return what changed by field, and what somebody should look at, one line each."""
        changed = ", ".join(f"{name} {count}" for name, count in sorted(self.field_counts.items()))
        lines = [f"changed: {changed}"] if changed else []
        for finding, codes in self.findings.items():
            if codes:
                more = ", …" if len(codes) > MAX_SHOWN_CODES else ""
                named = ", ".join(codes[:MAX_SHOWN_CODES])
                lines.append(f"{_FINDINGS[finding]} ({len(codes)}): {named}{more}")
        lines += [f"{_TALLIES[what]}: {count}" for what, count in self.tallies.items() if count]
        if self.unscored_days:
            first, last = self.unscored_days
            lines.append(
                f"days with scores that this changes: {first} to {last}; work them out again "
                f"with: flask risk backfill --from {first} --to {last}"
            )
        return lines


@cache
def _texts() -> Texts:
    return Texts(constants={})


def _reason_of(rejection: Rejection) -> str:
    return _texts().text_of(f"imports/{rejection.code}.txt", rejection.facts)
