from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from scipy import sparse

from bot.nlu.linear import Linear, rows_of

THREE = ["affirm", "deny", "greet"]


def fit(labels: list[str], *, balanced: bool = False) -> Linear:
    """Each class has a feature of its own."""
    classes = sorted(set(labels))
    rows = sparse.csr_matrix(np.eye(len(classes))[[classes.index(one) for one in labels]] * 5)
    return Linear.fit(rows, labels, iterations=50, balanced=balanced)


def chances(linear: Linear, *rows: list[float], temperature: float = 1.0) -> np.ndarray:
    return linear.probabilities(sparse.csr_matrix(np.array(rows)), temperature=temperature)


@pytest.mark.parametrize("classes", [THREE, ["any", "none"]])
def test_every_class_is_known_by_its_feature(classes: list[str]) -> None:
    linear = fit(classes * 4)
    found = chances(linear, *(np.eye(len(classes)) * 5))

    assert list(linear.classes) == classes
    assert [linear.classes[at] for at in found.argmax(axis=1)] == classes
    assert found.sum(axis=1) == pytest.approx(np.ones(len(classes)))
    assert found.max(axis=1).min() > 0.8


def test_two_classes_are_as_sure_as_the_library_that_fitted_them() -> None:
    from sklearn.linear_model import LogisticRegression

    rows = sparse.csr_matrix([[5.0, 0], [5, 1], [0, 5], [1, 5], [3, 3]])
    labels = ["any", "any", "none", "none", "none"]
    linear = Linear.fit(rows, labels, iterations=200, balanced=False)
    library = LogisticRegression(max_iter=200, tol=1e-6, multi_class="multinomial")

    expected = library.fit(rows, labels).predict_proba(rows)
    assert linear.probabilities(rows) == pytest.approx(expected, abs=1e-4)


def test_what_was_never_seen_says_nothing_but_how_common_each_is() -> None:
    common = fit(["affirm"] * 20 + ["deny"] * 2)
    balanced = fit(["affirm"] * 20 + ["deny"] * 2, balanced=True)

    assert chances(common, [0.0, 0.0])[0, 0] > 0.6
    assert chances(balanced, [0.0, 0.0])[0, 0] == pytest.approx(0.5, abs=0.1)


def test_a_low_temperature_makes_surer_and_a_high_one_doubt() -> None:
    linear = fit(THREE * 4)
    cool, plain, warm = (
        chances(linear, [2.0, 1.0, 0.0], temperature=temperature)[0]
        for temperature in (0.5, 1.0, 3.0)
    )

    assert cool.max() > plain.max() > warm.max() > 1 / 3
    assert list(cool.argsort()) == list(plain.argsort()) == list(warm.argsort())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    linear = fit(THREE * 4)
    linear.write(tmp_path / "linear.npz")
    read = Linear.read(tmp_path / "linear.npz")

    assert list(read.classes) == THREE
    assert np.array_equal(read.weights, linear.weights)
    assert np.array_equal(read.bias, linear.bias)
    rows = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
    assert np.array_equal(chances(read, *rows), chances(linear, *rows))


def test_a_row_is_what_all_featurizers_made_of_a_whole_utterance() -> None:
    messages = []
    for number in (1.0, 2.0):
        message = Message({"text": "好"})
        for name, features in (
            ("characters", sparse.csr_matrix([[number, 0.0]])),
            ("sounds", sparse.csr_matrix([[0.0, number]])),
            ("meaning", np.array([[number / 2]])),
        ):
            message.add_features(Features(features, "sentence", "text", name))
        messages.append(message)

    assert rows_of(messages).toarray().tolist() == [[1, 0, 0, 1, 0.5], [2, 0, 0, 2, 1]]
    # Some utterances have no dense features when no such featurizer is in the pipeline.
    bare = Message({"text": "好"})
    bare.add_features(Features(sparse.csr_matrix([[1.0]]), "sentence", "text", "characters"))
    assert rows_of([bare]).toarray().tolist() == [[1]]
