"""The baselines see what A4Mer sees, tile every take, and are the same on every run."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

import naive
from kineme.corpus.synthetic import generate
from kineme.evaluate import baselines
from kineme.evaluate.baselines import BASELINES, model_input, pool
from kineme.evaluate.representation import Fold, Take


@pytest.fixture(scope="module")
def fold():
    takes = [Take(t.name, t.motion, t.labels) for t in generate(0, 3, 20.0)]
    return Fold("synthetic", "", "synthetic", tuple(takes[:2]), (), (takes[2],))


def test_pooling_as_the_slow_twin():
    features = np.random.default_rng(0).normal(size=(11, 3))
    np.testing.assert_allclose(
        pool(features, np.array([4, 1, 6])), naive.pool(features, [4, 1, 6]), rtol=1e-5
    )


@pytest.mark.parametrize("method", BASELINES, ids=lambda m: m.name)
def test_levels_tile_the_take_and_answers_repeat(method, fold):
    motion = fold.test[0].motion
    frames = len(model_input(motion)[0])
    one, two = (method.fit(fold, seed=0).view(motion) for _ in range(2))
    assert frames == 100
    for a, b in zip(one.levels, two.levels, strict=True):
        assert a.lengths.sum() == frames == len(a.unit)
        assert len(a.tokens) == len(a.lengths)
        assert a.tokens.dtype == np.float32 and np.isfinite(a.tokens).all()
        np.testing.assert_array_equal(a.tokens, b.tokens)
    if one.mined is not None:
        assert one.mined.lengths.sum() == frames
        assert (one.mined.atoms >= 1).all()


def test_principal_components_as_scikit_learn(fold):
    representation = baselines.PrincipalComponents().fit(fold, 0)
    view = representation.view(fold.test[0].motion)
    standard = baselines._standardiser(fold.training_motions)
    clips = [standard(model_input(m)[0]).reshape(-1, 5 * 131) for m in fold.training_motions]
    oracle = PCA(svd_solver="full").fit(np.concatenate(clips))
    own = standard(model_input(fold.test[0].motion)[0]).reshape(-1, 5 * 131)
    count = min(8, view.levels[0].tokens.shape[1])
    np.testing.assert_allclose(
        np.abs(view.levels[0].tokens[:, :count]), np.abs(oracle.transform(own)[:, :count]), atol=1e-2
    )


def test_the_last_clip_is_padded_with_its_last_frame():
    clips, lengths = baselines._clips(np.arange(7, dtype=np.float32)[:, None])
    np.testing.assert_array_equal(lengths, [5, 2])
    np.testing.assert_array_equal(clips, [[0, 1, 2, 3, 4], [5, 6, 6, 6, 6]])


def test_random_cuts_are_as_many_as_fixed_ones(fold):
    motion = fold.test[0].motion
    fixed, random = (method.fit(fold, 0).view(motion).levels[0].lengths for method in BASELINES[2:4])
    assert len(fixed) == len(random)
    assert set(fixed) == {10}
    assert len(set(random)) > 1
    other = BASELINES[3].fit(fold, 1).view(motion).levels[0].lengths
    assert list(random) != list(other)


def test_mined_segments_are_whole_atoms(fold):
    view = baselines.RawMining().fit(fold, 0).view(fold.test[0].motion)
    atoms, motifs = view.levels
    assert set(np.cumsum(motifs.lengths)) <= set(np.cumsum(atoms.lengths))
    assert view.mined is not None
    assert view.mined.atoms.sum() == len(atoms.lengths)
    assert (view.mined.atoms > 1).any()
