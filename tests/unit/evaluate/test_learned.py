"""A4Mer's rows: trained once and found again, and the random twin is where training starts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kineme.corpus.synthetic import generate
from kineme.errors import InputError
from kineme.evaluate import learned
from kineme.evaluate.boundaries import change_times
from kineme.evaluate.learned import A4MerRow, random_model, take_bank
from kineme.evaluate.representation import Fold, Take
from kineme.models.a4mer.config import PRESETS

SMALL = replace(PRESETS["tiny"], width=16, heads=2, steps=2, joint_steps=1, batch_size=4, window_seconds=10.0)


@pytest.fixture(scope="module")
def fold():
    takes = [Take(t.name, t.motion, t.labels) for t in generate(0, 4, 20.0)]
    return Fold("synthetic", "", "synthetic", tuple(takes[:3]), (), tuple(takes[3:]), training_checksum="abc")


def test_the_random_twin_is_where_training_starts(fold):
    from kineme.train.a4mer import A4MerModule

    bank = take_bank(list(fold.training_motions))
    twin = random_model(SMALL, bank, seed=3).network.state_dict()
    start = A4MerModule(SMALL, bank, seed=3).learner.average.state_dict()
    assert twin.keys() == start.keys()
    assert all(torch.equal(twin[name], start[name]) for name in twin)


def test_a_model_is_trained_once_and_found_again(fold, tmp_path, monkeypatch):
    monkeypatch.setitem(learned.PRESETS, "tiny", SMALL)
    row = A4MerRow("tiny", "trained", tmp_path)
    assert row.state(fold, 0) == ""
    first = row.fit(fold, 0)
    assert (tmp_path / "synthetic" / "tiny-0" / "model" / "model.safetensors").is_file()
    state = row.state(fold, 0)
    assert len(state) == 64 and row.state(fold, 1) == ""
    monkeypatch.setattr(learned, "take_bank", None)  # it would fail if it trained again
    motion = fold.test[0].motion
    one, two = first.view(motion), row.fit(fold, 0).view(motion)
    for a, b in zip(one.levels, two.levels, strict=True):
        np.testing.assert_array_equal(a.tokens, b.tokens)
        assert a.lengths.sum() == 100
    assert row.state(fold, 0) == state
    with pytest.raises(InputError, match="another version of the corpus"):
        row.fit(replace(fold, training_checksum="abd"), 0)
    monkeypatch.setitem(learned.PRESETS, "tiny", replace(SMALL, steps=3, joint_steps=4))
    with pytest.raises(
        InputError, match=r"tiny-0: .* other settings \(steps 2, not 3; joint_steps 1, not 4\)"
    ):
        row.fit(fold, 0)
    assert row.state(fold, 0) == state


def test_segments_are_those_that_discover_writes(fold):
    tokens = learned.Tokens(random_model(SMALL, take_bank(list(fold.training_motions)), seed=0))
    motion = fold.test[0].motion
    mined = tokens.mined(motion)
    assert mined.lengths.sum() == mined.motif_frames.sum() == 100
    assert mined.motif_atoms.sum() == len(tokens.view(motion).levels[0].lengths)
    assert (np.diff(np.concatenate([[0], change_times(mined.unit, 5.0), [20.0]])) >= 0.4 - 1e-6).all()


def test_names_say_which_is_random(tmp_path):
    names = [A4MerRow("small", weights, tmp_path).name for weights in ("trained", "random")]
    assert names == ["A4Mer small", "A4Mer small, random weights"]


def test_remined_has_the_weights_of_the_row_and_the_words_of_the_fold(fold, tmp_path, monkeypatch):
    model = random_model(SMALL, take_bank(list(fold.training_motions)), seed=0)
    monkeypatch.setattr(A4MerRow, "fit", lambda self, fold, seed: learned.Tokens(model))
    row = learned.Remined(A4MerRow("small", "trained", tmp_path))
    assert row.name == "A4Mer small, re-mined"
    assert row.fitted_on(fold) != row.fitted_on(replace(fold, corpus="other"))
    fewer = replace(fold, train=fold.train[:1])
    one, two = (row.fit(f, 0).model for f in (fold, fewer))
    assert one.network is two.network is model.network
    assert one.vocabulary.codes.centres.tobytes() != two.vocabulary.codes.centres.tobytes()
    alone = row.fit(replace(fold, train=()), 0).mined(fold.test[0].motion)
    assert alone.lengths.sum() == 100
