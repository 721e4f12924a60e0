"""A change of a library that is stopped at any of its steps: readers see the old one, or say what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kineme.cli.main import main
from kineme.formats import atomic
from kineme.tasks.library import open_library
from small_models import small_corpus, small_model, write_takes


class _Stopped(BaseException):
    """Like a kill: nothing catches it, and nothing takes its place any more."""


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


def index(takes: Path, library: Path, *words: str | Path) -> int:
    return command("index", takes, "-o", library, "--jobs", "1", *words)


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes, more takes, a library of the first with a name in it, and one of both, as a whole run makes it."""
    folder = tmp_path_factory.mktemp("stopped")
    write_takes(folder / "takes", takes=2, seconds=8.0)
    shutil.copytree(folder / "takes", folder / "more")
    write_takes(folder / "more", takes=1, seconds=8.0, seed=9)
    small_model(small_corpus(folder / "other", takes=3, seed=8)).save(folder / "model")
    assert index(folder / "takes", folder / "old", "--model", folder / "model", "--mine") == 0
    motif = open_library(folder / "old").motifs[0]["id"]
    assert command("name", folder / "old", motif, "my own") == 0
    shutil.copytree(folder / "old", folder / "new" / "library")
    assert index(folder / "more", folder / "new" / "library") == 0
    return folder


@pytest.fixture()
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`stop_at(n)`: from the n-th time on, nothing is put in place."""

    def arrange(last: int) -> None:
        count, real = 0, os.replace

        def replace(*paths: Path) -> None:
            nonlocal count
            count += 1
            if count >= last:
                raise _Stopped
            real(*paths)

        monkeypatch.setattr(atomic.os, "replace", replace)

    return arrange


def _readers(made: Path, library: Path, out: Path) -> dict[str, list[str | Path]]:
    """Commands that read different parts of a library; `out` is a folder for what they write."""
    take = sorted((made / "takes").iterdir())[0]
    return {
        "check": ["check", library],
        "export": ["export", library, "--format", "csv", "-o", out],
        "stats": ["stats", library, "-o", out / "stats.csv"],
        "search": ["search", library, take, "--to", "2", "-o", out / "found.csv"],
        "duplicates": ["duplicates", library, "-o", out / "twice.csv"],
        "segment": ["segment", take, "--model", library, "-o", out / "segment.csv", "--jobs", "1"],
    }


@pytest.mark.slow
def test_a_change_that_is_stopped_at_any_step_is_noticed_and_mended(
    made: Path, tmp_path: Path, stop_at: Callable[[int], None], monkeypatch, capsys
) -> None:
    whole = content(made / "new" / "library")
    for library, out in ((made / "old", "before"), (made / "new" / "library", "after")):
        for words in _readers(made, library, tmp_path / out).values():
            assert command(*words) == 0
    told = {name: content(tmp_path / name) for name in ("before", "after")}
    assert told["before"] != told["after"]
    seen, step = [], 0
    while True:
        step += 1
        library, out = tmp_path / f"{step}" / "library", tmp_path / f"{step}" / "out"
        shutil.copytree(made / "old", library)
        stop_at(step)
        try:
            done = index(made / "more", library)
        except _Stopped:
            done = None
        monkeypatch.undo()
        if done is not None:
            assert done == 0
            break
        capsys.readouterr()
        codes = [command(*words) for words in _readers(made, library, out).values()]
        said = capsys.readouterr().err
        if set(codes) == {0}:
            assert content(out) == told["before"], step
        else:
            assert set(codes) == {2}, step
            assert said.count(
                "is not finished: a `kineme index` that makes or changes it was stopped"
            ) == len(codes)
            assert not out.exists()
        if not seen or seen[-1] != codes or 2 in codes:
            assert index(made / "more", library) == 0
            assert content(library) == whole and not list(library.rglob(".*")), step
        seen.append(codes)
        shutil.rmtree(library.parent)
    refused = [2 in codes for codes in seen]
    assert refused == sorted(refused) and 5 <= sum(refused) < len(refused)


def test_new_takes_beside_old_tables_are_noticed(made: Path, tmp_path: Path, capsys) -> None:
    """What a stopped run of an older version has left: library.json calls it finished."""
    library, out = tmp_path / "library", tmp_path / "out"
    shutil.copytree(made / "old", library)
    shutil.rmtree(library / "corpus")
    shutil.copytree(made / "new" / "library" / "corpus", library / "corpus")
    capsys.readouterr()
    reading = {name: words for name, words in _readers(made, library, out).items() if name != "segment"}
    assert {name: command(*words) for name, words in reading.items()} == dict.fromkeys(reading, 2)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(reading) and not out.exists()
    assert all("has other takes than its tables: a `kineme index` was stopped" in line for line in said)
    assert index(made / "more", library) == 0
    assert content(library) == content(made / "new" / "library")
