"""Questions in village speech find the rule that answers them."""

from __future__ import annotations

import json
import re

import pytest

from actions.timebank import disputes, exchange, visits
from actions.timebank.deadlines import UNCONFIRMED
from actions.timebank.rulebook import (
    RULEBOOK,
    Rulebook,
    meant,
    read_rulebook,
    village_rules,
)
from actions.timebank.states import NEVER_REFUSED, TRAINED_ONLY, ServiceKind

LONGEST_SENTENCE = 40

QUESTIONS = [
    ("俺给人挑粪，他给人读报，记的一样多？", "equal"),
    ("光坐那儿陪人说话也给记？", "equal"),
    ("大年初一去给人做饭，给双份不", "equal"),
    ("这时间咋攒啊，教教我", "earn"),
    ("叫时间银行的，到底是个啥", "earn"),
    ("俺那点钟头用光了，还有人管俺不", "fund"),
    ("能不能先用，往后慢慢还", "fund"),
    ("我瘫在炕上帮不了别人，咋整", "cannot_earn"),
    ("八十多了干不动活，上哪儿挣钟头去", "cannot_earn"),
    ("说好了明天来，我临时不要了，罚不罚", "cancel"),
    ("人不来咋办，我干等一上午", "no_show"),
    ("叫人放鸽子了，钟头还扣不扣", "no_show"),
    ("她说俩钟头，我说一个，对不上听谁的", "differ"),
    ("攒下的搁那儿，过几年会不会作废", "expiry"),
    ("放上十年还算不算数", "expiry"),
    ("等我不在了，剩下的钟头归谁", "inherit"),
    ("能不能转给我闺女", "give"),
    ("俺两口子合一个本行不行", "give"),
    ("我忘了点头，人家的时间是不是就没了", "unanswered"),
    ("两家扯皮的时候哪个来断", "decide"),
    ("我存了多少，别人知道不知道", "books"),
    ("村干部会不会偷偷改账", "chain"),
    ("要是给我记错了呢", "mistake"),
    ("人家来干活，我管不管饭啊", "meals"),
    ("我塞点鸡蛋给人家，算不算收礼", "meals"),
    ("要不要钱啊，我可没钱", "money"),
    ("这些钟头能换成米面不", "money"),
    ("来回路上一个钟头，给不给算", "travel"),
    ("干活的时候摔了，医药费算谁的", "accident"),
    ("把人家的碗打碎了要不要赔", "accident"),
    ("给老人搓背得先培训吧", "training"),
    ("我家孙女十三，小孩能不能跟着干", "minors"),
    ("我都七十六了，岁数大了还能帮人吗", "age"),
    ("大老爷们来伺候我，怪不方便的", "men_women"),
    ("我天天伺候我婆婆，记不记", "kin"),
    ("我娘家是邻村的，能来不", "outsiders"),
    ("一天干到黑，有没有个上限", "limit"),
    ("才干了二十分钟，咋记，凑整不", "minutes"),
    ("给人陪床陪了一宿咋记", "night"),
    ("要人的多，先帮谁后帮谁", "priority"),
    ("两个人一起来，是记两份吧", "two_helpers"),
    ("来的人态度不好，我上哪儿告状", "complaints"),
    ("我也想参加，上哪儿报名", "join"),
    ("我说的话外头听得见不", "recording"),
    ("半夜喊你在不在", "hours"),
    ("我手机丢了可咋办", "phone"),
]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return village_rules()


@pytest.mark.parametrize("question, rule", QUESTIONS)
def test_a_villager_s_question_finds_its_rule(book: Rulebook, question: str, rule: str) -> None:
    assert [found.id for found in meant(question, book)] == [rule]


def test_every_rule_is_asked_for_here(book: Rulebook) -> None:
    assert {rule for _, rule in QUESTIONS} == {rule.id for rule in book.rules}


@pytest.mark.parametrize(
    "question", ["", "。", "今天天气咋样", "你们支书叫啥", "abc {0} %s", "\U00020000" * 400]
)
def test_what_no_rule_answers_finds_none(book: Rulebook, question: str) -> None:
    assert meant(question, book) == []


def test_between_two_close_rules_nobody_guesses(book: Rulebook) -> None:
    two = meant("路上骑车二十分钟，算不算", book)
    assert {rule.id for rule in two} == {"travel", "minutes"}


def test_never_more_than_two_are_offered(book: Rulebook) -> None:
    everything = "".join(word for rule in book.rules for word in rule.asks)
    assert 1 <= len(meant(everything, book)) <= 2


def test_a_rule_is_found_by_the_number_that_is_printed(book: Rulebook) -> None:
    seventh = book.rule(7)
    assert seventh is not None and (seventh.number, seventh.id) == (7, "differ")
    assert book.rule(0) is None and book.rule(len(book.rules) + 1) is None


def test_every_rule_is_short_enough_to_be_heard(book: Rulebook) -> None:
    assert 25 <= len(book.rules) <= 35
    for rule in book.rules:
        for sentence in re.split("[。？！]", rule.text):
            assert len(sentence) <= LONGEST_SENTENCE, rule.id
        assert rule.text.endswith("。") and len(rule.title) <= 12, rule.id


def test_no_keyword_belongs_to_two_rules(book: Rulebook) -> None:
    words = [word for rule in book.rules for word in rule.asks]
    assert sorted(words) == sorted(set(words))


def test_the_rules_say_what_the_code_does(book: Rulebook) -> None:
    says = {rule.id: rule.text for rule in book.rules}
    assert (visits.SAME_ENOUGH, "一刻钟以内，按少的记" in says["differ"]) == (15, True)
    assert (exchange.LONGEST_MINUTES, "十二个小时" in says["limit"]) == (720, True)
    a_day = disputes.TIME_TO_DECIDE.total_seconds(), UNCONFIRMED.total_seconds()
    assert a_day == (86_400, 86_400)
    for rule in ("decide", "no_show", "unanswered", "complaints"):
        assert re.search("一天", says[rule]), rule
    assert {ServiceKind.BATHING} == TRAINED_ONLY and "洗澡" in says["training"]
    assert {ServiceKind.MEALS, ServiceKind.URGENT_HELP} == NEVER_REFUSED
    assert "做饭和急事" in says["fund"]


def written(**changes: object) -> str:
    rule = {"id": "a", "title": "甲", "text": "乙。", "asks": ["丙"]}
    return json.dumps({"version": "1", "valid_from": "2026-12-01", "rules": [rule], **changes})


def test_a_small_rulebook_is_one(book: Rulebook) -> None:
    assert read_rulebook(written()).rules[0].number == 1
    assert read_rulebook(RULEBOOK.read_text("utf-8")) == book
    assert meant("丙", read_rulebook(written(rules=[]))) == []


TWICE = {"id": "a", "title": "甲", "text": "乙。", "asks": []}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        "{}",
        written(rules=[{"id": "a"}]),
        written(rules=[TWICE, TWICE]),
        written(rules=[{**TWICE, "asks": [""]}]),
        written(rules=[{**TWICE, "text": " "}]),
    ],
)
def test_what_is_no_rulebook_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        read_rulebook(wrong)
