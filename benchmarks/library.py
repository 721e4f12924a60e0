"""`kineme index` as a whole: clips a second, peak memory, growth, what adding ten files costs, and a search.

    python benchmarks/library.py [--sizes 1000 10000] [--model MODEL] [--jobs 2]

The clips are those of `ingest.py`, linked under new names until there are as many as asked for (the same
motion many times: for speed only). Each size is a command of its own, as a user runs it: files, atoms,
motifs, search index and page. Ten files that are like none of them are then added; "again" is the same command once
more, with nothing new. Growth is the time a clip at the largest size over that at the smallest: 1 is linear.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ingest import source_files
from kineme.formats import load
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.motion import Motion

GOAL_GROWTH = 1.3
QUERIES, ADDED = 20, 10


def random_model(files: list[Path], out: Path) -> Path:
    """A model of the preset small with random weights and a vocabulary: as fast as a trained one."""
    from kineme.models.a4mer.model import standard_positions

    model = A4Mer.random(A4MerConfig())
    motions = [load(file) for file in files[:40]]
    levels = [model.encode_atoms(standard_positions(m), m.fps) for m in motions if isinstance(m, Motion)]
    model.with_vocabulary(levels, 0).save(out)
    return out


def index(takes: Path, library: Path, model: str, jobs: int) -> tuple[float, float]:
    """Seconds by the clock, and GB at most of the command `kineme index` and its children."""
    code = (
        "import sys; from resource import *; from kineme.cli.main import main; done = main(sys.argv[1:]); "
        "most = max(getrusage(who).ru_maxrss for who in (RUSAGE_SELF, RUSAGE_CHILDREN)); "
        "print('peak', most, file=sys.stderr); sys.exit(done)"
    )
    words = ["index", str(takes), "-o", str(library), "--model", model, "--jobs", str(jobs)]
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    peak = int(done.stderr.rsplit("peak", 1)[1])
    return seconds, peak / (2**30 if sys.platform == "darwin" else 2**20)


def search_milliseconds(library: Path, files: list[Path]) -> tuple[float, float]:
    """Median and 95th percentile of searches for a stretch of a take, one at a time, the library opened."""
    from kineme.tasks.library import open_library
    from kineme.tasks.search import search

    opened, took = open_library(library), []
    for file in files[: QUERIES + 1]:
        motion = load(file)
        assert isinstance(motion, Motion)
        start = time.perf_counter()
        search(opened, motion, 0.0, min(1.4, motion.duration))
        took.append(1000 * (time.perf_counter() - start))
    took = took[1:]  # the first one reads the index
    return statistics.median(took), sorted(took)[int(0.95 * len(took))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--model", default="", help="by default one of random weights")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kineme-bench-") as folder:
        work = Path(folder)
        files = source_files(work / "sources", 500 + ADDED)
        files, fresh = files[:-ADDED] or files, files[-ADDED:]
        model = asked.model or str(random_model(files, work / "model"))
        a_clip = []
        print("  clips  seconds  clips/s  peak GB  +10 files  again  search ms    p95")
        for size in asked.sizes:
            takes = work / f"takes-{size}"
            takes.mkdir()
            for number in range(size):
                source = files[number % len(files)]
                os.link(source, takes / f"{number:06d}-{source.name}")
            seconds, peak = index(takes, work / f"library-{size}", model, asked.jobs)
            for number, source in enumerate(fresh):
                os.link(source, takes / f"new-{number}-{source.name}")
            more, _ = index(takes, work / f"library-{size}", model, asked.jobs)
            again, _ = index(takes, work / f"library-{size}", model, asked.jobs)
            median, late = search_milliseconds(work / f"library-{size}", files)
            a_clip.append(seconds / size)
            print(
                f"{size:7d} {seconds:8.1f} {size / seconds:8.1f} {peak:8.2f} {more:10.1f} {again:6.1f} "
                f"{median:10.0f} {late:6.0f}",
                flush=True,
            )
        growth = a_clip[-1] / a_clip[0]
        print(f"a clip costs {growth:.2f} times as much at the largest size (goal: at most {GOAL_GROWTH})")


if __name__ == "__main__":
    main()
