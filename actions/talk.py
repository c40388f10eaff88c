"""Words that work everywhere: yes, no, again, slower, louder, stop, back, a person please."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions import alarms, declining, family, policy, recordings, reminders, wellbeing
from actions.base import HEAR_AGAIN, Talk, VillageAction, forget_matter, leave_form
from actions.repair import carry_out, is_guess_open
from actions.requests import corrects_request, whole
from actions.safety import (
    all_is_well,
    answer_no,
    call_people,
    is_alarm_asked,
    is_all_well_asked,
    take_alarm_back,
    takes_alarm_back,
)
from actions.tasks import accept, claimed_just_now, correct_claim, decline, newest
from actions.timebank import alerts, members, queries


class ActionGreet(VillageAction):
    def name(self) -> str:
        return "action_greet"

    def act(self, talk: Talk) -> List[EventType]:
        talk.say("utter_greet", name=talk.speaker.name)
        return []


class ActionSayYes(VillageAction):
    """A bare yes answers what was asked last, danger before all: a guess or what was asked at the
    end of an answer, else the newest thing that a notice asked of this person."""

    def name(self) -> str:
        return "action_say_yes"

    def act(self, talk: Talk) -> List[EventType]:
        if family.answer_by_button(talk, yes=True):
            return []
        if is_all_well_asked(talk):
            return call_people(talk) if talk.heard("symptom") else all_is_well(talk)
        if takes_alarm_back(talk):
            return take_alarm_back(talk)
        if is_alarm_asked(talk):
            return call_people(talk)
        if is_guess_open(talk):
            return carry_out(talk)
        if recordings.just_asked(talk):
            return [FollowupAction("action_consent_recording")]
        if wellbeing.just_asked(talk):
            return wellbeing.somebody_shall_come(talk)
        delegated = family.answer_by_word(talk, yes=True)
        if delegated is not None:
            return delegated
        if alarms.is_end_asked(talk):
            return alarms.end_alarm(talk)
        if alarms.tells_the_end(talk):
            return alarms.ask_end(talk)
        alarm = alarms.to_take(talk)
        if alarm is not None:
            alarms.take(talk, alarm)
            return []
        if declining.wish_asked(talk):
            return declining.grant_wish(talk)
        if reminders.answer_by_yes(talk):
            return []
        offers = queries.pending_offers(talk.session, talk.me)
        if offers:
            return accept(talk, newest(offers))
        if queries.visits_to_confirm(talk.session, talk.me, now=talk.now):
            return [FollowupAction("confirm_visit_form")]
        if wellbeing.answer_check_in(talk, is_well=True):
            return []
        asked_again = family.ask_again(talk)
        if asked_again is not None:
            return asked_again
        talk.say("utter_nothing_to_affirm")
        return []


class ActionSayNo(VillageAction):
    """A bare no: no danger, a wrong guess, no to what was asked at the end of an answer, a false
    alarm taken back, an offer declined, or a claim that is not right."""

    def name(self) -> str:
        return "action_say_no"

    def act(self, talk: Talk) -> List[EventType]:
        if family.answer_by_button(talk, yes=False):
            return []
        if takes_alarm_back(talk):
            return take_alarm_back(talk)
        if is_all_well_asked(talk):
            return call_people(talk)
        if is_alarm_asked(talk):
            return answer_no(talk)
        if is_guess_open(talk):
            return [SlotSet("guess", None), FollowupAction("action_repair")]
        if declining.wish_asked(talk):
            talk.say("utter_still_asked")
            return []
        if claimed_just_now(talk):
            return correct_claim(talk, whole(talk.meant("duration_minutes")))
        if corrects_request(talk):
            return [FollowupAction("change_request_form")]
        # Before the alarm: a no to another question must not send away who is on the way.
        if recordings.just_asked(talk):
            return [FollowupAction("action_revoke_recording")]
        if wellbeing.just_asked(talk):
            talk.say("utter_nobody_shall_come")
            return []
        delegated = family.answer_by_word(talk, yes=False)
        if delegated is not None:
            return delegated
        made = talk.before.slots.get("made_request")
        if made is not None:
            talk.say("utter_ask_what_is_wrong")
            return [SlotSet("made_request", made)]
        if alerts.alert_lately_raised(talk.session, talk.me, now=talk.now) is not None:
            alerts.withdraw_alert(talk.session, member=talk.me, turn_id=talk.turn, now=talk.now)
            talk.say("utter_emergency_closed")
            return []
        if alarms.is_end_asked(talk):
            talk.say("utter_alarm_goes_on")
            return []
        if alarms.tells_the_end(talk):
            return alarms.ask_end(talk)
        alarm = alarms.to_take(talk)
        if alarm is not None:
            alarms.decline(talk, alarm, reason="")
            return []
        if reminders.newest_question(talk) is not None:
            talk.say("utter_reminder_told_again")
            return []
        offers = queries.pending_offers(talk.session, talk.me)
        if offers:
            return decline(talk, newest(offers))
        if queries.visits_to_confirm(talk.session, talk.me, now=talk.now):
            return [FollowupAction("confirm_visit_form")]
        if wellbeing.answer_check_in(talk, is_well=False):
            return []
        talk.say("utter_nothing_to_deny")
        return []


class ActionUnsure(VillageAction):
    def name(self) -> str:
        return "action_unsure"

    def act(self, talk: Talk) -> List[EventType]:
        if is_alarm_asked(talk):
            return call_people(talk)
        talk.say("utter_unsure")
        return []


class ActionInform(VillageAction):
    """A bare fact that answers no question of ours is said back with two choices."""

    def name(self) -> str:
        return "action_inform"

    def act(self, talk: Talk) -> List[EventType]:
        if is_alarm_asked(talk):
            return call_people(talk)
        if reminders.answer_by_button(talk):
            return []
        if alarms.tells_the_end(talk):
            return alarms.ask_end(talk)
        for_elder = family.answer_whose(talk)
        if for_elder is not None:
            return for_elder
        if corrects_request(talk):
            return [FollowupAction("change_request_form")]
        minutes = whole(talk.meant("duration_minutes"))
        if claimed_just_now(talk) and minutes is not None:
            return correct_claim(talk, minutes)
        if reminders.answer_by_words(talk) or policy.answer_by_choice(talk):
            return []
        talk.say("utter_inform_without_question", words=talk.words[:20])
        return forget_matter()


class ActionOutOfScope(VillageAction):
    """What 小帮 cannot do is said with what it can; a swindle that one hears of is named as one
    (rule 25)."""

    def name(self) -> str:
        return "action_out_of_scope"

    def act(self, talk: Talk) -> List[EventType]:
        if talk.heard("swindle"):
            talk.say("utter_beware_of_swindlers", coordinator=talk.coordinator())
        else:
            talk.say("utter_out_of_scope")
        return []


class ActionRepeat(VillageAction):
    def name(self) -> str:
        return "action_repeat"

    def act(self, talk: Talk) -> List[EventType]:
        say_again(talk)
        return []


class ActionSlowDown(VillageAction):
    def name(self) -> str:
        return "action_slow_down"

    def act(self, talk: Talk) -> List[EventType]:
        before = talk.speaker.pace
        after = members.set_pace(talk.session, member=talk.me, by=-members.PACE_STEP)
        talk.say("utter_slower" if after < before else "utter_slowest")
        say_again(talk)
        return []


class ActionLouder(VillageAction):
    def name(self) -> str:
        return "action_louder"

    def act(self, talk: Talk) -> List[EventType]:
        before = talk.speaker.gain
        after = members.set_gain(talk.session, member=talk.me, by=members.GAIN_STEP)
        talk.say("utter_louder" if after > before else "utter_loudest")
        say_again(talk)
        return []


class ActionStop(VillageAction):
    def name(self) -> str:
        return "action_stop"

    def act(self, talk: Talk) -> List[EventType]:
        talk.say("utter_stopped")
        return leave_form()


class ActionGoBack(VillageAction):
    def name(self) -> str:
        return "action_go_back"

    def act(self, talk: Talk) -> List[EventType]:
        talk.say("utter_gone_back")
        return leave_form()


class ActionTalkToHuman(VillageAction):
    def name(self) -> str:
        return "action_talk_to_human"

    def act(self, talk: Talk) -> List[EventType]:
        named = family.named_by_her(talk)
        if named is not None:
            return named
        talk.call_back()
        talk.say("utter_staff_told", coordinator=talk.coordinator())
        return []


def say_again(talk: Talk) -> None:
    """Repeats what was last answered, with its buttons. Inside a form that is its question,
    which the form asks again by itself."""
    if talk.tracker.active_loop.get("name"):
        return
    said = last_answer(talk.tracker)
    for message in said:
        talk.dispatcher.utter_message(
            text=message["text"], buttons=(message.get("data") or {}).get("buttons")
        )
    if not said:
        talk.say("utter_nothing_to_repeat")


def last_answer(tracker: Tracker) -> List[Dict[str, Any]]:
    """What was last said to the person about the matter, in order: not the 好，我慢点说 of an
    earlier wish to hear it again."""
    said: List[Dict[str, Any]] = []
    turns_ended = 0
    for event in reversed(tracker.events):
        if event["event"] == "bot" and event.get("text") and turns_ended:
            said.append(event)
        elif event["event"] == "user":
            intent = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
            if said and intent not in HEAR_AGAIN:
                break
            said = []
            turns_ended += 1
    return list(reversed(said))
