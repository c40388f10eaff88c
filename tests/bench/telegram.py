"""From a voice note sent to a voice note heard, with the emulated Bot API on loopback.

Also as a program of its own (`python -m tests.bench.telegram`): what the channel itself costs,
which needs neither Rasa nor engines.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actions.timebank.model import Turn
from bot.phrases import read_phrases
from tests.bench.deadline import Deadline
from tests.bench.recordings import Said, recording_of
from tests.bench.report import BUILD, Report
from tests.bot.telegram.line import Line, spoken_note
from tests.bot.turn_parts import FakeSynthesizer, furnish
from tests.bot_api import BotApi, Chat
from tests.e2e.phones import PATIENCE, hears_all, joined_phone
from tests.e2e.stack import Stack
from tests.small_village import Street, build_village
from voice import codec
from voice.types import Delivery, Pcm

FIRST_CHAT = 1001
NOTE_SECONDS = 4.0
"""As long as people speak, and as long as a sentence of the answer is."""
TURNS = 60


# -- the whole of it, with real engines and Rasa -------------------------------------------------


@dataclass(frozen=True)
class Noted:
    """One voice note as the person with the phone lived it."""

    whole_ms: float
    """From sending it to the first voice note of the answer."""
    stage_ms: Mapping[str, float]
    """As the turn handler measured them."""
    outcome: str


def measure_voice_notes(
    report: Report,
    stack: Stack,
    api: BotApi,
    sayings: Sequence[Said],
    recordings: Path,
    deadline: Deadline,
) -> None:
    """Adds `telegram_voice_turn_p50_ms` and `_p95_ms`: one person after another."""
    names = dict.fromkeys(one.who for one in sayings)
    phones = {
        name: joined_phone(stack, api, name, FIRST_CHAT + number)
        for number, name in enumerate(names)
    }
    taken = []
    for one in sayings:
        if deadline.over:
            break
        sound = recording_of(recordings, one.says).read_bytes()
        taken.append(_speak(stack, phones[one.who], sound))
    report_voice_notes(report, taken, len(sayings))


def report_voice_notes(report: Report, taken: Sequence[Noted], wanted: int) -> None:
    report.add_times("telegram_voice_turn", [one.whole_ms for one in taken])
    outcomes = [one.outcome for one in taken]
    report.conditions["telegram_voice_turns"] = {
        one: outcomes.count(one) for one in sorted(set(outcomes))
    }
    if len(taken) < wanted:
        report.skipped["telegram_voice_turns"] = f"{len(taken)} of {wanted}: the time was up"


def _speak(stack: Stack, phone: Chat, sound: bytes) -> Noted:
    phone.all_heard()
    began = time.perf_counter()
    done = phone.speaks(sound, max(1, round(codec.decode(sound).seconds)))
    heard = phone.hears(PATIENCE)
    whole_ms = _milliseconds_since(began)
    assert heard.voice is not None, f"{heard.words} came without a voice"
    hears_all(stack, phone, done)
    with stack.village.reading() as session:
        turn = session.get(Turn, f"telegram:{phone.id}:{done.message_id}")
        assert turn is not None, "every voice note is a turn"
        return Noted(whole_ms, dict(turn.stage_ms), turn.outcome.value)


# -- the channel alone ---------------------------------------------------------------------------


@dataclass
class InstantVoice(FakeSynthesizer):
    """Says every sentence in no time, and as long as a voice takes to say it."""

    sound: Pcm = field(default_factory=lambda: codec.decode(spoken_note(NOTE_SECONDS)))

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        return self.sound


def measure_channel(report: Report, folder: Path, deadline: Deadline, turns: int = TURNS) -> None:
    """Adds `telegram_channel_overhead_p50_ms` and `_p95_ms`: a voice note through everything but
    recognition, dialogue and synthesis, which take no time here. Fetching, decoding and keeping
    the recording, the database, encoding and sending the answer are all in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_village(folder / "original.db")
    street = Street.copied(folder / "original.db", folder / "village.db")
    parlour = furnish(street, folder, read_phrases())
    parlour.mouth._synthesizer = InstantVoice()
    note = spoken_note(NOTE_SECONDS)
    milliseconds = []
    with BotApi() as api:
        line = Line(api, parlour, read_phrases())
        phone = line.phone("王奶奶", FIRST_CHAT)
        with line.open():
            for number in range(turns + 1):
                if deadline.over:
                    break
                began = time.perf_counter()
                phone.speaks(note, round(NOTE_SECONDS))
                heard = phone.hears(PATIENCE)
                spent = _milliseconds_since(began)
                assert heard.voice is not None and heard.buttons, heard.words
                line.all_answered(number + 1)
                # The first opens connections and fills what is kept.
                milliseconds += [spent] if number else []
    street.village.engine.dispose()
    report.add_times("telegram_channel_overhead", milliseconds)
    if len(milliseconds) < turns:
        report.skipped["telegram_channel_overhead"] = f"{len(milliseconds)} of {turns} notes"


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    alone = Report({}, "")
    measure_channel(alone, BUILD / "bench" / "telegram", Deadline(120))
    print(alone.table())
