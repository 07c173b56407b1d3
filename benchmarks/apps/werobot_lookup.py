"""WeRoBot with a claim in Redis and a look-up by the ORM: a careful application of its kind.

It has no order of one person's messages, no kept replies and no way to read a name that is not
written exactly.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any

import redis
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship
from werobot import WeRoBot  # type: ignore[import-untyped]

from benchmarks.account import AES_KEY, APPID, TOKEN
from benchmarks.district import COLOUR_WORDS
from core.clock import day_of

robot = WeRoBot(token=TOKEN, encoding_aes_key=AES_KEY, app_id=APPID, enable_session=False)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
seen = redis.Redis.from_url(os.environ["REDIS_URL"])


class Base(DeclarativeBase):
    """The two tables, with no more columns than the answer needs."""


class Community(Base):
    """A community."""

    __tablename__ = "community"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class RiskScore(Base):
    """The score of a community for a day."""

    __tablename__ = "risk_score"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    day: Mapped[date]
    score: Mapped[float]
    colour: Mapped[str]
    is_published: Mapped[bool]
    community: Mapped[Community] = relationship()


def colour(message: Any) -> str:
    if not seen.set(f"seen:{message.message_id}", "1", nx=True, ex=60):
        return "success"
    name = message.content.removesuffix("什么颜色")
    newest = (
        select(RiskScore)
        .join(RiskScore.community)
        .options(joinedload(RiskScore.community))
        .where(
            Community.name == name,
            RiskScore.is_published,
            RiskScore.day <= day_of(datetime.now(UTC)),
        )
        .order_by(RiskScore.day.desc())
        .limit(1)
    )
    with Session(engine) as session:
        found = session.scalars(newest).one()
        return (
            f"{found.community.name}：{COLOUR_WORDS[found.colour]}\n"
            f"风险评分 {found.score:.1f}，数据截至{found.day}。"
        )


robot.add_handler(colour, type="text")
app = robot.wsgi
