"""Files of bare joints: nothing is guessed from their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kineme.errors import InputError, UsageError
from kineme.formats import load, load_all, save
from kineme.formats.named import known_skeleton, skeleton_by_names
from kineme.formats.options import MAX_TEXT_BYTES
from kineme.motion import SMPL22, Motion, Skeleton


def moving(frames: int = 20, seed: int = 0) -> Motion:
    """A canonical body, its arms down, that walks along x."""
    rng = np.random.default_rng(seed)
    turns = (
        Rotation.from_rotvec(0.1 * rng.normal(size=(frames * 22, 3))).as_matrix().reshape(frames, 22, 3, 3)
    )
    places = np.array([0, 0.93, 0]) + np.linspace(0, 1, frames)[:, None] * [1, 0, 0]
    return Motion(SMPL22, 30.0, places, turns)


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


def bare(motion: Motion) -> Motion:
    return Motion.from_positions(motion.skeleton, motion.fps, motion.positions)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".npy"])
def test_round_trip(tmp_path: Path, suffix: str):
    motion = bare(moving())
    path = tmp_path / f"a{suffix}"
    save(motion, path)
    again = one(path, **({"skeleton": "smpl22", "fps": 30} if suffix == ".npy" else {}))
    assert again.positions_only and again.fps == 30 and again.skeleton.same_tree(SMPL22)
    np.testing.assert_array_equal(again.positions, motion.positions)
    assert again.provenance.guessed == ({"up": "+Y", "unit": "m"} if suffix == ".npy" else {})


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_a_body_that_lies_is_not_stood_up(tmp_path: Path, suffix: str):
    """Our own files say where up is; of others it is guessed from the way from feet to head."""
    motion = moving()
    lying = motion.positions @ Rotation.from_euler("x", -90, degrees=True).as_matrix().T
    lying = Motion.from_positions(motion.skeleton, motion.fps, lying.astype(np.float32))
    save(lying, tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(one(tmp_path / f"a{suffix}").positions, lying.positions)


def test_rest_pose_has_the_median_bone_lengths_and_faces_forward(tmp_path: Path):
    motion = moving()
    turned = motion.positions @ Rotation.from_euler("y", 70, degrees=True).as_matrix().T.astype(np.float32)
    np.save(tmp_path / "a.npy", turned)
    skeleton = one(tmp_path / "a.npy", skeleton="smpl22", fps=30).skeleton
    lengths = np.linalg.norm(skeleton.offsets[1:], axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(SMPL22.offsets[1:], axis=-1), atol=1e-4)
    rest = skeleton.rest_positions
    across = rest[SMPL22.index("left_hip")] - rest[SMPL22.index("right_hip")]
    assert across[0] > 0.9 * np.linalg.norm(across) and rest[:, 1].min() == pytest.approx(0, abs=1e-6)


def test_units_and_up_axis_are_found_and_can_be_told(tmp_path: Path):
    motion = moving()
    back = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # Y-up to Z-up
    np.save(tmp_path / "a.npy", 1000 * motion.positions @ back.T)
    again = one(tmp_path / "a.npy", skeleton="smpl22", fps=30)
    assert again.provenance.guessed == {"up": "+Z", "unit": "mm"}
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-5)
    told = one(tmp_path / "a.npy", skeleton="smpl22", fps=30, up="+Z", unit=0.001)
    assert told.provenance.guessed == {}


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_a_root_that_stays_on_the_floor_does_not_make_a_giant(tmp_path: Path, suffix: str):
    """A body that walks five metres away from its root: the way to the root is no bone."""
    motion = moving(frames=60)
    way = np.linspace(0, 5, 60)[:, None, None] * np.float32([1, 0, 0])
    places = np.concatenate([np.zeros((60, 1, 3), np.float32), motion.positions + way], axis=1)
    names, parents = ("joint_Root", *SMPL22.names), (-1, *(parent + 1 for parent in SMPL22.parents))
    skeleton = Skeleton(names, parents, np.concatenate([np.zeros((1, 3)), SMPL22.offsets]))
    path = tmp_path / f"a{suffix}"
    save(Motion.from_positions(skeleton, 30.0, places.astype(np.float32)), path)
    if suffix == ".csv":  # as others write it: without a word on unit and axes
        path.write_text(path.read_text().replace("kineme joints: metres, +Y up", "joints"))
    else:
        np.savez(path, **{name: array for name, array in np.load(path).items() if name != "frame"})
    again = one(path)
    assert again.provenance.guessed == {"up": "+Y", "unit": "m"}
    np.testing.assert_allclose(again.positions, places, atol=1e-5)
    assert 1.4 < again.skeleton.rest_height < 1.9


def test_several_motions_in_one_file(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.stack([moving(seed=1).positions, moving(seed=2).positions]))
    motions = load(tmp_path / "a.npy", skeleton="smpl22", fps=20)
    assert isinstance(motions, list) and len(motions) == 2


def test_csv_of_others(tmp_path: Path):
    """Columns in any order and spelling, a time column for the rate, CR LF."""
    motion = moving(frames=5)
    columns = {"Time": np.arange(5) / 50, "note": np.zeros(5)}
    for joint, name in enumerate(SMPL22.names):
        for axis, letter in enumerate("ZYX"):
            columns[f"{name}.{letter}"] = motion.positions[:, joint, 2 - axis]
    rows = [",".join(columns)] + [",".join(str(v[t]) for v in columns.values()) for t in range(5)]
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(rows).encode() + b"\r\n")
    again = one(path)
    assert again.fps == pytest.approx(50) and again.skeleton.names == SMPL22.names
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-6)


def test_what_is_not_said_must_be_given(tmp_path: Path):
    np.save(tmp_path / "a.npy", moving().positions)
    with pytest.raises(InputError, match="--source-fps"):
        load(tmp_path / "a.npy", skeleton="smpl22")
    with pytest.raises(InputError, match="--source-skeleton.*smpl22.*h36m17"):
        load(tmp_path / "a.npy", fps=20)
    with pytest.raises(InputError, match="17 joints and the file 22"):
        load(tmp_path / "a.npy", fps=20, skeleton="h36m17")
    with pytest.raises(UsageError, match="no skeleton is called"):
        load(tmp_path / "a.npy", fps=20, skeleton="nobody")


@pytest.mark.parametrize("name", ["smpl22", "smpl24", "smplh52", "h36m17"])
def test_named_skeletons_are_trees_that_are_known_by_their_names(name: str):
    names, parents = known_skeleton(name)
    assert len(set(names)) == len(names) == len(parents) == int(name[-2:])
    assert parents[0] == -1 and all(0 <= parent < joint for joint, parent in enumerate(parents) if joint)
    assert skeleton_by_names(names) == (name, parents)
    sides = [n.replace("left", "right") for n in names if n.startswith("left")]
    assert all(side in names for side in sides)
    for joint, parent in enumerate(parents):
        if parent > 0 and names[parent].startswith("left"):
            assert names[joint].startswith("left")


def lines(*rows: str) -> str:
    return "\n".join(["a_x,a_y,a_z,b_x,b_y,b_z", *rows]) + "\n"


BAD_CSV = {
    "no columns of joints": ("name,age\nA,1\n", 1, "no columns"),
    "no rows": ("a_x,a_y,a_z", 1, "no rows"),
    "a word": (lines("1,2,3,4,5,6", "1,2,x,4,5,6"), 3, "not a number"),
    "cells missing": (lines("1,2,3,4,5,6", "1,2,3"), 3, "3 cells"),
    "no skeleton": (lines("1,2,3,4,5,6"), None, "--source-skeleton"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv(tmp_path: Path, name: str):
    content, line, words = BAD_CSV[name]
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        load(path, fps=30)
    assert str(path) in str(caught.value) and caught.value.line == line


def test_missing_cells_are_refused_or_held(tmp_path: Path):
    save(bare(moving()), tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text().split("\n")
    cells = text[5].split(",")
    cells[7] = ""
    text[5] = ",".join(cells)
    (tmp_path / "b.csv").write_text("\n".join(text))
    with pytest.raises(InputError, match="the first is frame 4"):
        load(tmp_path / "b.csv")
    again = one(tmp_path / "b.csv", repair=True)
    np.testing.assert_array_equal(again.positions[3], again.positions[2])


BAD_NPY = {
    "two dimensions": (np.zeros((4, 66)), "shape"),
    "no frames": (np.zeros((0, 22, 3)), "not usable"),
    "complex": (np.zeros((4, 22, 3), dtype=complex), "shape"),
    "nan": (np.full((4, 22, 3), np.nan), "4 of 4 frames"),
    "too many joints": (np.zeros((1, 2000, 3)), "not usable"),
}


@pytest.mark.parametrize("name", BAD_NPY)
def test_bad_npy(tmp_path: Path, name: str):
    array, words = BAD_NPY[name]
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=words):
        load(tmp_path / "a.npy", skeleton="smpl22", fps=30)


def test_pickles_and_broken_trees_are_refused(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(InputError):
        load(tmp_path / "a.npy", skeleton="smpl22", fps=30)
    places = moving().positions[:, :3]
    np.savez(tmp_path / "a.npz", positions=places, names=["a", "b", "c"], parents=[-1, 2, 1], fps=30)
    with pytest.raises(InputError, match="no tree"):
        load_all(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", positions=places, names=["a", "b"], parents=[-1, 0], fps=30)
    with pytest.raises(InputError, match="names 2 joints"):
        load_all(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", positions=places, names=["a", "b", "c"], parents=["x", "y", "z"], fps=30)
    with pytest.raises(InputError, match="cannot be used"):
        load_all(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ["a.csv", "a.amc"])
def test_text_beyond_the_limit_is_refused_unread(tmp_path: Path, name: str):
    start = {"a.csv": b"a_x,a_y,a_z\n", "a.amc": b":FULLY-SPECIFIED\n"}[name]
    (tmp_path / "a.asf").write_text(":root\n:bonedata\nbegin\nname b\nend\n:hierarchy\nroot b\n")
    with open(tmp_path / name, "wb") as file:  # sparse: takes no room on disk
        file.write(start)
        file.truncate(MAX_TEXT_BYTES + 1)
    with pytest.raises(InputError, match="larger than 512 MB"):
        load(tmp_path / name, fps=30)
