"""The corpora of the tables, on toy clips and on the real files."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kineme.errors import InputError
from kineme.evaluate import corpora, sources
from kineme.evaluate.corpora import QUICK, class_takes, folds, open_corpus, pose_gap_cm
from kineme.evaluate.sources import ClassClip
from kineme.motion import SMPL22, Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.rotations import axis_angle_to_matrix


def clip(label, number, arm=0.0, frames=60):
    rotvec = np.zeros((frames, len(SMPL22), 3), np.float32)
    rotvec[:, JOINTS.index("left_shoulder"), 2] = arm
    root = np.tile(np.array([0, 0.93, 0], np.float32), (frames, 1))
    return ClassClip(
        f"{label}-{number}", label, "dg", number, Motion(SMPL22, 30.0, root, axis_angle_to_matrix(rotvec))
    )


def test_rows_hold_a_class_in_order_and_neighbours_differ():
    clips = [clip(label, number) for label in ("hop", "kick", "squat") for number in range(1, 8)]
    rows = corpora._rows(clips)
    assert [len(row) for row in rows] == [3, 3, 1] * 3
    assert all(b.number == a.number + 1 and a.label == b.label for row in rows for a, b in pairwise(row))
    order = corpora._order(rows, np.random.default_rng(0))
    assert sorted(map(id, order)) == sorted(map(id, rows))


def test_repetitions_join_as_they_are_and_classes_blend():
    rows = [
        (clip("hop", 1), clip("hop", 2)),
        (clip("kick", 1, arm=1.0),),
        (clip("hop", 4), clip("hop", 5, arm=2.5)),
    ]
    (take,) = class_takes(rows, np.random.default_rng(0))
    labels = take.labels
    assert [s.label for s in labels] == ["hop", "kick", "hop"]
    assert labels[0].start == 0 and labels[-1].end == pytest.approx(take.duration)
    assert all(a.end == b.start for a, b in pairwise(labels))
    shared = 5 * 60 - len(take)
    assert 3 * 8 <= shared <= 3 * 15  # two changes of class and one wide gap are blended; hop 1 to 2 is not
    assert len(class_takes(rows * 8, np.random.default_rng(0), seconds=20.0)) >= 3


def test_gap_is_measured_with_heading_and_place_aligned():
    a = clip("hop", 1)
    moved = a.motion.replace(root_translation=a.motion.root_translation + np.array([3, 0, -2], np.float32))
    assert pose_gap_cm(a.motion, moved) == pytest.approx(0, abs=1e-3)
    assert pose_gap_cm(a.motion, clip("hop", 2, arm=2.5).motion) > 5


def test_synthetic_needs_no_data_and_comes_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KINEME_DATA", str(tmp_path / "nowhere"))
    small = corpora.Size("-test", {"train": 2, "val": 1, "test": 1}, None)
    first = open_corpus("synthetic", small, cache=tmp_path)
    (fold,) = folds("synthetic", small, cache=tmp_path)
    assert (len(fold.train), len(fold.val), len(fold.test)) == (2, 1, 1)
    assert {clip.group for clip in first.split("train")}.isdisjoint(
        clip.group for clip in first.split("test")
    )
    assert fold.checksum == first.checksum
    monkeypatch.setattr(corpora, "generate", None)  # a second opening builds nothing
    assert open_corpus("synthetic", small, cache=tmp_path).checksum == first.checksum
    with pytest.raises(InputError, match="set KINEME_DATA"):
        open_corpus("joined", small, cache=tmp_path)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
def test_joined_and_unseen_actor(data_dir, cache):
    (joined,) = folds("joined", QUICK, data_dir, cache)
    assert {s.label for t in joined.test for s in t.labels} <= {
        s.label for t in joined.train for s in t.labels
    }
    assert [len(joined.train), len(joined.val), len(joined.test)] == [QUICK.takes[s] for s in corpora.SPLITS]
    corpus = open_corpus("joined", QUICK, data_dir, cache)
    actor = {clip.name: clip.group for clip in corpus}
    unseen = folds("unseen-actor", QUICK, data_dir, cache)
    for fold in unseen:
        assert {actor[t.name] for t in fold.test} == {fold.name}
        assert fold.name not in {actor[t.name] for t in (*fold.train, *fold.val)}
    # the very test takes of `joined`, each in one fold
    names = sorted(t.name for fold in unseen for t in fold.test)
    assert names == sorted(t.name for t in joined.test)
    for t in joined.test:
        assert len(t.decoys) == len(t.labels) - 1
        height = t.motion.positions[:, 0, 1]
        assert 0.5 < height.min() and height.max() < 1.2
        assert 40 < t.motion.duration < 110


@pytest.mark.slow
def test_hdm05(data_dir, cache):
    (fold,) = folds("hdm05", QUICK, data_dir, cache)
    assert len({s.label for t in fold.test for s in t.labels}) == 11
    assert all("-dg-" in t.name for t in fold.test)
    assert all("-bd-" in t.name or "-bk-" in t.name for t in (*fold.train, *fold.val))


def test_86_01_has_its_six_boundaries(data_dir):
    motion = sources.cmu_86_01(data_dir)
    ends = [550, 1150, 1980, 2500, 3200, 4065, 4579]
    np.testing.assert_allclose([s.end for s in motion.labels], np.array(ends) / 120)
    assert [s.label for s in motion.labels] == ["walk", "jump", "walk", "punch", "walk", "leg_kick", "punch"]
    assert motion.fps == 30
    assert motion.duration == pytest.approx(4579 / 120, abs=0.05)
