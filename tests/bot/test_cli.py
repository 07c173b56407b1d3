"""The operator's commands: what they print, what they change, how they fail."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from pyzbar.pyzbar import decode
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import cli
from bot.app import create_app
from bot.demo.companies import make_companies
from bot.services import services_of
from core.clock import day_of
from core.db import Database, Keyring, install_keyring
from core.files.model import StoredFile
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.nightly import JobRun
from core.notices.service import queue_notice
from core.places.model import Community
from core.registry.importing import COMPANY_COLUMNS, import_companies
from core.risk.model import RiskScore
from tests.conftest import DATA_KEY
from tests.core.mandates.conftest import CODES, WANG, District
from tests.wechat import Platform

COMMUNITIES = """code,name,street,longitude,latitude
T12,田林十二村,田林街道,121.42,31.17
L01,锦泰苑,凌云路街道,121.43,31.14
"""
YESTERDAY = day_of(datetime.now(UTC)) - timedelta(days=1)
PERSON = "31010419750505123X"


@pytest.fixture
def app(database: Database, platform: Platform, tmp_path: Path) -> Iterator[Flask]:
    settings = platform.settings(
        database_url=database.url.render_as_string(hide_password=False),
        instance_dir=tmp_path / "instance",
        public_url="https://wx.example.gov.cn",
        log_level="error",
    )
    app = create_app(settings)
    yield app
    services_of(app).database.dispose()


@pytest.fixture
def district(flask: Any, tmp_path: Path) -> None:
    """Two communities, imported."""
    assert flask("import", "communities", _file(tmp_path, COMMUNITIES)).exit_code == 0


def _file(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _indicators(day: date, **values: float) -> str:
    lines = ["day,community_code,indicator,value"]
    return "\n".join([*lines, *(f"{day},T12,{code},{value}" for code, value in values.items())])


def _queue_notice(database: Database) -> None:
    with database.transaction() as session:
        queue_notice(
            session,
            now=datetime.now(UTC),
            kind="colour_changed",
            openid="o1",
            key="colour:1",
            values={
                "community": "田林十二村",
                "previous": "blue",
                "colour": "red",
                "day": str(YESTERDAY),
            },
        )


def test_importing_says_what_came_and_keeps_it(
    flask: Any, database: Database, tmp_path: Path
) -> None:
    result = flask("import", "communities", _file(tmp_path, COMMUNITIES))

    assert result.exit_code == 0
    assert "2" in result.stdout
    with database.reading() as session:
        assert _count(session, Community) == 2


def test_rejected_rows_are_named_and_good_ones_kept(
    flask: Any, database: Database, tmp_path: Path
) -> None:
    bad = COMMUNITIES + "X1,,田林街道,121.42,31.17\nX2,某村,田林街道,0,0\n"

    result = flask("import", "communities", _file(tmp_path, bad))

    assert "4" in result.stderr
    assert "5" in result.stderr
    with database.reading() as session:
        assert _count(session, Community) == 2


def test_all_or_nothing_keeps_nothing_and_fails(
    flask: Any, database: Database, tmp_path: Path
) -> None:
    bad = COMMUNITIES + "X1,,田林街道,121.42,31.17\n"

    result = flask("import", "communities", _file(tmp_path, bad), "--all-or-nothing")

    assert result.exit_code == 1
    with database.reading() as session:
        assert _count(session, Community) == 0


def test_an_unknown_kind_is_refused(flask: Any, tmp_path: Path) -> None:
    assert flask("import", "spaceships", _file(tmp_path, COMMUNITIES)).exit_code != 0


def test_scoring_a_day_prints_its_colours(flask: Any, tmp_path: Path, district: None) -> None:
    flask("import", "indicators", _file(tmp_path, _indicators(YESTERDAY, confirmed=1)))

    result = flask("risk", "score", "--day", YESTERDAY)

    assert result.exit_code == 0
    assert str(YESTERDAY) in result.stdout
    assert "2 grey" in result.stdout


def test_the_night_runs_once_for_a_day(flask: Any, database: Database, district: None) -> None:
    first = flask("nightly", "--day", YESTERDAY)
    second = flask("nightly", "--day", YESTERDAY)

    assert (first.exit_code, second.exit_code) == (0, 0)
    with database.reading() as session:
        assert set(session.scalars(select(JobRun.attempts))) == {1}
        assert _count(session, RiskScore) == 2


def test_a_night_that_fails_exits_non_zero(
    flask: Any, monkeypatch: pytest.MonkeyPatch, district: None
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr("core.nightly.score_nights", fail)

    assert flask("nightly", "--day", YESTERDAY).exit_code == 1


def test_delivering_sends_what_waits(flask: Any, database: Database, platform: Platform) -> None:
    platform.follow("o1")
    _queue_notice(database)

    assert "nothing waits" not in flask("deliver").stdout
    assert flask("deliver").stdout.strip() == "nothing waits"


def test_notices_of_a_closed_channel_are_said_to_wait(
    flask: Any, app: Flask, database: Database, platform: Platform
) -> None:
    platform.follow("o1")
    platform.fault("/cgi-bin/message/template/send", "errcode", 45009, times=9)
    _queue_notice(database)
    flask("deliver")

    said = flask("deliver").stdout.strip()

    tomorrow = day_of(datetime.now(UTC)) + timedelta(days=1)
    assert said == f"1 wait, the first until {tomorrow} 00:01:00"


@pytest.mark.parametrize("command", ["menu", "codes"])
def test_call_without_an_answer_is_told_without_a_traceback(
    flask: Any, platform: Platform, tmp_path: Path, command: str, district: None
) -> None:
    paths = {"menu": "/cgi-bin/menu/create", "codes": "/cgi-bin/qrcode/create"}
    platform.fault(paths[command], "errcode", 48001, times=9)
    options = ["--out", tmp_path / "codes"] if command == "codes" else []

    result = flask("wechat", command, *options)

    assert result.exit_code == 1
    assert result.stderr.strip().startswith("Error: the call of WeChat failed: 48001")
    assert "Traceback" not in result.output


def test_the_menu_is_published(flask: Any, platform: Platform) -> None:
    assert flask("wechat", "menu").exit_code == 0
    assert platform.calls("/cgi-bin/menu/create") == 1


def test_follow_codes_are_written_once_and_can_be_scanned(
    flask: Any, platform: Platform, tmp_path: Path, district: None
) -> None:
    first = flask("wechat", "codes", "--out", tmp_path / "codes")
    second = flask("wechat", "codes", "--out", tmp_path / "codes")

    assert first.stdout.strip() == "4 codes written, 0 were there already"
    assert second.stdout.strip() == "0 codes written, 4 were there already"
    assert platform.calls("/cgi-bin/qrcode/create") == 4
    with Image.open(tmp_path / "codes" / "community-T12.png") as image:
        (code,) = decode(image)
    assert code.data.startswith(b"http")


def test_the_schema_of_a_new_database_is_made(tmp_path: Path, platform: Platform) -> None:
    settings = platform.settings(
        database_url=f"sqlite:///{tmp_path}/new.db", instance_dir=tmp_path / "instance"
    )
    app = create_app(settings)
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    services_of(app).database.dispose()

    assert result.output.strip() == "the schema is up to date"
    assert (tmp_path / "new.db").exists()


def test_serving_on_a_taken_port_says_which_to_choose(
    database: Database, platform: Platform, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = platform.settings(
            database_url=database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            port=port,
        )
        result = create_app(settings).test_cli_runner().invoke(args=["dev"])

    assert result.exit_code == 1
    assert f"PORT={port + 1}" in result.output


def test_worker_waits_until_the_web_answers_and_not_for_one_that_ended() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen(web, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        assert cli._is_serving(process, port)
        process.terminate()
    assert not cli._is_serving(process, port)


def test_register_is_sealed_anew_after_a_rotation(
    flask: Any, database: Database, now: datetime
) -> None:
    install_keyring(Keyring([DATA_KEY]))
    with database.transaction() as session:
        import_companies(session, [one.row(2) for one in make_companies(5, count=3)], now=now)
    install_keyring(Keyring([bytes(range(1, 33)), DATA_KEY]))

    told = [flask("db", "reseal").stdout.strip() for _ in range(2)]

    assert told == [
        f"{count} companies were sealed with an older key, none is now" for count in (3, 0)
    ]


def test_reseal_covers_files_and_says_when_their_store_is_away(flask: Any, app: Flask) -> None:
    services, now = services_of(app), datetime.now(UTC)
    install_keyring(Keyring([DATA_KEY]))
    with services.database.transaction() as session:
        keep_file(
            session,
            files=services.files,
            content=b"%PDF-1.4 %%EOF",
            name="plan.pdf",
            purpose=FilePurpose.PREVENTION_PLAN,
            actor="person:1",
            now=now,
        )
        key = session.scalars(select(StoredFile.key)).one()
    install_keyring(Keyring([bytes(range(1, 33)), DATA_KEY]))
    sealed = services.files.get(key)
    services.files.delete(key)

    failed = flask("db", "reseal")
    services.files.put(key, sealed)
    told = [flask("db", "reseal").stdout.splitlines()[1:] for _ in range(2)]

    assert failed.exit_code == 1
    assert "the store of files does not answer" in failed.stderr
    assert told == [["1 files were sealed with an older key, none is now"], []]


@pytest.mark.usefixtures("district")
def test_events_are_imported_with_what_their_sender_says(flask: Any, tmp_path: Path) -> None:
    people = f"person_id,community_code\n{PERSON},T12\n"
    assert flask("import", "residents", _file(tmp_path, people), "--rows", "1").exit_code == 0
    header = "person_id,kind,reported_on\n"
    nothing = _file(tmp_path, header)
    assert flask("import", "risk-events", nothing).exit_code == 1
    said = ("--feed", "fever", "--watermark", str(YESTERDAY))
    assert flask("import", "risk-events", nothing, *said).exit_code == 0
    path = _file(tmp_path, f"{header}{PERSON},confirmed,{YESTERDAY}\n")
    cut_off = flask("import", "risk-events", path, "--rows", "2")
    assert cut_off.exit_code == 1
    assert "文件可能不完整" in cut_off.output
    result = flask("import", "risk-events", path, "--rows", "1", "--accept-size")
    assert result.exit_code == 0
    assert "risk-events: 1 created, 0 updated, 0 unchanged, 0 rejected" in result.output
    assert PERSON not in result.output + cut_off.output
    ended = flask("import", "residents", _file(tmp_path, people), "--full", "--end-missing")
    assert (ended.exit_code, "1 unchanged" in ended.output) == (0, True)


def test_full_register_is_imported_with_what_it_lacks(flask: Any, tmp_path: Path) -> None:
    columns = [*COMPANY_COLUMNS, "id_kind"]
    lines = [
        ",".join(one.row(0).cells[name] for name in columns) for one in make_companies(5, count=2)
    ]
    flask("import", "companies", _file(tmp_path, "\n".join([",".join(columns), *lines])))

    path = _file(tmp_path, "\n".join([",".join(columns), lines[1]]))
    result = flask("import", "companies", path, "--full")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "companies: 0 created, 0 updated, 1 unchanged, 0 rejected",
        f"not in this file, left as they are (1): {lines[0].split(',')[0]}",
    ]


def test_owner_is_released_for_whoever_proves_next(flask: Any, database: Database) -> None:
    with database.transaction() as session:
        district = District(session=session, now=datetime.now(UTC))
        district.register(WANG)
        district.prove("o-wang")
    told = [flask("owners", "release", CODES[0].lower()).stdout.strip() for _ in range(2)]
    assert told == ["released", "nobody acts as the owner of that company"]
    with database.transaction() as session:
        district = District(session=session, now=datetime.now(UTC))
        assert len(district.prove("o-new").mandates) == 1
        (ended,) = district.recorded("mandate_ended")
        assert (ended.actor, ended.facts["reason"]) == ("operator:owners", "released")
