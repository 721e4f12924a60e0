"""The search index: shards are only added, follow from their clips, and damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Corpus
from kineme.errors import InputError
from kineme.tasks import search_index
from kineme.tasks.discover import standard_positions
from kineme.tasks.poses import poses, quantise
from kineme.tasks.search_index import MANIFEST, PoseIndex, Shard, is_current, open_index, update_index
from small_models import small_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return small_corpus(tmp_path_factory.mktemp("corpus") / "corpus", takes=5, seconds=4.0)


def rows(corpus: Corpus) -> list[np.ndarray]:
    return [quantise(poses(standard_positions(clip), clip.fps)) for clip in corpus]


def same(index: PoseIndex, expected: list[np.ndarray]) -> bool:
    return len(index) == len(expected) and all(map(np.array_equal, index.rows, expected))


def test_what_is_written_comes_back(corpus: Corpus, tmp_path: Path) -> None:
    assert update_index(tmp_path / "s", corpus) == 5
    index, fresh = open_index(tmp_path / "s"), PoseIndex.of(rows(corpus))
    assert same(index, rows(corpus))
    assert np.array_equal(index.coarse, fresh.coarse) and np.array_equal(index.starts, fresh.starts)
    assert np.allclose(index.coarse[-1], (index.coarse[:-1] ** 2).sum(axis=0))
    assert is_current(tmp_path / "s", corpus.checksum) and not is_current(tmp_path / "s", "other")


def test_more_clips_leave_the_shards_as_they_are(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "SHARD_CLIPS", 2)
    folder, few = tmp_path / "s", corpus.subset(corpus.names[1:4])
    assert update_index(folder, few) == 3
    before = {file.name: file.read_bytes() for file in folder.glob("shard-*")}
    times = {file.name: file.stat().st_mtime_ns for file in folder.glob("shard-*")}
    assert update_index(folder, corpus) == 2
    assert all((folder / name).read_bytes() == content for name, content in before.items())
    assert all((folder / name).stat().st_mtime_ns == time for name, time in times.items())
    assert same(open_index(folder), rows(corpus))
    assert update_index(folder, corpus) == 0


def test_clips_that_went_are_no_longer_found(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    update_index(folder, corpus)
    few = corpus.subset(corpus.names[2:])
    assert update_index(folder, few) == 0
    assert same(open_index(folder), rows(few))


def test_a_shard_follows_from_its_clips(corpus: Corpus) -> None:
    one, two = Shard.of(corpus), Shard.of(corpus.subset(corpus.names))
    assert one.name == two.name and np.array_equal(one.rows, two.rows)
    assert Shard.of(corpus.subset(corpus.names[:2])).name != one.name


def test_how_many_poses_are_left() -> None:
    index = PoseIndex.of([np.zeros((5, 40), np.int16), np.zeros((2, 40), np.int16)])
    assert index.left.tolist() == [2, 1, 0, 0] == index.left_byte.tolist()
    assert index.clip_at(np.array([0, 2, 3])).tolist() == [0, 0, 1]
    assert index.longest == pytest.approx(0.4)


@pytest.mark.parametrize("harm", ["format", "json", "short", "gone", "path", "place"])
def test_damage_is_named(corpus: Corpus, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "s"
    update_index(folder, corpus)
    manifest = json.loads((folder / MANIFEST).read_text())
    shard = next(folder.glob("*.poses.npy"))
    if harm == "format":
        manifest["format"] = 99
    elif harm == "path":
        manifest["shards"][0]["name"] = "../shard"
    elif harm == "place":
        manifest["clips"][0][1] = 77
    elif harm == "short":
        np.save(shard, np.zeros((3, 40), np.int16))
    elif harm == "gone":
        shard.unlink()
    text = "{" if harm == "json" else json.dumps(manifest)
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="format 1" if harm == "format" else "damaged"):
        open_index(folder)
    if harm == "gone":  # a shard that was lost is made again
        assert update_index(folder, corpus) == 5
        assert same(open_index(folder), rows(corpus))
