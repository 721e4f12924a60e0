"""`python -m benchmarks [NAME ...]`: run all benchmarks, or the named ones, one after another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAMES = (
    "bvh_reading",
    "formats",
    "ingest",
    "fit_rotations",
    "symbols",
    "a4mer",
    "stream",
    "forecast",
    "hgvae",
    "library",
    "search",
)


def main(names: list[str]) -> int:
    """Each in a process of its own, since some report their peak memory. Returns the worst exit code."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    worst = 0
    for name in names or NAMES:
        print(f"\n== {name}", flush=True)
        worst = max(
            worst, subprocess.run([sys.executable, Path(__file__).with_name(f"{name}.py")]).returncode
        )
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
