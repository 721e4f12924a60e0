"""The motif tree against scipy's Ward, which knows no weights but can be given repeated points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import is_valid_linkage, linkage
from sklearn.metrics import adjusted_rand_score

from kineme.symbols import dendrogram
from kineme.symbols.dendrogram import cut, merge_tree


def points(count: int, seed: int, dimensions: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimensions))


@pytest.mark.parametrize("count", [2, 3, 40, 200])
def test_equal_weights_give_scipys_tree(count):
    vectors = points(count, count)
    np.testing.assert_allclose(merge_tree(vectors), linkage(vectors, "ward"), rtol=1e-9)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=2, max_size=12))
@settings(deadline=None, max_examples=60)
def test_a_weight_is_so_many_equal_points(seed, weights):
    vectors = points(len(weights), seed)
    repeated = linkage(np.repeat(vectors, weights, axis=0), "ward")
    tree = merge_tree(vectors, np.array(weights))
    np.testing.assert_allclose(tree[:, 2], repeated[-len(tree) :, 2], rtol=1e-7)
    owner = np.repeat(np.arange(len(weights)), weights)
    for clusters in range(1, len(weights) + 1):
        assert adjusted_rand_score(cut(tree, clusters)[owner], cut(repeated, clusters)) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=15))
@settings(deadline=None)
def test_ties_leave_a_valid_tree_and_nested_numbered_cuts(cells):
    """Points on a small grid: equal points and equal distances everywhere."""
    tree = merge_tree(np.array(cells, float))
    assert tree.tobytes() == merge_tree(np.array(cells, float)).tobytes()
    assert len(cells) == 1 or is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()
    finer = None
    for clusters in range(len(cells), 0, -1):
        labels = cut(tree, clusters)
        sizes = np.bincount(labels, minlength=clusters)
        firsts = [labels.tolist().index(label) for label in range(clusters)]
        assert len(sizes) == clusters
        assert sorted(zip(-sizes, firsts, strict=True)) == list(zip(-sizes, firsts, strict=True))
        if finer is not None:
            assert len(set(zip(finer, labels, strict=True))) == clusters + 1
        finer = labels


def test_numbers_follow_the_weights():
    vectors = np.array([[0.0], [0.1], [0.2], [9.0]])
    assert cut(merge_tree(vectors), 2).tolist() == [0, 0, 0, 1]
    assert cut(merge_tree(vectors), 2, weights=np.array([1, 1, 1, 9])).tolist() == [1, 1, 1, 0]


def test_many_vectors_go_through_groups(monkeypatch):
    """Well-parted blobs, more vectors than are taken exactly: the cut still finds the blobs."""
    monkeypatch.setattr(dendrogram, "EXACT", 100)
    monkeypatch.setattr(dendrogram, "GROUPS", 25)
    rng = np.random.default_rng(0)
    blob = rng.integers(0, 5, 300)
    vectors = 50 * np.eye(5)[blob] + rng.normal(size=(300, 5))
    weights = rng.integers(1, 9, 300)
    tree = merge_tree(vectors, weights)
    assert is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()
    assert tree.tobytes() == merge_tree(vectors, weights).tobytes()
    assert adjusted_rand_score(cut(tree, 5), blob) == 1
    np.testing.assert_allclose(tree[-4:, 2], merge_tree_exactly(vectors, weights)[-4:, 2], rtol=1e-9)


def merge_tree_exactly(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return linkage(np.repeat(vectors, weights, axis=0), "ward")


def test_one_vector_is_a_tree_without_merges():
    tree = merge_tree(np.zeros((1, 3)))
    assert tree.shape == (0, 4)
    assert cut(tree, 1).tolist() == [0]


@pytest.mark.parametrize(
    ("vectors", "weights"),
    [
        (np.zeros((0, 2)), None),
        (np.zeros(3), None),
        (np.full((2, 2), np.nan), None),
        (np.zeros((2, 2)), np.ones(3)),
        (np.zeros((2, 2)), np.array([1, 0])),
    ],
)
def test_vectors_without_a_tree_are_refused(vectors, weights):
    with pytest.raises(ValueError, match="need"):
        merge_tree(vectors, weights)


@pytest.mark.parametrize("clusters", [0, 4])
def test_cuts_that_cannot_be_are_refused(clusters):
    with pytest.raises(ValueError, match="clusters of 3"):
        cut(merge_tree(points(3, 0)), clusters)
