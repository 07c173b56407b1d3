from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bot import telemetry
from tests.servers import ROOT


def _value(sample: str) -> float:
    """Return the value of a sample as Prometheus would read it, 0 if it is not there."""
    text = telemetry.exposition({}).decode()
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_replies_are_counted_and_timed_by_route_and_outcome() -> None:
    answered = 'huizhili_replies_total{outcome="answered",route="masks"}'
    late = 'huizhili_replies_total{outcome="late",route="masks"}'
    timed = 'huizhili_reply_seconds_count{route="masks"}'
    quick = 'huizhili_reply_seconds_bucket{le="0.01",route="masks"}'
    before = [_value(sample) for sample in (answered, late, timed, quick)]
    telemetry.replied("masks", "answered", 0.005)
    telemetry.replied("masks", "answered", 0.005)
    telemetry.replied("masks", "late", 4.6)
    after = [_value(sample) for sample in (answered, late, timed, quick)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 3, 2]


def test_everything_else_that_happens_is_counted() -> None:
    samples = [
        'huizhili_callbacks_refused_total{reason="signature"}',
        'huizhili_notices_total{channel="template",outcome="sent"}',
        'huizhili_token_refreshes_total{outcome="ok"}',
        'huizhili_api_calls_total{name="menu",outcome="ok"}',
        'huizhili_api_seconds_count{name="menu"}',
    ]
    before = [_value(sample) for sample in samples]
    telemetry.callback_refused("signature")
    telemetry.notice_attempted("template", "sent")
    telemetry.token_refreshed("ok")
    telemetry.api_called("menu", "ok", 0.1)
    after = [_value(sample) for sample in samples]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1] * 5


def test_gauges_are_what_was_measured_at_the_scrape() -> None:
    text = telemetry.exposition({"huizhili_outbox_due": ("Notices due", 7)}).decode()
    assert "# HELP huizhili_outbox_due Notices due" in text
    assert "\nhuizhili_outbox_due 7.0\n" in text


COUNT = "from bot import telemetry; telemetry.replied('masks', 'answered', 0.01)"
SCRAPE = "from bot import telemetry; print(telemetry.exposition({'up': ('Up', 1.0)}).decode())"


def test_scrape_of_one_process_shows_what_all_of_them_counted(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    telemetry.empty_folder(folder)
    env = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], env=env, cwd=ROOT, check=True)
    scrape = subprocess.run(
        [sys.executable, "-c", SCRAPE],
        env=env,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert 'huizhili_replies_total{outcome="answered",route="masks"} 2.0' in scrape
    assert "up 1.0" in scrape


def test_folder_of_an_earlier_run_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "metrics" / "deep").mkdir(parents=True)
    (tmp_path / "metrics" / "counter_1.db").write_bytes(b"x")
    telemetry.empty_folder(tmp_path / "metrics")
    assert list((tmp_path / "metrics").iterdir()) == []
