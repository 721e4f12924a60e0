"""AMASS files: both layouts, their Z-up world, and what they cannot say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kineme.errors import InputError
from kineme.formats import load, save
from kineme.motion import SMPL22, Motion
from kineme.motion.retarget import to_standard_body

RNG = np.random.default_rng(3)
POSES = 0.3 * RNG.normal(size=(9, 156))
POSES[:, :3] = Rotation.from_euler("xz", [90, 40], degrees=True).as_rotvec()  # stands in a Z-up world
TRANS = np.array([0.5, -2.0, 0.9]) + 0.01 * RNG.normal(size=(9, 3))
SMPLH = {
    "poses": POSES,
    "trans": TRANS,
    "mocap_framerate": np.array(120.0),
    "betas": np.zeros(16),
    "gender": "male",
}
SMPLX = {
    "root_orient": POSES[:, :3], "pose_body": POSES[:, 3:66], "pose_hand": POSES[:, 66:], "trans": TRANS,
    "mocap_frame_rate": 120.0, "surface_model_type": "smplx", "betas": np.zeros(16),
}  # fmt: skip


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


def stored(folder: Path, arrays: dict, name: str = "a_poses.npz") -> Path:
    np.savez(folder / name, **arrays)
    return folder / name


@pytest.mark.parametrize(
    "arrays", [SMPLH, SMPLX, {**SMPLH, "poses": POSES[:, :72]}], ids=["smplh", "smplx", "smpl"]
)
def test_rotations_places_and_rate(tmp_path: Path, arrays: dict):
    motion = one(stored(tmp_path, arrays))
    assert motion.skeleton is SMPL22 and motion.fps == 120 and motion.provenance.up_axis == "+Z"
    local = Rotation.from_rotvec(POSES[:, 3:66].reshape(-1, 3)).as_matrix().reshape(9, 21, 3, 3)
    np.testing.assert_allclose(motion.local_rotations[:, 1:], local, atol=1e-6)
    np.testing.assert_allclose(motion.local_rotations[:, 0, 1, 1], 1, atol=1e-6)  # upright after the turn
    # trans moves the model's origin, 22 cm off the pelvis along the body's up, which lies along Y in the file
    np.testing.assert_allclose(motion.root_translation[:, 1], TRANS[:, 2] + 0.028, atol=1e-6)
    assert any("licensed" in note for note in motion.provenance.notes)


def test_round_trip(tmp_path: Path):
    motion = one(stored(tmp_path, SMPLH))
    save(motion, tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz", allow_pickle=False) as file:
        assert file["poses"].shape == (9, 156) and float(file["mocap_framerate"]) == 120
        np.testing.assert_allclose(file["trans"], TRANS, atol=1e-6)
        np.testing.assert_allclose(file["poses"][:, :66], POSES[:, :66], atol=1e-5)
    again = one(tmp_path / "b.npz")
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-5)


def test_a_body_of_another_size_is_written_as_the_mean_body(tmp_path: Path):
    tall = one(stored(tmp_path, SMPLH)).replace(skeleton=SMPL22.scaled(1.2))
    save(tall, tmp_path / "b.npz")
    np.testing.assert_allclose(one(tmp_path / "b.npz").positions, to_standard_body(tall).positions, atol=1e-5)


BAD = {
    "no trans": ({"poses": POSES, "mocap_framerate": 60.0}, "trans"),
    "trans of another length": ({**SMPLH, "trans": TRANS[:4]}, "trans"),
    "no rate": ({"poses": POSES, "trans": TRANS}, "--source-fps"),
    "rate of zero": ({**SMPLH, "mocap_framerate": 0.0}, "--source-fps"),
    "flat poses": ({**SMPLH, "poses": POSES[:, :60]}, "shape"),
    "poses of text": ({**SMPLH, "poses": np.array([["a"] * 156])}, "shape"),
    "no frames": ({**SMPLH, "poses": POSES[:0], "trans": TRANS[:0]}, "no frames"),
    "nan": ({**SMPLH, "poses": np.where(np.arange(9)[:, None] == 4, np.nan, POSES)}, "frame 5"),
    "1e30": ({**SMPLH, "trans": np.where(np.arange(9)[:, None] == 2, 1e30, TRANS)}, "frame 3"),
    "body without root": (
        {"pose_body": POSES[:, 3:66], "root_orient": POSES[:4, :3], "trans": TRANS},
        "do not fit",
    ),
    "no motion": ({"betas": np.zeros(16), "gender": "male"}, "neither"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_sentence(tmp_path: Path, name: str):
    arrays, words = BAD[name]
    path = stored(tmp_path, arrays)
    with pytest.raises(InputError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_repair_and_a_given_rate(tmp_path: Path):
    motion = one(stored(tmp_path, BAD["nan"][0]), repair=True)
    assert len(motion) == 9
    np.testing.assert_array_equal(motion.local_rotations[4], motion.local_rotations[3])
    assert one(stored(tmp_path, BAD["no rate"][0]), fps=50).fps == 50


def test_pickles_and_broken_archives_are_refused(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    path = tmp_path / "a.npz"
    np.savez(path, poses=np.array([Trap()], dtype=object), trans=TRANS)
    with pytest.raises(InputError, match="cannot be read"):
        load(path)
    assert not (tmp_path / "sprung").exists()
    whole = stored(tmp_path, SMPLH).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        load(path)


def test_only_the_canonical_body_with_rotations_can_be_written(tmp_path: Path):
    motion = one(stored(tmp_path, SMPLH))
    other = motion.replace(skeleton=replace(SMPL22, names=("hips", *SMPL22.names[1:])))
    with pytest.raises(InputError, match="retarget"):
        save(other, tmp_path / "b.npz")
    assert not (tmp_path / "b.npz").exists()
