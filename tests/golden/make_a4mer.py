"""Writes a4mer_small.npz: a synthetic clip and what the package's weights say of it.

Run it only when weights are released anew: `python -m tests.golden.make_a4mer`. The clip is committed, so that
changes of the grammar that made it leave it as it is.
"""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import torch

from kineme.corpus.synthetic import generate
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.model import Encoding, standard_positions

FILE = Path(__file__).with_name("a4mer_small.npz")
FPS = 30.0


def outputs(found: Encoding) -> dict[str, np.ndarray]:
    """What is frozen of an encoding."""
    assert found.prototypes is not None
    return {
        "atom_frames": found.atoms.frames,
        "atom_z": found.atoms.z,
        "atom_h": found.atoms.h,
        "codes": found.codes,
        "motif_frames": found.motifs.frames,
        "motif_h": found.motifs.h,
        "prototypes": found.prototypes,
    }


def kind_of_machine() -> str:
    """What the last bit of a sum depends on: torch and the instructions that it uses here."""
    said = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    vendor = next((line.split(":")[1].strip() for line in said.splitlines() if "vendor_id" in line), "")
    return f"{torch.__version__} {torch.backends.cpu.get_cpu_capability()} {vendor} {platform.machine()}"


def main() -> None:
    """Make the clip, or keep the one there is, and write what the model says of it."""
    if FILE.is_file():
        with np.load(FILE, allow_pickle=False) as held:
            positions = held["positions"]
    else:
        positions = standard_positions(generate(11, 1, 12.0, FPS)[0].motion).astype(np.float32)
    found = A4Mer.from_pretrained("a4mer-small").encode_positions(positions, FPS)
    kind = np.array(kind_of_machine())
    np.savez_compressed(FILE, positions=positions, kind=kind, **outputs(found))


if __name__ == "__main__":
    main()
