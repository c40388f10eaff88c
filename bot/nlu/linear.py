"""Logistic regression over the features of messages, kept as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, List, Sequence

import numpy as np
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from scipy import sparse
from scipy.special import softmax

TOLERANCE = 0.01


@dataclass(frozen=True)
class Linear:
    classes: Sequence[str]
    weights: np.ndarray
    """One row a feature, one column a class."""
    bias: np.ndarray

    @classmethod
    def fit(
        cls, rows: sparse.csr_matrix, labels: Sequence[str], *, iterations: int, balanced: bool
    ) -> Linear:
        from sklearn.linear_model import LogisticRegression

        learnt = LogisticRegression(
            max_iter=iterations,
            tol=TOLERANCE,
            multi_class="multinomial",
            class_weight="balanced" if balanced else None,
        ).fit(rows, labels)
        weights, bias = learnt.coef_, learnt.intercept_
        if len(learnt.classes_) == 2:
            weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
        return cls(
            [str(one) for one in learnt.classes_],
            weights.T.astype(np.float32),
            bias.astype(np.float32),
        )

    def probabilities(self, rows: sparse.csr_matrix, *, temperature: float = 1.0) -> np.ndarray:
        """One row a message, one column a class. A temperature below 1 makes surer."""
        # Only the weights of features that occur: scipy would convert all of them at each call.
        scores = [
            rows.data[start:end] @ self.weights[rows.indices[start:end]]
            for start, end in pairwise(rows.indptr)
        ]
        return softmax((np.array(scores) + self.bias) / temperature, axis=1)

    def write(self, file: Path) -> None:
        np.savez(file, classes=np.array(self.classes), weights=self.weights, bias=self.bias)

    @classmethod
    def read(cls, file: Path) -> Linear:
        with np.load(file, allow_pickle=False) as kept:
            return cls([str(one) for one in kept["classes"]], kept["weights"], kept["bias"])


def rows_of(messages: Sequence[Message]) -> sparse.csr_matrix:
    """What all featurizers made of whole utterances, one row a message."""
    rows: List[Any] = []
    for message in messages:
        parts = (message.get_sparse_features(TEXT)[1], message.get_dense_features(TEXT)[1])
        rows.append(sparse.hstack([sparse.csr_matrix(part.features) for part in parts if part]))
    return sparse.vstack(rows).tocsr()
