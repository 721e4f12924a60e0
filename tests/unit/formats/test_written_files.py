"""What the writers write, read by others: upc-pymotion for BVH, numpy and the csv module for arrays."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bodies import walkabout
from kineme.formats import find_files, load, save
from kineme.formats.amass import _PELVIS
from kineme.motion import Motion
from kineme.motion.canonical import PARENTS, SMPL22


def chain(parents: np.ndarray, turns: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """World places (T, J, 3) of local rotations (T, J, 3, 3) and steps (T, J, 3), joint by joint."""
    places, world = steps.copy(), turns.copy()
    for joint in range(1, len(parents)):
        parent = parents[joint]
        world[:, joint] = world[:, parent] @ turns[:, joint]
        places[:, joint] = places[:, parent] + np.einsum("tab,tb->ta", world[:, parent], steps[:, joint])
    return places


def read_by_pymotion(path: Path) -> tuple[list[str], np.ndarray, float]:
    """Names, world places (T, J, 3) in the file's units, and seconds a frame."""
    bvh = pytest.importorskip("pymotion.io.bvh").BVH()
    bvh.load(str(path))
    turns, steps, parents, *_ = bvh.get_data()
    flat = Rotation.from_quat(turns[..., [1, 2, 3, 0]].reshape(-1, 4)).as_matrix()  # theirs are wxyz
    matrices = flat.reshape(*turns.shape[:2], 3, 3)
    return list(bvh.data["names"]), chain(parents, matrices, steps), bvh.data["frame_time"]


WRITTEN_ANEW = {"AMC": ("cmu/asf-amc.zip", "*02*"), "moves its bones": ("reactidle/reactidle.zip", "*000_g*")}


@pytest.mark.parametrize("name", WRITTEN_ANEW)
def test_bvh_of_real_takes_is_read_by_pymotion(name: str, unpacked: Callable[..., Path], tmp_path: Path):
    motion = load(find_files(unpacked(*WRITTEN_ANEW[name]))[0])
    assert isinstance(motion, Motion)
    motion = motion[:60].replace(source=None)
    save(motion, tmp_path / "a.bvh")
    names, places, seconds = read_by_pymotion(tmp_path / "a.bvh")
    assert seconds == pytest.approx(1 / motion.fps) and set(names) == set(motion.skeleton.names)
    index = [names.index(joint) for joint in motion.skeleton.names]
    np.testing.assert_allclose(places[:, index] / 100, motion.positions, atol=1e-4)


def test_a_cut_of_a_bvh_is_read_by_pymotion_as_the_stretch_of_its_source(
    unpacked: Callable[..., Path], tmp_path: Path
):
    folder = unpacked("bandai-namco/dataset-1.zip", "*walk_normal_002.bvh")
    path = next(folder.rglob("*walk_normal_002.bvh"))
    motion = load(path)
    assert isinstance(motion, Motion)
    save(motion.cut(0.2, 0.7), tmp_path / "a.bvh")
    names, places, _ = read_by_pymotion(tmp_path / "a.bvh")
    whole_names, whole, _ = read_by_pymotion(path)
    assert names == whole_names
    np.testing.assert_array_equal(places, whole[6:21])


def test_amass_is_smpl_by_its_definition(tmp_path: Path):
    """Rotation vectors in SMPL's order, +Z up, `trans` over the origin of SMPL's mean body."""
    motion = walkabout()
    save(motion, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert {name: file[name].shape for name in ("poses", "trans", "betas", "dmpls")} == {
            "poses": (12, 156), "trans": (12, 3), "betas": (16,), "dmpls": (12, 8),
        }  # fmt: skip
        assert float(file["mocap_framerate"]) == 30 and str(file["gender"]) == "neutral"
        poses, trans = file["poses"], file["trans"]
    assert not poses[:, 66:].any()
    turns = Rotation.from_rotvec(poses[:, :66].reshape(-1, 3)).as_matrix().reshape(12, 22, 3, 3)
    steps = np.tile(SMPL22.offsets.astype(float), (12, 1, 1))
    steps[:, 0] = trans + _PELVIS
    places = chain(np.array(PARENTS), turns, steps)
    upright = places[..., [0, 2, 1]] * [1, 1, -1]  # +Z up to +Y up
    np.testing.assert_allclose(upright, motion.positions, atol=1e-5)


def test_joints_are_plain_arrays_and_tables(tmp_path: Path):
    motion = walkabout()
    bare = Motion.from_positions(motion.skeleton, motion.fps, motion.positions)
    for suffix in (".npy", ".npz", ".csv"):
        save(bare, tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), motion.positions)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["positions"], motion.positions)
        assert tuple(file["names"]) == SMPL22.names and tuple(file["parents"]) == PARENTS
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        rows = [line for line in csv.reader(file) if not line[0].startswith("#")]
    assert rows[0] == ["time", *(f"{name}_{axis}" for name in SMPL22.names for axis in "xyz")]
    table = np.array(rows[1:], dtype=np.float64)
    np.testing.assert_allclose(table[:, 0], np.arange(12) / 30, atol=1e-6)
    np.testing.assert_array_equal(table[:, 1:].astype(np.float32).reshape(12, 22, 3), motion.positions)
