"""Being told something at its time: asked for, answered, and called off."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Dict, List, Mapping, Optional, Sequence

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.said import facts_meant
from actions.timebank import queries, reminders
from actions.timebank.ids import ReminderId
from actions.timebank.model import Reminder

DAILY = re.compile("每天|天天|每日|日日|每晚|每早|见天")
MEDICINE = re.compile("药|胰岛素|打针|吸氧")
FRAME = re.compile(
    "(?:叫|喊|提醒|催)[我俺](?:一声|一下|一回|着)?(?P<what>[\u4e00-\u9fff]{2,12})[。，！!,.]?"
)
"""叫我吃药: what stands alone at the end behind the frame."""
NOT_HER_DEED = re.compile("[我俺你您他她咱今明后点]|一声|一下")
"""With such words in it, what follows the frame is no bare deed; her whole words are safer."""
HEARD_IT = re.compile("知道|晓得|听见|明白|[过了]$")
"""知道了, 吃了, 关过了."""
JOINS = re.compile("(?:[跟和同与再又也各、，, ]|还有|以及)*")
FARTHEST_MINUTES = 7 * 24 * 60


class ValidateReminderForm(VillageForm):
    opened_by = ("set_reminder",)

    def name(self) -> str:
        return "validate_reminder_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        whens = _moments(talk)
        if not whens:
            return {"reminder_when": None}
        ahead = sorted({when for when in whens if when >= talk.now})
        if not ahead:
            talk.say("utter_reminder_when_past")
            return {"reminder_when": None}
        return {"reminder_when": [wording.moment(when) for when in ahead]}


class ActionSetReminder(VillageAction):
    def name(self) -> str:
        return "action_set_reminder"

    def act(self, talk: Talk) -> List[EventType]:
        whens = talk.tracker.get_slot("reminder_when")
        if not whens:
            return forget_matter()
        said = str(talk.tracker.get_slot("reminder_words") or talk.words)
        deed = bare_deed(said)
        made = reminders.set_reminders(
            talk.session,
            member=talk.me,
            words=deed or said,
            due_times=[datetime.fromisoformat(when) for when in whens],
            turn_id=talk.turn,
            now=talk.now,
            repeats_daily=DAILY.search(said) is not None,
            is_medicine=MEDICINE.search(said) is not None,
        )
        daily = "_daily" if made[0].repeats_daily else ""
        whole = "" if deed else "_in_her_words"
        told = talk.phrase("utter_and").join(wording.moment(one.due_at) for one in made)
        talk.say(f"utter_reminder_set{daily}{whole}", when=told, words=made[0].words)
        return forget_matter()


def bare_deed(said: str) -> Optional[str]:
    """What is to be done, without the frame around it; None when that is not quite certain."""
    framed = FRAME.search(said.rstrip("。，！ "))
    if framed is None or NOT_HER_DEED.search(framed["what"]):
        return None
    return framed["what"]


def answer_by_button(talk: Talk) -> bool:
    """Whether the button of a reminder was pressed; then it is answered."""
    button = talk.heard_id("reminder_id")
    if button is not None:
        _answer(talk, ReminderId(button))
    return button is not None


def answer_by_words(talk: Talk) -> bool:
    """Whether 知道了 or 吃了 answered a reminder that was told."""
    told = reminders.unanswered(talk.session, talk.me)
    if not told or not HEARD_IT.search(talk.words.strip("。，！ ")):
        return False
    _answer(talk, ReminderId(told[0].id))
    return True


def answer_by_yes(talk: Talk) -> bool:
    """Whether a bare yes answered a reminder: it was told after anything else was asked."""
    reminder = newest_question(talk)
    if reminder is not None:
        _answer(talk, ReminderId(reminder.id))
    return reminder is not None


def newest_question(talk: Talk) -> Optional[Reminder]:
    """The reminder told last, if no task was offered since; None when there is none."""
    told = reminders.unanswered(talk.session, talk.me)
    offers = queries.pending_offers(talk.session, talk.me)
    if told and all(offer.offered_at <= told[0].told_at for offer in offers):
        return told[0]
    return None


def to_call_off(talk: Talk, *, open_requests: bool) -> Optional[Reminder]:
    """The reminder that is not wanted any more: of the time said, else the last asked for; None
    when she means a request for help."""
    if open_requests and talk.phrase("utter_word_reminder") not in talk.words:
        return None
    ahead = reminders.alive(talk.session, talk.me)
    if not ahead:
        return None
    said = talk.heard("when")
    when = datetime.fromisoformat(said) if said else None
    return next((one for one in ahead if one.due_at == when), ahead[0])


def ask_call_off(talk: Talk, reminder_id: int) -> None:
    reminder = reminders.reminder_of(talk.session, talk.me, ReminderId(reminder_id))
    talk.say("utter_ask_reminder_off", **_facts(reminder))


def due_time(talk: Talk, reminder_id: int) -> datetime:
    return reminders.reminder_of(talk.session, talk.me, ReminderId(reminder_id)).due_at


def call_off(talk: Talk, reminder_id: int) -> None:
    reminders.cancel(
        talk.session, member=talk.me, reminder_id=ReminderId(reminder_id), now=talk.now
    )
    talk.say("utter_reminder_off")


def _answer(talk: Talk, reminder_id: ReminderId) -> None:
    reminders.answer(talk.session, member=talk.me, reminder_id=reminder_id, now=talk.now)
    talk.say("utter_reminder_answered")


def _moments(talk: Talk) -> List[datetime]:
    """The times that were said, or so long from now as was said; of times that stand apart
    (今晚提醒我明天打电话) the last."""
    slot = talk.tracker.get_slot("reminder_when")
    said = [one for one in facts_meant(talk.tracker.latest_message) if one["entity"] == "when"]
    if isinstance(slot, list) and not said:
        return [datetime.fromisoformat(one) for one in slot]
    if isinstance(slot, str) and len(said) < 2:
        return [datetime.fromisoformat(slot)]
    if said:
        together = said if _in_one_breath(talk.words, said) else said[-1:]
        return [datetime.fromisoformat(str(one["value"])) for one in together]
    if isinstance(slot, (int, float)) and 1 <= int(slot) <= FARTHEST_MINUTES:
        return [talk.now + timedelta(minutes=int(slot))]
    return []


def _in_one_breath(words: str, whens: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing but 跟 or 和 stands between each time and the next."""
    places = [(one.get("start"), one.get("end")) for one in whens]
    return all(
        end is not None and start is not None and JOINS.fullmatch(words[end:start])
        for (_, end), (start, _) in pairwise(places)
    )


def _facts(reminder: Reminder) -> Dict[str, Any]:
    return {"when": wording.moment(reminder.due_at), "words": reminder.words}
