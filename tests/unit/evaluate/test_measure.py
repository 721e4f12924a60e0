"""A representation that knows the truth gets full marks, one that knows nothing gets chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from kineme.evaluate.boundaries import frame_labels
from kineme.evaluate.measure import look, measure
from kineme.evaluate.representation import Fold, Level, Mined, Take, View
from kineme.motion import SMPL22, Motion, Segment

FPS = 5.0
CLASSES = ("run", "sit", "walk")


def take(seed, segments=8):
    """A still body whose labels change every 1.2 to 4 s."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(6, 20, segments)
    frames = int(lengths.sum())
    edges = [0.0, *(np.cumsum(lengths) / FPS)]
    names = [CLASSES[(k + seed) % 3] for k in range(segments)]
    labels = tuple(Segment(float(a), float(b), n) for a, b, n in zip(edges, edges[1:], names, strict=False))
    rotations = np.tile(np.eye(3, dtype=np.float32), (frames, len(SMPL22), 1, 1))
    root = np.zeros((frames, 3), np.float32)
    return Take(f"take-{seed}", Motion(SMPL22, FPS, root, rotations, labels=labels), labels)


@dataclass
class Oracle:
    """Tokens are the truth, one a segment; `noise` exchanges them for random numbers."""

    noise: bool = False

    def _segments(self, motion):
        truth = frame_labels(motion.labels, np.arange(len(motion)) / FPS)
        edges = np.flatnonzero(np.concatenate([[True], truth[1:] != truth[:-1]]))
        lengths = np.diff(edges, append=len(motion))
        tokens = np.array([[name == c for c in CLASSES] for name in truth[edges]], np.float32)
        if self.noise:
            rng = np.random.default_rng(len(motion))
            lengths = np.ones(len(motion), np.int64)
            tokens = rng.normal(size=(len(motion), 3)).astype(np.float32)
        return tokens, lengths

    def view(self, motion):
        return View(FPS, (Level("atom", *self._segments(motion)),))

    def mined(self, motion):
        """Two patterns a segment, of one atom and of three."""
        lengths = self._segments(motion)[1]
        parts = np.stack([lengths // 2, lengths - lengths // 2], axis=1).reshape(-1)
        return Mined(np.arange(len(lengths)), lengths, parts, np.tile([1, 3], len(lengths)))


@pytest.fixture(scope="module")
def fold():
    train, val, test = (tuple(take(s) for s in seeds) for seeds in (range(8), range(8, 10), range(10, 14)))
    return Fold("toy", "", "toy", train, val, test)


def test_the_truth_gets_full_marks(fold):
    found = measure(Oracle(), fold, seed=0)
    ones = ("f1_codes", "precision_codes", "recall_codes", "nmi", "ari", "knn_top1", "linear")
    assert {name: found["atom"][name] for name in ones} == pytest.approx(dict.fromkeys(ones, 1.0))
    assert found["atom"]["f1_codes_random"] < 0.6
    mined = found["mined"]
    assert mined["f1_mined"] == mined["purity"] == 1.0
    lengths = np.concatenate([[s.end - s.start for s in t.labels] for t in fold.test])
    assert mined["segment_seconds"] == pytest.approx(lengths.mean())
    assert mined["motif_seconds"] == pytest.approx(lengths.mean() / 2)
    assert mined["motif_frames"] == pytest.approx(5 * lengths.mean() / 2)
    assert mined["coverage"] == pytest.approx(3 / 4)  # three atoms of four are in patterns of two or more


def test_decoys_are_counted_where_a_boundary_was_found(fold):
    near = [t.labels[1].start + 0.3 for t in fold.test]
    far = [t.labels[2].start - 0.6 for t in fold.test]
    fooled = tuple(
        Take(t.name, t.motion, t.labels, np.array(d)) for t, *d in zip(fold.test, near, far, strict=True)
    )
    found = measure(Oracle(), replace(fold, test=fooled), seed=0)
    assert found["atom"]["decoys_codes"] == found["mined"]["decoys_mined"] == 0.5
    assert "decoys_codes" not in measure(Oracle(), fold, seed=0)["atom"]


def test_noise_gets_chance(fold):
    found = measure(Oracle(noise=True), fold, seed=0)["atom"]
    assert found["nmi"] < 0.05
    assert found["knn_top1"] < 0.5
    assert found["linear"] < 0.5
    assert found["f1_codes"] < found["f1_codes_random"] + 0.1


def test_without_training_data_only_boundaries_are_counted(fold):
    alone = Fold("toy", "", "toy", (), (), fold.test, representation_train=fold.train)
    found = measure(Oracle(), alone, seed=0)
    true = sum(len(t.labels) - 1 for t in fold.test)
    assert found["atom"] == {"hit_codes": true, "missed_codes": 0, "false_codes": 0}
    assert found["mined"] == {"hit_mined": true, "missed_mined": 0, "false_mined": 0}


def test_frames_are_labelled_by_their_time(fold):
    (seen,) = look(Oracle(), fold.test[:1], CLASSES)
    labels = [CLASSES[k] for k in seen.labels]
    assert labels == list(frame_labels(fold.test[0].labels, np.arange(len(labels)) / FPS))


def test_unlabelled_frames_count_nowhere(fold):
    def cut(t):
        return Take(t.name, t.motion, t.labels[:-1])

    partly = Fold("toy", "", "toy", fold.train, fold.val, tuple(cut(t) for t in fold.test))
    assert measure(Oracle(), partly, seed=0)["atom"]["knn_top1"] == 1.0


def test_a_level_that_does_not_fit_is_refused(fold):
    class Broken:
        def view(self, motion):
            return View(FPS, (Level("atom", np.zeros((2, 3), np.float32), np.array([1])),))

    with pytest.raises(ValueError, match="does not fit"):
        look(Broken(), fold.test[:1], CLASSES)
