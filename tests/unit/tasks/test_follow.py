"""Motifs of an earlier run found again in a later one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.tasks.follow import follow_motifs

Clips = list[list[tuple[int, float]]]  # of each clip: (number, seconds)


def table(clips: Clips, scale: float = 4.0, prefix: str = "") -> pa.Table:
    rows = []
    for clip, pieces in enumerate(clips):
        at = 0.0
        for number, seconds in pieces:
            rows.append(
                {
                    "clip": f"c{clip}", "level": "motif", "scale": scale, "start": at, "end": at + seconds,
                    "id": f"{prefix}{number}", "number": number,
                }
            )  # fmt: skip
            at += seconds
    atom = {"clip": "c0", "level": "atom", "scale": 0.0, "start": 0.0, "end": 9.0, "id": "99", "number": 99}
    return pa.Table.from_pylist([*rows, atom])


def test_with_the_same_model_a_motif_keeps_its_number() -> None:
    old, new = table([[(1, 2.0), (5, 1.0)]], prefix="4 s/"), table([[(7, 2.0), (1, 9.0)]])
    assert follow_motifs(old, new, same_model=True) == {"4 s/1": "1"}


def test_another_models_motif_inherits_where_it_shares_most_time() -> None:
    old = table([[(1, 4.0), (2, 4.0)], [(1, 3.0), (3, 1.0)]])
    new = table([[(8, 4.5), (9, 3.5)], [(8, 3.0), (9, 0.4), (4, 0.6)]])
    assert follow_motifs(old, new, same_model=False) == {"1": "8", "2": "9", "3": "4"}


def test_no_motif_inherits_by_half_and_none_twice() -> None:
    assert follow_motifs(table([[(1, 4.0)]]), table([[(8, 2.0), (9, 2.0)]]), same_model=False) == {}
    both = follow_motifs(table([[(1, 4.0), (2, 5.0)]]), table([[(8, 9.0)]]), same_model=False)
    assert both == {"2": "8"}


def test_other_scales_and_clips_say_nothing() -> None:
    old = table([[(1, 4.0)]])
    assert follow_motifs(old, table([[(8, 4.0)]], scale=1.0), same_model=False) == {}
    assert follow_motifs(old, table([[], [(8, 4.0)]]), same_model=False) == {}


pieces = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0.5, 1.0, 2.5])), max_size=8)


@given(st.lists(pieces, min_size=1, max_size=3), st.lists(pieces, min_size=1, max_size=3))
def test_shared_time_as_one_would_count_it(old: Clips, new: Clips) -> None:
    """In tenths of a second, moment by moment."""

    def moments(clips: Clips) -> dict[tuple[int, int], int]:
        found = {}
        for clip, rows in enumerate(clips):
            at = 0
            for number, seconds in rows:
                for _ in range(round(seconds * 10)):
                    found[clip, at] = number
                    at += 1
        return found

    a, b = moments(old), moments(new)
    for name, other in follow_motifs(table(old), table(new), same_model=False).items():
        mine = [k for k, number in a.items() if number == int(name)]
        shared = sum(b.get(k) == int(other) for k in mine)
        assert shared > len(mine) / 2 and shared == pytest.approx(shared)
    strong = {
        n for n in set(a.values())
        for m in set(b.values())
        if 2 * sum(b.get(k) == m for k, v in a.items() if v == n) > sum(v == n for v in a.values())
    }  # fmt: skip
    assert bool(strong) == bool(follow_motifs(table(old), table(new), same_model=False))
