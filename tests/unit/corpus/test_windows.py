"""Windows cover every frame of every clip, and short clips are padded under a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.corpus.windows import frames_at, starts, windows
from kineme.errors import UsageError
from kineme.motion.time import resample


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    motions = [take.motion[: 30 * n + 7] for n, take in enumerate(generate(0, 5, 6.0), start=1)]
    return Corpus.from_motions(motions, tmp_path_factory.mktemp("windows") / "corpus")


@given(st.integers(1, 400), st.integers(1, 120), st.floats(1.0, 120.0))
def test_starts_equal_the_naive_ones(frames: int, length: int, stride: float) -> None:
    stride = min(stride, length)
    assert starts(frames, length, stride) == naive.window_starts(frames, length, stride)


@given(st.integers(1, 400), st.integers(1, 120), st.floats(1.0, 120.0))
def test_every_frame_is_in_a_window_and_none_beyond(frames: int, length: int, stride: float) -> None:
    found = starts(frames, length, min(stride, length))
    covered = {start + k for start in found for k in range(length)}
    assert set(range(frames)) <= covered
    assert frames < length or max(covered) == frames - 1
    assert len(found) == len(set(found))


@given(
    st.integers(1, 300), st.sampled_from([20.0, 24.0, 30.0, 59.94]), st.sampled_from([5.0, 12.5, 30.0, 60.0])
)
def test_frames_at_another_rate_are_those_of_resample(frames: int, fps: float, new_fps: float) -> None:
    (take,) = generate(0, 1, 0.1)
    motion = take.motion.replace(
        fps=fps,
        root_translation=np.zeros((frames, 3), np.float32),
        local_rotations=np.tile(np.eye(3, dtype=np.float32), (frames, 22, 1, 1)),
        labels=(),
    )
    assert frames_at(frames, fps, new_fps) == len(resample(motion, new_fps))


def test_short_clips_are_padded_with_their_last_frame(corpus: Corpus) -> None:
    window = corpus.windows(10.0)[0]
    values = window.clip.values
    assert (window.start, window.frames_valid, window.frames) == (0, len(values), 300)
    cut = window.cut(values)
    assert cut.shape == (300, 135)
    assert np.array_equal(cut[window.mask], values)
    assert (cut[~window.mask] == values[-1]).all()


@pytest.mark.parametrize(("seconds", "stride"), [(1.0, None), (1.0, 0.4), (0.02, None), (2.5, 2.5)])
def test_windows_are_the_clips_own_frames(corpus: Corpus, seconds: float, stride: float | None) -> None:
    seen: dict[str, set[int]] = {}
    for window in corpus.windows(seconds, stride):
        frames = range(window.start, window.start + window.frames_valid)
        assert np.array_equal(window.cut(window.clip.values)[window.mask], window.clip.values[frames])
        seen.setdefault(window.clip.name, set()).update(frames)
    assert seen == {clip.name: set(range(clip.frames)) for clip in corpus}


def test_windows_at_another_rate(corpus: Corpus) -> None:
    for window in windows(corpus, 1.0, 0.5, fps=5.0):
        slow = resample(window.clip.motion, 5.0)
        assert window.frames == 5 and window.start_s == window.start / 5
        assert window.cut(slow.positions).shape == (5, 22, 3)
        with pytest.raises(UsageError, match="frames at 5 fps"):
            window.cut(window.clip.values)


@pytest.mark.parametrize(
    ("seconds", "stride"), [(0.0, None), (-1.0, None), (1.0, 0.0), (1.0, 1.5), (float("nan"), None)]
)
def test_impossible_windows_are_refused(corpus: Corpus, seconds: float, stride: float | None) -> None:
    with pytest.raises(UsageError):
        corpus.windows(seconds, stride)


def test_windows_of_a_view(corpus: Corpus, tmp_path: Path) -> None:
    view = corpus.subset([corpus[1].name])
    assert {window.clip.name for window in view.windows(0.5)} == {corpus[1].name}
