"""How updates come to the bot: asked for, or pushed to its webhook."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from typing import Any

import pytest
from telegram import Bot
from telegram.error import Conflict
from telegram.ext import Application, MessageHandler, filters

from tests.bot_api import TOKEN, BotApi, Chat
from tests.bot_api.conftest import Ask


def _texts(updates: Any) -> list[str]:
    return [update.message.text for update in updates]


def test_an_update_comes_again_until_it_is_confirmed(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        for text in ("一", "二", "三"):
            wang.says(text)
        first = await bot.get_updates()
        assert _texts(first) == _texts(await bot.get_updates()) == ["一", "二", "三"]
        assert _texts(await bot.get_updates(offset=first[1].update_id)) == ["二", "三"]
        assert _texts(await bot.get_updates(limit=1)) == ["二"]
        assert await bot.get_updates(offset=first[2].update_id + 1) == ()
        assert await bot.get_updates() == ()

    ask(poll)


def test_an_offset_from_the_end_forgets_the_rest(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        for text in ("一", "二", "三"):
            wang.says(text)
        assert _texts(await bot.get_updates(offset=-1)) == ["三"]
        assert _texts(await bot.get_updates()) == ["三"]

    ask(poll)


def test_a_long_poll_ends_when_something_happens(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> float:
        asked = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.sleep(0.2)
        wang.says("在吗")
        began = time.monotonic()
        assert _texts(await asked) == ["在吗"]
        return time.monotonic() - began

    assert ask(poll) < 2


def test_a_long_poll_ends_empty_when_nothing_does(ask: Ask) -> None:
    assert ask(lambda bot: bot.get_updates(timeout=1)) == ()


def test_a_hundred_at_most_come_at_once(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        for number in range(130):
            wang.says(str(number))
        assert len(await bot.get_updates()) == 100

    ask(poll)


def test_what_was_not_asked_for_is_dropped(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        await bot.get_updates(allowed_updates=["message"])
        wang.edits(wang.says("一"), "二")
        assert _texts(await bot.get_updates()) == ["一"]

    ask(poll)


def test_who_polls_second_ends_the_first(ask: Ask, api: BotApi) -> None:
    async def poll(bot: Bot) -> None:
        async with Bot(TOKEN, api.base_url) as rival:
            first = asyncio.create_task(bot.get_updates(timeout=20))
            await asyncio.sleep(0.2)
            assert await rival.get_updates() == ()
            with pytest.raises(Conflict, match="other getUpdates"):
                await first

    with api.expecting("other getUpdates"):
        ask(poll)


def test_who_hung_up_is_no_rival(ask: Ask) -> None:
    async def poll(bot: Bot) -> None:
        for _ in range(3):
            asked = asyncio.create_task(bot.get_updates(timeout=20))
            await asyncio.sleep(0.1)
            asked.cancel()
            await asyncio.sleep(0.05)
        assert await bot.get_updates() == ()

    ask(poll)


def test_nobody_polls_beside_a_webhook(ask: Ask, api: BotApi) -> None:
    async def poll(bot: Bot) -> None:
        await bot.set_webhook("https://example.org/hook")
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert (await bot.get_webhook_info()).url == ""
        assert await bot.get_updates() == ()

    with api.expecting("webhook is active"):
        ask(poll)


def test_pending_updates_can_be_dropped(ask: Ask, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        wang.says("旧的")
        assert (await bot.get_webhook_info()).pending_update_count == 1
        await bot.delete_webhook(drop_pending_updates=True)
        assert await bot.get_updates() == ()

    ask(poll)


def test_a_replayed_update_comes_although_it_was_confirmed(
    ask: Ask, api: BotApi, wang: Chat
) -> None:
    async def poll(bot: Bot) -> None:
        said = wang.says("一")
        [update] = await bot.get_updates()
        assert await bot.get_updates(offset=update.update_id + 1) == ()
        api.replay(said.update)
        assert await bot.get_updates(offset=update.update_id + 1) == (update,)
        assert await bot.get_updates(offset=update.update_id + 1) == ()

    ask(poll)


def test_updates_out_of_order_come_the_last_first(ask: Ask, api: BotApi, wang: Chat) -> None:
    async def poll(bot: Bot) -> None:
        with api.out_of_order():
            for text in ("一", "二", "三"):
                wang.says(text)
            assert await bot.get_updates() == ()
        assert _texts(await bot.get_updates()) == ["三", "二", "一"]

    ask(poll)


class Hook:
    """Somebody's web address that updates are pushed to."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str | None]] = []
        self.answers: list[int] = []
        """What the next pushes are answered with, 200 afterwards."""

    def wait_for(self, count: int) -> list[str]:
        deadline = time.monotonic() + 5
        while len(self.came) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        return [text for text, _ in self.came]

    @contextmanager
    def open(self) -> Iterator[str]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                update = loads(self.rfile.read(int(self.headers["Content-Length"])))
                secret = self.headers["X-Telegram-Bot-Api-Secret-Token"]
                hook.came.append((update["message"]["text"], secret))
                self.send_response(hook.answers.pop(0) if hook.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/hook"
            server.shutdown()


def test_updates_are_pushed_with_the_secret(ask: Ask, wang: Chat) -> None:
    hook = Hook()
    with hook.open() as address:
        wang.says("先来的")
        ask(lambda bot: bot.set_webhook(address, secret_token="S-1"))
        wang.says("后来的")
        assert hook.wait_for(2) == ["先来的", "后来的"]
        assert {secret for _, secret in hook.came} == {"S-1"}
        assert ask(lambda bot: bot.get_webhook_info()).pending_update_count == 0
        ask(lambda bot: bot.delete_webhook())
        wang.says("再说")
        assert hook.wait_for(2) == ["先来的", "后来的"]


def test_a_push_is_tried_until_it_is_taken_and_one_chat_stays_in_order(
    ask: Ask, wang: Chat, zhang: Chat
) -> None:
    hook = Hook()
    hook.answers = [500, 403]
    with hook.open() as address:
        ask(lambda bot: bot.set_webhook(address))
        wang.says("一")
        hook.wait_for(1)
        wang.says("二")
        assert hook.wait_for(4) == ["一", "一", "一", "二"]
        info = ask(lambda bot: bot.get_webhook_info())
        assert info.pending_update_count == 0 and "403" in info.last_error_message


def test_a_whole_application_of_python_telegram_bot_runs_on_it(api: BotApi, wang: Chat) -> None:
    async def echo(update: Any, context: Any) -> None:
        await update.message.reply_text(f"您说{update.message.text}")

    async def run() -> None:
        builder = Application.builder().token(TOKEN).base_url(api.base_url)
        application = builder.build()
        application.add_handler(MessageHandler(filters.TEXT, echo))
        async with application:
            assert application.updater is not None
            await application.updater.start_polling()
            await application.start()
            for number in range(200):
                wang.says(str(number))
            for number in range(200):
                assert (await wang.will_hear()).words == f"您说{number}"
            await application.updater.stop()
            await application.stop()

    asyncio.run(run())
