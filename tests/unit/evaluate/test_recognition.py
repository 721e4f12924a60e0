"""The recognition table: what is labelled, what may be seen, and a small run of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import UsageError
from kineme.evaluate import recognition
from kineme.evaluate.recognition import draw_windows, label_windows
from kineme.evaluate.recognition_rows import Frames, Labelled, Nearest, Supervised, Whole, all_rows
from kineme.evaluate.representation import Take
from kineme.evaluate.request import Request
from kineme.models.a4mer.heads.recogniser import TokenRow
from kineme.motion import SMPL22, Motion
from kineme.train.labelled import LabelledRow
from kineme.train.recogniser import Inputs


def _take(seconds: float) -> Take:
    places = np.zeros((round(seconds * 30), 22, 3), np.float32)
    return Take("take", Motion.from_positions(SMPL22, 30.0, places), ())


def test_windows_tile_a_take_and_a_long_rest_is_one_too() -> None:
    assert label_windows([_take(64)]) == [(0, 0, 150), (0, 150, 300)]
    assert label_windows([_take(75)]) == [(0, 0, 150), (0, 150, 300), (0, 300, 375)]
    assert label_windows([_take(7)]) == [(0, 0, 35)]


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 99))
def test_more_windows_begin_with_the_fewer(count: int, classes: int, seed: int) -> None:
    seconds = np.random.default_rng(seed).integers(0, 60, (40, classes))
    few, many = draw_windows(seconds, count // 2, seed), draw_windows(seconds, count, seed)
    assert many[: len(few)] == few and len(set(many)) == count


def test_windows_are_balanced_by_class_and_drawn_by_seed() -> None:
    """One window in ten holds the rare class, of those that are drawn about one in five."""
    seconds = np.array([[150, 0]] * 54 + [[0, 150]] * 6)
    drawn = [draw_windows(seconds, 10, seed) for seed in range(20)]
    rare = np.mean([seconds[d][:, 1].sum() / 1500 for d in drawn])
    assert rare > 0.17 and len({tuple(d) for d in drawn}) > 10


def test_labels_beside_a_window_are_not_seen() -> None:
    row = TokenRow(np.arange(8, dtype=np.float32)[:, None], np.full(8, 5))
    own = np.repeat([0, 1], 20)
    poses = np.arange(40, dtype=np.float32)[:, None]
    (found,) = recognition._labelled([Inputs(row, poses)], [own], [(0, 12, 24)], 2)
    assert found.poses is not None and found.own is not None
    np.testing.assert_array_equal(found.poses[:, 0], np.arange(10, 25))
    np.testing.assert_array_equal(found.own, [-1] * 2 + [0] * 8 + [1] * 4 + [-1])
    np.testing.assert_array_equal(found.items[:, 0], [2, 3, 4])  # the tokens that reach into it
    np.testing.assert_array_equal(found.targets, [[3, 0], [5, 0], [0, 4]])


def test_every_learner_tells_what_can_be_told() -> None:
    rng = np.random.default_rng(0)

    def row(label: int) -> tuple[np.ndarray, np.ndarray]:
        items = rng.normal(size=(30, 131)).astype(np.float32) * 0.1
        items[:, label] += 3
        return items, np.ones(30, dtype=np.int64)

    def spread(label: int) -> np.ndarray:
        """Poses of which other numbers vary in each class."""
        found = rng.normal(size=(30, 131)).astype(np.float32) * 0.1
        found[:, label::2] *= 5
        return found

    train = [
        LabelledRow(
            items, frames, np.eye(2, dtype=np.float32)[[label] * 30], np.full(30, label), spread(label)
        )
        for label in (0, 1, 0, 1)
        for items, frames in [row(label)]
    ]
    test = [Inputs(TokenRow(*row(label)), spread(label)) for label in (0, 1)]
    standard = [Inputs(TokenRow(r.items, r.frames), r.poses) for r in train if r.poses is not None]
    seen = Labelled(train, train, test, 2, standard, 4)
    truth = np.repeat([0, 1], 30)
    for learner in (Nearest(), Supervised("GRU", 1), Whole(), Frames()):
        scores = learner.scores(seen, 0)
        assert scores.shape == (60, 2) and (scores.argmax(1) == truth).mean() > 0.8, learner.name


def test_rows_are_the_named_ones() -> None:
    names = [row.name for row in all_rows()]
    assert len(set(names)) == len(names)
    for part in (
        "A4Mer: atoms, head",
        "random weights: motifs, k-NN",
        "A4Mer: both + poses, recogniser",
        "ST-GCN, trained on labels",
    ):
        assert part in names


def test_what_is_unknown_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="no corpus 'moon'"):
        recognition.run(Request(corpora=("moon",)))
    with pytest.raises(UsageError, match="no row 'it'"):
        recognition.run(Request(corpora=("synthetic",), methods=("it",), quick=True))


def test_a_small_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEME_CACHE", str(tmp_path))
    name = "PCA on 1 s clips, k-NN"
    asked = Request(seeds=(0, 1), quick=True, methods=(name,), run=tmp_path / "run")
    said: list[str] = []
    outcome = recognition.run(asked, said.append)
    found = {row.metric: row for row in outcome.rows}
    assert set(found) == {"top1_5", "top3_5", "top1_all", "top3_all"}
    assert all(row.method == name and row.n == 2 and row.condition == "synthetic" for row in outcome.rows)
    assert 0.2 < found["top1_5"].mean < found["top1_all"].mean <= found["top3_all"].mean <= 1
    assert sum(name in text for text in said) == 2
    again: list[str] = []
    assert recognition.run(asked, again.append).rows == outcome.rows
    assert not any(name in text for text in again)  # read, not measured
