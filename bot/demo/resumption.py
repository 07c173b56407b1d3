"""Return to work in the demo district: filings in every state, staff, decisions.

Everything goes through the use cases that pages and conversations call, in the order of time. The
first company of the register is left alone: whoever tries the story begins with it. Tokens and
numbers of codes are drawn anew each time, as nobody may know them beforehand.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import count
from random import Random
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.demo.companies import SEED, DemoCompany, DemoOwner, make_companies
from bot.demo.employees import DemoEmployee, make_employee
from core.clock import day_of
from core.codes.rules import subject_of
from core.codes.service import find_live_code
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.files.store import FileStore
from core.mandates.elsewhere import release_owner
from core.mandates.proving import prove_ownership
from core.mandates.service import get_mandate
from core.notices.model import Notice
from core.notices.rules import OPEN_STATES, Channel, NoticeState
from core.people.documents import DocumentKind, document_of
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account, disable_account
from core.places.model import Community
from core.registration.rules import Group, RegistrationState
from core.registration.service import submit_registration
from core.registration.waiting import tell_waiting
from core.registry.model import Company
from core.registry.rules import CompanyState
from core.resumption.approval.preparing import Filtered, prepare_decision
from core.resumption.approval.rules import Verdict
from core.resumption.approval.service import apply_decision, release_decision
from core.resumption.approval.sheet import SheetQuery
from core.resumption.filing.deciding import decide_filing
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import FilingDraft, FilingVerdict
from core.resumption.filing.service import find_filing, save_draft, submit_filing

REVIEWER: Final = "demo-reviewer"
# Nobody hashes to it, and the account is shut besides.
_NO_PASSWORD: Final = "!"  # noqa: S105
PERSON_PREFIX: Final = "demo-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What becomes of one company.

    Attributes:
        staff: how many register.
        head_count: declared; above it people are flagged.
        verdict: of the district; None: it waits.
        is_filed: otherwise the owner began and did not send.
        has_decided: the owner approved those that are fine and rejected those that cannot pass.
    """

    staff: int
    head_count: int
    verdict: FilingVerdict | None = FilingVerdict.APPROVE
    is_filed: bool = True
    has_decided: bool = False


_PLANS: Final = (
    _Plan(staff=48, head_count=150, has_decided=True),
    _Plan(staff=25, head_count=25, has_decided=True),
    _Plan(staff=23, head_count=20),
    _Plan(staff=18, head_count=30, has_decided=True),
    _Plan(staff=15, head_count=15),
    _Plan(staff=12, head_count=40, verdict=None),
    _Plan(staff=10, head_count=12, verdict=None),
    _Plan(staff=8, head_count=60, verdict=None),
    _Plan(staff=0, head_count=5, verdict=None),
    _Plan(staff=6, head_count=9, verdict=FilingVerdict.RETURN),
    _Plan(staff=0, head_count=110, verdict=FilingVerdict.RETURN),
    _Plan(staff=0, head_count=4, verdict=FilingVerdict.REJECT),
    _Plan(staff=0, head_count=8, is_filed=False),
    _Plan(staff=0, head_count=3, is_filed=False),
)
DEMO: Final = "operator:demo"
_REASONS: Final = {
    FilingVerdict.APPROVE: "",
    FilingVerdict.RETURN: "防控方案没有写明食堂错峰就餐的安排，请补充后重新提交。",
    FilingVerdict.REJECT: "现场核查时没有配备口罩和消毒用品，暂不具备复工条件。",
}


@dataclass(slots=True)
class _Stage:
    """Where the story is played.

    Attributes:
        now: of the loading; everything happened before.
        steps: what happens, by time and then by the order in which it was thought of.
    """

    session: Session
    files: FileStore
    random: Random
    now: datetime
    homes: Sequence[tuple[int, str]]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    steps: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)

    def at(self, moment: datetime, step: Callable[[datetime], None]) -> None:
        heapq.heappush(self.steps, (moment, next(self.numbers), step))

    def play(self) -> None:
        """Let everything happen in the order of time."""
        while self.steps:
            moment, _, step = heapq.heappop(self.steps)
            step(moment)


