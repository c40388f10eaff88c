"""Logistic regression over the features of messages, kept as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, List, Sequence, Tuple

import numpy as np
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

TOLERANCE = 1e-5
DENSE = 0.5
"""A feature that more than this share of the rows has is no sparse one."""


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
        """Multinomial, with the ridge penalty that scikit-learn calls C = 1. `balanced` lets rare
        classes count as much as common ones. Raises ValueError for a single class."""
        classes, wanted = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError("there is nothing to tell apart")
        often = np.bincount(wanted)
        counts = len(wanted) / (len(classes) * often[wanted]) if balanced else np.ones(len(wanted))
        weights, bias = _minimised(rows, wanted, counts.astype(np.float32), iterations)
        return cls([str(one) for one in classes], weights, bias)

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


def _minimised(
    rows: sparse.csr_matrix, wanted: np.ndarray, counts: np.ndarray, iterations: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Weights and bias of the least loss, by L-BFGS.

    Not left to scikit-learn because of time: what nearly every row has, a sentence vector, is
    multiplied as the dense block it is, and the rest in single precision."""
    full = np.diff(rows.tocsc().indptr) > DENSE * rows.shape[0]
    few = rows[:, ~full].astype(np.float32).tocsr()
    many = rows[:, full].toarray().astype(np.float32)
    few_turned, classes = few.T.tocsr(), int(wanted.max()) + 1
    right = (np.arange(len(wanted)), wanted)

    def loss(flat: np.ndarray) -> Tuple[float, np.ndarray]:
        weights = flat.reshape(-1, classes).astype(np.float32)
        of_few, of_many, bias = np.split(weights, [few.shape[1], rows.shape[1]])
        scores = few @ of_few + many @ of_many + bias
        log_chances = scores - logsumexp(scores, axis=1, keepdims=True)
        missed = np.exp(log_chances)
        missed[right] -= 1
        missed *= counts[:, np.newaxis]
        slope = [few_turned @ missed + of_few, many.T @ missed + of_many, [missed.sum(axis=0)]]
        penalty = 0.5 * float(np.square(weights[:-1], dtype=np.float64).sum())
        total = penalty - float((counts * log_chances[right]).sum(dtype=np.float64))
        return total / len(wanted), np.concatenate(slope).ravel().astype(np.float64) / len(wanted)

    start = np.zeros((rows.shape[1] + 1) * classes)
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "gtol": TOLERANCE}
    ).x.reshape(-1, classes)
    weights = np.empty((rows.shape[1], classes), np.float32)
    weights[~full], weights[full] = np.split(found[:-1], [few.shape[1]])
    return weights, found[-1].astype(np.float32)
