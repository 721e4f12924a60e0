"""The joined corpus keeps each of the rules that it states."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from kineme.errors import InputError
from kineme.evaluate.joined import Join, JoinClip, build_joined
from kineme.motion import SMPL22, Motion


def clip(content, style, group, number, gap, frames=70):
    rotations = np.tile(np.eye(3, dtype=np.float32), (frames, len(SMPL22), 1, 1))
    root = np.zeros((frames, 3), np.float32)
    root[:, 1] = 0.93
    name = f"{content}-{style}-{number:02d}"
    return JoinClip(name, content, style, group, number, gap, Motion(SMPL22, 30.0, root, rotations))


@pytest.fixture(scope="module")
def clips():
    """Two actors of two styles each, four contents; every third gap is too wide to be joined as it is."""
    rng = np.random.default_rng(0)
    return [
        clip(content, style, group, number, 1.0 if number % 3 else 7.0, int(rng.integers(17, 150)))
        for group, styles in (("g1", ("old", "young")), ("g2", ("proud", "sad")))
        for style in styles
        for content in ("walk", "wave", "sit", "run")
        for number in range(1, 13)
    ]


@pytest.fixture(scope="module")
def takes(clips):
    return build_joined(clips, seed=3, takes=20, seconds=30.0)


@pytest.fixture(scope="module")
def by_name(clips):
    return {clip.name: clip for clip in clips}


def truly_joined(a, b):
    return a.content == b.content and a.style == b.style and b.number == a.number + 1 and a.gap_to_next_cm < 5


def test_as_many_decoys_as_changes_in_every_take(takes):
    for take in takes:
        kinds = Counter(join.kind for join in take.joins)
        assert kinds["decoy"] == kinds["change"] > 0


def test_joins_are_what_they_are_called(takes, by_name):
    for take in takes:
        assert len(take.joins) == len(take.clips) - 1
        for (a, b), join in zip(pairwise(by_name[n] for n in take.clips), take.joins, strict=True):
            assert (join.kind == "true") == truly_joined(a, b)
            assert (join.kind == "change") == (a.content != b.content)
            assert a.group == b.group == take.group


def test_labels_tile_the_take_and_change_where_the_content_does(takes, by_name):
    for take in takes:
        assert take.labels[0].start == 0
        assert take.labels[-1].end == pytest.approx(take.motion.duration)
        assert all(a.end == b.start and a.label != b.label for a, b in pairwise(take.labels))
        np.testing.assert_allclose([s.start for s in take.labels[1:]], take.boundaries)
        assert take.motion.labels == take.labels
        order = [content for content, _ in Counter_runs(by_name[name].content for name in take.clips)]
        assert [s.label for s in take.labels] == order


def Counter_runs(values):
    """Runs of equal values as (value, length)."""
    runs = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return runs


def test_blends_last_a_quarter_to_half_a_second(takes, by_name):
    for take in takes:
        lengths = [len(by_name[name].motion) for name in take.clips]
        shared = sum(lengths) - len(take.motion)
        blended = sum(join.kind != "true" for join in take.joins)
        assert 8 * blended <= shared <= 15 * blended


def test_takes_are_about_as_long_as_asked(takes):
    durations = [take.motion.duration for take in takes]
    assert np.mean(durations) == pytest.approx(30, rel=0.15)


def test_clips_are_used_about_equally_often(clips):
    # enough takes for every clip to come several times
    used = Counter(
        name for take in build_joined(clips, seed=0, takes=60, seconds=60.0) for name in take.clips
    )
    counts = [used[clip.name] for clip in clips]
    assert np.mean(counts) > 4
    assert max(counts) - min(counts) <= 0.5 * np.mean(counts)


def test_style_says_nothing_about_the_kind_of_a_join(clips, by_name):
    changed = {"decoy": [], "change": []}
    for take in build_joined(clips, seed=1, takes=100, seconds=60.0):
        for (a, b), join in zip(pairwise(by_name[n] for n in take.clips), take.joins, strict=True):
            if join.kind != "true":
                changed[join.kind].append(a.style != b.style)
    assert np.mean(changed["decoy"]) == pytest.approx(np.mean(changed["change"]), abs=0.1)


def test_seed_decides_and_order_does_not(clips, takes):
    again = build_joined(clips[::-1], seed=3, takes=20, seconds=30.0)
    other = build_joined(clips, seed=4, takes=20, seconds=30.0)
    for a, b in zip(takes, again, strict=True):
        assert a.clips == b.clips and a.joins == b.joins
        np.testing.assert_array_equal(a.motion.root_translation, b.motion.root_translation)
    assert [take.clips for take in takes] != [take.clips for take in other]


def test_two_clips_are_enough():
    pair = [clip("walk", "old", "g", 1, None), clip("sit", "old", "g", 1, None)]
    (take,) = build_joined(pair, seed=0, takes=1, seconds=8.0)
    assert Counter(join.kind for join in take.joins)["decoy"] == len(take.boundaries)
    assert isinstance(take.joins[0], Join)


@pytest.mark.parametrize(
    ("clips", "reason"),
    [
        ([], "no clips"),
        ([clip("walk", "old", "g", 1, None, frames=15), clip("sit", "old", "g", 1, None)], "15 frames"),
        ([clip("walk", "old", "g", 1, None), clip("walk", "old", "g", 2, None)], "only one content"),
    ],
)
def test_what_cannot_be_built(clips, reason):
    with pytest.raises(InputError, match=reason):
        build_joined(clips, seed=0, takes=1)
