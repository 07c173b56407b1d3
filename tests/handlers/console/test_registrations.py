from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.services import services_of
from core.audit.model import AuditEntry
from core.people.staff.rules import Role
from core.registration.model import Registration
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import ADMISSION_OF, FilingState
from core.workplaces.service import set_admission
from handlers.console.registrations import NAME_LIMIT
from tests.console import COMPANIES, NUMBERS, PEOPLE, District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter

LIST = "/console/registrations"
OFFICER = Role.NEIGHBOURHOOD_OFFICER


def fields_of(**changes: Any) -> dict[str, Any]:
    """Return what an officer types for somebody healthy of their community."""
    values = {
        "name": "吴六",
        "document_kind": "resident_id",
        "document": NUMBERS[10],
        "phone": "13911112222",
        "home": "名A2",
        "away": "no",
        "health_code": "green",
        "symptoms": ["none"],
        "consent": "yes",
        "action": "send",
    }
    return values | changes


def form_of(district: District, place: int = 1) -> str:
    return f"{LIST}/enter/{district.companies[place]}"


def recorded(district: District, action: str) -> list[AuditEntry]:
    with district.database.transaction() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action == action))
        return list(rows.all())


# --- looking ----------------------------------------------------------------------------------


def test_list_is_masked_and_every_look_is_on_record(come_in: Enter, district: District) -> None:
    client = come_in(Role.STREET_OFFICER)
    said = text_of(client.get(LIST))
    assert "共 3 人" in said
    assert "钱*" in said
    assert not any(name in said for name in PEOPLE)
    assert "随申码不是绿色" in said
    (entry,) = recorded(district, "registrations_listed")
    assert (entry.actor, entry.facts["shown_count"], entry.facts["is_by_name"]) == (
        "staff:1",
        3,
        False,
    )


def test_one_registration_shows_what_was_reported_and_no_whole_number(
    come_in: Enter, district: District
) -> None:
    client = come_in(OFFICER)
    said = text_of(client.get(f"{LIST}/{district.registrations['钱二']}"))
    for words in ("钱*", "名A2", "一直在上海", "黄色", "没有不适", "您查看了这份登记"):
        assert words in said
    assert NUMBERS[1] not in said
    assert "13800000001" not in said
    (entry,) = recorded(district, "registration_seen")
    assert entry.subject == f"registration:{district.registrations['钱二']}"


def test_name_is_found_in_full_alone_and_never_stands_in_an_address(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    found = submit(client, LIST, name="孙 三")
    assert found.status_code == 200
    assert "找到 1 人" in text_of(found)
    assert "没有符合条件的登记" in submit(client, LIST, name="孙").text
    assert "导出这些登记" not in found.text
    ignored = client.get(f"{LIST}?name=孙三").text
    assert "共 5 人" in text_of(client.get(LIST))
    assert "找到 1 人" not in ignored
    entries = recorded(district, "registrations_listed")
    assert entries[0].facts["is_by_name"] or entries[1].facts["is_by_name"]
    assert not any("孙三" in str(entry.facts) for entry in entries)


@pytest.mark.parametrize(("name", "status"), [("", 422), ("=1+1", 422), ("张" * 60, 422)])
def test_name_that_is_none_is_a_fault_beside_the_field(
    come_in: Enter, name: str, status: int
) -> None:
    refused = submit(come_in(OFFICER), LIST, name=name)
    assert refused.status_code == status
    assert 'aria-invalid="true"' in refused.text


def test_names_are_not_tried_out_without_end(
    app: Flask, come_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def hit(name: str, *, limit: int, seconds: int) -> bool:
        asked.append((limit, seconds))
        return not name.startswith("console-name-search")

    client = come_in(OFFICER)
    monkeypatch.setattr(services_of(app).store, "hit", hit)
    refused = submit(client, LIST, name="孙三")
    assert (refused.status_code, asked[-1]) == (429, NAME_LIMIT)
    assert "次数太多" in refused.text


def test_filters_and_pages_hold_together(come_in: Enter, district: District) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    number = text_of(client.get(f"{LIST}/{district.registrations['李四']}")).split("登记编号 ")[1]
    number = number.split()[0]
    assert "找到 1 人" in text_of(client.get(f"{LIST}?q={number.lower()}"))
    assert "找到 3 人" in text_of(client.get(f"{LIST}?q=乙丑"))
    assert "找到 1 人" in text_of(client.get(f"{LIST}?group=cannot"))
    company = district.companies[0]
    assert f"找到 2 人，{COMPANIES[0]}" in text_of(client.get(f"{LIST}?company={company}"))
    for query in ("state=x", "group=x", "page=0", "street=99", "company=999", "q=%00%25"):
        assert client.get(f"{LIST}?{query}").status_code == 200


# --- entering ---------------------------------------------------------------------------------


def test_officer_registers_a_resident_without_the_app(come_in: Enter, district: District) -> None:
    client = come_in(OFFICER)
    assert COMPANIES[1] in client.get(f"{LIST}/enter?q=乙丑").text
    done = submit(client, form_of(district), **fields_of())
    assert done.status_code == 303
    assert "吴六" not in done.location
    assert "已经登记，编号" in text_of(client.get(done.location))
    with district.database.transaction() as session:
        stored = session.scalars(select(Registration).order_by(Registration.id.desc())).first()
    assert stored is not None
    assert (stored.name, stored.entered_by, stored.person_id, stored.code_id) == (
        "吴六",
        "staff:1",
        None,
        None,
    )
    again = submit(client, form_of(district), **fields_of())
    assert "以前登记过" in text_of(client.get(again.location))
    assert "吴*" in text_of(client.get(LIST))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"document": "310104"}, "document"),
        ({"phone": "02164"}, "phone"),
        ({"home": "名"}, "home"),
        ({"home": "名B1"}, "home"),
        ({"home": "浦东某小区", "home_elsewhere": "yes"}, "home"),
        ({"away": "yes"}, "stays"),
        ({"health_code": "blue"}, "health_code"),
        ({"symptoms": []}, "symptoms"),
        ({"temperature": "99"}, "temperature"),
        ({"consent": ""}, "consent"),
    ],
)
def test_fault_stands_beside_its_field_and_what_was_typed_stays(
    come_in: Enter, district: District, changes: dict[str, Any], field: str
) -> None:
    refused = submit(come_in(OFFICER), form_of(district), **fields_of(**changes))
    assert refused.status_code == 422
    assert f'id="f-{field}-error"' in refused.text
    assert f'href="#f-{field}"' in refused.text
    assert 'value="13911112222"' in refused.text or field == "phone"
    with district.database.transaction() as session:
        assert len(session.scalars(select(Registration)).all()) == len(PEOPLE)


