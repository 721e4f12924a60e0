"""Many unsound files through every reader: ``python -m tests.fuzz --inputs 20000``.

Workers are processes of their own, so that a crash of the interpreter is a finding, too. Exit code 1 if
there are findings; each file is kept in the folder of ``--keep``. With ``--atheris`` the inputs are led by
coverage, for as long as it is left running (needs the package of that name).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.runner import run
from fuzz.seeds import Seed, made, real
from fuzz.trial import attempt, input_of


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
