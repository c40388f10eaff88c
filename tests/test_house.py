"""The rules of the house that no other tool keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.settings import HOUSE

OURS = ("actions", "bot", "voice", "tests", "nlu_data")
LONGEST = 400
MAY_BE_LONGER = {
    "actions/timebank/migrations/versions/0001_tables.py": "never touched again once released",
}
"""Reading them in parts would be harder."""
TESTS_MAY_HAVE = 600
"""A theme's tests are read one at a time."""

NOTHING_HAPPENS = """
import importlib, os, pkgutil, sys

happened = []
AT_WORK = ("sqlite3.", "socket.", "subprocess.", "os.mkdir", "os.remove", "os.rename", "os.system")

def watch(event, arguments):
    path = str(arguments[0]) if arguments else ""
    if event == "open":
        is_code = path.endswith((".py", ".pyc")) or "__pycache__" in path
        writes = set(str(arguments[1] or "")) & set("wax+")
        if not is_code and (writes or path.startswith(os.getcwd() + os.sep + "actions")):
            happened.append(f"{event} {path}")
    elif event.startswith(AT_WORK) and "__pycache__" not in path:
        happened.append(f"{event} {path}")

# Other people's packages may do as they like.
import alembic.command, rasa_sdk.executor, rasa_sdk.forms, sqlalchemy.orm
sys.addaudithook(watch)
import actions
for module in pkgutil.walk_packages(actions.__path__, "actions."):
    if ".migrations" not in module.name:
        importlib.import_module(module.name)
print(*happened, sep="\\n")
"""


def test_importing_the_actions_touches_nothing() -> None:
    """`rasa run actions` imports every module under actions/."""
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_HAPPENS], cwd=HOUSE, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def our_files() -> Iterator[Path]:
    for part in OURS:
        for file in sorted((HOUSE / part).rglob("*")):
            if file.suffix in (".py", ".yml", ".js", ".css", ".html") and file.is_file():
                yield file.relative_to(HOUSE)


def test_files_are_of_one_theme_and_short() -> None:
    too_long = {}
    for file in our_files():
        if file.as_posix() in MAY_BE_LONGER or file.parts[0] == "nlu_data":
            continue  # Examples are data; there cannot be too many.
        allowed = TESTS_MAY_HAVE if file.parts[0] == "tests" else LONGEST
        length = len((HOUSE / file).read_text("utf-8").splitlines())
        if length > allowed:
            too_long[file.as_posix()] = length
    assert too_long == {}


def test_no_file_is_excused_without_need() -> None:
    for file in MAY_BE_LONGER:
        assert len((HOUSE / file).read_text("utf-8").splitlines()) > LONGEST, file
