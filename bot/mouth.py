"""From a reply to sound: easy spoken words, cut into sentences, spoken at one person's pace."""

from __future__ import annotations

import logging
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Callable, List, Optional, Sequence, Tuple

from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.model import Member
from bot.turn_types import Speech
from voice import codec
from voice.speakable import speakable
from voice.synthesizer import sentences
from voice.types import Delivery, Pcm, Synthesizer, VoiceError

logger = logging.getLogger(__name__)

KEPT = 64
"""Sentences kept in memory as they were spoken; the synthesizer keeps many more on disk."""
MADE = 16
"""Whole replies kept as they were encoded: the same words often go to many people."""
Spoken = Tuple[str, Delivery]


class Mouth:
    def __init__(
        self, synthesizer: Synthesizer, clock: Callable[[], datetime], *, container: str = "mp3"
    ) -> None:
        self._synthesizer = synthesizer
        self._clock = clock
        self._container = container
        # One worker: the engine is not faster in parallel, and sentences come in their order.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mouth")
        self._lock = Lock()
        self._kept: OrderedDict[Spoken, Future[Pcm]] = OrderedDict()
        self._made: OrderedDict[Tuple[Tuple[str, ...], Delivery, str], Speech] = OrderedDict()

    @property
    def voice(self) -> str:
        """The name of the engine that speaks."""
        return self._synthesizer.name

    def spoken(self, text: str) -> str:
        """The text as it is said and shown."""
        return speakable(text, now=self._clock(), zone=VILLAGE_ZONE)

    def sentences(self, reply: str) -> List[str]:
        return list(sentences(reply))

    @staticmethod
    def delivery_for(member: Member) -> Delivery:
        return Delivery(pace=member.pace, gain=member.gain)

    def prepare(self, parts: Sequence[str], delivery: Delivery) -> None:
        """Begins to speak sentences that will soon be asked for."""
        for sentence in parts:
            self._speaking(sentence, delivery)

    def speech(
        self, parts: Sequence[str], delivery: Delivery, container: Optional[str] = None
    ) -> Speech:
        """Blocks until all parts are spoken. Raises VoiceError."""
        container = container or self._container
        wanted = (tuple(parts), delivery, container)
        with self._lock:
            made = self._made.get(wanted)
        if made is None:
            made = self._make(parts, delivery, container)
        with self._lock:
            self._made[wanted] = made
            self._made.move_to_end(wanted)
            while len(self._made) > MADE:
                self._made.popitem(last=False)
        return made

    def _make(self, parts: Sequence[str], delivery: Delivery, container: str) -> Speech:
        sounds = [self._speaking(sentence, delivery) for sentence in parts]
        whole = codec.concat([sound.result() for sound in sounds])
        return Speech(codec.encode(whole, container), codec.mime(container))

    def _speaking(self, sentence: str, delivery: Delivery) -> Future[Pcm]:
        wanted = (sentence, delivery)
        with self._lock:
            found = self._kept.get(wanted)
            if found is None or (found.done() and found.exception() is not None):
                found = self._worker.submit(self._synthesize, sentence, delivery)
                self._kept[wanted] = found
            self._kept.move_to_end(wanted)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        try:
            return self._synthesizer.synthesize(sentence, delivery)
        except VoiceError:
            logger.exception("a sentence could not be spoken")
            raise
