"""Every real motion file: read, upright, to scale, mapped, written in every format and read back.

    python benchmarks/formats.py [--every 10] [--jobs 2]

Prints a table of file kinds and results, and each file at fault. The files are those of ../shared/data (or
$KINEME_DATA). `--every N` takes each N-th file of a kind. Ctrl-C prints what is done so far.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

#: files that a process checks at a time
_SHARE = 12
#: seconds between tables of what is done so far
_OFTEN = 60.0


def every_file() -> Any:
    """tests/every_file.py, which says what is asked of a file."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    return import_module("every_file")


def check(some: list[Any]) -> list[Any]:
    """The results of some members."""
    return list(every_file().check_members(some))


def ignore_stop() -> None:
    """Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th file of a kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("KINEME_DATA", beside))
    if not data.is_dir():
        print("there are no real motion files (../shared/data or $KINEME_DATA)")
        return 0
    checks = every_file()
    kinds: dict[str, list[Any]] = {}
    for member in checks.members(data):
        kinds.setdefault(member.kind, []).append(member)
    some = [member for of_kind in kinds.values() for member in of_kind[:: args.every]]
    if not checks.reads_text():
        print("no format reads .txt: the 78 text files are left out")
    shares = [some[start : start + _SHARE] for start in range(0, len(some), _SHARE)]
    random.Random(0).shuffle(shares)  # stopped half-way, it has seen something of every kind
    results, told = [], time.monotonic()
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn"), initializer=ignore_stop) as pool:
        try:
            for done in as_completed([pool.submit(check, share) for share in shares]):
                results += done.result()
                if time.monotonic() - told > _OFTEN:
                    print(f"{len(results)} of {len(some)} files", file=sys.stderr, flush=True)
                    told = time.monotonic()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print(f"stopped after {len(results)} of {len(some)} files")
    order = {member.name: number for number, member in enumerate(some)}
    results.sort(key=lambda result: order[result.member.name])
    print(checks.table(results))
    return 1 if any(result.faults for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
