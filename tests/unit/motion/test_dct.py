"""The cosine transform against scipy and against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.errors import UsageError
from kineme.motion.dct import dct, dct_basis, idct


@given(st.integers(1, 64), st.integers(0, 10))
def test_equals_scipy_and_inverts_exactly(frames: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(3, frames)) * 1000
    found = dct(values)
    np.testing.assert_allclose(found, scipy.fft.dct(values, norm="ortho"), atol=1e-8)
    np.testing.assert_allclose(idct(found), values, atol=1e-8)


def test_equals_the_formula() -> None:
    values = np.random.default_rng(0).normal(size=13)
    np.testing.assert_allclose(dct(values), naive.dct(values.tolist()), atol=1e-12)


@given(st.integers(2, 40), st.data())
def test_dropping_frequencies_keeps_the_low_ones(frames: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, frames))
    values = np.random.default_rng(1).normal(size=(2, frames))
    full = dct(values)
    np.testing.assert_allclose(dct(values, kept), full[:, :kept])
    lost = np.square(values - idct(full[:, :kept], frames)).sum()
    np.testing.assert_allclose(lost, np.square(full[:, kept:]).sum(), atol=1e-9)  # Parseval


def test_basis_is_orthonormal_cached_and_cannot_be_written() -> None:
    basis = dct_basis(50)
    np.testing.assert_allclose(basis @ basis.T, np.eye(50), atol=1e-12)
    assert dct_basis(50) is basis
    with pytest.raises(ValueError):
        basis[0, 0] = 1
    with pytest.raises(UsageError, match="keep between 1 and 8"):
        dct_basis(8, 9)


def test_kept_numbers_stay_float32() -> None:
    values = np.zeros((2, 8), dtype=np.float32)
    assert dct(values).dtype == idct(dct(values)).dtype == np.float32
