"""An invented district of 957 communities with thirteen indicators and a score each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice, product
from random import Random
from typing import Final

from sqlalchemy import select

from core import migrations
from core.clock import day_of
from core.db import Base, Database
from core.importing import ImportOutcome, ImportRow
from core.places.importing import import_communities
from core.places.model import Community
from core.places.streets import official_codes
from core.risk.importing import import_indicators
from core.risk.model import RiskScore
from core.risk.scoring import score_day
from core.risk.versions import get_version

COMMUNITY_COUNT: Final = 957
COLOUR_WORDS: Final = {
    "red": "高风险（红色）",
    "yellow": "中等风险（黄色）",
    "blue": "一般风险（蓝色）",
}
_FIRST: Final = "云晴岚澜芸荷松柏栖鹤凌霁"
_SECOND: Final = "溪桥亭岸舟屿汀渚"
_ENDINGS: Final = ("小区", "苑", "新村", "公寓", "花园", "家园", "名邸", "华庭", "坊", "大楼")
_QUIET_SHARE: Final = 0.6


def fill(database: Database, *, now: datetime) -> dict[str, str]:
    """Fill an empty database and return the colour of every community by its name."""
    if any((migrations.FOLDER / "versions").glob("*.py")):
        migrations.upgrade(database.engine)
    else:
        migrations.load_models()
        Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        _check(import_communities(session, _communities(), now=now))
    with database.transaction() as session:
        _check(import_indicators(session, _indicators(now), now=now))
        score_day(session, day=day_of(now), now=now)
    with database.reading() as session:
        rows = session.execute(
            select(Community.name, RiskScore.colour).join(
                RiskScore, RiskScore.community_id == Community.id
            )
        )
        return dict(rows.tuples().all())


def _check(outcome: ImportOutcome) -> None:
    if outcome.rejections:
        raise RuntimeError(f"the invented district was refused: {outcome.rejections[:3]}")


def _names() -> Iterator[str]:
    names = ("".join(parts) for parts in product(_FIRST, _SECOND, _ENDINGS))
    return islice(names, COMMUNITY_COUNT)


def _communities() -> Iterator[ImportRow]:
    streets = sorted(official_codes())
    for number, name in enumerate(_names()):
        cells = {
            "code": f"B{number:05}",
            "name": name,
            "street": streets[number % len(streets)],
            "longitude": f"{121.40 + number % 31 * 0.002:.4f}",
            "latitude": f"{31.14 + number // 31 * 0.002:.4f}",
        }
        yield ImportRow(line=number + 2, cells=cells)


def _indicators(now: datetime) -> Iterator[ImportRow]:
    chance = Random(2020)
    day = day_of(now).isoformat()
    line = 1
    for number in range(COMMUNITY_COUNT):
        is_quiet = chance.random() < _QUIET_SHARE
        for indicator in get_version().indicators:
            line += 1
            low, high = indicator.points[0][0], indicator.points[-1][0]
            value = low + (high - low) * chance.random() * (0.2 if is_quiet else 0.9)
            shown = f"{value:.2f}" if indicator.code == "vuln" else str(round(value))
            cells = {
                "day": day,
                "community_code": f"B{number:05}",
                "indicator": indicator.code,
                "value": shown,
            }
            yield ImportRow(line=line, cells=cells)
