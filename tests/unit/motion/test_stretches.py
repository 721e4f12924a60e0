"""Runs of frames, against a loop over them."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kineme.motion.stretches import smoothstep, stretches


@given(st.lists(st.booleans(), max_size=30))
def test_stretches_are_those_of_a_loop(flags: list[bool]) -> None:
    found, at = [], 0
    for flag, run in groupby(flags):
        count = len(list(run))
        found += [(at, at + count)] if flag else []
        at += count
    assert stretches(np.array(flags, dtype=bool)) == found


def test_smoothstep_rests_at_both_ends() -> None:
    share = np.linspace(0, 1, 1001)
    made = smoothstep(share)
    assert made[0] == 0 and made[-1] == 1 and (np.diff(made) > 0).all()
    np.testing.assert_allclose(made + made[::-1], 1)
    assert max(made[1], 1 - made[-2]) < 4e-6
