"""A turn handler over a real village, with ears, mind and mouth that a test sets up."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from actions.timebank.ids import MemberId, TurnId
from actions.timebank.model import Turn
from actions.timebank.session import Village
from bot.dialogue import Understood
from bot.ears import Ears
from bot.mouth import Mouth
from bot.phrases import Phrases
from bot.turn import TurnHandler
from bot.turn_types import Answer, Button, Utterance
from tests.bot.fakes import tone_wav
from tests.small_village import Street
from voice.types import Delivery, Pcm, Transcript

HEARD = "腿疼，想叫人明儿上午帮俺买点菜"
LEAST_CONFIDENCE = 0.35


def silent_wav(seconds: float, rate: int = 8_000) -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * int(seconds * rate)))
    return sound.getvalue()


@dataclass
class FakeDialogue:
    """A mind that understands everything in one way, and remembers what it was told."""

    texts: Sequence[str] = ("好，买东西。", "大约90分钟。")
    buttons: Sequence[Button] = (Button("对", "/affirm"), Button("不对", "/deny"))
    intent: str = "request_help"
    confidence: float = 0.9
    entities: Sequence[dict[str, Any]] = ({"entity": "service_kind", "value": "shopping"},)
    problem: Exception | None = None
    seconds: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0

    async def say(self, text: str, **about: Any) -> Understood:
        self.asked.append({"text": text, **about})
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        if self.problem:
            raise self.problem
        return Understood(self.intent, self.confidence, self.entities, self.texts, self.buttons)


@dataclass
class FakeRecognizer:
    name: str = "fake-ears"
    text: str = HEARD
    confidence: float = 0.9
    problem: Exception | None = None

    def recognize(self, sound: Pcm) -> Transcript:
        if self.problem:
            raise self.problem
        return Transcript(self.text, self.confidence)


@dataclass
class FakeSynthesizer:
    name: str = "fake-voice"
    spoken: list[tuple[str, Delivery]] = field(default_factory=list)

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        self.spoken.append((sentence, delivery))
        return Pcm(bytes(3_200), 16_000)


@dataclass(frozen=True)
class FailingVillage(Village):
    """A village whose database is away at the transactions with these numbers, from one."""

    away_at: Sequence[int] = ()
    begun: list[int] = field(default_factory=list)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.begun.append(len(self.begun) + 1)
        if self.begun[-1] in self.away_at:
            raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))
        with super().transaction() as session:
            yield session


@dataclass
class Parlour:
    """王奶奶's side of the machine: she says something and hears what comes of it."""

    street: Street
    turns: TurnHandler
    dialogue: FakeDialogue
    recognizer: FakeRecognizer
    synthesizer: FakeSynthesizer
    recordings: Path
    ears: Ears
    mouth: Mouth

    def utterance(self, turn: str, who: str = "王奶奶", **said: Any) -> Utterance:
        member = self.street.member(who)
        return Utterance(turn=TurnId(turn), member=member, channel="talk", **said)

    def types(self, text: str | None, turn: str = "talk:1:a", who: str = "王奶奶") -> Answer:
        return asyncio.run(self.turns.take(self.utterance(turn, who, text=text)))

    def speaks(self, audio: bytes | None = None, turn: str = "talk:1:a") -> Answer:
        sound = tone_wav(1.0) if audio is None else audio
        return asyncio.run(self.turns.take(self.utterance(turn, audio=sound)))

    def stored(self, turn: str = "talk:1:a") -> Turn:
        return self.street.row(Turn, id=turn)

    @property
    def wang(self) -> MemberId:
        return self.street.member("王奶奶")


def furnish(street: Street, folder: Path, phrases: Phrases, away_at: Sequence[int] = ()) -> Parlour:
    dialogue, recognizer, synthesizer = FakeDialogue(), FakeRecognizer(), FakeSynthesizer()
    recordings = folder / "recordings"
    ears = Ears(recognizer, recordings, street.clock)
    mouth = Mouth(synthesizer, street.clock, container="wav")
    turns = TurnHandler(
        village=FailingVillage(street.village.engine, street.clock, away_at),
        dialogue=dialogue,  # type: ignore[arg-type]
        ears=ears,
        mouth=mouth,
        phrases=phrases,
        least_confidence=LEAST_CONFIDENCE,
    )
    return Parlour(street, turns, dialogue, recognizer, synthesizer, recordings, ears, mouth)
