"""Joining of segments: what is promised of durations, and nothing made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.tasks.track import Track, join_repeats, join_short, tidy


def track(
    seconds: list[float], ids: list[int], tokens: list[float] | None = None, start: float = 0.0
) -> Track:
    borders = start + np.concatenate([[0.0], np.cumsum(seconds)])
    values = np.array(ids if tokens is None else tokens, dtype=np.float32)[:, None]
    return Track(borders, np.array(ids), np.linspace(0.2, 0.9, len(ids), dtype=np.float32), values)


tracks = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 3), st.floats(-5, 5, width=32)), min_size=1, max_size=30
).map(lambda rows: track([n / 5 for n, _, _ in rows], [k for _, k, _ in rows], [x for _, _, x in rows], 1.25))


@given(tracks, st.sampled_from([0.0, 0.4, 1.0, 50.0]))
def test_tidy_tiles_the_clip_without_short_pieces_or_repeats(found: Track, shortest: float) -> None:
    made = tidy(found, shortest)
    assert made.borders[0] == found.borders[0] and made.borders[-1] == found.borders[-1]
    assert set(made.borders) <= set(found.borders) and (made.seconds > 0).all()
    assert len(made) == 1 or (made.seconds >= shortest - 1e-6).all()
    assert (np.diff(made.ids) != 0).all() and set(made.ids) <= set(found.ids)
    assert ((made.confidence >= 0.2 - 1e-6) & (made.confidence <= 0.9 + 1e-6)).all()


@given(tracks)
def test_joining_repeats_keeps_every_moment_in_its_motif(found: Track) -> None:
    made = join_repeats(found)
    middles = (found.borders[:-1] + found.borders[1:]) / 2
    assert (made.ids[np.searchsorted(made.borders, middles) - 1] == found.ids).all()


@given(tracks, st.sampled_from([0.4, 1.0, 3.0]))
def test_joining_short_ones_as_one_would_by_hand(found: Track, shortest: float) -> None:
    """The same with lists: the shortest piece goes to the nearer of its neighbours, again and again."""
    rows = [
        [float(a), float(b), int(n), float(t[0])]
        for a, b, n, t in zip(found.borders[:-1], found.borders[1:], found.ids, found.tokens, strict=True)
    ]
    while len(rows) > 1:
        lengths = [round(b - a, 6) for a, b, _, _ in rows]
        k = lengths.index(min(lengths))
        if lengths[k] >= shortest - 1e-6:
            break
        sides = [j for j in (k - 1, k + 1) if 0 <= j < len(rows)]
        j = min(sides, key=lambda j: abs(np.float32(rows[j][3]) - np.float32(rows[k][3])))
        rows[j][0], rows[j][1] = min(rows[j][0], rows[k][0]), max(rows[j][1], rows[k][1])
        del rows[k]
    made = join_short(found, shortest)
    assert made.ids.tolist() == [row[2] for row in rows]
    assert made.borders.tolist() == [rows[0][0], *(row[1] for row in rows)]


def test_a_flicker_joins_what_it_is_like() -> None:
    made = join_short(track([2.0, 0.2, 2.0], [1, 2, 3], [0.0, 4.0, 5.0]), 0.4)
    assert made.ids.tolist() == [1, 3] and made.borders.tolist() == pytest.approx([0.0, 2.0, 4.2])


def test_a_clip_shorter_than_the_shortest_segment_is_one_segment() -> None:
    made = tidy(track([0.2, 0.1], [4, 7]), 0.4)
    assert len(made) == 1 and made.borders.tolist() == pytest.approx([0.0, 0.3])


def test_repeats_are_weighted_by_duration() -> None:
    made = join_repeats(track([1.0, 3.0, 1.0], [5, 5, 6], [0.0, 4.0, 9.0]))
    assert made.ids.tolist() == [5, 6] and made.tokens[:, 0].tolist() == [3.0, 9.0]
    assert made.confidence[0] == pytest.approx((0.2 + 3 * 0.55) / 4)


def test_segments_say_the_level_and_the_id() -> None:
    first, second = track([1.0, 2.0], [3, 12], start=0.5).segments("motif")
    assert (first.start, first.end, first.label, first.level) == (0.5, 1.5, "3", "motif")
    assert (second.label, second.confidence) == ("12", pytest.approx(0.9))
