"""How she is: taken up in her words, and somebody offered once."""

from __future__ import annotations

import re
from typing import List, Optional

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions import alarms
from actions.base import Talk, VillageAction, forget_matter
from actions.reminders import answer_by_words
from actions.safety import take_alarm_back, takes_alarm_back
from actions.timebank import check_ins, wellbeing
from actions.timebank.model import Wellbeing
from actions.timebank.states import ServiceKind

OVER = re.compile(
    r"不[疼痛咳晕昏酸肿麻]|(?:[疼痛咳晕昏酸肿麻]\w{0,2})?(?:好了|好多|好些|轻多)|消肿"
)
"""An ailment that is told as over or nearly so."""
GOOD = re.compile("好|棒|精神|杠杠|能吃|能睡|高兴|舒坦|硬朗")
BAD = re.compile(
    "不好|没好|不太好|睡不|没睡|吃不下|难受|不得劲|不舒|疼|痛|酸|闷|愁|烦|累|咳|晕|昏|肿|麻|血压|血糖"
)
LONELY = re.compile("闷|孤|想[他她娃崽儿孩]|睡不|愁|烦|没人说话")
"""What a neighbour's company helps more than a doctor."""


class ActionReportWellbeing(VillageAction):
    def name(self) -> str:
        return "action_report_wellbeing"

    def act(self, talk: Talk) -> List[EventType]:
        if takes_alarm_back(talk):
            return take_alarm_back(talk)
        if talk.heard_id("alert_id") is not None:
            return alarms.answer_button(talk)
        if alarms.tells_the_end(talk):
            return alarms.ask_end(talk)
        if talk.heard_id("choice") is not None:
            _say_how_she_is(talk, is_well=talk.heard_id("choice") == 1)
            return []
        in_a_form = bool(talk.tracker.active_loop.get("name"))
        if not in_a_form and answer_by_words(talk):
            # 吃了 sounds like how she is and is the answer to 该吃药了.
            return []
        well = _is_well(talk.words)
        symptoms = [] if well else [str(one) for one in talk.heard_all("symptom")]
        wellbeing.report(
            talk.session,
            member=talk.me,
            words=talk.words,
            symptoms=symptoms,
            turn_id=talk.turn,
            now=talk.now,
        )
        if symptoms and in_a_form:
            talk.say("utter_symptom_heard", symptom=symptoms[0])
        elif symptoms:
            response = f"utter_symptom_heard_{_who_could_come(talk.words).value}"
            talk.say(response, symptom=symptoms[0])
        elif well:
            talk.say("utter_wellbeing_good")
        else:
            talk.say("utter_wellbeing_heard")
        return []


def _is_well(words: str) -> bool:
    """Whether these are good news and nothing else."""
    rest = OVER.sub("", words)
    good = rest != words or GOOD.search(words) is not None
    return good and BAD.search(rest) is None


def answer_check_in(talk: Talk, *, is_well: bool) -> bool:
    """Whether a bare yes or no answered 今天身体咋样."""
    asked = check_ins.is_asked(talk.session, talk.me)
    if asked:
        _say_how_she_is(talk, is_well=is_well)
    return asked


def _say_how_she_is(talk: Talk, *, is_well: bool) -> None:
    """An answer without words of her own, by a button or a bare yes or no."""
    unwell = talk.phrase("utter_word_unwell")
    wellbeing.report(
        talk.session,
        member=talk.me,
        words="" if is_well else unwell,
        symptoms=[] if is_well else [unwell],
        turn_id=talk.turn,
        now=talk.now,
    )
    if is_well:
        talk.say("utter_wellbeing_good")
    else:
        talk.say("utter_symptom_heard_escort_medical", symptom=unwell)


def just_asked(talk: Talk) -> bool:
    """Whether the last answer offered that somebody comes."""
    return _offered(talk) is not None


def somebody_shall_come(talk: Talk) -> List[EventType]:
    """She said yes: a request for help whose kind is known."""
    said = _offered(talk)
    if said is None:
        return []
    kind = SlotSet("service_kind", _who_could_come(said.words).value)
    return [*forget_matter(), kind, FollowupAction("request_help_form")]


def _offered(talk: Talk) -> Optional[Wellbeing]:
    said = wellbeing.said_in(talk.session, talk.before.turn)
    if said is None or said.member_id != talk.me or not said.symptoms:
        return None
    return said


def _who_could_come(words: str) -> ServiceKind:
    return ServiceKind.COMPANIONSHIP if LONELY.search(words) else ServiceKind.ESCORT_MEDICAL
