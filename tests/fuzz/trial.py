"""One unsound file given to its reader: a motion or one `InputError`, in two seconds and a gigabyte."""

from __future__ import annotations

import random
import resource
import signal
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fuzz.mutate import mutated
from fuzz.seeds import Seed

#: seconds of processor time, bytes
SECONDS, MEMORY = 2.0, 2**30


class Hang(BaseException):
    """A reader took too long."""


@contextmanager
def _time_limit():
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def limit_memory() -> None:
    """From now on this process gets a gigabyte more than it has, for good."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def warm_up(seeds: Sequence[Seed]) -> None:
    """Reads sound files without limits: what is imported on the way is not what is measured."""
    for seed in {(Path(seed.name).suffix, seed.how): seed for seed in seeds}.values():
        with tempfile.TemporaryDirectory(prefix="kineme-fuzz-") as name:
            _put(seed, seed.data, Path(name))
            _read(seed, Path(name), 0)


def _put(seed: Seed, data: bytes, folder: Path) -> None:
    for where, content in {**seed.beside, seed.name: data}.items():
        path = folder / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def input_of(number: int, seeds: Sequence[Seed], seed: int) -> tuple[Seed, bytes]:
    """The file of a number: the same on every run and every machine."""
    rng = random.Random(f"{seed}/{number}")
    chosen = seeds[number % len(seeds)]
    return chosen, mutated(chosen.data, rng)


def attempt(seed: Seed, data: bytes, number: int = 0) -> str:
    """``read``, ``refused``, or what went wrong: ``hang``, ``memory``, or a traceback."""
    from kineme.errors import KinemeError

    with tempfile.TemporaryDirectory(prefix="kineme-fuzz-") as name:
        _put(seed, data, Path(name))
        try:
            with _time_limit(), np.errstate(all="ignore"):
                _read(seed, Path(name), number)
            return "read"
        except KinemeError as error:
            if "does not fit into memory" in str(error):
                return "memory"
            said = str(error)
            return (
                "refused" if said.isprintable() and len(said) < 2000 else f"an unfit sentence: {said[:300]!r}"
            )
        except Hang:
            return "hang\n" + traceback.format_exc()
        except MemoryError:
            return "memory\n" + traceback.format_exc()
        except Exception:
            return "crash\n" + traceback.format_exc()


def _read(seed: Seed, folder: Path, number: int) -> None:
    from kineme.body.smpl_file import read_smpl
    from kineme.corpus.labels import read_labels
    from kineme.formats import ReadOptions, find_files, load_all

    path = folder / seed.name
    if seed.how == "labels":
        for note in read_labels(path):
            note.of("take.bvh", 30.0, 5.0)
    elif seed.how == "smpl":
        read_smpl(path)
    elif seed.how == "asf":
        load_all(folder / next(iter(seed.beside)), ReadOptions(skeleton_file=path))
    elif seed.how == "map":
        load_all(folder / next(iter(seed.beside)), ReadOptions(map=path))
    else:
        find_files(folder)
        bare = path.suffix == ".npy" and path.parent == folder
        options = ReadOptions(
            repair=number % 3 == 0, skeleton="smpl22" if bare else None, fps=30 if bare else None
        )
        for motion in load_all(path, options):
            assert np.isfinite(motion.positions).all(), "positions that are no numbers"
