"""whisper-base through faster-whisper: the recognizer that installs from packages.

The encoder is given a window as long as the sound asks for, not always 30 seconds: half of the
time for the short things people say, at the same accuracy, and fewer ends cut off after a pause.
"""

from __future__ import annotations

import importlib.util
import math
import re
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_ctranslate2_storage

from voice.codec import Samples, to_samples
from voice.numerals import spoken_numbers
from voice.types import EngineMissing, Pcm, Transcript, VoiceError

_PROMPT_PARTS = (
    *("对,来了。", "不对,没来。", "俺腿不好,", "后儿个去卫生院。", "行,我去。", "停,等等。"),
    *("不行,去不了。", "干完了,", "做了一个半钟头。", "明儿上午十点,", "叫人帮俺买点菜。"),
)
"""How the village talks, in the simplified characters that whisper is to write.

Each 行 needs its 不行, and its 停: without them the opposite was heard as consent. Commas are
ASCII, which whisper writes as one token; of the wide ones it sometimes writes half.
"""
_PROMPT = "".join(_PROMPT_PARTS)
_PROMPT_SAID = re.sub(r"\W", "", _PROMPT)
_LONGEST_SAID = 15
"""Characters; a run of the prompt longer than this strings together what nobody says in one breath,
while 明儿上午十点叫人帮俺买点菜 is a thing to say."""
_BEAM = 2
"""As accurate as 5 on read Mandarin and a fifth faster; 1 loses words on weak sound."""
_WINDOWS = (15.0, 22.0, 30.0)
_WINDOW_MARGIN = 7.0
"""Seconds; in windows hardly longer than the sound whisper repeats itself."""
_FRAMES_A_SECOND = 100
_MOST_TOKENS_A_SECOND = 14
_MARGIN_SECONDS = 0.5
"""Silence put around the sound: a 对 that fills all that is heard comes out as something else."""
_LOOPING = 2.4
"""Text that compresses better than this says the same thing over and over."""
_NO_SPEECH = 0.6
_UNLIKELY = -1.0
"""Noise lies below it; single syllables that were heard rightly lie above."""
_HALLUCINATION = re.compile(
    # What whisper learned from the ends of films.
    r"字幕|谢谢(?:大家)?(?:观看|收看)|点赞|订阅|Amara|優優獨播|优优独播"
)
_NOT_SPOKEN = re.compile(r"[^\w，]|_")
_EVERYDAY = {"餘": "余", "鍾": "钟"}
"""Where the table prefers a rare form."""


class Guess(NamedTuple):
    """What whisper makes of a sound."""

    text: str
    mean_log_probability: float
    """Over all tokens, the end of the text among them."""
    no_speech: float
    """Probability that nobody speaks."""

    @property
    def is_looping(self) -> bool:
        raw = self.text.encode()
        return len(raw) / max(1, len(zlib.compress(raw))) > _LOOPING


class WhisperRecognizer:
    """One model shared by all threads; CTranslate2 puts simultaneous calls in a row."""

    name = "whisper"

    def __init__(self, model_dir: Path, *, threads: int = 2, beam: int = _BEAM) -> None:
        """Raises EngineMissing when the folder holds no model that faster-whisper can read."""
        try:
            self._model = WhisperModel(
                str(model_dir),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineMissing(f"cannot read the model in {model_dir}: {error}") from error
        _simplified()
        self._beam = beam
        tokenizer = self._model.hf_tokenizer
        self._tokenizer = Tokenizer(tokenizer, True, task="transcribe", language="zh")
        self._prompt: list[int] = self._model.get_prompt(
            self._tokenizer, self._tokenizer.encode(_PROMPT), without_timestamps=True
        )
        # Numbers are to be heard as words: 六十, not 60. -1 stands for whisper's own list.
        self._never = [-1, *_digit_tokens(tokenizer.get_vocab(), self._tokenizer.eot)]

    def recognize(self, sound: Pcm) -> Transcript:
        """See `voice.types.Recognizer`. Sound beyond 30 s is not heard."""
        if not sound.samples:
            return Transcript(text="", confidence=0.0)
        margin = int(_MARGIN_SECONDS * sound.rate)
        samples = np.pad(to_samples(sound), margin)
        try:
            guess = self._guess(samples, _window_for(sound.seconds))
            if guess.is_looping:
                guess = self._guess(samples, _WINDOWS[-1])
        except (RuntimeError, ValueError) as error:
            raise VoiceError(f"whisper failed: {error}") from error
        return transcript_of(guess)

    def _guess(self, samples: Samples, window: float) -> Guess:
        features = self._model.feature_extractor(samples)
        frames = int(window * _FRAMES_A_SECOND)
        features = features[:, :frames]
        features = np.pad(features, ((0, 0), (0, frames - features.shape[1])))
        encoded = self._model.model.encode(get_ctranslate2_storage(features[None]))
        heard_seconds = min(window, len(samples) / self._model.feature_extractor.sampling_rate)
        room = 12 + int(heard_seconds * _MOST_TOKENS_A_SECOND)
        result = self._model.model.generate(
            encoded,
            [self._prompt],
            beam_size=self._beam,
            max_length=min(self._model.max_length, len(self._prompt) + room),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._never,
        )[0]
        tokens = result.sequences_ids[0]
        # The score is a sum with the end of the text, divided by the tokens without it: it would
        # make a short word look unlikely.
        mean = float(result.scores[0]) * len(tokens) / (len(tokens) + 1)
        return Guess(self._tokenizer.decode(tokens).strip(), mean, float(result.no_speech_prob))


def _window_for(seconds: float) -> float:
    return next((one for one in _WINDOWS if seconds + _WINDOW_MARGIN <= one), _WINDOWS[-1])


def _digit_tokens(vocabulary: dict[str, int], end_of_text: int) -> list[int]:
    return [
        number
        for token, number in vocabulary.items()
        if number < end_of_text and re.search(r"[0-9]", token)
    ]


def transcript_of(guess: Guess) -> Transcript:
    """Empty where whisper fills silence or music with something it once read."""
    is_noise = guess.no_speech > _NO_SPEECH and guess.mean_log_probability < _UNLIKELY
    if is_noise or guess.is_looping or _HALLUCINATION.search(guess.text):
        return Transcript(text="", confidence=0.0)
    text = tidy(guess.text)
    if not text or _echoes_prompt(text):
        return Transcript(text="", confidence=0.0)
    return Transcript(text=text, confidence=min(1.0, math.exp(guess.mean_log_probability)))


def _echoes_prompt(text: str) -> bool:
    """Whether whisper gives back a run of its prompt, longer than anybody would say."""
    said = text.replace("，", "")
    return len(said) > _LONGEST_SAID and said in _PROMPT_SAID


def tidy(text: str) -> str:
    """Simplified characters, numbers in words, commas inside as the only marks."""
    text = spoken_numbers(text.translate(_simplified()))
    text = re.sub(r"[,，、。！？!?;；：:]+", "，", text)
    return _NOT_SPOKEN.sub("", text).strip("，")


@cache
def _simplified() -> dict[int, str]:
    """JioNLP's table; its code, which loads much more, is not needed. Some names slip through
    the prompt in traditional characters."""
    package = importlib.util.find_spec("jionlp")
    if package is None or not package.submodule_search_locations:
        raise EngineMissing("the package jionlp is not installed: install from the lock")
    table = Path(package.submodule_search_locations[0]) / "dictionary" / "tra2sim_char.txt"
    pairs = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    known = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    return str.maketrans({**known, **_EVERYDAY})
