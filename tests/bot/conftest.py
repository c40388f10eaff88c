"""A furnished village and 王奶奶's side of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.phrases import Phrases, read_phrases
from tests.bot.turn_parts import Parlour, furnish
from tests.small_village import Street, build_village


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("original") / "village.db"
    build_village(file)
    return file


@pytest.fixture(scope="session")
def phrases() -> Phrases:
    return read_phrases()


@pytest.fixture
def street(original: Path, tmp_path: Path) -> Iterator[Street]:
    street = Street.copied(original, tmp_path / "village.db")
    yield street
    street.village.engine.dispose()


@pytest.fixture
def parlour(street: Street, tmp_path: Path, phrases: Phrases) -> Parlour:
    return furnish(street, tmp_path, phrases)
