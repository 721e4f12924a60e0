"""The codebook: deterministic centres, and the same code for a token alone as in a batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import naive
from kineme.errors import InputError
from kineme.symbols import Codebook, codebook

grid = st.integers(-3, 3).map(float)  # small whole numbers: exact ties are common


def blobs(count: int = 900, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]], np.float32)
    label = rng.choice(4, count, p=[0.1, 0.4, 0.2, 0.3])
    return (centres[label] + rng.normal(size=(count, 3))).astype(np.float32), label


def test_fit_finds_the_groups_and_numbers_them_by_size():
    tokens, label = blobs()
    codes, _ = codebook.fit(tokens, 4, seed=0).assign(tokens)
    assert codes.tolist() == np.array([3, 0, 2, 1])[label].tolist()


def test_fit_thins_a_large_corpus_by_the_seed():
    tokens, label = blobs(20000)
    one, same, other = (codebook.fit(tokens, 4, seed) for seed in (0, 0, 1))
    assert one.centres.tobytes() == same.centres.tobytes()
    assert one.centres.tobytes() != other.centres.tobytes()
    assert one.assign(tokens)[0].tolist() == np.array([3, 0, 2, 1])[label].tolist()


def test_even_codes_describe_the_rare_better_and_the_common_hardly_worse():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(10, 1, 3)) * 4 + rng.normal(size=(10, 600, 3))
    rare = 12 + rng.normal(size=(4, 1, 3)) * 2 + rng.normal(size=(4, 40, 3)) * 0.3
    parts = [part.reshape(-1, 3).astype(np.float32) for part in (common, rare)]

    def errors(evenness):
        book = codebook.fit(np.concatenate(parts), 12, seed=0, evenness=evenness)
        return [book.assign(part)[1].mean() for part in parts]

    plain, even = errors(0.0), errors(0.5)
    assert even[1] < 0.6 * plain[1]
    assert even[0] < 1.1 * plain[0]


def test_fewer_distinct_tokens_than_clusters():
    tokens = np.repeat(np.eye(3, dtype=np.float32), 50, axis=0)
    centres = codebook.fit(tokens, 8, seed=0).centres
    np.testing.assert_allclose(sorted(np.round(centres).tolist()), sorted(np.eye(3).tolist()), atol=1e-6)
    assert len(codebook.fit(tokens[:1], 8, seed=0)) == 1


@given(hnp.arrays(np.float32, (7, 2), elements=grid), hnp.arrays(np.float32, (5, 2), elements=grid))
@settings(deadline=None)
def test_nearest_equals_the_naive_twin_ties_included(tokens, centres):
    codes, distances = Codebook(centres).nearest(tokens, 3)
    expected = naive.nearest(tokens, centres, 3)
    assert codes.tolist() == [[k for k, _ in row] for row in expected]
    np.testing.assert_allclose(distances, [[d for _, d in row] for row in expected], rtol=1e-12)


def test_a_token_alone_has_the_bits_it_has_in_a_batch(monkeypatch):
    """Centres closer together than float32 products can tell apart, far from the origin."""
    rng = np.random.default_rng(0)
    centres = (100 + 1e-4 * rng.normal(size=(40, 33))).astype(np.float32)
    tokens = (100 + 1e-4 * rng.normal(size=(300, 33))).astype(np.float32)
    book = Codebook(centres)
    codes, distances = book.assign(tokens)
    assert codes.tolist() == [row[0][0] for row in naive.nearest(tokens, centres, 1)]
    for i, token in enumerate(tokens):
        code, distance = book.assign(token[None])
        assert (code[0], distance[0]) == (codes[i], distances[i])
    monkeypatch.setattr(codebook, "_ROWS", 7)
    again = book.assign(tokens)
    assert again[0].tolist() == codes.tolist()
    assert again[1].tobytes() == distances.tobytes()


def test_assign_of_nothing():
    codes, distances = Codebook(np.eye(2)).assign(np.zeros((0, 2)))
    assert codes.shape == distances.shape == (0,)
    assert (codes.dtype, distances.dtype) == (np.int32, np.float32)


def test_confidence_is_one_on_a_centre_and_zero_between_two():
    book = Codebook(np.array([[0.0, 0.0], [4.0, 0.0]]))
    confidence = book.confidence(np.array([[0, 0], [1, 0], [2, 0], [2, 9], [4, 0]]))
    np.testing.assert_allclose(confidence, [1, 2 / 3, 0, 0, 1], rtol=1e-6)
    assert Codebook(np.ones((1, 2))).confidence(np.zeros((3, 2))).tolist() == [1, 1, 1]
    assert Codebook(np.ones((2, 2))).confidence(np.ones((1, 2))).tolist() == [0]


def test_arrays_survive_and_hostile_ones_are_named():
    book = codebook.fit(blobs()[0], 4, seed=0)
    assert Codebook.from_arrays(book.to_arrays()).centres.tobytes() == book.centres.tobytes()
    for arrays in ({}, {"centres": np.zeros(3)}, {"centres": np.full((2, 2), np.nan)}, {"centres": [["a"]]}):
        with pytest.raises(InputError, match="m/codebook.safetensors: holds no codebook"):
            Codebook.from_arrays(arrays, "m/codebook.safetensors")


@pytest.mark.parametrize(
    ("tokens", "clusters", "error"),
    [
        (np.zeros((0, 3)), 2, InputError),
        (np.full((5, 3), np.nan), 2, InputError),
        (np.zeros((5, 3)), 0, ValueError),
        (np.zeros(5), 2, ValueError),
    ],
)
def test_tokens_that_cannot_be_clustered_are_refused(tokens, clusters, error):
    with pytest.raises(error, match="tokens"):
        codebook.fit(tokens, clusters, seed=0)


@pytest.mark.parametrize(
    ("tokens", "count", "error"),
    [
        (np.zeros((2, 3)), 1, ValueError),
        (np.zeros(2), 1, ValueError),
        (np.zeros((2, 2)), 3, ValueError),
        (np.full((1, 2), np.inf), 1, InputError),
    ],
)
def test_tokens_that_do_not_fit_the_codebook_are_refused(tokens, count, error):
    with pytest.raises(error):
        Codebook(np.eye(2)).nearest(tokens, count)
