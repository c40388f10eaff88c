"""Calling off what was asked for, a neighbour's help or a reminder: read back first."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType

from actions import wording
from actions.base import Talk, VillageAction, forget_matter
from actions.family import sent_away
from actions.forms import VillageForm
from actions.kinship import refuse_for_others
from actions.reminders import ask_call_off, call_off, due_time, to_call_off
from actions.requests import changeable_request, changeable_requests, kind_of
from actions.said import moment_meant
from actions.timebank import exchange
from actions.timebank.ids import RequestId
from actions.timebank.model import ServiceRequest


class ValidateCancelRequestForm(VillageForm):
    """A yes that names another time or kind than was read back is no yes to that."""

    opened_by = ("cancel_request",)
    yes_again = re.compile("^(?!.*(?:[不别莫甭]取消|还[要得让叫]|照旧|照常))")

    def name(self) -> str:
        return "validate_cancel_request_form"

    def other_side(self, talk: Talk) -> Optional[str]:
        """不让建国替我办了 calls off no visit."""
        is_new = not self.is_open(talk.tracker)
        return "action_end_delegation" if is_new and sent_away(talk) else None

    def check(self, talk: Talk) -> Dict[str, Any]:
        if not self.is_open(talk.tracker):
            refuse_for_others(talk)
        asked, reminder_id = self.asked(talk), talk.tracker.get_slot("reminder_matter")
        if not asked:
            reminder = to_call_off(talk, open_requests=bool(changeable_requests(talk)))
            reminder_id = reminder.id if reminder else None
        sure = self.yes(talk) if asked else None
        if reminder_id is not None:
            if sure and not _is_time_of(talk, due_time(talk, reminder_id)):
                sure = None
            return {"matter_id": None, "reminder_matter": reminder_id, "cancel_sure": sure}
        request = changeable_request(talk)
        if sure and not _is_about(talk, request):
            sure = None
        return {"matter_id": request.id, "reminder_matter": None, "cancel_sure": sure}


class ActionAskCancelSure(VillageAction):
    def name(self) -> str:
        return "action_ask_cancel_sure"

    def act(self, talk: Talk) -> List[EventType]:
        reminder_id = talk.tracker.get_slot("reminder_matter")
        if reminder_id is not None:
            ask_call_off(talk, reminder_id)
            return []
        request = changeable_request(talk)
        when = wording.moment(request.starts_at)
        talk.say("utter_ask_cancel_sure", when=when, kind=kind_of(talk, request))
        return []


class ActionCancelRequest(VillageAction):
    def name(self) -> str:
        return "action_cancel_request"

    def act(self, talk: Talk) -> List[EventType]:
        sure = talk.tracker.get_slot("cancel_sure")
        reminder_id = talk.tracker.get_slot("reminder_matter")
        if sure is False:
            talk.say("utter_request_kept")
        elif sure and reminder_id is not None:
            call_off(talk, reminder_id)
        elif sure:
            request = exchange.cancel_request(
                talk.session,
                by=talk.me,
                request_id=RequestId(changeable_request(talk).id),
                now=talk.now,
            )
            when = wording.moment(request.starts_at)
            talk.say("utter_request_cancelled", when=when, kind=kind_of(talk, request))
        return forget_matter()


def _is_about(talk: Talk, request: ServiceRequest) -> bool:
    """Whether no other kind and no other time was just said than this request's."""
    kind = talk.meant("service_kind")
    is_kind = kind is None or kind == request.service_kind.value
    return is_kind and _is_time_of(talk, request.starts_at)


def _is_time_of(talk: Talk, known: datetime) -> bool:
    """Whether no other time was just said than the known one; 明天 alone is any hour of it."""
    iso = wording.moment(known)
    said = moment_meant(talk.tracker.latest_message, before=iso)
    return said is None or datetime.fromisoformat(said) == datetime.fromisoformat(iso)
