"""The synthetic takes: exact labels, bodies that move as bodies do, motifs that single frames do not tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import naive
from kineme.corpus import grammar, synthetic
from kineme.corpus.synthetic import SUBJECTS, SyntheticTake, generate, make_subject
from kineme.errors import UsageError
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.frame import facing_positions

LEVELS = ("atom", "motif", "activity")
BALLS = [JOINTS.index("left_foot"), JOINTS.index("right_foot")]


@pytest.fixture(scope="module")
def takes() -> list[SyntheticTake]:
    return generate(seed=3, takes=8, seconds=45.0)


def test_same_seed_gives_the_same_takes(takes: list[SyntheticTake]) -> None:
    again = generate(seed=3, takes=2, seconds=45.0)
    for a, b in zip(takes, again, strict=False):
        assert a.labels == b.labels and a.name == b.name
        assert np.array_equal(a.motion.local_rotations, b.motion.local_rotations)
        assert np.array_equal(a.motion.root_translation, b.motion.root_translation)


def test_takes_and_seeds_differ(takes: list[SyntheticTake]) -> None:
    assert takes[0].labels != takes[1].labels
    assert takes[0].labels != generate(seed=4, takes=1, seconds=45.0)[0].labels


def test_asked_length_and_rate() -> None:
    (take,) = generate(seed=0, takes=1, seconds=7.5, fps=24.0)
    assert (len(take.motion), take.motion.fps) == (180, 24.0)
    assert take.motion.skeleton.names == JOINTS and take.motion.skeleton.parents == PARENTS


def test_refuses_impossible_lengths() -> None:
    with pytest.raises(UsageError):
        generate(seed=0, takes=1, seconds=0.0)


@pytest.mark.parametrize("level", LEVELS)
def test_labels_tile_the_take(takes: list[SyntheticTake], level: str) -> None:
    for take in takes:
        segments = [s for s in take.labels if s.level == level]
        assert segments[0].start == 0
        assert segments[-1].end == pytest.approx(take.motion.duration)
        for before, after in zip(segments, segments[1:], strict=False):
            assert before.end == after.start
        assert all(s.end > s.start for s in segments)


@pytest.mark.parametrize(("fine", "coarse"), [("atom", "motif"), ("motif", "activity")])
def test_every_boundary_is_one_on_the_level_below(takes: list[SyntheticTake], fine: str, coarse: str) -> None:
    for take in takes:
        below = {s.start for s in take.labels if s.level == fine}
        assert {s.start for s in take.labels if s.level == coarse} <= below


@pytest.mark.parametrize("level", ["atom", "motif"])
def test_a_boundary_is_a_change_of_label(takes: list[SyntheticTake], level: str) -> None:
    for take in takes:
        labels = [s.label for s in take.labels if s.level == level]
        assert all(a != b for a, b in zip(labels, labels[1:], strict=False))


def test_motifs_recur_and_share_atoms(takes: list[SyntheticTake]) -> None:
    seen: dict[str, set[str]] = {}
    for take in takes:
        motifs = [s for s in take.labels if s.level == "motif"]
        for atom in (s for s in take.labels if s.level == "atom"):
            inside = next(m for m in motifs if m.start <= atom.start < m.end)
            seen.setdefault(inside.label, set()).add(atom.label)
    assert set(seen) == set(grammar.MOTIFS)
    assert "crouch" in seen["squat"] & seen["jump"]


def test_people_have_human_sizes(takes: list[SyntheticTake]) -> None:
    heights = [make_subject(0, k).skeleton.rest_height for k in range(SUBJECTS)]
    assert 1.4 < min(heights) < max(heights) < 2.0
    assert np.ptp(heights) > 0.1


def test_bodies_stay_above_the_floor_and_move_at_human_speeds(takes: list[SyntheticTake]) -> None:
    for take in takes:
        places = take.motion.positions
        assert places[..., 1].min() > -0.03
        assert np.linalg.norm(np.diff(places, axis=0), axis=-1).max() * take.motion.fps < 15
        pelvis = places[:, 0]
        assert np.abs(pelvis[:, [0, 2]]).max() < 15
        assert 0.25 < pelvis[:, 1].min() and pelvis[:, 1].max() < 1.6


def test_planted_feet_do_not_slide(monkeypatch: pytest.MonkeyPatch) -> None:
    make = synthetic.make_subject
    monkeypatch.setattr(synthetic, "make_subject", lambda *args: replace(make(*args), noise=0.0))
    for take in generate(seed=5, takes=3, seconds=40.0):
        balls = take.motion.positions[:, BALLS]
        speed = np.linalg.norm(np.gradient(balls, axis=0)[..., [0, 2]], axis=-1) * take.motion.fps
        down = balls[..., 1] < 0.03
        assert down.mean() > 0.5
        assert np.percentile(speed[down], 95) < 0.03


def test_tempo_varies_within_its_bounds(takes: list[SyntheticTake]) -> None:
    usual = {"bend": 0.85, "guard up": 0.5, "sit down": 1.1, "right arm out": 0.65, "right arm reach": 0.75}
    tempo = [
        (s.end - s.start) / usual[s.label]
        for take in takes
        for s in take.labels
        if s.label in usual and s.end < take.motion.duration
    ]
    assert len(tempo) > 12 and max(tempo) / min(tempo) > 1.3
    assert 0.7 * 0.93 <= min(tempo) and max(tempo) <= 1.4 * 1.07


def test_mirroring_an_atom_twice_gives_it_back() -> None:
    draw = grammar.Draw(np.random.default_rng(0), 1.0, 0.7)
    for motif in grammar.MOTIFS.values():
        for atom in motif(draw):
            assert grammar.mirrored(grammar.mirrored(atom)) == atom


def test_frames_alone_do_not_find_the_motifs(takes: list[SyntheticTake]) -> None:
    """k-means on pose and velocity, as many clusters as motifs: its boundaries have an F1 under 0.5."""
    from sklearn.cluster import KMeans

    fps, rows = 5, []
    for take in takes:
        places, _ = facing_positions(take.motion.positions[:: int(take.motion.fps // fps)])
        flat = places.reshape(len(places), -1)
        rows.append(np.concatenate([flat, np.gradient(flat, axis=0) * fps], axis=1))
    frames = np.concatenate(rows)
    frames = (frames - frames.mean(0)) / (frames.std(0) + 1e-6)
    codes = KMeans(len(grammar.MOTIFS), n_init=1, random_state=0).fit_predict(frames)
    hit = found = true = 0
    for take, part in zip(takes, np.split(codes, np.cumsum([len(r) for r in rows])[:-1]), strict=True):
        cuts = [(k + 1) / fps for k in np.flatnonzero(np.diff(part))]
        changes = [s.start for s in take.labels if s.level == "motif"][1:]
        hit += naive.match_boundaries(cuts, changes, 0.4)
        found, true = found + len(cuts), true + len(changes)
    assert true > 80
    assert 2 * hit / (found + true) < 0.5
