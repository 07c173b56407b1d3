from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.arrivals.rules import StationSettings
from core.arrivals.settings import find_settings
from core.people.staff.rules import Role
from handlers.console.arrivals_settings import typed_of
from tests.console import District
from tests.h5 import submit, text_of
from tests.handlers.console.conftest import Enter

PATH = "/console/arrivals/settings"
REASON = "改用扫码枪以后更快"


def change(client: FlaskClient, **fields: str) -> TestResponse:
    typed = typed_of(StationSettings()) | {"reason": REASON} | fields
    return submit(client, PATH, to=f"{PATH}/change", **typed)


def test_settings_are_changed_with_a_reason_and_the_change_stays_on_record(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.STATION_MANAGER)
    changed = change(client, check_seconds="12.5", wait_share="９５", post_limit="8")
    assert changed.location == f"{PATH}?done=change"
    with district.database.reading() as session:
        values = find_settings(session, now=datetime.now(UTC))
    assert values == StationSettings(check_seconds=12.5, wait_share=0.95, post_limit=8)
    said = text_of(client.get(changed.location))
    assert "设置已经更改" in said
    assert "查验一人用时 20 秒 → 12.5 秒 ， 达到目标的比例 90% → 95%" in said
    assert "岗位上限 不限 → 8" in said
    assert "王静" in said
    assert REASON in said
    audited = text_of(come_in(Role.AUDITOR, name="li", display_name="李明").get("/console/audit"))
    assert "更改车站设置" in audited


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("check_seconds", "0", "请填写 1 到 600 之间的数"),
        ("check_seconds", "很快", "请填写 1 到 600 之间的数"),
        ("utilisation", "", "这一项还没有填写"),
        ("wait_share", "100", "请填写 50 到 99.9 之间的数"),
        ("post_limit", "2.5", "请填写 1 到 1000 之间的整数"),
        ("egress_p95_minutes", "4", "这项设置应在 5 到 120 之间"),
        ("reason", " ", "这一项还没有填写"),
    ],
)
def test_setting_that_cannot_be_is_refused_beside_its_field(
    come_in: Enter, field: str, typed: str, said: str
) -> None:
    refused = change(come_in(Role.ADMINISTRATOR), **{"min_shift_hours": "3", field: typed})
    assert refused.status_code == 422
    assert f'id="f-{field}-error"' in refused.text
    assert said in text_of(refused)
    assert 'name="min_shift_hours" type="text" value="3"' in refused.text, "what was typed stays"


def test_settings_that_are_in_force_already_are_no_change(come_in: Enter) -> None:
    refused = change(come_in(Role.STATION_MANAGER))
    assert refused.status_code == 409
    assert "与现在的相同" in text_of(refused)


def test_auditor_reads_the_settings_and_has_no_form(come_in: Enter) -> None:
    shown = come_in(Role.AUDITOR).get(PATH)
    assert "查验一人用时 20 秒" in text_of(shown)
    assert "/settings/change" not in shown.text
