"""Rasa's real policies with the real actions: whatever is said in a form, the turn ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.base import act_for
from actions.timebank.model import Alert
from actions.timebank.states import AlertState
from bot.prepare import rasa_environment, train
from bot.settings import HOUSE, Settings
from tests.small_village import Street, build_village

pytestmark = pytest.mark.rasa

FORMS = {
    "request_help": "request_help_form",
    "change_request": "change_request_form",
    "set_reminder": "reminder_form",
    "transfer_time": "transfer_time_form",
    "offer_help": "offer_help_form",
    "cancel_request": "cancel_request_form",
    "report_no_show": "no_show_form",
    "rate_service": "rate_service_form",
    "confirm_service": "confirm_visit_form",
    "complete_task": "complete_task_form",
}
MOST_AT_ONCE = 2
"""What is said in one turn: why it is asked again, and the question."""


class Mind:
    """A Rasa agent whose actions run in this process."""

    def __init__(self, model: Path) -> None:
        from rasa.core.agent import Agent
        from rasa.utils.endpoints import EndpointConfig
        from rasa_sdk.executor import ActionExecutor

        executor = ActionExecutor()
        executor.register_package("actions")

        class Here(EndpointConfig):
            async def request(self, json: Any = None, **_more: Any) -> Any:
                return await executor.run(json)

        self._agent = Agent.load(str(model), action_endpoint=Here("http://here"))
        self._turns = 0

    def say(self, member: int, text: str) -> tuple[list[str], str | None]:
        """What is answered, and which form is open then."""
        from rasa.core.channels import CollectingOutputChannel, UserMessage

        self._turns += 1
        out = CollectingOutputChannel()
        about = {"turn_id": f"loop:{self._turns}"}

        async def turn() -> str | None:
            await self._agent.handle_message(UserMessage(text, out, str(member), metadata=about))
            tracker = await self._agent.tracker_store.retrieve(str(member))
            return tracker.active_loop_name if tracker else None

        form = asyncio.run(turn())
        return [one["text"] for one in out.messages if one.get("text")], form


@pytest.fixture(scope="module")
def model() -> Iterator[Path]:
    """Trained on the present rules; another one may be named, since intents are given here."""
    given = os.environ.get("XIAOBANG_TEST_MODEL")
    settings = Settings(home=HOUSE / "build" / "test-home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rasa_environment(settings).items():
            patch.setenv(name, value)
        yield Path(given) if given else train(settings, print)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    build_village(tmp_path / "original.db")
    street = Street.copied(tmp_path / "original.db", tmp_path / "village.db")
    act_for(street.village)
    yield street
    act_for(None)
    street.village.engine.dispose()


@pytest.fixture
def mind(model: Path, street: Street) -> Mind:
    return Mind(model)


def furnish(street: Street, intent: str) -> str:
    """What the form needs to stay open; gives who speaks."""
    with street.neighbourhood() as hood:
        if intent == "rate_service":
            hood.visited(30)
            return "王奶奶"
        request = hood.ask(minutes=30)
        assignment = hood.accepted(request)
        if intent == "confirm_service":
            hood.claim(assignment, 30)
    if intent == "report_no_show":
        street.clock.pass_time(days=1, minutes=20)
    return "张秀英" if intent == "complete_task" else "王奶奶"


ANSWERS = ("inform", "affirm", "deny", "unsure", "nlu_fallback", "own", "no_intent_of_ours")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("intent", FORMS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_is_said_in_a_form_the_turn_ends(
    street: Street, mind: Mind, intent: str, answer: str
) -> None:
    who = street.member(furnish(street, intent))
    said, form = mind.say(who, f"/{intent}")
    assert said and form == FORMS[intent]
    for _ in range(4):
        said, form = mind.say(who, f"/{intent if answer == 'own' else answer}")
        assert 1 <= len(said) <= MOST_AT_ONCE, said
        if form is None:
            return
    # What was not even an intent is counted by the channel, which has no part in this.
    assert answer == "no_intent_of_ours", "asked without end"


@pytest.mark.timeout(120)
def test_an_alarm_is_taken_and_ended_by_its_buttons(street: Street, mind: Mind) -> None:
    wang, zhang = street.member("王奶奶"), street.member("张秀英")
    mind.say(wang, "/emergency")
    about = f'"alert_id": "{street.row(Alert).id}"'
    for button, state in (
        (f"/accept_task{{{about}}}", AlertState.TAKEN),
        (f"/decline_task{{{about}}}", AlertState.RAISED),
        (f"/accept_task{{{about}}}", AlertState.TAKEN),
        (f'/report_wellbeing{{{about}, "choice": "2"}}', AlertState.RAISED),
        (f'/report_wellbeing{{{about}, "choice": "1"}}', AlertState.CLOSED),
    ):
        said, form = mind.say(zhang, button)
        assert len(said) == 1 and form is None
        assert street.row(Alert).state is state, button


@pytest.mark.timeout(120)
def test_done_with_an_alarm_is_read_back_and_asks_for_no_minutes(
    street: Street, mind: Mind
) -> None:
    mind.say(street.member("王奶奶"), "/emergency")
    zhang = street.member("张秀英")
    for said_intent, state in (
        ("accept_task", AlertState.TAKEN),
        ("start_task", AlertState.TAKEN),
        ("complete_task", AlertState.TAKEN),
        ("affirm", AlertState.CLOSED),
    ):
        said, form = mind.say(zhang, f"/{said_intent}")
        assert len(said) == 1 and form is None, said
        assert street.row(Alert).state is state
