"""`kineme ingest`: many files, some bad, in any number of processes, interrupted and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kineme.formats
from kineme.cli.main import main
from kineme.corpus import Corpus, convert, shards
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, KinemeError, UsageError
from kineme.formats import ReadOptions


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five short BVH takes, two of them in a folder of their own."""
    folder = tmp_path_factory.mktemp("takes")
    (folder / "more").mkdir()
    for number, take in enumerate(generate(9, 5, 2.0)):
        kineme.formats.save(take.motion, folder / ("more" if number > 2 else "") / f"take_{number}.bvh")
    return folder


@pytest.fixture
def takes(source: Path, tmp_path: Path) -> Path:
    """A copy of the takes that a test may change."""
    folder = tmp_path / "takes"
    for file in source.rglob("*.bvh"):
        copy = folder / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
        os.utime(copy, ns=(10**18, 10**18))
    return folder


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_FILES", 1)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _build(takes: Path, out: Path, **options: object) -> Corpus:
    return Corpus.build(takes, out, progress=False, **options)  # type: ignore[arg-type]


class _Reads:
    """Counts the files that are read, and presses Ctrl-C at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None):
        self.files: list[str] = []
        self.stop_at = stop_at
        self.read: Callable = convert.read_clips
        monkeypatch.setattr(shards, "read_clips", self)

    def __call__(self, file: Path, fps: float, options: ReadOptions):
        if len(self.files) == self.stop_at:
            raise KeyboardInterrupt
        self.files.append(file.name)
        return self.read(file, fps, options)


def test_all_files_become_clips_in_order(takes: Path, tmp_path: Path) -> None:
    corpus = _build(takes, tmp_path / "corpus")
    assert corpus.names == ("take_3", "take_4", "take_0", "take_1", "take_2")  # more/ sorts first
    assert [row.status for row in corpus.report] == ["taken"] * 5
    assert all(clip.frames == 60 and Path(clip.source).is_file() for clip in corpus)


@pytest.mark.usefixtures("small_shards")
def test_processes_do_not_change_the_result(takes: Path, tmp_path: Path) -> None:
    one = _build(takes, tmp_path / "one", jobs=1)
    two = _build(takes, tmp_path / "two", jobs=2)
    first, second = _content(one.folder), _content(two.folder)
    assert [name for name in first if first[name] != second[name]] == []
    assert one.checksum == two.checksum


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("stop_at", [0, 2, 4])
def test_an_interrupted_ingest_goes_on_to_the_same_bytes(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    undisturbed = _content(_build(takes, tmp_path / "whole").folder)
    out = tmp_path / "corpus"
    stopped = _Reads(monkeypatch, stop_at)
    with pytest.raises(KeyboardInterrupt):
        _build(takes, out)
    assert not out.exists()
    assert not list(tmp_path.rglob(".new.*")), "nothing half-written"
    resumed = _Reads(monkeypatch)
    resumed.read = stopped.read
    corpus = _build(takes, out)
    assert len(stopped.files) == stop_at and len(resumed.files) == 5 - stop_at
    assert _content(corpus.folder) == undisturbed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "takes", "whole"]


def test_the_older_corpus_stays_until_the_new_one_is_whole(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "corpus"
    before = _content(_build(takes / "more", out).folder)
    _Reads(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        _build(takes, out)
    assert _content(out) == before


def test_only_what_is_new_or_has_changed_is_read_again(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "corpus"
    _build(takes, out)
    os.utime(takes / "take_0.bvh")  # another time, the same content
    changed = takes / "take_1.bvh"
    changed.write_bytes((takes / "take_2.bvh").read_bytes() + b"\n")
    (takes / "new.bvh").write_bytes((takes / "take_0.bvh").read_bytes())
    reads = _Reads(monkeypatch)
    corpus = _build(takes, out)
    assert sorted(reads.files) == ["new.bvh", "take_1.bvh"]
    assert np.array_equal(corpus["take_1"].values, corpus["take_2"].values)
    assert _content(corpus.folder) == _content(_build(takes, tmp_path / "fresh").folder)


def test_other_options_read_everything_again(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "corpus"
    _build(takes, out)
    reads = _Reads(monkeypatch)
    assert _build(takes, out, fps=15.0)[0].frames == 30
    assert len(reads.files) == 5


def test_labels_can_change_without_reading_again(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, table = tmp_path / "corpus", tmp_path / "labels.csv"
    table.write_text("file,start,end,label,subject,mood\ntake_0,0,1,up,s1,glad\ntake_0,1,9,down,s1,glad\n")
    (tmp_path / "all_train.txt").write_text("take_0\ntake_1\n")
    corpus = _build(takes, out, labels=table, split=tmp_path / "all", group="subject")
    clip = corpus["take_0"]
    assert [(s.start, s.end, s.label) for s in clip.labels] == [(0, 1, "up"), (1, 2, "down")]
    assert (clip.subject, clip.group, clip.split, clip.meta) == ("s1", "s1", "train", {"mood": "glad"})
    assert corpus.split("train").names == ("take_0", "take_1")
    reads = _Reads(monkeypatch)
    again = _build(takes, out, labels=r"(?P<label>take)_")
    assert reads.files == []
    assert [[s.label for s in clip.labels] for clip in again] == [["take"]] * 5
    assert again["take_0"].subject == "" and again["take_0"].split == ""


def test_labels_that_fit_no_file_are_an_error(takes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of its names fits"):
        _build(takes, tmp_path / "corpus", labels=r"(?P<label>walk)_")
    assert not list(tmp_path.glob(".corpus*"))  # before any is read
    with pytest.raises(InputError, match="none of its names fits"):
        _build(takes, tmp_path / "corpus", split={"train": ["walk_1"]})
    assert not (tmp_path / "corpus").exists()


def test_names_take_as_much_of_the_path_as_they_need(takes: Path, tmp_path: Path) -> None:
    (takes / "more" / "take_0.bvh").write_bytes((takes / "take_0.bvh").read_bytes())
    names = set(_build(takes, tmp_path / "corpus").names)
    assert names == {"take_0", "more/take_0", "take_1", "take_2", "take_3", "take_4"}


def test_files_of_one_name_that_are_given_one_by_one(takes: Path, tmp_path: Path) -> None:
    """No name holds the path of this machine."""
    (takes / "more" / "deep").mkdir()
    files = [takes / "take_0.bvh", takes / "more" / "take_0.bvh", takes / "more" / "deep" / "take_0.bvh"]
    for file in files[1:]:
        file.write_bytes(files[0].read_bytes())
    names = _build(files, tmp_path / "corpus").names
    assert names == ("take_0", "more/take_0", "more/deep/take_0")


def test_three_good_and_two_bad_files(
    takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("take_3.bvh", "take_4.bvh"):
        file = takes / "more" / name
        file.write_bytes(file.read_bytes()[: 9000 if name == "take_3.bvh" else 0])
    assert main(["ingest", str(takes), "-o", str(tmp_path / "corpus")]) == 0
    told = capsys.readouterr().out
    assert "5 files (3 taken, 2 rejected): 3 clips" in told
    assert "take_3.bvh" in told and "take_4.bvh: the file is empty" in told
    corpus = Corpus.open(tmp_path / "corpus")
    assert len(corpus) == 3
    assert {Path(row.file).name: row.status for row in corpus.report}["take_3.bvh"] == "rejected"


def test_only_bad_files_end_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.bvh"
    bad.write_bytes(b"")
    assert main(["ingest", str(bad), "-o", str(tmp_path / "corpus")]) == 2
    told = capsys.readouterr().err.strip()
    assert told.count("\n") == 0 and str(bad) in told and "empty" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.bvh"]


@pytest.mark.parametrize("words", [["nowhere"], ["."], ["bad.bvh", "--fps", "0"], ["bad.bvh", "--jobs", "0"]])
def test_what_cannot_be_done_ends_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.bvh").write_bytes(b"") if words[0] == "bad.bvh" else None
    assert main(["ingest", *words, "-o", "corpus"]) == 2
    assert capsys.readouterr().err.strip().count("\n") == 0
    assert not (tmp_path / "corpus").exists()


def test_the_corpus_may_lie_among_the_takes(takes: Path) -> None:
    first = _build(takes, takes / "corpus")
    assert len(_build(takes, takes / "corpus")) == len(first) == 5


def test_a_file_that_is_named_twice_is_one_clip(takes: Path, tmp_path: Path) -> None:
    twice = [takes, takes / "more" / ".." / "take_0.bvh", takes / "take_0.bvh"]
    assert len(Corpus.build(twice, tmp_path / "corpus", progress=False)) == 5


def test_a_damaged_corpus_is_made_anew(takes: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    before = _content(_build(takes, out).folder)
    for name in before:
        damaged = out / name
        damaged.write_bytes(before[name][: len(before[name]) // 3])
        assert _content(_build(takes, out).folder) == before


def test_labels_of_takes_that_are_not_there_are_told(
    takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,start,end,label\ntake_0.bvh,0,1,walk\ntake_77.bvh,0,1,walk\n")
    words = ["ingest", str(takes), "-o", str(tmp_path / "corpus"), "--labels", str(labels)]
    assert main(words) == 0
    told = capsys.readouterr().err
    assert "labels.csv" in told and "take_77" in told and "take_0" not in told


def _told(takes: Path, folder: Path, lines: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What an ingest with these lines of labels says on stderr."""
    labels = folder / "labels.csv"
    labels.write_text("\n".join(["file,start,end,label", *lines]))
    assert main(["ingest", str(takes), "-o", str(folder / "corpus"), "--labels", str(labels)]) == 0
    return capsys.readouterr().err


