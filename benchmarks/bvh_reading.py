"""BVH reading: time against a bare parse of the same numbers, and against upc-pymotion where it is installed.

    python benchmarks/bvh_reading.py [FILE.bvh ...]

Without files it takes three of ../shared/data (or $KINEME_DATA), or writes a synthetic take where that is
absent. The bare parse is `numpy.fromstring` over the motion block, already in memory. All three are timed in
turns, in seconds of the processor, and the fastest of the rounds counts: other load on the machine matters
little.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.formats import load, save
from kineme.motion import SMPL22, Motion
from kineme.motion.rotations import axis_angle_to_matrix

GOAL_BARE, GOAL_PYMOTION = 3.0, 3.0
_MEMBERS = (
    ("bandai-namco/dataset-1.zip", "dataset-1/dataset-1_dance-short_normal_001.bvh"),
    ("cmu/bvh-cgspeed.zip", "bvh-cgspeed/01_01.bvh"),
    ("cmu/bvh-retargeted.zip", "bvh-retargeted/001_01.bvh"),
)


def example_files(folder: Path) -> list[Path]:
    """Three real files of 22, 31 and 100 joints, unpacked into `folder`; else one synthetic file."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("KINEME_DATA", beside))
    if data.is_dir():
        for archive, member in _MEMBERS:
            zipfile.ZipFile(data / archive).extract(member, folder)
        return [folder / member for _, member in _MEMBERS]
    rng = np.random.default_rng(0)
    turns = 0.02 * rng.normal(size=(2000, len(SMPL22), 3)).cumsum(axis=0)
    places = np.tile([0.0, 0.95, 0.0], (2000, 1)) + 0.001 * rng.normal(size=(2000, 3)).cumsum(axis=0)
    save(Motion(SMPL22, 30.0, places, axis_angle_to_matrix(turns)), folder / "synthetic.bvh")
    return [folder / "synthetic.bvh"]


def pymotion_reader() -> Callable[[Path], object] | None:
    """A function that reads a BVH with upc-pymotion, as its users do; None where it is not installed."""
    try:
        from pymotion.io.bvh import BVH  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None

    def read(path: Path) -> object:
        bvh = BVH()
        bvh.load(str(path))
        return bvh.get_data()

    return read


def motion_block(path: Path) -> bytes:
    """The bytes after the frame time."""
    data = path.read_bytes()
    return data[data.index(b"\n", data.index(b"Frame Time")) :]


def fastest(readers: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Processor seconds of the fastest call of each reader, called in turns."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(rounds):
        for name, read in readers.items():
            start = time.process_time()
            read()
            best[name] = min(best[name], time.process_time() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.bvh")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    other = pymotion_reader()
    with tempfile.TemporaryDirectory() as folder:
        titles = ("numbers", "bare", "kineme", "ratio", "pymotion", "faster")
        print(f"{'file':36} " + " ".join(f"{title:>9}" for title in titles))
        for path in args.files or example_files(Path(folder)):
            block = motion_block(path)
            readers: dict[str, Callable[[], object]] = {
                "bare": lambda block=block: np.fromstring(block, sep=" "),
                "kineme": lambda path=path: load(path),
            }
            if other is not None:
                readers["pymotion"] = lambda path=path, read=other: read(path)
            best = fastest(readers, args.rounds)
            line = f"{path.name:36} {np.fromstring(block, sep=' ').size:9d} {best['bare'] * 1e3:6.1f} ms"
            line += f" {best['kineme'] * 1e3:6.1f} ms {best['kineme'] / best['bare']:8.2f}x"
            if other is not None:
                line += f" {best['pymotion'] * 1e3:6.1f} ms {best['pymotion'] / best['kineme']:8.2f}x"
            print(line)
    print(
        f"goals: at most {GOAL_BARE:g}x the bare parse, at least {GOAL_PYMOTION:g}x faster than upc-pymotion"
    )
    if other is None:
        print("upc-pymotion is not installed: pip install upc-pymotion==0.3.4 for the second comparison")


if __name__ == "__main__":
    main()
