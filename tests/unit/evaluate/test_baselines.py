"""The baselines see what A4Mer sees, tile every take, and are the same on every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

import naive
from kineme.corpus.synthetic import generate
from kineme.evaluate import baselines
from kineme.evaluate.baselines import BASELINES, model_input, pool
from kineme.evaluate.boundaries import change_times
from kineme.evaluate.representation import Fold, Take
from kineme.tasks.discover import WholeTake as Whole
from kineme.tasks.discover import discover


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
    fitted, again = (method.fit(fold, seed=0) for _ in range(2))
    one, two = fitted.view(motion), again.view(motion)
    assert frames == 100
    for a, b in zip(one.levels, two.levels, strict=True):
        assert a.lengths.sum() == frames == len(a.unit)
        assert len(a.tokens) == len(a.lengths)
        assert a.tokens.dtype == np.float32 and np.isfinite(a.tokens).all()
        np.testing.assert_array_equal(a.tokens, b.tokens)
    mined, same = fitted.mined(motion), again.mined(motion)
    if mined is not None:
        assert mined.lengths.sum() == mined.motif_frames.sum() == frames
        assert (mined.motif_atoms >= 1).all()
        np.testing.assert_array_equal(mined.ids, same.ids)


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


def test_raw_mining_goes_the_whole_way_of_a_model(fold):
    motion = fold.test[0].motion
    raw = baselines.RawMining(config=replace(baselines.CONFIG, min_support=3)).fit(fold, 0)
    atoms, motifs = raw.view(motion).levels
    assert set(np.cumsum(motifs.lengths)) <= set(np.cumsum(atoms.lengths))
    features = raw.model.standard(model_input(motion)[0])
    np.testing.assert_allclose(atoms.tokens, pool(features, atoms.lengths), atol=1e-5)
    np.testing.assert_allclose(motifs.tokens, pool(features, motifs.lengths), atol=1e-4)
    mined = raw.mined(motion)
    assert mined.motif_atoms.sum() == len(atoms.lengths)
    assert (mined.motif_atoms > 1).any()
    # written segments are bouts of patterns: their borders are borders of atoms
    assert set(np.cumsum(mined.lengths)) <= set(np.cumsum(atoms.lengths))
    assert (mined.ids[1:] != mined.ids[:-1]).all()
    track = discover([Whole(motion)], raw.model, scales=()).scale.tracks[0]
    np.testing.assert_allclose(change_times(mined.unit, 5.0), track.borders[1:-1], atol=1e-6)
