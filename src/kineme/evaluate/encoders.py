"""Models that cut motion into atoms and motifs, as representations; trained or without learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kineme.evaluate.representation import Level, Mined, View
from kineme.motion import Motion
from kineme.tasks.discover import LONGEST_PATTERN, TIMESCALE, EncodesSegments, discover


class Encoder(EncodesSegments, Protocol):
    """A model that `kineme.discover` can use and that encodes a motion by itself."""

    config: Any
    vocabulary: Any

    def encode(self, motion: Motion) -> Any:
        """A `kineme.models.a4mer.Encoding`."""
        ...

    def encode_level(self, atoms: Any, duration: float, longest: float | None = None) -> Any:
        """The same of atoms that are encoded already; patterns may last `longest` seconds."""
        ...


@dataclass(frozen=True, eq=False)
class Tokens:
    """A model's contextual tokens of atoms and motifs, and its motifs as `kineme segment` writes them.

    Both are clustered as the model itself does it, for its codebook and its motif prototypes.
    """

    model: Encoder

    def view(self, motion: Motion) -> View:
        """See `Representation`."""
        found = self.model.encode(motion)
        atoms, motifs = found.atoms, found.motifs
        settled = self.model.vocabulary.code_tokens(atoms, self.model.config)
        levels = (
            Level("atom", atoms.h, atoms.frames, settled),
            Level("motif", motifs.h, motifs.frames, found.motif_tokens),
        )
        return View(found.fps, levels)

    def mined(self, motion: Motion) -> Mined:
        """See `Representation`: the track of `kineme.discover` at its default time scale."""
        track = discover(motion, self.model, scales=()).scale.tracks[0]
        found = self.model.encode(motion)
        longest = LONGEST_PATTERN * TIMESCALE
        limited = self.model.encode_level(found.atoms, motion.duration, longest)
        frames = int(found.atoms.frames.sum())
        # a border lies half a frame before the first frame of its segment
        cuts = np.rint(track.borders[1:-1] * found.fps + 0.5).astype(np.int64)
        lengths = np.diff(cuts, prepend=0, append=frames)
        return Mined(track.ids, lengths, limited.motifs.frames, limited.atoms_per_motif)
