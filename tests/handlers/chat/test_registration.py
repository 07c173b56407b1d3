"""Registering in the chat: step by step, resumable, with the result of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.texts import MAX_BYTES, TEMPLATES
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import find_live_code, retire_code
from core.db import Database
from core.people.model import Consent, Person
from core.registration.drafts import find_newest_draft, save_draft
from core.registration.model import Registration, RegistrationDraft
from core.registration.rules import HealthCode, Symptom, Travel
from core.registration.service import submit_registration
from handlers.chat import registration
from handlers.chat.registration_steps import Step
from handlers.turn import Conversation, TurnKind
from tests.core.registration.conftest import NUMBERS, District, entry_of
from tests.handlers.chat.conftest import Talk, fill

NUMBER = NUMBERS[0]
NAME, PHONE = "张一", "13800000001"
ALL_WELL = (NAME, NUMBER, PHONE, "田林十二村", "一直在上海", "绿码", "没有不适", "36.5", "同意")


@dataclass(kw_only=True)
class Story:
    """A person who talks, and two companies with a code each."""

    talk: Talk
    database: Database
    companies: list[int]
    tokens: list[str]
    checks: list[str]

    def scan(self, company: int = 0) -> str:
        return self.talk.event("scan", f"company:{self.tokens[company]}")

    def begin(self, company: int = 0) -> str:
        """Scan, and agree that it is the right company."""
        self.scan(company)
        return self.talk.say("开始登记")

    def say(self, *texts: str) -> str:
        """Say one thing after the other, and return the last answer."""
        answer = ""
        for text in texts:
            answer = self.talk.say(text)
        return answer

    def step(self) -> str:
        conversation = self.talk.conversation
        return "" if conversation is None else str(conversation.data.get("step", ""))

    def stored(self) -> list[Registration]:
        with self.database.reading() as session:
            return list(session.scalars(select(Registration).order_by(Registration.id)))

    def typed(self) -> dict[str, str]:
        with self.database.reading() as session:
            draft = find_newest_draft(session, openid=self.talk.openid, now=self.talk.now)
        return dict(draft.typed) if draft else {}

    def change(self, what: Callable[[District], object]) -> None:
        with self.database.transaction() as session:
            what(District(session=session, now=self.talk.now, companies=self.companies))


def story_of(talk: Talk, database: Database) -> Story:
    with database.transaction() as session:
        district = District(session=session, now=talk.now)
        district.add_company()
        district.add_company(filing="approved")
        subjects = [subject_of(company) for company in district.companies]
        cards = [find_live_code(session, subject=one, now=talk.now) for one in subjects]
    codes = [card for card in cards if card is not None]
    return Story(
        talk=talk,
        database=database,
        companies=district.companies,
        tokens=[card.token for card in codes],
        checks=[card.check_code for card in codes],
    )


@pytest.fixture
def story(database: Database, talk: Talk) -> Story:
    return story_of(talk, database)


# ---- the way through -----------------------------------------------------------------------------


def test_a_scan_names_the_company_and_its_owner_masked_before_it_asks_anything(
    story: Story,
) -> None:
    answer = story.scan()

    assert story.talk.route == "scan"
    assert answer.startswith("这是上海第1有限公司的员工登记码。")
    assert "法定代表人：王*" in answer
    assert f"核对码：{story.checks[0][:3]} {story.checks[0][3:]}" in answer
    assert "XH0000" in answer
    assert story.stored() == []
    assert story.typed() == {}


def test_a_healthy_person_is_registered_after_ten_answers(story: Story) -> None:
    assert "请发送您的姓名" in story.begin()
    assert story.talk.route == "registration_step"
    summary = story.say(*ALL_WELL)

    assert "姓名：张*" in summary
    assert NUMBER not in summary
    assert PHONE not in summary
    assert f"居民身份证：{NUMBER[:3]}***********{NUMBER[-4:]}" in summary
    assert "住址：田林十二村" in summary
    receipt = story.say("提交登记")
    (stored,) = story.stored()
    assert receipt.startswith("登记已经收到")
    assert stored.number in receipt
    assert f"/h5/registration/{stored.id}" in receipt
    assert (stored.name, stored.document, stored.phone) == (NAME, NUMBER, f"+86{PHONE}")
    assert (stored.state, stored.flag_group, stored.flags) == ("submitted", "fine", [])
    assert stored.code_id is not None
    assert story.talk.conversation is None
    assert story.typed() == {}


def test_somebody_back_from_elsewhere_is_asked_when_and_how(story: Story) -> None:
    story.begin()
    assert "哪一天回到上海" in story.say(NAME, NUMBER, PHONE, "田林十二村", "江苏昆山、浙江宁波")
    assert "怎么回来的" in story.say("3月20日")
    assert "什么颜色" in story.say("高铁")
    story.say("黄码", "3、6", "37.4", "1", "1")

    (stored,) = story.stored()
    assert stored.flag_group == "cannot"
    assert set(stored.flags) == {"code_not_green", "symptoms", "fever"}
    with story.database.reading() as session:
        answers = session.get_one(Registration, stored.id).answers
    for word in ("江苏昆山", "浙江宁波", "2020-03-20", Travel.TRAIN, HealthCode.YELLOW):
        assert word in answers
    assert Symptom.COUGH in answers
    assert Symptom.RUNNY_NOSE in answers


def test_every_answer_can_be_the_number_of_an_option(story: Story) -> None:
    story.begin()
    story.say(NAME, NUMBER, PHONE, "阳光公寓")
    assert story.step() == Step.HOME
    story.say("2", "江苏昆山", "1", "2", "1", "1", "1", "1")
    assert story.say("1").startswith("登记已经收到")

    (stored,) = story.stored()
    with story.database.reading() as session:
        answers = session.get_one(Registration, stored.id).answers
    assert '"home": "阳光公寓"' in answers
    assert '"returned_on": "2020-03-28"' in answers
    assert '"travel": "plane"' in answers
    assert '"temperature": null' in answers


def test_options_can_be_tapped_and_several_symptoms_one_after_the_other(story: Story) -> None:
    story.begin()
    story.say(NAME, NUMBER, PHONE, "田林十二村")
    story.talk.say("1", menu_id="registration:stays")
    story.talk.say("1", menu_id="registration:health_code")
    story.talk.say("3", menu_id="registration:symptoms")
    story.talk.say("5", menu_id="registration:symptoms")

    assert story.typed()["symptoms"] == "cough,sore_throat"
    assert story.step() == Step.TEMPERATURE
    # A slip in an earlier list is mended by another tap in it.
    story.talk.say("2", menu_id="registration:health_code")
    story.talk.say("1", menu_id="registration:symptoms")
    assert story.typed()["health_code"] == "yellow"
    assert story.typed()["symptoms"] == "none"
    assert story.step() == Step.TEMPERATURE


def test_a_second_tap_on_the_last_button_shows_the_receipt_again(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL)
    story.talk.say("1", menu_id="registration:submit")
    again = story.talk.say("1", menu_id="registration:submit")

    assert story.talk.route == "registration_resume"
    assert again.startswith("您已经在这家单位登记过")
    assert len(story.stored()) == 1


def test_scanning_again_after_registering_shows_the_receipt(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL, "提交")
    assert "状态：待审批" in story.scan()
    story.change(
        lambda district: district.set_state(story.stored()[0].id, "returned", "请写明部门")
    )
    assert "请您修改后重新提交：请写明部门" in story.scan()


def test_what_is_known_is_shown_masked_and_not_asked_at_the_second_employer(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL, "提交")
    asked = story.begin(company=1)

    assert "张*" in asked
    assert "138****0001" in asked
    assert NUMBER not in asked
    assert "离开过上海" in asked
    assert story.step() == Step.STAYS
    story.say("一直在上海", "绿", "无", "没量", "同意", "确认提交")
    first, second = story.stored()
    assert [first.workplace_id, second.workplace_id] == story.companies
    assert (second.name, second.document, second.phone) == (NAME, NUMBER, f"+86{PHONE}")
    assert second.community_id == first.community_id


def test_the_departments_that_an_owner_named_are_offered(story: Story) -> None:
    story.change(lambda one: one.add_mandate("o-manager", kind="manager", department="财务部"))
    story.begin()
    asked = story.say(*ALL_WELL[:-1])
    assert "财务部" in asked
    assert "不清楚，或不在其中" in asked
    assert "请选择一项" in story.say("后勤部")
    assert "部门：财务部" in story.say("财务部", "同意")
    story.say("提交")
    assert story.stored()[0].department == "财务部"


# ---- coming in -----------------------------------------------------------------------------------


def test_a_new_follower_is_greeted_with_the_company_and_the_token_is_kept_nowhere(
    story: Story,
) -> None:
    answer = story.talk.event("subscribe", f"company:{story.tokens[0]}")

    assert story.talk.route == "follow"
    assert answer.startswith("欢迎关注")
    assert "上海第1有限公司" in answer
    with story.database.reading() as session:
        (person,) = session.scalars(select(Person).where(Person.openid == story.talk.openid))
    assert (person.is_following, person.came_by) == (True, "company:")


@pytest.mark.parametrize("token", ["", "x" * 22, "x" * 300])
def test_a_scene_of_no_company_says_so_and_a_new_follower_is_one_all_the_same(
    story: Story, token: str
) -> None:
    assert "没有这个二维码" in story.talk.event("subscribe", f"company:{token}")
    with story.database.reading() as session:
        assert session.scalars(select(Person.is_following)).all() == [True]


def test_a_code_that_was_taken_back_says_so(story: Story) -> None:
    with story.database.transaction() as session:
        retire_code(
            session,
            subject=subject_of(story.companies[0]),
            reason=RetiredReason.RETIRED,
            actor="person:1",
            now=story.talk.now,
        )
    assert "停用" in story.scan()
    assert story.talk.conversation is None


@pytest.mark.parametrize("text", ["员工登记", "我要登记", "扫码登记", "登记", "返岗登记。"])
def test_the_words_ask_for_the_company(story: Story, text: str) -> None:
    assert story.talk.say(text).startswith("登记到哪家单位？")
    assert story.talk.route == "registration"


@pytest.mark.parametrize("write", [str, str.lower, lambda code: f"{code[:3]} {code[3:]}"])
def test_the_check_code_of_the_poster_finds_the_company(
    story: Story, write: Callable[[str], str]
) -> None:
    story.talk.say("员工登记")
    assert story.talk.say(write(story.checks[1])).startswith("这是上海第2有限公司")
    assert "请发送您的姓名" in story.talk.say("1", menu_id="registration:start")


def test_guessing_check_codes_ends_after_five(story: Story) -> None:
    story.talk.say("员工登记")
    for _ in range(registration.MAX_TRIES - 1):
        assert story.talk.say("CCCCCC").startswith("没有找到这个核对码")
    assert "扫一扫" in story.talk.say("CCCCCC")
    assert story.talk.conversation is None


def test_the_address_of_a_code_can_be_pasted_at_any_time(story: Story) -> None:
    link = f"https://hzl.example.gov.cn/h5/c/{story.tokens[1]}"
    assert story.talk.say(f"请看 {link}").startswith("这是上海第2有限公司")
    assert story.talk.route == "registration_link"
    story.begin()
    assert story.talk.say(link).startswith("这是上海第2有限公司")


def test_who_says_that_it_is_another_company_leaves_nothing(story: Story) -> None:
    story.scan()
    assert "什么都没有记录" in story.talk.say("2", menu_id="registration:start")
    with story.database.reading() as session:
        assert session.scalars(select(Person)).all() == []
        assert session.scalars(select(RegistrationDraft)).all() == []


def test_anything_but_yes_and_no_before_the_beginning_asks_again(story: Story) -> None:
    story.scan()
    assert story.talk.say("这是什么").startswith("要登记到“上海第1有限公司”吗")
    assert "请发送您的姓名" in story.talk.say("是的")


# ---- wrong answers, back, away and on ------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "said", "text", "step"),
    [
        ((), "张3", "姓名里只能有文字", Step.NAME),
        ((NAME,), "3101", "证件号码应为 18 位", Step.DOCUMENT),
        ((NAME,), NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1"), "填错了", Step.DOCUMENT),
        ((NAME, NUMBER), "12345", "手机号码", Step.PHONE),
        ((NAME, NUMBER, PHONE), "火星小区", "没有找到小区“火星小区”", Step.HOME),
        ((*ALL_WELL[:4], "江苏"), "1月1日", "返沪日期应在", Step.RETURNED_ON),
        ((*ALL_WELL[:4], "江苏", "昨天"), "骑马", "请选择返沪时乘坐的交通工具", Step.TRAVEL),
        (ALL_WELL[:5], "紫码", "请选择一项", Step.HEALTH_CODE),
        (ALL_WELL[:6], "9、2", "请选择一项", Step.SYMPTOMS),
        (ALL_WELL[:6], "没有，咳嗽", "您既选了症状", Step.SYMPTOMS),
        (ALL_WELL[:7], "365", "体温请填", Step.TEMPERATURE),
        (ALL_WELL[:8], "随便", "请选择一项", Step.CONSENT),
        (ALL_WELL, "随便", "请选择一项", Step.SUBMIT),
    ],
)
def test_a_wrong_answer_is_explained_and_asked_again(
    story: Story, before: tuple[str, ...], said: str, text: str, step: Step
) -> None:
    story.begin()
    question = story.say(*before)
    if not before:
        question = "请发送您的姓名"
    answer = story.talk.say(said)

    assert text in answer
    assert story.step() == step
    if step is not Step.HOME:
        assert question.splitlines()[0].split("（")[0] in answer


def test_the_kind_of_a_passport_can_be_said_before_its_number(story: Story) -> None:
    story.begin()
    story.say("John Smith", "护照号码：123456789", *ALL_WELL[2:], "提交")
    assert [(one.document_kind, one.document) for one in story.stored()] == [
        ("passport", "123456789")
    ]


def test_one_step_back_asks_the_one_before_again(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL[:6])
    assert story.step() == Step.SYMPTOMS
    assert "什么颜色" in story.say("上一步")
    assert "离开过上海" in story.say("上一步")
    assert "哪个小区" in story.say("上一步") or "小区名称" in story.say("继续")
    story.say("田林十一村", "江苏昆山")
    assert "离开过上海" in story.say("上一步")
    assert "什么颜色" in story.say("一直在上海")
    assert story.typed()["home"] == "田林十一村"


def test_the_first_step_has_none_before_it(story: Story) -> None:
    story.begin()
    assert "请发送您的姓名" in story.say("上一步")


@pytest.mark.parametrize(
    ("number", "asked", "answers"),
    [
        ("2", "请发送您的姓名", ("李四",)),
        ("3", "证件号码", (NUMBERS[5],)),
        ("4", "手机号码", ("13800000009",)),
        ("5", "小区名称", ("田林十一村",)),
        ("6", "离开过上海", ("江苏", "今天", "火车")),
        ("7", "什么颜色", ("绿码", "咳嗽", "36.8")),
    ],
)
def test_anything_can_be_changed_at_the_end(
    story: Story, number: str, asked: str, answers: tuple[str, ...]
) -> None:
    story.begin()
    before = story.say(*ALL_WELL)
    assert asked in story.say(number)
    after = story.say(*answers)
    assert story.step() == Step.SUBMIT
    assert after != before
    assert story.say("提交").startswith("登记已经收到")


def test_leaving_keeps_what_was_typed_and_it_can_be_gone_on_with(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL[:3])
    left = story.say("取消")
    assert story.talk.route == "registration_leave"
    assert "没有提交" in left
    assert "继续登记" in left
    assert story.talk.conversation is None

    assert "小区名称" in story.say("继续登记")
    assert story.talk.route == "registration_resume"
    assert "接着填“上海第1有限公司”" in story.say("取消", "员工登记")
    story.say("取消")
    assert "接着填“上海第1有限公司”" in story.scan()
    story.say(*ALL_WELL[3:], "提交")
    assert len(story.stored()) == 1


def test_leaving_before_the_beginning_keeps_nothing(story: Story) -> None:
    story.scan()
    assert "什么都没有记录" in story.say("取消")


def test_going_on_with_nothing_asks_for_the_company(story: Story) -> None:
    assert story.say("继续登记").startswith("登记到哪家单位？")


def test_a_draft_is_forgotten_after_a_week(story: Story) -> None:
    story.begin()
    story.say(NAME, "取消")
    story.talk.now += timedelta(days=7, seconds=1)
    assert story.say("继续登记").startswith("登记到哪家单位？")


def test_what_was_begun_on_the_page_is_gone_on_with_in_the_chat(story: Story) -> None:
    with story.database.transaction() as session:
        card = find_live_code(session, subject=subject_of(story.companies[0]), now=story.talk.now)
        assert card is not None
        save_draft(
            session,
            openid=story.talk.openid,
            workplace_id=story.companies[0],
            typed={"name": NAME, "document": NUMBER, "document_kind": "resident_id", "phone": ""},
            code_id=card.id,
            now=story.talk.now,
        )
    assert "手机号码" in story.scan()


def test_who_does_not_agree_is_not_registered_and_nothing_is_kept(story: Story) -> None:
    story.begin()
    assert "全部删除" in story.say(*ALL_WELL[:-1], "不同意")
    assert story.stored() == []
    assert story.typed() == {}
    assert story.talk.conversation is None


def test_the_consent_says_what_the_page_says() -> None:
    page = (TEMPLATES / "h5/registrations/_consent.html").read_text(encoding="utf-8")
    chat = (TEMPLATES / "chat/registration/consent.txt").read_text(encoding="utf-8")
    sentences = re.findall(r"<(?:p|li)>(.+?)</", page)

    assert len(sentences) == 4
    assert [one for one in sentences if one not in chat] == []


def test_registering_records_the_consent(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL, "提交")
    with story.database.reading() as session:
        assert [one.purpose for one in session.scalars(select(Consent))] == ["return_to_work"]


# ---- digressions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ((), "坐地铁要戴口罩吗"),
        (ALL_WELL[:3], "田林十二村什么颜色"),
        ((NAME, NUMBER), "健康码变黄了怎么办"),
        ((), "1"),
    ],
)
def test_what_is_typed_where_text_is_asked_for_is_the_answer(
    story: Story, before: tuple[str, ...], said: str
) -> None:
    story.begin()
    story.say(*before)
    story.talk.say(said)
    assert story.talk.route == "registration_step"


def test_a_question_about_masks_is_a_digression_where_options_are_offered(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL[:5])
    assert story.talk.say("坐地铁要戴口罩吗").startswith("建议佩戴口罩")
    assert story.step() == Step.HEALTH_CODE
    story.say("绿码")
    assert story.step() == Step.SYMPTOMS


@pytest.mark.parametrize(
    ("act", "route"),
    [
        (lambda talk: talk.event("click", "masks"), "masks"),
        (lambda talk: talk.event("click", "health_code"), "health_code"),
        (lambda talk: talk.event("click", "paper"), "papers"),
        (lambda talk: talk.event("click", "human"), "human"),
        (lambda talk: talk.say("人工"), "human"),
        (lambda talk: talk.say("田林十二村什么颜色", menu_id="0"), "colour"),
        (lambda talk: talk.say("谢谢"), "thanks"),
        (lambda talk: talk.send(TurnKind.IMAGE), "unreadable"),
    ],
)
def test_after_a_digression_the_steps_go_on(
    story: Story, act: Callable[[Talk], str], route: str
) -> None:
    story.begin()
    story.say(NAME)
    assert act(story.talk) != ""
    assert story.talk.route == route
    assert story.step() == Step.DOCUMENT
    assert "手机号码" in story.say(NUMBER)


def test_a_digression_that_asks_something_itself_takes_the_place_of_the_steps(
    story: Story,
) -> None:
    story.begin()
    story.say(NAME)
    assert story.talk.event("click", "colour").startswith("请发送小区名称")
    assert story.say("田林十二村").startswith("田林十二村：")
    assert "证件号码" in story.say("继续登记")


def test_help_in_the_middle_says_how_to_go_on(story: Story) -> None:
    story.begin()
    assert story.say("帮助").startswith("您正在登记返岗")
    assert story.step() == Step.NAME


def test_asking_to_go_on_in_the_middle_repeats_the_question(story: Story) -> None:
    story.begin()
    story.say(NAME)
    for text in ("继续", "继续登记"):
        assert "证件号码" in story.say(text)
    assert story.talk.event("click", "registration").startswith("接着填")


def test_a_location_offers_the_homes_around_it(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL[:3])
    answer = story.talk.send(TurnKind.LOCATION, longitude=121.42, latitude=31.17)
    assert answer.startswith("离您最近的小区")
    assert "田林十二村（田林街道）" in answer
    story.say("2")
    assert story.typed()["home"] == "田林十一村"
    assert story.step() == Step.STAYS


@pytest.mark.parametrize("said", ["都不是", "1", "不住在本区"])
def test_a_home_outside_of_the_district_is_kept_as_it_was_typed(story: Story, said: str) -> None:
    story.begin()
    story.say(*ALL_WELL[:3])
    assert "没有找到小区" in story.say("浦东新区世纪大道一弄")
    story.say(said, *ALL_WELL[4:], "提交")
    (stored,) = story.stored()
    assert stored.community_id is None
    assert "浦东新区世纪大道一弄" in stored.answers


# ---- what happens meanwhile ----------------------------------------------------------------------


def test_a_code_that_is_taken_back_meanwhile_ends_the_steps(story: Story) -> None:
    story.begin()
    with story.database.transaction() as session:
        retire_code(
            session,
            subject=subject_of(story.companies[0]),
            reason=RetiredReason.ROTATED,
            actor="person:1",
            now=story.talk.now,
        )
    assert "停用" in story.say(NAME)
    assert story.talk.conversation is None


def test_who_sent_the_page_meanwhile_sees_the_receipt(story: Story) -> None:
    story.begin()
    story.say(NAME)
    _submit(story, openid=story.talk.openid)
    assert story.say(NUMBER).startswith("您已经在这家单位登记过")
    assert len(story.stored()) == 1


def test_somebody_else_s_document_is_refused_and_can_be_mended(story: Story) -> None:
    _submit(story, openid="o-other", name="李四")
    story.begin()
    refused = story.say(*ALL_WELL, "提交")
    assert "姓名或手机号与上次不一致" in refused
    assert story.step() == Step.SUBMIT
    story.say("3", NUMBERS[7], "提交")
    assert len(story.stored()) == 2


def test_the_same_person_with_another_phone_hears_that_it_arrived_and_sees_nothing(
    story: Story,
) -> None:
    _submit(story, openid="o-other", name=NAME, phone=f"+86{PHONE}")
    story.begin()
    answer = story.say(*ALL_WELL, "提交")
    assert "早些时候已用另一个微信提交" in answer
    assert story.stored()[0].number not in answer
    assert story.typed() == {}


def test_a_return_that_is_too_long_ago_by_now_is_asked_again(story: Story) -> None:
    story.begin()
    story.say(*ALL_WELL[:4], "江苏", "3月15日", "火车", "绿", "无", "36.5", "同意", "取消")
    story.talk.now += timedelta(days=3)
    answer = story.say("继续登记")
    assert "返沪日期应在" in answer
    assert story.step() == Step.RETURNED_ON
    story.say("一直在上海")
    assert story.step() == Step.RETURNED_ON
    story.say("3月25日", "提交")
    assert len(story.stored()) == 1


def test_withdrawing_the_authorisation_in_the_middle_forgets_what_was_typed(story: Story) -> None:
    story.begin()
    story.say(NAME)
    story.talk.event("user_authorization_revoke", fields={"OpenID": story.talk.openid})
    with story.database.reading() as session:
        assert session.scalars(select(RegistrationDraft)).all() == []
    assert story.say("继续登记").startswith("登记到哪家单位？")


def test_a_conversation_of_another_release_begins_anew(story: Story) -> None:
    story.begin()
    story.say(NAME)
    story.talk.conversation = Conversation(name="registration", data={"step": "shoe_size"})
    assert "证件号码" in story.say("张二")


def _submit(story: Story, *, openid: str, **changes: object) -> None:
    with story.database.transaction() as session:
        card = find_live_code(session, subject=subject_of(story.companies[0]), now=story.talk.now)
        submit_registration(
            session,
            workplace_id=story.companies[0],
            entry=entry_of(0, **changes),
            openid=openid,
            code_id=card.id if card else None,
            now=story.talk.now,
        )


# ---- limits --------------------------------------------------------------------------------------


def test_the_conversation_knows_nothing_of_the_person(story: Story) -> None:
    story.begin()
    for text in (*ALL_WELL[:4], "江苏昆山", "昨天", "火车", *ALL_WELL[5:]):
        story.talk.say(text)
        assert story.talk.conversation is not None
        assert story.talk.conversation.data.keys() == {"step", "company", "code", "tries"}
    assert story.step() == Step.SUBMIT


def test_no_answer_is_longer_than_a_message(story: Story) -> None:
    for department in range(8):
        name = f"第{department}{'甲' * 45}部"
        with story.database.transaction() as session:
            district = District(session=session, now=story.talk.now, companies=story.companies)
            district.add_mandate(f"o-{department}", kind="manager", department=name)
    long = [
        "欧阳" * 25,
        NUMBER,
        PHONE,
        "甲" * 60,
        "都不是",
        "、".join(f"武汉{n}市" * 8 for n in range(10)),
    ]
    said = (*long, "昨天", "其他", "没有", "2345678", "36.5", "1", "同意")
    answers = [story.scan(), story.talk.say("开始登记")]
    answers += [story.talk.say(text) for text in said]

    assert story.step() == Step.SUBMIT
    assert "等 10 个地方" in answers[-1]
    assert max(len(answer.encode()) for answer in answers) <= MAX_BYTES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(said=st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_nothing_that_is_typed_breaks_the_steps(sqlite_story: Story, said: list[str]) -> None:
    story = sqlite_story
    story.talk.conversation = None
    story.begin()
    for text in said:
        story.talk.say(text)


@pytest.fixture
def sqlite_story(sqlite_database: Database, now: datetime) -> Story:
    with sqlite_database.transaction() as session:
        fill(session, now)
    return story_of(Talk(sqlite_database, now), sqlite_database)
