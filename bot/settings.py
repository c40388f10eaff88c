"""Settings from the environment or `.env`, refused at start when they are wrong."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Optional

from pydantic import BaseSettings, Field, validator

from actions.timebank.alarm_chain import CHECK_IN_CHAIN, EMERGENCY_CHAIN, Chains, read_chain
from actions.timebank.clock import clock_at
from actions.timebank.session import Clock
from actions.timebank.states import AlertKind

HOUSE = Path(__file__).resolve().parent.parent
"""The project's own folder."""


KEY_BYTES = 32


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

    alarm_chain: str = EMERGENCY_CHAIN
    """Whom an emergency calls after how many minutes, while nobody goes."""
    check_in_chain: str = CHECK_IN_CHAIN
    """The same when somebody who lives alone did not answer how she is."""

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

    @validator("alarm_chain", "check_in_chain")
    def _chain_can_be_read(cls, value: str) -> str:
        read_chain(value)
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
