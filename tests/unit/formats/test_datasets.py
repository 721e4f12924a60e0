"""HumanAct12, UESTC, HumanML3D and Humans in Kitchens, from small files in exactly their layouts."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import InputError
from kineme.formats import ReadOptions, find_files, humanml3d, load, load_all
from kineme.formats.hik import ACTIVITIES
from kineme.formats.humanml3d import positions_of_vectors
from kineme.formats.registry import detect, files_read
from kineme.motion import SMPL22, Motion, Segment
from kineme.motion.canonical import INDEX
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rotations import axis_angle_to_matrix
from opened_files import opened

RNG = np.random.default_rng(3)


def _standing(frames: int, turn: tuple[float, float, float], joints: int = 24) -> np.ndarray:
    """Rotation vectors (T, 3 x joints): a body with small movements, as a whole turned by `turn`."""
    vectors = RNG.normal(0, 0.1, (frames, joints, 3))
    vectors[:, 0] = turn
    return vectors.reshape(frames, -1).astype(np.float32)


def _upright(motion: Motion) -> None:
    places = motion.positions
    assert (places[:, INDEX["head"], 1] - places[:, INDEX["left_foot"], 1] > 1.0).all()
    assert abs(float(places[..., 1].min())) < 1e-5


def _humanact12(**changes: Any) -> dict[str, Any]:
    lengths = (12, 20)
    data = {
        "poses": [_standing(n, (np.pi, 0, 0)) for n in lengths],  # of a camera: y points down
        "joints3D": [np.cumsum(RNG.normal(0, 0.01, (n, 24, 3)), axis=0) for n in lengths],
        "y": [1, 11],
    }
    return data | changes


def _write(path: Path, value: Any, protocol: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_humanact12(protocol: int, tmp_path: Path) -> None:
    data = _humanact12()
    motions = load(_write(tmp_path / "humanact12poses.pkl", data, protocol))
    assert isinstance(motions, list) and [len(m) for m in motions] == [12, 20]
    assert [m.labels for m in motions] == [(Segment(0, 0.6, "walk"),), (Segment(0, 1.0, "throw"),)]
    for motion, joints in zip(motions, data["joints3D"], strict=True):
        _upright(motion)
        assert motion.fps == 20 and motion.provenance.guessed == {"up": "-Y", "fps": "20"}
        moved = motion.root_translation - motion.root_translation[0]
        expected = (joints[:, 0] - joints[0, 0]) * [1, -1, -1]  # half a turn about x
        np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_humanact12_in_arrays_and_with_options(tmp_path: Path) -> None:
    data = _humanact12(y=np.array([0, 5]))
    ragged = np.empty(2, dtype=object)
    ragged[:] = data["poses"]
    path = _write(tmp_path / "a.pkl", data | {"poses": ragged})
    first, _ = load_all(path)
    assert first.labels[0].label == "warm up"
    first = load(path, fps=30, up="-Y")
    assert isinstance(first, list) and first[0].fps == 30 and first[0].provenance.guessed == {}


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"y": [1]}, "not as many clips"),
        ({"y": [1, 12]}, "none of HumanAct12's twelve"),
        ({"y": [1, "run"]}, "none of HumanAct12's twelve"),
        ({"poses": []}, "no list of clips"),
        ({"poses": {"a": 1}}, "no list of clips"),
        ({"poses": [np.zeros((4, 60), "f4")] * 2}, "60 numbers a frame"),
        ({"poses": [[[0.0] * 72]] * 2}, "no rotation vectors"),
        ({"joints3D": [np.zeros((3, 24, 3))] * 2}, "joints3D of the shape"),
        ({"joints3D": [None, None]}, "no array of numbers"),
        ({"poses": [np.full((12, 72), np.nan), np.zeros((20, 72))]}, "missing or unusable numbers"),
    ],
)
def test_humanact12_that_does_not_fit(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "a.pkl", _humanact12(**changes))
    with pytest.raises(InputError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def _uestc(folder: Path, info: bool = True) -> Path:
    lengths = (10, 15)
    data = {
        "pose": [_standing(n, (np.pi, 0, 0)) for n in lengths],
        "joints3d": [RNG.normal(0, 1, (n, 49, 3)).astype(np.float32) for n in lengths],
        "betas": [np.zeros((n, 10), np.float32) for n in lengths],
        "orig_cam": [np.stack([np.ones(n), np.ones(n), np.arange(n) / 10, np.zeros(n)], 1) for n in lengths],
    }
    if info:
        (folder / "info").mkdir(parents=True, exist_ok=True)
        (folder / "info/names.txt").write_text("a0_d1_p001_c1_color.avi\na39_d8_p118_c2_color.avi\n")
        (folder / "info/action_classes.txt").write_text("punching-and-knee-lifting\nmarking-time\n")
    return _write(folder / "vibe_cache_refined.pkl", data)


def test_uestc(tmp_path: Path) -> None:
    with opened(tmp_path) as seen:
        first, second = load_all(path := _uestc(tmp_path))
    assert seen == set(files_read(path)) and len(seen) == 3
    _upright(first)
    assert first.fps == 30 and first.labels == (Segment(0, 10 / 30, "punching-and-knee-lifting"),)
    assert second.labels[0].label == "action 39"
    assert any("person 118" in note and "depth is left out" in note for note in second.provenance.notes)
    np.testing.assert_allclose(np.diff(first.root_translation[:, 0]), 0.1, atol=1e-6)
    unnamed, _ = load_all(_uestc(tmp_path / "bare", info=False))
    assert unnamed.labels == ()


def test_uestc_with_names_of_other_clips(tmp_path: Path) -> None:
    path = _uestc(tmp_path)
    (tmp_path / "info/names.txt").write_text("a0_d1_p001_c1_color.avi\n")
    with pytest.raises(InputError, match="names 1 clips and there are 2"):
        load(path)
    (tmp_path / "info/names.txt").write_text("<script>\n" * 2)
    with pytest.raises(InputError, match="is no video of UESTC"):
        load(path)


@pytest.mark.parametrize(
    "value, said",
    [({"a": 1}, "of pickles"), ([1], "of pickles"), ({"v_template": 1, "weights": 2}, "body model")],
)
def test_other_pickles_are_told_apart(value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        load(_write(tmp_path / "a.pkl", value))


def test_only_pickles_of_motion_are_found_in_a_folder(tmp_path: Path) -> None:
    _write(tmp_path / "humanact12poses.pkl", _humanact12())
    _write(tmp_path / "settings.pkl", {"epochs": 3})
    assert [path.name for path in find_files(tmp_path)] == ["humanact12poses.pkl"]


# --- HumanML3D --------------------------------------------------------------------------------------------


def _vectors(places: np.ndarray, facing: np.ndarray) -> np.ndarray:
    """(T, 263) of joints (T, 22, 3) and facings (T,) [rad about +Y, the first 0], frame by frame."""
    vectors = np.zeros((len(places), 263))
    for t, (frame, angle) in enumerate(zip(places, facing, strict=True)):
        back = axis_angle_to_matrix(np.array([0, -angle, 0]))  # the world as it is seen along the facing
        vectors[t, 3] = frame[0, 1]
        vectors[t, 4:67] = ((frame[1:] - frame[0] * [1, 0, 1]) @ back.T).reshape(-1)
        if t + 1 < len(places):
            ahead = axis_angle_to_matrix(np.array([0, -facing[t + 1], 0]))
            vectors[t, 0] = -(facing[t + 1] - angle) / 2
            vectors[t, 1:3] = (ahead @ (places[t + 1, 0] - frame[0]))[[0, 2]]
    vectors[:, -4:] = np.arange(4) % 2
    return vectors


def _walk(frames: int) -> tuple[np.ndarray, np.ndarray]:
    vectors = RNG.normal(0, 0.1, (frames, 22, 3))
    facing = np.concatenate([[0.0], np.cumsum(RNG.normal(0, 0.3, frames - 1))])
    vectors[:, 0] = np.stack([0 * facing, facing, 0 * facing], 1)
    root = np.cumsum(RNG.normal(0, 0.05, (frames, 3)), axis=0) * [1, 0.1, 1] + [0, 0.93, 0]
    root -= root[0] * [1, 0, 1]
    places, _ = forward_kinematics(SMPL22, axis_angle_to_matrix(vectors), root)
    return places, facing


@given(st.integers(2, 40))
def test_vectors_give_the_places_that_they_were_made_of(frames: int) -> None:
    places, facing = _walk(frames)
    np.testing.assert_allclose(positions_of_vectors(_vectors(places, facing)), places, atol=1e-5)


def test_humanml3d(tmp_path: Path) -> None:
    places, facing = _walk(30)
    for folder in ("new_joints", "new_joint_vecs", "texts"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "new_joints/000021.npy", places.astype(np.float32))
    np.save(tmp_path / "new_joint_vecs/000021.npy", _vectors(places, facing).astype(np.float32))
    np.save(tmp_path / "Mean.npy", np.zeros(263, np.float32))
    (tmp_path / "texts/000021.txt").write_text(
        "a man walks.#a/DET man/NOUN walk/VERB#0.0#0.0\nhe turns#he/PRON turn/VERB#0.5#9.0\nnonsense\n"
    )
    assert [p.parent.name for p in find_files(tmp_path)] == ["new_joint_vecs", "new_joints"]
    for file in find_files(tmp_path):
        with opened(tmp_path) as seen:
            motion = load(file)
        assert seen == set(files_read(file)) == {file, tmp_path / "texts/000021.txt"}
        assert isinstance(motion, Motion) and motion.positions_only and motion.fps == 20
        np.testing.assert_allclose(motion.positions, places, atol=1e-4)
        assert motion.skeleton.name == "smpl22" and motion.provenance.format == "humanml3d"
        assert motion.provenance.units == "m" and motion.provenance.up_axis == "+Y"
        assert motion.labels == (
            Segment(0.0, 1.5, "a man walks.", "caption"),
            Segment(0.5, 1.5, "he turns", "caption"),
        )


def test_bare_joints_of_22_are_not_taken_for_humanml3d(tmp_path: Path) -> None:
    np.save(tmp_path / "walk.npy", np.zeros((9, 22, 3)))
    assert detect(tmp_path / "walk.npy").name == "joints"


@pytest.mark.parametrize("shape", [(), (3,), (0, 22, 3), (4, 21, 3), (2, 4, 22, 3)])
def test_arrays_of_other_shapes(shape: tuple[int, ...], tmp_path: Path) -> None:
    """An array without dimensions was found by the fuzzer."""
    for folder in ("new_joints", "new_joint_vecs"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "1.npy", np.zeros(shape))
        with pytest.raises(InputError):
            load(tmp_path / folder / "1.npy")
        with pytest.raises(InputError):
            humanml3d.read(tmp_path / folder / "1.npy", ReadOptions())


def test_numbers_that_are_no_places(tmp_path: Path) -> None:
    (tmp_path / "new_joints").mkdir()
    np.save(tmp_path / "new_joints/a.npy", np.full((5, 22, 3), np.nan))
    with pytest.raises(InputError, match="unusable numbers"):
        load(tmp_path / "new_joints/a.npy")


# --- Humans in Kitchens -----------------------------------------------------------------------------------


def _kitchen(path: Path, **changes: np.ndarray) -> Path:
    frames = np.array([100, 101, 102, 103, 200, 201, 202])
    count = len(frames)
    act = np.zeros((count, 82))
    act[1:3, 80] = act[4:, 58] = 1
    arrays = {
        "transforms": np.tile([1.0, 2, 0.9, np.pi / 2, 0, 0], (count, 1)),  # a quarter turn about x: z is up
        "smpl": RNG.normal(0, 0.1, (count, 21, 3)),
        "poses3d": np.cumsum(RNG.normal(0, 0.01, (count, 29, 3)), axis=0),
        "frames": frames,
        "act": act,
        "betas": np.zeros(10),
    }
    np.savez(path, **(arrays | changes))
    return path


def test_humans_in_kitchens(tmp_path: Path) -> None:
    first, second = load_all(_kitchen(tmp_path / "A_1_0.npz"))
    assert (len(first), len(second)) == (4, 3) and first.fps == 25
    assert first.provenance.format == "hik" and first.provenance.guessed == {"up": "+Z"}
    assert first.labels == (Segment(1 / 25, 3 / 25, "walking"),)
    assert second.labels == (Segment(0, 3 / 25, "sitting"),)
    assert "from video frame 200" in second.provenance.notes
    for motion in (first, second):
        _upright(motion)
    assert len(ACTIVITIES) == len(set(ACTIVITIES)) == 82


@pytest.mark.parametrize(
    "changes",
    [
        {"act": np.zeros((7, 3))},
        {"smpl": np.zeros((7, 20, 3))},
        {"smpl": np.zeros((0, 21, 3))},
        {"frames": np.zeros(3)},
        {"poses3d": np.zeros((7, 0, 3))},
        {"transforms": np.array(["a"])},
        {"transforms": np.full((7, 6), np.inf)},
    ],
)
def test_kitchens_that_do_not_fit(changes: dict[str, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load(_kitchen(tmp_path / "A_1_0.npz", **changes))
