"""The village's words: all there, short enough to be listened to, and nowhere else."""

from __future__ import annotations

import ast
import importlib
import io
import pkgutil
import re
import tokenize
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import actions.timebank
import voice
from actions.timebank.errors import Refusal
from actions.timebank.matching import Reason
from actions.timebank.states import DisputeKind, ServiceKind
from bot.channels.talk_page import RESPONSES
from bot.console.words import read_words
from bot.phrases import Phrases, read_phrases
from bot.settings import HOUSE
from tests.actions.speaker import merged_domain
from voice.synthesizer import sentences
from voice.types import VoiceError

LONGEST_SENTENCE = 40
"""Characters (rule 7)."""
PARTS = ("actions", "bot", "voice")


def python_files() -> list[Path]:
    return [file for part in PARTS for file in sorted((HOUSE / part).rglob("*.py"))]


# Everything that is said has words


def test_the_words_are_the_same_as_rasas(phrases: Phrases) -> None:
    assert phrases._responses == merged_domain()["responses"]


def test_no_response_is_written_twice() -> None:
    files = sorted((HOUSE / "bot" / "domain").glob("*.yml"))
    written = re.findall(r"^  (utter_\w+):", "\n".join(f.read_text("utf-8") for f in files), re.M)
    assert sorted(written) == sorted(set(written)) and len(written) > 100


def named_in_code() -> Iterator[tuple[str, str]]:
    """Every literal utter_… in the code; those made up of parts are looked at below."""
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            whole = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if whole and re.fullmatch(r"utter_\w*[a-z0-9]", node.value):
                yield node.value, file.relative_to(HOUSE).as_posix()


def test_every_response_named_in_code_exists(phrases: Phrases) -> None:
    named = list(named_in_code())
    assert len(named) > 80
    assert [one for one in named if one[0] not in phrases] == []


def test_every_response_in_the_rules_exists(phrases: Phrases) -> None:
    rules = (HOUSE / "nlu_data" / "rules.yml").read_text("utf-8")
    assert [name for name in re.findall(r"utter_\w+", rules) if name not in phrases] == []


def subclasses(of: type) -> list[type]:
    direct = of.__subclasses__()
    return list(chain(direct, *(subclasses(one) for one in direct)))


