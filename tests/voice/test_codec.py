"""Recordings as they come from phones, browsers and telephone lines, good and bad."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from tests.voice.sounds import main_pitch, noise, recorded, tone
from voice import codec
from voice.types import NotAudio, Pcm, TooLong, TooShort

PHONES_AND_BROWSERS = [
    pytest.param("ogg", "libopus", 48_000, id="telegram-voice-note"),
    pytest.param("webm", "libopus", 48_000, id="chrome-recorder"),
    pytest.param("mp4", "aac", 44_100, id="safari-recorder"),
    pytest.param("adts", "aac", 44_100, id="bare-aac"),
    pytest.param("3gp", "aac", 8_000, id="old-phone"),
    pytest.param("amr", "libopencore_amrnb", 8_000, id="amr"),
    pytest.param("wav", "pcm_s16le", 44_100, id="wav"),
    pytest.param("wav", "pcm_mulaw", 8_000, id="telephone-mu-law"),
    pytest.param("wav", "pcm_alaw", 8_000, id="telephone-a-law"),
    pytest.param("mp3", "libmp3lame", 44_100, id="mp3"),
    pytest.param("flac", "flac", 44_100, id="flac"),
]


@pytest.mark.parametrize(("container", "encoder", "rate"), PHONES_AND_BROWSERS)
def test_every_phone_and_browser_is_heard_at_its_true_length_and_pitch(
    container: str, encoder: str, rate: int
) -> None:
    heard = codec.decode(recorded(tone(2.0), container, encoder, rate=rate))
    assert heard.rate == 16_000
    assert heard.seconds == pytest.approx(2.0, abs=0.3)
    assert main_pitch(heard) == pytest.approx(440, abs=3)
    assert codec.speech_level(codec.to_samples(heard), 16_000) == pytest.approx(0.212, abs=0.04)


def test_stereo_is_folded_into_one_ear() -> None:
    heard = codec.decode(recorded(tone(1.0), "wav", "pcm_s16le", rate=44_100, layout="stereo"))
    assert heard.seconds == pytest.approx(1.0, abs=0.01)
    assert np.abs(codec.to_samples(heard)).max() == pytest.approx(0.3, abs=0.05)


def test_only_the_sound_of_a_film_is_taken() -> None:
    film = recorded(tone(1.5), "matroska", "aac", rate=44_100, video=True)
    assert main_pitch(codec.decode(film)) == pytest.approx(440, abs=3)


def test_a_film_without_sound_is_not_audio() -> None:
    import io

    import av

    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as out:
        film = out.add_stream("mpeg4", rate=10)
        film.width = film.height = 64
        film.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for shown in (picture, None):
            out.mux(film.encode(shown))
    with pytest.raises(NotAudio):
        codec.decode(sink.getvalue())


def test_high_tones_do_not_come_back_as_low_ones() -> None:
    heard = codec.decode(
        recorded(tone(1.0, rate=44_100, hertz=12_000), "flac", "flac", rate=44_100)
    )
    assert np.abs(codec.to_samples(heard)[800:-800]).max() < 0.01


@pytest.mark.parametrize(
    ("container", "encoder", "rate"),
    [
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
        ("wav", "pcm_s16le", 16_000),
        ("mp3", "libmp3lame", 44_100),
        ("amr", "libopencore_amrnb", 8_000),
    ],
)
def test_a_cut_recording_gives_the_part_that_came(container: str, encoder: str, rate: int) -> None:
    # Ogg carries a second in a page, so the last page can be lost whole.
    whole = recorded(tone(4.0), container, encoder, rate=rate)
    heard = codec.decode(whole[: len(whole) * 6 // 10])
    assert 1.0 <= heard.seconds <= 3.0
    assert main_pitch(heard) == pytest.approx(440, abs=3)


def test_damage_in_the_middle_costs_only_the_middle() -> None:
    whole = bytearray(recorded(tone(4.0), "mp3", "libmp3lame", rate=44_100))
    middle = len(whole) // 2
    whole[middle : middle + 600] = random.Random(3).randbytes(600)
    assert codec.decode(bytes(whole)).seconds > 3.0


def test_no_bytes_are_too_short() -> None:
    with pytest.raises(TooShort):
        codec.decode(b"")


def test_a_slip_of_the_finger_is_too_short() -> None:
    with pytest.raises(TooShort):
        codec.decode(recorded(tone(0.1), "wav", "pcm_s16le", rate=16_000))


def test_three_tenths_of_a_second_are_long_enough_for_a_word() -> None:
    heard = codec.decode(recorded(tone(0.32), "wav", "pcm_s16le", rate=16_000))
    assert heard.seconds == pytest.approx(0.32, abs=0.01)


def test_a_ten_minute_story_is_too_long() -> None:
    story = codec.encode(codec.silence(600, 8_000), "flac")
    with pytest.raises(TooLong):
        codec.decode(story)


def test_hours_of_silence_in_few_bytes_are_not_unpacked() -> None:
    hours = codec.silence(3600, 4_000)
    bomb = codec.encode(hours, "flac")
    assert len(bomb) * 30 < len(hours.samples)
    with pytest.raises(TooLong):
        codec.decode(bomb, longest_seconds=5)


def test_a_lie_about_the_length_in_the_header_does_not_matter() -> None:
    whole = bytearray(codec.encode(tone(1.0), "wav"))
    whole[40:44] = struct.pack("<I", 0x7FFF_FFFF)
    assert codec.decode(bytes(whole)).seconds == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        pytest.param(b"\x00" * 50_000, id="zeros"),
        pytest.param("买菜".encode() * 5_000, id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\x00" * 5_000, id="picture"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 5_000, id="archive"),
        pytest.param(b"OggS", id="only-the-first-word"),
        pytest.param(b"RIFF\xff\xff\xff\xffWAVEfmt ", id="only-a-header"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", id="playlist"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/hostname\n", id="list-of-files"),
    ],
)
def test_what_is_no_recording_is_refused(bytes_sent: bytes) -> None:
    with pytest.raises(NotAudio):
        codec.decode(bytes_sent)


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_never_do_worse_than_a_refusal(seed: int) -> None:
    try:
        heard = codec.decode(random.Random(seed).randbytes(60_000), longest_seconds=20)
    except (NotAudio, TooShort, TooLong):
        return
    assert heard.seconds <= 20


def test_an_absurd_rate_is_refused() -> None:
    whole = bytearray(codec.encode(tone(1.0), "wav"))
    whole[24:28] = struct.pack("<I", 7)
    with pytest.raises(NotAudio):
        codec.decode(bytes(whole))


@pytest.mark.parametrize("container", ["ogg", "mp3", "wav", "flac"])
def test_what_is_encoded_decodes_to_the_same_sound(container: str) -> None:
    again = codec.decode(codec.encode(tone(1.5, rate=24_000), container), rate=24_000)
    assert again.seconds == pytest.approx(1.5, abs=0.1)
    assert main_pitch(again) == pytest.approx(440, abs=3)


def test_flac_loses_nothing() -> None:
    sound = noise(0.5)
    assert codec.decode(codec.encode(sound, "flac")) == sound


def test_every_container_has_its_media_type() -> None:
    assert codec.mime("ogg") == "audio/ogg"
    for ask in (codec.mime, lambda name: codec.encode(tone(0.5), name)):
        with pytest.raises(ValueError):
            ask("tape")


def test_louder_never_clips_and_keeps_soft_parts_loud() -> None:
    soft, loud = tone(1.0, loud=0.1), tone(1.0, loud=0.8)
    louder = codec.amplify(codec.concat([soft, loud]), 300)
    samples = codec.to_samples(louder)
    assert np.abs(samples).max() <= codec.PEAK + 1e-3
    assert np.abs(samples[4_000:12_000]).max() == pytest.approx(0.3, abs=0.01)


def test_softer_is_simply_softer() -> None:
    assert np.abs(codec.to_samples(codec.amplify(tone(1.0), 50))).max() == pytest.approx(
        0.15, abs=0.01
    )


@pytest.mark.parametrize("loud", [0.02, 0.1, 0.6])
def test_every_speaker_ends_up_equally_loud(loud: float) -> None:
    levelled = codec.level(tone(1.0, loud=loud), decibels=-20)
    assert codec.speech_level(codec.to_samples(levelled), 16_000) == pytest.approx(0.1, abs=0.003)


def test_pauses_do_not_make_a_sentence_louder() -> None:
    with_pause = codec.concat([tone(1.0), codec.silence(3.0, 16_000)])
    levelled = codec.to_samples(codec.level(with_pause, decibels=-20))
    assert codec.speech_level(levelled, 16_000) == pytest.approx(0.1, abs=0.003)
    assert not levelled[20_000:].any()


def test_silence_stays_silence() -> None:
    quiet = codec.silence(1.0, 16_000)
    assert codec.level(quiet, decibels=-20) == quiet
    assert codec.amplify(Pcm(b"", 16_000), 200).samples == b""


def test_parts_of_other_rates_are_joined_at_the_rate_of_the_first() -> None:
    joined = codec.concat([tone(1.0, rate=24_000), tone(1.0, rate=16_000)])
    assert joined.rate == 24_000
    assert joined.seconds == pytest.approx(2.0, abs=0.01)
    with pytest.raises(ValueError):
        codec.concat([])


def test_a_half_sample_at_the_end_is_left_out() -> None:
    assert len(codec.to_samples(Pcm(b"\x00\x01\x02", 16_000))) == 1
