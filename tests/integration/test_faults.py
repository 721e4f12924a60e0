"""Full disks, files that change, two at a time, clocks that jump: one sentence, and nothing lost."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from kineme.cli.main import main
from kineme.corpus import Corpus, convert
from kineme.formats.lock import folder_lock
from small_models import small_corpus, small_model, write_takes


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with takes, a corpus of them and a model."""
    folder = tmp_path_factory.mktemp("faults")
    write_takes(folder / "takes", takes=3)
    assert command("ingest", folder / "takes", "-o", folder / "corpus") == 0
    small_model(small_corpus(folder / "other", takes=3, seed=8)).save(folder / "model")
    return folder


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def rows(library: Path) -> Any:
    return pq.read_table(library / "segments.parquet")


def limited(most: int, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """`kineme` in a process whose files may not become larger than `most` bytes."""
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, str(most), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


_LIMITED = """
import resource, sys
from kineme.cli.main import main
import kineme.cli.index, kineme.models.a4mer, kineme.report.contents
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("most", [0, 5_000, 120_000])
def test_a_disk_that_is_full_loses_nothing(most: int, made: Path, tmp_path: Path) -> None:
    """A limit to the size of files stands for the disk: writing fails in the same places."""
    shutil.copytree(made / "corpus", tmp_path / "corpus")
    before = pq.read_table(tmp_path / "corpus" / "clips.parquet")
    write_takes(tmp_path / "more", takes=1, seed=9)
    words = ["ingest", made / "takes", tmp_path / "more", "-o", tmp_path / "corpus", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(most), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert (
        done.stderr.count("\n") == 1 and done.stderr.startswith("kineme: ") and "Traceback" not in done.stderr
    )
    assert "run the same command again" in done.stderr
    assert pq.read_table(tmp_path / "corpus" / "clips.parquet").equals(before)
    assert command(*words) == 0
    assert len(Corpus.open(tmp_path / "corpus")) == 4 and hidden(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_full_disk_under_a_model(made: Path, tmp_path: Path) -> None:
    words = ["index", made / "takes", "-o", tmp_path / "library", "--model", made / "model", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, "70000", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "run the same command again" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert command(*words) == 0 and hidden(tmp_path) == []


def test_a_place_that_may_not_be_written(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr("kineme.formats.lock.os.open", refuse)
    assert command("ingest", made / "takes", "-o", tmp_path / "corpus") == 2
    said = capsys.readouterr().err
    assert str(tmp_path) in said and "Read-only file system" in said and said.count("\n") == 1


@pytest.mark.parametrize("what", ["vanishes", "grows", "is another"])
def test_a_file_that_changes_while_it_is_read(
    what: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = shutil.copytree(made / "takes", tmp_path / "takes")
    victim = sorted(takes.iterdir())[0]
    sound, real = victim.read_bytes(), convert.read_motions

    def reading(file: Path, *rest: Any) -> Any:
        found = real(file, *rest)
        if file == victim:
            victim.unlink()
            if what != "vanishes":
                victim.write_bytes(sound + b"\n" if what == "grows" else sound.replace(b"1", b"2"))
        return found

    monkeypatch.setattr(convert, "read_motions", reading)
    corpus = Corpus.build(takes, tmp_path / "corpus", jobs=1, progress=False)
    told = {Path(row.file).name: row for row in corpus.report}
    assert told[victim.name].status == "rejected" and len(corpus) == 2
    assert "changed or went away while it was read; run the same command again" in told[victim.name].reason
    monkeypatch.undo()
    victim.write_bytes(sound)
    assert len(Corpus.build(takes, tmp_path / "corpus", jobs=1, progress=False)) == 3


@pytest.mark.parametrize(
    "words, place",
    [
        (lambda made, at: ["index", made / "takes", "-o", at / "library"], "library"),
        (lambda made, at: ["ingest", made / "takes", "-o", at / "corpus"], "corpus"),
        (lambda made, at: ["train", "a4mer", made / "corpus", "-o", at / "run", "--preset", "tiny"], "run"),
    ],
)
def test_the_second_on_a_folder_is_told_so(
    words: Callable[[Path, Path], list[Any]],
    place: str,
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with folder_lock(tmp_path / place, "kineme index"):
        assert command(*words(made, tmp_path)) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{tmp_path / place} is in use by process {os.getpid()}" in said
    assert not (tmp_path / place / "library.json").exists() and hidden(tmp_path) == []


def test_a_clock_that_jumps(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["index", made / "takes", "--model", made / "model", "--jobs", "1"]
    assert command(*words, "-o", tmp_path / "a") == 0
    clock = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: 2e9 if next(clock) % 2 else 1e8)
    assert command(*words, "-o", tmp_path / "b") == 0
    for take in (made / "takes").iterdir():
        os.utime(take, (4e9, 4e9))  # files of the future
    assert command(*words, "-o", tmp_path / "b") == 0
    assert rows(tmp_path / "a").equals(rows(tmp_path / "b"))
