from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.cases.model import Case, CaseEvidence, CaseStep
from core.cases.rules import (
    CertificateDatesError,
    CertificateMissingError,
    Finding,
    FindingUnfoundedError,
)
from core.cases.service import (
    CaseAct,
    CaseChangedError,
    CaseClosedError,
    CaseNotFoundError,
    CaseOpenError,
    CaseScope,
    CertificateFile,
    add_evidence,
    close_case,
    note_contact,
    reopen_case,
)
from core.db import Database
from core.files.model import StoredFile
from core.notices.model import Notice
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account
from core.registration.rules import HealthCode
from tests.cases import Desk
from tests.console import PDF
from tests.core.mandates.conftest import MemoryFiles


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough: what differs between them is in opening and telling."""
    return sqlite_database


@contextmanager
def refused(kind: type[Exception], session: Session) -> Iterator[None]:
    """Expect a refusal that leaves nothing behind."""
    before = session.scalar(select(func.count(CaseStep.id)))
    with pytest.raises(kind):
        yield
    assert session.scalar(select(func.count(CaseStep.id))) == before


def add(desk: Desk, act: CaseAct, **changes: object) -> None:
    add_evidence(
        desk.session,
        act=act,
        certificate=desk.certificate(**changes),
        file=CertificateFile(name="证明.pdf", content=PDF),
        files=MemoryFiles(),
    )


def test_contact_certificate_and_close_let_the_person_in_and_tell_them(desk: Desk) -> None:
    case = desk.arrive()
    with refused(FindingUnfoundedError, desk.session):
        close_case(desk.session, act=desk.act(case), finding=Finding.NOT_THERE)
    note_contact(desk.session, act=desk.act(case), note="已联系项目部，人在宿舍隔离")
    case = desk.case_of(case.registration_id)
    assert (case.state, case.version) == ("contacted", 2)
    with refused(CertificateMissingError, desk.session):
        close_case(desk.session, act=desk.act(case), finding=Finding.ISOLATED)
    desk.later(days=13)
    add(desk, desk.act(case))
    case = desk.case_of(case.registration_id)
    close_case(desk.session, act=desk.act(case), finding=Finding.ISOLATED, note="证明属实")
    case = desk.case_of(case.registration_id)
    assert (case.state, case.finding, case.closed_by) == (
        "closed",
        "isolated",
        f"staff:{desk.staff_id}",
    )
    stored = desk.stored(case)
    assert (stored.state, stored.flags, stored.decided_at) == ("approved", ["key_area"], desk.now)
    approved = select(Notice.openid).where(Notice.kind == "registration_approved")
    assert desk.session.scalars(approved).all() == ["o-worker-0"]
    actions = select(AuditEntry.action).where(AuditEntry.subject == f"case:{case.id}")
    assert desk.session.scalars(actions.order_by(AuditEntry.id)).all() == [
        "case_opened",
        "case_contact",
        "case_evidence",
        "case_closed",
    ]
    facts = desk.session.scalars(select(AuditEntry.facts))
    assert "证明" not in str(list(facts)), "what was noted is on no record"


def test_certificate_of_another_stay_is_refused_and_keeps_no_file(desk: Desk) -> None:
    case = desk.arrive()
    desk.later(days=13)
    begun = desk.certificate().isolated_from - timedelta(days=2)
    with refused(CertificateDatesError, desk.session):
        add(desk, desk.act(case), isolated_from=begun)
    assert desk.session.scalar(select(func.count(StoredFile.id))) == 0


def test_each_step_twice_is_once(desk: Desk) -> None:
    case = desk.arrive()
    desk.later(days=13)
    act = desk.act(case)
    for _ in range(2):
        note_contact(desk.session, act=act, note="已联系")
    act = desk.act(desk.case_of(case.registration_id))
    for _ in range(2):
        add(desk, act)
    act = desk.act(desk.case_of(case.registration_id))
    for _ in range(2):
        close_case(desk.session, act=act, finding=Finding.ISOLATED)
    act = desk.act(desk.case_of(case.registration_id))
    for _ in range(2):
        reopen_case(desk.session, act=act, note="证明有疑问")
    steps = select(CaseStep.kind).where(CaseStep.case_id == case.id).order_by(CaseStep.id)
    assert desk.session.scalars(steps).all() == [
        *("opened", "contact", "evidence", "closed", "reopened")
    ]
    assert desk.session.scalar(select(func.count(CaseEvidence.id))) == 1


def test_second_officer_does_not_decide_unawares_of_the_first(desk: Desk) -> None:
    case = desk.arrive()
    staff = NewStaff(name="zhao", role=Role.DISTRICT_REVIEWER, display_name="赵强")
    other = add_account(desk.session, staff=staff, password_hash="x", now=desk.now)
    seen = desk.act(case, staff_id=other.id)
    note_contact(desk.session, act=desk.act(case), note="已联系")
    with pytest.raises(CaseChangedError) as late:
        close_case(desk.session, act=seen, finding=Finding.MISTAKEN)
    assert late.value.facts == {"by": "李明"}


def test_who_was_let_in_by_a_case_waits_again_when_it_is_opened_again(desk: Desk) -> None:
    case = desk.arrive()
    with refused(CaseOpenError, desk.session):
        reopen_case(desk.session, act=desk.act(case), note="再看看")
    note_contact(desk.session, act=desk.act(case), note="没有去过")
    act = desk.act(desk.case_of(case.registration_id))
    close_case(desk.session, act=act, finding=Finding.NOT_THERE)
    case = desk.case_of(case.registration_id)
    with refused(CaseClosedError, desk.session):
        note_contact(desk.session, act=desk.act(case), note="又联系了")
    desk.later(hours=30)
    reopen_case(desk.session, act=desk.act(case), note="有人说去过")
    case = desk.case_of(case.registration_id)
    assert (case.state, case.finding) == ("open", None)
    assert case.deadline_at == desk.now + timedelta(hours=24)
    assert desk.stored(case).state == "submitted"


def test_other_flag_keeps_a_person_waiting_and_who_left_is_ended(desk: Desk) -> None:
    case = desk.arrive(health_code=HealthCode.NONE)
    note_contact(desk.session, act=desk.act(case), note="没有去过")
    act = desk.act(desk.case_of(case.registration_id))
    close_case(desk.session, act=act, finding=Finding.MISTAKEN)
    assert desk.stored(case).state == "submitted"
    gone = desk.arrive(1)
    note_contact(desk.session, act=desk.act(gone), note="已经回老家")
    act = desk.act(desk.case_of(gone.registration_id))
    close_case(desk.session, act=act, finding=Finding.LEFT)
    stored = desk.stored(gone)
    assert (stored.state, stored.answers) == ("ended", "")


@pytest.mark.parametrize(
    "scope",
    [
        CaseScope(area=Area(street_id=2)),
        CaseScope(area=Area(community_ids=frozenset({1, 2}))),
        CaseScope(area=Area(), workplace_ids=frozenset()),
    ],
)
def test_nobody_acts_outside_of_what_they_look_after(desk: Desk, scope: CaseScope) -> None:
    case: Case = desk.arrive()
    act = CaseAct(
        case_id=case.id, version=case.version, scope=scope, staff_id=desk.staff_id, now=desk.now
    )
    with refused(CaseNotFoundError, desk.session):
        note_contact(desk.session, act=act, note="已联系")
