"""The composition root decides who may see the list of people, and looks after what is due."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from actions.timebank import alarm_questions, alerts, consents, deadlines, reminders
from actions.timebank.demo import fill_demo_village
from actions.timebank.ids import TurnId
from actions.timebank.model import AlarmStep, Alert, Reminder
from actions.timebank.schema import upgrade
from actions.timebank.states import ReminderState
from bot import app, notifier
from bot.settings import Settings
from tests.bot.turn_parts import Parlour
from tests.small_village import Street
from tests.timebank.builders import MORNING, make_member, make_village


class Mute:
    name = "mute"

    def recognize(self, sound: Any) -> Any:
        raise AssertionError("nobody speaks here")

    synthesize = recognize


def front_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, invented: bool) -> str:
    settings = Settings(_env_file=None, home=tmp_path, clock=MORNING.isoformat(), demo=True)
    upgrade(settings.database)
    village = app.open_village(settings.database, settings.now)
    with village.transaction() as session:
        if invented:
            fill_demo_village(session, now=MORNING)
        else:
            make_village(session, MORNING)
            make_member(session, "真名实姓", now=MORNING)
    monkeypatch.setattr(app, "real_recognizer", lambda _settings: Mute())
    monkeypatch.setattr(app, "real_synthesizer", lambda _settings: Mute())
    with TestClient(app.build_app(settings)) as browser:
        return browser.get("/").text


def test_the_demo_village_lists_its_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "王桂兰" in front_page(tmp_path, monkeypatch, invented=True)


def test_real_people_are_never_listed_even_with_the_demo_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = front_page(tmp_path, monkeypatch, invented=False)
    assert "真名实姓" not in page and "/t/" not in page


def test_the_program_tells_reminders_and_deletes_recordings(
    tmp_path: Path, street: Street, parlour: Parlour
) -> None:
    parlour.speaks(turn="talk:1")
    with street.village.transaction() as session:
        said = {"member": parlour.wang, "turn_id": TurnId("talk:2"), "now": street.clock()}
        reminders.set_reminder(session, words="吃药", due_at=street.clock(), **said)
        consents.revoke_and_delete(session, **said)

    async def look_once() -> None:
        chains = Settings(_env_file=None).chains
        sweep = app.look_after_deadlines(street.village, parlour.recordings, chains)
        looking = asyncio.create_task(sweep)
        while not street.rows(Reminder, state=ReminderState.TOLD) or files_left():
            await asyncio.sleep(0.01)
        looking.cancel()

    def files_left() -> bool:
        return any(path.is_file() for path in parlour.recordings.rglob("*"))

    asyncio.run(asyncio.wait_for(look_once(), timeout=20))


def test_a_bug_elsewhere_does_not_keep_an_alarm_from_climbing(
    tmp_path: Path, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    with street.neighbourhood() as hood:
        about = {"member": hood.wang.id, "turn_id": TurnId("talk:1"), "now": hood.now}
        alerts.raise_alert(hood.session, words="我摔了", **about)

    def broken(*_given: Any, **_more: Any) -> None:
        raise KeyError("a bug")

    for name in ("expire_due", "delete_revoked"):
        monkeypatch.setattr(app, name, broken)
    monkeypatch.setattr(app, "SECONDS_BETWEEN_LOOKS", 0.01)
    chains = Settings(_env_file=None).chains

    async def look_twice() -> None:
        looking = asyncio.create_task(app.look_after_deadlines(street.village, tmp_path, chains))
        for minutes in (3, 5):
            street.clock.pass_time(minutes=minutes)
            before = street.count(AlarmStep)
            while street.count(AlarmStep) == before:
                await asyncio.sleep(0.01)
        looking.cancel()

    asyncio.run(asyncio.wait_for(look_twice(), timeout=20))


def test_a_bug_elsewhere_does_not_keep_her_silence_from_calling_people(
    tmp_path: Path, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    with street.neighbourhood() as hood:
        about = {"member": hood.wang.id, "turn_id": TurnId("talk:1"), "now": hood.now}
        alarm_questions.ask(hood.session, words="不得劲", **about)

    def broken(*_given: Any, **_more: Any) -> None:
        raise KeyError("a bug")

    # One of the many things that the sweep of offers and visits does.
    monkeypatch.setattr(deadlines.coming_visits, "tell_of_coming", broken)
    street.clock.pass_time(minutes=1)
    chains = Settings(_env_file=None).chains

    async def look() -> None:
        looking = asyncio.create_task(app.look_after_deadlines(street.village, tmp_path, chains))
        while not street.count(Alert):
            await asyncio.sleep(0.01)
        looking.cancel()

    asyncio.run(asyncio.wait_for(look(), timeout=5))


def test_waiting_for_the_one_voice_leaves_room_for_a_cry_for_help(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, clock=MORNING.isoformat())
    upgrade(settings.database)
    parts = app.build_parts(settings, recognizer=Mute(), synthesizer=Mute())
    program = app.app_of(parts, demo=False)
    the_voice_is_free = threading.Event()

    async def work() -> None:
        async with program.router.lifespan_context(program):
            told = [asyncio.to_thread(the_voice_is_free.wait, 5) for _ in range(notifier.AT_ONCE)]
            waiting = asyncio.gather(*told)
            await asyncio.sleep(0)
            await asyncio.wait_for(asyncio.to_thread(the_voice_is_free.set), 2)
            await waiting

    asyncio.run(work())
