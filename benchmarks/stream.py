"""A stream of motion on one core: how much faster than real time, and how late atoms are heard.

The motion comes on a rig that has to be retargeted (the canonical joints under other names). Goals: at least
100 times real time, a tenth of a second at a time; an atom at most 0.5 s after its end. `close` reads it all
once more, and is timed beside it.
"""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from kineme.corpus.synthetic import generate
from kineme.models.a4mer import A4Mer
from kineme.motion import Motion
from kineme.motion.time import resample
from kineme.tasks.stream import Stream

SECONDS, RATES = 120.0, (30.0, 120.0)


def played(model: A4Mer, take: Motion, chunk: int) -> tuple[float, float, int, float]:
    """Seconds that pushing took, the latest atom (s), how many atoms, and seconds that closing took."""
    stream, late, atoms = Stream(model), 0.0, 0
    pieces = [take[at : at + chunk] for at in range(0, len(take), chunk)]  # the cameras' work, not ours
    start = time.process_time()
    for piece in pieces:
        for atom in stream.push(piece):
            late, atoms = max(late, stream.seconds - atom.end), atoms + 1
    spent = time.process_time() - start
    start = time.process_time()
    stream.close()
    return spent, late, atoms, time.process_time() - start


def main() -> None:
    """Print the figures; the best of three runs, since others may use the machine."""
    torch.set_num_threads(1)
    model = A4Mer.from_pretrained("a4mer-small")
    made = generate(1, 1, SECONDS)[0].motion
    names = tuple({"pelvis": "Hips", "spine1": "Spine"}.get(name, name) for name in made.skeleton.names)
    made = made.replace(skeleton=replace(made.skeleton, names=names))
    takes = {f"{fps:g} fps": resample(made, fps) for fps in RATES}
    for name, take in takes.items():
        played(model, take[: round(4 * take.fps)], 10)
        for chunk, said in ((round(take.fps / 10), "0.1 s at a time"), (1, "frame by frame")):
            runs = [played(model, take, chunk) for _ in range(3)]
            spent, late, atoms, closing = min(runs)
            print(
                f"{name}, {said}: {take.duration / spent:.0f} times real time (goal 100), {atoms} atoms, "
                f"the latest {late:.2f} s after its end (goal 0.5); close {closing:.2f} s"
            )


if __name__ == "__main__":
    main()
