"""How long one take waits for its future and for a filled gap, against the time that it lasts.

Goal: two seconds ahead, and a gap of a second, each in less than half a second of one core, whatever the length
of the take; five samples in no more than three times that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import kineme
from kineme.corpus.synthetic import generate
from kineme.models.a4mer.heads.head import Head

TIMES = 5


def seconds(run: Callable[[], object]) -> float:
    """Of the processor: the fastest of a few runs after one that does not count."""
    run()
    spent = []
    for _ in range(TIMES):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    """Print seconds of each, and how many times faster than real time that is."""
    ahead, gap = Head.named("a4mer-small", "predictor"), Head.named("a4mer-small", "interpolator")
    print(f"{'take':>8} {'predict 2 s':>12} {'5 samples':>10} {'gap of 1 s':>11}")
    for length in (12.0, 60.0, 300.0):
        motion = generate(0, 1, length, 30.0)[0].motion
        spent = [
            seconds(lambda: kineme.predict(motion, 2.0, ahead)),  # noqa: B023
            seconds(lambda: kineme.predict(motion, 2.0, ahead, samples=5)),  # noqa: B023
            seconds(lambda: kineme.interpolate(motion, 5.0, 6.0, gap)),  # noqa: B023
        ]
        row = " ".join(f"{1000 * s:>9.0f} ms" for s in spent)
        print(f"{length:>6.0f} s {row}   {2 / spent[0]:.0f} and {1 / spent[2]:.0f} times real time")


if __name__ == "__main__":
    main()
