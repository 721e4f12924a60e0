"""A4Mer's training step against the machine's matrix products, and encoding an hour of motion.

Each figure is a ratio to something measured in the same run. Goals: a step spends at least 35 % of the time
that its operations would take as one large matrix product; an hour of motion is cut, encoded and
coded by `small` within 3 s on two cores.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from kineme.corpus.synthetic import generate
from kineme.models.a4mer import PRESETS, A4Mer
from kineme.models.a4mer.batch import TakeBank, draw_windows, stage_one_batch
from kineme.models.a4mer.learner import A4MerLearner
from kineme.models.a4mer.model import standard_positions

STEPS, TAKES = 10, 20


def median_seconds(run, times: int) -> float:
    """Median duration of `times` runs after one that does not count."""
    run()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def peak_flops() -> float:
    """Floating-point operations a second of a large float32 matrix product."""
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    return 2 * 1536**3 / median_seconds(lambda: a @ b, 5)


def step_flops(learner: A4MerLearner, batch) -> float:
    """Operations of the matrix products of one step, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        learner.atom_loss(batch).total.backward()
    return float(counter.get_total_flops())


def main() -> None:
    """Print both figures."""
    bank = TakeBank([standard_positions(take.motion) for take in generate(0, TAKES, 60.0)], 30.0)
    for preset in ("tiny", "small"):
        config = PRESETS[preset]
        learner = A4MerLearner(config)
        learner.fit_normalisation(bank, 0)
        rng = np.random.default_rng(0)
        batch = stage_one_batch(draw_windows(bank, config, rng, config.batch_size), config, rng)
        optimiser = torch.optim.AdamW([p for p in learner.parameters() if p.requires_grad])

        def step(learner=learner, batch=batch, optimiser=optimiser) -> None:
            optimiser.zero_grad()
            learner.atom_loss(batch).total.backward()
            optimiser.step()
            learner.update_average(0.5)

        seconds, peak, work = median_seconds(step, STEPS), peak_flops(), step_flops(learner, batch)
        drawing = median_seconds(
            lambda config=config, rng=rng: stage_one_batch(
                draw_windows(bank, config, rng, config.batch_size), config, rng
            ),
            STEPS,
        )
        print(
            f"training step, {preset}: {seconds * 1e3:.0f} ms for {work / 1e9:.1f} GFLOP of matrix products, "
            f"{work / peak / seconds:.0%} of this machine's {peak / 1e9:.0f} GFLOP/s "
            f"(goal 35%); drawing its batch {drawing * 1e3:.0f} ms"
        )
    takes = np.split(bank.positions, bank.offsets[1:-1])
    model = A4Mer.random(PRESETS["small"])
    model = model.with_vocabulary([model.encode_atoms(take, bank.fps) for take in takes])

    def hour() -> None:
        for _ in range(60 // TAKES):
            for take in takes:
                model.encode_positions(take, bank.fps)

    print(
        f"encoding an hour of motion in takes of a minute, small: {median_seconds(hour, 3):.1f} s (goal 3 s)"
    )


if __name__ == "__main__":
    main()
