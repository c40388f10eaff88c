"""What a bot may do, and how strictly it is told what it may not."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import telegram
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyKeyboardRemove,
)
from telegram.error import BadRequest, InvalidToken

from tests.bot_api import BotApi, Chat
from tests.bot_api.conftest import Ask
from tests.voice.sounds import recorded, tone

KEYS = InlineKeyboardMarkup.from_row(
    [InlineKeyboardButton(title, callback_data=title) for title in ("接", "不接")]
)


def test_the_bot_knows_itself(ask: Ask) -> None:
    me = ask(lambda bot: bot.get_me())
    assert me.is_bot and me.username == "xiaobang_test_bot"


def test_a_text_with_all_that_may_go_with_it(ask: Ask, wang: Chat) -> None:
    said = wang.says("在吗")
    sent = ask(
        lambda bot: bot.send_message(
            wang.id,
            "在",
            disable_notification=True,
            protect_content=True,
            reply_markup=KEYS,
            reply_to_message_id=said.message_id,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
    )
    heard = wang.hears()
    assert (heard.message_id, heard.words, heard.silent) == (sent.message_id, "在", True)
    assert heard.buttons == ["接", "不接"] and heard.voice is None
    assert sent.reply_to_message.text == "在吗" and sent.has_protected_content


def test_other_keyboards_are_taken_and_not_shown_under_the_message(ask: Ask, wang: Chat) -> None:
    ask(lambda bot: bot.send_message(wang.id, "好", reply_markup=ReplyKeyboardRemove()))
    assert wang.hears().buttons == []


def test_a_voice_note_is_heard_as_it_was_sent(ask: Ask, wang: Chat, note: bytes) -> None:
    sent = ask(lambda bot: bot.send_voice(wang.id, note, caption="好，买菜。", reply_markup=KEYS))
    heard = wang.hears()
    assert (heard.voice, heard.words, heard.seconds) == (note, "好，买菜。", 2)
    assert sent.voice.file_size == len(note) and sent.voice.mime_type == "audio/ogg"


def test_a_voice_note_can_be_sent_again_by_its_number(ask: Ask, wang: Chat, note: bytes) -> None:
    sent = ask(lambda bot: bot.send_voice(wang.id, note))
    ask(lambda bot: bot.send_voice(wang.id, sent.voice.file_id, duration=2))
    assert wang.hears().voice == wang.hears().voice == note


def test_it_is_shown_what_the_bot_does(ask: Ask, wang: Chat) -> None:
    ask(lambda bot: bot.send_chat_action(wang.id, "record_voice"))
    assert wang.actions == ["record_voice"]


def test_a_place_is_passed_on(ask: Ask, wang: Chat) -> None:
    ask(lambda bot: bot.send_location(wang.id, 34.7, 113.6))
    assert wang.hears().now["location"] == {"latitude": 34.7, "longitude": 113.6}


def test_an_edit_without_buttons_takes_them_away(ask: Ask, wang: Chat, note: bytes) -> None:
    async def push_and_edit(bot: Bot) -> None:
        sent = await bot.send_voice(wang.id, note, caption="去吗？", reply_markup=KEYS)
        await bot.edit_message_caption(wang.id, sent.message_id, caption="李建国去了。")
        await bot.edit_message_reply_markup(wang.id, sent.message_id, reply_markup=KEYS)
        await bot.edit_message_reply_markup(wang.id, sent.message_id)

    ask(push_and_edit)
    heard = wang.hears()
    assert [bool(one.get("reply_markup")) for one in heard.versions] == [True, False, True, False]
    assert heard.words == "李建国去了。" and heard.voice == note
    assert "edit_date" in wang.sees_edit().now


def test_commands_are_kept(ask: Ask) -> None:
    async def keep(bot: Bot) -> Any:
        await bot.set_my_commands([BotCommand("start", "开始")])
        kept = await bot.get_my_commands()
        await bot.delete_my_commands()
        return kept, await bot.get_my_commands()

    kept, after = ask(keep)
    assert [one.command for one in kept] == ["start"] and after == ()


def test_a_chat_tells_its_name(ask: Ask, wang: Chat) -> None:
    assert ask(lambda bot: bot.get_chat(wang.id)).first_name == "王桂兰"


MISTAKES: dict[str, Any] = {
    "chat not found": lambda bot, note: bot.send_message(5, "好"),
    "message text is empty": lambda bot, note: bot.send_message(1001, " "),
    "message is too long": lambda bot, note: bot.send_message(1001, "好" * 4097),
    "caption is too long": lambda bot, note: bot.send_voice(1001, note, caption="好" * 1025),
    "no field colour": lambda bot, note: bot.send_message(1001, "好", api_kwargs={"colour": 1}),
    "must be Opus in OGG": lambda bot, note: bot.send_voice(1001, b"RIFF" + note),
    "must be non-empty": lambda bot, note: bot.send_voice(1001, b""),
    "above 1 MB": lambda bot, note: bot.send_voice(1001, note + bytes(1024 * 1024)),
    "file is too big": lambda bot, note: bot.send_voice(1001, note + bytes(51 * 1024 * 1024)),
    "wrong file identifier": lambda bot, note: bot.send_voice(1001, "voice-1"),
    "wrong parameter action": lambda bot, note: bot.send_chat_action(1001, "sing"),
    "wrong latitude": lambda bot, note: bot.send_location(1001, 91, 0),
    "replied not found": lambda bot, note: bot.send_message(1001, "好", reply_to_message_id=9),
    "edit not found": lambda bot, note: bot.edit_message_text("好", 1001, 9),
    "message_id is empty": lambda bot, note: bot.edit_message_text("好", 1001),
    "delete not found": lambda bot, note: bot.delete_message(1001, 9),
    "query is too old": lambda bot, note: bot.answer_callback_query("9"),
    "wrong file_id": lambda bot, note: bot.get_file("9"),
    "unallowed characters": lambda bot, note: bot.set_webhook("https://a/", secret_token="a b"),
    "HTTPS URL must be": lambda bot, note: bot.set_webhook("http://example.org/"),
    "no updates called": lambda bot, note: bot.get_updates(allowed_updates=["messages"]),
    "limit must be": lambda bot, note: bot.get_updates(limit=101),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_and_fails_the_test(
    ask: Ask, api: BotApi, wang: Chat, note: bytes, mistake: str
) -> None:
    with api.expecting(mistake), pytest.raises(BadRequest):
        ask(lambda bot: MISTAKES[mistake](bot, note))
    wang.hears_nothing(0.01)


def test_the_longest_texts_are_taken(ask: Ask, wang: Chat, note: bytes) -> None:
    ask(lambda bot: bot.send_message(wang.id, "好" * 4096))
    ask(lambda bot: bot.send_voice(wang.id, note, caption="好" * 1024))


def test_the_same_again_is_no_edit(ask: Ask, api: BotApi, wang: Chat, note: bytes) -> None:
    async def edit(bot: Bot) -> None:
        sent = await bot.send_voice(wang.id, note, caption="好", reply_markup=KEYS)
        for change in (
            lambda: bot.edit_message_caption(wang.id, sent.id, caption="好", reply_markup=KEYS),
            lambda: bot.edit_message_reply_markup(wang.id, sent.id, reply_markup=KEYS),
        ):
            with pytest.raises(BadRequest, match="exactly the same"):
                await change()

    with api.expecting("message is not modified"):
        ask(edit)


def test_what_has_no_text_gets_none(ask: Ask, api: BotApi, wang: Chat, note: bytes) -> None:
    said = wang.says("在")

    async def edit(bot: Bot) -> None:
        voice = await bot.send_voice(wang.id, note)
        text = await bot.send_message(wang.id, "好")
        for wrong in (
            bot.edit_message_text("好", wang.id, voice.message_id),
            bot.edit_message_caption(wang.id, text.message_id, caption="好"),
            bot.edit_message_text("好", wang.id, said.message_id),
        ):
            with pytest.raises(BadRequest):
                await wrong

    with api.expecting(""):
        ask(edit)


def test_a_message_that_she_deleted_is_gone_without_fault(ask: Ask, wang: Chat) -> None:
    ask(lambda bot: bot.send_message(wang.id, "好"))
    heard = wang.hears()
    wang.deletes(heard)
    with pytest.raises(BadRequest, match="not found"):
        ask(lambda bot: bot.edit_message_text("行", wang.id, heard.message_id))


def test_a_press_is_answered_once_and_in_time(ask: Ask, api: BotApi, wang: Chat) -> None:
    ask(lambda bot: bot.send_message(wang.id, "去吗？", reply_markup=KEYS))
    first, late = wang.presses("接"), wang.presses("接")
    numbers = [done.update["callback_query"]["id"] for done in (first, late)]
    assert wang.answer_to(first) is None
    ask(lambda bot: bot.answer_callback_query(numbers[0], "好"))
    assert wang.answer_to(first) == {"callback_query_id": numbers[0], "text": "好"}
    api.telegram.press_lasts = 0.0
    for number in numbers:
        with api.expecting("query is too old"), pytest.raises(BadRequest):
            ask(lambda bot, number=number: bot.answer_callback_query(number))


def test_only_this_bot_is_let_in(api: BotApi) -> None:
    async def enter(token: str) -> None:
        async with telegram.Bot(token, api.base_url):
            pass

    for wrong in ("7:" + "a" * 35, "nonsense", api.token + "x"):
        with api.expecting("getMe"), pytest.raises(InvalidToken):
            asyncio.run(enter(wrong))
    with api.expecting("Unauthorized"):
        assert httpx.get(f"{api.base_url}7:{'a' * 35}/getMe").status_code == 401
    with api.expecting("Not Found"):
        assert httpx.get(f"{api.base_url}nonsense/getMe").status_code == 404
    with api.expecting("download: 404 Not Found"):
        assert httpx.get(f"{api.base_file_url}nonsense/voice/file_1").status_code == 404


def test_a_method_that_does_not_exist_is_a_mistake(ask: Ask, api: BotApi, wang: Chat) -> None:
    with api.expecting("singSong: 404"), pytest.raises(telegram.error.EndPointNotFound):
        ask(lambda bot: bot.do_api_request("singSong", {"chat_id": wang.id}))


def test_json_is_understood_like_forms(api: BotApi, wang: Chat) -> None:
    address = f"{api.base_url}{api.token}/sendMessage"
    as_json, as_form = {"chat_id": 1001, "text": "好"}, {"chat_id": "1001", "text": "好"}
    for sending in ({"json": as_json}, {"data": as_form}):
        answer = httpx.post(address, **sending).json()
        assert answer["ok"] and wang.hears().words == "好"
    assert httpx.get(address, params={"chat_id": "1001", "text": "好"}).json()["ok"]


def test_a_test_fails_for_mistakes_that_it_does_not_expect() -> None:
    with pytest.raises(AssertionError, match="mistakes of the bot"), BotApi() as api:
        httpx.get(f"{api.base_url}{api.token}/singSong")
    with BotApi() as api, pytest.raises(AssertionError, match="expected"), api.expecting("x"):
        pass


def test_sound_longer_than_it_says_is_measured(ask: Ask, wang: Chat) -> None:
    ask(lambda bot: bot.send_voice(wang.id, recorded(tone(7.0), "ogg", "libopus", rate=48_000)))
    assert wang.hears().seconds == 7
