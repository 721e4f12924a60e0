"""New motion from a model's prior, on the standard body."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from kineme.errors import UsageError
from kineme.motion import Motion
from kineme.motion.canonical import SMPL22
from kineme.motion.channels import SeesWindows
from kineme.tasks.solve import solve_rotations


class Sampler(SeesWindows, Protocol):
    """A model that samples windows of channels, for an action where it knows any."""

    def sample(
        self, count: int, label: str | None = None, *, levels: int | None = None, seed: int = 0
    ) -> np.ndarray:
        """Channels (count, frames, C) in millimetres."""
        ...


class Composer(Protocol):
    """A model that samples sequences of one action or two at once."""

    @property
    def config(self) -> Any:
        """Its settings, `fps` and `frames` among them."""
        ...

    def sample(self, texts: list[str], frames: Any = None, seed: int = 0) -> Any:
        """Sequences of texts such as ``walk+wave``."""
        ...

    def motions(self, frames: Any, counts: list[int] | None = None) -> list[Motion]:
        """Sequences as motions."""
        ...


def generate_composed(
    model: Composer, text: str, count: int, seconds: float | None = None, seed: int = 0
) -> list[Motion]:
    """`count` motions of the actions in `text`, such as ``walk+wave``, on the standard body.

    seconds : how long; the longest that the model makes by default. Raises UsageError for an action that the
    model does not know or a length that it does not make.
    """
    longest = model.config.frames / model.config.fps
    if seconds is not None and not 1 / model.config.fps <= seconds <= longest + 1e-9:
        raise UsageError(
            f"this model makes motions of {1 / model.config.fps:g} to {longest:g} s, not of {seconds:g} s"
        )
    frames = model.config.frames if seconds is None else round(seconds * model.config.fps)
    return model.motions(model.sample([text] * count, frames, seed), [frames] * count)


def generate(
    model: Sampler,
    count: int,
    label: str | None = None,
    *,
    levels: int | None = None,
    seed: int = 0,
    places: bool = False,
) -> list[Motion]:
    """`count` motions on the standard body, from the origin and facing +Z on.

    levels : draw that many levels from the top and take the mean of those below. places : motions of
    positions just as the model gives them; otherwise of rotations, so that bones have their lengths.
    Raises InputError for a label that the model does not know.
    """
    found = []
    for channels in model.sample(count, label, levels=levels, seed=seed):
        positions = model.channels.places(channels)
        if places:
            found.append(Motion.from_positions(SMPL22, model.fps, positions))
        else:
            found.append(solve_rotations(positions, model.fps))
    return found
