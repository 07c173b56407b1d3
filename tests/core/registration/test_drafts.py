from __future__ import annotations

from datetime import timedelta

from sqlalchemy import LargeBinary, func, select, type_coerce

from core.registration.drafts import (
    drop_draft,
    find_draft,
    find_newest_draft,
    save_draft,
    sweep_drafts,
)
from core.registration.model import RegistrationDraft
from tests.core.registration.conftest import District


def save(district: District, openid: str = "o-0", *, name: str = "张") -> None:
    save_draft(
        district.session,
        openid=openid,
        workplace_id=district.companies[0],
        typed={"name": name, "document": "3101"},
        code_id=district.codes[0],
        now=district.now,
    )


def found(district: District, openid: str = "o-0", company: int = 0) -> str:
    draft = find_draft(
        district.session,
        openid=openid,
        workplace_id=district.companies[company],
        now=district.now,
    )
    return "" if draft is None else draft.typed["name"]


def test_newest_draft_is_kept_for_its_person_and_company_alone(district: District) -> None:
    save(district)
    save(district, name="张三丰")
    assert found(district) == "张三丰"
    assert found(district, openid="o-1") == ""
    assert found(district, company=1) == ""


def test_draft_is_stored_encrypted(district: District) -> None:
    save(district)
    raw = district.session.scalar(select(type_coerce(RegistrationDraft.typed, LargeBinary)))
    assert raw is not None
    assert b"3101" not in raw
    assert "张".encode() not in raw


def test_draft_that_is_dropped_is_gone(district: District) -> None:
    save(district)
    save(district, "o-1")
    drop_draft(district.session, openid="o-0", workplace_id=district.companies[0])
    assert found(district) == ""
    assert found(district, "o-1") == "张"


def test_draft_ends_after_a_week_and_is_swept(district: District) -> None:
    save(district)
    district.later(days=6, hours=23)
    save(district, "o-1")
    assert found(district) == "张"
    assert sweep_drafts(district.session, now=district.now) == 0
    district.now += timedelta(hours=1)
    assert found(district) == ""
    assert sweep_drafts(district.session, now=district.now) == 1
    left = district.session.scalar(select(func.count()).select_from(RegistrationDraft))
    assert left == 1


def test_what_was_typed_last_is_found_whichever_company_it_is_for(district: District) -> None:
    def newest(openid: str = "o-0") -> int | None:
        draft = find_newest_draft(district.session, openid=openid, now=district.now)
        return draft.workplace_id if draft else None

    assert newest() is None
    for company in (1, 0):
        save_draft(
            district.session,
            openid="o-0",
            workplace_id=district.companies[company],
            typed={"name": "张"},
            code_id=None,
            now=district.now,
        )
        assert newest() == district.companies[company]
        district.later(seconds=1)
    assert newest("o-1") is None
    district.later(days=8)
    assert newest() is None
