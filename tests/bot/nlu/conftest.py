"""A pupil who went through the whole pipeline once, on a handful of sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bot.nlu.school import SAID, Pupil, lookups, teach, training_data

# As `bot.prepare` has it: threads that wait for work would burn what the tests need.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
TAUGHT = (
    "Respelling",
    "FactExtractor",
    "CharacterNgrams",
    "SoundNgrams",
    "FactNgrams",
    "SentenceVectors",
    "CalibratedClassifier",
    "EmergencyBySound",
    "SwindleBySound",
    "ServiceKinds",
    "Ailments",
)


@pytest.fixture(scope="session")
def pupil(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Pupil:
    words = [lookups(name) for name in ("emergencies", "service_kinds", "swindles")]
    folder = tmp_path_factory.mktemp("school")
    data = training_data(SAID, *words)
    return teach(TAUGHT, data, folder, database=f"sqlite:///{original}")
