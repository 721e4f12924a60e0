"""Batches of unsound files, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from typing import Any

from fuzz.seeds import Seed
from fuzz.trial import attempt, input_of, limit_memory, warm_up

_BATCH = 250
#: seconds of wall clock after which a batch is given up: its worker does not answer
_PATIENCE = 900


def _work(first: int, last: int, seeds: list[Seed], seed: int, done: Any, queue: Any) -> None:
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
