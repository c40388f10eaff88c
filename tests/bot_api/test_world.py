"""What people do reaches a real bot, which knows every field of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import telegram
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.bot_api import BOT, BotApi, Chat, Done
from tests.bot_api.conftest import Ask

DEEDS: dict[str, Callable[[Chat, bytes], Done]] = {
    "text": lambda who, note: who.says("腿疼，想买菜"),
    "voice": lambda who, note: who.speaks(note, 2),
    "audio": lambda who, note: who.sends_audio(note),
    "document": lambda who, note: who.sends_document(b"%PDF"),
    "photo": lambda who, note: who.sends_photo("俺家的灯"),
    "video": lambda who, note: who.sends_video(),
    "video_note": lambda who, note: who.sends_video_note(),
    "sticker": lambda who, note: who.sends_sticker(),
    "dice": lambda who, note: who.throws_dice(),
    "media_group_id": lambda who, note: who.sends_photo(album="a-1"),
    "contact": lambda who, note: who.sends_contact(),
    "location": lambda who, note: who.shares_location(34.7, 113.6),
    "forward_origin": lambda who, note: who.forwards("明天开会"),
}


@pytest.mark.parametrize("kind", DEEDS)
def test_whatever_somebody_sends_the_bot_reads_it(
    ask: Ask, wang: Chat, note: bytes, kind: str
) -> None:
    done = DEEDS[kind](wang, note)
    [update] = ask(lambda bot: bot.get_updates())
    assert update.message.message_id == done.message_id
    assert update.effective_user.id == update.effective_chat.id == wang.id
    assert update.effective_user.first_name == "王桂兰"
    assert getattr(update.message, kind)


def test_a_voice_note_can_be_fetched(ask: Ask, wang: Chat, note: bytes) -> None:
    wang.speaks(note, 2)

    async def fetch(bot: Bot) -> bytes:
        [update] = await bot.get_updates()
        assert update.message.voice.file_size == len(note)
        return bytes(await (await update.message.voice.get_file()).download_as_bytearray())

    assert ask(fetch) == note


def test_a_file_that_is_too_big_for_bots_cannot(ask: Ask, wang: Chat, note: bytes) -> None:
    wang.speaks(note, 9, size=50_000_000)

    async def fetch(bot: Bot) -> None:
        [update] = await bot.get_updates()
        await update.message.voice.get_file()

    with pytest.raises(telegram.error.BadRequest, match="File is too big"):
        ask(fetch)


def test_a_scanned_card_is_a_start_with_its_code(ask: Ask, wang: Chat) -> None:
    wang.scans(f"https://t.me/{BOT['username']}?start=abc_DEF-1")
    [update] = ask(lambda bot: bot.get_updates())
    assert update.message.text == "/start abc_DEF-1"
    assert update.message.parse_entities(["bot_command"])


@pytest.mark.parametrize(
    "card", ["https://t.me/other_bot?start=a", "with space", "a" * 65, "", "字"]
)
def test_a_card_that_no_phone_opens_fails_the_test(wang: Chat, card: str) -> None:
    with pytest.raises(AssertionError):
        wang.scans(card)


def test_an_edit_names_its_message(ask: Ask, wang: Chat) -> None:
    said = wang.says("买菜")
    wang.edits(said, "买药")
    [_, update] = ask(lambda bot: bot.get_updates())
    assert update.edited_message.message_id == said.message_id
    assert update.edited_message.text == "买药" and update.edited_message.edit_date


def test_a_live_location_moves(ask: Ask, wang: Chat) -> None:
    wang.moves(wang.shares_location(34.7, 113.6, live=True), 34.8, 113.6)
    [_, update] = ask(lambda bot: bot.get_updates())
    assert update.edited_message.location.latitude == 34.8


def test_a_forwarded_voice_is_somebody_elses(ask: Ask, wang: Chat, note: bytes) -> None:
    wang.forwards(ogg=note, written_by="赵铁柱")
    [update] = ask(lambda bot: bot.get_updates())
    assert update.message.forward_origin.sender_user_name == "赵铁柱"
    assert update.message.voice


def test_in_a_group_the_person_and_the_chat_differ(ask: Ask, api: BotApi, wang: Chat) -> None:
    api.group(-1001, "西头群").member(wang).says("大家好")
    [update] = ask(lambda bot: bot.get_updates())
    assert update.effective_chat.id == -1001 and update.effective_user.id == wang.id
    assert update.effective_chat.type == "supergroup"


def test_a_bot_that_leaves_a_group_is_out(ask: Ask, api: BotApi, wang: Chat) -> None:
    group = api.group(-1001, "西头群")
    group.brings_in_the_bot(wang)
    ask(lambda bot: bot.send_message(-1001, "我不待了"))
    ask(lambda bot: bot.leave_chat(-1001))
    with api.expecting("not a member"), pytest.raises(telegram.error.Forbidden):
        ask(lambda bot: bot.send_message(-1001, "还在吗"))
    brought, left = ask(lambda bot: bot.get_updates())
    assert brought.my_chat_member.old_chat_member.status == "left"
    assert left.my_chat_member.new_chat_member.status == "left"


def _keyboard(*titles: str) -> InlineKeyboardMarkup:
    keys = [InlineKeyboardButton(title, callback_data=f"data-{title}") for title in titles]
    return InlineKeyboardMarkup.from_row(keys)


def _asks(ask: Ask, who: Chat, *titles: str) -> Any:
    ask(lambda bot: bot.send_message(who.id, "去吗？", reply_markup=_keyboard(*titles)))
    return who.hears()


def test_a_pressed_button_brings_its_data_and_its_message(ask: Ask, wang: Chat) -> None:
    question = _asks(ask, wang, "接", "不接")
    assert question.buttons == ["接", "不接"]
    wang.presses("接")
    [update] = ask(lambda bot: bot.get_updates())
    assert update.callback_query.data == "data-接"
    assert update.callback_query.message.message_id == question.message_id
    assert update.callback_query.message.is_accessible


def test_a_button_that_is_gone_can_still_be_pressed_on_an_old_screen(ask: Ask, wang: Chat) -> None:
    question = _asks(ask, wang, "接")
    ask(lambda bot: bot.edit_message_text("李建国去了", wang.id, question.message_id))
    assert wang.sees_edit().buttons == [] and question.words == "李建国去了"
    wang.presses("接", question)
    [update] = ask(lambda bot: bot.get_updates())
    assert update.callback_query.data == "data-接"


def test_a_week_later_the_message_of_a_button_is_not_shown(ask: Ask, wang: Chat) -> None:
    _asks(ask, wang, "接")
    wang.presses("接", long_after=True)
    [update] = ask(lambda bot: bot.get_updates())
    assert not update.callback_query.message.is_accessible


def test_anothers_button_is_pressed_from_ones_own_chat(ask: Ask, wang: Chat, zhang: Chat) -> None:
    question = _asks(ask, zhang, "接")
    wang.presses("接", question)
    [update] = ask(lambda bot: bot.get_updates())
    assert update.callback_query.from_user.id == wang.id
    assert update.callback_query.message.chat.id == wang.id
    assert update.callback_query.data == "data-接"


def test_who_blocks_the_bot_is_out_of_reach_until_she_writes_again(ask: Ask, wang: Chat) -> None:
    wang.blocks()
    with pytest.raises(telegram.error.Forbidden, match="blocked by the user"):
        ask(lambda bot: bot.send_message(wang.id, "在吗"))
    wang.says("在")
    ask(lambda bot: bot.send_message(wang.id, "好"))
    assert wang.hears().words == "好"
    [blocked, back, _] = ask(lambda bot: bot.get_updates())
    assert blocked.my_chat_member.new_chat_member.status == "kicked"
    assert back.my_chat_member.new_chat_member.status == "member"


def test_a_bot_may_not_write_first(ask: Ask, api: BotApi) -> None:
    stranger = api.chat(1009, "路人", has_written=False)
    with api.expecting("chat not found"), pytest.raises(telegram.error.BadRequest):
        ask(lambda bot: bot.send_message(stranger.id, "你好"))


def test_silence_is_heard(ask: Ask, wang: Chat) -> None:
    wang.hears_nothing(0.01)
    with pytest.raises(AssertionError, match="heard nothing"):
        wang.hears(0.01)
    ask(lambda bot: bot.send_message(wang.id, "好"))
    with pytest.raises(AssertionError, match="好"):
        wang.hears_nothing(0.01)
