"""What the staff corrected, as training speech: accepted sentences and the village's own words,
written where `rasa train` takes them in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from actions.timebank.session import Village
from actions.timebank.staff import corrections, lexicon
from actions.timebank.staff.corrections import TrainingSentence

CORRECTIONS, LEXICON = "corrections.yml", "lexicon.yml"
VILLAGE_WORDS = "village_words"
"""The lookup table that the speller learns (`bot.nlu.spelled`)."""
ANNOTATED = ("service_kind", "symptom")
"""The entities that examples are annotated with; all others are found by rules."""
MEANS_SOMETHING_TO_RASA = re.compile(r"[\[\](){}|\\]|^[\s/\-#]+")
"""Brackets would annotate, and what begins with a slash is a button and no sentence."""


def write_training(village: Village, folder: Path) -> int:
    """Writes what is accepted, and takes away what is not any more. Returns how many sentences and
    words there are."""
    with village.reading() as session:
        sentences = corrections.training_sentences(session)
        words = lexicon.accepted(session)
    _write(folder / CORRECTIONS, corrections_yaml(sentences))
    _write(folder / LEXICON, lexicon_yaml(words))
    return len(sentences) + len(words)


def corrections_yaml(sentences: Sequence[TrainingSentence]) -> str:
    """Rasa's NLU examples, by intent; nothing when there is none that says something."""
    by_intent = groupby(sorted(sentences, key=lambda one: one.intent), key=lambda one: one.intent)
    return _nlu(
        {"intent": intent, "examples": lines}
        for intent, of_it in by_intent
        if (lines := _lines(_annotated(one) for one in of_it))
    )


def lexicon_yaml(words: Sequence[str]) -> str:
    """The words as a lookup table; nothing when there are none."""
    lines = _lines(_plain(word) for word in words)
    return _nlu([{"lookup": VILLAGE_WORDS, "examples": lines}] if lines else [])


def _nlu(parts: Any) -> str:
    listed: list[Mapping[str, str]] = list(parts)
    if not listed:
        return ""
    return yaml.safe_dump({"version": "3.1", "nlu": listed}, allow_unicode=True, sort_keys=False)


def _lines(examples: Any) -> str:
    kept = sorted({one for one in examples if one})
    return "".join(f"- {one}\n" for one in kept)


def _annotated(sentence: TrainingSentence) -> str:
    """The sentence with its kinds of help and ailments marked as Rasa reads them."""
    said = _plain(sentence.said)
    marks: list[tuple[int, int, str]] = []
    for one in sentence.entities:
        start = said.find(_plain(one["text"]))
        end = start + len(_plain(one["text"]))
        apart = all(end <= other or start >= its_end for other, its_end, _ in marks)
        if one["entity"] in ANNOTATED and 0 <= start < end and apart:
            marks.append((start, end, _mark(one)))
    for start, end, mark in sorted(marks, reverse=True):
        said = f"{said[:start]}[{said[start:end]}]{mark}{said[end:]}"
    return said


def _mark(entity: Mapping[str, str]) -> str:
    told = {"entity": entity["entity"]}
    if entity["entity"] == "service_kind":
        told["value"] = entity["value"]
    return json.dumps(told, ensure_ascii=False)


def _plain(text: str) -> str:
    """One line of what was said, in which nothing means anything to Rasa or YAML."""
    printable = "".join(one if one.isprintable() else " " for one in text)
    before = None
    while before != printable:
        before = printable
        printable = " ".join(MEANS_SOMETHING_TO_RASA.sub(" ", printable).split())
    return printable


def _write(file: Path, content: str) -> None:
    """Whole or not at all; a file that says nothing is not there, so that the model keeps its
    name."""
    if not content:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    fresh.write_text(content, "utf-8")
    fresh.rename(file)
