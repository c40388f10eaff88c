"""Whether what she says is kept: consent, its end, and the deletion of what there is."""

from __future__ import annotations

import re
from typing import Any, Dict, List

from rasa_sdk.events import EventType

from actions.base import Talk, VillageAction, forget_matter
from actions.forms import VillageForm
from actions.timebank import consents, members


class ActionConsentRecording(VillageAction):
    def name(self) -> str:
        return "action_consent_recording"

    def act(self, talk: Talk) -> List[EventType]:
        consents.give(talk.session, member=talk.me, turn_id=talk.turn, now=talk.now)
        talk.say("utter_recording_on", coordinator=who_hears(talk))
        return []


class ActionRevokeRecording(VillageAction):
    """Keeping ends at once; the form that follows asks whether to delete what there is."""

    def name(self) -> str:
        return "action_revoke_recording"

    def act(self, talk: Talk) -> List[EventType]:
        consents.revoke(talk.session, member=talk.me, turn_id=talk.turn, now=talk.now)
        talk.say("utter_recording_off")
        return []


class ValidateDeleteRecordingsForm(VillageForm):
    """Who has no recordings is not asked whether to delete them."""

    opened_by = ("revoke_recording",)
    yes_again = re.compile("^(?!.*[不没别甭莫]删).*删")

    def name(self) -> str:
        return "validate_delete_recordings_form"

    def check(self, talk: Talk) -> Dict[str, Any]:
        nothing_kept = not consents.has_recordings(talk.session, talk.me)
        if nothing_kept:
            return {"delete_sure": False}
        return {"delete_sure": self.yes(talk) if self.asked(talk) else None}


class ActionDeleteRecordings(VillageAction):
    def name(self) -> str:
        return "action_delete_recordings"

    def act(self, talk: Talk) -> List[EventType]:
        sure = talk.tracker.get_slot("delete_sure")
        if sure is False and consents.has_recordings(talk.session, talk.me):
            talk.say("utter_recordings_stay")
        elif sure:
            consents.revoke_and_delete(
                talk.session, member=talk.me, turn_id=talk.turn, now=talk.now
            )
            talk.say("utter_recordings_deleted")
        return forget_matter()


def just_asked(talk: Talk) -> bool:
    """Whether the last answer ended with the question about recordings."""
    return bool(talk.before.turn) and consents.asked_in(talk.session, talk.me, talk.before.turn)


def who_hears(talk: Talk) -> str:
    staff = members.coordinators(talk.session)
    return staff[0].name if staff else talk.phrase("utter_village_staff")
