"""Ingest: files and megabytes a second against the bare parse of the same files, and how it grows with clips.

    python benchmarks/ingest.py [--sizes 1000 20000] [--jobs 2]

The clips are those of Bandai-Namco's second data set in ../shared/data (or $KINEME_DATA), or synthetic ones
where it is absent, linked under new names until there are as many as asked for. The bare parse is
`numpy.fromstring` over the motion blocks, already in memory, on one core. Each size is ingested into a new
corpus, in a process of its own, since peak memory never falls.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.formats import save

ARCHIVE = "bandai-namco/dataset-2.zip"
#: growth: time a clip at the largest size over that at the smallest
GOAL_GROWTH = 1.3


def source_files(folder: Path, most: int) -> list[Path]:
    """At most `most` different BVH files in `folder`."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    archive = Path(os.environ.get("KINEME_DATA", beside)) / ARCHIVE
    if archive.is_file():
        with zipfile.ZipFile(archive) as zipped:
            names = sorted(name for name in zipped.namelist() if name.endswith(".bvh"))
            names = names[:: max(1, len(names) // most)][:most]
            return [Path(zipped.extract(name, folder)) for name in names]
    for number, take in enumerate(generate(0, 20, 5.0)):
        save(take.motion, folder / f"{number}.bvh")
    return sorted(folder.iterdir())


def bare_seconds(files: list[Path]) -> float:
    """Processor seconds of the bare parse of all `files`."""
    spent = 0.0
    for path in files:
        data = path.read_bytes()
        block = data[data.index(b"\n", data.index(b"Frame Time")) :]
        start = time.process_time()
        np.fromstring(block, sep=" ")
        spent += time.process_time() - start
    return spent


def ingest(takes: Path, out: Path, jobs: int) -> tuple[float, float, float, int]:
    """Seconds by the clock, processor seconds and peak GB (children with it), and clips of one ingest."""
    start, before = time.perf_counter(), processor()
    corpus = Corpus.build(takes, out, jobs=jobs, progress=False)
    return time.perf_counter() - start, processor() - before, peak(), len(corpus)


def processor() -> float:
    """Processor seconds of this process and those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def peak() -> float:
    """GB at most in this process, or in the largest of its children."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(w).ru_maxrss for w in who) / (2**30 if sys.platform == "darwin" else 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 20000], metavar="CLIPS")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--different", type=int, default=1000, help="files that are not copies of another")
    args = parser.parse_args()
    print(f"{args.jobs} processes; seconds by the clock (and of processor)")
    print("   clips       MB      ingest             files/s     MB/s   bare parse    ratio   peak memory")
    costs: list[float] = []  # processor seconds a clip
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "files").mkdir()
        files = source_files(Path(name) / "files", args.different)
        size, bare = [file.stat().st_size for file in files], bare_seconds(files)
        for count in args.sizes:
            takes = Path(name) / f"takes-{count}"
            takes.mkdir()
            for number in range(count):
                source = files[number % len(files)]
                os.link(source, takes / f"{number:06d}_{source.name}")
            megabytes = sum(size[number % len(files)] for number in range(count)) / 1e6
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                done = pool.submit(ingest, takes, Path(name) / f"corpus-{count}", args.jobs)
                seconds, work, memory, clips = done.result()
            if clips != count:
                raise SystemExit(f"{clips} of {count} clips came through")
            parse = bare * count / len(files)
            print(
                f"{count:8,d} {megabytes:8.0f} {seconds:8.1f} s ({work:6.1f}) {count / seconds:9.1f} "
                f"{megabytes / seconds:8.2f} {parse:10.1f} s {work / parse:7.1f}x {memory:10.2f} GB",
                flush=True,
            )
            costs.append(work / count)
    growth = costs[-1] / costs[0]
    print(f"growth: a clip costs {growth:.2f} times as much at the last size (goal {GOAL_GROWTH:g})")


if __name__ == "__main__":
    main()
