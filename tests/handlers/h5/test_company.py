"""The page of a company: the next step first; taking over from a former owner."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.mandates.rules import MandateKind
from core.mandates.service import MandateCard
from core.registration.rules import Group, RegistrationState
from core.registry.rules import CompanyKind, CompanyState
from core.registry.service import CompanyCard
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import ADMISSION_OF, FilingState
from core.workplaces.service import set_admission
from handlers.h5.company import Counts, NextStep, counts_of, next_step_of
from tests.core.mandates.conftest import LI, WANG
from tests.core.registration.conftest import District
from tests.h5 import submit, text_of
from tests.handlers.h5.conftest import Site

NOW = datetime(2020, 3, 28, tzinfo=UTC)
NOBODY = Counts(waiting_count=0, look_count=0, approved_count=0, count=0)
WAITING = Counts(waiting_count=12, look_count=3, approved_count=5, count=17)
DONE = Counts(waiting_count=0, look_count=0, approved_count=17, count=17)


def mandate(
    kind: MandateKind = MandateKind.OWNER, state: CompanyState = CompanyState.ACTIVE
) -> MandateCard:
    company = CompanyCard(
        id=1,
        uscc="9" * 18,
        name="上海第1有限公司",
        kind=CompanyKind.ENTERPRISE,
        state=state,
        street="徐家汇街道",
        street_id=1,
        address="天钥桥路1号",
        industry="",
        owner_masked="王*",
    )
    department = "物流部" if kind is MandateKind.MANAGER else ""
    return MandateCard(
        id=1, company=company, kind=kind, department=department, person_id=1, confirmed_at=NOW
    )


OWNER, FILLER, MANAGER = (mandate(kind) for kind in MandateKind)
SUBMITTED, APPROVED = FilingState.SUBMITTED, FilingState.APPROVED


@pytest.mark.parametrize(
    ("who", "state", "has_code", "counts", "step"),
    [
        pytest.param(OWNER, None, False, NOBODY, NextStep.FILE, id="nothing yet"),
        pytest.param(FILLER, None, False, NOBODY, NextStep.FILE, id="a filler files"),
        pytest.param(MANAGER, None, False, NOBODY, NextStep.WAIT_FOR_FILING, id="a manager waits"),
        pytest.param(OWNER, FilingState.DRAFT, False, NOBODY, NextStep.FILE, id="a draft"),
        pytest.param(
            OWNER, FilingState.RETURNED, True, WAITING, NextStep.CORRECT, id="returned comes first"
        ),
        pytest.param(OWNER, FilingState.REJECTED, True, NOBODY, NextStep.FILE_AGAIN, id="rejected"),
        pytest.param(OWNER, SUBMITTED, False, NOBODY, NextStep.MAKE_CODE, id="no code"),
        pytest.param(FILLER, SUBMITTED, False, DONE, NextStep.WAIT_FOR_CODE, id="no code to make"),
        pytest.param(OWNER, SUBMITTED, True, NOBODY, NextStep.PUT_UP_CODE, id="nobody came yet"),
        pytest.param(OWNER, SUBMITTED, True, WAITING, NextStep.DECIDE, id="somebody waits"),
        pytest.param(OWNER, APPROVED, False, WAITING, NextStep.DECIDE, id="waiting before a code"),
        pytest.param(MANAGER, APPROVED, True, WAITING, NextStep.DECIDE, id="a manager decides"),
        pytest.param(FILLER, SUBMITTED, True, WAITING, NextStep.WAIT_FOR_REVIEW, id="not a filler"),
        pytest.param(OWNER, SUBMITTED, True, DONE, NextStep.WAIT_FOR_REVIEW, id="under review"),
        pytest.param(OWNER, APPROVED, True, DONE, NextStep.NOTHING, id="all done"),
        pytest.param(
            mandate(state=CompanyState.REVOKED),
            APPROVED,
            True,
            WAITING,
            NextStep.NOT_IN_BUSINESS,
            id="wound up",
        ),
    ],
)
def test_next_step_is_what_this_person_can_do_now(
    who: MandateCard, state: FilingState | None, has_code: bool, counts: Counts, step: NextStep
) -> None:
    assert next_step_of(who, filing=state, has_code=has_code, counts=counts) is step


def test_counts_leave_out_whoever_ended_and_tell_who_needs_a_look() -> None:
    state = RegistrationState
    counted = {
        (state.SUBMITTED, Group.FINE): 9,
        (state.SUBMITTED, Group.LOOK): 2,
        (state.SUBMITTED, Group.CANNOT): 1,
        (state.APPROVED, Group.FINE): 5,
        (state.REJECTED, Group.CANNOT): 1,
        (state.ENDED, Group.FINE): 7,
    }
    assert counts_of(counted) == Counts(waiting_count=12, look_count=3, approved_count=5, count=18)
    assert counts_of({}) == NOBODY


def file(site: Site, state: FilingState, reason: str = "") -> None:
    now = datetime.now(UTC)
    with site.database.transaction() as session:
        session.add(
            Filing(
                company_id=site.ids[0],
                state=state.value,
                reason=reason,
                created_at=now,
                changed_at=now,
            )
        )
        set_admission(
            session, workplace_id=site.ids[0], admission=ADMISSION_OF[state], head_count=None
        )
        issue_code(session, subject=subject_of(site.ids[0]), actor="person:1", now=now)


def test_owner_is_led_to_the_filing_first(site: Site) -> None:
    page = site.owner().get(site.path())
    said = text_of(page)
    assert "下一步：提交备案" in said
    assert f'href="{site.path("/filing")}"' in page.text
    assert "授权人员" in said
    assert "来自企业法人库，不能在这里修改" in said
    assert 'class="warn"' not in page.text, "an owner does not leave by a button"


def test_company_page_is_nobody_elses(site: Site) -> None:
    site.owner()
    page = site.client("o-other").get(site.path())
    assert page.status_code == 403
    assert "上海第1有限公司" not in page.text


def test_company_that_is_wound_up_says_so_and_offers_nothing_new(site: Site) -> None:
    owner = site.owner()
    site.register(WANG, state="吊销，未注销")
    page = owner.get(site.path())
    assert "暂时不能办理" in text_of(page)
    assert "已吊销" in text_of(page)
    assert site.path("/enter") not in page.text


def test_former_owner_is_stopped_at_once_and_the_new_one_confirms(site: Site) -> None:
    former = site.owner()
    file(site, FilingState.DRAFT)
    site.register(LI, WANG)
    stopped = former.get(site.path())
    assert stopped.status_code == 403
    assert "法人已经变更" in text_of(stopped)
    new = site.owner("o-li", LI)
    assert "待确认接手" in text_of(new.get("/h5/owner"))
    said = text_of(new.get(site.path()))
    assert "您是新法人，请确认接手" in said
    assert "现任法人 李*" in said
    assert "复工备案 未提交" in said
    assert "员工登记 还没有人登记" in said
    early = new.get(site.path("/people"))
    assert early.status_code == 403
    assert "请先打开单位页面，确认接手" in text_of(early)
    answer = submit(new, site.path(), to=site.path("/takeover"))
    assert (answer.status_code, answer.location) == (303, f"{site.path()}?taken_over=1")
    said = text_of(new.get(answer.location))
    assert "已接手" in said
    assert "下一步：提交备案" in said
    assert former.get(site.path()).status_code == 403


def test_nobody_takes_over_what_is_not_theirs(site: Site) -> None:
    owner = site.owner()
    assert submit(owner, "/h5/owner", to=site.path("/takeover")).status_code == 303
    other = site.client("o-other")
    assert submit(other, "/h5/owner", to=site.path("/takeover")).status_code == 403


@pytest.mark.parametrize("kind", ["owner", "filler", "manager"])
@pytest.mark.parametrize("filing", ["submitted", "returned"])
def test_every_link_of_the_page_opens_for_whoever_sees_it(
    site: Site, kind: str, filing: str
) -> None:
    with site.database.transaction() as session:
        district = District(session=session, now=datetime.now(UTC))
        company_id = district.add_company(filing=filing)
        department = "生产部" if kind == "manager" else ""
        district.add_mandate("o-acting", kind=kind, department=department)
    client = site.client("o-acting")
    page = client.get(f"/h5/company/{company_id}")
    assert f"XH{company_id:08}" in text_of(page)
    links = re.findall(r'<a [^>]*href="(/h5/[^"]+)"', page.text)
    assert len(links) > 1
    for link in links:
        assert client.get(link).status_code == 200, link
