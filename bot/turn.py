"""One turn: hear → understand and act → speak. Whatever happens, an answer is spoken."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import (
    Any,
    Callable,
    DefaultDict,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    TypeVar,
    Union,
)

from sqlalchemy.exc import SQLAlchemyError

from actions.timebank import alerts, consents, deeds, members, outbox, turns
from actions.timebank.ids import MemberId, NoticeId, TurnId
from actions.timebank.model import Turn
from actions.timebank.session import Village
from actions.timebank.states import TurnOutcome
from bot import choices, danger, patience
from bot.dialogue import Dialogue, DialogueAway
from bot.ears import Ears, Heard
from bot.mouth import Mouth
from bot.notices import told
from bot.phrases import Phrases
from bot.turn_types import Answer, Button, Speech, Utterance
from bot.words import FOREIGN, Refused, is_button, says_something, typed
from voice.types import Delivery, VoiceError

logger = logging.getLogger(__name__)

NOT_UNDERSTOOD = "nlu_fallback"
LATE_ANSWER = "late_answer"
ASKED_AGAIN = "action_repair"
"""The action that asks again also when the words were clear: 不是 to a guess of ours."""
NO_TIME_TO_ASK = ("emergency", "stop", "goodbye")
"""After these words nobody wants a question of ours."""
Result = TypeVar("Result")


@dataclass
class _Progress:
    """What is known of a turn while it is under way."""

    keeps_recording: bool = True
    asked: Optional[choices.Question] = None
    """What she may be answering."""
    heard: Heard = field(default_factory=Heard)
    intent: str = ""
    intent_confidence: Optional[float] = None
    entities: List[Mapping[str, Any]] = field(default_factory=list)
    text: str = ""
    buttons: List[Button] = field(default_factory=list)
    outcome: TurnOutcome = TurnOutcome.ANSWERED
    code: str = ""
    stage_ms: Dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stage_ms[name] = round((time.perf_counter() - began) * 1000, 1)


class TurnHandler:
    """Implements `turn_types.Turns` over the real parts, which are passed in."""

    def __init__(
        self,
        *,
        village: Village,
        dialogue: Dialogue,
        ears: Ears,
        mouth: Mouth,
        phrases: Phrases,
        least_confidence: float,
    ) -> None:
        self._village = village
        self._dialogue = dialogue
        self._ears = ears
        self._mouth = mouth
        self._phrases = phrases
        self._least_confidence = least_confidence
        self._one_at_a_time: DefaultDict[MemberId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, utterance: Utterance) -> Answer:
        async with self._one_at_a_time[utterance.member]:
            try:
                begun = await self._in_village(self._begin, utterance)
                if isinstance(begun, Answer):
                    return begun
                progress = await self._go(utterance, begun)
                answer, delivery = await self._in_village(self._finish, utterance, progress)
            except (SQLAlchemyError, OSError):
                logger.exception("turn %s could not be stored", utterance.turn)
                return self._apology(utterance.turn, "storage")
        self._mouth.prepare(answer.sentences, delivery)
        return answer

    async def speak(self, turn: TurnId, part: Optional[int], member: MemberId) -> Speech:
        def stored(turn_id: TurnId, session: Any) -> str:
            row = turns.find(session, turn_id)
            if row is None or row.member_id != member:
                raise LookupError(turn_id)
            return str(row.reply)

        reply = await self._in_village(stored, turn)
        return await self._speech(reply, part, member)

    async def speak_notice(self, notice_id: int, member: MemberId) -> Speech:
        for notice in await self.notices(member):
            if notice["id"] == notice_id:
                return await self._speech(notice["text"], None, member)
        raise LookupError(notice_id)

    async def notices(self, member: MemberId) -> List[Mapping[str, Any]]:
        def queued(owner: MemberId, session: Any) -> List[Mapping[str, Any]]:
            return [
                self._notice(one)
                for one in outbox.queued_for(session, owner)
                if outbox.still_true(session, one)
            ]

        return await self._in_village(queued, member)

    async def notice_heard(self, notice_id: int, member: MemberId) -> None:
        def deliver(number: int, session: Any) -> None:
            if number not in {one.id for one in outbox.queued_for(session, member)}:
                raise LookupError(number)
            now = self._village.clock()
            outbox.deliver(session, notice_id=NoticeId(number), member=member, now=now)

        await self._in_village(deliver, notice_id)

    # -- the stages of a turn ------------------------------------------------------------------

    async def _go(self, utterance: Utterance, progress: _Progress) -> _Progress:
        with progress.stage("total"):
            try:
                await self._hear(utterance, progress)
                if progress.outcome is TurnOutcome.ANSWERED:
                    await self._understand(utterance, progress)
            except (Refused, VoiceError) as refusal:
                self._refuse(progress, refusal.code, utterance.turn)
            except DialogueAway as away:
                logger.error("turn %s: the dialogue is away: %s", utterance.turn, away)
                self._fail(progress, away.code)
            except Exception:
                # The one place where a bug ends: logged with its turn, answered with an apology.
                logger.exception("turn %s failed", utterance.turn)
                self._fail(progress, "bug")
        return progress

    async def _hear(self, utterance: Utterance, progress: _Progress) -> None:
        if utterance.audio is None:
            progress.heard = Heard(text=typed(utterance.text))
            if not is_button(utterance.text) and not says_something(progress.heard.text):
                foreign = FOREIGN.search(progress.heard.text)
                first = "utter_not_chinese" if foreign else "utter_repair_again"
                await self._repair(utterance, progress, first)
            return
        with progress.stage("hear"):
            audio = utterance.audio
            keep = partial(self._ears.keep, on_disk=progress.keeps_recording)
            progress.heard = await asyncio.to_thread(keep, audio, str(utterance.turn))
            progress.heard = await asyncio.to_thread(self._ears.recognize, audio, progress.heard)
        heard = progress.heard
        if not says_something(heard.text):
            await self._repair(utterance, progress, "utter_not_heard")
        elif self._is_unclear(heard) and not choices.may_be_taken(heard.text, progress.asked):
            await self._repair(utterance, progress, "utter_not_heard_clearly")

    def _is_unclear(self, heard: Heard) -> bool:
        return heard.confidence is not None and heard.confidence < self._least_confidence

    async def _understand(self, utterance: Utterance, progress: _Progress) -> None:
        if utterance.is_late and choices.is_answer_alone(progress.heard.text):
            # It answers what was asked when it was said, which nobody can tell any more.
            progress.outcome, progress.code = TurnOutcome.REPAIRED, LATE_ANSWER
            why = self._phrases.text("utter_late_answer")
            progress.text, progress.buttons = choices.ask_again(progress.asked, why)
            return
        with progress.stage("dialogue"):
            understood = await self._dialogue.say(
                choices.pressed(progress.heard.text, progress.asked) or progress.heard.text,
                member=utterance.member,
                turn=utterance.turn,
                recording_sha256=progress.heard.recording_sha256,
            )
        progress.intent = understood.intent
        progress.intent_confidence = understood.confidence
        progress.entities = list(understood.entities)
        progress.text = "".join(understood.texts)
        progress.buttons = list(understood.buttons)
        if understood.intent == NOT_UNDERSTOOD:
            progress.outcome, progress.code = TurnOutcome.REPAIRED, "not_understood"

    async def _repair(self, utterance: Utterance, progress: _Progress, first: str) -> None:
        """Asks again, then offers two choices, then fetches a person with the recording."""
        progress.outcome, progress.code = TurnOutcome.REPAIRED, first.removeprefix("utter_")

        def ladder(said: Utterance, session: Any) -> tuple[str, List[Button]]:
            now = self._village.clock()
            tries = turns.repairs_in_a_row(session, said.member, now=now)
            if tries == 0:
                asked = progress.asked
                if asked is None or not choices.is_bare_answer(progress.heard.text, asked):
                    return self._phrases.say(first)
                # What a badly heard 对 answers is read back; the same again is believed.
                return choices.ask_again(asked, self._phrases.text("utter_not_heard_yes_or_no"))
            if tries == 1:
                return self._phrases.say("utter_repair_choices")
            if not members.coordinators(session):
                return self._phrases.say("utter_repair_no_staff")
            words = progress.heard.text
            staff = alerts.call_back(
                session, member=said.member, words=words, turn_id=said.turn, now=now
            )
            return self._phrases.say("utter_repair_staff", coordinator=staff[0].name)

        progress.text, progress.buttons = await self._in_village(ladder, utterance)

    def _refuse(self, progress: _Progress, code: str, turn: TurnId) -> None:
        progress.outcome, progress.code = TurnOutcome.REFUSED, code
        response = f"utter_refused_{code}"
        if response not in self._phrases:
            # Not the person's doing: an engine is missing or broken.
            logger.error("turn %s failed: %s", turn, code)
            self._fail(progress, code)
            return
        progress.text, progress.buttons = self._phrases.say(response)

    def _fail(self, progress: _Progress, code: str) -> None:
        progress.outcome, progress.code = TurnOutcome.FAILED, code
        progress.text, progress.buttons = self._phrases.say("utter_apology")

    # -- in the database -----------------------------------------------------------------------

    async def _in_village(self, act: Callable[..., Result], *given: Any) -> Result:
        """Runs a short unit of work off the event loop; `act` gets the session last."""

        def work() -> Result:
            with self._village.transaction() as session:
                return act(*given, session)

        return await asyncio.to_thread(work)

    def _begin(self, utterance: Utterance, session: Any) -> Union[Answer, _Progress]:
        """The stored answer when this message came before; else the turn is begun, knowing what
        she was asked and whether its recording may be kept."""
        turn, is_new = turns.begin(
            session,
            turn_id=utterance.turn,
            member=utterance.member,
            channel=utterance.channel,
            now=self._village.clock(),
        )
        if is_new:
            return _Progress(
                keeps_recording=consents.recordings_kept(session, utterance.member),
                asked=choices.open_question(session, utterance.member, now=self._village.clock()),
            )
        if turn.outcome is TurnOutcome.BEGUN:
            return self._apology(utterance.turn, "still_working", "utter_still_working")
        return self._answer(turn)

    def _finish(
        self, utterance: Utterance, progress: _Progress, session: Any
    ) -> tuple[Answer, Delivery]:
        """Stores the turn; gives its answer and how this member likes it spoken."""
        heard = progress.heard
        if deeds.done_before(session, utterance.turn, ASKED_AGAIN) is not None:
            progress.outcome, progress.code = TurnOutcome.REPAIRED, "not_understood"
        told_once = patience.grow(
            session,
            member=utterance.member,
            intent=progress.intent,
            code=progress.code,
            now=self._village.clock(),
        )
        if told_once:
            # Before the answer, so that its question stays the last thing heard.
            progress.text = self._phrases.text("utter_more_patient") + progress.text
        self._see_to_danger(utterance, progress, session)
        self._ask_consent(utterance, progress, session)
        turn = turns.finish(
            session,
            utterance.turn,
            now=self._village.clock(),
            outcome=progress.outcome,
            code=progress.code,
            recording_path=heard.recording_path,
            recording_sha256=heard.recording_sha256,
            heard=heard.text,
            heard_confidence=heard.confidence,
            engine=heard.engine,
            intent=progress.intent,
            intent_confidence=progress.intent_confidence,
            entities=[dict(entity) for entity in progress.entities],
            reply=self._mouth.spoken(progress.text),
            buttons=[{"title": b.title, "payload": b.payload} for b in progress.buttons],
            stage_ms=progress.stage_ms,
        )
        member = members.member(session, utterance.member)
        return self._answer(turn), self._mouth.delivery_for(member)

    def _see_to_danger(self, utterance: Utterance, progress: _Progress, session: Any) -> None:
        answered = progress.outcome is TurnOutcome.ANSWERED
        told = danger.people_called(
            session,
            member=utterance.member,
            turn=utterance.turn,
            words=progress.heard.text,
            intent=progress.intent if answered else "",
            confidence=progress.intent_confidence,
            entities=progress.entities,
            now=self._village.clock(),
        )
        if told is None:
            return
        people = self._phrases.text("utter_and").join(told)
        response = "utter_emergency" if told else "utter_emergency_no_coordinator"
        # What was done all the same is told after what matters more.
        done = progress.text if answered else ""
        progress.text = self._phrases.text(response, people=people) + done
        progress.buttons = []

    def _ask_consent(self, utterance: Utterance, progress: _Progress, session: Any) -> None:
        """From time to time a recorded turn that asks nothing ends with the question whether
        recordings may be kept."""
        asks = bool(progress.buttons) or "？" in progress.text
        calm = progress.outcome is TurnOutcome.ANSWERED and progress.intent not in NO_TIME_TO_ASK
        now = self._village.clock()
        if utterance.audio is None or asks or not calm:
            return
        if alerts.alert_lately_raised(session, utterance.member, now=now) is not None:
            return
        if not consents.should_ask(session, utterance.member, now=now):
            return
        consents.ask(session, member=utterance.member, turn_id=utterance.turn, now=now)
        staff = members.coordinators(session)
        who = staff[0].name if staff else self._phrases.text("utter_village_staff")
        question, progress.buttons = self._phrases.say("utter_recording_question", coordinator=who)
        progress.text += question

    def _answer(self, turn: Turn) -> Answer:
        return Answer(
            turn=TurnId(turn.id),
            outcome=turn.outcome,
            heard=turn.heard,
            confidence=turn.heard_confidence,
            intent=turn.intent,
            reply=turn.reply,
            sentences=self._mouth.sentences(turn.reply),
            buttons=[Button(one["title"], one["payload"]) for one in turn.buttons],
            code=turn.code,
            stage_ms=turn.stage_ms,
            patience_ms=turn.member.patience_ms,
        )

    def _apology(self, turn: TurnId, code: str, response: str = "utter_apology") -> Answer:
        """An answer for when nothing could be stored; only its text goes out."""
        reply, buttons = self._phrases.say(response)
        return Answer(turn, TurnOutcome.FAILED, "", None, "", reply, [], buttons, code)

    def _notice(self, notice: Any) -> Mapping[str, Any]:
        text, buttons = told(notice, self._phrases)
        return {
            "id": notice.id,
            "kind": notice.kind,
            "text": self._mouth.spoken(text),
            "buttons": [{"title": b.title, "payload": b.payload} for b in buttons],
        }

    async def _speech(self, reply: str, part: Optional[int], member: MemberId) -> Speech:
        """Raises LookupError when the reply has no such part."""

        def find_delivery(owner: MemberId, session: Any) -> Any:
            return self._mouth.delivery_for(members.member(session, owner))

        delivery = await self._in_village(find_delivery, member)
        sentences = self._mouth.sentences(reply)
        if part is not None and not 0 <= part < len(sentences):
            raise LookupError(part)
        chosen = sentences if part is None else [sentences[part]]
        return await asyncio.to_thread(partial(self._mouth.speech, chosen, delivery))
