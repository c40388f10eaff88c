"""How long `xiaobang run` takes from nothing, and again when all is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from bot.prepare import fingerprint
from bot.settings import Settings
from tests.e2e.stack import Stack


def new_stack(home: Path, **more: str) -> Stack:
    """小帮 in a folder of its own, by the real clock."""
    # Rasa would otherwise take parts of an earlier training out of its own cache.
    return Stack(home, clock=None, RASA_CACHE_DIRECTORY=str(home / "rasa-cache"), **more)


def cold_start(home: Path, **more: str) -> tuple[Stack, float]:
    """A stack that runs, and the seconds from an empty folder: joining the recognizer's model,
    training, filling the village, starting. What a first `make run` downloads is not in them."""
    shutil.rmtree(home, ignore_errors=True)
    stack = new_stack(home, **more)
    return stack, stack.start()


def warm_start(stack: Stack) -> float:
    """The seconds of a start with everything in place. No sentence is left spoken."""
    stack.stop()
    shutil.rmtree(stack.settings.home / "spoken", ignore_errors=True)
    return stack.start()


def borrow_trained(settings: Settings) -> None:
    """What `make run` has trained on the same inputs need not be trained again."""
    trained = Settings().rasa_model / f"{fingerprint(Settings().training)}.tar.gz"
    if trained.exists():
        settings.rasa_model.mkdir(exist_ok=True)
        shutil.copy(trained, settings.rasa_model)
