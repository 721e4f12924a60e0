"""What every test shares: the real files where present, one seed, one thread, a count of what was skipped."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import zipfile
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

# before numpy and torch are imported: the tests run several at a time on few cores
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

_NO_DATA = "needs KINEME_DATA or ../shared/data"

# A shell that runs the tests in the background has its children ignore Ctrl-C, which some tests send.
with contextlib.suppress(ValueError):  # not the main thread
    signal.signal(signal.SIGINT, signal.default_int_handler)

# the same examples on every run and every machine, whatever its speed
settings.register_profile("kineme", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("kineme")


def _data_dir() -> Path | None:
    """The folder of real motion files, by $KINEME_DATA or beside the checkout; None if absent."""
    given = os.environ.get("KINEME_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real motion files; the test is reported as skipped where it is absent."""
    folder = _data_dir()
    if folder is None:
        pytest.skip(_NO_DATA)
    return folder


@pytest.fixture(scope="session")
def unpacked(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`unpacked("cmu/asf-amc.zip", "*01_01*")`: the folder that holds the archive's members that match.

    Members are written once a session; without a pattern all of them are (dataset-2 takes a while: name
    the few clips that the test reads).
    """
    root = tmp_path_factory.mktemp("unpacked")

    def unpack(archive: str, *patterns: str) -> Path:
        folder = root / archive.removesuffix(".zip")
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(data_dir / archive) as zipped:
            for name in zipped.namelist():
                wanted = not patterns or any(fnmatch(name, pattern) for pattern in patterns)
                if wanted and not (folder / name).exists():
                    zipped.extract(name, folder)
        return folder

    return unpack


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """One seed for every test, so that their order does not matter."""
    random.seed(0)
    np.random.seed(0)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(_NO_DATA in str(report.longrepr) for report in skipped)
    where = _data_dir()
    if where is None:
        line = f"real motion files: absent, {count} tests skipped ({_NO_DATA})"
    else:
        line = f"real motion files: {where}, {count} tests skipped for want of them"
    terminalreporter.write_line(line, yellow=count > 0)
