from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest
import structlog
from jinja2 import UndefinedError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.logs import configure_logs, exception_text
from bot.settings import Settings
from core.db import Database

PERSON = "oTESTabcdefghijklmnopqrstuvw"


@pytest.fixture
def _structlog() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def _text_of(error: BaseException) -> str:
    try:
        raise error
    except type(error):
        kind, value, traceback = sys.exc_info()
        assert kind is not None
        assert value is not None
        return exception_text((kind, value, traceback))


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        pytest.param(ValueError(f"no such person: {PERSON}"), False, id="value"),
        pytest.param(KeyError(PERSON), False, id="key"),
        pytest.param(UnicodeEncodeError("ascii", PERSON, 0, 1, PERSON), False, id="unicode"),
        pytest.param(TypeError("'NoneType' is not iterable"), True, id="type"),
        pytest.param(UndefinedError("'colour' is undefined"), True, id="template"),
    ],
)
def test_traceback_tells_what_a_program_says_and_not_what_a_person_wrote(
    error: Exception, is_told: bool
) -> None:
    text = _text_of(error)
    assert PERSON not in text
    assert type(error).__name__ in text
    assert __file__ in text
    assert (str(error) in text) is is_told


def test_traceback_of_a_refused_row_holds_neither_parameters_nor_values(
    postgres_database: Database,
) -> None:
    with postgres_database.transaction() as session:
        session.execute(text("CREATE TABLE seat (person TEXT UNIQUE)"))
        session.execute(text("INSERT INTO seat VALUES (:person)"), {"person": PERSON})
    with pytest.raises(IntegrityError) as caught, postgres_database.transaction() as session:
        session.execute(text("INSERT INTO seat VALUES (:person)"), {"person": PERSON})
    assert PERSON in str(caught.value)  # which is why it must not be printed
    text_of_it = exception_text((caught.type, caught.value, caught.tb))
    assert PERSON not in text_of_it
    assert text_of_it.index("IntegrityError") < text_of_it.index("UniqueViolation")


@pytest.mark.usefixtures("_structlog")
def test_production_writes_one_json_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    settings = Settings().model_copy(update={"app_env": "production", "log_level": "info"})
    configure_logs(settings)
    log = structlog.get_logger()
    log.debug("too fine")
    log.info("community bound", route="bind")
    log.error("message failed", exc_info=ValueError(PERSON))
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert (first["event"], first["route"], first["level"]) == ("community bound", "bind", "info")
    assert first["timestamp"].endswith("Z")
    assert "ValueError" in second["exception"]
    assert PERSON not in lines.getvalue()
