"""With a token the channel runs beside the rest, without one the rest runs as before; and the token
is seen nowhere."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from bot.app import app_of, build_parts
from bot.channels.telegram.bot_api import HIDDEN, TokenHider, make_bot
from bot.commands import telegram_text
from bot.settings import Settings
from tests.bot.telegram.line import Line
from tests.bot.turn_parts import FakeRecognizer, FakeSynthesizer

TOKEN = "123456789:AAsecretsecretsecretsecretsecret"
HOOK = {
    "telegram_webhook_url": "https://village.example/telegram/x",
    "telegram_webhook_secret": "s" * 16,
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.__fields__:
        monkeypatch.delenv(f"XIAOBANG_{name.upper()}", raising=False)


def running(line: Line, tmp_path: Path, **given: Any) -> TestClient:
    parts = build_parts(
        settings(home=tmp_path, database_url=str(line.street.village.engine.url), **given),
        recognizer=FakeRecognizer(),
        synthesizer=FakeSynthesizer(),
    )
    return TestClient(app_of(parts, demo=False))


def test_without_a_token_nothing_of_it_starts(line: Line, tmp_path: Path) -> None:
    with running(line, tmp_path) as browser:
        assert browser.get("/health").status_code == 200
    assert line.api.telegram.calls == []


def test_the_whole_program_answers_a_phone_within_telegrams_limits(
    line: Line, tmp_path: Path
) -> None:
    """Rasa is away here: what she hears is the apology for it, at once and by voice."""
    limits = line.api.enforce_limits()
    phone = line.phone("王奶奶")
    there = {
        "telegram_token": line.api.token,
        "telegram_base_url": line.api.base_url,
        "telegram_base_file_url": line.api.base_file_url,
        "rasa_port": 1,
        "clock": line.street.clock().isoformat(),
    }
    with running(line, tmp_path, **there):
        for words in ("买点菜", "修灯泡"):
            phone.says(words)
        heard = [phone.hears(15) for _ in range(3)]
    told = {one.words for one in heard}
    assert line.phrase("utter_apology") in told, "the answers"
    assert line.phrase("utter_notice_joined", member="王奶奶") in told, "and what was queued"
    assert all(one.voice for one in heard) and limits.refused == 0


def test_where_telegram_cannot_be_reached_the_talk_page_runs(line: Line, tmp_path: Path) -> None:
    nowhere = {"telegram_base_url": "http://127.0.0.1:9/bot", "telegram_token": TOKEN}
    with running(line, tmp_path, **nowhere) as browser:
        assert browser.get("/health").status_code == 200


# -- settings


def test_the_text_at_the_start_says_how_to_get_a_token() -> None:
    text = "\n".join(telegram_text(settings()))
    assert "@BotFather" in text and "XIAOBANG_TELEGRAM_TOKEN" in text


@pytest.mark.parametrize("given", [{}, HOOK])
def test_the_text_at_the_start_names_the_bot_and_hides_the_token(given: dict[str, str]) -> None:
    text = "\n".join(
        telegram_text(settings(telegram_token=TOKEN, telegram_bot="@xiaobang_bot", **given))
    )
    assert "@xiaobang_bot" in text and TOKEN not in text and "@BotFather" not in text


@pytest.mark.parametrize(
    "given",
    [
        {"telegram_token": "secret"},
        {"telegram_token": f"{TOKEN} x"},
        {"telegram_bot": "xiaobang"},
        {"telegram_bot": "小帮bot"},
        {"telegram_base_url": "ftp://x/bot"},
        {"telegram_base_file_url": "x"},
        {"telegram_proxy": "socks5://user:secret@x"},
        {**HOOK, "telegram_webhook_url": "http://village.example/telegram/x"},
        {**HOOK, "telegram_webhook_url": "https://village.example/api/turn"},
        {**HOOK, "telegram_webhook_secret": ""},
        {**HOOK, "telegram_webhook_secret": "short"},
        {**HOOK, "telegram_webhook_secret": "secret with spaces and 密"},
    ],
)
def test_a_wrong_setting_is_refused_without_repeating_it(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**given)
    assert "telegram_" in str(refused.value) and "secret" not in str(refused.value).replace(
        "telegram_webhook_secret", ""
    ).replace("without a secret", "")


def test_empty_settings_are_none() -> None:
    none = settings(
        telegram_token="", telegram_bot=" ", telegram_base_url="", telegram_webhook_url=""
    )
    assert none.telegram_token is none.telegram_bot is none.telegram_webhook_url is None


# -- the token


def test_settings_do_not_show_the_token() -> None:
    assert TOKEN not in repr(settings(telegram_token=TOKEN))


def test_a_log_does_not_show_the_token() -> None:
    hider = TokenHider(TOKEN)

    def shown(message: str, *given: object, error: Exception | None = None) -> str:
        told = (type(error), error, None) if error else None
        record = logging.LogRecord("httpx", 20, "", 1, message, given, told)
        assert hider.filter(record)
        return logging.Formatter().format(record)

    url = f"https://api.telegram.org/bot{TOKEN}/getMe"
    assert shown("HTTP Request: POST %s", url) == (
        f"HTTP Request: POST https://api.telegram.org/bot{HIDDEN}/getMe"
    )
    assert TOKEN not in shown("it failed", error=ValueError(f"no route to {url}"))
    assert shown("%s of %s", "one", "two") == "one of two"


def test_making_the_bot_hides_its_token_in_every_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_bot(settings(telegram_token=TOKEN))
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("anything").warning("calling %s", TOKEN)
        logging.getLogger("httpx").info("HTTP Request: POST https://x/bot%s/getMe", TOKEN)
    assert "calling" in caplog.text and TOKEN not in caplog.text
