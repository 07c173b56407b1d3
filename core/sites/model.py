"""Tables of construction sites, their contractors, and their daily reports."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, EncryptedText, UtcDateTime
from core.sites.rules import MemberState, ReportState, ReportWay
from core.workplaces.model import Workplace
from core.workplaces.rules import Face

# The hash of this column is searched; see `Keyring.lookup_hashes`.
INVITATION_COLUMN = "site_member.invitation"

_STANDING = text("state = 'standing'")
_RUNNING = text("until IS NULL")
_ACTIVE = text("state = 'active'")


def _one_of(column: str, values: type[ReportState | ReportWay | MemberState]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Site(Workplace):
    """A construction site; name, address, street, state and planned heads are its workplace's.

    Attributes:
        number: of the site in its register.
        project: what is built there.
        longitude, latitude: degrees, GCJ-02; None: not known.
        supervisor_id: the account of who watches it.
    """

    __tablename__ = "site"
    __table_args__ = (CheckConstraint("(longitude IS NULL) = (latitude IS NULL)", name="place"),)
    __mapper_args__ = {"polymorphic_identity": Face.SITE.value}  # noqa: RUF012  the mapper's

    id: Mapped[int] = mapped_column(ForeignKey("workplace.id"), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    project: Mapped[str] = mapped_column(String(200))
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
    supervisor_id: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"), index=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SiteSetting(Base):
    """By which minute of the day sites report; the newest that holds already counts.

    Attributes:
        due_minutes: since the midnight of Asia/Shanghai.
    """

    __tablename__ = "site_setting"
    __table_args__ = (CheckConstraint("due_minutes BETWEEN 0 AND 1439", name="due_minutes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    due_minutes: Mapped[int] = mapped_column(Integer)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    set_by: Mapped[str] = mapped_column(String(80))


class SiteContract(Base):
    """That a general contractor builds at a site, one at a time; ended, not deleted.

    `until` is the first local day on which they did not any more.
    """

    __tablename__ = "site_contract"
    __table_args__ = (
        CheckConstraint("until IS NULL OR until >= since", name="until"),
        Index(
            "uq_site_contract_running",
            "site_id",
            unique=True,
            sqlite_where=_RUNNING,
            postgresql_where=_RUNNING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    contractor: Mapped[str] = mapped_column(String(100))
    uscc: Mapped[str] = mapped_column(String(18), default="")
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)


class SiteMember(Base):
    """Somebody of a contractor who reports for a site; invited, then bound; ended, not deleted."""

    __tablename__ = "site_member"
    __table_args__ = (
        CheckConstraint(_one_of("state", MemberState), name="state"),
        CheckConstraint("state <> 'active' OR person_id IS NOT NULL", name="active"),
        Index(
            "uq_site_member_active",
            "contract_id",
            "person_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("site_contract.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", ondelete="SET NULL"), index=True
    )
    state: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(EncryptedText("site_member.name"))
    phone: Mapped[str] = mapped_column(EncryptedText("site_member.phone"))
    invitation_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    invitation_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invited_by: Mapped[str] = mapped_column(String(80))
    offered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def confirm(self, *, person_id: int, now: datetime) -> None:
        """Bind a person to an invitation."""
        self.state, self.person_id, self.confirmed_at = MemberState.ACTIVE.value, person_id, now

    def end(self, *, now: datetime) -> None:
        """End it, whether it was confirmed or not."""
        self.state, self.ended_at = MemberState.ENDED.value, now


class SiteReport(Base):
    """What was reported of a site for a day; several may come, and one stands.

    Attributes:
        day: the local day that it is of.
        request_key: the same press of a button twice is one report.
        reported_at: when it was made, as who made it says; settles which of two stands.
        received_at: when it came in.
        longitude, latitude: where it was made, rounded to about 100 m; None: not told.
        flags: values of `ReportFlag`.
    """

    __tablename__ = "site_report"
    __table_args__ = (
        UniqueConstraint("site_id", "request_key"),
        CheckConstraint(_one_of("state", ReportState), name="state"),
        CheckConstraint(_one_of("way", ReportWay), name="way"),
        CheckConstraint("head_count >= 0 AND joined_count >= 0 AND left_count >= 0", name="counts"),
        CheckConstraint("NOT is_unchanged OR joined_count + left_count = 0", name="unchanged"),
        Index(
            "uq_site_report_standing",
            "day",
            "site_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_site_report_site_id_day", "site_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8), default=ReportState.STANDING.value)
    way: Mapped[str] = mapped_column(String(8))
    request_key: Mapped[str] = mapped_column(String(64))
    head_count: Mapped[int] = mapped_column(Integer)
    joined_count: Mapped[int] = mapped_column(Integer)
    left_count: Mapped[int] = mapped_column(Integer)
    is_unchanged: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(String(300), default="")
    reported_by: Mapped[str] = mapped_column(String(80))
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
