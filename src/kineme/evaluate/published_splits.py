"""The splits that papers use of data one must ask for: which files of a folder are trained and tested on.

AMASS as HisRepItself and HG-VAE split it, by data set; H3.6M by subject. Files are read by `kineme.formats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kineme.corpus.bank import WindowBank, standard_places
from kineme.errors import InputError
from kineme.formats import find_files, load_all
from kineme.models.hgvae.config import PRESETS, HGVAEConfig
from kineme.motion.channels import Channels
from kineme.motion.time import legacy_stride

#: data sets of AMASS by split, in the spelling of its folders; `_ALSO` has other spellings
AMASS = {
    "train": (
        "CMU", "MPI_Limits", "TotalCapture", "Eyes_Japan_Dataset", "KIT", "EKUT", "TCD_handMocap", "ACCAD",
    ),
    "val": ("HumanEva", "MPI_HDM05", "SFU", "MPI_mosh"),
    "test": ("BioMotionLab_NTroje",),
}  # fmt: skip
_ALSO = {
    "PosePrior": "MPI_Limits", "EyesJapanDataset": "Eyes_Japan_Dataset", "TCDHands": "TCD_handMocap",
    "HDM05": "MPI_HDM05", "MoSh": "MPI_mosh", "BMLrub": "BioMotionLab_NTroje",
    "Eyes_Japan": "Eyes_Japan_Dataset",
}  # fmt: skip
#: subjects of H3.6M by split
H36M = {"train": ("S1", "S6", "S7", "S8", "S9"), "val": ("S11",), "test": ("S5",)}


def amass_files(root: Path) -> dict[str, list[Path]]:
    """Files of AMASS by split, from the names of the folders under `root`. InputError where there is none."""
    known = {name: split for split, names in AMASS.items() for name in names}
    known |= {name: known[meant] for name, meant in _ALSO.items()}
    return _by_folder(root, known, "AMASS")


def h36m_files(root: Path) -> dict[str, list[Path]]:
    """Files of H3.6M by split, from the subjects' folders under `root`. InputError where there is none."""
    return _by_folder(root, {name: split for split, names in H36M.items() for name in names}, "H3.6M")


def _by_folder(root: Path, known: dict[str, str], name: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {split: [] for split in ("train", "val", "test")}
    for file in find_files(root):
        folders = file.relative_to(root).parts[:-1]
        splits = [known[folder] for folder in folders if folder in known]
        if splits and file.stem not in ("shape", "neutral_stagei", "male_stagei", "female_stagei"):
            found[splits[0]].append(file)
    if not any(found.values()):
        names = ", ".join(known)
        raise InputError(f"is no folder of {name}: it has none of the folders {names}", root)
    return found


def published_bank(
    files: Sequence[Path], config: HGVAEConfig = PRESETS["paper"], *, stride: int = 5, by_stride: bool = False
) -> WindowBank:
    """Windows of files at 25 frames a second, 18 joints, heading and place taken out.

    by_stride : take every n-th frame as the published code does, which reads 30 frames a second as 25;
    otherwise motion is resampled by time.
    """
    channels, clips = Channels(config.joints, config.root), []
    for file in files:
        for motion in load_all(file):
            slower = legacy_stride(motion, round(config.fps)) if by_stride else motion
            clips.append(channels.of(standard_places(slower, config.fps)))
    return WindowBank(clips, channels, config.frames, stride=stride)
