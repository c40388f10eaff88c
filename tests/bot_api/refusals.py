"""How the server says no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Refusal(Exception):
    """An answer that is not ok, as Telegram gives it."""

    status: int
    description: str
    is_mistake: bool = True
    """Whether a bot that does everything right would never be told this."""
    retry_after: int | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.description}"

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.retry_after is not None:
            answer["parameters"] = {"retry_after": self.retry_after}
        return answer


def bad_request(why: str, *, is_mistake: bool = True) -> Refusal:
    return Refusal(400, f"Bad Request: {why}", is_mistake)


def conflict(why: str, *, is_mistake: bool = True) -> Refusal:
    return Refusal(409, f"Conflict: {why}", is_mistake)


def not_played(what: str) -> Refusal:
    """Telegram would do it; the emulator does not, and says so before a test believes in it."""
    return bad_request(f"the emulator does not play {what}")


# What does happen to a good bot.


def too_many(seconds: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {seconds}", False, seconds)


def blocked() -> Refusal:
    return Refusal(403, "Forbidden: bot was blocked by the user", False)


def server_error(status: int = 502, description: str = "Bad Gateway") -> Refusal:
    return Refusal(status, description, False)


def refused(description: str) -> Refusal:
    """Any other 400 that is not the bot's fault, like VOICE_MESSAGES_FORBIDDEN."""
    return bad_request(description, is_mistake=False)
