"""别记了: recording ends at once, and deleting needs a yes."""

from __future__ import annotations

import pytest

from actions import recordings, talk
from actions.requests import ActionRequestHelp
from actions.timebank import alarm_questions, consents, turns
from actions.timebank.ids import TurnId
from actions.timebank.model import Alert, Consent
from actions.timebank.states import ConsentStep, TurnOutcome
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street


def recorded(street: Street) -> None:
    """王奶奶 said something before, and it was kept."""
    with street.neighbourhood() as hood:
        about = {"turn_id": TurnId("before:1"), "member": hood.wang.id, "now": hood.now}
        turns.begin(hood.session, channel="talk", **about)
        turns.finish(
            hood.session,
            TurnId("before:1"),
            now=hood.now,
            outcome=TurnOutcome.ANSWERED,
            recording_path="day/before.audio",
        )


def kept(street: Street) -> bool:
    with street.neighbourhood() as hood:
        return consents.recordings_kept(hood.session, hood.wang.id)


def to_delete(street: Street) -> list[tuple[TurnId, str]]:
    with street.neighbourhood() as hood:
        return consents.to_delete(hood.session)


def follows(answered: Answered) -> list[str]:
    return [event["name"] for event in answered.events if event["event"] == "followup"]


def revokes(speaker: Speaker) -> Answered:
    return speaker.says("别记了", "revoke_recording").runs(recordings.ActionRevokeRecording)


def test_consent_says_who_hears(street: Street, wang: Speaker) -> None:
    revokes(wang)
    answered = wang.says("录吧", "consent_recording").runs(recordings.ActionConsentRecording)
    assert "只有您、村里的陈干事和调解员听得见" in answered.text and kept(street)


def test_without_staff_nobody_is_named(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    answered = wang.says("录吧").runs(recordings.ActionConsentRecording)
    assert "只有您、村里的干部和调解员听得见" in answered.text


def test_stopping_is_at_once_and_deletes_nothing(street: Street, wang: Speaker) -> None:
    answered = revokes(wang)
    assert answered.responses == ["utter_recording_off"] and not kept(street)


def opens_form(speaker: Speaker) -> Answered:
    return speaker.says("别记了", form="delete_recordings_form").runs(
        recordings.ValidateDeleteRecordingsForm
    )


def test_who_has_no_recordings_is_not_asked_about_them(street: Street, wang: Speaker) -> None:
    assert opens_form(wang).slots == {"delete_sure": False}
    assert wang.runs(recordings.ActionDeleteRecordings).text == ""
    assert street.count(Consent) == 0


@pytest.mark.parametrize("sure", [True, False])
def test_what_was_recorded_goes_only_after_a_yes(street: Street, wang: Speaker, sure: bool) -> None:
    recorded(street)
    revokes(wang)
    assert opens_form(wang).slots == {"delete_sure": None} and to_delete(street) == []
    wang.says("嗯", slots={"delete_sure": sure})
    answered = wang.runs(recordings.ActionDeleteRecordings)
    assert answered.responses == ["utter_recordings_deleted" if sure else "utter_recordings_stay"]
    assert to_delete(street) == ([("before:1", "day/before.audio")] if sure else [])
    assert answered.drops_matter and not kept(street)


def test_without_an_answer_nothing_is_deleted(street: Street, wang: Speaker) -> None:
    recorded(street)
    answered = wang.says("啥").runs(recordings.ActionDeleteRecordings)
    assert answered.text == "" and street.count(Consent) == 0


def asked(street: Street, turn: str) -> None:
    with street.neighbourhood() as hood:
        consents.ask(hood.session, member=hood.wang.id, turn_id=TurnId(turn), now=hood.now)


@pytest.mark.parametrize(
    "intent, action, follow",
    [
        ("affirm", talk.ActionSayYes, "action_consent_recording"),
        ("deny", talk.ActionSayNo, "action_revoke_recording"),
    ],
)
def test_yes_and_no_answer_the_question_also_after_hearing_it_again(
    street: Street, wang: Speaker, intent: str, action: type, follow: str
) -> None:
    wang.says("查时间", "check_balance", turn="talk:1")
    asked(street, "talk:1")
    wang.says("再说一遍", "repeat")
    assert follows(wang.says("嗯", intent).runs(action)) == [follow]


def test_a_yes_to_something_later_is_no_consent(street: Street, wang: Speaker) -> None:
    wang.says("查时间", "check_balance", turn="talk:1")
    asked(street, "talk:1")
    wang.says("查时间", "check_balance")
    assert wang.says("嗯", "affirm").runs(talk.ActionSayYes).responses == [
        "utter_nothing_to_affirm"
    ]
    assert [row.step for row in street.rows(Consent)] == [ConsentStep.ASKED]


def test_a_no_to_the_question_is_no_complaint_about_the_request(
    street: Street, wang: Speaker
) -> None:
    known = {"service_kind": "shopping", "when": "2026-03-03T10:00:00+08:00"}
    wang.says("明天十点买菜", "request_help", slots=known, turn="talk:1").runs(ActionRequestHelp)
    asked(street, "talk:1")
    assert follows(wang.says("不", "deny").runs(talk.ActionSayNo)) == ["action_revoke_recording"]


def test_danger_comes_before_the_question(street: Street, wang: Speaker) -> None:
    wang.says("查时间", "check_balance", turn="talk:1")
    asked(street, "talk:1")
    with street.neighbourhood() as hood:
        about = {"member": hood.wang.id, "turn_id": TurnId("talk:1"), "now": hood.now}
        alarm_questions.ask(hood.session, words="不得劲", **about)
    assert wang.says("嗯", "affirm").runs(talk.ActionSayYes).responses == ["utter_emergency"]
    assert street.count(Alert) == 1
