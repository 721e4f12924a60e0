"""Windows of any length over clips of any length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kineme.corpus.store import Clip
from kineme.errors import UsageError


@dataclass(frozen=True)
class Window:
    """A stretch of a clip.

    Attributes
    ----------
    clip : the clip; `start` : its first frame in the clip at the window's `fps`, `start_s` in seconds.
    frames : its length; `frames_valid` of them exist, the rest is padding (in clips shorter than a window).
    """

    clip: Clip
    start: int
    frames_valid: int
    frames: int
    fps: float

    @property
    def start_s(self) -> float:
        """Seconds from the clip's first frame."""
        return self.start / self.fps

    @property
    def mask(self) -> np.ndarray:
        """(frames,) bool: true where there is motion."""
        return np.arange(self.frames) < self.frames_valid

    def cut(self, values: np.ndarray) -> np.ndarray:
        """(frames, ...) of the whole clip's per-frame `values` (T, ...) at the window's frame rate.

        Padding repeats the last frame. Raises UsageError for values of another length than the clip's.
        """
        expected = frames_at(self.clip.frames, self.clip.fps, self.fps)
        if len(values) != expected:
            raise UsageError(f"{self.clip.name} has {expected} frames at {self.fps:g} fps, not {len(values)}")
        index = self.start + np.minimum(np.arange(self.frames), self.frames_valid - 1)
        return values[index]


def frames_at(frames: int, fps: float, new_fps: float) -> int:
    """How many frames `kineme.resample` makes of `frames`."""
    return frames if fps == new_fps else int(np.floor((frames - 1) * new_fps / fps + 1e-6)) + 1


def starts(frames: int, length: int, stride: float) -> list[int]:
    """First frames of windows of `length` over `frames` frames, about `stride` (> 0) apart.

    Every frame lies in a window and no window reaches past the end, except in a clip shorter than one:
    the last window is moved back to end with the clip.
    """
    last = max(frames - length, 0)
    count = int(np.ceil(last / stride))
    inner = sorted({min(int(round(k * stride)), last) for k in range(count)})
    return inner if inner and inner[-1] == last else [*inner, last]


def windows(
    clips: Iterable[Clip], seconds: float, stride_seconds: float | None = None, fps: float | None = None
) -> list[Window]:
    """Windows of `seconds` over `clips`, `stride_seconds` apart (default: without overlap).

    A clip shorter than a window gives one window with padding; a longer one is covered to its last frame.

    Parameters
    ----------
    fps : frame rate in which the windows count; the corpus's own if not given.

    Raises UsageError for lengths that are not positive or a stride that leaves gaps.
    """
    stride_seconds = seconds if stride_seconds is None else stride_seconds
    if not (np.isfinite(seconds) and seconds > 0 and 0 < stride_seconds <= seconds):
        raise UsageError(
            f"windows of {seconds} s at a stride of {stride_seconds} s: both must be positive, "
            "and the stride no longer than the window"
        )
    found = []
    for clip in clips:
        rate = clip.fps if fps is None else float(fps)
        total = frames_at(clip.frames, clip.fps, rate)
        length = max(1, int(round(seconds * rate)))
        stride = min(max(1.0, stride_seconds * rate), length)
        for start in starts(total, length, stride):
            found.append(Window(clip, start, min(length, total - start), length, rate))
    return found