def load_all(package: object) -> None:
    paths, name = package.__path__, package.__name__  # type: ignore[attr-defined]
    for module in pkgutil.walk_packages(paths, f"{name}."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


NEVER_TOLD_BARE = {"refused"}
"""The base of all refusals is not raised itself."""
SPOKEN_AS_APOLOGY = {"voice_failed", "engine_missing"}
"""Parts of ours that broke: not for the person to put right."""


def test_every_refusal_has_words(phrases: Phrases) -> None:
    load_all(actions.timebank)
    codes = {one.code for one in subclasses(Refusal)} - NEVER_TOLD_BARE
    assert len(codes) > 8
    missing = {code for code in codes - {"nothing_open"} if f"utter_refused_{code}" not in phrases}
    # What only staff can run into is told on their pages.
    assert missing - set(read_words("zh").refusals) == set()


def test_nothing_open_has_words_also_when_it_does_not_say_what(phrases: Phrases) -> None:
    assert "utter_refused_nothing_open" in phrases


@pytest.mark.parametrize("what", ["request", "visit", "offer", "task", "rating", "rating_of"])
def test_nothing_open_has_words_for_everything_it_may_be(phrases: Phrases, what: str) -> None:
    assert f"utter_refused_nothing_open_{what}" in phrases


def test_every_what_in_code_is_one_of_these() -> None:
    code = "\n".join(file.read_text("utf-8") for file in python_files())
    named = set(re.findall(r'NothingOpen\([^)]*what="(\w+)"', code))
    assert named == {"request", "visit", "offer", "task", "rating", "rating_of"}


def test_every_voice_error_has_words_or_is_apologised_for(phrases: Phrases) -> None:
    load_all(voice)
    codes = {one.code for one in (VoiceError, *subclasses(VoiceError))}
    said = {code for code in codes if f"utter_refused_{code}" in phrases}
    assert codes - said == SPOKEN_AS_APOLOGY


def test_every_refused_turn_has_words(phrases: Phrases) -> None:
    code = (HOUSE / "bot" / "words.py").read_text("utf-8")
    codes = set(re.findall(r'Refused\("(\w+)"\)', code))
    assert codes and all(f"utter_refused_{one}" in phrases for one in codes)


def test_the_talk_page_finds_all_its_words(phrases: Phrases) -> None:
    assert [name for name in RESPONSES.values() if name not in phrases] == []


@pytest.mark.parametrize("kind", list(ServiceKind))
def test_every_kind_of_help_can_be_named(phrases: Phrases, kind: ServiceKind) -> None:
    assert phrases.text(f"utter_kind_{kind.value}") and phrases.text(f"utter_done_{kind.value}")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_for_a_neighbour_can_be_told(phrases: Phrases, reason: Reason) -> None:
    said = phrases.text(f"utter_why_{reason.value}", whom="您", day="昨天", done="做过饭")
    assert 0 < len(said) <= 20


@pytest.mark.parametrize("kind", list(DisputeKind))
def test_every_dispute_is_told_to_the_staff(phrases: Phrases, kind: DisputeKind) -> None:
    assert f"utter_notice_staff_dispute_{kind.value}" in phrases


def test_every_notice_that_code_queues_has_words(phrases: Phrases) -> None:
    code = "\n".join(f.read_text("utf-8") for f in (HOUSE / "actions" / "timebank").glob("*.py"))
    queued = set(re.findall(r'\btell(?:_staff)?\(\s*session,[^"=]*?"(\w+)"', code))
    assert len(queued) > 20
    for kind in queued:
        assert any(name.startswith(f"utter_notice_{kind}") for name in phrases._responses), kind


# How it is said


def variants(phrases: Phrases) -> Iterator[tuple[str, str]]:
    for name, all_of_it in phrases._responses.items():
        for variant in all_of_it:
            yield name, variant["text"]


def test_no_sentence_is_too_long_to_be_kept_in_mind(phrases: Phrases) -> None:
    too_long = [
        (name, sentence)
        for name, text in variants(phrases)
        for sentence in sentences(re.sub(r"\{\w+\}", "某某", text))
        if len(sentence) > LONGEST_SENTENCE
    ]
    assert too_long == []


def test_at_most_two_buttons_are_offered(phrases: Phrases) -> None:
    for name, all_of_it in phrases._responses.items():
        for variant in all_of_it:
            assert len(variant.get("buttons", [])) <= 2, name


def test_nobody_is_called_a_volunteer_or_blamed(phrases: Phrases) -> None:
    unkind = re.compile("志愿者|您错了|说错|代替子女|无效|失败|错误")
    assert [(name, text) for name, text in variants(phrases) if unkind.search(text)] == []


def test_nobody_is_asked_for_money_or_codes(phrases: Phrases) -> None:
    swindle = re.compile("验证码|密码|银行卡|卡号|转账|元钱|块钱")
    speaks_of_it = {name for name, text in variants(phrases) if swindle.search(text)}
    assert speaks_of_it == {"utter_beware_of_swindlers"}


def test_a_missing_fact_and_an_unknown_response_are_bugs(phrases: Phrases) -> None:
    with pytest.raises(KeyError):
        phrases.text("utter_greet")
    with pytest.raises(KeyError):
        phrases.text("utter_made_up")


def test_only_the_domain_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("version: '3.1'\nslots: {}\n")
    (tmp_path / "b.yml").write_text("responses:\n  utter_a:\n  - text: 好\n")
    (tmp_path / "c.txt").write_text("responses: no\n")
    read = read_phrases(tmp_path)
    assert "utter_a" in read and read.text("utter_a") == "好"


# No sentence in Python


SENTENCE = re.compile(r"[\u4e00-\u9fff]{6,}")
ONE_OF = re.compile(r"\[[^\]]*\]?")
"""Characters that a pattern listens for are no sentence."""
MAY_HAVE = {
    "bot/commands.py": "the welcome of `make run` shows the engineer what to try",
    "bot/nlu/fund.py": "what 村里 is misheard for",
    "bot/nlu/numerals.py": "digits that are listened for",
    "voice/engines/mandarin.py": "numerals that a voice must not lengthen or drop",
    "voice/engines/whisper.py": "a prompt for the recognizer, and what it makes up from noise",
    "voice/numerals.py": "digits, and words that are counted",
    "voice/speakable.py": "digits, and words that are counted",
}


def chinese_strings(file: Path) -> Iterator[str]:
    source = file.read_text("utf-8")
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    }
    below_a_name = {
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING:
            formatted = "f" in token.string[:2].lower()
            text = token.string if formatted else ast.literal_eval(token.string)
            if isinstance(text, str) and text not in docstrings | below_a_name:
                yield text


def test_no_sentence_is_said_by_python() -> None:
    said = {
        (file.relative_to(HOUSE).as_posix(), text)
        for file in python_files()
        for text in chinese_strings(file)
        if SENTENCE.search(ONE_OF.sub("", text))
    }
    # Pages for staff name their sentences by their Chinese: tests/bot/console/test_words.py.
    said = {one for one in said if not one[0].startswith("bot/console/")}
    assert {one for one in said if one[0] not in MAY_HAVE} == set()
    assert {file for file, _ in said} >= set(MAY_HAVE), "an excuse that is not needed"
