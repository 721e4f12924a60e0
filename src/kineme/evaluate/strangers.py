"""People of another data set: takes of CMU that no table of HG-VAE trains or tests on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from kineme.corpus.bank import WindowBank
from kineme.evaluate import sources
from kineme.models.hgvae.config import HGVAEConfig
from kineme.motion.channels import Channels

ARCHIVE = "cmu/asf-amc.zip"


@lru_cache(maxsize=1)
def stranger_windows(config: HGVAEConfig, data: Path | None = None) -> np.ndarray:
    """(n, C, frames) windows, half of one overlapping the next, of the takes in CMU's train and val
    splits."""
    data = data or sources.find_data()
    names = [name for split in ("train", "val") for name in sources.read_split(data, "cmu", split)]
    trials = [name.removesuffix(".amc") for name in names if name.endswith(".amc")]
    bodies = sorted({f"asf-amc/{trial.split('_')[0]}.asf" for trial in trials})
    takes = sources.read_archive(data / ARCHIVE, [f"asf-amc/{trial}.amc" for trial in trials], bodies)
    channels = Channels(config.joints, config.root)
    bank = WindowBank.of(takes, channels, config.frames, config.fps, stride=config.frames // 2)
    return bank.only(bank.lengths == bank.frames).all().windows
