"""How the time bank works: answered in the words of the village's rulebook."""

from __future__ import annotations

import re
from typing import List

from rasa_sdk.events import EventType

from actions import who_looked
from actions.base import Talk, VillageAction
from actions.timebank.rulebook import Rule, meant, village_rules

ASKS_VERSION = re.compile("版|(?:哪年|几时|啥时候|什么时候)(?:定|起|开始)")


class ActionAskPolicy(VillageAction):
    def name(self) -> str:
        return "action_ask_policy"

    def act(self, talk: Talk) -> List[EventType]:
        if who_looked.is_asked(talk.words):
            who_looked.answer(talk)
            return []
        book = village_rules()
        chosen = book.rule(talk.heard_id("rule_number") or 0)
        rules = [chosen] if chosen else meant(talk.words, book)
        if ASKS_VERSION.search(talk.words):
            talk.say("utter_policy_version", version=book.version, day=book.valid_from)
        elif rules:
            _say(talk, rules)
        else:
            talk.call_back()
            talk.say("utter_policy_unknown", coordinator=talk.coordinator())
        return []


def answer_by_choice(talk: Talk) -> bool:
    """Whether a bare word (过期) chose between the two rules that were just asked about."""
    if talk.before.intent != "ask_policy":
        return False
    rules = meant(talk.words, village_rules())
    if rules:
        _say(talk, rules)
    return bool(rules)


def _say(talk: Talk, rules: List[Rule]) -> None:
    first, *others = rules
    if not others:
        talk.say("utter_policy_rule", number=first.number, rule=first.text)
        return
    talk.say(
        "utter_policy_which",
        first=first.title,
        first_number=first.number,
        second=others[0].title,
        second_number=others[0].number,
    )
