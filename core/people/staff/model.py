"""Tables of staff accounts: areas, recovery codes, sign-ins, the WeChat account they hear by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, EncryptedText, UtcDateTime
from core.people.staff.rules import MAX_GUESSES, Area, Role, is_guessing_over, needs_area

_ROLES = ", ".join(f"'{role}'" for role in Role)


class StaffAccount(Base):
    """Somebody on the staff who signs in at the console."""

    __tablename__ = "staff_account"
    __table_args__ = (
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
        CheckConstraint("failed_count >= 0", name="failed_count"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    display_name: Mapped[str] = mapped_column(String(50))
    role: Mapped[str] = mapped_column(String(32))
    street_id: Mapped[int | None] = mapped_column(ForeignKey("street.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=True)
    password_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText("staff_account.totp_secret"))
    totp_enrolled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The half minute of the newest code that was taken: none is taken twice.
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    failed_count: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_active: Mapped[bool] = mapped_column(default=True)
    last_signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    communities: Mapped[list[StaffCommunity]] = relationship(
        cascade="all, delete-orphan", order_by="StaffCommunity.community_id", lazy="selectin"
    )

    @property
    def area(self) -> Area:
        """The area of duty; an account that needs one and has none sees nothing."""
        if self.communities or (self.street_id is None and needs_area(Role(self.role))):
            return Area(community_ids=frozenset(one.community_id for one in self.communities))
        return Area(street_id=self.street_id)

    def forget_totp(self) -> None:
        """Go back to before an authenticator was set up."""
        self.totp_secret, self.totp_enrolled_at, self.totp_step = None, None, 0

    def unlock(self) -> None:
        """Forget the failures."""
        self.failed_count, self.locked_until = 0, None


class StaffCommunity(Base):
    """A community that an account's area of duty is made of."""

    __tablename__ = "staff_community"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_account.id", ondelete="CASCADE"), primary_key=True
    )
    # A community that goes takes no row of an area with it: an area without rows would be wider.
    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id"), primary_key=True, index=True
    )


class RecoveryCode(Base):
    """A code that stands in for the authenticator once; kept as a keyed hash."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_account.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffSession(Base):
    """A sign-in: the cookie holds a random token, the row its hash; without the row it is over."""

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_account.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    is_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class StaffWechat(Base):
    """The WeChat account by which somebody on the staff hears; one account is for one person."""

    __tablename__ = "staff_wechat"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_account.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), unique=True)
    bound_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StaffWechatCode(Base):
    """The newest code by which a staff account is bound to WeChat; kept as a keyed hash."""

    __tablename__ = "staff_wechat_code"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_account.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def is_over(self, now: datetime) -> bool:
        """Return whether it binds nobody any more: used, or too old."""
        return self.used_at is not None or now >= self.ends_at


class StaffWechatGuess(Base):
    """How many wrong codes a person has sent, and since when they are counted."""

    __tablename__ = "staff_wechat_guess"
    __table_args__ = (CheckConstraint("failed_count > 0", name="failed_count"),)

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    failed_count: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(UtcDateTime)

    def is_exhausted(self, now: datetime) -> bool:
        """Return whether the person must wait before they send another code."""
        return self.failed_count >= MAX_GUESSES and not is_guessing_over(self.since, now=now)

    def count(self, now: datetime) -> None:
        """Count one more; after a while the count begins anew."""
        if is_guessing_over(self.since, now=now):
            self.failed_count, self.since = 0, now
        self.failed_count += 1