def test_document_of_another_person_is_refused_and_that_it_was_tried_is_on_record(
    come_in: Enter, district: District
) -> None:
    refused = submit(come_in(OFFICER), form_of(district), **fields_of(document=NUMBERS[2]))
    assert refused.status_code == 200
    assert 'id="f-document-error"' in refused.text
    (tried,) = recorded(district, "registration_refused")
    assert tried.actor.startswith("staff:")
    with district.database.transaction() as session:
        assert len(session.scalars(select(Registration)).all()) == len(PEOPLE)


def test_community_is_looked_up_without_sending_the_form(
    come_in: Enter, district: District
) -> None:
    looked = submit(come_in(OFFICER), form_of(district), **fields_of(home="名A", action="find"))
    assert looked.status_code == 200
    assert 'name="home_choice"' in looked.text
    assert len(recorded(district, "registration_submitted")) == len(PEOPLE)


@pytest.mark.parametrize("state", ["rejected"])
def test_company_that_takes_nobody_cannot_be_chosen(
    come_in: Enter, district: District, state: str
) -> None:
    with district.database.transaction() as session:
        filing = session.get_one(Filing, district.filings[1])
        filing.state = state
        set_admission(
            session,
            workplace_id=filing.company_id,
            admission=ADMISSION_OF[FilingState(state)],
            head_count=filing.head_count,
        )
    client = come_in(OFFICER)
    listed = client.get(f"{LIST}/enter?q=乙丑").text
    assert "备案没有通过，不能登记" in listed
    assert form_of(district) not in listed
    assert client.get(form_of(district)).status_code == 409
    csrf = csrf_of(client.get("/console/").text)
    assert client.post(form_of(district), data=fields_of(csrf=csrf)).status_code == 409
    assert client.get(f"{LIST}/enter/999").status_code == 404


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {name: st.text(max_size=30) for name in ("name", "document", "phone", "home", "stays")}
        | {"away": st.sampled_from(["yes", "no", ""]), "returned_on": st.text(max_size=12)}
    )
)
def test_nothing_that_is_typed_breaks_the_form(
    come_in: Enter, district: District, app: Flask, typed: dict[str, str]
) -> None:
    client = _one_client(app, come_in)
    answered = submit(client, form_of(district), **fields_of(**typed))
    assert answered.status_code in {200, 303, 422, 429}


def _one_client(app: Flask, come_in: Enter) -> Any:
    kept = app.extensions.setdefault("test_client_of_officer", None)
    if kept is None:
        kept = app.extensions["test_client_of_officer"] = come_in(OFFICER)
    return kept
