"""One process at a time on a folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kineme.errors import UsageError
from kineme.formats.lock import LOCK_INSIDE, folder_lock

HOLD = """
import sys, time
from kineme.formats.lock import folder_lock
with folder_lock(sys.argv[1], "kineme index"):
    print("held", flush=True)
    time.sleep(600)
"""


def _hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_the_first_is_and_a_dead_one_is_taken_over(tmp_path: Path) -> None:
    library = tmp_path / "library"
    with _hold(library) as first:
        try:
            with pytest.raises(UsageError) as told, folder_lock(library, "kineme index"):
                pass
        finally:
            first.send_signal(signal.SIGKILL)
    said = str(told.value)
    assert f"process {first.pid} on {socket.gethostname()} (kineme index)" in said
    assert said.startswith(f"{library} is in use by") and "wait until" in said
    assert (tmp_path / ".library.kineme-lock").exists()  # left by the killed one
    with folder_lock(library, "kineme index"):
        held = json.loads((tmp_path / ".library.kineme-lock").read_text())
        assert held["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_another_computer_is_respected(tmp_path: Path) -> None:
    path = tmp_path / ".library.kineme-lock"
    path.write_text(json.dumps({"process": 1, "computer": "studio-7", "what": "training"}))
    with pytest.raises(UsageError, match=r"process 1 on studio-7 \(training\); if it no longer"):
        with folder_lock(tmp_path / "library", "kineme index"):
            pass
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[1]", b'{"process": 12'])
def test_a_damaged_lock_file_is_taken_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".library.kineme-lock").write_bytes(content)
    with folder_lock(tmp_path / "library", "kineme index"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_other_folders_are_free_and_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder_lock(tmp_path / "a", "x"), folder_lock(tmp_path / "b", "x"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_parent_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    real = os.open

    def refuse(path: object, *rest: int) -> int:
        if Path(str(path)).parent == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with folder_lock(tmp_path / "out", "kineme index"):
        assert (tmp_path / "out" / LOCK_INSIDE).exists()
    assert not any((tmp_path / "out").iterdir())
    with pytest.raises(PermissionError), folder_lock(tmp_path / "new", "kineme index"):
        pass