def is_loaded(session: Session) -> bool:
    """Return whether any company filed already."""
    return session.execute(select(Filing.id).limit(1)).first() is not None


def filing_companies(companies: Sequence[DemoCompany]) -> list[DemoCompany]:
    """Return the companies of which the story tells, in the order of its plans.

    Each has an owner of its own, who can type who they are on a phone.
    """
    seen: set[DemoOwner] = {companies[0].owner}
    found = []
    for company in companies[1:]:
        is_usual = company.owner.kind is DocumentKind.RESIDENT_ID
        if company.state is CompanyState.ACTIVE and is_usual and company.owner not in seen:
            found.append(company)
            seen.add(company.owner)
    return found[: len(_PLANS)]


def story_companies() -> tuple[DemoCompany, DemoCompany]:
    """Return the company that has not filed yet, and the one that has the most staff."""
    companies = make_companies(SEED, count=10 * len(_PLANS))
    return companies[0], filing_companies(companies)[0]


def load_resumption(
    session: Session,
    companies: Sequence[DemoCompany],
    *,
    files: FileStore,
    now: datetime,
) -> tuple[int, int]:
    """Play the story of the last days, once; return how many filings and registrations there are.

    Args:
        session: with the registers of places and companies, and the list of key areas.
        companies: of the demo district.
        files: where the prevention plans go.
        now: aware instant; the last of it happened two hours before.
    """
    stage = _Stage(
        session=session,
        files=files,
        random=Random(f"{SEED}:resumption"),
        now=now,
        homes=[
            (identity, name)
            for identity, name in session.execute(
                select(Community.id, Community.name).order_by(Community.code)
            )
        ],
    )
    reviewer = add_account(
        session,
        staff=NewStaff(name=REVIEWER, role=Role.DISTRICT_REVIEWER, display_name="演示审核员"),
        password_hash=_NO_PASSWORD,
        now=now - timedelta(days=20),
    )
    ids = dict(session.execute(select(Company.uscc, Company.id)).all())
    staff_count = 0
    for place, (plan, company) in enumerate(zip(_PLANS, filing_companies(companies), strict=True)):
        _plan_company(stage, plan, company, company_id=ids[company.uscc], place=place)
        staff_count += plan.staff
    _plan_reviews(stage, reviewer.id, [ids[one.uscc] for one in filing_companies(companies)])
    stage.play()
    disable_account(session, name=REVIEWER, now=now)
    tell_waiting(session, now=now)
    # Whoever plays this owner need not wait for an account that nobody has.
    played = filing_companies(companies)[0]
    release_owner(session, uscc=played.uscc, actor=DEMO, now=now)
    _settle_notices(session)
    return len(_PLANS), staff_count


def _settle_notices(session: Session) -> None:
    """Count the story's notices as sent: nobody in it has a phone."""
    session.flush()
    session.execute(
        update(Notice)
        .where(Notice.openid.startswith(PERSON_PREFIX), Notice.state.in_(OPEN_STATES))
        .values(
            state=NoticeState.SENT.value,
            channel=Channel.TEMPLATE.value,
            sent_at=Notice.created_at,
            leased_by=None,
        )
    )


# ---- one company ---------------------------------------------------------------------------------


def _plan_company(
    stage: _Stage, plan: _Plan, company: DemoCompany, *, company_id: int, place: int
) -> None:
    openid = f"{PERSON_PREFIX}owner-{place:02}"
    filed_at = _filed_at(stage, place)
    stage.at(filed_at, partial(_file, stage, plan, company, company_id=company_id, openid=openid))
    if not plan.is_filed:
        return
    first_at, last_at = filed_at + timedelta(hours=1), stage.now - timedelta(hours=3)
    for number in range(plan.staff):
        employee = make_employee(stage.random, homes=stage.homes, company=place, place=number)
        register = partial(
            _register,
            stage,
            employee,
            company_id=company_id,
            openid=f"{PERSON_PREFIX}staff-{place:02}-{number:03}",
        )
        stage.at(first_at + (last_at - first_at) * (number / plan.staff), register)
    if plan.has_decided:
        # The last of the staff come afterwards: they still wait.
        decide = partial(_decide, stage, company_id=company_id, openid=openid)
        stage.at(first_at + (last_at - first_at) * 0.85, decide)


