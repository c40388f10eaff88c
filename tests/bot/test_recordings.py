"""别记了: nothing of hers is kept on disk, and what was kept goes when she says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from actions.timebank import alerts, consents
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Consent, Turn
from actions.timebank.states import ConsentStep, TurnOutcome
from bot import recordings
from bot.recordings import delete_revoked
from bot.turn_types import Button
from tests.bot.fakes import tone_wav
from tests.bot.turn_parts import Parlour

CALM = ("您还有一个小时。",)
Step = Callable[..., object]


def step(parlour: Parlour, act: Step, turn: str = "said:1") -> None:
    with parlour.street.village.transaction() as session:
        now = parlour.street.clock()
        act(session, member=parlour.wang, turn_id=TurnId(turn), now=now)


def files(parlour: Parlour) -> list[Path]:
    return [path for path in parlour.recordings.rglob("*") if path.is_file()]


def sweep(parlour: Parlour) -> int:
    return delete_revoked(parlour.street.village, parlour.recordings)


def calm(parlour: Parlour) -> None:
    parlour.dialogue.texts, parlour.dialogue.buttons = CALM, ()
    parlour.dialogue.intent = "check_balance"


def speaks(parlour: Parlour, *turns: str) -> None:
    for turn in turns:
        parlour.speaks(turn=turn)


# Not kept any more


def test_after_no_nothing_is_kept_but_the_hash(parlour: Parlour) -> None:
    step(parlour, consents.revoke)
    sound = tone_wav(1.0)
    answer = parlour.speaks(sound)
    row = parlour.stored()
    assert answer.outcome is TurnOutcome.ANSWERED and files(parlour) == []
    assert row.recording_path is None
    assert row.recording_sha256 == hashlib.sha256(sound).hexdigest()


def test_a_later_yes_keeps_again(parlour: Parlour) -> None:
    step(parlour, consents.revoke)
    step(parlour, consents.give, "said:2")
    parlour.speaks()
    assert len(files(parlour)) == 1


def test_what_another_says_is_kept_all_the_same(parlour: Parlour) -> None:
    with parlour.street.village.transaction() as session:
        zhang = MemberId(parlour.street.member("张秀英"))
        now = parlour.street.clock()
        consents.revoke(session, member=zhang, turn_id=TurnId("said:1"), now=now)
    parlour.speaks()
    assert len(files(parlour)) == 1


# Deleted


def test_her_files_are_deleted_and_their_hashes_stay(parlour: Parlour) -> None:
    speaks(parlour, "talk:1", "talk:2")
    sha = parlour.stored("talk:1").recording_sha256
    assert sweep(parlour) == 0 and len(files(parlour)) == 2
    step(parlour, consents.revoke_and_delete)
    assert sweep(parlour) == 2 and files(parlour) == []
    row = parlour.stored("talk:1")
    assert (row.recording_path, row.recording_sha256) == (None, sha)
    assert sweep(parlour) == 0


def test_a_crash_between_file_and_row_is_made_good(parlour: Parlour) -> None:
    speaks(parlour, "talk:1")
    step(parlour, consents.revoke_and_delete)
    files(parlour)[0].unlink()
    assert sweep(parlour) == 1 and parlour.stored("talk:1").recording_path is None


def test_a_disk_that_refuses_is_tried_again(
    parlour: Parlour, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaks(parlour, "talk:1")
    step(parlour, consents.revoke_and_delete)

    def refuse(*_about: object, **_more: object) -> None:
        raise OSError("read-only")

    with monkeypatch.context() as broken:
        broken.setattr(recordings.Path, "unlink", refuse)
        assert sweep(parlour) == 0
    assert parlour.stored("talk:1").recording_path and len(files(parlour)) == 1
    assert sweep(parlour) == 1 and files(parlour) == []


def test_a_path_that_leads_outside_is_not_followed(parlour: Parlour, tmp_path: Path) -> None:
    speaks(parlour, "talk:1")
    secret = tmp_path / "village.key"
    secret.write_text("key")
    with parlour.street.village.transaction() as session:
        session.get(Turn, "talk:1").recording_path = "../village.key"
    step(parlour, consents.revoke_and_delete)
    assert sweep(parlour) == 0 and secret.exists()


# Asked from time to time


def test_after_some_turns_she_is_asked_once_who_may_hear(parlour: Parlour) -> None:
    calm(parlour)
    speaks(parlour, "talk:1", "talk:2")
    assert "往后还录吗" not in parlour.stored("talk:2").reply
    answer = parlour.speaks(turn="talk:3")
    assert answer.reply.startswith("您还有一个小时。")
    assert "只有您、村里的陈干事和调解员听得见。往后还录吗？" in answer.reply
    assert [one.payload for one in answer.buttons] == ["/consent_recording", "/revoke_recording"]
    row = parlour.street.row(Consent)
    assert (row.step, row.turn_id) == (ConsentStep.ASKED, "talk:3")
    assert "往后还录吗" not in parlour.speaks(turn="talk:4").reply


@pytest.mark.parametrize("busy", ["buttons", "question", "emergency", "alarm", "failed", "typed"])
def test_a_turn_that_asks_or_alarms_is_not_the_time(parlour: Parlour, busy: str) -> None:
    calm(parlour)
    speaks(parlour, "talk:1", "talk:2")
    if busy == "buttons":
        parlour.dialogue.buttons = (Button("对", "/affirm"),)
    elif busy == "question":
        parlour.dialogue.texts = ("啥时候要？您说说。",)
    elif busy == "emergency":
        parlour.dialogue.intent = "emergency"
    elif busy == "alarm":
        step(parlour, partial(alerts.raise_alert, words="我摔了"))
    elif busy == "failed":
        parlour.dialogue.problem = RuntimeError("bug")
    answer = parlour.types("查时间", "talk:3") if busy == "typed" else parlour.speaks(turn="talk:3")
    assert "往后还录吗" not in answer.reply and parlour.street.count(Consent) == 0


def test_without_staff_nobody_is_named(parlour: Parlour) -> None:
    calm(parlour)
    with parlour.street.neighbourhood() as hood:
        hood.staff.is_coordinator = False
    speaks(parlour, "talk:1", "talk:2")
    assert "村里的干部和调解员听得见" in parlour.speaks(turn="talk:3").reply
