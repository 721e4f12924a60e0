"""Many unsound files through every reader: ``python -m tests.fuzz --inputs 20000``.

Workers are processes of their own, so that a crash of the interpreter is a finding, too. Exit code 1 if
there are findings; each file is kept in the folder of ``--keep``. With ``--atheris`` the inputs are led by
coverage, for as long as it is left running (needs the package of that name).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.seeds import Seed, made, real
from fuzz.trial import attempt, input_of, limit_memory, warm_up

_BATCH = 250
#: seconds of wall clock after which a batch is given up: its worker does not answer
_PATIENCE = 900


def _work(first: int, last: int, seeds: list[Seed], seed: int, done, queue) -> None:
    warm_up(seeds)
    limit_memory()
    for number in range(first, last):
        done.value = number
        queue.put((number, attempt(*input_of(number, seeds, seed), number)))


def run(inputs: int, seeds: list[Seed], seed: int) -> tuple[Counter[tuple[str, str]], dict[int, str]]:
    """Counts by (seed file, outcome), and what went wrong by input number."""
    context = multiprocessing.get_context("spawn")
    counts: Counter[tuple[str, str]] = Counter()
    faults: dict[int, str] = {}
    first = 0
    while first < inputs:
        last = min(first + _BATCH, inputs)
        done, queue = context.Value("q", first), context.SimpleQueue()
        worker = context.Process(target=_work, args=(first, last, seeds, seed, done, queue))
        worker.start()
        end = time.monotonic() + _PATIENCE
        while worker.is_alive() and time.monotonic() < end or not queue.empty():
            if queue.empty():
                worker.join(0.05)
                continue
            number, outcome = queue.get()
            counts[seeds[number % len(seeds)].name, outcome.split("\n")[0].split(":")[0]] += 1
            if outcome not in ("read", "refused"):
                faults[number] = outcome
        died = worker.is_alive() or worker.exitcode != 0
        worker.kill()
        worker.join()
        if died:
            faults[int(done.value)] = f"the process ended ({worker.exitcode})"
            counts[seeds[int(done.value) % len(seeds)].name, "died"] += 1
        first = int(done.value) + 1 if died else last
    return counts, faults


def _seeds() -> list[Seed]:
    import os

    data = Path(os.environ.get("KINEME_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    return [*made(), *(real(data) if data.is_dir() else ())]


def _atheris(seeds: list[Seed]) -> None:
    import atheris

    with atheris.instrument_imports(include=["kineme"]):
        import kineme.corpus.labels
        import kineme.formats  # noqa: F401

    def one(data: bytes) -> None:
        outcome = attempt(seeds[data[0] % len(seeds)], data[1:]) if data else "refused"
        if outcome not in ("read", "refused"):
            raise RuntimeError(outcome)

    atheris.Setup([sys.argv[0]], one)
    atheris.Fuzz()


def main() -> int:
    """Reads the options, runs, prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that went wrong")
    parser.add_argument("--atheris", action="store_true")
    args = parser.parse_args()
    seeds = _seeds()
    if args.atheris:
        _atheris(seeds)
    counts, faults = run(args.inputs, seeds, args.seed)
    outcomes = sorted({outcome for _, outcome in counts})
    print(f"{'file':28}" + "".join(f"{outcome[:10]:>11}" for outcome in outcomes))
    for name in dict.fromkeys(seed.name for seed in seeds):
        print(f"{name:28}" + "".join(f"{counts[name, outcome]:>11}" for outcome in outcomes))
    print(f"{sum(counts.values())} inputs, {len(faults)} faults")
    for number, outcome in sorted(faults.items())[:20]:
        print(f"\ninput {number}: {outcome}")
    for number in faults if args.keep else ():
        chosen, data = input_of(number, seeds, args.seed)
        args.keep.mkdir(parents=True, exist_ok=True)
        (args.keep / f"{number}-{Path(chosen.name).name}").write_bytes(data)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
