"""Duplicates: copies that were cut, mirrored or put on another body are found, the rest is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.errors import UsageError
from kineme.formats import load
from kineme.motion.frame import mirror, turn
from kineme.tasks.discover import standard_positions
from kineme.tasks.duplicates import Duplicate, find_duplicates
from kineme.tasks.poses import poses, quantise
from kineme.tasks.search_index import PoseIndex


def index_of(corpus: Corpus) -> PoseIndex:
    return PoseIndex.of([quantise(poses(standard_positions(clip), clip.fps)) for clip in corpus])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    first, second, other = (take.motion for take in generate(7, 3, 9.0))
    taller = second.replace(
        skeleton=second.skeleton.scaled(1.1), root_translation=second.root_translation * np.float32(1.1)
    )
    motions = {
        "first": first,
        "later": turn(first[67:], 1.0),
        "second": second,
        "taller": taller,
        "mirror": mirror(other),
        "other": other,
    }
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    return Corpus.from_motions(motions.values(), folder, motions)


def pairs(found: list[Duplicate]) -> set[tuple[str, str, bool]]:
    return {(d.clip_a, d.clip_b, d.mirrored) for d in found}


def test_copies_are_found_with_their_times(corpus: Corpus) -> None:
    found = find_duplicates(corpus, index_of(corpus))
    assert pairs(found) == {("first", "later", False), ("second", "taller", False)}
    cut = next(d for d in found if d.clip_a == "first")
    assert cut.start_a - cut.start_b == pytest.approx(67 / 30, abs=1e-6)
    assert cut.distance < 1e-3 and cut.seconds == cut.end_b - cut.start_b > 4
    assert found == sorted(found, key=lambda d: -round(d.seconds, 3))


def test_mirrored_ones_on_request(corpus: Corpus) -> None:
    found = find_duplicates(corpus, index_of(corpus), mirror=True)
    assert ("mirror", "other", True) in pairs(found)
    assert {pair for pair in pairs(found) if not pair[2]} == {
        ("first", "later", False),
        ("second", "taller", False),
    }


def test_no_duplicate_is_shorter_than_asked(corpus: Corpus) -> None:
    assert not find_duplicates(corpus, index_of(corpus), shortest=30.0)
    assert all(d.seconds >= 6.5 for d in find_duplicates(corpus, index_of(corpus), shortest=6.5))


def test_a_pause_is_no_duplicate(tmp_path: Path) -> None:
    motion = generate(7, 1, 4.0)[0].motion
    rotations = motion.local_rotations
    assert rotations is not None
    still = motion.replace(
        root_translation=np.repeat(motion.root_translation[:1], len(motion), axis=0),
        local_rotations=np.repeat(rotations[:1], len(motion), axis=0),
    )
    corpus = Corpus.from_motions([still, still], tmp_path / "c", ["a", "b"])
    assert find_duplicates(corpus, index_of(corpus)) == []


@pytest.mark.parametrize("limits", [{"tolerance": 0.0}, {"tolerance": 1.0}, {"shortest": 0.2}])
def test_limits_that_make_no_sense(corpus: Corpus, limits: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        find_duplicates(corpus, index_of(corpus), **limits)  # type: ignore[arg-type]


def test_the_repeated_takes_of_bandai_namco(unpacked: Callable[..., Path], tmp_path: Path) -> None:
    numbers = range(25, 35)
    folder = unpacked("bandai-namco/dataset-2.zip", *(f"*walk-turn-left_normal_{n:03d}.bvh" for n in numbers))
    files = sorted((folder / "dataset-2").glob("*walk-turn-left_normal_*.bvh"))
    files = [file for file in files if int(file.stem[-3:]) in numbers]
    corpus = Corpus.from_motions([load(file) for file in files], tmp_path / "c", [f.stem for f in files])
    found = find_duplicates(corpus, index_of(corpus))
    assert {(d.clip_a[-3:], d.clip_b[-3:]) for d in found} == {
        ("027", "031"),
        ("028", "032"),
        ("029", "033"),
        ("030", "034"),
    }
    assert all(d.distance < 1e-4 and d.start_b == 0 for d in found)
