"""What of a registration is shown: masked to others, in full to the person themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.people.documents import Document, DocumentKind, mask_number
from core.people.names import mask_name
from core.people.phones import mask_phone
from core.registration.answers import Answers, read_answers
from core.registration.model import Registration
from core.registration.rules import Flag, Group, Home, RegistrationState


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationCard:
    """A registration as pages may show it.

    Attributes:
        flags: in the order of `Flag`.
        version: counts every change.
        reason: why it was returned or rejected; empty otherwise.
    """

    id: int
    number: str
    workplace_id: int
    workplace_name: str
    state: RegistrationState
    flag_group: Group
    flags: tuple[Flag, ...]
    version: int
    department: str
    submitted_at: datetime
    changed_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None
    reason: str
    name_masked: str
    document_masked: str
    phone_masked: str

    @property
    def is_over(self) -> bool:
        """Whether the person ended it."""
        return self.state is RegistrationState.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a submission.

    Attributes:
        is_new: this submission was stored; otherwise what came earlier stands.
        is_own: the person who sent it may open it. What somebody else sent is told to have
            arrived, and nothing of it is shown.
    """

    card: RegistrationCard
    is_new: bool
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRegistration:
    """All that is kept of a registration, for the person whom it is about.

    Attributes:
        home: None where it is not known any more.
        answers: None after the end: they were dropped.
    """

    card: RegistrationCard
    name: str = field(repr=False)
    document: Document
    phone: str = field(repr=False)
    home: Home | None = field(repr=False)
    answers: Answers | None = field(repr=False)


def card_of(registration: Registration, *, workplace_name: str) -> RegistrationCard:
    """Return a registration as pages may show it."""
    return RegistrationCard(
        id=registration.id,
        number=registration.number,
        workplace_id=registration.workplace_id,
        workplace_name=workplace_name,
        state=RegistrationState(registration.state),
        flag_group=Group(registration.flag_group),
        flags=tuple(Flag(flag) for flag in registration.flags),
        version=registration.version,
        department=registration.department,
        submitted_at=registration.submitted_at,
        changed_at=registration.changed_at,
        decided_at=registration.decided_at,
        ended_at=registration.ended_at,
        reason=registration.reason,
        name_masked=mask_name(registration.name),
        document_masked=mask_number(registration.document),
        phone_masked=mask_phone(registration.phone),
    )


def own_of(registration: Registration, *, workplace_name: str) -> OwnRegistration:
    """Return all that is kept of a registration."""
    answers = read_answers(registration.answers)
    home = Home(community_id=registration.community_id, text=answers.home) if answers else None
    return OwnRegistration(
        card=card_of(registration, workplace_name=workplace_name),
        name=registration.name,
        document=Document(
            kind=DocumentKind(registration.document_kind), number=registration.document
        ),
        phone=registration.phone,
        home=home,
        answers=answers,
    )
