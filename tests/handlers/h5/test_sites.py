"""Construction sites inside WeChat: one tap, the report, the roster, the code, the invitation."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.clock import day_of
from core.codes.rules import subject_of
from core.codes.service import find_live_code
from core.db import Database
from core.notices.model import Notice
from core.registration.model import Registration
from core.sites.members import invite_member
from core.sites.model import SiteReport
from core.workplaces.rules import Face
from tests.core.sites.conftest import NUMBERS, Sites, make_sites
from tests.h5 import csrf_of, enter, submit, text_of

_KEY = re.compile(r'name="request_key" value="(\w+)"')
ZHAO = "o-zhao"
WORKER: dict[str, Any] = {
    "name": "钱七",
    "document_kind": "resident_id",
    "document": NUMBERS[9],
    "phone": "13900000009",
    "home": "浦东新区某小区",
    "home_elsewhere": "yes",
    "away": "no",
    "health_code": "green",
    "symptoms": ["none"],
    "consent": "yes",
}


class Grounds:
    """Two sites; 赵强 reports for the first one, where 86 people were yesterday."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app = app
        self.database = database
        with database.transaction() as session:
            sites = make_sites(session, datetime.now(UTC))
            sites.bind(ZHAO)
            sites.report(86, day=sites.today - timedelta(days=1))
        self.ids = sites.ids
        self.client = self.of(ZHAO)

    def of(self, openid: str) -> FlaskClient:
        return enter(self.app.test_client(), openid)

    def path(self, below: str = "", site: int = 0) -> str:
        return f"/h5/site/{self.ids[site]}{below}"

    def bind(self, openid: str, site: int) -> None:
        with self.database.transaction() as session:
            Sites(session=session, now=datetime.now(UTC), ids=self.ids).bind(openid, site=site)

    def report(self, **fields: Any) -> Any:
        """Send the report of today."""
        values = {"head_count": "88", "joined_count": "2", "left_count": "0"} | fields
        return submit(self.client, self.path("/report"), action="send", **values)

    def reports(self) -> list[tuple[str, int, int, int]]:
        """Return what was reported today, in the order in which it came."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(SiteReport)
                .where(SiteReport.day == day_of(datetime.now(UTC)))
                .order_by(SiteReport.id)
            )
            return [(one.state, one.head_count, one.joined_count, one.left_count) for one in rows]

    def people(self) -> list[tuple[str, str]]:
        """Return name and state of everybody who is or was registered, in order."""
        with self.database.reading() as session:
            rows = session.scalars(select(Registration).order_by(Registration.id))
            return [(one.name, one.state) for one in rows]


@pytest.fixture
def grounds(app: Flask, database: Database) -> Grounds:
    """Two sites."""
    return Grounds(app, database)


def newcomer(place: int = 1, **changes: str) -> dict[str, str]:
    """Return the fields of a newcomer."""
    values = {
        "name": f"张{'一二三四五'[place - 1]}",
        "document": NUMBERS[place],
        "region": "江苏盐城",
        "stays": "无",
        "health_code": "green",
    } | changes
    return {f"{name}_{place}": value for name, value in values.items()}


def sheet(*rows: str) -> str:
    return "\n".join(("姓名\t身份证号\t户籍地\t14天内到过\t健康码\t变动", *rows))


def row(person: int, *, number: str = "", change: str = "") -> str:
    name = f"张{'一二三四五六七八九十'[person % 10]}"
    return "\t".join((name, number or NUMBERS[person], "江苏盐城", "无", "绿", change))


def apply(grounds: Grounds, shown: str) -> Any:
    """Confirm what a plan showed."""
    fields = dict(re.findall(r'name="(csrf|digest|action)" value="(\w+)"', shown))
    text = re.search(r'(?s)name="text" value="(.*?)"', shown)
    assert text is not None
    fields["text"] = text[1]
    return grounds.client.post(
        grounds.path("/roster"), data=fields, content_type="multipart/form-data"
    )


def test_nothing_changed_is_one_tap_and_a_second_one_changes_nothing(grounds: Grounds) -> None:
    page = grounds.client.get("/h5/sites").text
    assert "无变化，仍是 86 人" in page
    key = _KEY.search(page)
    assert key is not None
    fields = {"csrf": csrf_of(page), "request_key": key[1]}
    for done in ("reported", "same"):
        answer = grounds.client.post(grounds.path("/unchanged"), data=fields)
        assert answer.location == grounds.path(f"?done={done}")
    shown = text_of(grounds.client.get(answer.location))
    assert "没有重复填报" in shown
    assert "在场 86 人" in shown
    assert "今天已报" in text_of(grounds.client.get("/h5/sites"))
    assert grounds.reports() == [("standing", 86, 0, 0)]


def test_nobody_sees_or_reports_a_site_that_is_not_theirs(grounds: Grounds) -> None:
    for openid, site in (("o-nobody", 0), (ZHAO, 1)):
        client = grounds.of(openid)
        for below in ("", "/report", "/people", "/roster", "/code"):
            assert client.get(grounds.path(below, site)).status_code == 404
    csrf = csrf_of(grounds.client.get(grounds.path()).text)
    answer = grounds.client.post(grounds.path("/unchanged", 1), data={"csrf": csrf})
    assert answer.status_code == 404
    assert "还没有绑定工地" in text_of(grounds.of("o-nobody").get("/h5/sites"))
    assert grounds.reports() == []


def test_newcomers_are_asked_for_by_their_number_and_registered_with_the_report(
    grounds: Grounds,
) -> None:
    asked = submit(grounds.client, grounds.path("/report"), action="people", joined_count="2")
    assert "第 2 位" in text_of(asked)
    assert 'name="name_3"' not in asked.text
    answer = grounds.report(**newcomer(1), **newcomer(2, stays="湖北武汉、江苏昆山"))
    assert answer.location == grounds.path("?done=reported")
    assert grounds.reports() == [("standing", 88, 2, 0)]
    assert [name for name, _ in grounds.people()] == ["张一", "张二"]


def test_newcomer_of_whom_nothing_is_told_is_counted_and_asked_for_afterwards(
    grounds: Grounds,
) -> None:
    answer = grounds.report(**newcomer(1))
    assert answer.location == grounds.path("?done=reported&missing=1")
    assert "还有 1 人没有登记" in text_of(grounds.client.get(answer.location))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"head_count": ""}, "f-head_count"),
        ({"joined_count": "-1"}, "f-joined_count"),
        (newcomer(1, document=NUMBERS[1][:-2]), "f-document_1"),
        (newcomer(1, stays=""), "f-stays_1"),
        (newcomer(2, health_code="blue"), "f-health_code_2"),
        ({"left_names": "没人"}, "f-left_names"),
        ({"day": "2020-02-30"}, "f-day"),
        ({"joined_count": "0", "head_count": "86", **newcomer(1)}, "f-joined_count"),
    ],
    ids=["no heads", "negative", "document", "stays", "code", "unknown leaver", "day", "too many"],
)
def test_fault_is_beside_its_field_and_nothing_is_stored(
    grounds: Grounds, fields: dict[str, str], fault: str
) -> None:
    answer = grounds.report(**fields)
    assert answer.status_code in {409, 422}
    assert f'href="#{fault}"' in answer.text
    assert f'id="{fault}-error"' in answer.text
    assert (grounds.reports(), grounds.people()) == ([], [])


def test_sum_that_does_not_come_out_is_asked_about_once(grounds: Grounds) -> None:
    asked = grounds.report(head_count="90")
    assert asked.status_code == 422
    assert "应当是 88 人；您填了 90 人" in text_of(asked)
    assert grounds.reports() == []
    assert grounds.report(head_count="90", is_sure="yes").status_code == 303
    assert "与上次人数、进出对不上" in text_of(grounds.client.get(grounds.path()))


def test_report_is_corrected_from_what_it_said(grounds: Grounds) -> None:
    assert grounds.report(**newcomer(1), **newcomer(2)).status_code == 303
    form = grounds.client.get(grounds.path("/report")).text
    assert re.search(r'name="head_count"[^>]* value="88"', form)
    assert re.search(r'name="joined_count"[^>]* value="2"', form)
    corrected = grounds.report(head_count="87", left_count="1")
    assert corrected.location == grounds.path("?done=reported")
    assert grounds.reports() == [("replaced", 88, 2, 0), ("standing", 87, 2, 1)]
    assert len(grounds.people()) == 2


def test_leavers_are_named_and_two_of_a_name_are_told_apart_on_the_list(grounds: Grounds) -> None:
    twin = newcomer(3, name="张一")
    done = grounds.report(head_count="89", joined_count="3", **newcomer(1), **newcomer(2), **twin)
    assert done.status_code == 303
    ambiguous = grounds.report(head_count="84", joined_count="0", left_count="2", left_names="张一")
    assert "有几个人叫“张*”" in text_of(ambiguous)
    left = grounds.report(
        head_count="85", joined_count="0", left_count="1", left_names="张二", is_sure="yes"
    )
    assert left.status_code == 303
    people = grounds.path("/people")
    listed = submit(grounds.client, people, name="张一")
    assert "找到 2 人" in text_of(listed)
    assert NUMBERS[1] not in listed.text
    ids = re.findall(r'name="registration_id" value="(\d+)"', listed.text)
    ended = submit(grounds.client, people, action="end", registration_id=ids[0])
    assert "已登记为离场" in text_of(grounds.client.get(ended.location))
    states = [state for _, state in grounds.people()]
    assert sorted(states) == ["approved", "ended", "ended"]


def test_later_report_of_somebody_else_stands_and_both_are_shown(grounds: Grounds) -> None:
    grounds.bind("o-qian", 0)
    assert grounds.report().status_code == 303
    colleague = grounds.of("o-qian")
    submit(
        colleague,
        grounds.path("/report"),
        head_count="87",
        joined_count="1",
        left_count="0",
        action="send",
    )
    shown = text_of(grounds.client.get(grounds.path()))
    assert "在场 87 人，新到 1 人" in shown
    assert "由同事填报" in shown
    assert "今天的另外 1 份" in shown
    assert [one[0] for one in grounds.reports()] == ["replaced", "standing"]


def test_roster_names_every_fault_and_takes_the_rest_if_asked(grounds: Grounds) -> None:
    pasted = sheet(row(1), row(2, number="310104198003"), row(3), row(1), row(4, change="飞走"))
    plan = submit(grounds.client, grounds.path("/roster"), pasted=pasted)
    said = text_of(plan)
    for line in (3, 5, 6):
        assert f"第 {line} 行 ：" in said
    assert "录入其余 2 人" in said
    assert grounds.people() == []
    taken = apply(grounds, plan.text)
    assert "新登记 2 人" in text_of(taken)
    assert grounds.people() == [("张二", "approved"), ("张四", "approved")]
    again = apply(grounds, plan.text)
    assert again.status_code == 409
    assert "请重新核对" in text_of(again)
    leaving = submit(grounds.client, grounds.path("/roster"), pasted=sheet(row(3, change="离场")))
    assert "离场 1 人" in text_of(apply(grounds, leaving.text))
    assert grounds.people()[1] == ("张四", "ended")


def test_roster_may_be_a_spreadsheet_and_what_is_none_says_so(grounds: Grounds) -> None:
    book = BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        table = workbook.add_worksheet()
        for place, line in enumerate(sheet(row(1), row(2)).split("\n")):
            table.write_row(place, 0, line.split("\t"))
    book.seek(0)
    plan = submit(grounds.client, grounds.path("/roster"), file=(book, "名册.xlsx"))
    assert "确认录入 2 人" in text_of(plan)
    assert text_of(apply(grounds, plan.text)).count("新登记 2 人") == 1
    archive = (BytesIO(b"PK\x03\x04" + bytes(200)), "名册.xlsx")
    refused = text_of(submit(grounds.client, grounds.path("/roster"), file=archive))
    assert "这 1 行不能录入" in refused
    assert "没有需要录入的人" in refused
    assert submit(grounds.client, grounds.path("/roster")).status_code == 422


def test_large_roster_with_forty_faults_names_all_forty(grounds: Grounds) -> None:
    rows = [row(1, number="310104198003")] * 40
    filler = [f"李{place}\t{NUMBERS[2]}\t江苏\t无\t绿\t" for place in range(1960)]
    plan = submit(grounds.client, grounds.path("/roster"), pasted=sheet(*rows, *filler))
    assert plan.status_code == 200
    assert all(f"第 {line} 行</b>" in plan.text for line in range(2, 42))


def test_code_lets_workers_register_themselves_and_a_new_one_ends_the_old(
    grounds: Grounds,
) -> None:
    path = grounds.path("/code")
    assert "生成二维码" in text_of(grounds.client.get(path))
    made = submit(grounds.client, path, action="make")
    first = grounds.client.get(made.location).text
    code_id = re.search(r'name="code_id" value="(\d+)"', first)
    assert code_id is not None
    check = re.compile(r'class="check">([^<]+)<')
    for _ in range(2):  # the second press finds what the first one made
        submit(grounds.client, path, action="make", code_id=code_id[1])
    second = grounds.client.get(path).text
    assert check.findall(first) != check.findall(second)
    assert re.search(r'name="code_id" value="(\d+)"', second)[1] == str(int(code_id[1]) + 1)  # type: ignore[index]
    ended = submit(grounds.client, path, action="end")
    assert "二维码已经停用" in text_of(grounds.client.get(ended.location))


def test_worker_scans_the_code_and_is_registered_with_the_site(grounds: Grounds) -> None:
    submit(grounds.client, grounds.path("/code"), action="make")
    with grounds.database.transaction() as session:
        subject = subject_of(grounds.ids[0], face=Face.SITE)
        card = find_live_code(session, subject=subject, now=datetime.now(UTC))
    assert card is not None
    assert card.last_day == day_of(datetime.now(UTC)), "it hangs nowhere, and ends with the day"
    worker = grounds.of("o-worker")
    shown = text_of(worker.get(f"/h5/c/{card.token}"))
    assert "您扫的是这个工地的登记码" in shown
    assert "第1工地" in shown
    assert "总包单位" in shown
    assert "法定代表人" not in shown
    path = f"/h5/c/{card.token}/register"
    assert "第1工地" in text_of(worker.get(path))
    sent = submit(worker, path, **WORKER)
    assert sent.status_code == 303, text_of(sent)
    with grounds.database.reading() as session:
        stored = session.scalars(
            select(Registration).where(Registration.workplace_id == grounds.ids[0])
        ).all()
    assert [row.state for row in stored if row.code_id == card.id] == ["approved"]
    reported = submit(grounds.of("o-doubtful"), f"/h5/c/{card.token}/report")
    assert reported.status_code == 200
    with grounds.database.reading() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "code_reported")).all()
    assert [one.link.endswith(grounds.path("/code")) for one in told] == [True]


def test_invited_person_confirms_by_name_and_reports_for_the_site(grounds: Grounds) -> None:
    with grounds.database.transaction() as session:
        offered = invite_member(
            session,
            site_id=grounds.ids[1],
            name="孙丽",
            phone="+8613800000002",
            actor="staff:1",
            now=datetime.now(UTC),
        )
    path = f"/h5/sites/join/{offered.token}"
    client = grounds.of("o-sun")
    shown = text_of(client.get(path))
    assert "第2工地" in shown
    assert "孙" not in shown
    assert "不一致" in text_of(submit(client, path, name="孙莉莉"))
    joined = submit(client, path, name="孙 丽")
    assert joined.location == grounds.path("?done=joined", 1)
    assert "您可以为这个工地填报了" in text_of(client.get(joined.location))
    assert client.get(path).location == grounds.path("", 1)
    assert grounds.of("o-other").get(path).status_code == 409
    assert client.get("/h5/sites/join/wrong").status_code == 404
