"""What every Rasa action here shares: one utterance, one transaction, one kind answer."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, Dict, List, Mapping, Optional

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict
from sqlalchemy.orm import Session

from actions import wording
from actions.said import value_meant
from actions.timebank import alerts, deeds, members
from actions.timebank.clock import clock_at
from actions.timebank.errors import Refusal, UnknownMember
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Member
from actions.timebank.session import Village, open_village

FORM_SLOTS = (
    "matter_id",
    "service_kind",
    "when",
    "help_minutes",
    "wanted_person",
    "story",
    "cancel_sure",
    "visit_minutes",
    "visit_sure",
    "no_show_sure",
    "worked_minutes",
    "more_needs",
    "sound_alike",
    "gift_to",
    "gift_between",
    "gift_minutes",
    "gift_sure",
    "rating_stars",
    "rating_words",
    "offered_kinds",
    "offered_times",
    "form_tries",
    "reminder_when",
    "reminder_words",
    "reminder_matter",
    "delete_sure",
    "for_elder",
)
"""Slots that belong to one matter and are emptied when it is settled or dropped."""

ANSWER_SLOTS = (
    "guess",
    "made_request",
    "all_well_asked",
    "alarm_end",
    "delegation_asked",
    "whose",
    "claimed_task",
    "wish_asked",
)
"""Slots that belong to the answer that set them, see `Before.slots`."""

HEAR_AGAIN = ("repeat", "slow_down", "louder")
"""Wishes about how the last answer is said, not about anything new."""

_village: Optional[Village] = None


def village_of_this_process() -> Village:
    """The database that `XIAOBANG_DATABASE_URL` names, opened at the first call: Rasa makes its
    actions itself, so this is their composition root. Tests use `act_for`."""
    global _village
    if _village is None:
        clock = clock_at(os.environ.get("XIAOBANG_CLOCK"))
        _village = open_village(os.environ["XIAOBANG_DATABASE_URL"], clock)
    return _village


def act_for(village: Optional[Village]) -> None:
    """From now on the actions of this process act for the given village."""
    global _village
    _village = village


@dataclass(frozen=True)
class Before:
    """The utterance before the present one; empty when there was none."""

    intent: str = ""
    turn: str = ""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """What its answer set."""


@dataclass(frozen=True)
class Talk:
    """One call of an action: who speaks, what was just said, and how to answer."""

    session: Session
    now: datetime
    tracker: Tracker
    dispatcher: CollectingDispatcher
    domain: DomainDict
    speaker: Member

    @property
    def me(self) -> MemberId:
        return MemberId(self.speaker.id)

    @property
    def turn(self) -> TurnId:
        """The channel's id of this utterance; without one (rasa shell) Rasa's own."""
        message = self.tracker.latest_message
        metadata = message.get("metadata") or {}
        return TurnId(str(metadata.get("turn_id") or f"rasa:{message.get('message_id')}"))

    @property
    def recording(self) -> Optional[str]:
        """SHA-256 of what was recorded, for confirmations; None when it was typed."""
        return (self.tracker.latest_message.get("metadata") or {}).get("recording_sha256")

    @property
    def words(self) -> str:
        return str(self.tracker.latest_message.get("text") or "")

    @property
    def intent(self) -> str:
        return str((self.tracker.latest_message.get("intent") or {}).get("name") or "")

    @property
    def matter(self) -> Optional[int]:
        """The request that the open form asked about, so that its answer falls on no other."""
        return self.tracker.get_slot("matter_id")

    def heard(self, entity: str) -> Any:
        """The first value of an entity in what was just said, or None."""
        return next(self.tracker.get_latest_entity_values(entity), None)

    def meant(self, entity: str) -> Any:
        """The last value that was not taken back in the same breath (不对，是后天), or None."""
        return value_meant(self.tracker.latest_message, entity)

    def set_right(self, slot: str, entity: str) -> Dict[str, Any]:
        """The slot with the value that was meant, when it was just filled with one that was taken
        back in the same breath; nothing when it holds the right one."""
        heard, meant = self.heard_all(entity), self.meant(entity)
        just_filled = bool(heard) and self.tracker.get_slot(slot) == heard[-1]
        return {slot: meant} if just_filled and meant != heard[-1] else {}

    def heard_id(self, entity: str) -> Optional[int]:
        """A number carried by a button; None when there is none or it is no number."""
        value = str(self.heard(entity) or "")
        return int(value) if value.isdecimal() and len(value) < 10 else None

    def heard_all(self, entity: str) -> List[Any]:
        return list(self.tracker.get_latest_entity_values(entity))

    @property
    def before(self) -> Before:
        """What she said before this, whose answer she may be answering now: a wish to hear that
        answer again leaves its question open, the end of a session closes it."""
        slots: Dict[str, Any] = {}
        is_before = False
        for event in reversed(self.tracker.events):
            if event["event"] == "session_started":
                break
            if event["event"] == "slot" and is_before:
                slots.setdefault(event["name"], event["value"])
            if event["event"] == "user":
                intent = str(
                    ((event.get("parse_data") or {}).get("intent") or {}).get("name") or ""
                )
                if is_before and intent not in HEAR_AGAIN:
                    turn = str((event.get("metadata") or {}).get("turn_id") or "")
                    return Before(intent, turn, slots)
                is_before = True
        return Before()

    def call_back(self, words: Optional[str] = None) -> None:
        """Asks the staff to call the speaker back about what was just said, or about these words;
        with the turn they find what was recorded. Raises NoCoordinator."""
        alerts.call_back(
            self.session,
            member=self.me,
            words=words or self.words,
            turn_id=self.turn,
            now=self.now,
        )

    def say(self, response: str, **facts: Any) -> None:
        self.dispatcher.utter_message(response=response, **facts)

    def phrase(self, response: str, **facts: Any) -> str:
        return wording.phrase(self.domain, response, **facts)

    def coordinator(self) -> str:
        """The name of who is called when a person is needed."""
        staff = members.coordinators(self.session)
        return staff[0].name if staff else self.phrase("utter_village_office")


class VillageAction(Action, ABC):
    """A Rasa action that does one thing in one transaction and may be refused."""

    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def act(self, talk: Talk) -> List[EventType]:
        """Calls one function of the time bank and says what came of it."""

    def refused(self, refusal: Refusal, talk: Talk) -> List[EventType]:
        """What happens after a refusal was spoken: the matter is dropped."""
        return forget_matter()

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> List[EventType]:
        def act_once(talk: Talk) -> List[EventType]:
            deed = deeds.done_before(talk.session, talk.turn, self.name())
            if deed is not None:
                dispatcher.messages.extend(deed.messages)
                return list(deed.events)
            events = self.act(talk)
            deeds.remember(
                talk.session,
                turn_id=talk.turn,
                action=self.name(),
                messages=dispatcher.messages,
                events=events,
                now=talk.now,
            )
            return events

        return in_village(dispatcher, tracker, domain, act_once, self.refused)


def in_village(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: DomainDict,
    act: Callable[[Talk], List[EventType]],
    refused: Callable[[Refusal, Talk], List[EventType]],
) -> List[EventType]:
    """Runs `act` as one unit of work; a refusal undoes it and is told to the speaker."""
    village = village_of_this_process()
    try:
        with village.transaction() as session:
            return act(_talk(session, village, dispatcher, tracker, domain))
    except Refusal as refusal:
        dispatcher.messages.clear()
        if isinstance(refusal, UnknownMember):
            dispatcher.utter_message(response=wording.refusal_response(refusal))
            return forget_matter()
        with village.transaction() as session:
            talk = _talk(session, village, dispatcher, tracker, domain)
            facts = wording.refusal_facts(refusal, coordinator=talk.coordinator())
            talk.say(wording.refusal_response(refusal), **facts)
            return refused(refusal, talk)


def _talk(
    session: Session,
    village: Village,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: DomainDict,
) -> Talk:
    sender = tracker.sender_id
    if not sender.isdecimal():
        raise UnknownMember(f"sender {sender!r} is no member id")
    speaker = members.member(session, MemberId(int(sender)))
    return Talk(session, village.clock(), tracker, dispatcher, domain, speaker)


def forget_matter() -> List[EventType]:
    """Empties what belonged to one matter, so that the next one starts afresh."""
    return [SlotSet(slot, None) for slot in FORM_SLOTS]


def leave_form() -> List[EventType]:
    return [ActiveLoop(None), SlotSet("requested_slot", None), *forget_matter()]
