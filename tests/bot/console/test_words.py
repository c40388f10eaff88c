"""The console speaks Chinese, and English where that is set: every sentence of it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from enum import Enum
from pathlib import Path

import pytest

from actions.timebank import errors, staff, states
from actions.timebank.staff import roles
from bot import console
from bot.console import words
from bot.console.themes import NAV, all_routes
from bot.console.words import Words, read_words
from bot.phrases import read_phrases

CONSOLE = Path(words.__file__).parent
IN_TEMPLATES = re.compile(r"""\b_\(\s*(["'])(.+?)\1""", re.DOTALL)
IN_PYTHON = re.compile(r"""\bsay\(\s*"([^"]*[\u4e00-\u9fff][^"]*)\"""")
BARE_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def english() -> Words:
    return read_words("en")


def templates() -> list[Path]:
    return sorted((CONSOLE / "templates").rglob("*.html"))


def test_every_sentence_has_its_english(english: Words) -> None:
    entries = [entry for group in NAV for entry in group.entries]
    said = {group.title for group in NAV}
    said |= {words for entry in entries for words in (entry.title, entry.about)}
    for template in templates():
        said |= {found[1] for found in IN_TEMPLATES.findall(template.read_text("utf-8"))}
    for module in CONSOLE.rglob("*.py"):
        said |= set(IN_PYTHON.findall(module.read_text("utf-8")))
    assert sorted(said - set(english.english)) == []


def test_every_label_refusal_and_deed_has_its_english(english: Words) -> None:
    named = {name for values in english.labels.values() for name in values.values()}
    named |= set(english.refusals.values()) | set(english.deeds.values())
    assert sorted(named - set(english.english)) == []


def test_every_deed_has_words_for_the_record() -> None:
    done = {f"POST {route.path}" for route in all_routes() if route.method == "POST"}
    assert sorted(done - set(read_words("zh").deeds)) == []


def test_english_fills_in_the_same_facts(english: Words) -> None:
    for chinese, translated in english.english.items():
        facts = set(re.findall(r"\{(\w+)\}", chinese))
        assert set(re.findall(r"\{(\w+)\}", translated)) == facts, chinese


def test_templates_say_nothing_but_by_words() -> None:
    for template in templates():
        text = re.sub(r"\{#.*?#\}", "", template.read_text("utf-8"), flags=re.DOTALL)
        text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        text = re.sub(r"[（）：，。、；！？]", "", text)
        assert not BARE_CHINESE.search(text), template.name


def test_every_known_state_has_a_name() -> None:
    zh = read_words("zh")
    for enum in (roles.Role,):
        for one in enum:
            assert BARE_CHINESE.search(zh.label(one)), one


def test_labels_name_no_state_that_is_not_there() -> None:
    zh = read_words("zh")
    modules = [states]
    for package in (staff, console):
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules += [importlib.import_module(one.name) for one in found]
    enums = {
        name: thing
        for module in modules
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Enum)
    }
    for name, values in zh.labels.items():
        assert name in enums, name
        assert set(values) <= {str(one.value) for one in enums[name]}, name


def test_every_refusal_of_the_core_has_words_for_staff_or_for_everybody() -> None:
    codes = {
        thing.code
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, errors.Refusal)
    }
    known = set(read_words("zh").refusals)
    assert {"same_person", "not_for_self", "changed_meanwhile", "wrong_state"} <= known
    assert sorted(
        code for code in codes - known if f"utter_refused_{code}" not in read_phrases()
    ) == ["nothing_open"] * ("nothing_open" not in known)


@pytest.mark.parametrize(
    "minutes, chinese, english_words",
    [(0, "0分", "0 min"), (90, "1小时30分", "1 h 30 min"), (-60, "-1小时", "-1 h")],
)
def test_minutes_are_told_in_hours(minutes: int, chinese: str, english_words: str) -> None:
    assert read_words("zh").minutes(minutes) == chinese
    assert read_words("en").minutes(minutes) == english_words


def test_what_two_themes_say_is_said_in_the_frames_words(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("english: {机器出错: machine failed, 找: Find}\n", "utf-8")
    (tmp_path / "frame.yml").write_text("english: {机器出错: The machine failed}\n", "utf-8")
    read = read_words("en", tmp_path)
    assert (read.say("机器出错"), read.say("找")) == ("The machine failed", "Find")


def test_no_two_themes_name_one_state_differently() -> None:
    named: dict[tuple[str, str], set[str]] = {}
    for theme in words.themes():
        parts = {part: theme.get(part) or {} for part in ("refusals", "deeds")}
        for name, values in {**parts, **(theme.get("labels") or {})}.items():
            for value, chinese in values.items():
                named.setdefault((name, str(value)), set()).add(chinese)
    assert {state: said for state, said in named.items() if len(said) > 1} == {}
