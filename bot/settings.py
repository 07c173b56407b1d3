"""Every environment variable, typed, once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.codes.fonts import is_embeddable
from core.db import key_from_base64

AES_KEY_CHARACTERS = 43
MIN_SECRET_CHARACTERS = 32
MIN_TOKEN_CHARACTERS = 8
MIN_DIFFERENT = 8  # characters or bytes of a secret
WEAK_TOKENS = frozenset({"token", "weixin", "wechat", "development", "password", "123456"})
NEEDED_IN_PRODUCTION = (
    "DATABASE_URL",
    "PUBLIC_URL",
    "SECRET_KEY",
    "DATA_KEYS",
    "WECHAT_TOKEN",
    "WECHAT_AES_KEY",
    "WECHAT_APPID",
    "WECHAT_SECRET",
)
ROOT = Path(__file__).resolve().parent.parent


class SettingsError(RuntimeError):
    """The environment is incomplete or wrong; the message names every fault."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class Settings(BaseSettings):
    """What the environment says; see README.md for the meaning of each variable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    app_env: Literal["development", "production"] = "development"
    secret_key: SecretStr = SecretStr("")
    data_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    database_url: str = ""
    redis_url: str = ""
    public_url: str = ""
    files_url: str = ""
    poster_font: Path | None = None
    port: int = Field(default=8000, ge=1, le=65535)
    proxy_count: int = Field(default=0, ge=0, le=9)

    wechat_token: SecretStr = SecretStr("")
    wechat_aes_key: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    wechat_appid: str = ""
    wechat_secret: SecretStr = SecretStr("")
    wechat_account: str = ""
    wechat_api_url: str = ""
    wechat_open_url: str = ""
    wechat_script_url: str = ""
    wechat_max_age_seconds: int = Field(default=300, ge=0)
    wechat_mode: Literal["any", "safe"] = "any"
    wechat_templates: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    wechat_subscribe_templates: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    mini_appid: str = ""
    mini_secret: SecretStr = SecretStr("")

    district_name: str = "徐汇区"
    hotline_phone: str = "021-12345"
    hotline_hours: str = "每天 8:00–20:00"
    ticketing_url: str = ""
    ticketing_token: SecretStr = SecretStr("")
    health_code_appid: str = ""
    health_code_path: str = ""
    health_code_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    instance_dir: Path = ROOT / "instance"

    @field_validator("data_keys", "wechat_aes_key", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return _split(value)

    @field_validator("wechat_templates", "wechat_subscribe_templates", mode="before")
    @classmethod
    def _json_object(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("a JSON object of kind and template id is needed") from None

    @field_validator("poster_font")
    @classmethod
    def _check_poster_font(cls, value: Path | None) -> Path | None:
        if value is not None and not is_embeddable(value):
            raise ValueError("a font file with TrueType outlines is needed")
        return value

    @field_validator("files_url")
    @classmethod
    def _check_files_url(cls, value: str) -> str:
        parts = urlsplit(value)
        is_bucket = parts.scheme == "s3" and bool(parts.netloc) and "@" not in parts.netloc
        is_folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
        if value and not (is_bucket or is_folder):
            raise ValueError("s3://bucket, s3://bucket/folder or file:///folder is needed")
        return value

    @field_validator("ticketing_url")
    @classmethod
    def _check_ticketing_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
            raise ValueError("an http or https address without a query is needed")
        return value

    @field_validator("data_keys")
    @classmethod
    def _check_data_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            key_from_base64(key.get_secret_value())
        return value

    @field_validator("wechat_aes_key")
    @classmethod
    def _check_aes_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in value:
            aes_key_of(key.get_secret_value())
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_development(cls, data: dict[str, Any]) -> dict[str, Any]:
        if str(data.get("app_env", "development")) == "development":
            return DEVELOPMENT | {key: value for key, value in data.items() if value != ""}
        return data

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.app_env == "production" and (faults := self.production_faults()):
            raise ValueError("; ".join(faults))
        return self

    def production_faults(self) -> list[str]:
        """Return what must be mended before these settings may serve the public."""
        faults = [
            f"{name} is missing"
            for name in NEEDED_IN_PRODUCTION
            if not _plain(getattr(self, name.lower()))
        ]
        faults += [
            f"{name} is weak or the value of development"
            for name, is_weak in self._weak_secrets().items()
            if is_weak
        ]
        return faults

    def _weak_secrets(self) -> dict[str, bool]:
        secret = self.secret_key.get_secret_value()
        token = self.wechat_token.get_secret_value()
        aes_keys = [key.get_secret_value() for key in self.wechat_aes_key]
        data_keys = [key.get_secret_value() for key in self.data_keys]
        return {
            "SECRET_KEY": _is_weak(secret, DEVELOPMENT["secret_key"])
            or 0 < len(secret) < MIN_SECRET_CHARACTERS,
            "DATA_KEYS": any(_is_weak(key, DEVELOPMENT["data_keys"]) for key in data_keys)
            or any(len(set(key)) < MIN_DIFFERENT for key in self.data_key_bytes()),
            "WECHAT_TOKEN": token in WEAK_TOKENS or 0 < len(token) < MIN_TOKEN_CHARACTERS,
            "WECHAT_AES_KEY": any(_is_weak(key, DEVELOPMENT["wechat_aes_key"]) for key in aes_keys),
            "WECHAT_APPID": self.wechat_appid == DEVELOPMENT["wechat_appid"],
            "WECHAT_SECRET": _is_weak(
                self.wechat_secret.get_secret_value(), DEVELOPMENT["wechat_secret"]
            ),
        }

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """Read the environment.

        Raises:
            SettingsError: names every missing, weak or malformed variable at once.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            faults = _faults_of(error)
            malformed = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        # A malformed value hides the check of the whole: name what else is wrong.
        defaults = {name: _default_of(cls, name) for name in malformed}
        try:
            cls(**(overrides | defaults))
        except ValidationError as error:
            known = tuple(f"{name.upper()} " for name in malformed)
            parts = "; ".join(_faults_of(error)).split("; ") if malformed else []
            faults += [part for part in parts if not part.startswith(known)]
        raise SettingsError("cannot start: " + "; ".join(faults))

    @property
    def is_production(self) -> bool:
        """Return whether the public is served."""
        return self.app_env == "production"

    @property
    def resolved_database_url(self) -> str:
        """Return the database address; a SQLite file in the instance folder by default."""
        return self.database_url or f"sqlite:///{self.instance_dir / 'huizhili.db'}"

    @property
    def resolved_public_url(self) -> str:
        """Return the address that people reach this installation at, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def resolved_wechat_api_url(self) -> str:
        """Return the base address of WeChat's API; the stand-in in development."""
        if self.wechat_api_url:
            return self.wechat_api_url.rstrip("/")
        if self.is_production:
            return "https://api.weixin.qq.com"
        return f"http://127.0.0.1:{self.port}/simulator/api"

    @property
    def resolved_wechat_open_url(self) -> str:
        """Return the base address of WeChat's sign-in pages; the stand-in in development."""
        if self.wechat_open_url:
            return self.wechat_open_url.rstrip("/")
        if self.is_production:
            return "https://open.weixin.qq.com"
        return f"{self.resolved_public_url}/simulator"

    @property
    def resolved_ticketing_url(self) -> str:
        """Return the address of the ticketing system; the stand-in in development, else empty."""
        if self.ticketing_url or self.is_production:
            return self.ticketing_url
        return f"http://127.0.0.1:{self.port}/simulator/ticketing/changes"

    @property
    def resolved_wechat_script_url(self) -> str:
        """Return the address of WeChat's script for pages; the simulator's in development."""
        if self.wechat_script_url:
            return self.wechat_script_url
        if self.is_production:
            return "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
        return "/simulator/static/jweixin.js"

    def aes_keys(self) -> tuple[bytes, ...]:
        """Return the decoded AES keys, the current one first."""
        return tuple(aes_key_of(key.get_secret_value()) for key in self.wechat_aes_key)

    def data_key_bytes(self) -> list[bytes]:
        """Return the decoded keys of personal data, the newest first."""
        return [key_from_base64(key.get_secret_value()) for key in self.data_keys]


