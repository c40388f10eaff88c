"""Stand-ins for the parts that hear, understand and speak."""

from __future__ import annotations

import asyncio
import io
import math
import struct
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.timebank.ids import MemberId, TurnId
from actions.timebank.states import TurnOutcome
from bot.turn_types import Answer, Button, Speech, Utterance


def tone_wav(seconds: float = 0.2, *, pitch: int = 440, rate: int = 16_000) -> bytes:
    """A quiet tone as a WAV file."""
    wave_form = (
        int(6_000 * math.sin(2 * math.pi * pitch * n / rate)) for n in range(int(seconds * rate))
    )
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in wave_form))
    return sound.getvalue()


@dataclass
class FakeTurns:
    """A `Turns` that remembers what it was handed and answers what it was told to answer."""

    heard: str = "腿疼，想买菜"
    sentences: Sequence[str] = ("好。", "我去问秀英。")
    buttons: Sequence[Button] = ()
    outcome: TurnOutcome = TurnOutcome.ANSWERED
    code: str = ""
    waiting: dict[MemberId, list[dict[str, Any]]] = field(default_factory=dict)
    """Queued notices of each member."""
    delay: float = 0.0
    """Seconds that a turn takes."""
    speech_seconds: float = 0.2
    taken: list[Utterance] = field(default_factory=list)
    spoken: list[tuple[TurnId, int | None]] = field(default_factory=list)
    notices_spoken: list[int] = field(default_factory=list)
    notices_heard: list[int] = field(default_factory=list)
    answers: dict[TurnId, Answer] = field(default_factory=dict)

    async def take(self, utterance: Utterance) -> Answer:
        self.taken.append(utterance)
        if utterance.turn in self.answers:
            return self.answers[utterance.turn]
        await asyncio.sleep(self.delay)
        answer = Answer(
            turn=utterance.turn,
            outcome=self.outcome,
            heard=utterance.text or self.heard,
            confidence=0.9 if utterance.audio else None,
            intent="request_help",
            reply="".join(self.sentences),
            sentences=self.sentences,
            buttons=self.buttons,
            code=self.code,
            stage_ms={"hear": 12.5},
        )
        self.answers[utterance.turn] = answer
        return answer

    async def speak(self, turn: TurnId, part: int | None, member: MemberId) -> Speech:
        if turn not in self.answers or (part is not None and part >= len(self.sentences)):
            raise LookupError(turn)
        self.spoken.append((turn, part))
        return Speech(tone_wav(self.speech_seconds), "audio/wav")

    async def speak_notice(self, notice_id: int, member: MemberId) -> Speech:
        self._own(notice_id, member)
        self.notices_spoken.append(notice_id)
        return Speech(tone_wav(self.speech_seconds), "audio/wav")

    async def notices(self, member: MemberId) -> Sequence[Mapping[str, Any]]:
        return list(self.waiting.get(member, []))

    async def notice_heard(self, notice_id: int, member: MemberId) -> None:
        self.waiting[member].remove(self._own(notice_id, member))
        self.notices_heard.append(notice_id)

    def _own(self, notice_id: int, member: MemberId) -> dict[str, Any]:
        for notice in self.waiting.get(member, []):
            if notice["id"] == notice_id:
                return notice
        raise LookupError(notice_id)


async def say_phrase(response: str) -> Speech:
    """A fixed sentence as sound."""
    return Speech(tone_wav(), "audio/wav")
