"""What the demo writes and how it measures itself; the demo as a whole runs in tests/integration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kineme.cli import demo
from kineme.corpus import Corpus
from kineme.corpus.synthetic import SyntheticTake, generate
from kineme.errors import UsageError


@pytest.fixture(scope="module")
def takes() -> list[SyntheticTake]:
    return generate(seed=3, takes=2, seconds=12.0)


def test_takes_and_labels_come_back_from_disk(takes: list[SyntheticTake], tmp_path: Path) -> None:
    demo.write_takes(takes, tmp_path)
    corpus = Corpus.build(
        tmp_path / "takes", tmp_path / "corpus", labels=tmp_path / demo.LABELS, jobs=1, progress=False
    )
    assert [clip.name for clip in corpus] == [take.name for take in takes]
    for clip, take in zip(corpus, takes, strict=True):
        true = demo.true_motifs(take)
        assert [s.label for s in clip.labels] == [s.label for s in true]
        assert [s.start for s in clip.labels] == pytest.approx([s.start for s in true], abs=1e-3)
        assert clip.motion.duration == pytest.approx(take.motion.duration)


def test_the_truth_scores_one(takes: list[SyntheticTake]) -> None:
    counts = demo.score({take.name: demo.true_motifs(take) for take in takes}, takes)
    assert counts.f1 == 1.0 and counts.true > 2


def test_shifted_boundaries_count_only_within_the_tolerance(takes: list[SyntheticTake]) -> None:
    def shifted(by: float) -> dict:
        return {
            take.name: [replace(s, start=s.start + by, end=s.end + by) for s in demo.true_motifs(take)[:2]]
            for take in takes
        }

    near, far = demo.score(shifted(0.3), takes), demo.score(shifted(0.6), takes)
    assert near.hit == 2 * len(takes) and far.hit == 0


def test_frames_alone_cut_far_too_often(takes: list[SyntheticTake]) -> None:
    counts = demo.frames_alone(takes, seed=0)
    assert counts.true == demo.score({t.name: demo.true_motifs(t) for t in takes}, takes).true
    assert counts.found > 2 * counts.true and counts.f1 < 0.5


def test_other_folders_are_left_alone(takes: list[SyntheticTake], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="other things"):
        demo.write_takes(takes, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_takes_and_labels_of_ones_own_are_no_demos(takes: list[SyntheticTake], tmp_path: Path) -> None:
    """They were removed: a folder with a labels.csv was taken for an earlier demo's."""
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "walk.bvh").write_text("mine")
    (tmp_path / demo.LABELS).write_text("file,start,end,label\nwalk,0,1,walk\n")
    with pytest.raises(UsageError, match="other things"):
        demo.write_takes(takes, tmp_path)
    assert (tmp_path / "takes" / "walk.bvh").read_text() == "mine" and len(list(tmp_path.iterdir())) == 2


def test_a_demo_of_an_older_version_is_gone_on_with(takes: list[SyntheticTake], tmp_path: Path) -> None:
    demo.write_takes(takes, tmp_path)
    (tmp_path / demo.MARK).unlink()
    demo.write_takes(takes, tmp_path)
    assert (tmp_path / demo.MARK).is_file()


def test_other_takes_take_the_place_of_the_old_ones(takes: list[SyntheticTake], tmp_path: Path) -> None:
    demo.write_takes(takes, tmp_path)
    (tmp_path / "library").mkdir()
    demo.write_takes(takes, tmp_path)
    assert (tmp_path / "library").is_dir()  # the same takes: what is there is gone on with
    demo.write_takes(takes[:1], tmp_path)
    assert not (tmp_path / "library").exists()
    assert [path.stem for path in (tmp_path / "takes").iterdir()] == [takes[0].name]
