"""Proving ownership on the page: what is asked, what is said, what is not."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.mandates.service import list_mandates
from handlers.h5.owner import PERSON_LIMIT
from tests.core.mandates.conftest import LI, NUMBERS, OWNERS, WANG
from tests.h5 import submit, text_of
from tests.handlers.h5.conftest import Site


def actions(site: Site) -> list[str]:
    with site.database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_owner_sees_the_companies_locked_after_one_form(site: Site) -> None:
    client = site.client("o-wang")
    page = submit(client, "/h5/owner", name=OWNERS[WANG], document=NUMBERS[WANG])
    assert page.status_code == 200
    said = text_of(page)
    assert "已核验，可办理 2 家单位" in said
    assert "上海第1有限公司" in said
    assert "上海第2有限公司" in said
    assert "上海第3有限公司" not in said
    assert NUMBERS[WANG] not in page.text
    company = client.get(site.path())
    assert "王*" in text_of(company)
    assert OWNERS[WANG] not in company.text
    assert not re.search(r"<input(?![^>]*hidden)", company.text), "registered data is locked"


@pytest.mark.parametrize(
    ("name", "document"),
    [
        pytest.param("王 伟", "full-width", id="full-width digits and a blank in the name"),
        pytest.param("王伟", "spaced", id="digits in groups"),
    ],
)
def test_what_keyboards_make_of_it_is_understood(site: Site, name: str, document: str) -> None:
    number = NUMBERS[WANG]
    typed = {
        "full-width": "".join(chr(ord(one) + 0xFEE0) for one in number),
        "spaced": f"{number[:6]} {number[6:14]}-{number[14:].lower()}",
    }[document]
    page = submit(site.client("o-wang"), "/h5/owner", name=name, document=typed)
    assert "已核验，可办理" in text_of(page)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        pytest.param(OWNERS[LI], WANG, id="wrong name"),
        pytest.param(OWNERS[WANG], LI, id="wrong number"),
        pytest.param("赵一鸣", 3, id="both unknown"),
    ],
)
def test_wrong_pair_says_the_same_whichever_half_is_wrong_and_how_to_go_on(
    site: Site, name: str, owner: int
) -> None:
    client = site.client("o-nobody")
    page = submit(client, "/h5/owner", name=name, document=NUMBERS[owner])
    assert page.status_code == 200
    said = text_of(page)
    assert "企业法人库里没有与这组姓名和证件号码同时相符的法人" in said
    assert 'href="/h5/claim"' in page.text
    assert 'href="tel:' in page.text
    assert f'value="{name}"' in page.text, "what was typed stays"
    assert f'value="{NUMBERS[owner]}"' in page.text
    assert actions(site).count("owner_refused") == 1, "the look-up is on record"


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        pytest.param({}, ["请填写姓名。", "请填写证件号码。"], id="empty"),
        pytest.param(
            {"name": "王伟1", "document": "31010419800101"},
            ["姓名里只能有文字", "证件号码应为 18 位，您填写的是 14 位"],
            id="digit in the name and a short number",
        ),
        pytest.param(
            {"name": "王伟", "document": NUMBERS[WANG], "document_kind": "passport"},
            ["这不像是所选证件的号码"],
            id="another kind was chosen",
        ),
    ],
)
def test_fault_is_said_beside_its_field_and_what_was_typed_stays(
    site: Site, fields: dict[str, str], faults: list[str]
) -> None:
    page = submit(site.client("o-wang"), "/h5/owner", **fields)
    assert page.status_code == 422
    for fault in faults:
        assert fault in text_of(page)
    assert page.text.count('aria-invalid="true"') == len(faults)
    for value in fields.values():
        assert value in page.text
    assert "owner_refused" not in actions(site)


def test_company_that_is_not_in_business_is_named_with_its_state(site: Site) -> None:
    site.register(WANG, state="吊销，未注销")
    page = submit(site.client("o-wang"), "/h5/owner", name="王伟", document=NUMBERS[WANG])
    said = text_of(page)
    assert "可办理 1 家单位" in said
    assert re.search("不能办理的单位 上海第1有限公司 企业法人库登记的状态 已吊销", said)


def test_sixth_try_within_an_hour_is_refused_before_the_register_is_asked(site: Site) -> None:
    client = site.client("o-guesser")
    for _ in range(PERSON_LIMIT[0]):
        page = submit(client, "/h5/owner", name="赵一鸣", document=NUMBERS[WANG])
        assert page.status_code == 200
    page = submit(client, "/h5/owner", name=OWNERS[WANG], document=NUMBERS[WANG])
    assert page.status_code == 429
    assert "核验次数太多" in text_of(page)
    assert actions(site).count("owner_refused") == PERSON_LIMIT[0]
    with site.database.reading() as session:
        assert list_mandates(session, openid="o-guesser") == []
    # Nobody else is held up by it.
    other = submit(site.client("o-wang"), "/h5/owner", name="王伟", document=NUMBERS[WANG])
    assert other.status_code == 200


def test_page_lists_what_somebody_acts_for(site: Site) -> None:
    said = text_of(site.owner().get("/h5/owner"))
    assert "请选择要办理的单位" in said
    assert "上海第1有限公司 法人" in said
    assert "请选择要办理的单位" not in text_of(site.client("o-new").get("/h5/owner"))


def test_home_leads_here(site: Site) -> None:
    assert 'href="/h5/owner"' in site.client("o-new").get("/h5/").text


# --- from another account -----------------------------------------------------------------------


def _asked(site: Site) -> tuple[FlaskClient, FlaskClient]:
    """Return the browsers of 王伟's first account and of another one that asks."""
    return site.owner(), site.owner("o-wang-new")


def test_second_account_is_told_to_wait_and_the_first_one_is_asked(site: Site) -> None:
    first, second = _asked(site)
    said = text_of(second.get("/h5/owner"))
    assert "还要等一等" in said
    assert "上海第1有限公司" in said
    assert second.get(site.path()).status_code == 403
    assert "有人用另一个微信号申请办理" in text_of(first.get(site.path()))
    assert "另一个微信号申请" not in text_of(site.owner("o-li", LI).get(site.path(place=2)))


def test_first_account_stops_the_other_one_which_then_needs_the_staff(site: Site) -> None:
    first, second = _asked(site)
    sent = submit(first, site.path(), to=site.path("/elsewhere"), answer="not_mine")
    assert sent.location == f"{site.path()}?objected=1"
    assert "有人用另一个" not in text_of(first.get(sent.location))
    proved = submit(second, "/h5/owner", name=OWNERS[WANG], document=NUMBERS[WANG])
    assert "需要工作人员核对" in text_of(proved)
    assert second.get(site.path()).status_code == 403


def test_first_account_hands_over_at_once(site: Site) -> None:
    first, second = _asked(site)
    sent = submit(first, site.path(), to=site.path("/elsewhere"), answer="mine")
    assert sent.location == "/h5/owner"
    assert second.get(site.path()).status_code == 200
    assert first.get(site.path()).status_code == 403


@pytest.mark.parametrize("answer", ["", "nonsense"])
def test_what_is_not_said_clearly_lets_nobody_in(site: Site, answer: str) -> None:
    first, second = _asked(site)
    submit(first, site.path(), to=site.path("/elsewhere"), answer=answer)
    assert "有人用另一个微信号申请办理" in text_of(first.get(site.path()))
    assert second.get(site.path()).status_code == 403
