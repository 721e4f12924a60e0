"""Published splits, on small files in the layouts of the data sets."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.errors import InputError
from kineme.evaluate.published_splits import amass_files, h36m_files, published_bank
from kineme.formats import save
from kineme.motion.time import resample
from small_hgvae import takes


def test_amass_is_split_by_data_set_in_either_spelling(tmp_path) -> None:
    for folder in ("CMU/01", "BMLrub/rub001", "BioMotionLab_NTroje/rub002", "SFU/0005", "Elsewhere/x"):
        save(takes()[0][:8], tmp_path / folder / "walk_poses.npz")
    np.savez(tmp_path / "CMU" / "01" / "shape.npz", betas=np.zeros(10))
    found = amass_files(tmp_path)
    folders = {split: [f.relative_to(tmp_path).parts[0] for f in files] for split, files in found.items()}
    assert folders == {"train": ["CMU"], "val": ["SFU"], "test": ["BMLrub", "BioMotionLab_NTroje"]}


def test_h36m_is_split_by_subject(tmp_path) -> None:
    for subject in ("S1", "S5", "S11"):
        save(takes()[0][:8], tmp_path / subject / "walking_1.bvh")
    found = h36m_files(tmp_path)
    assert [f.parts[-2] for f in found["test"]] == ["S5"] and len(found["train"]) == len(found["val"]) == 1
    with pytest.raises(InputError, match="no folder of AMASS"):
        amass_files(tmp_path)


def test_windows_have_the_size_of_the_paper(tmp_path) -> None:
    """54 nodes of 50 frames; 30 frames a second are resampled, or called 25 where that is asked for."""
    motion = resample(takes()[0], 30.0)
    save(motion, tmp_path / "CMU" / "walk_poses.npz")
    files = amass_files(tmp_path)["train"]
    bank, published = published_bank(files), published_bank(files, by_stride=True)
    assert bank.all().windows.shape[1:] == (54, 50)
    assert len(published.values) == len(motion) and len(bank.values) == int((len(motion) - 1) * 25 / 30) + 1
