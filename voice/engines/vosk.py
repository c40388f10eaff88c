"""Vosk: the recognizer of choice wherever its Chinese model is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import vosk

from voice.types import EngineMissing, Pcm, Transcript, VoiceError, Word


class VoskRecognizer:
    """One model shared by all threads; each recording gets its own light decoder."""

    name = "vosk"

    def __init__(self, model_dir: Path) -> None:
        """Raises EngineMissing when the folder holds no model that Vosk can read."""
        vosk.SetLogLevel(-1)
        try:
            self._model = vosk.Model(str(model_dir))
        except Exception as error:  # Vosk raises nothing more precise.
            raise EngineMissing(f"Vosk cannot read the model in {model_dir}: {error}") from error

    def recognize(self, sound: Pcm) -> Transcript:
        """See `voice.types.Recognizer`."""
        try:
            decoder = vosk.KaldiRecognizer(self._model, sound.rate)
            decoder.SetWords(True)
            results = (
                [json.loads(decoder.Result())] if decoder.AcceptWaveform(sound.samples) else []
            )
            results.append(json.loads(decoder.FinalResult()))
        except Exception as error:  # Vosk raises nothing more precise.
            raise VoiceError(f"Vosk failed: {error}") from error
        return transcript_of(results)


def transcript_of(results: list[dict[str, Any]]) -> Transcript:
    """Joins Vosk's results; the confidence is that of the words, weighted by their length."""
    words = [
        Word(
            text=str(word["word"]),
            confidence=min(1.0, max(0.0, float(word["conf"]))),
            start=float(word["start"]),
            end=float(word["end"]),
        )
        for result in results
        for word in result.get("result", [])
        if word["word"] != "[unk]"
    ]
    text = "".join(word.text for word in words)
    if not text:
        return Transcript(text="", confidence=0.0)
    sure = sum(word.confidence * len(word.text) for word in words) / len(text)
    return Transcript(text=text, confidence=sure, words=tuple(words))
