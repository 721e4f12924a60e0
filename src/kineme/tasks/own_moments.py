"""What a take itself did before: moments of its observed frames, recalled beside those that a head keeps.

People repeat themselves. No moment reaches into what is to be made, or over a jump (`tasks.jumps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import cuts_of, encode_cuts, library_of, with_mirrored
from kineme.models.a4mer.heads.head import Head
from kineme.nn.recall import Library
from kineme.tasks.jumps import sound_parts

#: moments of a take that are looked at, at most, before they are mirrored; seconds between them at least
MOST, CLOSEST = 120, 0.1
#: least seconds of a take on either side of a moment
_LEAST = 0.6


def with_own_moments(head: Head, observed: Sequence[np.ndarray], fps: float, gap: float | None) -> Head:
    """A head that also recalls what happened in `observed` stretches, each (T, 22, 3) on the standard body.

    gap : seconds of the gap that is to be filled; None: what followed is asked for.
    """
    if head.library is None:
        return head
    config = head.config
    need = _LEAST + (config.longest if gap is None else gap + _LEAST)
    parts = [part for places in observed for part in sound_parts(places, fps)]
    long = [part for part in parts if (len(part) - 1) / fps > need]
    if not long:
        return head
    takes = TakeBank(long, fps)
    spare = takes.seconds - need * len(long)
    both = with_mirrored(takes)
    after = config.longest if gap is None else _LEAST
    cuts = cuts_of(both, max(CLOSEST, spare / MOST), _LEAST, gap, after)
    if not len(cuts.now):
        return head
    atoms = encode_cuts(head.base.network, cuts, config.context_seconds)
    own = library_of(atoms, cuts, config, np.full(len(cuts.now), -2))
    pairs = zip(head.library, own, strict=True)
    return replace(head, library=Library(*(torch.cat([kept.float(), new.float()]) for kept, new in pairs)))
