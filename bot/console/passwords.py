"""Passwords and one-time codes of the staff."""

from __future__ import annotations

import re
import secrets
import string
import threading
from datetime import datetime
from typing import Optional

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

SHORTEST, LONGEST = 10, 200
EASILY_READ = "".join(c for c in string.ascii_lowercase + string.digits if c not in "lo01i")
STEP_SECONDS = 30
AT_ONCE = 2
ISSUER = "小帮"


class Passwords:
    """Argon2id; slow and large on purpose, so never on the event loop, and few at a time: twenty
    at once would take the memory of a village's machine."""

    def __init__(self, hasher: Optional[PasswordHasher] = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.Semaphore(AT_ONCE)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        with self._room:
            return self._hasher.hash(password)

    def matches(self, password: str, stored: Optional[str]) -> bool:
        """Takes as long for nobody's (None) as for somebody's, and is always False then."""
        try:
            with self._room:
                is_right = self._hasher.verify(stored or self._nobodys, password[:LONGEST])
        except (VerifyMismatchError, InvalidHashError):
            return False
        return is_right and stored is not None


def is_good(password: str) -> bool:
    """Long, and not one character over and over."""
    return SHORTEST <= len(password) <= LONGEST and len(set(password)) > 4


def generated() -> str:
    """A password to be read out once: four groups of four."""
    return "-".join("".join(secrets.choice(EASILY_READ) for _ in range(4)) for _ in range(4))


def new_totp_secret() -> str:
    return pyotp.random_base32()


def is_totp_secret(text: str) -> bool:
    """Whether `new_totp_secret` may have made it."""
    return re.fullmatch("[A-Z2-7]{32}", text) is not None


def totp_address(secret: str, login: str) -> str:
    """What an authenticator scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def totp_step(secret: str, code: str, now: datetime) -> Optional[int]:
    """Which half minute this code belongs to, of now and one before and after; None for none."""
    totp, code = pyotp.TOTP(secret), code.replace(" ", "")
    present = int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
            return step
    return None
