"""Tables of the short-lived state. Times are seconds since 1970: rows expire, nobody reads them."""

from __future__ import annotations

from sqlalchemy import Float, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class StateItem(Base):
    """A value under a key, until it expires."""

    __tablename__ = "state_item"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[float] = mapped_column(Float, index=True)


class StateCounter(Base):
    """A number that only grows, or counts within a window until it expires."""

    __tablename__ = "state_counter"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[float | None] = mapped_column(Float, index=True)


class StateMessage(Base):
    """A message that was seen.

    `reply` begins with the state (`w` in work, `l` promised for later, `a` answered); behind it
    stands who works on it, or the answer.
    """

    __tablename__ = "state_message"
    __table_args__ = (Index("ix_state_message_openid_id", "openid", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    openid: Mapped[str] = mapped_column(String(64))
    reply: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[float] = mapped_column(Float, index=True)
