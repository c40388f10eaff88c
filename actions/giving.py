"""Giving hours away: to whom, how long, read back, and only a clear yes moves them."""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional

from rasa_sdk.events import EventType

from actions import neighbours, receivers, wording
from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.kinship import refuse_for_others
from actions.receivers import FUND, Receiver
from actions.timebank import gifts, ledger
from actions.timebank.errors import NotEnoughMinutes, NotYours
from actions.timebank.ids import AccountId, MemberId

NOT_GIVEN = {"gift_sure": False, "requested_slot": None}
"""Ends the form; `ActionTransferTime` says what came of it."""
HOURS = re.compile(
    r"(?<![\d一二两俩三四五六七八九十])(?P<number>[1-9]|[一二两俩三四五六七八九十])个(?P<half>半)?"
    r"(?=$|[给送捐转吧就的，。！])|(?P<only_half>半)个(?=$|[给送捐转吧就，。！])"
)
"""送两个给陈二嫂: what is given here is counted in hours."""
DIGITS = dict(一=1, 二=2, 两=2, 俩=2, 三=3, 四=4, 五=5, 六=6, 七=7, 八=8, 九=9, 十=10)
ALL, HALF = re.compile("全部|全都|都[给送捐]|所有"), re.compile("一半(?!个)")


class _Gift(NamedTuple):
    """What is known of the gift, before or after the words just said."""

    receiver: Optional[Receiver] = None
    minutes: Optional[int] = None


class ValidateTransferTimeForm(VillageForm):
    """Takes whom and how long out of anything said, in any order, and corrections as well.

    Only a yes to what was read back makes it sure, and not one that brings another number or
    another name along: that is read back again."""

    opened_by = ("transfer_time",)

    def name(self) -> str:
        return "validate_transfer_time_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        if receivers.is_to_herself(talk):
            raise NotYours("hours cannot be fetched from another's account")
        refuse_for_others(talk, only_in_her_place=True)
        gifts.check_spare(talk.session, talk.me, 1)
        slot, asked = talk.tracker.get_slot, self.asked(talk)
        known = _Gift(slot("gift_to"), slot("gift_minutes")) if asked else _Gift()
        between = (slot("gift_between") or []) if asked else []
        people = _people(talk, between, known)
        minutes = _minutes_said(talk)
        nothing_said = not people and minutes is None
        if asked == "gift_sure" and self.yes(talk):
            same_people = not people or known.receiver in people
            if same_people and minutes in (None, known.minutes):
                return {"gift_sure": True}
        if nothing_said and talk.intent == "deny":
            if asked == "gift_sure":
                return {"gift_minutes": None}
            return {"gift_between": None} if between else NOT_GIVEN
        return self._taken(talk, known, people, minutes)

    @staticmethod
    def _taken(
        talk: Talk, known: _Gift, people: List[Receiver], minutes: Optional[int]
    ) -> Dict[str, Any]:
        receiver = known.receiver
        if people:
            receiver = people[0] if len(people) == 1 else None
        if minutes is None:
            minutes = known.minutes
        try:
            gifts.check_spare(talk.session, talk.me, minutes or 0)
        except NotEnoughMinutes as refusal:
            talk.say(wording.refusal_response(refusal), **wording.refusal_facts(refusal))
            minutes = None
        return {
            "gift_to": receiver,
            "gift_between": people[:2] if len(people) > 1 else None,
            "gift_minutes": minutes,
            "gift_sure": None,
        }


class ActionAskGiftTo(VillageAction):
    def name(self) -> str:
        return "action_ask_gift_to"

    def act(self, talk: Talk) -> List[EventType]:
        between = talk.tracker.get_slot("gift_between")
        if between:
            first, second = (receivers.spoken(talk, one) for one in between)
            ids = {"first_id": between[0], "second_id": between[1]}
            talk.say("utter_ask_gift_which", first=first, second=second, **ids)
        elif talk.intent == "deny" or talk.tracker.get_slot("form_tries"):
            talk.say("utter_ask_gift_to_again")
        else:
            talk.say("utter_ask_gift_to_first")
        return []


class ActionAskGiftMinutes(VillageAction):
    def name(self) -> str:
        return "action_ask_gift_minutes"

    def act(self, talk: Talk) -> List[EventType]:
        if talk.intent == "deny":
            talk.say("utter_ask_gift_corrected")
        else:
            whom = receivers.spoken(talk, talk.tracker.get_slot("gift_to"))
            talk.say("utter_ask_gift_minutes_first", whom=whom)
        return []


class ActionAskGiftSure(VillageAction):
    def name(self) -> str:
        return "action_ask_gift_sure"

    def act(self, talk: Talk) -> List[EventType]:
        talk.say(
            "utter_ask_gift_sure_read_back",
            minutes=wording.minutes(int(talk.tracker.get_slot("gift_minutes"))),
            whom=receivers.spoken(talk, talk.tracker.get_slot("gift_to")),
        )
        return []


class ActionTransferTime(VillageAction):
    def name(self) -> str:
        return "action_transfer_time"

    def act(self, talk: Talk) -> List[EventType]:
        sure = talk.tracker.get_slot("gift_sure")
        receiver, minutes = talk.tracker.get_slot("gift_to"), talk.tracker.get_slot("gift_minutes")
        if sure is False:
            talk.say("utter_gift_not_given")
        elif sure and receiver and minutes:
            gifts.give(
                talk.session,
                giver=talk.me,
                receiver=None if receiver == FUND else MemberId(int(receiver)),
                minutes=int(minutes),
                turn_id=talk.turn,
                now=talk.now,
            )
            account = AccountId(ledger.account_of(talk.session, talk.me).id)
            talk.say(
                "utter_gift_given",
                whom=receivers.spoken(talk, receiver),
                minutes=wording.minutes(int(minutes)),
                balance=wording.minutes(ledger.balance(talk.session, account).posted),
            )
        return forget_matter()


def _people(talk: Talk, between: List[int], known: _Gift) -> List[Receiver]:
    """Whom she means by what she just said; empty when she named nobody."""
    if between:
        found = neighbours.chosen(talk, between)
        if found:
            return list(found)
    people = receivers.who_is_meant(talk)
    if len(people) > 1 and known.receiver in people:
        if talk.intent != "deny":
            return [known.receiver]
        return [one for one in people if one != known.receiver]
    return people


def _minutes_said(talk: Talk) -> Optional[int]:
    """The last length said, for who corrects himself says the right one last."""
    said = talk.heard_all("amount_minutes") or talk.heard_all("duration_minutes")
    last = str(said[-1]) if said else ""
    minutes = int(last) if last.isdecimal() and len(last) < 7 else 0
    return minutes or (_minutes_counted(talk) if not said else None)


def _minutes_counted(talk: Talk) -> Optional[int]:
    """两个, 全部 and 一半 of what she can give; None when no such word was said."""
    counted = list(HOURS.finditer(talk.words))
    if counted:
        last = counted[-1]
        if last["only_half"]:
            return 30
        number = last["number"]
        hours = int(number) if number.isdecimal() else DIGITS[number]
        return hours * 60 + (30 if last["half"] else 0)
    if HALF.search(talk.words):
        return gifts.spare(talk.session, talk.me) // 2 or None
    if ALL.search(talk.words):
        return gifts.spare(talk.session, talk.me) or None
    return None
