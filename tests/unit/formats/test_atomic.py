"""Files and folders that appear whole, and what is left of processes that were killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kineme.formats.atomic import _host, atomic_folder, atomic_write, clean_up


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_whole_with_the_usual_rights(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "new" / "walk.bvh") as temporary:
        assert temporary.suffix == ".bvh" and temporary.name.startswith(".walk.kineme-")
        temporary.write_text("whole")
        assert not (tmp_path / "new" / "walk.bvh").exists()
    assert _names(tmp_path / "new") == ["walk.bvh"]
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new" / "walk.bvh").stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "folder") as temporary:
        (temporary / "half").touch()
        raise KeyboardInterrupt
    assert (tmp_path / "a.txt").read_text() == "old"
    assert _names(tmp_path) == ["a.txt", "folder"] and _names(tmp_path / "folder") == ["old"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with atomic_folder(tmp_path / "corpus") as temporary:
            (temporary / name).touch()
    assert _names(tmp_path) == ["corpus"] and _names(tmp_path / "corpus") == ["second"]


def test_leavings_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path: Path, dead: int) -> None:
    mine = f".walk.kineme-{_host()}-{os.getpid()}-00000000.bvh"
    elsewhere = f".walk.kineme-00000000-{dead}-00000000.bvh"
    stays = [mine, elsewhere, ".walk.kineme-notes", "walk.bvh", ".hidden"]
    for name in stays:
        (tmp_path / name).touch()
    (tmp_path / f".walk.kineme-{_host()}-{dead}-00000000.bvh").touch()
    folder = tmp_path / f".corpus.kineme-{_host()}-{dead}-0123abcd"
    folder.mkdir()
    (folder / "frames.npy").touch()
    clean_up(tmp_path)
    assert _names(tmp_path) == sorted(stays)
    clean_up(tmp_path / "missing")


def test_only_what_belongs_to_a_name_is_cleaned(tmp_path: Path, dead: int) -> None:
    other = f".other.kineme-{_host()}-{dead}-00000000"
    for name in (other, f".corpus.kineme-{_host()}-{dead}-00000000"):
        (tmp_path / name).mkdir()
    clean_up(tmp_path, "corpus")
    assert _names(tmp_path) == [other]


def test_a_folder_that_was_set_aside_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".corpus.kineme-old").mkdir()
    (tmp_path / ".corpus.kineme-old" / "old").touch()
    clean_up(tmp_path, "corpus")
    assert _names(tmp_path) == ["corpus"] and _names(tmp_path / "corpus") == ["old"]
    (tmp_path / ".corpus.kineme-old").mkdir()  # killed after the new one was in place
    clean_up(tmp_path)
    assert _names(tmp_path) == ["corpus"]