def aes_key_of(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of a 43-character EncodingAESKey.

    Raises:
        ValueError: another length, or other characters than a-z, A-Z and 0-9.
    """
    if len(encoding_aes_key) != AES_KEY_CHARACTERS or not (
        encoding_aes_key.isascii() and encoding_aes_key.isalnum()
    ):
        raise ValueError("an EncodingAESKey has 43 letters and digits")
    try:
        return base64.b64decode(encoding_aes_key + "=")
    except binascii.Error as error:
        raise ValueError("an EncodingAESKey has 43 letters and digits") from error


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _is_weak(secret: str, development: str) -> bool:
    return secret == development or 0 < len(set(secret)) < MIN_DIFFERENT


def _default_of(settings: type[Settings], name: str) -> object:
    return settings.model_fields[name].get_default(call_default_factory=True)


def _faults_of(error: ValidationError) -> list[str]:
    return [_fault_text(item) for item in error.errors(include_input=False)]


def _fault_text(item: Any) -> str:
    place = str(item["loc"][0]).upper() if item["loc"] else ""
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _development_key(purpose: str) -> bytes:
    return hashlib.sha256(f"huizhili development {purpose}".encode()).digest()


# Known to everybody who reads the source: production refuses each of them.
DEVELOPMENT: dict[str, Any] = {
    "secret_key": "development-" + _development_key("session").hex(),
    "data_keys": base64.b64encode(_development_key("data")).decode(),
    "wechat_token": "development",
    "wechat_aes_key": "huizhili" + "0123456789" * 3 + "abcde",
    "wechat_appid": "wxdevelopment0000",
    "wechat_secret": "development",
    "wechat_templates": {
        "colour_changed": "SIMULATED-COLOUR",
        "colour_corrected": "SIMULATED-COLOUR-CORRECTED",
        "late_reply": "SIMULATED-LATE",
        "filing_passed": "SIMULATED-FILING-PASSED",
        "filing_returned": "SIMULATED-FILING-RETURNED",
        "filing_rejected": "SIMULATED-FILING-REJECTED",
        "code_reported": "SIMULATED-CODE-REPORTED",
        "code_warning": "SIMULATED-CODE-WARNING",
        "registration_received": "SIMULATED-REGISTRATION-RECEIVED",
        "registration_approved": "SIMULATED-REGISTRATION-APPROVED",
        "registration_returned": "SIMULATED-REGISTRATION-RETURNED",
        "registration_rejected": "SIMULATED-REGISTRATION-REJECTED",
        "owner_waiting": "SIMULATED-OWNER-WAITING",
        "site_report_due": "SIMULATED-SITE-REPORT-DUE",
        "owner_recheck": "SIMULATED-OWNER-RECHECK",
        "owner_changed": "SIMULATED-OWNER-CHANGED",
        "owner_proved_elsewhere": "SIMULATED-OWNER-PROVED-ELSEWHERE",
        "owner_asked_elsewhere": "SIMULATED-OWNER-ASKED-ELSEWHERE",
        "owner_granted_elsewhere": "SIMULATED-OWNER-GRANTED-ELSEWHERE",
        "owner_refused_elsewhere": "SIMULATED-OWNER-REFUSED-ELSEWHERE",
        "mandate_confirmed": "SIMULATED-MANDATE-CONFIRMED",
        "mandate_ended": "SIMULATED-MANDATE-ENDED",
        "claim_accepted": "SIMULATED-CLAIM-ACCEPTED",
        "claim_refused": "SIMULATED-CLAIM-REFUSED",
        "risk_publication_held": "SIMULATED-RISK-PUBLICATION-HELD",
        "arrivals_morning": "SIMULATED-ARRIVALS-MORNING",
        "arrivals_evening": "SIMULATED-ARRIVALS-EVENING",
        "arrivals_coverage": "SIMULATED-ARRIVALS-COVERAGE",
        "case_opened": "SIMULATED-CASE-OPENED",
        "case_overdue": "SIMULATED-CASE-OVERDUE",
    },
    "wechat_subscribe_templates": {
        "registration_approved": "SUBSCRIBED-REGISTRATION-APPROVED",
        "registration_returned": "SUBSCRIBED-REGISTRATION-RETURNED",
        "registration_rejected": "SUBSCRIBED-REGISTRATION-REJECTED",
    },
}
