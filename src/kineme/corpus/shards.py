"""The work of an ingest in pieces: shards of files, in processes or not, and what earlier runs have left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kineme import __version__
from kineme.corpus.convert import file_digest, read_clips
from kineme.corpus.store import RESTORE, Corpus
from kineme.corpus.tables import FORMAT, ClipData, ReportRow, write_folder
from kineme.errors import InputError, KinemeError
from kineme.formats import ReadOptions
from kineme.formats.atomic import atomic_folder, clean_up
from kineme.formats.checksums import read_checksums, verify

#: a shard ends with the file that makes it this long, or longer where there would be more than MOST_SHARDS
SHARD_FILES, SHARD_BYTES, MOST_SHARDS = 32, 8_000_000, 200
#: fewer files than this are read without starting processes, which takes seconds
_WORTH_PROCESSES = 48


def ingest_shard(files: Sequence[Path], folder: Path, fps: float, options: ReadOptions) -> list[ReportRow]:
    """Ingests `files` into the corpus folder `folder`, which appears whole; returns its report.

    A pure function of the files, `fps` and `options`: the unit of work that runs in any process.
    """
    clips: list[ClipData] = []
    report: list[ReportRow] = []
    for file in files:
        found, row = read_clips(file, fps, options)
        clips += found
        report.append(row)
    with atomic_folder(folder) as temporary:
        write_folder(temporary, clips, report, fps, request_of(fps, options))
    return report


def request_of(fps: float, options: ReadOptions) -> str:
    """What makes earlier work reusable: the same was asked of the same version, with the same map file."""
    said = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(options).items()}
    given = [value for value in (options.map, options.skeleton_file) if value is not None and value.is_file()]
    files = [file_digest(path) for path in given]
    asked = {"kineme": __version__, "format": FORMAT, "fps": fps, "read": said, "files": files}
    return json.dumps(asked, sort_keys=True)


def usable_pieces(finished: Iterable[Path], work: Path, request: str) -> Iterable[Corpus]:
    """Earlier results that answer `request`: of `finished` corpora and of the shards of an interrupted ingest."""
    shards = sorted(work.glob("shard-*")) if work.is_dir() else []
    for folder in dict.fromkeys((*finished, *shards)):
        if not (folder / "corpus.json").is_file():
            continue
        try:
            corpus = Corpus.open(folder)
            verify(folder, read_checksums(folder), RESTORE, whole=True)
            fits = corpus.request == request and bool(corpus.report)
        except InputError:  # of another version, or damaged: its files are read again
            continue
        if fits:
            yield corpus


def unchanged(files: Sequence[Path], pieces: Iterable[Corpus]) -> dict[str, tuple[list[ClipData], ReportRow]]:
    """Clips and report row of those `files` in `pieces` that have not changed since; later pieces win."""
    known: dict[str, tuple[Corpus, ReportRow]] = {}
    for piece in pieces:
        known |= {row.file: (piece, row) for row in piece.report}
    found: dict[str, tuple[list[ClipData], ReportRow]] = {}
    by_file: dict[int, dict[str, list[ClipData]]] = {}
    for file in map(str, files):
        if file not in known:
            continue
        piece, row = known[file]
        row = _if_same(row)
        if row is None:
            continue
        if id(piece) not in by_file:
            clips = by_file[id(piece)] = {}
            for clip in piece:
                clips.setdefault(clip.row.file, []).append(clip.data)
        found[file] = (by_file[id(piece)].get(file, []), row)
    return found


def _if_same(row: ReportRow) -> ReportRow | None:
    """The row, if its file is what it was: by size and time, or by content where only the time differs."""
    try:
        status = os.stat(row.file)
        if status.st_size != row.size:
            return None
        if status.st_mtime_ns != row.mtime_ns and file_digest(Path(row.file)) != row.sha256:
            return None
    except OSError:
        # It could not be read then, either.
        return row if row.status == "rejected" and row.size == 0 else None
    return replace(row, mtime_ns=status.st_mtime_ns)


def _shards(files: Sequence[Path]) -> list[list[Path]]:
    sizes = [file.stat().st_size if file.exists() else 0 for file in files]
    most_files = max(SHARD_FILES, -(-len(files) // MOST_SHARDS))
    most_bytes = max(SHARD_BYTES, sum(sizes) // MOST_SHARDS)
    shards: list[list[Path]] = []
    total = 0
    for file, size in zip(files, sizes, strict=True):
        if not shards or len(shards[-1]) >= most_files or total >= most_bytes:
            shards.append([])
            total = 0
        shards[-1].append(file)
        total += size
    return shards


def _jobs(asked: int | None, files: int) -> int:
    if asked is not None:
        return asked
    if files < _WORTH_PROCESSES:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ingest_files(
    files: Sequence[Path], work: Path, fps: float, options: ReadOptions, jobs: int | None, progress: bool
) -> None:
    """Every file into some shard in `work`. After Ctrl-C shards that were begun are finished."""
    work.mkdir(parents=True, exist_ok=True)
    clean_up(work)
    shards, jobs = _shards(files), _jobs(jobs, len(files))
    taken = {folder.name for folder in work.iterdir()}
    numbers = (n for n in range(len(taken) + len(shards)) if f"shard-{n:06d}" not in taken)
    tasks = [(shard, work / f"shard-{number:06d}") for shard, number in zip(shards, numbers, strict=False)]
    with _progress_bar(len(files), progress) as advance:
        if jobs == 1 or len(tasks) < 2:
            for shard, folder in tasks:
                advance(ingest_shard(shard, folder, fps, options))
            return
        _in_processes(tasks, fps, options, min(jobs, len(tasks)), advance)


def _in_processes(
    tasks: Sequence[tuple[list[Path], Path]], fps: float, options: ReadOptions, jobs: int, advance: Any
) -> None:
    import multiprocessing

    context = multiprocessing.get_context("spawn")  # the parent may have threads of torch's
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker)
    try:
        waiting: set[Future[list[ReportRow]]] = {
            pool.submit(ingest_shard, shard, folder, fps, options) for shard, folder in tasks
        }
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                advance(future.result())
    except BrokenProcessPool:
        raise KinemeError(
            "a reading process was lost; give it more memory or try jobs=1 (in a script, the call must stand "
            "under `if __name__ == '__main__':`). What is done is kept: the same call goes on from there"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C is the parent's business; one thread each; none outlives a parent that was killed."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _progress_bar(total: int, show: bool) -> Any:
    if not show or total == 0:
        return nullcontext(lambda rows: None)
    return _Bar(total)


class _Bar:
    """A line on stderr: how many files are done, the rejected ones, the time left."""

    def __init__(self, total: int):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bad = 0
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"),
            TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self.task = self.bar.add_task("reading", total=total)

    def __enter__(self) -> Any:
        self.bar.start()
        return self.advance

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, rows: Sequence[ReportRow]) -> None:
        self.bad += sum(row.status == "rejected" for row in rows)
        text = f"reading ({self.bad} rejected)" if self.bad else "reading"
        self.bar.update(self.task, advance=len(rows), description=text)
