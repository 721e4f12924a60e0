"""Agreement measures against scikit-learn and, for purity, the slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import naive
from kineme.evaluate import agreement

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=60).map(np.array)


@given(PAIRS)
def test_nmi_and_ari_as_scikit_learn(pairs):
    a, b = pairs.T
    assert agreement.nmi(a, b) == pytest.approx(metrics.normalized_mutual_info_score(a, b), abs=1e-9)
    assert agreement.ari(a, b) == pytest.approx(metrics.adjusted_rand_score(a, b), abs=1e-9)


@given(PAIRS)
def test_purity_as_the_slow_twin(pairs):
    a, b = pairs.T
    assert agreement.purity(a, b) == pytest.approx(naive.purity(list(a), list(b)))


def test_known_values():
    codes, labels = np.array([0, 0, 1, 1]), np.array(["x", "x", "y", "y"], dtype=object)
    assert (
        agreement.nmi(codes, labels) == agreement.ari(codes, labels) == agreement.purity(codes, labels) == 1
    )
    assert agreement.purity(np.zeros(4, int), labels) == 0.5
    assert agreement.nmi(np.zeros(4, int), labels) == 0


def test_different_lengths_are_refused():
    with pytest.raises(ValueError, match="4 frames against 3"):
        agreement.nmi(np.zeros(4), np.zeros(3))
