from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.settings import DEVELOPMENT, NEEDED_IN_PRODUCTION, Settings, SettingsError, aes_key_of
from core.db import Keyring

DATA_KEY = base64.b64encode(bytes(range(32))).decode()
OLD_DATA_KEY = base64.b64encode(bytes(range(100, 132))).decode()
AES_KEY, OLD_AES_KEY = "0123456789" * 4 + "abc", "9876543210" * 4 + "xyz"
PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://huizhili@db/huizhili",
    "PUBLIC_URL": "https://hzl.example.gov.cn/",
    "SECRET_KEY": "kR7vN2xQ9pL4mT8wB3yH6jD1sF5gC0zA",
    "DATA_KEYS": DATA_KEY,
    "WECHAT_TOKEN": "fJ3kQ8zP2w",
    "WECHAT_AES_KEY": AES_KEY,
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "0123456789abcdef0123456789abcdef",
}


def _read(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    """Read an environment that is complete for production, but for the changes."""
    for name, value in (PRODUCTION | changes).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return Settings.from_env()


def _fault(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> str:
    with pytest.raises(SettingsError) as caught:
        _read(monkeypatch, **changes)
    return str(caught.value)


# --- development --------------------------------------------------------------------------------


def test_development_needs_nothing() -> None:
    settings = Settings.from_env()
    assert not settings.is_production
    assert settings.resolved_database_url == f"sqlite:///{settings.instance_dir}/huizhili.db"
    assert settings.resolved_public_url == "http://127.0.0.1:8000"
    assert settings.resolved_wechat_api_url == "http://127.0.0.1:8000/simulator/api"
    assert settings.resolved_wechat_open_url == "http://127.0.0.1:8000/simulator"
    assert settings.redis_url == ""
    assert [len(key) for key in settings.aes_keys()] == [32]
    Keyring(settings.data_key_bytes())


def test_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_TOKEN", "")
    monkeypatch.setenv("PORT", "")
    settings = Settings.from_env()
    assert settings.wechat_token.get_secret_value() == DEVELOPMENT["wechat_token"]
    assert settings.port == 8000


def test_variable_beats_the_default_of_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_TOKEN", "mine")
    monkeypatch.setenv("PORT", "8123")
    settings = Settings.from_env()
    assert settings.wechat_token.get_secret_value() == "mine"
    assert settings.resolved_public_url == "http://127.0.0.1:8123"


# --- production ---------------------------------------------------------------------------------


def test_production_starts_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(monkeypatch)
    assert settings.is_production
    assert settings.resolved_public_url == "https://hzl.example.gov.cn"
    assert settings.resolved_wechat_api_url == "https://api.weixin.qq.com"
    assert settings.resolved_wechat_open_url == "https://open.weixin.qq.com"
    assert settings.wechat_max_age_seconds == 300


@pytest.mark.parametrize("name", NEEDED_IN_PRODUCTION)
def test_production_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    message = _fault(monkeypatch, **{name: None})
    assert f"{name} is missing" in message
    assert message.count(" is ") == 1


def test_production_names_all_that_is_missing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = _fault(monkeypatch, **dict.fromkeys(NEEDED_IN_PRODUCTION))
    assert [name for name in NEEDED_IN_PRODUCTION if f"{name} is missing" not in message] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SECRET_KEY", DEVELOPMENT["secret_key"], id="session-key-of-development"),
        pytest.param("SECRET_KEY", "short", id="session-key-short"),
        pytest.param("SECRET_KEY", "a" * 64, id="session-key-of-one-letter"),
        pytest.param("DATA_KEYS", DEVELOPMENT["data_keys"], id="data-key-of-development"),
        pytest.param(
            "DATA_KEYS", f"{DATA_KEY},{DEVELOPMENT['data_keys']}", id="one-data-key-of-development"
        ),
        pytest.param("DATA_KEYS", base64.b64encode(bytes(32)).decode(), id="data-key-of-zeros"),
        pytest.param("WECHAT_TOKEN", DEVELOPMENT["wechat_token"], id="token-of-development"),
        pytest.param("WECHAT_TOKEN", "weixin", id="token-of-every-tutorial"),
        pytest.param("WECHAT_TOKEN", "abc", id="token-short"),
        pytest.param("WECHAT_AES_KEY", DEVELOPMENT["wechat_aes_key"], id="aes-key-of-development"),
        pytest.param("WECHAT_AES_KEY", "A" * 43, id="aes-key-of-the-documentation"),
        pytest.param("WECHAT_APPID", DEVELOPMENT["wechat_appid"], id="appid-of-development"),
        pytest.param("WECHAT_SECRET", DEVELOPMENT["wechat_secret"], id="secret-of-development"),
    ],
)
def test_production_refuses_weak_secrets_without_repeating_them(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    message = _fault(monkeypatch, **{name: value})
    assert message == f"cannot start: {name} is weak or the value of development"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_KEYS", "not base64!"),
        ("DATA_KEYS", base64.b64encode(b"too short").decode()),
        ("WECHAT_AES_KEY", "too-short"),
        ("WECHAT_AES_KEY", "!" * 43),
        ("WECHAT_TEMPLATES", "{not json"),
        ("WECHAT_TEMPLATES", "[1]"),
        ("WECHAT_MAX_AGE_SECONDS", "soon"),
        ("WECHAT_MAX_AGE_SECONDS", "-1"),
        ("WECHAT_MODE", "unsafe"),
        ("PORT", "123456"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_malformed_value_is_named_with_all_that_is_wrong_besides(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    message = _fault(monkeypatch, **{name: value, "PUBLIC_URL": None, "SECRET_KEY": "weak"})
    assert f"{name}: " in message
    assert "PUBLIC_URL is missing" in message
    assert "SECRET_KEY is weak" in message
    assert value not in message
    assert f"{name} is missing" not in message


@pytest.mark.parametrize("value", ["prod", "Production", "test"])
def test_other_environments_do_not_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert "APP_ENV: " in _fault(monkeypatch, APP_ENV=value)


def test_secrets_are_shown_neither_by_settings_nor_by_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = [PRODUCTION[name] for name in NEEDED_IN_PRODUCTION[2:] if name != "WECHAT_APPID"]
    shown = repr(_read(monkeypatch))
    assert [secret for secret in secrets if secret in shown] == []
    with pytest.raises(ValidationError) as caught:
        Settings(data_keys=(OLD_DATA_KEY + "x",))  # type: ignore[arg-type]
    assert OLD_DATA_KEY not in str(caught.value)


# --- keys that are being rotated ----------------------------------------------------------------


def test_first_of_several_keys_is_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(
        monkeypatch,
        DATA_KEYS=f" {DATA_KEY} , {OLD_DATA_KEY},",
        WECHAT_AES_KEY=f"{AES_KEY}, {OLD_AES_KEY}",
    )
    assert settings.data_key_bytes() == [bytes(range(32)), bytes(range(100, 132))]
    assert settings.aes_keys() == (aes_key_of(AES_KEY), aes_key_of(OLD_AES_KEY))


def test_what_the_old_data_key_encrypted_is_read_with_the_new_one_in_front(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Keyring(_read(monkeypatch, DATA_KEYS=OLD_DATA_KEY).data_key_bytes())
    sealed = before.encrypt("王小明", column="person.name")
    settings = _read(monkeypatch, DATA_KEYS=f"{DATA_KEY},{OLD_DATA_KEY}")
    after = Keyring(settings.data_key_bytes())
    assert after.decrypt(sealed, column="person.name") == "王小明"
    assert not after.is_current(sealed)


@pytest.mark.parametrize(
    ("key", "is_key"),
    [
        ("A" * 43, True),
        (AES_KEY, True),
        ("A" * 42, False),
        ("A" * 44, False),
        ("A" * 42 + "+", False),
        ("Ａ" * 43, False),
        ("", False),
    ],
)
def test_aes_key_has_43_letters_and_digits(key: str, is_key: bool) -> None:
    if is_key:
        assert len(aes_key_of(key)) == 32
    else:
        with pytest.raises(ValueError, match="43"):
            aes_key_of(key)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, {}), ('{"colour_changed": "tmpl-1"}', {"colour_changed": "tmpl-1"})],
)
def test_templates_are_a_json_object(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: dict[str, Any]
) -> None:
    assert _read(monkeypatch, WECHAT_TEMPLATES=value).wechat_templates == expected


def test_font_that_posters_cannot_hold_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "cff.otf"
    path.write_bytes(b"OTTO")
    with pytest.raises(SettingsError, match="POSTER_FONT"):
        Settings.from_env(poster_font=path)
    path.write_bytes(b"\0\1\0\0")
    assert Settings.from_env(poster_font=path).poster_font == path


@pytest.mark.parametrize(
    "url", ["ftp://tickets.example/", "https://", "tickets.example", "https://t.example/?after=1"]
)
def test_ticketing_system_needs_an_address_without_a_query(url: str) -> None:
    with pytest.raises(SettingsError, match="TICKETING_URL: an http or https address"):
        Settings.from_env(ticketing_url=url)
