"""Kills every job many times and prints the table: ``python -m tests.faults --kills 50``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: forks and bit-equal weights
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults.jobs import jobs
from faults.killing import kill_often


def main() -> int:
    """The number of kills and faults of each job; exit code 1 if there are faults."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--job", help="one of the jobs only")
    args = parser.parse_args()
    faults: list[str] = []
    print(f"{'job':10}{'kills':>8}{'runs':>8}{'faults':>8}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kineme-kill-") as name:
        for job in jobs(Path(name)):
            if args.job in (None, job.name):
                outcome = kill_often(job, args.kills, Path(name, "work", job.name), args.seed)
                faults += outcome.faults or []
                found = len(outcome.faults or [])
                print(f"{job.name:10}{outcome.kills:>8}{outcome.runs:>8}{found:>8}", flush=True)
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    import kineme.cli.index
    import kineme.cli.ingest
    import kineme.cli.train_a4mer
    import kineme.models.a4mer
    import kineme.report.contents
    import kineme.train.a4mer  # noqa: F401  # before the forks, which then need not

    sys.exit(main())
