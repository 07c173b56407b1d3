"""Inviting, confirming and ending on the pages."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.mandates.model import Mandate
from core.mandates.service import list_mandates
from core.notices.model import Notice
from handlers.h5.inviting import NAME_LIMIT
from tests.core.mandates.conftest import LI
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.h5.conftest import PUBLIC_URL, Site

PHONE = "138 0000 0001"


def invite(site: Site, client: FlaskClient, **fields: str) -> TestResponse:
    sent = {"kind": "filler", "name": "张敏", "phone": PHONE} | fields
    return submit(client, site.path("/people"), **sent)


def link_in(page: TestResponse) -> str:
    """Return the path of the invitation that a page shows."""
    found = re.search(rf"{re.escape(PUBLIC_URL)}(/h5/mandate/[\w-]+)", page.text)
    assert found is not None
    return found[1]


def end_path(site: Site) -> str:
    """Return where the newest mandate is ended."""
    with site.database.reading() as session:
        newest = session.scalars(select(Mandate.id).order_by(Mandate.id.desc())).first()
    return site.path(f"/people/{newest}/end")


def test_invitation_is_handed_over_as_link_and_code_and_confirmed_by_name(site: Site) -> None:
    owner = site.owner()
    page = invite(site, owner)
    assert page.status_code == 200
    assert '<svg class="qr"' in page.text
    path = link_in(page)
    filler = site.client("o-zhang")
    said = text_of(filler.get(path))
    assert "上海第1有限公司" in said
    assert "王*（法人）" in said
    assert "经办人" in said
    answer = submit(filler, path, name="张敏")
    assert (answer.status_code, answer.location) == (303, f"{site.path()}?confirmed=1")
    assert "已确认担任经办人" in text_of(filler.get(answer.location))
    assert "张*" in text_of(owner.get(site.path("/people")))
    with site.database.reading() as session:
        kinds = session.execute(select(Notice.kind, Notice.openid)).all()
    assert [tuple(one) for one in kinds] == [("mandate_confirmed", "o-wang")]


def test_page_of_people_masks_names_and_phones(site: Site) -> None:
    owner = site.owner()
    invite(site, owner)
    page = owner.get(site.path("/people"))
    assert "138****0001" in text_of(page)
    assert "等待本人确认" in text_of(page)
    for secret in ("张敏", "13800000001", "王伟"):
        assert secret not in page.text


def test_manager_needs_a_department_and_acts_for_it(site: Site) -> None:
    owner = site.owner()
    refused = invite(site, owner, kind="manager")
    assert refused.status_code == 422
    assert "部门：这一项还没有填写" in text_of(refused)
    path = link_in(invite(site, owner, kind="manager", department="物流部"))
    manager = site.client("o-manager")
    submit(manager, path, name="张敏")
    said = text_of(manager.get(site.path()))
    assert "您是部门负责人（物流部）" in said
    assert (
        "复工备案"
        not in text_of(manager.get(site.path())).split("登记信息")[0].split("办理事项")[1]
    )


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        pytest.param({"name": ""}, "请填写姓名", id="no name"),
        pytest.param({"phone": "123"}, "没有这样的电话号码", id="no phone"),
        pytest.param({"kind": "owner"}, "请选择一项", id="owners are not invited"),
        pytest.param({"kind": ""}, "请选择一项", id="no kind"),
        pytest.param(
            {"kind": "manager", "department": "部" * 51}, "最多 50 个字", id="long department"
        ),
    ],
)
def test_offer_with_a_fault_invites_nobody_and_keeps_what_was_typed(
    site: Site, fields: dict[str, str], fault: str
) -> None:
    owner = site.owner()
    page = invite(site, owner, **fields)
    assert page.status_code == 422
    assert fault in text_of(page)
    kept = {"name": "张敏", "phone": PHONE} | fields
    kept.pop("kind", None)
    assert all(f'value="{value}"' in page.text for value in kept.values())
    assert "等待本人确认" not in text_of(owner.get(site.path("/people")))


def test_wrong_name_is_said_and_tries_are_bounded(site: Site) -> None:
    path = link_in(invite(site, site.owner()))
    stranger = site.client("o-stranger")
    for number in range(NAME_LIMIT[0]):
        page = submit(stranger, path, name="李" + "一" * (number + 1))
        assert page.status_code == 422
        assert "填写的不一致" in text_of(page)
    page = submit(site.client("o-other"), path, name="张敏")
    assert page.status_code == 429
    with site.database.reading() as session:
        assert list_mandates(session, openid="o-other") == []


def test_invitation_that_was_confirmed_leads_its_person_to_the_company(site: Site) -> None:
    path = link_in(invite(site, site.owner()))
    filler = site.client("o-zhang")
    submit(filler, path, name="张敏")
    answer = filler.get(path)
    assert (answer.status_code, answer.location) == (303, site.path())
    other = site.client("o-other").get(path)
    assert other.status_code == 409
    assert "已经使用、撤回或过期" in text_of(other)


def test_unknown_invitation_is_not_found(site: Site) -> None:
    page = site.client("o-zhang").get("/h5/mandate/no-such-token")
    assert page.status_code == 404
    assert "没有找到这份邀请" in text_of(page)


def test_owner_ends_in_one_tap_and_a_second_tap_is_harmless(site: Site) -> None:
    owner, filler = site.owner(), site.client("o-zhang")
    submit(filler, link_in(invite(site, owner)), name="张敏")
    csrf = csrf_of(owner.get(site.path("/people")).text)
    for _ in range(2):
        answer = owner.post(end_path(site), data={"csrf": csrf})
        assert answer.status_code == 303
    assert "授权已经结束" in text_of(owner.get(answer.location))
    refused = filler.get(site.path())
    assert refused.status_code == 403
    assert "您还不是这家单位的" in text_of(refused)


def test_filler_neither_invites_nor_ends_others_but_leaves(site: Site) -> None:
    owner, filler = site.owner(), site.client("o-zhang")
    submit(filler, link_in(invite(site, owner)), name="张敏")
    own = end_path(site)
    assert filler.get(site.path("/people")).status_code == 403
    invite(site, owner, name="赵一鸣", phone="13900000002")
    csrf = csrf_of(filler.get(site.path()).text)
    assert filler.post(end_path(site), data={"csrf": csrf}).status_code == 403
    answer = filler.post(own, data={"csrf": csrf})
    assert (answer.status_code, answer.location) == (303, "/h5/owner")
    assert filler.get(site.path()).status_code == 403


def test_owner_of_another_company_reaches_nothing_here(site: Site) -> None:
    owner, other = site.owner(), site.owner("o-li", LI)
    invite(site, owner)
    csrf = csrf_of(other.get("/h5/owner").text)
    assert other.get(site.path("/people")).status_code == 403
    answers = [
        other.post(site.path("/people"), data={"csrf": csrf, "kind": "filler", "name": "张敏"}),
        other.post(end_path(site), data={"csrf": csrf}),
        other.post(
            end_path(site).replace(f"/{site.ids[0]}/", f"/{site.ids[2]}/"), data={"csrf": csrf}
        ),
    ]
    assert [one.status_code for one in answers] == [403, 403, 404]
    assert "等待本人确认" in text_of(owner.get(site.path("/people")))


@pytest.mark.parametrize("number", ["0", "99999999999", "9" * 40])
def test_number_of_no_company_is_nobodys(site: Site, number: str) -> None:
    client = site.owner()
    for path in (f"/h5/company/{number}", f"/h5/company/{number}/people"):
        assert client.get(path).status_code == 403
