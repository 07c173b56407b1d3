from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.scoring import score_day
from core.risk.versions import CURRENT
from core.risk.versions.service import find_stored_version
from tests.console import District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter
from tests.rulings import score
from tests.servers import ROOT

PATH = "/console/risk/models"
NEW = f"{PATH}/new"
ADMINISTRATOR = Role.ADMINISTRATOR


def document(**changes: Any) -> dict[str, Any]:
    text = (ROOT / "core/risk/versions" / f"{CURRENT}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found | {"version": "xh-2020.2"} | changes


def lighter() -> dict[str, Any]:
    """Return a version in which infections weigh less and age weighs more."""
    changed = document()
    for one in changed["indicators"]:
        one["weight"] = {"confirmed": 3, "vuln": 20}.get(one["code"], one["weight"])
    return changed


def upload(client: FlaskClient, content: object, *, role: str = "champion") -> TestResponse:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return submit(client, NEW, role=role, document=(BytesIO(raw), "model.json"))


def test_version_is_proposed_by_one_and_approved_by_another(
    come_in: Enter, district: District
) -> None:
    first, second = come_in(ADMINISTRATOR), come_in(ADMINISTRATOR, name="li", display_name="李明")
    proposed = upload(first, lighter())
    page = proposed.location.partition("?")[0]
    shown = text_of(first.get(proposed.location))
    assert "等另一位系统管理员批准" in shown
    assert "权重 20% → 3%" in shown, "what changes is said"
    own = submit(first, page, to=f"{page}/decide", act="approve")
    assert (own.status_code, "请由另一位管理员处理" in own.text) == (403, True)
    odd = submit(first, page, to=f"{page}/decide", act="eat")
    assert odd.status_code == 422
    done = submit(second, page, to=f"{page}/decide", act="approve")
    assert "已批准，从" in text_of(second.get(done.location))
    listed = text_of(second.get(PATH))
    assert "当前模型 xh-2020.2" in listed
    assert "李明" in listed
    decided = first.post(
        f"{page}/decide",
        data={"csrf": csrf_of(first.get("/console/").text), "act": "refuse"},
    )
    assert (decided.status_code, "李明已经处理过这份提议" in decided.text) == (409, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "这不是 JSON 文件"),
        (b"\xff\xfe{", "这不是 JSON 文件"),
        (b"[1]", "这不是 JSON 文件"),
        (b"[" * 100_000, "这不是 JSON 文件"),
        ({"version": "x"}, "缺少或多出"),
        (document(cuts={"yellow": 60, "red": 40}), "黄色界线要低于红色界线"),
        (document(version="Neue Version"), "版本名只能用"),
        (document(min_coverage=0.4), "min_coverage 要在 0.5 到 1 之间"),
        (document(max_stale_days=400), "max_stale_days 要在 0 到 3 之间"),
        (document(required=[]), "required 里至少要有一项指标"),
        (document(min_coverage=10**400), "不是数或者数太大"),
        (document(version=CURRENT, min_coverage=0.5), "已经属于另一份模型文件"),
        (document(version="xh-2020.1", min_coverage=0.8), "不用重复提交"),
    ],
    ids=[
        *("empty", "encoding", "list", "deep", "keys", "cuts", "name"),
        *("half", "stale", "required", "digits", "taken", "stands"),
    ],
)
def test_document_that_cannot_be_is_refused_in_words(
    come_in: Enter, district: District, content: object, words: str
) -> None:
    refused = upload(come_in(ADMINISTRATOR), content)
    assert refused.status_code in {409, 422}
    assert words in text_of(refused)


def test_rules_are_shown_with_their_thresholds_and_what_is_left_out(
    come_in: Enter, district: District
) -> None:
    admin = come_in(ADMINISTRATOR)
    changed = document()
    changed["floors"][0]["when"][0]["least"] = 1000
    changed["floors"] = [one for one in changed["floors"] if one["rule"] != "R4"]
    shown = text_of(admin.get(upload(admin, changed).location))
    assert "（14天内确诊病例与无症状感染者合计不少于 1000）" in shown
    assert "合计不少于 3，并且聚集性疫情不少于 1）" in shown
    assert "（疑似病例不少于 1，或者未排除的发热不少于 1）" in shown
    assert "没有采用：R4" in shown


def test_role_must_be_chosen(come_in: Enter, district: District) -> None:
    refused = upload(come_in(ADMINISTRATOR), document(), role="king")
    assert (refused.status_code, "请选择一项" in refused.text) == (422, True)


def test_challenger_is_compared_and_retired(come_in: Enter, district: District) -> None:
    score(district)
    first, second = come_in(ADMINISTRATOR), come_in(ADMINISTRATOR, name="li", display_name="李明")
    assert "还没有对照模型" in first.get(f"{PATH}/compare").text
    page = upload(first, lighter(), role="challenger").location.partition("?")[0]
    submit(second, page, to=f"{page}/decide", act="approve")
    compare = f"{PATH}/compare?challenger=xh-2020.2"
    assert "还没有计算过" in first.get(compare).text
    with district.database.transaction() as session:
        version = find_stored_version(session, name="xh-2020.2")
        yesterday = day_of(district.now) - timedelta(days=1)
        score_day(session, day=yesterday, now=district.now, version=version)
    shown = text_of(first.get(compare))
    assert "3 个小区，颜色不同的" in shown
    assert "名A2" in shown
    odd = f"{PATH}/compare?challenger=nobody&day={day_of(district.now)}"
    assert "没有可以对比的结果" in first.get(odd).text
    retired = submit(first, page, to=f"{page}/decide", act="retire")
    assert "已停用" in text_of(first.get(retired.location))
    assert "名A2" in first.get(compare).text, "what was scored stays"


def test_auditor_reads_every_version_and_changes_none(come_in: Enter, district: District) -> None:
    client = come_in(Role.AUDITOR)
    assert "随软件提供" in client.get(PATH).text
    shown = client.get(f"{PATH}/0").text
    assert CURRENT in shown
    assert 'name="act"' not in shown
    for missing in ("7", "99999999999"):
        assert client.get(f"{PATH}/{missing}").status_code == 404
