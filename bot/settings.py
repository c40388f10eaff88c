"""Settings from the environment or `.env`, refused at start when they are wrong."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from pydantic import BaseSettings, Field, SecretStr, validator

from actions.timebank.alarm_chain import CHECK_IN_CHAIN, EMERGENCY_CHAIN, Chains, read_chain
from actions.timebank.clock import clock_at
from actions.timebank.session import Clock
from actions.timebank.states import AlertKind

HOUSE = Path(__file__).resolve().parent.parent
"""The project's own folder."""


KEY_BYTES = 32
TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}")
USERNAME = re.compile(r"[A-Za-z]\w{1,28}bot", re.ASCII | re.IGNORECASE)
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class Settings(BaseSettings):
    """Every setting is `XIAOBANG_<NAME>`; README lists them."""

    home: Path = HOUSE / ".xiaobang"
    """Where state lives: database, recordings, models, keys."""
    host: str = "127.0.0.1"
    """Where the web program listens; 0.0.0.0 opens it to the village's network."""
    port: int = Field(default=8080, ge=1, le=65535)
    rasa_port: int = Field(default=5005, ge=1, le=65535)
    actions_port: int = Field(default=5055, ge=1, le=65535)
    public_url: Optional[str] = None
    """The address that personal links begin with; without it host and port."""
    database_url: Optional[str] = None
    """SQLite under `home` unless given; PostgreSQL as postgresql://…"""
    clock: Optional[str] = None
    """An ISO time that stands for now, in demos and tests."""
    demo: bool = True
    """Fill an empty database with the demo village and list its people at /."""
    vosk_model: Optional[Path] = None
    """A copied Vosk archive or folder, for machines without internet."""
    model_download: bool = True
    """Whether the official Vosk archive may be fetched when it is missing."""
    recognizer_confidence: float = Field(default=0.5, ge=0, le=1)
    """Below this a kind repair is spoken and Rasa is not asked."""
    telegram_token: Optional[SecretStr] = None
    """What @BotFather gives; without it Telegram is left out. Never shown, never logged."""
    telegram_bot: Optional[str] = None
    """The bot's username, for the links on join cards."""
    telegram_base_url: Optional[str] = None
    """A Bot API server of one's own: what the token is appended to, http://…/bot."""
    telegram_base_file_url: Optional[str] = None
    """The same for files, http://…/file/bot."""
    telegram_proxy: Optional[str] = None
    """http://… when the village reaches Telegram through a proxy."""
    telegram_webhook_url: Optional[str] = None
    """Given, Telegram calls us here; without it we ask Telegram, which works behind any router."""
    telegram_webhook_secret: Optional[SecretStr] = None

    alarm_chain: str = EMERGENCY_CHAIN
    """Whom an emergency calls after how many minutes, while nobody goes."""
    check_in_chain: str = CHECK_IN_CHAIN
    """The same when somebody who lives alone did not answer how she is."""

    console_language: str = "zh"
    """What the staff's console is written in: zh or en."""

    class Config:
        env_prefix = "XIAOBANG_"
        env_file = ".env"

    @validator("clock")
    def _clock_is_a_time(cls, value: Optional[str]) -> Optional[str]:
        clock_at(value)
        return value or None

    @validator("home")
    def _home_is_absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @validator(
        "telegram_token",
        "telegram_bot",
        "telegram_base_url",
        "telegram_base_file_url",
        "telegram_proxy",
        "telegram_webhook_url",
        "telegram_webhook_secret",
        pre=True,
    )
    def _empty_is_not_given(cls, value: Any) -> Any:
        return (value.strip() or None) if isinstance(value, str) else value

    @validator("telegram_token")
    def _token_has_its_shape(cls, value: Optional[SecretStr]) -> Optional[SecretStr]:
        if value and not TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("it looks like 123456789:AA…, as @BotFather gives it")
        return value

    @validator("telegram_bot")
    def _bot_has_a_username(cls, value: Optional[str]) -> Optional[str]:
        name = (value or "").removeprefix("@")
        if name and not USERNAME.fullmatch(name):
            raise ValueError("a bot's username ends in bot and holds letters, digits and _")
        return name or None

    @validator("telegram_base_url", "telegram_base_file_url", "telegram_proxy")
    def _address_is_http(cls, value: Optional[str]) -> Optional[str]:
        return value and _web_address(value, "http", "https")

    @validator("telegram_webhook_url")
    def _webhook_is_ours(cls, value: Optional[str], values: Dict[str, Any]) -> Optional[str]:
        if value is None:
            return None
        own_server = values.get("telegram_base_url") is not None
        _web_address(value, "https", *(["http"] if own_server else []))
        if not urlsplit(value).path.startswith("/telegram"):
            raise ValueError("its path begins with /telegram: the rest belongs to the talk page")
        return value

    @validator("telegram_webhook_secret", always=True)
    def _webhook_has_a_secret(
        cls, value: Optional[SecretStr], values: Dict[str, Any]
    ) -> Optional[SecretStr]:
        given = value.get_secret_value() if value else ""
        if value and not WEBHOOK_SECRET.fullmatch(given):
            raise ValueError("16 to 256 letters, digits, _ and -")
        if values.get("telegram_webhook_url") and not given:
            raise ValueError("a webhook without a secret would be open to everybody")
        return value

    @validator("alarm_chain", "check_in_chain")
    def _chain_can_be_read(cls, value: str) -> str:
        read_chain(value)
        return value

    @validator("console_language")
    def _language_is_known(cls, value: str) -> str:
        if value not in ("zh", "en"):
            raise ValueError("zh or en")
        return value

    @property
    def chains(self) -> Chains:
        return {
            AlertKind.EMERGENCY: read_chain(self.alarm_chain),
            AlertKind.MISSED_CHECK_IN: read_chain(self.check_in_chain),
        }

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'village.db'}"

    @property
    def now(self) -> Clock:
        return clock_at(self.clock)

    @property
    def address(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        return f"http://127.0.0.1:{self.actions_port}"

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def training(self) -> Path:
        """What the staff corrected, for `make train`."""
        return self.home / "training"

    @property
    def rasa_model(self) -> Path:
        return self.home / "rasa"

    def key(self) -> bytes:
        """The secret that personal links and inner doors are signed with, made once, kept in
        `home` and readable by this user only."""
        path = self.home / "secret.key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written whole or not at all: a full disk must not leave an empty key.
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(KEY_BYTES))
            fresh.rename(path)
        key = path.read_bytes()
        if len(key) < KEY_BYTES:
            raise ValueError(f"{path} is cut short; remove it, and hand out new links")
        return key


def _web_address(value: str, *schemes: str) -> str:
    """Raises ValueError, which does not repeat it: a proxy's address may hold a password."""
    address = urlsplit(value)
    if address.scheme not in schemes or not address.hostname:
        raise ValueError(f"an address that begins with {' or '.join(schemes)}:// is needed")
    return value
