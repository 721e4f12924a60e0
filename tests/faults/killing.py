"""Commands that are killed in the middle, run again, and compared with ones that were left alone.

The command runs in a fork of a process that has imported everything. It dies at its n-th use of a file (by
SIGKILL), or after some processor time (by the kernel's timer, whose signal nobody handles): both are the same
moments on a busy machine as on an idle one.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

#: audit events that a command makes where files are concerned
_FILE_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree")


@dataclass(frozen=True)
class Job:
    """A command on a copy of `start`; `made` is what it makes there, `words` the command for a folder."""

    name: str
    start: Path
    made: str
    words: Callable[[Path], list[str]]


@dataclass(frozen=True)
class Cost:
    """What a whole run takes: uses of files, seconds of processor time."""

    files: int
    seconds: float


def run(words: list[str], *, at_file: int | None = None, after: float | None = None) -> tuple[int, Cost]:
    """Runs `kineme` with `words`; the exit code (negative: the signal that killed it) and what it took."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _command(words, at_file, after, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status, used = os.wait4(child, 0)
    files = int(told) if told else 0
    return os.waitstatus_to_exitcode(status), Cost(files, used.ru_utime + used.ru_stime)


def _command(words: list[str], at_file: int | None, after: float | None, writer: int) -> None:
    """In the child: never returns."""
    code = 99
    try:
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        count = 0

        def watch(event: str, _: object) -> None:
            nonlocal count
            if event in _FILE_EVENTS:
                count += 1
                if count == at_file:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        if after is not None:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, max(after, 0.001))
        from kineme.cli.main import main

        code = main(words)
        os.write(writer, str(count).encode())
    finally:
        os._exit(code)


@dataclass
class Outcome:
    """What the kills of one job came to."""

    kills: int = 0
    runs: int = 0
    faults: list[str] | None = None


def kill_often(job: Job, kills: int, work: Path, seed: int = 0) -> Outcome:
    """Kills `job` until `kills` kills have hit it, each time running it again to the end afterwards."""
    work.mkdir(parents=True, exist_ok=True)
    whole = _copy(job, work / "whole")
    code, cost = run(job.words(whole))
    outcome = Outcome(faults=[] if code == 0 else [f"the undisturbed run ended with {code}"])
    assert outcome.faults is not None
    rng = random.Random(f"{seed}/{job.name}")
    while outcome.kills < kills and not outcome.faults and outcome.runs < 3 * kills:
        folder = _copy(job, work / "killed")
        moments = []
        for _ in range(rng.choice((1, 1, 2))):  # also a kill of the run that goes on
            at, after = rng.randint(1, cost.files), rng.uniform(0, cost.seconds)
            moment = {"at_file": at} if rng.random() < 0.6 else {"after": after}
            code, _cost = run(job.words(folder), **moment)  # type: ignore[arg-type]
            outcome.runs += 1
            outcome.kills += code < 0
            moments.append(f"{moment} -> {code}")
        code, _cost = run(job.words(folder))
        wrong = [f"the run afterwards ended with {code}"] if code else differences(whole, folder, job.made)
        outcome.faults += [f"{job.name}, {'; '.join(moments)}: {what}" for what in wrong]
    return outcome


def _copy(job: Job, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(job.start, folder)
    return folder


def differences(whole: Path, other: Path, made: str) -> list[str]:
    """What is not the same in the two folders' results, and what has been left lying about in `other`."""
    found = [f"left: {path.relative_to(other)}" for path in other.rglob(".*")]
    for path in sorted((whole / made).rglob("*")):
        twin = other / path.relative_to(whole)
        if (
            path.is_dir()
            or path.suffix not in (".npy", ".parquet", ".safetensors")
            and path.name != "names.json"
        ):
            continue  # logs, checkpoints, pages with the name of the folder
        if not twin.is_file():
            found.append(f"missing: {path.relative_to(whole)}")
        elif path.suffix == ".parquet":
            if not pq.read_table(path).equals(pq.read_table(twin)):
                found.append(f"other rows: {path.relative_to(whole)}")
        elif path.suffix == ".npy":
            if not np.array_equal(np.load(path), np.load(twin)):
                found.append(f"other numbers: {path.relative_to(whole)}")
        elif path.read_bytes() != twin.read_bytes():
            found.append(f"other bytes: {path.relative_to(whole)}")
    return found


def peak_megabytes() -> int:
    """Most memory that a child took."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