def _file(
    stage: _Stage,
    plan: _Plan,
    company: DemoCompany,
    now: datetime,
    *,
    company_id: int,
    openid: str,
) -> None:
    owner = company.owner
    prove_ownership(
        stage.session,
        openid=openid,
        name=owner.name,
        document=document_of(owner.number, kind=owner.kind, today=day_of(now)),
        now=now,
    )
    mandate = get_mandate(stage.session, openid=openid, company_id=company_id)
    actor = f"person:{mandate.person_id}"
    plan_id = None
    if plan.is_filed:
        plan_id = keep_file(
            stage.session,
            files=stage.files,
            content=_prevention_plan(company.uscc),
            name="复工防控方案.pdf",
            purpose=FilePurpose.PREVENTION_PLAN,
            actor=actor,
            now=now,
        )
    draft = FilingDraft(
        head_count=plan.head_count, returning_count=plan.head_count // 4, plan_id=plan_id
    )
    save_draft(stage.session, company_id=company_id, draft=draft, actor=actor, now=now)
    if plan.is_filed:
        submit_filing(
            stage.session, company_id=company_id, actor=actor, now=now + timedelta(minutes=7)
        )


def _prevention_plan(code: str) -> bytes:
    """Return a page that says that it is made up."""
    page = BytesIO()
    canvas = Canvas(page, pagesize=A4, invariant=True)
    canvas.drawString(72, 760, "Prevention plan - demo district, made up")
    canvas.drawString(72, 736, code)
    canvas.save()
    return page.getvalue()


def _filed_at(stage: _Stage, place: int) -> datetime:
    return stage.now - timedelta(days=9 - place * 0.45)


def _plan_reviews(stage: _Stage, staff_id: int, company_ids: Sequence[int]) -> None:
    """Let the district decide, some hours after each filing."""
    for place, (plan, company_id) in enumerate(zip(_PLANS, company_ids, strict=True)):
        if plan.verdict is not None and plan.is_filed:
            review = partial(_review, stage, plan.verdict, company_id=company_id, staff_id=staff_id)
            stage.at(_filed_at(stage, place) + timedelta(hours=20), review)


def _review(
    stage: _Stage, verdict: FilingVerdict, now: datetime, *, company_id: int, staff_id: int
) -> None:
    filing = find_filing(stage.session, company_id=company_id)
    if filing is None:
        raise RuntimeError("the demo district is wrong: nothing was filed")
    decide_filing(
        stage.session,
        filing_id=filing.id,
        revision=filing.revision,
        verdict=verdict,
        reason=_REASONS[verdict],
        staff_id=staff_id,
        now=now,
    )


def _decide(stage: _Stage, now: datetime, *, company_id: int, openid: str) -> None:
    """Approve those that are fine, and reject those that cannot pass."""
    mandate = get_mandate(stage.session, openid=openid, company_id=company_id)
    for group, verdict, reason in (
        (Group.FINE, Verdict.APPROVE, ""),
        (Group.CANNOT, Verdict.REJECT, "请先就医或居家观察，随申码转绿、没有症状后再来登记。"),
    ):
        query = SheetQuery(state=RegistrationState.SUBMITTED, group=group)
        waiting = Filtered(query=query)
        decision = prepare_decision(
            stage.session,
            mandate=mandate,
            verdict=verdict,
            reason=reason,
            selection=waiting,
            request_key=f"demo:{group.value}",
            now=now,
        )
        apply_decision(
            stage.session,
            mandate=mandate,
            decision_id=decision.id,
            digest=decision.digest,
            now=now,
        )
        release_decision(
            stage.session, mandate=mandate, decision_id=decision.id, now=now + timedelta(minutes=9)
        )


def _register(
    stage: _Stage, employee: DemoEmployee, now: datetime, *, company_id: int, openid: str
) -> None:
    code = find_live_code(stage.session, subject=subject_of(company_id), now=now)
    submit_registration(
        stage.session,
        workplace_id=company_id,
        entry=employee.entry(day_of(now)),
        openid=openid,
        code_id=code.id if code else None,
        now=now,
    )
