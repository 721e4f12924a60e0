"""A few kills of every job in a process of its own; `make kill` kills each fifty times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_killed_jobs_go_on_to_the_same_result() -> None:
    """From outside, because this process may have threads that a fork would lose."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--kills", "3", "--seed", "1"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row[0]: row[1:] for row in map(str.split, done.stdout.splitlines()[1:]) if row}
    assert set(rows) == {"ingest", "training", "mining", "update", "growth"}
    assert all(int(kills) >= 3 and faults == "0" for kills, _, faults in rows.values())
