"""A corpus gives back what was put into it, and refuses folders that are none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Corpus
from kineme.corpus.synthetic import SyntheticTake, generate
from kineme.errors import InputError, UsageError
from kineme.motion import Motion, Skeleton


@pytest.fixture(scope="module")
def takes() -> list[SyntheticTake]:
    return generate(1, 4, 4.0)


@pytest.fixture(scope="module")
def corpus(takes: list[SyntheticTake], tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus.from_motions(
        (take.motion for take in takes),
        tmp_path_factory.mktemp("store") / "corpus",
        [take.name for take in takes],
        subjects=[take.subject for take in takes],
        splits=["train", "train", "val", "test"],
    )


def test_motions_come_back(corpus: Corpus, takes: list[SyntheticTake]) -> None:
    assert len(corpus) == 4 and corpus.fps == 30.0
    for clip, take in zip(corpus, takes, strict=True):
        assert (clip.name, clip.subject, clip.frames) == (take.name, take.subject, 120)
        assert clip.labels == take.labels == clip.motion.labels
        assert np.array_equal(clip.motion.root_translation, take.motion.root_translation)
        assert np.abs(clip.motion.positions - take.motion.positions).max() < 1e-5
        assert np.abs(clip.motion.end_positions - take.motion.end_positions).max() < 1e-5
        assert np.array_equal(clip.motion.skeleton.offsets, take.motion.skeleton.offsets)
        assert clip.motion.provenance.format == "synthetic"


def test_frames_are_memory_maps(corpus: Corpus) -> None:
    values = corpus[1].values
    assert values.dtype == np.float32 and values.shape == (120, 135)
    assert isinstance(values.base, np.memmap) or isinstance(values, np.memmap)
    with pytest.raises(ValueError):
        values[0] = 0


def test_the_file_s_own_skeleton_is_kept_for_showing(corpus: Corpus, takes: list[SyntheticTake]) -> None:
    for clip, take in zip(corpus, takes, strict=True):
        motion = take.motion
        own = np.concatenate([motion.positions, motion.end_positions], axis=1)[::2]
        assert clip.own.shape == own.shape == (60, len(clip.own_skeleton.names), 3)
        assert np.abs(clip.own - own).max() < 0.6e-3
        assert clip.display.dtype == np.int16
        assert clip.own_skeleton.names[:22] == motion.skeleton.names
        assert clip.own_skeleton.parents[22:] == tuple(joint for joint, _ in motion.skeleton.end_sites)


def test_a_motion_wider_than_16_bits_of_millimetres(takes: list[SyntheticTake], tmp_path: Path) -> None:
    motion = takes[0].motion
    way = np.linspace(0, 300, len(motion), dtype=np.float32)[:, None] * np.float32([1, 0, 0])
    clip = Corpus.from_motions(
        [motion.replace(root_translation=motion.root_translation + way)], tmp_path / "c"
    )[0]
    assert np.ptp(clip.own[:, 0, 0]) == pytest.approx(300, abs=6)
    assert clip.row.display_scale > 1


def test_positions_only_motions_get_rotations(takes: list[SyntheticTake], tmp_path: Path) -> None:
    motion = takes[0].motion
    bare = Motion.from_positions(motion.skeleton, motion.fps, motion.positions)
    clip = Corpus.from_motions([bare], tmp_path / "c")[0]
    assert np.abs(clip.motion.positions - motion.positions).max() < 2e-3


def test_views(corpus: Corpus, takes: list[SyntheticTake]) -> None:
    names = [take.name for take in takes]
    assert corpus.split("train").names == tuple(names[:2])
    assert corpus.subset([names[2], names[0]]).names == (names[2], names[0])
    assert corpus.subset([False, True, False, True]).names == (names[1], names[3])
    assert corpus.subset(np.zeros(4, dtype=bool)).names == ()
    assert corpus.subset([names[3]])[0].split == "test"
    assert corpus[names[1]].name == corpus[-3].name == names[1]
    assert corpus.duration == 16.0


def test_what_is_not_there_is_named(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="no clip called 'nobody'"):
        corpus["nobody"]
    with pytest.raises(InputError, match="no clip called"):
        corpus.split("train")[corpus[3].name]
    with pytest.raises(InputError, match="its splits are test, train, val"):
        corpus.split("dev")
    with pytest.raises(UsageError, match="mask over 4 clips"):
        corpus.subset([True, False])
    with pytest.raises(IndexError):
        corpus[4]


def test_checksum_depends_on_data_and_order_alone(
    corpus: Corpus, takes: list[SyntheticTake], tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(corpus.folder, moved)
    assert Corpus.open(moved).checksum == corpus.checksum
    names = list(corpus.names)
    assert corpus.subset(names).checksum == corpus.checksum
    assert corpus.subset(names[::-1]).checksum != corpus.checksum
    frames = np.load(moved / "frames.npy")
    frames[7, 3] += 1e-6
    np.save(moved / "frames.npy", frames)
    assert Corpus.open(moved).checksum != corpus.checksum


def test_an_older_corpus_is_replaced_whole(takes: list[SyntheticTake], tmp_path: Path) -> None:
    out = tmp_path / "c"
    for take in takes[:2]:
        Corpus.from_motions([take.motion], out, [take.name])
    assert Corpus.open(out).names == (takes[1].name,)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_failed_write_leaves_the_older_corpus(
    takes: list[SyntheticTake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "c"
    Corpus.from_motions([takes[0].motion], out, ["first"])
    monkeypatch.setattr("kineme.corpus.tables.json.dumps", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Corpus.from_motions([takes[1].motion], out, ["second"])
    assert Corpus.open(out).names == ("first",)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_names_and_motions_must_fit(takes: list[SyntheticTake], tmp_path: Path) -> None:
    motions = [take.motion for take in takes[:2]]
    with pytest.raises(UsageError, match="2 motions, but 1 values of name"):
        Corpus.from_motions(motions, tmp_path / "c", ["a"])
    with pytest.raises(UsageError, match="'a' is there more than once"):
        Corpus.from_motions(motions, tmp_path / "c", ["a", "a"])
    with pytest.raises(UsageError, match="no motions"):
        Corpus.from_motions([], tmp_path / "c")
    assert Corpus.from_motions(motions, tmp_path / "c").names == ("clip_0000", "clip_0001")


def test_a_motion_that_cannot_be_used_is_named(takes: list[SyntheticTake], tmp_path: Path) -> None:
    motion = takes[0].motion
    with pytest.raises(InputError, match="a pose, and no motion"):
        Corpus.from_motions([motion[:1]], tmp_path / "c")
    odd = Skeleton(("a", "b"), (-1, 0), np.ones((2, 3)))
    box = Motion.from_positions(odd, 30.0, np.zeros((9, 2, 3), np.float32))
    with pytest.raises(InputError):
        Corpus.from_motions([motion, box], tmp_path / "c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99, "fps": 30}'])
def test_a_folder_that_is_no_corpus(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"no corpus\.json"):
        Corpus.open(tmp_path)
    (tmp_path / "corpus.json").write_bytes(content)
    with pytest.raises(InputError):
        Corpus.open(tmp_path)


@pytest.mark.parametrize(
    "name", ["frames.npy", "display.npy", "clips.parquet", "labels.parquet", "skeletons.json"]
)
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "other"])
def test_damaged_files_are_named(corpus: Corpus, tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "c"
    shutil.copytree(corpus.folder, folder)
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "other": b"hello" * 99}[damage])
    with pytest.raises(InputError):
        Corpus.open(folder)


def test_frames_and_index_must_fit(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    shutil.copytree(corpus.folder, folder)
    np.save(folder / "frames.npy", np.load(folder / "frames.npy")[:-1])
    with pytest.raises(InputError, match="do not fit together|is damaged"):
        Corpus.open(folder)


def test_a_pickle_is_not_opened(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    shutil.copytree(corpus.folder, folder)
    np.save(folder / "frames.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        Corpus.open(folder)


def test_something_else_is_never_overwritten(takes: list[SyntheticTake], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="other things"):
        Corpus.from_motions([takes[0].motion], tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        Corpus.from_motions([takes[0].motion], tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_head_says_what_it_is(corpus: Corpus) -> None:
    head = json.loads((corpus.folder / "corpus.json").read_text())
    assert head["format"] == 1 and head["fps"] == 30.0
