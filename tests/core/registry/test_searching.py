from __future__ import annotations

from datetime import datetime
from random import Random

import pytest
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.registry.importing import import_companies
from core.registry.searching import search_companies
from tests.core.importing_rows import loader_of

load = loader_of(import_companies)


@pytest.fixture(autouse=True)
def _register(session: Session, now: datetime) -> None:
    names = ["上海甲子贸易有限公司", "甲子（上海）科技有限公司"]
    random = Random(3)
    codes = [company_code(random) for _ in names]
    number = resident_number(random, born_on=now.date().replace(year=1980), is_female=False)
    rows = [
        {
            "uscc": code,
            "name": name,
            "legal_person_name": "王伟",
            "legal_person_id": number,
            "address": "天钥桥路1号",
            "street": "徐家汇街道",
            "industry": "贸易",
            "state": "存续",
        }
        for code, name in zip(codes, names, strict=True)
    ]
    assert load(session, now, *rows).rejections == []


def found(session: Session, text: str) -> list[str]:
    return [card.name for card in search_companies(session, text=text)]


def test_part_of_a_name_or_of_a_code_finds(session: Session) -> None:
    both = found(session, "甲子")
    assert len(both) == 2
    assert both == sorted(both)
    (card,) = search_companies(session, text="贸易")
    assert card.owner_masked == "王*"
    assert found(session, card.uscc[4:].lower()) == [card.name]
    assert len(search_companies(session, text="甲子", limit=1)) == 1


@pytest.mark.parametrize("text", ["", "火星", "%", "_", "\\"])
def test_nothing_is_found_for_nothing_or_for_signs_of_patterns(session: Session, text: str) -> None:
    assert found(session, text) == []
