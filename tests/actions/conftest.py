"""A village that the actions of this process act for, and its people as speakers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.base import act_for
from tests.actions.speaker import Speaker, merged_domain
from tests.small_village import Street, build_village


@pytest.fixture(scope="session")
def domain() -> dict[str, Any]:
    return merged_domain()


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("original") / "village.db"
    build_village(file)
    return file


@pytest.fixture
def street(original: Path, tmp_path: Path) -> Iterator[Street]:
    street = Street.copied(original, tmp_path / "village.db")
    act_for(street.village)
    yield street
    act_for(None)
    street.village.engine.dispose()


Meet = Callable[[str], Speaker]


@pytest.fixture
def meet(street: Street, domain: dict[str, Any]) -> Meet:
    """A person of the street, ready to talk."""
    return lambda name: Speaker(str(street.member(name)), domain)


@pytest.fixture
def wang(meet: Meet) -> Speaker:
    return meet("王奶奶")


@pytest.fixture
def zhang(meet: Meet) -> Speaker:
    return meet("张秀英")