def test_labels_beyond_their_takes_are_told(
    takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["take_0,0,30,walk", "take_0,30,60,stop", "take_1,0,2.3,walk", "take_1.bvh,0.5,1,stop"]
    told = _told(takes, tmp_path, lines, capsys)
    assert "2 of 4 labels lie outside of their takes" in told and "are these frames?" in told
    corpus = Corpus.open(tmp_path / "corpus")
    assert [(s.label, s.end) for s in corpus["take_1"].labels] == [("walk", 2.0), ("stop", 1.0)]


def test_a_label_that_ends_a_little_late_and_one_given_twice_are_no_word_worth(
    takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "kineme:" not in _told(takes, tmp_path, ["take_0,0,2.4,walk", "take_0,0,2.4,walk"], capsys)
    assert len(Corpus.open(tmp_path / "corpus")["take_0"].labels) == 1


def test_a_name_of_two_takes_is_told(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (takes / "more" / "take_3.bvh").rename(takes / "more" / "take_0.bvh")
    told = _told(takes, tmp_path, ["take_0,0,1,walk", "more/take_4,0,1,stop"], capsys)
    assert "the name take_0 fits 2 takes, more/take_0.bvh and take_0.bvh" in told
    corpus = Corpus.open(tmp_path / "corpus")
    assert sum(len(clip.labels) == 1 for clip in corpus) == 3
    assert "fits 2" not in _told(takes, tmp_path, ["more/take_0.bvh,0,1,walk"], capsys)


def test_a_repaired_file_is_told(takes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = takes / "take_0.bvh"
    lines = file.read_text().splitlines()
    lines[-20] = "nan " + lines[-20].split(maxsplit=1)[1]
    file.write_text("\n".join(lines) + "\n")
    assert main(["ingest", str(takes), "-o", str(tmp_path / "corpus")]) == 0
    told = capsys.readouterr().out
    assert "4 taken, 1 repaired" in told and "take_0.bvh: 1 frames without usable numbers" in told


def test_a_lost_process_says_what_to_do(takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_FILES", 1)
    monkeypatch.setattr(shards, "_start_worker", os.abort)
    with pytest.raises(KinemeError, match="the same call goes on from there"):
        _build(takes, tmp_path / "corpus", jobs=2)
    assert not (tmp_path / "corpus").exists()


def test_impossible_options(takes: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        _build(takes, tmp_path / "corpus", fps=-1.0)
    with pytest.raises(UsageError):
        _build(takes, tmp_path / "corpus", jobs=0)


def test_real_takes_with_their_labels_and_splits(
    data_dir: Path, unpacked: Callable[..., Path], tmp_path: Path
) -> None:
    folder = unpacked("hdm05/hdm05-11.zip", "*.asf", "*_squat1Reps_00*", "*_kickLFront1Reps_00*")
    corpus = Corpus.build(
        folder,
        tmp_path / "corpus",
        labels=data_dir / "hdm05" / "clips.csv",
        split=data_dir / "splits" / "hdm05",
        group="subject",
        progress=False,
    )
    assert {row.status for row in corpus.report} == {"taken"}
    assert {clip.labels[0].label for clip in corpus} == {"squat1Reps", "kickLFront1Reps"}
    assert {clip.group for clip in corpus} == {clip.subject for clip in corpus} <= {"bd", "bk", "dg"}
    for clip in corpus:
        assert len(clip.labels) == 1 and clip.labels[0].end == clip.duration
        assert clip.split == "test" if clip.subject == "dg" else clip.split in ("train", "val")
        head = clip.motion.positions[:, 15, 1]
        assert 0.5 < head.min() and head.max() < 2.2
    assert corpus.windows(1.0, 0.5)[0].cut(corpus[0].values).shape == (30, 135)


_SLOW = """
import sys, time
from kineme.corpus import shards
from kineme.cli.main import main

read = shards.read_clips

def slow(*args):
    time.sleep(0.2)
    return read(*args)

shards.SHARD_FILES, shards.read_clips = 1, slow
sys.exit(main(["ingest", sys.argv[1], "-o", sys.argv[2], "--jobs", "1"]))
"""


def test_ctrl_c_leaves_shards_and_no_corpus(takes: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(takes), str(out)], stderr=subprocess.PIPE, text=True
    )
    work = tmp_path / ".corpus.ingest"
    for _ in range(1200):
        if list(work.glob("shard-*")) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "stopped" in told
    assert not out.exists() and not list(work.glob(".new.*"))
    assert 0 < len(list(work.glob("shard-*"))) < 5
    assert len(_build(takes, out)) == 5
