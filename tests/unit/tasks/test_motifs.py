"""Motifs as cuts of a tree: ids that last, and what is said of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import UsageError
from kineme.symbols.dendrogram import cut, merge_tree
from kineme.tasks.motifs import (
    EXAMPLES,
    count_transitions,
    default_motifs,
    describe_motifs,
    motif_numbers,
    tree_over,
)
from kineme.tasks.track import Track


def a_tree(count: int, seed: int) -> np.ndarray:
    return merge_tree(np.random.default_rng(seed).normal(size=(count, 3)))


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


@given(st.integers(2, 40), st.integers(0, 5), st.data())
def test_a_finer_cut_keeps_the_ids_of_a_coarser_one(count: int, seed: int, data: st.DataObject) -> None:
    tree = a_tree(count, seed)
    few = data.draw(st.integers(1, count - 1))
    coarse, fine = motif_numbers(tree, few), motif_numbers(tree, few + 1)
    assert len(set(coarse)) == few and set(coarse) < set(fine)
    assert same_partition(coarse, cut(tree, few))
    assert coarse[0] == 1  # the most used prototype
    assert all(coarse[number - 1] == number for number in set(coarse))


@given(st.integers(3, 30), st.integers(0, 5), st.data())
def test_the_tree_over_motifs_is_the_upper_part_of_the_tree(
    count: int, seed: int, data: st.DataObject
) -> None:
    tree = a_tree(count, seed)
    groups = data.draw(st.integers(2, count))
    numbers = motif_numbers(tree, groups)
    motifs = data.draw(st.permutations(sorted(set(numbers.tolist()))))
    above = np.array([(*row, 0) for row in tree_over(tree, numbers, motifs)])
    assert len(above) == groups - 1 and (np.diff(above[:, 2]) >= 0).all()
    for few in range(1, groups + 1):
        joined = dict(zip(motifs, cut(above, few), strict=True))
        assert same_partition(np.array([joined[n] for n in numbers.tolist()]), motif_numbers(tree, few))


def test_motifs_that_do_not_occur_are_left_out_of_the_tree() -> None:
    line = np.array([[0.0], [1.0], [10.0], [12.0], [50.0]])
    tree = merge_tree(line)
    rows = tree_over(tree, motif_numbers(tree, 5), [5, 3, 1])
    assert [(a, b) for a, b, _ in rows] == [(1, 2), (0, 3)]
    assert tree_over(tree, motif_numbers(tree, 5), [2]) == []


def test_how_many_motifs_by_default() -> None:
    counts = [default_motifs(n) for n in (1, 4, 9, 256, 400, 1024)]
    assert counts == [1, 4, 6, 16, 20, 32]


def test_an_impossible_number_of_motifs_is_said() -> None:
    with pytest.raises(UsageError, match="1 to 8 motifs apart, not 9"):
        motif_numbers(a_tree(8, 0), 9)


def tracks(seed: int, clips: int = 6) -> list[Track]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(clips):
        size = int(rng.integers(1, 30))
        borders = np.concatenate([[0.0], np.cumsum(rng.uniform(0.4, 3, size))])
        ids = rng.choice([1, 2, 7, 9], size=size, p=[0.5, 0.3, 0.15, 0.05])
        tokens = ids[:, None] + rng.normal(0, 0.2, (size, 4))
        made.append(Track(borders, ids, np.ones(size, np.float32), tokens.astype(np.float32)))
    return made


def test_counts_and_durations_are_those_of_the_segments() -> None:
    found = tracks(1)
    ids, seconds = (np.concatenate(part) for part in zip(*((t.ids, t.seconds) for t in found), strict=True))
    motifs = describe_motifs(found)
    assert [m.number for m in motifs] == sorted(set(ids), key=lambda n: (-int((ids == n).sum()), n))
    for motif in motifs:
        assert motif.count == (ids == motif.number).sum()
        assert motif.mean_seconds == pytest.approx(seconds[ids == motif.number].mean())


def test_examples_are_occurrences_from_as_many_clips_as_there_are() -> None:
    found = tracks(2)
    for motif in describe_motifs(found):
        real = {
            (k, a, b)
            for k, t in enumerate(found)
            for a, b, n in zip(t.borders[:-1], t.borders[1:], t.ids, strict=True)
            if n == motif.number
        }
        shown = [(e.clip, e.start, e.end) for e in motif.examples]
        assert len(shown) == min(EXAMPLES, motif.count) == len(set(shown))
        for clip, start, end in shown:
            assert any(k == clip and a == start and abs(b - end) < 1e-9 for k, a, b in real)
    everywhere = describe_motifs(found)[0]
    assert {e.clip for e in everywhere.examples} == set(range(len(found)))


def test_similar_motifs_come_nearest_first() -> None:
    near = {motif.number: motif.similar for motif in describe_motifs(tracks(3))}
    assert near[7] == (9, 2, 1) and near[1] == (2, 7, 9)


def test_transitions_are_counted_inside_clips() -> None:
    def of(*ids: int) -> Track:
        borders = np.arange(len(ids) + 1.0)
        return Track(
            borders, np.array(ids), np.ones(len(ids), np.float32), np.zeros((len(ids), 1), np.float32)
        )

    assert count_transitions([of(1, 2, 1, 2), of(3), of(2, 1)]) == [(1, 2, 2), (2, 1, 2)]
