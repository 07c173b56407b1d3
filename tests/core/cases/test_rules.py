from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cases.rules import (
    CaseNoteError,
    Certificate,
    CertificateDatesError,
    CertificateFault,
    CertificateIssuerError,
    CertificateMissingError,
    CertificateNumberError,
    Finding,
    FindingUnfoundedError,
    certificate_fault_of,
    certificate_number_of,
    check_certificate,
    check_finding,
    issuer_of,
    note_of,
)

TODAY = date(2020, 3, 28)
BACK = date(2020, 3, 10)
NEAR = st.dates(min_value=date(2020, 2, 1), max_value=date(2020, 4, 30))


def certificate(begun: date, over: date, issued: date) -> Certificate:
    return Certificate(
        number="1", issuer="中心", isolated_from=begun, isolated_until=over, issued_on=issued
    )


@given(begun=NEAR, over=NEAR, issued=NEAR, back=st.none() | NEAR)
def test_certificate_counts_only_for_fourteen_days_after_the_stay_and_not_in_future(
    begun: date, over: date, issued: date, back: date | None
) -> None:
    fault = certificate_fault_of(certificate(begun, over, issued), returned_on=back, today=TODAY)
    is_good = (
        (over - begun).days >= 14 and over <= issued <= TODAY and (back is None or back <= begun)
    )
    assert (fault is None) is is_good


@given(begun=st.dates(min_value=BACK, max_value=TODAY - timedelta(days=14)))
def test_fourteen_full_days_begin_after_the_first(begun: date) -> None:
    over = begun + timedelta(days=14)
    check_certificate(certificate(begun, over, over), returned_on=BACK, today=TODAY)
    short = certificate(begun, over - timedelta(days=1), over)
    with pytest.raises(CertificateDatesError) as refused:
        check_certificate(short, returned_on=BACK, today=TODAY)
    assert refused.value.facts["fault"] == "short"


@pytest.mark.parametrize(
    ("begun", "over", "issued", "fault"),
    [
        (20, 10, 21, CertificateFault.ORDER),
        (14, 27, 28, CertificateFault.SHORT),
        (14, 28, 29, CertificateFault.FUTURE),
        (9, 24, 25, CertificateFault.EARLY),
        (11, 26, 25, CertificateFault.ISSUED),
        (11, 25, 25, None),
    ],
)
def test_the_first_fault_is_named(
    begun: int, over: int, issued: int, fault: CertificateFault | None
) -> None:
    read = certificate(date(2020, 3, begun), date(2020, 3, over), date(2020, 3, issued))
    assert certificate_fault_of(read, returned_on=BACK, today=TODAY) is fault


@pytest.mark.parametrize(
    ("finding", "is_contacted", "begun_on", "error"),
    [
        (Finding.ISOLATED, True, [], CertificateMissingError),
        (Finding.ISOLATED, True, [BACK - timedelta(days=1)], CertificateMissingError),
        (Finding.ISOLATED, False, [BACK], None),
        (Finding.NOT_THERE, False, [], FindingUnfoundedError),
        (Finding.NOT_THERE, True, [], None),
        (Finding.LEFT, False, [BACK], None),
        (Finding.MISTAKEN, False, [BACK - timedelta(days=1)], FindingUnfoundedError),
    ],
)
def test_finding_rests_on_a_contact_or_a_certificate_of_this_stay(
    finding: Finding, *, is_contacted: bool, begun_on: list[date], error: type[Exception] | None
) -> None:
    def check() -> None:
        check_finding(finding, is_contacted=is_contacted, begun_on=begun_on, returned_on=BACK)

    if error is None:
        check()
        return
    with pytest.raises(error):
        check()


def test_what_is_typed_becomes_one_line_within_bounds() -> None:
    assert certificate_number_of(" 沪XH\t017 ") == "沪XH 017"
    assert issuer_of("田林街道\n社区卫生服务中心") == "田林街道 社区卫生服务中心"
    assert note_of(" 已通话\r\n在家 ") == "已通话\n在家"
    assert note_of("  ", is_needed=False) == ""
    for read, text, error in (
        (certificate_number_of, "——", CertificateNumberError),
        (certificate_number_of, "1" * 41, CertificateNumberError),
        (issuer_of, "院", CertificateIssuerError),
        (note_of, "", CaseNoteError),
        (note_of, "长" * 501, CaseNoteError),
    ):
        with pytest.raises(error):
            read(text)  # type: ignore[operator]
